"""Finding the header of a table, in one row or several, and what each column under it holds."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from lms_bridge.plans.reading.grid import Cell, Grid, Row
from lms_bridge.plans.reading.headings import NAME_FIELDS, Field, Heading, recognise
from lms_bridge.plans.reading.inline import amount_in

# Title, school, class, term and teacher stand above the header in forms; more than this is not a form any more.
_SEARCHED_ROWS = 15
_DEEPEST = 3
# What was really done stands beside what was planned in many forms; only the plan is read.
_DONE = re.compile(r"实际|执行|完成|actual|completed|delivered", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Column:
    """One heading and the grid columns it spans (``start`` included, ``end`` not, from 0)."""

    text: str
    start: int
    end: int
    heading: Heading | None

    def cells(self, row: Row) -> list[Cell]:
        """The cells of ``row`` under the heading that do not merely continue to the left."""
        cells = [row.cell(i) for i in range(self.start, self.end)]
        return [cell for cell in cells if cell.merged != "left"]


@dataclass(frozen=True, slots=True)
class Header:
    """A recognised header; ``index`` is its last row in the grid, ``top`` its first.

    ``inline``: there is no column for periods, they stand behind the units' names (``声音（2课时）``).
    """

    index: int
    row: Row
    columns: tuple[Column, ...]
    top: int
    inline: bool = False

    def fields(self) -> set[Field]:
        """The fields that the table has."""
        return {column.heading.field for column in self.columns if column.heading}

    def of(self, *fields: Field) -> list[Column]:
        """The columns that hold one of ``fields``."""
        return [column for column in self.columns if column.heading and column.heading.field in fields]

    def complete(self) -> bool:
        """Whether units can be read: there is a column for their names, and their periods are given."""
        return self.named() and (self.inline or "periods" in self.fields())

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
            columns.append(Column(_shown(path), start, end, _meaning(path)))
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


def find_header(grid: Grid) -> Header | None:
    """The header of ``grid``: the first that has a column for names and one for periods.

    Headings may stand in several rows, a joint one above its parts; the lowest that is understood counts. Failing a
    complete header, the one with most recognised headings (at least two) is returned, so that the refusal can say
    what is missing.
    """
    best: Header | None = None
    for index in range(min(_SEARCHED_ROWS, len(grid.rows))):
        header = header_over(grid, index)
        if header.complete():
            return header
        if len(header.fields()) >= 2 and (best is None or len(header.fields()) > len(best.fields())):
            best = header
    if best is not None and best.named() and _amounts_in_names(grid, best):
        return replace(best, inline=True)
    return best


def _amounts_in_names(grid: Grid, header: Header) -> bool:
    """Whether most units under a header without a column for periods tell them behind their names."""
    with_amount = without = 0
    for row in grid.rows[header.index + 1 :]:
        texts = [cell.text for column in header.of(*NAME_FIELDS) for cell in column.cells(row) if cell.text]
        if any(amount_in(line) for text in texts for line in text.split("\n")):
            with_amount += 1
        elif texts:
            without += 1
    return with_amount > without
