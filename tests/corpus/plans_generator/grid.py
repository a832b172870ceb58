"""A table as a document draws it: rows of cells, some over several columns or rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date


@dataclass(slots=True)
class Cell:
    """One cell. ``across`` columns wide and ``down`` rows high; the text's lines are paragraphs of their own.

    ``value`` and ``formula`` are for workbooks: what the cell really holds where that is not its text. ``blocks`` are
    ready-made parts of a Word document inside the cell, such as a table, instead of the text.
    """

    text: str = ""
    across: int = 1
    down: int = 1
    bold: bool = False
    value: int | float | date | None = None
    formula: str | None = None
    blocks: list[object] = field(default_factory=list)
    heading: bool = False


Row = list[Cell]


@dataclass(slots=True)
class Grid:
    """A table. Rows hold only the cells that begin in them; ``hidden`` are rows (from 0) that a workbook hides."""

    rows: list[Row]
    headers: int = 1
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)

    def width(self) -> int:
        """How many columns the table has."""
        return max(len(row) for row in self.squares())

    def squares(self) -> list[list[tuple[Cell, bool, bool]]]:
        """Every square of the table: its cell, and whether the cell begins here in this row and in this column."""
        result: list[list[tuple[Cell, bool, bool]]] = []
        carried: dict[int, tuple[Cell, int]] = {}
        for row in self.rows:
            line: list[tuple[Cell, bool, bool]] = []
            below: dict[int, tuple[Cell, int]] = {}
            pending = list(row)
            while pending or len(line) in carried:
                column = len(line)
                begins = column not in carried
                cell, left = carried[column] if not begins else (pending[0], pending.pop(0).down)
                line += [(cell, begins, index == 0) for index in range(cell.across)]
                if left > 1:
                    below[column] = (cell, left - 1)
            carried = below
            result.append(line)
        return result


def plain(texts: Sequence[str], *, bold: bool = False) -> Row:
    """A row of ordinary cells."""
    return [Cell(text, bold=bold) for text in texts]
