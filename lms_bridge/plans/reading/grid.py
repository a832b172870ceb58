"""A table as it stands in a document, whatever the document's format: rows of cells, merges resolved.

This is all that comes back from the child process; what the cells mean is decided by :mod:`.columns` and
:mod:`.rows` without any knowledge of the file format.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from lms_bridge.plans.reading.limits import ReadLimits, Refused

Kind = Literal["text", "number", "date", "lost"]
Merged = Literal["", "left", "above"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell. A cell merged into the one above repeats its text; one merged into its left neighbour is empty.

    ``kind`` is what the spreadsheet says about the value: a date typed by a person or made by Excel out of ``3-4``
    is ``date`` with ISO text; ``lost`` is a formula whose result the file does not hold, or whose result is an error.
    """

    text: str = ""
    kind: Kind = "text"
    merged: Merged = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A row and its number as people count: the table's row, the sheet's row, the line of a CSV file."""

    number: int
    cells: tuple[Cell, ...]

    def cell(self, index: int) -> Cell:
        """The cell at ``index`` (from 0); an empty one where the row is shorter."""
        return self.cells[index] if index < len(self.cells) else Cell()

    def texts(self) -> list[str]:
        """The texts that stand in the row itself, without those repeated by merging."""
        return [cell.text for cell in self.cells if cell.text and not cell.merged]


@dataclass(frozen=True, slots=True)
class Grid:
    """One table or sheet. ``label`` is its number or the sheet's name; None in a CSV file, which has only one.

    ``numbers`` is set where the table was turned over, so that what stood side by side stands below each other: the
    numbers of the table's own rows, which are the columns here (a row's ``number`` is then that of a column).
    ``hidden_columns`` are named as the spreadsheet does (``D``). ``caption`` is what stands above the table, or above
    its half. ``typed``: its rows are lines of text, and their numbers those of paragraphs.
    """

    label: str | int | None
    rows: tuple[Row, ...]
    hidden_rows: tuple[int, ...] = ()
    hidden_columns: tuple[str, ...] = ()
    numbers: tuple[int, ...] | None = None
    caption: str = ""
    typed: bool = False

    def width(self) -> int:
        """The number of columns of the widest row."""
        return max((len(row.cells) for row in self.rows), default=0)

    def provenance(self, row: Row) -> dict[str, Any]:
        """Where a unit stood: the table, and the row (in a table that was turned over, the column)."""
        if self.typed:
            return {"paragraph": row.number}
        table = {} if self.label is None else {"table": self.label}
        return table | ({"row": row.number} if self.numbers is None else {"column": row.number})


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph outside of tables. ``number`` counts those that are not empty, from 1.

    ``level`` is that of a heading (1 to 9), 0 for ordinary text; ``item`` the depth of a list item (from 1), 0 for
    what is none. ``boxed``: it stands in a text box. ``columns`` are its pieces where wide spaces hold them apart.
    """

    number: int
    text: str
    level: int = 0
    item: int = 0
    boxed: bool = False
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RawDocument:
    """The tables of a document, its paragraphs, and the lines of text before the first table."""

    lines: tuple[str, ...]
    grids: tuple[Grid, ...]
    hidden_sheets: tuple[str, ...] = ()
    paragraphs: tuple[Paragraph, ...] = ()


class Budget:
    """Counts what has been read of one document and refuses when a limit is reached."""

    def __init__(self, limits: ReadLimits) -> None:
        self.limits = limits
        self.characters = 0

    def text(self, text: str) -> str:
        """``text`` without control characters and outer white space, counted against the limits."""
        text = "\n".join(line for part in text.splitlines() if (line := " ".join(part.split())))
        text = "".join(c for c in text if c == "\n" or c.isprintable())
        self.characters += len(text)
        if len(text) > self.limits.cell_characters:
            raise Refused("long_cell", limit=self.limits.cell_characters)
        if self.characters > self.limits.text_characters:
            raise Refused("too_much_text", limit=self.limits.text_characters)
        return text

    def table(self, count: int) -> None:
        """Refuse more tables than are looked at."""
        if count > self.limits.tables:
            raise Refused("too_many_tables", limit=self.limits.tables)

    def row(self, count: int) -> None:
        """Refuse more rows than a plan can have."""
        if count > self.limits.rows:
            raise Refused("too_many_rows", limit=self.limits.rows)

    def paragraph(self, count: int) -> None:
        """Refuse more paragraphs than a plan can have."""
        if count > self.limits.paragraphs:
            raise Refused("too_many_paragraphs", limit=self.limits.paragraphs)

    def column(self, count: int) -> None:
        """Refuse more columns than a plan can have."""
        if count > self.limits.columns:
            raise Refused("too_many_columns", limit=self.limits.columns)


def to_json(document: RawDocument) -> dict[str, Any]:
    """``document`` as compact plain JSON; :func:`from_json` is the inverse."""
    return {
        "lines": list(document.lines),
        "hidden_sheets": list(document.hidden_sheets),
        "paragraphs": [[p.number, p.text, p.level, p.item, p.boxed, list(p.columns)] for p in document.paragraphs],
        "grids": [
            {
                "label": grid.label,
                "hidden": list(grid.hidden_rows),
                "hidden_columns": list(grid.hidden_columns),
                "caption": grid.caption,
                "rows": [[row.number, [[c.text, c.kind, c.merged] for c in row.cells]] for row in grid.rows],
            }
            for grid in document.grids
        ],
    }


def from_json(data: dict[str, Any]) -> RawDocument:
    """The document that :func:`to_json` wrote."""
    return RawDocument(
        lines=tuple(data["lines"]),
        hidden_sheets=tuple(data["hidden_sheets"]),
        paragraphs=tuple(_paragraph(values) for values in data["paragraphs"]),
        grids=tuple(
            Grid(
                label=grid["label"],
                hidden_rows=tuple(grid["hidden"]),
                hidden_columns=tuple(grid["hidden_columns"]),
                caption=grid["caption"],
                rows=tuple(_rows(grid["rows"])),
            )
            for grid in data["grids"]
        ),
    )


def _paragraph(values: list[Any]) -> Paragraph:
    number, text, level, item, boxed, columns = values
    return Paragraph(number, text, level, item, boxed, tuple(columns))


def _rows(rows: list[Any]) -> Iterable[Row]:
    for number, cells in rows:
        yield Row(number, tuple(Cell(text, kind, merged) for text, kind, merged in cells))
