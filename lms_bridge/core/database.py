"""The database: one declarative base, sessions by Flask-SQLAlchemy, and the transaction of an operation.

SQLite runs with WAL, foreign keys and a busy timeout, and writing transactions begin ``IMMEDIATE``: a deferred
transaction that reads first and writes later fails at once when another writer came between, whatever the timeout
(https://www.sqlite.org/lang_transaction.html, section 2.2).
"""

from __future__ import annotations

import enum
import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from typing import Annotated, Any, cast
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import event
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column, registry

from lms_bridge.core.types import BIG_INT, UTCDateTime

SQLITE_BUSY_MS = 15_000

NAMING = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Base of all tables."""

    registry = registry(
        metadata=sa.MetaData(naming_convention=NAMING),
        type_annotation_map={
            int: BIG_INT,
            datetime: UTCDateTime(),
            date: sa.Date(),
            time: sa.Time(),
            dict[str, Any]: sa.JSON(),
            list[str]: sa.JSON(),
            list[Any]: sa.JSON(),
            enum.StrEnum: sa.Enum(
                enum.StrEnum, native_enum=False, length=40, values_callable=lambda e: [m.value for m in e]
            ),
        },
    )


PrimaryKey = Annotated[int, mapped_column(BIG_INT, primary_key=True, autoincrement=True)]
Uid = Annotated[str, mapped_column(sa.String(32), unique=True)]

db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})


@event.listens_for(Engine, "connect")
def _prepare_sqlite(connection: Any, record: Any) -> None:
    if not type(connection).__module__.startswith(("sqlite3", "sqlalchemy.dialects.sqlite")):
        return
    # The driver's own BEGIN comes too late and is always deferred; _begin_sqlite issues it instead.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


@event.listens_for(Engine, "begin")
def _begin_sqlite(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        return
    kind = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
    if kind is not None:
        connection.exec_driver_sql(f"BEGIN {kind}")


def after_commit(callback: Callable[[], None]) -> None:
    """Run ``callback`` once the transaction in force has been committed; never when it is rolled back."""
    db.session().info.setdefault("after_commit", []).append(callback)


_writers: WeakKeyDictionary[Engine, threading.Lock] = WeakKeyDictionary()


@contextmanager
def _turn_to_write(engine: Engine) -> Iterator[None]:
    """On SQLite, which has one writer at a time, the threads of a process wait for each other here: in order, and
    without asking the file again and again. Other processes are still met at the file; whoever has waited as long as
    one waits there goes on to it, and is told there that it is busy."""
    if engine.dialect.name != "sqlite":
        yield
        return
    turn = _writers.setdefault(engine, threading.Lock())
    mine = turn.acquire(timeout=SQLITE_BUSY_MS / 1000)
    try:
        yield
    finally:
        if mine:
            turn.release()


@contextmanager
def transaction() -> Iterator[Session]:
    """The transaction of one operation: commits at the end of the block, rolls everything back on any error.

    Nested blocks join the outer one. The ways in (pages, REST, commands, jobs) open it; operations only flush.
    """
    session = db.session()
    if session.info.get("in_transaction"):
        yield session
        return
    if session.in_transaction():
        # Reads came before (sign-in, scope); end them so that SQLite can begin as a writer. Nothing is expired.
        session.commit()
    with _turn_to_write(session.get_bind().engine):
        session.info["in_transaction"] = True
        session.info["after_commit"] = []
        try:
            session.info["connection"] = session.connection(execution_options={"sqlite_begin": "IMMEDIATE"})
            yield session
            session.commit()
        except BaseException:
            session.rollback()
            session.info["after_commit"] = []
            raise
        finally:
            session.info["in_transaction"] = False
            session.info.pop("connection", None)
    callbacks = session.info.pop("after_commit", [])
    for callback in callbacks:
        callback()


def connection() -> Connection:
    """The connection of the transaction in force, or of the reading that goes on: for statements past the session,
    which is asked for it only once, since that takes it a while."""
    session = db.session()
    return session.info.get("connection") or session.connection()


def insert_into(table: type[Base] | sa.Table, dialect: Dialect | None = None) -> Insert:
    """An insert of the database's own kind (``dialect``, by default that of the transaction in force), which can say
    what becomes of a row that is there already. What both kinds can do has the same form in both."""
    if (dialect or connection().dialect).name == "postgresql":
        return pg_insert(table)
    return cast(Insert, sqlite_insert(table))


@contextmanager
def one_statement() -> Iterator[Connection]:
    """A connection on which every statement is a :func:`transaction` by itself, for what many people ask for in the
    same second: no session, and so no objects, no operation of other modules and nothing ``after_commit``. Never within
    a transaction, which it would wait for."""
    assert not db.session.registry.has() or not db.session().info.get("in_transaction")
    engine = db.engine
    with _turn_to_write(engine), _by_itself(engine).connect() as connection:
        yield connection


@functools.lru_cache(maxsize=8)
def _by_itself(engine: Engine) -> Engine:
    """The same engine and pool, without a beginning and an end around its statements."""
    # SQLite's driver is in this state already, see _prepare_sqlite, and would be left in another one.
    options = {"sqlite_begin": None} if engine.dialect.name == "sqlite" else {"isolation_level": "AUTOCOMMIT"}
    return engine.execution_options(**options)
