"""Reading several tables one after another as one plan: only where they go on, else they are different plans."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from lms_bridge.core.errors import BridgeError, InputError, Place
from lms_bridge.core.i18n import N_
from lms_bridge.plans.reading.captions import different_parts
from lms_bridge.plans.reading.grid import Grid, Row
from lms_bridge.plans.reading.rows import RowReader
from lms_bridge.plans.reading.tables import Selection, Table, part_names, several_plans
from lms_bridge.plans.reading.when import Calendar
from lms_bridge.plans.units import Source, UnitDraft, Warning_

_REST_OF_THE_YEAR = 300


def read_tables(reader: RowReader, selection: Selection, source: Source) -> None:
    """Read the tables of ``selection`` into ``reader``; what does not go on becomes a problem."""
    sheets = len({grid.label for grid, _ in selection.tables}) > 1 and source == "xlsx"
    before: Grid | None = None
    for grid, header in selection.tables:
        first = len(reader.units)
        if before is not None and different_parts(before.caption, grid.caption):
            reader.calendar = _later(reader)
        reader.read(grid, header)
        problem = _goes_back(reader, first, grid)
        if problem is not None and _counted_anew(reader, first, before, grid):
            problem = None
            _open_weeks(reader, first, grid)
        before = grid
        if problem is not None and sheets:
            raise several_plans(selection.tables, reader.name)
        if problem is not None:
            reader.notes.problems.append(problem)
    if sheets and not reader.notes.problems and not _dated(reader.units) and not part_names(selection.tables):
        raise several_plans(selection.tables, reader.name)
    for grid in selection.headless:
        _continuation(reader, selection.tables[-1], grid)


def _later(reader: RowReader) -> Calendar | None:
    """The calendar for the next part of the year: its days come after those that were read."""
    last = max((unit.date_to for unit in reader.units if unit.date_to), default=None)
    if last is None or reader.calendar is None:
        return reader.calendar
    return Calendar(last, max(reader.calendar.end, last + timedelta(days=_REST_OF_THE_YEAR)))


def _counted_anew(reader: RowReader, first: int, before: Grid | None, grid: Grid) -> bool:
    """Whether the table goes on although its weeks begin again: it is another half term or term, as the words above it
    or its days say."""
    if before is not None and different_parts(before.caption, grid.caption):
        return True
    ends = max((unit.date_to for unit in reader.units[:first] if unit.date_to), default=None)
    here = [unit.date_from for unit in reader.units[first:]]
    return ends is not None and bool(here) and all(day is not None and day > ends for day in here)


def _open_weeks(reader: RowReader, first: int, grid: Grid) -> None:
    """Leave the weeks open that count from the beginning of a later part."""
    if not any(unit.week_from for unit in reader.units[first:]):
        return
    reader.units[first:] = [replace(unit, week_from=None, week_to=None) for unit in reader.units[first:]]
    message = N_("The weeks of this table are counted anew, so they were left open.")
    reader.notes.warnings.append(Warning_(message, Place(file=reader.name, table=grid.label)))


def _dated(units: list[UnitDraft]) -> bool:
    """Whether most units say when they are taught, so that the order of the sheets is certain."""
    return sum(unit.week_from is not None or unit.date_from is not None for unit in units) * 2 > len(units)


def _goes_back(reader: RowReader, first: int, grid: Grid) -> BridgeError | None:
    """The problem of a table that begins before the one above it ends."""
    before, here = reader.units[:first], reader.units[first:]
    last = max((unit.week_to for unit in before if unit.week_to), default=0)
    start = next((unit.week_from for unit in here if unit.week_from), None)
    if start is not None and start < last:
        return InputError(
            N_("This table begins with week %(start)s, but the one before it ends with week %(last)s."),
            place=Place(file=reader.name, table=grid.label),
            remedy=N_("If these are two plans, upload each as a file of its own."),
            start=start,
            last=last,
        )
    ends = max((unit.date_to for unit in before if unit.date_to), default=None)
    begins = next((unit.date_from for unit in here if unit.date_from), None)
    if start is None and ends is not None and begins is not None and begins < ends:
        return InputError(
            N_("This table begins on %(start)s, but the one before it ends on %(last)s."),
            place=Place(file=reader.name, table=grid.label),
            remedy=N_("If these are two plans, upload each as a file of its own."),
            start=begins.isoformat(),
            last=ends.isoformat(),
        )
    return None


def _continuation(reader: RowReader, plan: Table, grid: Grid) -> None:
    """A table without headings below the plan and as wide: its second half where its weeks go on and all of its rows
    can be read under the plan's headings, else a problem."""
    header = plan[1]
    trial = RowReader(reader.name, reader.calendar, reader.minutes)
    trial.units = list(reader.units)
    heading = Row(header.row.number, header.row.cells)
    continued = Grid(grid.label, (heading, *grid.rows), grid.hidden_rows, grid.hidden_columns)
    first = len(reader.units)
    trial.read(continued, replace(header, index=0, top=0, row=heading))
    weeks = [unit.week_from for unit in trial.units[first:]]
    certain = bool(weeks) and None not in weeks and _goes_back(trial, first, grid) is None
    if not certain or trial.notes.problems:
        reader.notes.problems.append(
            InputError(
                N_("This table has as many columns as the plan but no headings; it may or may not continue it."),
                place=Place(file=reader.name, table=grid.label),
                remedy=N_("Join it to the plan's table, repeat the headings above it, or remove it."),
            )
        )
        return
    reader.units, reader.undated = trial.units, reader.undated + trial.undated
    reader.notes.take(trial.notes)
    message = N_("This table has no headings; because its weeks go on it was read as the plan's continuation.")
    reader.notes.warnings.append(Warning_(message, Place(file=reader.name, table=grid.label)))
