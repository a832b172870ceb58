"""Calendars read as plain tables: a lesson in each weekday's cell, weeks as columns with each unit's lessons in them,
the topic written below the week in one cell. Each gives a table with a row for each lesson or unit."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace

from lms_bridge.plans.reading.columns import Column, Header, header_at, header_over
from lms_bridge.plans.reading.finding import find_header
from lms_bridge.plans.reading.grid import Cell, Grid, Row
from lms_bridge.plans.reading.headings import NAME_FIELDS, recognise
from lms_bridge.plans.reading.numerals import normalise, whole_number
from lms_bridge.plans.reading.problems import CellProblem
from lms_bridge.plans.reading.when import When, read_when

_SEARCHED_ROWS = 8
_FEWEST = 3
_WEEKDAY = re.compile(
    r"(?:星期|周|礼拜)[一二三四五六日天]|(?:mon|tue|tues|wed|thu|thur|thurs|fri|sat|sun)(?:day|nesday|rsday|urday|sday)?\.?",
    re.IGNORECASE,
)

Table = tuple[Grid, Header]


def calendar_tables(grid: Grid) -> Table | None:
    """``grid`` as a table of lessons or units, where it is a calendar; None where it is none."""
    return _weekdays(grid) or _squares(grid)


# --- a lesson in the cell of each weekday


def _weekdays(grid: Grid) -> Table | None:
    for index in range(min(_SEARCHED_ROWS, len(grid.rows))):
        header = header_at(grid, index)
        days = [column for column in header.columns if _WEEKDAY.fullmatch(normalise(column.text))]
        times = [column for column in header.of("week", "dates", "when") if column not in days]
        if len(days) < _FEWEST or len(times) != 1:
            continue
        head = (*(Cell(column.text) for column in times), Cell("Date"), Cell("Topic"))
        rows = [Row(header.row.number, head)]
        for row in grid.rows[index + 1 :]:
            rows += _lessons(row, times, days)
        view = Grid(grid.label, tuple(rows), grid.hidden_rows, grid.hidden_columns)
        return view, replace(header_at(view, 0), told="each")
    return None


def _lessons(row: Row, times: list[Column], days: list[Column]) -> list[Row]:
    """A row for each lesson of the week: its time, its day where the cell says it, and what is taught."""
    when = tuple(Cell("\n".join(c.text for c in column.cells(row)), column.cells(row)[0].kind) for column in times)
    found: list[Row] = []
    for column in days:
        for cell in column.cells(row):
            if not cell.text or cell.merged:
                continue
            day, lesson = _dated(cell.text)
            if lesson:
                found.append(Row(row.number, (*when, Cell(day), Cell(lesson))))
    return found


def _dated(text: str) -> tuple[str, str]:
    """``9.1`` above the lesson as the day and the lesson."""
    first, _, rest = text.partition("\n")
    if _time(first).day_from is not None:
        return first, rest
    return "", text


# --- units in rows, weeks in columns


def _squares(grid: Grid) -> Table | None:
    for index in range(min(_SEARCHED_ROWS, len(grid.rows))):
        header = header_over(grid, index)
        weeks = {column.start: week for column in header.columns if (week := _week(column)) is not None}
        named = header.of(*NAME_FIELDS)
        if len(weeks) < _FEWEST or not named or list(weeks.values()) != sorted(set(weeks.values())):
            continue
        told = header.of("periods")[:1]
        kept = [column for column in header.columns if column.heading is not None and column.start not in weeks]
        kept = [column for column in kept if column.heading and column.heading.field not in ("week", "periods")]
        head = (*(Cell(column.own) for column in kept), Cell("Week"), Cell(told[0].own if told else "Periods"))
        rows = [Row(header.row.number, head)]
        for row in grid.rows[header.index + 1 :]:
            cells = tuple(row.cell(column.start) for column in kept)
            rows.append(Row(row.number, (*cells, *_spell(row, weeks, told))))
        view = Grid(grid.label, tuple(rows), grid.hidden_rows, grid.hidden_columns)
        return view, header_at(view, 0)
    return None


def _week(column: Column) -> int | None:
    """The one week that a heading names: 第3周, W3, or 3 below a joint 周次."""
    week = _time(column.own)
    if week.week_from is not None and week.week_from == week.week_to:
        return week.week_from
    joint = [recognise(text) for text in column.joint]
    return whole_number(column.own) if any(found and found.field == "week" for found in joint) else None


def _spell(row: Row, weeks: dict[int, int], told: list[Column]) -> tuple[Cell, Cell]:
    """The weeks in which the row's unit is taught, and its periods: the row's own sum, else the squares together."""
    taught = {week: row.cell(start).text for start, week in weeks.items() if row.cell(start).text}
    when = f"{min(taught)}-{max(taught)}" if taught else ""
    own = next((cell for column in told for cell in column.cells(row) if cell.text), None)
    if own is not None:
        return Cell(when), own
    numbers = [whole_number(normalise(text)) for text in taught.values()]
    # A mark (■, √) says that there are lessons, not how many: one at least, worked out and not read.
    return Cell(when), Cell("+".join(str(number or 1) for number in numbers))


# --- the topic below the week


def below_the_week(grid: Grid, header: Header | None) -> Table | None:
    """``grid`` with what stands below the weeks (``Week 3``, and the topic on the next line) in a column of its own."""
    if header is None or header.named() or not header.of("week", "when") or len(header.columns) < 2:
        return None
    column = header.of("week", "when")[0]
    rows = list(grid.rows[: header.index + 1])
    split = [_parted(row, column) for row in grid.rows[header.index + 1 :]]
    if sum(row.cell(len(row.cells) - 1).text != "" for row in split) * 2 <= len(split):
        return None
    head = rows[-1]
    padded = (*head.cells, *(Cell() for _ in range(grid.width() - len(head.cells))))
    rows[-1] = Row(head.number, (*padded, Cell("Topic")))
    view = Grid(
        grid.label, (*rows, *(_wide(row, grid.width()) for row in split)), grid.hidden_rows, grid.hidden_columns
    )
    found = find_header(view)
    return (view, found) if found is not None and found.complete() else None


def _parted(row: Row, column: Column) -> Row:
    """The row with what stands below the week as a cell of its own at the end."""
    cell = row.cell(column.start)
    lines = cell.text.split("\n")
    count = 0
    while count < len(lines) and _time(lines[count]) != When():
        count += 1
    when, rest = "\n".join(lines[:count]), "\n".join(lines[count:])
    cells = list(row.cells)
    if count and rest and column.start < len(cells):
        cells[column.start] = Cell(when, cell.kind, cell.merged)
    return Row(row.number, (*cells, Cell(rest if count else "", merged=cell.merged)))


def _wide(row: Row, width: int) -> Row:
    *cells, last = row.cells
    return Row(row.number, (*cells, *(Cell() for _ in range(width - len(cells))), last))


def _time(text: str) -> When:
    with suppress(CellProblem):
        return read_when(text, "text", bare_weeks=False)
    return When()
