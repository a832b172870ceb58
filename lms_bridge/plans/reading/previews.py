"""A document's own tables as rows of text, with what each column is taken for: what a person sees who maps by hand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lms_bridge.core.errors import InputError, Place
from lms_bridge.core.i18n import N_
from lms_bridge.plans.reading.columns import Header
from lms_bridge.plans.reading.convert import Converter
from lms_bridge.plans.reading.documents import Opened, open_document
from lms_bridge.plans.reading.finding import find_header
from lms_bridge.plans.reading.grid import Grid, RawDocument
from lms_bridge.plans.reading.headings import Field
from lms_bridge.plans.reading.limits import ReadLimits
from lms_bridge.plans.reading.mapped import Mapping, header_of, views
from lms_bridge.plans.reading.rotated import turned
from lms_bridge.plans.reading.tables import complete_tables
from lms_bridge.plans.units import Source

_DEFAULT = ReadLimits()


@dataclass(frozen=True, slots=True)
class PreviewColumn:
    """A column of the table (``index`` from 0): its heading, and the field recognised in it or None."""

    index: int
    heading: str
    field: Field | None


@dataclass(frozen=True, slots=True)
class PreviewRow:
    """A row as people count it, the text of each cell, and whether the cell only repeats a merged one."""

    number: int
    cells: tuple[str, ...]
    repeated: tuple[bool, ...] = ()


@dataclass(frozen=True, slots=True)
class PreviewTable:
    """One table. ``header_row`` is the number of the row taken for the headings; ``turned``: shown turned over."""

    label: str | int | None
    rows: tuple[PreviewRow, ...]
    header_row: int
    columns: tuple[PreviewColumn, ...]
    headings: tuple[str, ...]
    turned: bool
    complete: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """The tables of a document; the first is the one most like a plan."""

    source: Source
    tables: tuple[PreviewTable, ...]

    def table(self, label: str | None) -> PreviewTable:
        """The table with this label as a form sends it; else the first."""
        return next((table for table in self.tables if str(table.label) == label), self.tables[0])


def preview(
    path: Path,
    name: str,
    limits: ReadLimits = _DEFAULT,
    *,
    converter: Converter | None = None,
    turned_over: bool | None = None,
    header_row: int | None = None,
) -> Preview:
    """The tables of the document at ``path``, best first.

    ``turned_over`` and ``header_row`` are a person's word for how the table lies and where its headings stand; None
    leaves it to the reader. Raises ``InputError`` where the file cannot be opened or has no table.
    """
    return preview_of(open_document(path, name, limits, converter), name, turned_over, header_row)


def preview_of(opened: Opened, name: str, turned_over: bool | None = None, header_row: int | None = None) -> Preview:
    """The tables of a document that was opened; all else as in :func:`preview`."""
    tables = [_table(grid, turned_over, header_row) for grid in _grids(opened.document)]
    if not tables:
        raise InputError(
            N_("There is no table in the document."),
            place=Place(file=name),
            remedy=N_("Upload the plan as .docx, .xlsx or .csv, with the units in a table."),
        )
    tables.sort(key=lambda table: (table.complete, sum(c.field is not None for c in table.columns), len(table.rows)))
    return Preview(opened.source, tuple(reversed(tables)))


def mapping_of(table: PreviewTable, fields: dict[int, Field]) -> Mapping:
    """What a person said about ``table`` in the form that the reader takes."""
    return Mapping(table.label, table.header_row, fields, table.turned)


def _grids(document: RawDocument) -> list[Grid]:
    return [grid for grid in document.grids if any(row.texts() for row in grid.rows)]


def _table(grid: Grid, turned_over: bool | None, header_row: int | None) -> PreviewTable:
    known = complete_tables(grid)
    if turned_over is None:
        turned_over = bool(known and known[0][0].numbers) or (
            not known and find_header(grid) is None and bool(turned(grid))
        )
    shown = views(grid, turned_over=turned_over)[0]
    header = header_of(shown, header_row) if header_row is not None else None
    header = header or find_header(shown) or _widest(shown)
    by_start = {column.start: column for column in header.columns}
    columns = []
    for index in range(shown.width()):
        column = by_start.get(index)
        field = column.heading.field if column is not None and column.heading is not None else None
        columns.append(PreviewColumn(index, column.text if column else "", None if field == "other" else field))
    return PreviewTable(
        label=grid.label,
        rows=tuple(
            PreviewRow(row.number, tuple(cell.text for cell in row.cells), tuple(bool(c.merged) for c in row.cells))
            for row in shown.rows
        ),
        header_row=header.row.number,
        columns=tuple(columns),
        headings=header.texts(),
        turned=turned_over,
        complete=bool(known),
    )


def _widest(grid: Grid) -> Header:
    """The row with most texts among the first ones, taken for the headings until a person says otherwise."""
    row = max(grid.rows[:6], key=lambda row: len(row.texts()))
    found = header_of(grid, row.number)
    assert found is not None  # the row is one of the grid's
    return found
