"""Columns that a person named by hand, now or earlier: the plan's table with the header they say it has."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping as Words
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from lms_bridge.core.errors import BadInputs, BridgeError, InputError, Place
from lms_bridge.core.i18n import N_
from lms_bridge.plans.reading.columns import Column, Header, header_at, header_over
from lms_bridge.plans.reading.finding import told_elsewhere
from lms_bridge.plans.reading.grid import Grid, RawDocument, Row
from lms_bridge.plans.reading.headings import NAME_FIELDS, TEXT_FIELDS, Field, Heading, recognise
from lms_bridge.plans.reading.rotated import turned_by_hand
from lms_bridge.plans.reading.tables import Selection, warnings_about
from lms_bridge.plans.units import Warning_

# What a column can be said to hold, in the order in which people think of it.
CHOICES: tuple[Field, ...] = (
    "week", "dates", "starts", "ends", "when", "unit", "topic", "content", "periods", *TEXT_FIELDS, "number",
)  # fmt: skip
_SEARCHED_ROWS = 20
_REMEDY = N_("Choose the columns on the page where you say what each holds.")


@dataclass(frozen=True, slots=True)
class Mapping:
    """Which table holds the plan, in which row its headings stand, and what the columns hold.

    ``table`` is the table's number or the sheet's name (None in a CSV file); ``header_row`` the row's number as
    people count; ``fields`` go by the column's position (from 0), and a column that is not named there is left out.
    ``turned``: the headings stand in the first column, and ``header_row`` and the positions count columns and rows
    of the table turned over.
    """

    table: str | int | None
    header_row: int
    fields: Words[int, Field]
    turned: bool = False


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the columns under some headings hold, as somebody said on ``day``.

    ``fields`` go by the column's position among the headings (from 0); ``bare`` are columns without a heading, by
    their position in the table.
    """

    fields: Words[int, Field]
    day: date
    turned: bool = False
    bare: Words[int, Field] = field(default_factory=dict)


def heading_hash(headings: Sequence[str]) -> str:
    """The same for the same headings in the same order, however they are spaced and whether wide or narrow."""
    plain = [re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).casefold() for text in headings]
    return hashlib.sha256("\x1f".join(plain).encode()).hexdigest()


def mapped_tables(document: RawDocument, mapping: Mapping, name: str) -> Selection:
    """The table of ``mapping``, and the others of the document with the same headings.

    Raises ``BadInputs`` where the columns cannot make units, or ``InputError`` where there is no such table.
    """
    grids = _views(document, turned_over=mapping.turned)
    chosen = next((found for grid in grids if (found := _at(grid, mapping)) is not None), None)
    if chosen is None:
        raise InputError(
            N_("The document has no such table and row."), place=Place(file=name, table=mapping.table), remedy=_REMEDY
        )
    grid, header = chosen
    problems = _impossible(header, grid, name)
    if problems:
        raise BadInputs(problems, file=name)
    wanted = heading_hash(header.texts())
    tables = []
    for other in grids:
        again = _with_hash(other, wanted)
        if other is grid:
            tables.append((grid, header))
        elif again is not None:
            tables.append((other, _mapped(other, again, {c.start: f for c, f in _named(header, mapping.fields)})))
    return Selection(tables, warnings_about(document, tables, name), by_hand=True)


def remembered_tables(document: RawDocument, remembered: Words[str, Remembered], name: str) -> Selection | None:
    """The tables under headings that somebody has explained before; None where there are none."""
    if not remembered:
        return None
    for turned_over in (False, True):
        for grid in _views(document, turned_over=turned_over):
            for index in range(min(_SEARCHED_ROWS, len(grid.rows))):
                header = header_over(grid, index)
                known = remembered.get(heading_hash(header.texts())) if len(header.columns) > 1 else None
                if known is None or known.turned != turned_over:
                    continue
                fields = {
                    column.start: known.fields[position]
                    for position, column in enumerate(header.columns)
                    if position in known.fields
                }
                row = header.row.number
                fields |= known.bare
                if _impossible(_mapped(grid, header, fields), grid, name):
                    continue  # the form has changed below its headings
                selection = mapped_tables(document, Mapping(grid.label, row, fields, turned_over), name)
                message = N_("The columns were read as they were explained on %(day)s.")
                place = Place(file=name, table=grid.label, row=None if turned_over else row)
                selection.warnings.append(Warning_(message, place, {"day": known.day.isoformat()}))
                return selection
    return None


def views(grid: Grid, *, turned_over: bool) -> list[Grid]:
    """``grid`` as it stands, or its blocks turned over."""
    return turned_by_hand(grid) if turned_over else [grid]


def _views(document: RawDocument, *, turned_over: bool) -> list[Grid]:
    grids = [grid for grid in document.grids if any(row.texts() for row in grid.rows)]
    return [view for grid in grids for view in views(grid, turned_over=turned_over)]


def header_of(grid: Grid, number: int) -> Header | None:
    """The header whose lowest row has this number, with the joint headings above it."""
    return next((_ending_at(grid, index) for index, row in enumerate(grid.rows) if row.number == number), None)


def _at(grid: Grid, mapping: Mapping) -> tuple[Grid, Header] | None:
    """``grid`` with its header, if it is the one of ``mapping``."""
    header = header_of(grid, mapping.header_row) if grid.label == mapping.table else None
    return (grid, _mapped(grid, header, mapping.fields)) if header is not None else None


def _ending_at(grid: Grid, index: int) -> Header:
    """The header whose lowest row is at ``index``, with the joint headings above it."""
    for top in range(max(0, index - 2), index):
        header = header_over(grid, top)
        if header.index == index:
            return header
    return header_at(grid, index)


def _with_hash(grid: Grid, wanted: str) -> Header | None:
    for index in range(min(_SEARCHED_ROWS, len(grid.rows))):
        header = header_over(grid, index)
        if heading_hash(header.texts()) == wanted:
            return header
    return None


def _mapped(grid: Grid, header: Header, fields: Words[int, Field]) -> Header:
    """``header`` with the meaning of its columns as given, also of columns that have no heading."""
    known = {column.start for column in header.columns}
    bare = [Column(f"{start + 1}", start, start + 1, None) for start in fields if start not in known]
    columns = [
        Column(column.text, column.start, column.end, _heading(column, fields.get(column.start)))
        for column in sorted([*header.columns, *bare], key=lambda column: column.start)
    ]
    found = Header(header.index, header.row, tuple(columns), header.top)
    if found.of("periods") or not found.named():
        return found
    # A person who names no column for the periods says that there is none.
    told = told_elsewhere(grid, found)
    return replace(found, told="nowhere" if told == "column" else told)


def _heading(column: Column, chosen: Field | None) -> Heading | None:
    if chosen is None:
        return None
    own = recognise(column.text)
    # 时长（分钟） says more than that it is about periods.
    return own if own is not None and own.field == chosen else Heading(chosen)


def _named(header: Header, fields: Words[int, Field]) -> list[tuple[Column, Field]]:
    return [(column, fields[column.start]) for column in header.columns if column.start in fields]


def _impossible(header: Header, grid: Grid, name: str) -> list[BridgeError]:
    place = Place(file=name, table=grid.label, row=_number(grid, header.row))
    problems: list[BridgeError] = []
    if not header.named():
        problems.append(
            InputError(N_("No column was chosen for the title or content of the units."), place=place, remedy=_REMEDY)
        )
    for chosen in (*NAME_FIELDS, "week", "dates", "when", "periods"):
        columns = header.of(chosen)
        if len(columns) > 1:
            problems.append(
                InputError(
                    N_("%(count)s columns hold the same: %(columns)s."),
                    place=place,
                    remedy=_REMEDY,
                    count=len(columns),
                    columns=", ".join(" ".join(column.text.split())[:30] for column in columns),
                )
            )
    return problems


def _number(grid: Grid, row: Row) -> int | None:
    return row.number if grid.numbers is None else None
