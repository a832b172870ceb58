"""Finding the header row of a table, and what each column under it holds."""

from __future__ import annotations

from dataclasses import dataclass

from lms_bridge.plans.reading.grid import Cell, Grid, Row
from lms_bridge.plans.reading.headings import NAME_FIELDS, Field, Heading, recognise

# Title, school, class, term and teacher stand above the header in forms; more than this is not a form any more.
_SEARCHED_ROWS = 15


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
    """A recognised header row, at ``index`` in the grid's rows."""

    index: int
    row: Row
    columns: tuple[Column, ...]

    def fields(self) -> set[Field]:
        """The fields that the table has."""
        return {column.heading.field for column in self.columns if column.heading}

    def of(self, *fields: Field) -> list[Column]:
        """The columns that hold one of ``fields``."""
        return [column for column in self.columns if column.heading and column.heading.field in fields]

    def complete(self) -> bool:
        """Whether units can be read: there is a column for their names and one for their periods."""
        return "periods" in self.fields() and not self.fields().isdisjoint(NAME_FIELDS)

    def layout(self) -> tuple[tuple[Field | None, int], ...]:
        """What stands where; equal in tables that continue each other."""
        return tuple((column.heading.field if column.heading else None, column.start) for column in self.columns)


def header_at(grid: Grid, index: int) -> Header:
    """The row at ``index`` taken as a header."""
    row = grid.rows[index]
    columns: list[Column] = []
    for start, cell in enumerate(row.cells):
        if cell.merged == "left" or not cell.text:
            continue
        end = start + 1
        while end < len(row.cells) and row.cells[end].merged == "left":
            end += 1
        columns.append(Column(cell.text, start, end, recognise(cell.text)))
    return Header(index, row, tuple(columns))


def find_header(grid: Grid) -> Header | None:
    """The header of ``grid``: the first row with a column for names and one for periods.

    Where headings stand in two rows (a joint heading above, its parts below), the lower row counts: the cells
    merged from above are repeated in it. Failing a complete header, the row with most recognised headings (at least
    two) is returned, so that the refusal can say what is missing.
    """
    best: Header | None = None
    for index in range(min(_SEARCHED_ROWS, len(grid.rows))):
        header = header_at(grid, index)
        if header.complete():
            return _lower_row(grid, header)
        if len(header.fields()) >= 2 and (best is None or len(header.fields()) > len(best.fields())):
            best = header
    return best


def _lower_row(grid: Grid, header: Header) -> Header:
    below = header.index + 1
    if below >= len(grid.rows) or not any(cell.merged == "above" for cell in grid.rows[below].cells):
        return header
    lower = header_at(grid, below)
    return lower if lower.complete() else header
