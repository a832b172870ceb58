"""Statements that hundreds of people need in the same second: compiled once for a database and handed to its driver as
they are. To prepare each run of one takes SQLAlchemy a tenth of a millisecond, which is much of what a click costs."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect

Convert = Callable[[Any], Any] | None


class Ready:
    """One statement, compiled for the ``dialect``; its values and the columns of its rows are converted as their types
    say. It must hold no list of values whose length differs from run to run, and name every column that has a default
    of its own."""

    def __init__(self, statement: sa.Select[Any] | sa.Insert | sa.Update, dialect: Dialect) -> None:
        compiled: Any = statement.compile(dialect=dialect)
        left_out = [
            column.name for when in ("insert_prefetch", "update_prefetch") for column in getattr(compiled, when, ())
        ]
        assert not left_out, f"nobody works out a default here: {left_out}"
        self._sql = str(compiled)
        self._order: list[str] | None = list(compiled.positiontup) if compiled.positional else None
        self._values: dict[str, Any] = {}
        self._asked: list[tuple[str, str, Convert]] = []
        for bind, name in compiled.bind_names.items():
            # Psycopg takes no dots in names.
            told = name if compiled.positional else compiled.escaped_bind_names.get(name, name)
            convert = bind.type.dialect_impl(dialect).bind_processor(dialect)
            if bind.required:
                self._asked.append((told, bind.key, convert))
            else:
                self._values[told] = convert(bind.value) if convert is not None else bind.value
        columns = list(statement.exported_columns)
        self._columns: list[Convert] = [
            column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns
        ]
        self._row: Any = namedtuple("Row", [column.key for column in columns])  # type: ignore[misc]

    def rows(self, connection: Connection, values: Mapping[str, Any]) -> list[Any]:
        """Run the statement; its rows, with the columns by their names."""
        found = connection.exec_driver_sql(self._sql, self._bound(values)).all()
        return [
            self._row._make(
                value if convert is None else convert(value) for value, convert in zip(row, self._columns, strict=True)
            )
            for row in found
        ]

    def run(self, connection: Connection, values: Mapping[str, Any]) -> None:
        """Run a statement that has no rows."""
        connection.exec_driver_sql(self._sql, self._bound(values))

    def run_many(self, connection: Connection, values: Iterable[Mapping[str, Any]]) -> None:
        """Run a statement that has no rows once for each of ``values``."""
        if bound := [self._bound(one) for one in values]:
            connection.exec_driver_sql(self._sql, bound)

    def _bound(self, values: Mapping[str, Any]) -> Any:
        bound = dict(self._values)
        for told, name, convert in self._asked:
            bound[told] = values[name] if convert is None else convert(values[name])
        return bound if self._order is None else tuple([bound[name] for name in self._order])
