"""Writing many rows quickly: numbers reserved in one go, plain tuples handed to the database driver.

SQLAlchemy's ORM would need some fifty microseconds and a kilobyte for each row; here it only writes the SQL. Values
must be what the driver stores: dates as ISO texts, enumerations as their values.
"""

from __future__ import annotations

import gc
import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from itertools import chain
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from lms_bridge.core.database import Base
from lms_bridge.core.types import UTCDateTime

CACHE_KIB = 98_304
SQLITE_TOGETHER = 200
"""Rows of one INSERT: SQLite takes less than half of the time for them that it takes for as many statements."""

UID_LENGTH = 20
UID_CHARACTERS = b"abcdefghijklmnopqrstuvwxyz234567" * 8
"""Each byte stands for one of the 32 characters of base 32, every one as likely as the others."""


def new_uids(count: int) -> list[str]:
    """As many public ids as asked for, each like :func:`lms_bridge.core.ids.new_uid`: 100 bits as 20 characters."""
    text = secrets.token_bytes(UID_LENGTH * count).translate(UID_CHARACTERS).decode("ascii")
    return [text[start : start + UID_LENGTH] for start in range(0, len(text), UID_LENGTH)]


def reserve_ids(connection: Connection, table: type[Base], count: int) -> Sequence[int]:
    """``count`` row ids of ``table`` that nobody else will use.

    On SQLite the writing transaction holds the only right to write, so that the next numbers are free.
    """
    if not count:
        return ()
    column = table.__table__.c.id
    if connection.dialect.name == "postgresql":
        sequence = sa.func.pg_get_serial_sequence(table.__tablename__, column.name)
        numbers = sa.func.generate_series(1, count).table_valued("n")
        return list(connection.scalars(sa.select(sa.func.nextval(sequence.cast(sa.Text))).select_from(numbers)))
    first = (connection.scalar(sa.select(sa.func.max(column))) or 0) + 1
    return range(first, first + count)


class Inserter:
    """Inserts tuples of values into ``columns`` of ``table``. ``statement`` is its insert where there is more to it,
    say what becomes of a row that is there already."""

    def __init__(
        self, connection: Connection, table: type[Base], columns: str, statement: sa.Insert | None = None
    ) -> None:
        self._connection = connection
        kind: Any = type(connection.dialect)
        self._sql, self._constants, self._pick = _compiled(kind, table, columns, statement)
        self._together = SQLITE_TOGETHER if connection.dialect.name == "sqlite" and statement is None else 1

    def insert(self, rows: Iterable[tuple[Any, ...]]) -> None:
        """Insert ``rows``, each a tuple in the order of the columns."""
        values = list(rows)
        if self._pick is not None:
            values = [self._pick(row + self._constants) for row in values]
        rest = len(values) % self._together if self._together > 1 else len(values)
        if len(values) > rest:
            head, _, marks = self._sql.rpartition(" VALUES ")
            many = f"{head} VALUES {', '.join([marks] * self._together)}"
            starts = range(rest, len(values), self._together)
            flat = [tuple(chain.from_iterable(values[start : start + self._together])) for start in starts]
            self._connection.exec_driver_sql(many, flat)
        if rest:
            self._connection.exec_driver_sql(self._sql, values[:rest])


@cache
def _compiled(
    kind: Any, table: type[Base], columns: str, statement: sa.Insert | None
) -> tuple[str, tuple[Any, ...], Callable[[tuple[Any, ...]], tuple[Any, ...]] | None]:
    """The statement for a ``kind`` of dialect, its values that are always the same, and what brings a row's values into
    its order (None: they are in it)."""
    names = columns.split()
    dialect = kind(paramstyle="qmark" if kind.name == "sqlite" else "format")
    plain = sa.insert(table.__table__) if statement is None else statement  # type: ignore[arg-type]
    compiled: Any = plain.values({name: sa.bindparam(name) for name in names}).compile(dialect=dialect)
    order = list(compiled.positiontup)
    constants = {name: value for name, value in compiled.params.items() if name not in names}
    known = [*names, *constants]
    assert sorted(set(order)) == sorted(known), f"{table.__tablename__}: {set(order) ^ set(known)}"
    pick = None if order == names else itemgetter(*(known.index(name) for name in order))
    return str(compiled), tuple(constants.values()), pick


def stored_moment(connection: Connection, moment: datetime) -> Any:
    """``moment`` as the driver stores it."""
    process = UTCDateTime().dialect_impl(connection.dialect).bind_processor(connection.dialect)
    return process(moment) if process is not None else moment


@contextmanager
def no_search_for_cycles() -> Iterator[None]:
    """Python's search for reference cycles rests inside the block: an import makes millions of values without any."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def room_for_pages(connection: Connection) -> Iterator[None]:
    """Let SQLite keep more of the database in memory inside the block: the indexes of a large import are written at
    random places, and with its usual 2 MB it would write and read the same pages over and over."""
    if connection.dialect.name != "sqlite":
        yield
        return
    before = connection.exec_driver_sql("PRAGMA cache_size").scalar()
    connection.exec_driver_sql(f"PRAGMA cache_size = -{CACHE_KIB}")
    try:
        yield
    finally:
        connection.exec_driver_sql(f"PRAGMA cache_size = {before}")
