"""Reading a teaching plan out of a document: from the file to its units, or to all that is wrong with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from lms_bridge.core.errors import BadInputs, BridgeError, InputError, Place
from lms_bridge.core.i18n import N_
from lms_bridge.plans.reading.columns import Header, find_header
from lms_bridge.plans.reading.delimited import read_delimited
from lms_bridge.plans.reading.grid import Grid, RawDocument
from lms_bridge.plans.reading.headings import TEXT_FIELDS, Field, understood
from lms_bridge.plans.reading.limits import MEGABYTE, ReadLimits, Refused
from lms_bridge.plans.reading.process import read_in_child
from lms_bridge.plans.reading.refusals import refusal
from lms_bridge.plans.reading.rows import RowReader
from lms_bridge.plans.reading.signatures import container
from lms_bridge.plans.reading.when import Calendar
from lms_bridge.plans.units import PlanDocument, Source, Warning_

_DEFAULT = ReadLimits()
_LONGEST_TITLE = 200
_SHOWN_HEADINGS = 20

Table = tuple[Grid, Header]


def read_plan(
    path: Path, *, name: str, limits: ReadLimits = _DEFAULT, term: tuple[date, date] | None = None
) -> PlanDocument:
    """The plan in the file at ``path``, which people call ``name``.

    What the file is, is told by its content. ``term`` (first and last day) gives dates without a year theirs; such
    dates are marked as assumed, and without a term they are left open with a warning.

    Raises ``InputError`` where the file as a whole cannot be read, and ``BadInputs`` with every problem of every row
    where some cannot be read with certainty.
    """
    try:
        source, document = _open(path, limits)
    except Refused as refused:
        raise refusal(refused.code, name, **refused.params) from refused
    tables, warnings = _plan_tables(document, source, name)
    reader = RowReader(name, Calendar(*term) if term else None)
    _read_tables(reader, tables)
    if reader.problems:
        raise BadInputs(reader.problems, file=name)
    if len(reader.units) > limits.units:
        raise refusal("too_many_units", name, count=len(reader.units), limit=limits.units)
    if not reader.units:
        raise InputError(
            N_("There are headings, but no unit below them."),
            place=Place(file=name, table=tables[0][0].label),
            remedy=N_("Write each unit into a row of its own below the headings."),
        )
    return PlanDocument(
        title=_title(document, tables[0]),
        units=tuple(reader.units),
        warnings=(*warnings, *reader.warnings, *_undated(reader, name)),
        source=source,
    )


def _open(path: Path, limits: ReadLimits) -> tuple[Source, RawDocument]:
    if path.stat().st_size > limits.file_bytes:
        raise Refused("too_large", limit=limits.file_bytes // MEGABYTE)
    data = path.read_bytes()
    if container(data) == "text":
        return "csv", read_delimited(data, limits)
    source, document = read_in_child(path, limits)
    if not any(row.texts() for grid in document.grids for row in grid.rows):
        raise Refused("no_table" if document.lines else "empty")
    return source, document


def _plan_tables(document: RawDocument, source: Source, name: str) -> tuple[list[Table], list[Warning_]]:
    """The tables that hold the plan, and warnings about all that is left out."""
    found = [(grid, find_header(grid)) for grid in document.grids if any(row.texts() for row in grid.rows)]
    complete = [(grid, header) for grid, header in found if header is not None and header.complete()]
    if not complete:
        raise _no_header(found, name)
    if source == "xlsx" and len(complete) > 1:
        raise InputError(
            N_("Several sheets look like a plan: %(sheets)s."),
            place=Place(file=name),
            remedy=N_("Keep only the sheet of this plan in the workbook, or upload each sheet as a file of its own."),
            sheets=", ".join(str(grid.label) for grid, _ in complete),
        )
    first_grid, first = complete[0]
    tables = [table for table in complete if table[1].layout() == first.layout()]
    read = {grid.label for grid, _ in tables}
    problems = _split_tables(found, first_grid, source, name) + _twice(first_grid, first, name)
    if problems:
        raise BadInputs(problems, file=name)
    warnings = [_left_out(grid, header, name) for grid, header in found if grid.label not in read]
    warnings += _document_warnings(document, tables, name)
    return tables, warnings


def _no_header(found: list[tuple[Grid, Header | None]], name: str) -> InputError:
    """The refusal of a document without a complete header: which headings there are, and which would be understood."""
    words = ", ".join(f"{chinese} ({english})" for chinese, english in _both_languages().values())
    partial = [(grid, header) for grid, header in found if header is not None]
    if partial:
        grid, header = max(partial, key=lambda table: len(table[1].fields()))
        missing = N_("The table has no column for the number of periods.")
        if "periods" in header.fields():
            missing = N_("The table has no column for the title or content of the units.")
        return InputError(
            missing,
            place=Place(file=name, table=grid.label, row=header.row.number),
            remedy=N_("Headings found: %(found)s. Add the missing one; understood are for example %(understood)s."),
            found=_headings(column.text for column in header.columns),
            understood=words,
        )
    grid = max((grid for grid, _ in found), key=lambda grid: (grid.width(), len(grid.rows)))
    top = next(row for row in grid.rows if row.texts())
    widest = max(grid.rows[:5], key=lambda row: len(row.texts()), default=top)
    return InputError(
        N_("No table has headings that are understood."),
        place=Place(file=name, table=grid.label, row=widest.number),
        remedy=N_("Found: %(found)s. Name the columns, for example %(understood)s."),
        found=_headings(widest.texts()),
        understood=words,
    )


def _headings(texts: Iterable[str]) -> str:
    words = [" ".join(text.split())[:30] for text in texts]
    return ", ".join(words[:_SHOWN_HEADINGS])


def _both_languages() -> dict[Field, tuple[str, str]]:
    chinese, english = understood("zh-CN"), understood("en")
    return {field: (chinese[field], english[field]) for field in chinese}


def _split_tables(found: list[tuple[Grid, Header | None]], plan: Grid, source: Source, name: str) -> list[BridgeError]:
    """Tables below the plan as wide as the plan, but without headings: perhaps its second half."""
    if source != "docx":
        return []
    below = found[[grid.label for grid, _ in found].index(plan.label) + 1 :]
    return [
        InputError(
            N_("This table has as many columns as the plan but no headings; it may or may not continue it."),
            place=Place(file=name, table=grid.label),
            remedy=N_("Join it to the plan's table, repeat the headings above it, or remove it."),
        )
        for grid, header in below
        if header is None and grid.width() == plan.width()
    ]


def _twice(grid: Grid, header: Header, name: str) -> list[BridgeError]:
    """Two columns for what a unit has only once, as in tables with two halves side by side."""
    counts = Counter(column.heading.field for column in header.columns if column.heading)
    problems: list[BridgeError] = []
    for field, count in counts.items():
        if count == 1 or field in TEXT_FIELDS or field == "number":
            continue
        columns = header.of(field)
        problems.append(
            InputError(
                N_("%(count)s columns hold the same: %(columns)s."),
                place=Place(file=name, table=grid.label, row=header.row.number, column=columns[1].text),
                remedy=N_("Keep one of them; a table in two halves must become one, one half below the other."),
                count=count,
                columns=_headings(column.text for column in columns),
            )
        )
    return problems


def _left_out(grid: Grid, header: Header | None, name: str) -> Warning_:
    message = N_("This table has no headings of a plan and was left out.")
    if header is not None:
        message = N_("This table has other columns than the plan and was left out.")
    return Warning_(message, Place(file=name, table=grid.label))


def _document_warnings(document: RawDocument, tables: list[Table], name: str) -> list[Warning_]:
    warnings = [
        Warning_(N_("This sheet is hidden and was left out."), Place(file=name, table=sheet))
        for sheet in document.hidden_sheets
    ]
    for grid, _ in tables:
        warnings += [
            Warning_(N_("This row is hidden and was left out."), Place(file=name, table=grid.label, row=row))
            for row in grid.hidden_rows
        ]
    grid, header = tables[0]
    for column in header.columns:
        place = Place(file=name, table=grid.label, row=header.row.number, column=column.text)
        if column.heading is None:
            warnings.append(Warning_(N_("This column was not understood and was left out."), place))
        elif column.heading.assumed:
            warnings.append(Warning_(N_("The hours in this column were read as periods."), place))
        elif column.heading.also:
            warnings.append(Warning_(N_("This column holds several things; they were kept together."), place))
    if len(tables) > 1:
        labels = ", ".join(str(grid.label) for grid, _ in tables)
        warnings.append(Warning_(N_("Tables %(tables)s were read as one plan."), Place(file=name), {"tables": labels}))
    return warnings


def _read_tables(reader: RowReader, tables: list[Table]) -> None:
    """Read the tables one after another; their weeks must go on, else they are different plans."""
    for grid, header in tables:
        last = max((unit.week_to for unit in reader.units if unit.week_to), default=0)
        first = len(reader.units)
        reader.read(grid, header)
        start = next((unit.week_from for unit in reader.units[first:] if unit.week_from), None)
        if start is not None and start < last:
            reader.problems.append(
                InputError(
                    N_("This table begins with week %(start)s, but the one before it ends with week %(last)s."),
                    place=Place(file=reader.name, table=grid.label),
                    remedy=N_("If these are two plans, upload each as a file of its own."),
                    start=start,
                    last=last,
                )
            )


def _undated(reader: RowReader, name: str) -> list[Warning_]:
    if not reader.undated:
        return []
    message = N_("The dates of %(count)s units have no year and were left open, because the term is not known.")
    return [Warning_(message, Place(file=name), {"count": reader.undated})]


def _title(document: RawDocument, table: Table) -> str | None:
    """The first line of the document, else the line that runs across the top of the table."""
    if document.lines:
        return document.lines[0][:_LONGEST_TITLE]
    grid, header = table
    for row in grid.rows[: header.index]:
        texts = row.texts()
        if len(texts) == 1:
            return " ".join(texts[0].split())[:_LONGEST_TITLE]
    return None
