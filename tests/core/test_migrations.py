"""The migrations make exactly the tables of the code, from nothing, on both databases, and can be taken back."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import flask_migrate
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from flask import Flask

from lms_bridge.cli.database import upgrade_database
from lms_bridge.core import health
from lms_bridge.core.database import Base, db
from lms_bridge.core.plugins import CheckState
from lms_bridge.web.app import create_app
from tests.conftest import make_settings

MIGRATIONS = resources.files("lms_bridge") / "migrations"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def bare_app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """An application on a database without tables."""
    url = request.getfixturevalue("bare_postgresql_url") if request.param == "postgresql" else ""
    app = create_app(make_settings(tmp_path, database_url=url))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def tables() -> set[str]:
    """The tables that are there now."""
    with db.engine.connect() as connection:
        return set(sa.inspect(connection).get_table_names()) - {"alembic_version"}


def differences() -> list[object]:
    """What another migration would have to do to arrive at the tables of the code."""
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, Base.metadata))


def test_there_is_one_line_of_migrations() -> None:
    assert health.migration_head() is not None, "lms_bridge/migrations/versions holds no migration"


def test_migrating_from_nothing_makes_the_tables_of_the_code(bare_app: Flask) -> None:
    assert health.check_migrations().state is CheckState.FAILED
    upgrade_database()
    assert tables() == set(Base.metadata.tables)
    assert differences() == []
    assert health.check_migrations().state is CheckState.OK


def test_migrating_again_changes_nothing(bare_app: Flask) -> None:
    upgrade_database()
    upgrade_database()
    assert differences() == []


def test_all_migrations_can_be_taken_back_and_made_again(bare_app: Flask) -> None:
    upgrade_database()
    flask_migrate.downgrade(directory=str(MIGRATIONS), revision="base")
    assert tables() == set()
    upgrade_database()
    assert differences() == []
