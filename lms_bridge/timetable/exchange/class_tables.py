"""The table of one class as it hangs on the wall: weekdays across, periods down, subject and teacher in the cells."""

from __future__ import annotations

import re
from collections.abc import Iterator

from openpyxl.utils import get_column_letter

from lms_bridge.core.errors import BridgeError, InputError, Place
from lms_bridge.core.i18n import N_
from lms_bridge.plans.reading.grid import Grid, Row
from lms_bridge.timetable.exchange.given import GivenLesson, Parity, parity_of, periods_of, several, weekday_of

_SEARCHED = 12
_EMPTY = frozenset({"", "-", "—", "–", "/", "\\", "无", "空"})
_TITLE = re.compile(
    r"(?:班级|class)\s*[:：]?\s*(?P<after>\S.*)|(?P<before>\S+?)\s*(?:班)?\s*(?:课程?表|timetable)", re.I
)
_IN_BRACKETS = re.compile(r"[（(]\s*([^（）()]*?)\s*[）)]")


def looks_like_class_table(grid: Grid) -> bool:
    """Whether the table has a row of weekdays, and periods below it."""
    return _days(grid) is not None


def class_table(grid: Grid, name: str, problems: list[BridgeError]) -> Iterator[GivenLesson]:
    """The lessons of the table; what cannot be read is added to ``problems``."""
    found = _days(grid)
    if found is None:
        return
    top, days = found
    group = _class_of(grid, top)
    if group is None:
        problems.append(
            InputError(
                N_("It is not said whose timetable this is."),
                place=Place(name, grid.label),
                remedy=N_("Give the sheet the name of the class, or write “Class: 7-1” above the table."),
            )
        )
        return
    for row in grid.rows[top + 1 :]:
        periods = _periods(row, min(days))
        if not periods:
            continue
        for column, weekday in days.items():
            cell = row.cell(column)
            if cell.merged == "left" or cell.text.strip() in _EMPTY:
                continue
            place = Place(name, grid.label, row.number, get_column_letter(column + 1), cell.text[:60])
            for subject, teachers, parity in _entries(cell.text):
                for period in periods:
                    yield GivenLesson((group,), weekday, period, subject, teachers, (), parity, place)


def _days(grid: Grid) -> tuple[int, dict[int, int]] | None:
    """Index of the row with at least three weekdays, and the weekday of each column."""
    for index, row in enumerate(grid.rows[:_SEARCHED]):
        days: dict[int, int] = {}
        for column, cell in enumerate(row.cells):
            weekday = None if cell.text.strip().isdigit() or cell.merged else weekday_of(cell.text)
            if weekday is not None and weekday not in days.values():
                days[column] = weekday
        if len(days) >= 3 and min(days) > 0:
            return index, days
    return None


def _class_of(grid: Grid, top: int) -> str | None:
    for row in grid.rows[:top]:
        for text in row.texts():
            found = _TITLE.search(text)
            if found:
                return (found["after"] or found["before"]).strip()
    return grid.label.strip() if isinstance(grid.label, str) and not grid.label.lower().startswith("sheet") else None


def _periods(row: Row, first_day: int) -> tuple[int, ...]:
    """The periods that a row is for, by the cells left of the days; the last that names any counts (上午 | 第1节)."""
    found: tuple[int, ...] = ()
    for cell in row.cells[:first_day]:
        found = periods_of(cell.text.partition("\n")[0]) or found
    return found


def _entries(text: str) -> Iterator[tuple[str, tuple[str, ...], Parity]]:
    """What stands in a cell: a subject with its teachers on the next lines or in brackets; ``单``/``双`` in brackets
    tells in which weeks, and two such entries may share a cell."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        return
    marked = [line for line in lines if any(parity_of(word) for word in _IN_BRACKETS.findall(line))]
    entries = [[line] for line in lines] if len(marked) == len(lines) and len(lines) > 1 else [lines]
    for entry in entries:
        parity, teachers = Parity.ALL, list[str]()
        for word in _IN_BRACKETS.findall(entry[0]):
            said = parity_of(word)
            if said:
                parity = said
            else:
                teachers += several(word)
        subject = _IN_BRACKETS.sub("", entry[0]).strip()
        for line in entry[1:]:
            teachers += several(line)
        yield subject, tuple(teachers), parity
