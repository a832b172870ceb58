"""Reads timetables out of workbooks and CSV files, in two forms.

A **list** has a row for each lesson under headings (class, weekday, period, subject, and where wanted teacher, group,
weeks). A **class table** has the weekdays across and the periods down, as it hangs on the wall of a classroom; the
class stands in the name of the sheet or above the table. Both are described for people in docs/timetable.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from lms_bridge.core.errors import BridgeError, InputError, Place
from lms_bridge.core.i18n import N_
from lms_bridge.plans.reading.documents import Opened, open_document
from lms_bridge.plans.reading.grid import Grid, Row
from lms_bridge.plans.reading.limits import ReadLimits
from lms_bridge.plans.reading.refusals import ORIGINAL
from lms_bridge.timetable.exchange.class_tables import class_table, looks_like_class_table
from lms_bridge.timetable.exchange.given import (
    GivenLesson,
    GivenTimetable,
    Parity,
    folded,
    original_of,
    parity_of,
    parts_of,
    periods_of,
    several,
    weekday_of,
)

LIMITS = ReadLimits(rows=20_000, tables=200, text_characters=8_000_000)
"""A group's whole timetable: 400 classes with 40 lessons a week."""

HEADINGS: dict[str, tuple[str, ...]] = {
    "class": ("班级", "班", "班级名称", "班级代码", "class", "classes", "class code", "students", "form"),
    "weekday": ("星期", "周几", "上课星期", "weekday", "day"),
    "period": ("节次", "节", "第几节", "课节", "period", "periods", "lesson", "hour"),
    "subject": ("科目", "学科", "课程", "课程名称", "subject", "course"),
    "teacher": ("教师", "任课教师", "老师", "授课教师", "teacher", "teachers"),
    "part": ("分组", "组", "班内分组", "group", "part"),
    "weeks": ("单双周", "周次", "weeks", "week", "odd/even", "a/b"),
    "makes_up": ("补哪节课", "补课", "makes up for", "make-up for"),
}
_BY_HEADING = {folded(word): field for field, words in HEADINGS.items() for word in words}
NEEDED = ("class", "weekday", "period", "subject")
_SEARCHED = 12


def read_tables(path: Path, name: str) -> GivenTimetable:
    """The lessons in a workbook or CSV file that people call ``name``, and every row or cell that cannot be read, with
    its place and what would be right.

    :raises InputError: it cannot be opened, or holds neither a list nor class tables.
    """
    opened = _opened(path, name)
    problems: list[BridgeError] = []
    lessons: list[GivenLesson] = []
    headers = [(grid, header) for grid in opened.document.grids if (header := _header(grid)) is not None]
    tables = [grid for grid in opened.document.grids if looks_like_class_table(grid)]
    for grid, header in headers:
        lessons += _listed(grid, *header, name, problems)
    # Beside a list the tables of the classes say the same once more, as in the workbooks that we write ourselves.
    for grid in tables if not headers else ():
        lessons += class_table(grid, name, problems)
    if not headers and not tables:
        raise InputError(
            N_("No timetable is recognised in this file."),
            place=Place(file=name),
            remedy=N_(
                "Write a list with the headings class, weekday, period, subject (and teacher), or a table for each "
                "class with the weekdays across and the periods down."
            ),
        )
    if not lessons and not problems:
        raise InputError(
            N_("There are headings, but no lesson below them."),
            place=Place(file=name),
            remedy=N_("Write each lesson into the table."),
        )
    return GivenTimetable(lessons, problems)


def _opened(path: Path, name: str) -> Opened:
    try:
        return open_document(path, name, LIMITS)
    except InputError as error:
        if error.remedy == ORIGINAL:  # It speaks of plans.
            error.remedy = N_("Choose the timetable as .xlsx, .csv or .fet; if it is one, save it again.")
        raise


def _header(grid: Grid) -> tuple[int, dict[str, int]] | None:
    """Index of the row of headings, and the column of each field."""
    for index, row in enumerate(grid.rows[:_SEARCHED]):
        columns: dict[str, int] = {}
        for column, cell in enumerate(row.cells):
            field = _BY_HEADING.get(folded(cell.text))
            if field is not None and not cell.merged:
                columns.setdefault(field, column)
        if all(field in columns for field in NEEDED):
            return index, columns
    return None


def _listed(
    grid: Grid, header: int, columns: dict[str, int], name: str, problems: list[BridgeError]
) -> Iterator[GivenLesson]:
    titles = {field: grid.rows[header].cell(column).text.strip() for field, column in columns.items()}
    for row in grid.rows[header + 1 :]:
        if row.texts() and not _is_header(row, columns):
            yield from _Row(grid, row, columns, titles, name, problems).lessons()


def _is_header(row: Row, columns: dict[str, int]) -> bool:
    return all(_BY_HEADING.get(folded(row.cell(columns[field]).text)) == field for field in NEEDED)


class _Row:
    """One row of a list; ``titles`` are the headings as they stand in the file."""

    def __init__(
        self, grid: Grid, row: Row, columns: dict[str, int], titles: dict[str, str], name: str,
        problems: list[BridgeError],
    ) -> None:  # fmt: skip
        self.place = Place(name, grid.label, row.number)
        self.texts = {field: row.cell(column).text.strip() for field, column in columns.items()}
        self.titles = titles
        self.problems = problems
        self.readable = True

    def lessons(self) -> Iterator[GivenLesson]:
        """The row's lessons. One whose weekday, period or weeks cannot be read is given too, so that its names are
        looked at in the same go."""
        classes, subject = several(self.texts["class"]), " ".join(self.texts["subject"].split())
        weekday, periods = weekday_of(self.texts["weekday"]), periods_of(self.texts["period"])
        parity, makes_up = parity_of(self._text("weeks")), original_of(self._text("makes_up"))
        if not classes:
            self._wrong("class", N_("The class is missing."), N_("Write its code."))
        if weekday is None:
            self._wrong("weekday", N_("This is no weekday."), N_("Write Monday, Mon, 星期一, 周一 or 1."))
        if not periods:
            self._wrong("period", N_("This is no period."), N_("Write its number, as in 3, 第3节 or 3-4."))
        if not subject:
            self._wrong("subject", N_("The subject is missing."), N_("Write its name or code."))
        if parity is None:
            self._wrong(
                "weeks",
                N_("It is not clear in which weeks this lesson is held."),
                N_("Write odd (单周), even (双周), or nothing for every week."),
            )
        if self._text("makes_up") and makes_up is None:
            self._wrong(
                "makes_up",
                N_("It is not clear which lesson is made up for."),
                N_("Write when it was to be held, as in 2026-11-25 3 or 2026-11-25 10:10."),
            )
        for period in periods or (0,):
            yield GivenLesson(
                classes, weekday or 0, period, subject, several(self._text("teacher")),
                parts_of(self._text("part"), len(classes)), parity or Parity.ALL, self.place, makes_up, self.readable,
            )  # fmt: skip

    def _text(self, field: str) -> str:
        return self.texts.get(field, "")

    def _wrong(self, field: str, message: str, remedy: str) -> None:
        self.readable = False
        place = replace(self.place, column=self.titles[field], value=self.texts[field][:60])
        self.problems.append(InputError(message, place=place, remedy=remedy))
