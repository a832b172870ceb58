"""Runs migrations on the database of the Flask application in force."""

from __future__ import annotations

from alembic import context
from flask import current_app

from lms_bridge.core.database import Base, db


def run() -> None:
    """Migrate online, in one transaction."""
    assert current_app
    with db.engine.connect() as connection:
        # Batch mode rebuilds SQLite tables; foreign keys must not cascade meanwhile.
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
            connection.commit()
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            render_as_batch=True,
            compare_type=True,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        if connection.dialect.name == "sqlite":
            connection.commit()
            connection.exec_driver_sql("PRAGMA foreign_keys = ON")


run()
