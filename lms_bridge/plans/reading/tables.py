"""Which tables of a document hold the plan, and how: rows, columns, halves or forms. All else is named as left out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from lms_bridge.core.errors import BridgeError, InputError, Place
from lms_bridge.core.i18n import N_
from lms_bridge.plans.reading.columns import TIMES, Header
from lms_bridge.plans.reading.finding import find_header
from lms_bridge.plans.reading.forms import is_form, read_forms
from lms_bridge.plans.reading.grid import Grid, RawDocument
from lms_bridge.plans.reading.halves import halves
from lms_bridge.plans.reading.headings import NAME_FIELDS, TEXT_FIELDS, Field, recognise, understood
from lms_bridge.plans.reading.problems import ColumnsContradict, ColumnsUnclear
from lms_bridge.plans.reading.rotated import is_time, turned
from lms_bridge.plans.reading.views import below_the_week, calendar_tables
from lms_bridge.plans.units import Source, Warning_

_SHOWN_HEADINGS = 20
FEWEST_ROWS = 3
# Where this is said a person can do better than the reader: see the page on which columns are named by hand.
UNKNOWN_COLUMN = N_("This column was not understood and was left out.")
_NOT_COUNTED: frozenset[Field] = frozenset((*TEXT_FIELDS, "number", "key", "other", "month"))
_MEASURED: dict[str, str] = {
    "weekly": N_("The periods a week in this column were multiplied by the weeks of each unit."),
    "days": N_("The school days in this column were read as periods, one for each."),
    "numbers": N_("The lessons listed in this column were counted."),
    "sum": N_("The periods in these columns were added up."),
}
_MONTH = re.compile(
    r"[第]?(?:[一二三四五六七八九十]{1,2}|\d{1,2})月份?|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w*"
    r"|(?:sheet|part|page|表|第)?\s*[\d一二三四五六七八九十]{1,2}(?:部分|页)?",
    re.IGNORECASE,
)

Table = tuple[Grid, Header]


@dataclass
class Selection:
    """The tables to be read one after another, the ones without headings that may continue them, and warnings.

    ``by_hand``: a person said what the columns hold.
    """

    tables: list[Table]
    warnings: list[Warning_] = field(default_factory=list)
    headless: list[Grid] = field(default_factory=list)
    by_hand: bool = False

    def certain(self) -> bool:
        """Whether it is sure that this is the plan: it tells its periods, or a person said so."""
        return self.by_hand or any(header.certain() for _, header in self.tables)


def complete_tables(grid: Grid) -> list[Table]:
    """``grid`` as tables with a complete header each: as it stands, in halves, turned over, as forms, or as a calendar.

    Where its periods are given in one of these ways, that one is taken.
    """
    calendar = calendar_tables(grid)
    if calendar is not None:
        return [calendar]
    header = find_header(grid)
    form = is_form(grid, header)
    plain: list[Table] = []
    if header is not None and header.complete() and not form:
        plain = halves(grid, header) or [(grid, header)]
        if header.certain():
            return plain
    over = [(block, found) for block in turned(grid) if (found := find_header(block)) and found.complete()]
    over = [(block, found) for block, found in over if not is_form(block, found)]
    forms = read_forms(grid)
    # A form of one unit with its headings in the first column is both; as a form its values may stand anywhere.
    if forms and over and _labels_inside(grid) and not all(_timed(block, found) for block, found in over):
        return forms
    if over and len(over[0][0].rows) > 2 and (over[0][1].certain() or not plain):
        return over
    # A table with one week: as a form it would lose the week beside its empty corner.
    if over and over[0][1].certain() and over[0][1].of(*TIMES) and not (forms and forms[0][1].of(*TIMES)):
        return over
    if forms or (over and over[0][1].certain()):
        return forms or over
    return plain or over or [table for table in [below_the_week(grid, header)] if table is not None]


def _timed(grid: Grid, header: Header) -> bool:
    """Whether each of several units has a time of its own: then a word among them that is a heading, too, is none."""
    cells = [cell for column in header.of(*TIMES)[:1] for row in grid.rows[1:] for cell in column.cells(row)]
    texts = [cell.text for cell in cells if cell.text and not cell.merged]
    return len(texts) > 1 and all(is_time(text) or text.isdigit() for text in texts)


def _labels_inside(grid: Grid) -> bool:
    """Whether headings that the first column does not have stand among its values (课时 | 2 | 周次 | 3)."""
    first = {heading.field for row in grid.rows if (heading := recognise(row.cell(0).text))}
    inside = (recognise(cell.text) for row in grid.rows for cell in row.cells[1:] if not cell.merged)
    return any(heading is not None and heading.field not in first for heading in inside)


def select(document: RawDocument, source: Source, name: str) -> Selection | None:
    """The tables of the plan; None where no table has all the headings that a plan needs.

    Raises ``BridgeError`` where the headings contradict each other.
    """
    grids = [grid for grid in document.grids if any(row.texts() for row in grid.rows)]
    found = [(grid, complete_tables(grid)) for grid in grids]
    complete = [table for _, tables in found for table in tables]
    certain = [table for table in complete if table[1].certain()]
    complete = certain or (complete if _rows_of_units(complete) >= FEWEST_ROWS else [])
    if not complete:
        return None
    first_grid, first = complete[0]
    core = _core(first)
    tables = [(grid, header) for grid, header in complete if _core(header) == core]
    read = {grid.label for grid, _ in tables}
    problems = [problem for grid, header in tables for problem in _twice(grid, header, name)]
    if problems:
        raise ColumnsContradict(problems, file=name)
    selection = Selection(tables)
    below = grids[[grid.label for grid in grids].index(first_grid.label) + 1 :] if source == "docx" else []
    selection.headless = [
        grid
        for grid in below
        if grid.label not in read and find_header(grid) is None and grid.width() == first_grid.width()
    ]
    headless = {grid.label for grid in selection.headless}
    selection.warnings = warnings_about(document, tables, name, headless)
    selection.warnings += _columns(tables, name)
    return selection


def _rows_of_units(tables: list[Table]) -> int:
    """How many rows have a name and a time; without periods fewer than some are no plan for certain."""
    return sum(
        any(cell.text for column in header.of(*NAME_FIELDS) for cell in column.cells(row))
        and any(cell.text for column in header.of(*TIMES) for cell in column.cells(row))
        for grid, header in tables
        for row in grid.rows[header.index + 1 :]
    )


def warnings_about(
    document: RawDocument, tables: list[Table], name: str, read: Iterable[str | int | None] = ()
) -> list[Warning_]:
    """What of the document was left out or put together, where ``tables`` are the plan (and ``read`` belong to it)."""
    labels = {grid.label for grid, _ in tables} | set(read)
    left = [grid for grid in document.grids if grid.label not in labels and any(row.texts() for row in grid.rows)]
    return [_left_out(grid, name) for grid in left] + _document_warnings(document, tables, name)


def left_out(document: RawDocument, name: str) -> list[Warning_]:
    """The warnings about tables of a document whose plan stands in its text; a text file is all one table."""
    return [
        _left_out(grid, name)
        for grid in document.grids
        if grid.label is not None and any(row.texts() for row in grid.rows)
    ]


def _core(header: Header) -> frozenset[Field | str]:
    """What decides whether two tables are parts of one plan: all but descriptions."""
    fields: set[Field | str] = {field for field in header.fields() if field not in _NOT_COUNTED}
    return frozenset(fields | {"periods"})


def no_header(document: RawDocument, name: str) -> InputError:
    """The refusal of a document without a complete header: which headings there are, and which would be understood."""
    grids = [grid for grid in document.grids if any(row.texts() for row in grid.rows)]
    found = [(grid, find_header(grid)) for grid in grids]
    words = ", ".join(f"{chinese} ({english})" for chinese, english in _both_languages().values())
    partial = [(grid, header) for grid, header in found if header is not None]
    if partial:
        grid, header = max(partial, key=lambda table: len(table[1].fields()))
        missing = N_("The table has no column for the number of periods.")
        if not header.named():
            missing = N_("The table has no column for the title or content of the units.")
        return ColumnsUnclear(
            missing,
            place=Place(file=name, table=grid.label, row=header.row.number),
            remedy=N_("Headings found: %(found)s. Add the missing one; understood are for example %(understood)s."),
            found=_headings(header.texts()),
            understood=words,
        )
    grid = max(grids, key=lambda grid: (grid.width(), len(grid.rows)))
    top = next(row for row in grid.rows if row.texts())
    widest = max(grid.rows[:5], key=lambda row: len(row.texts()), default=top)
    return ColumnsUnclear(
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


def _twice(grid: Grid, header: Header, name: str) -> list[BridgeError]:
    """Two columns for what a unit has only once, as in tables with two halves side by side."""
    counts = Counter(column.heading.field for column in header.columns if column.heading)
    problems: list[BridgeError] = []
    for field_, count in counts.items():
        if count == 1 or field_ in TEXT_FIELDS or field_ in ("number", "other"):
            continue
        columns = header.of(field_)
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


def _left_out(grid: Grid, name: str) -> Warning_:
    message = N_("This table has no headings of a plan and was left out.")
    if find_header(grid) is not None:
        message = N_("This table has other columns than the plan and was left out.")
    return Warning_(message, Place(file=name, table=grid.label))


def _document_warnings(document: RawDocument, tables: list[Table], name: str) -> list[Warning_]:
    warnings = [
        Warning_(N_("This sheet is hidden and was left out."), Place(file=name, table=sheet))
        for sheet in document.hidden_sheets
    ]
    for grid in {grid.label: grid for grid, _ in tables}.values():
        warnings += _hidden(grid, name)
    labels = list(dict.fromkeys(str(grid.label) for grid, _ in tables))
    if len(labels) > 1:
        params = {"tables": ", ".join(labels)}
        warnings.append(Warning_(N_("Tables %(tables)s were read as one plan."), Place(file=name), params))
    elif (
        len(tables) > 1 and tables[0][0].numbers is None and tables[0][0].rows[0].number == tables[1][0].rows[0].number
    ):
        message = N_("The halves that stand side by side were read one after another.")
        warnings.append(Warning_(message, Place(file=name, table=tables[0][0].label)))
    if any(p.boxed for p in document.paragraphs):
        message = N_("Text in text boxes was left out, because the plan was read from its tables.")
        warnings.append(Warning_(message, Place(file=name)))
    return warnings


def _columns(tables: list[Table], name: str) -> list[Warning_]:
    """What is to be said about the columns, once for all tables with the same headings."""
    warnings = [warning for grid, header in tables for warning in _column_warnings(grid, header, name)]
    keyed = {
        (warning.message, warning.place.column if warning.place else None): warning for warning in reversed(warnings)
    }
    return list(reversed(keyed.values()))


def _hidden(grid: Grid, name: str) -> list[Warning_]:
    rows = [
        Warning_(N_("This row is hidden and was left out."), Place(file=name, table=grid.label, row=row))
        for row in grid.hidden_rows
    ]
    return rows + [
        Warning_(N_("This column is hidden and was left out."), Place(file=name, table=grid.label, column=column))
        for column in grid.hidden_columns
    ]


def _column_warnings(grid: Grid, header: Header, name: str) -> list[Warning_]:
    warnings: list[Warning_] = []
    for column in header.columns:
        place = Place(file=name, table=grid.label, row=header.row.number, column=column.text)
        if grid.numbers is not None:
            place = replace(place, row=grid.numbers[column.start])
        if column.heading is None:
            warnings.append(Warning_(UNKNOWN_COLUMN, place))
        elif column.heading.field == "other":
            warnings.append(Warning_(N_("This column says nothing about a unit and was left out."), place))
        elif column.heading.measure == "minutes":
            warnings.append(Warning_(N_("The minutes in this column were turned into periods."), place))
        elif column.heading.measure in _MEASURED:
            warnings.append(Warning_(_MEASURED[column.heading.measure], place))
        elif column.heading.measure == "hours":
            warnings.append(Warning_(N_("The hours in this column were turned into periods."), place))
        elif column.heading.assumed:
            warnings.append(Warning_(N_("The hours in this column were read as periods."), place))
        elif set(column.heading.also) - {"periods"}:
            warnings.append(Warning_(N_("This column holds several things; they were kept together."), place))
    return warnings


def part_names(tables: list[Table]) -> bool:
    """Whether the sheets are called as parts of one plan are: by month or by number."""
    return all(_MONTH.fullmatch(str(grid.label).strip()) for grid, _ in tables)


def several_plans(tables: list[Table], name: str) -> InputError:
    """The refusal of a workbook whose sheets are plans of their own."""
    return InputError(
        N_("Several sheets look like a plan: %(sheets)s."),
        place=Place(file=name),
        remedy=N_("Keep only the sheet of this plan in the workbook, or upload each sheet as a file of its own."),
        sheets=", ".join(dict.fromkeys(str(grid.label) for grid, _ in tables)),
    )
