"""The header of a table, in one row or several, and what each column under it holds by its heading."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from lms_bridge.plans.reading.grid import Cell, Grid, Row
from lms_bridge.plans.reading.headings import NAME_FIELDS, Field, Heading, recognise

_DEEPEST = 3
# What was really done stands beside what was planned in many forms; only the plan is read.
_DONE = re.compile(r"实际|执行|完成|actual|completed|delivered", re.IGNORECASE)

Told = Literal["column", "names", "brackets", "each", "nowhere"]
TIMES: tuple[Field, ...] = ("week", "first_week", "dates", "starts", "when", "month")


@dataclass(frozen=True, slots=True)
class Column:
    """One heading and the grid columns it spans (``start`` included, ``end`` not, from 0).

    ``joint`` are the headings above its own that it shares with others, ``own`` the lowest one.
    """

    text: str
    start: int
    end: int
    heading: Heading | None
    joint: tuple[str, ...] = ()
    own: str = ""

    def cells(self, row: Row) -> list[Cell]:
        """The cells of ``row`` under the heading that do not merely continue to the left."""
        cells = [row.cell(i) for i in range(self.start, self.end)]
        return [cell for cell in cells if cell.merged != "left"]


@dataclass(frozen=True, slots=True)
class Header:
    """A recognised header; ``index`` is its last row in the grid, ``top`` its first.

    ``told`` says where the units' periods are: in a column; behind their names (``声音（2课时）``); there as bare
    numbers in brackets (``声音（2）``); each row is one lesson; or nowhere, so that they must be assumed.
    """

    index: int
    row: Row
    columns: tuple[Column, ...]
    top: int
    told: Told = "column"

    @property
    def inline(self) -> bool:
        """Whether there is no column for periods, because they stand behind the units' names."""
        return self.told in ("names", "brackets")

    def fields(self) -> set[Field]:
        """The fields that the table has."""
        return {column.heading.field for column in self.columns if column.heading}

    def of(self, *fields: Field) -> list[Column]:
        """The columns that hold one of ``fields``."""
        return [column for column in self.columns if column.heading and column.heading.field in fields]

    def complete(self) -> bool:
        """Whether units can be read: there is a column for their names, and it is clear where their periods are."""
        return self.named() and (self.told != "column" or "periods" in self.fields())

    def promised(self) -> bool:
        """Whether the heading of the names says that the periods stand behind them (教学内容及课时)."""
        return any("periods" in column.heading.also for column in self.columns if column.heading)

    def certain(self) -> bool:
        """Whether the document itself says how many periods each unit takes."""
        weekly = any(column.heading and column.heading.measure in ("weekly", "days") for column in self.of("periods"))
        return self.complete() and self.told in ("column", "names") and not weekly

    def named(self) -> bool:
        """Whether a column can give the units their names."""
        return not self.fields().isdisjoint(NAME_FIELDS)

    def layout(self) -> tuple[tuple[Field | None, int], ...]:
        """What stands where; equal in tables that continue each other."""
        return tuple((column.heading.field if column.heading else None, column.start) for column in self.columns)

    def texts(self) -> tuple[str, ...]:
        """The headings as they stand in the document."""
        return tuple(column.text for column in self.columns)


def header_at(grid: Grid, index: int, depth: int = 1) -> Header:
    """The row at ``index`` taken as a header, joined with the ``depth - 1`` rows below it."""
    rows = grid.rows[index : index + depth]
    last = rows[-1]
    columns: list[Column] = []
    width = max(len(row.cells) for row in rows)
    start = 0
    while start < width:
        end = start + 1
        while end < width and all(row.cell(end).merged == "left" for row in rows):
            end += 1
        if path := _path(rows, start):
            columns.append(Column(_shown(path), start, end, _meaning(path), tuple(path[:-1]), path[-1]))
        start = end
    return Header(index + depth - 1, last, tuple(columns), index)


def _path(rows: tuple[Row, ...], column: int) -> list[str]:
    """The headings above a column from the joint one down to its own, each once."""
    path: list[str] = []
    for position, row in enumerate(rows):
        cell = row.cell(column)
        if cell.merged == "above" and position:
            continue
        text = cell.text
        if cell.merged == "left" and position < len(rows) - 1:
            text = _spanning(row, column)
        if text and (not path or path[-1] != text):
            path.append(text)
    return path


def _spanning(row: Row, column: int) -> str:
    while column > 0 and row.cell(column).merged == "left":
        column -= 1
    return row.cell(column).text


def _meaning(path: list[str]) -> Heading | None:
    """What the lowest heading says; one that is not known takes the meaning of the joint heading above it."""
    if len(path) > 1 and any(_DONE.search(text) for text in path[:-1]):
        return None
    if len(path) > 1 and _DONE.search(path[-1]) and recognise(path[-1]) is None:
        return None  # 计划 | 实际 below one 课时
    return next((found for text in reversed(path) if (found := recognise(text))), None)


def _shown(path: list[str]) -> str:
    return path[-1] if len(path) == 1 or (recognise(path[-1]) and _meaning(path)) else " ".join(path)


def header_over(grid: Grid, index: int) -> Header:
    """The header that begins in the row at ``index``, with the rows below that belong to it."""
    header = header_at(grid, index)
    if not header.fields():
        return header
    depth = 1
    while depth < _DEEPEST and index + depth < len(grid.rows) and _goes_on(grid, header, index + depth):
        depth += 1
        header = header_at(grid, index, depth)
    return header


def _goes_on(grid: Grid, header: Header, index: int) -> bool:
    """Whether the row below a header still belongs to it: no unit stands in it."""
    row, above = grid.rows[index], grid.rows[index - 1]
    known = [recognise(cell.text) for cell in row.cells if cell.text and not cell.merged]
    for column, cell in enumerate(row.cells):
        if cell.merged == "above" and cell.text and above.cell(column).text == cell.text and recognise(cell.text):
            return True
    if known and all(known):
        return True
    # 知识 | 能力 | 情感 under a joint 教学目标, while nothing stands under the other headings.
    joint = [column for column in header.columns if column.end - column.start > 1]
    under = [i for i, cell in enumerate(row.cells) if cell.text and not cell.merged]
    return len(under) > 1 and all(any(column.start <= i < column.end for column in joint) for i in under)
