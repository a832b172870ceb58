"""``db upgrade``, ``db backup`` and ``db restore``."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

import click
import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext

from lms_bridge.cli.common import application
from lms_bridge.core.application import current_settings
from lms_bridge.core.database import db
from lms_bridge.core.errors import BridgeError, ConfigurationError, InputError, Place
from lms_bridge.core.i18n import N_, gettext

BESIDE = ("files", "secret-key", "encryption-key")
"""What an installation keeps in its data folder besides the database."""


@click.group("db")
def db_group() -> None:
    """The database: migrations, backup, restore."""


@db_group.command()
def upgrade() -> None:
    """Bring the tables to this version's state; makes them when there are none."""
    with application(ready=False):
        upgrade_database()
        click.echo(gettext("The database is up to date."))


def upgrade_database() -> None:
    """Run all migrations that are missing; needs an application context."""
    import flask_migrate

    flask_migrate.upgrade(directory=str(resources.files("lms_bridge") / "migrations"))


@db_group.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup(file: Path) -> None:
    """Write a consistent copy of the database to FILE while it is in use.

    Uploaded documents and the keys are files of the data folder: keep a copy of them too.
    """
    with application(ready=False):
        if file.exists():
            raise InputError(N_("The file exists already."), place=Place(file=str(file)), remedy=N_("Name another."))
        if not _has_tables():
            raise InputError(
                N_("The database has no tables: there is nothing to keep."),
                remedy=N_("Name the data folder or the database that you mean in the settings."),
            )
        with _written_whole(file) as unfinished:
            if db.engine.dialect.name == "sqlite":
                _copy_sqlite(_sqlite_path(), unfinished)
            else:
                _run_tool(
                    ["pg_dump", "--format=custom", "--no-owner", f"--file={unfinished}",
                     f"--dbname={_postgresql_url()}"]
                )  # fmt: skip
        click.echo(gettext("Wrote %(file)s (%(size)s KB).", file=file, size=file.stat().st_size // 1024))
        others = [name for name in BESIDE if (current_settings().data_dir / name).exists()]
        if others:
            click.echo(
                gettext(
                    "Keep a copy of these too, from %(folder)s: %(names)s.",
                    folder=current_settings().data_dir,
                    names=", ".join(others),
                )
            )


@db_group.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--yes", is_flag=True, help="Replace what is in the database now.")
def restore(file: Path, yes: bool) -> None:
    """Replace the database by the backup FILE. Stop web servers and workers first."""
    with application(ready=False):
        if not yes and sa.inspect(db.engine).get_table_names():
            raise InputError(
                N_("The database is not empty."), remedy=N_("Repeat with --yes to replace all that is in it.")
            )
        db.session.remove()
        if db.engine.dialect.name == "sqlite":
            _check_sqlite(file)
            target = _sqlite_path()
            db.engine.dispose()
            _copy_sqlite(file, target)
        else:
            _check_dump(file)
            _run_tool(
                ["pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction", "--exit-on-error",
                 f"--dbname={_postgresql_url()}", str(file)]
            )  # fmt: skip
        click.echo(gettext('Restored %(file)s. Run "lms-bridge db upgrade" next.', file=file))


def _has_tables() -> bool:
    with db.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() is not None


@contextmanager
def _written_whole(file: Path) -> Iterator[Path]:
    """A file beside ``file`` for its owner alone; it takes its name when all of it is written, and goes if not."""
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    os.close(descriptor)
    unfinished = Path(name)
    try:
        yield unfinished
        with unfinished.open("rb") as stream:
            os.fsync(stream.fileno())
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)


def _sqlite_path() -> Path:
    return Path(str(db.engine.url.database))


def _postgresql_url() -> str:
    return db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)


def _copy_sqlite(source: Path, target: Path) -> None:
    """SQLite's online backup: consistent while others write, and one transaction on the target's side."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    reader, writer = sqlite3.connect(source), sqlite3.connect(target)
    try:
        reader.backup(writer)
    finally:
        reader.close()
        writer.close()


def _check_sqlite(file: Path) -> None:
    try:
        connection = sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)
        try:
            found = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
            whole = connection.execute("PRAGMA quick_check").fetchone()
        finally:
            connection.close()
    except sqlite3.DatabaseError:
        found, whole = (0,), ("",)
    if found[0] != 1 or whole[0] != "ok":
        raise _no_backup(file)


def _check_dump(file: Path) -> None:
    with file.open("rb") as stream:
        if stream.read(5) != b"PGDMP":
            raise _no_backup(file)


def _no_backup(file: Path) -> BridgeError:
    return InputError(
        N_("This is not a whole backup of LMS Bridge for this kind of database."),
        place=Place(file=str(file)),
        remedy=N_('Choose a file that "lms-bridge db backup" wrote.'),
    )


def _run_tool(command: list[str]) -> None:
    if shutil.which(command[0]) is None:
        raise ConfigurationError(
            N_("The program %(program)s is not installed."),
            remedy=N_("Install Debian's package postgresql-client."),
            program=command[0],
        )
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ConfigurationError(
            N_("%(program)s failed: %(reason)s"), program=command[0], reason=done.stderr.strip()[-500:]
        )
