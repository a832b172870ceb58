"""Reads timetables out of workbooks and CSV files, in two forms.

A **list** has a row for each lesson under headings (class, weekday, period, subject, and where wanted teacher, group,
weeks). A **class table** has the weekdays across and the periods down, as it hangs on the wall of a classroom; the
class stands in the name of the sheet or above the table. Both are described for people in docs/timetable.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lms_bridge.core.errors import BadInputs, BridgeError, InputError, Place
from lms_bridge.core.i18n import N_
from lms_bridge.plans.reading.documents import open_document
from lms_bridge.plans.reading.grid import Grid, Row
from lms_bridge.plans.reading.limits import ReadLimits
from lms_bridge.timetable.exchange.class_tables import class_table, looks_like_class_table
from lms_bridge.timetable.exchange.given import GivenLesson, Parity, folded, parity_of, periods_of, several, weekday_of

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
}
_BY_HEADING = {folded(word): field for field, words in HEADINGS.items() for word in words}
NEEDED = ("class", "weekday", "period", "subject")
_SEARCHED = 12


def read_tables(path: Path, name: str) -> list[GivenLesson]:
    """The lessons in a workbook or CSV file that people call ``name``.

    :raises InputError: it cannot be opened, or holds neither a list nor class tables.
    :raises BadInputs: every row or cell that cannot be read, with its place and what would be right.
    """
    opened = open_document(path, name, LIMITS)
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
    if problems:
        raise BadInputs(problems, file=name)
    if not lessons:
        raise InputError(
            N_("There are headings, but no lesson below them."),
            place=Place(file=name),
            remedy=N_("Write each lesson into the table."),
        )
    return lessons


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
    for row in grid.rows[header + 1 :]:
        if not row.texts() or _is_header(row, columns):
            continue
        yield from _lesson(grid, row, columns, name, problems)


def _is_header(row: Row, columns: dict[str, int]) -> bool:
    return all(_BY_HEADING.get(folded(row.cell(columns[field]).text)) == field for field in NEEDED)


def _lesson(
    grid: Grid, row: Row, columns: dict[str, int], name: str, problems: list[BridgeError]
) -> Iterator[GivenLesson]:
    texts = {field: row.cell(column).text.strip() for field, column in columns.items()}

    def place(field: str) -> Place:
        return Place(name, grid.label, row.number, HEADINGS[field][-1] if field else None, texts.get(field, "")[:60])

    before = len(problems)
    classes, subject = several(texts["class"]), " ".join(texts["subject"].split())
    weekday, periods = weekday_of(texts["weekday"]), periods_of(texts["period"])
    parity = parity_of(texts.get("weeks", ""))
    if not classes:
        problems.append(InputError(N_("The class is missing."), place=place("class"), remedy=N_("Write its code.")))
    if weekday is None:
        problems.append(
            InputError(
                N_("This is no weekday."), place=place("weekday"), remedy=N_("Write Monday, Mon, 星期一, 周一 or 1.")
            )
        )
    if not periods:
        problems.append(
            InputError(
                N_("This is no period."), place=place("period"), remedy=N_("Write its number, as in 3, 第3节 or 3-4.")
            )
        )
    if not subject:
        problems.append(
            InputError(N_("The subject is missing."), place=place("subject"), remedy=N_("Write its name or code."))
        )
    if parity is None:
        problems.append(
            InputError(
                N_("It is not clear in which weeks this lesson is held."),
                place=place("weeks"),
                remedy=N_("Write odd (单周), even (双周), or nothing for every week."),
            )
        )
    if len(problems) > before:
        return
    for period in periods:
        yield GivenLesson(
            classes, weekday or 0, period, subject, several(texts.get("teacher", "")), texts.get("part", ""),
            parity or Parity.ALL, Place(name, grid.label, row.number),
        )  # fmt: skip
