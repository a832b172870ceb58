"""What a column holds where its heading alone does not tell: by the other headings and by what stands below it.

``Time`` holds periods where weeks stand beside it and ``2 lessons`` below it; ``Days`` are days of the month beside a
column of months, else as many school days as the unit takes; 新授 | 复习 | 合计 below 课时 are one number of periods.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise

from lms_bridge.plans.reading.columns import Column, Header
from lms_bridge.plans.reading.grid import Cell, Grid
from lms_bridge.plans.reading.headings import NAME_FIELDS, Heading, plain_heading, recognise
from lms_bridge.plans.reading.inline import is_amount
from lms_bridge.plans.reading.numerals import normalise
from lms_bridge.plans.reading.problems import CellProblem
from lms_bridge.plans.reading.when import read_when

_LOOKED_AT = 60
_TOTAL = re.compile(r"合计|小计|总计|总数|共计|总课时|totals?|sum|in all|all")
_KIND = re.compile(
    r"(?:新授|新课|授新|讲授|讲解|理论|实验|实践|练习|习题|复习|巩固|测试|测验|考试|检测|机动|活动|讨论|阅读|写作|讲评|自习|上机|操作)课?(?:课时|学时|节)?数?"
    r"|(?:new|newcontent|newmaterial|theory|theoretical|practical|practicals|practice|review|revision|lab|labs|laboratory|test|tests"
    r"|testing|exam|lecture|lectures|seminar|seminars|tutorial|teaching|discussion|exercise|exercises|assessment|other)"
    r"(?:lessons|periods|hours)?"
)
_WEEKLY = re.compile(
    r"(?:每?周|本周)(?:的)?(?:课时|学时|节)数?|(?:课时|节数)(?:每周|周)"
    r"|(?:no|number)?(?:of)?(?:lessons|periods|classperiods)(?:this|a|per|each)week|weekly(?:lessons|periods)"
)
_WEEKLY_IN_BRACKETS = re.compile(
    r"[(（\[](?:每周|周|本周|per week|a week|/ ?week|weekly|this week)[)）\]]", re.IGNORECASE
)
_DAYS = re.compile(
    r"(?:教学|授课|上课|计划|所需)?天数|(?:noof|numberof)?(?:instructional|teaching|school|class|suggested)?days"
)
_LESSON = re.compile(r"lsns?|lesson(?:s?no|s?nos|s?number|s?numbers)?|课次|课序|课时序号")
_RANGES = re.compile(r"\d{1,3}(?:\s*[-,、]\s*\d{1,3})*")
_SLOT = re.compile(r"period|lesson|节次|课次")
_BESIDE_SLOTS = re.compile(r"day|weekday|星期|class|班级|room|教室")
_COUNTS = re.compile(r"lsn|lesson|lessonno|课次|节次|period|星期|weekday|day|第几课时")
_SUB = re.compile(r"sub(?:topics?|unit)|小节|子课题|分课题")
_FOCUS = re.compile(r"focus|teachingfocus|learningfocus")


def settled(grid: Grid, header: Header) -> Header:
    """``header`` with the columns understood whose headings mean different things in different tables."""
    if len(header.columns) < 2 or not header.fields():
        return header
    columns = _kinds_of_periods(grid, header)
    for settle in (_focus, _slots, _lesson_numbers, _time, _days, _weekly):
        columns = settle(grid, replace(header, columns=columns))
    return replace(header, columns=columns)


def one_lesson_each(grid: Grid, header: Header) -> bool:
    """Whether each row below ``header`` is one lesson: it has a single day of its own, and the rows are numbered, have
    weekdays or times of the day, or name the same again and again."""
    dates = header.of("dates", "when")
    if len(dates) != 1 or header.of("starts", "ends") or not only_days(grid, header, dates[0]):
        return False
    cells = _cells(grid, header, dates[0])
    if len(cells) < 3:
        return False
    if any(_counts_lessons(column) for column in header.columns):
        return True
    days = [cell.text for cell in cells]
    names = [
        tuple(cell.text for column in header.of(*NAME_FIELDS) for cell in column.cells(row))
        for row in grid.rows[header.index + 1 :]
    ]
    again = sum(first == second and any(first) for first, second in pairwise(names))
    return len(set(days)) < len(days) or again * 4 >= len(cells)


def only_days(grid: Grid, header: Header, column: Column) -> bool:
    """Whether single days stand under a heading, and not spells of time nor the beginnings of weeks."""
    if column.heading is not None and column.heading.begins:
        return False
    return all(_one_day(cell) for cell in _cells(grid, header, column))


def has_parts(header: Header) -> bool:
    """Whether the table has a column for the parts of each topic (SUB-TOPIC), which are then the units."""
    named = header.of(*NAME_FIELDS)
    return len(named) > 1 and any(_SUB.fullmatch(plain_heading(column.own)) for column in named)


# --- one rule each; all give the columns as they are understood then


def _kinds_of_periods(grid: Grid, header: Header) -> tuple[Column, ...]:
    """新授 | 复习 | 合计 below one 课时: the column of the sum where there is one, else all together."""
    below = [c for c in header.columns if any(_is_periods(text) for text in c.joint)]
    total = next((c for c in below if _TOTAL.fullmatch(plain_heading(c.own))), None)
    kinds = [c for c in below if c is total or _KIND.fullmatch(plain_heading(c.own))]
    if len(kinds) < 2 or not all(_numbers(grid, header, c) for c in kinds):
        return header.columns
    if total is not None:
        others = {c.start for c in kinds if c is not total}
        return tuple(
            replace(c, heading=Heading("periods"))
            if c is total
            else replace(c, heading=Heading("other") if c.start in others else c.heading)
            for c in header.columns
        )
    places = [header.columns.index(c) for c in kinds]
    if places != list(range(places[0], places[-1] + 1)):
        return header.columns
    words = " + ".join(c.own for c in kinds)
    joined = Column(words, kinds[0].start, kinds[-1].end, Heading("periods", measure="sum"), kinds[0].joint, words)
    return (*header.columns[: places[0]], joined, *header.columns[places[-1] + 1 :])


def _focus(grid: Grid, header: Header) -> tuple[Column, ...]:
    """``Focus`` is what the week is about where nothing else names it."""
    if header.named():
        return header.columns
    return _changed(header, lambda c: Heading("topic") if _FOCUS.fullmatch(plain_heading(c.own)) else c.heading)


def _slots(grid: Grid, header: Header) -> tuple[Column, ...]:
    """``Period`` beside single days and weekdays or classes says at what time of the day the lesson is."""
    dates = header.of("dates")
    beside = any(
        recognise(c.own) == Heading("other") and _BESIDE_SLOTS.fullmatch(plain_heading(c.own)) for c in header.columns
    )
    if not dates or not beside or not all(_one_day(cell) for cell in _cells(grid, header, dates[0])):
        return header.columns
    return _changed(
        header,
        lambda c: (
            Heading("other")
            if c.heading and c.heading.field == "periods" and _SLOT.fullmatch(plain_heading(c.own))
            else c.heading
        ),
    )


def _lesson_numbers(grid: Grid, header: Header) -> tuple[Column, ...]:
    """``LSN`` with 1, 2 | 3-4 below it lists the lessons of the week; ``Lesson`` with 1 | 2 | 3 numbers the rows."""
    named = header.of(*NAME_FIELDS)
    counted = header.of("periods")
    for column in header.columns:
        if not _LESSON.fullmatch(plain_heading(column.own)) or [column] == named:
            continue
        cells = _cells(grid, header, column)
        texts = [normalise(cell.text) for cell in cells]
        if len(texts) < 3 or not all(_RANGES.fullmatch(text) for text in texts):
            continue
        lists = any(not text.isdigit() for text in texts)
        if lists and not _follow(texts):
            continue
        told = Heading("periods", measure="numbers") if lists else Heading("number")
        if not lists or not [c for c in counted if c is not column]:
            return tuple(replace(c, heading=told) if c is column else c for c in header.columns)
    return header.columns


def _follow(texts: list[str]) -> bool:
    """Whether each list goes on where the one above it ended, or begins with 1 again."""
    last = 0
    for text in texts:
        numbers = [int(number) for number in re.findall(r"\d+", text)]
        if numbers[0] not in (1, last + 1):
            return False
        last = numbers[-1]
    return True


def _time(grid: Grid, header: Header) -> tuple[Column, ...]:
    """``Time`` says how long where weeks stand beside it and amounts below it."""
    if header.of("periods"):
        return header.columns

    def meant(column: Column) -> Heading | None:
        if column.heading is None or column.heading.field != "when" or column.heading.also:
            return column.heading
        texts = [cell.text for cell in _cells(grid, header, column)]
        how_long = bool(texts) and all(is_amount(text) for text in texts)
        return Heading("periods", measure="stated") if how_long else column.heading

    return _changed(header, meant)


def _days(grid: Grid, header: Header) -> tuple[Column, ...]:
    """``Days``: of the month beside a column of months, else how many school days the unit takes."""

    def meant(column: Column) -> Heading | None:
        if column.heading is not None or not _DAYS.fullmatch(plain_heading(column.own)):
            return column.heading
        if header.of("month") and not header.of("dates"):
            return Heading("dates")
        return Heading("other") if header.of("periods") else Heading("periods", assumed=True, measure="days")

    return _changed(header, meant)


def _weekly(grid: Grid, header: Header) -> tuple[Column, ...]:
    """周课时, ``Lessons this week``: periods of each of the row's weeks, where no column gives those of the unit."""
    if header.of("periods") or not header.of("week", "when", "first_week", "dates"):
        return header.columns

    def meant(column: Column) -> Heading | None:
        text = plain_heading(column.own)
        weekly = _WEEKLY.fullmatch(text) or (_WEEKLY_IN_BRACKETS.search(column.own) and _is_periods(text))
        return Heading("periods", measure="weekly") if column.heading is None and weekly else column.heading

    return _changed(header, meant)


# ---


def _changed(header: Header, meant: Callable[[Column], Heading | None]) -> tuple[Column, ...]:
    return tuple(replace(column, heading=meant(column)) for column in header.columns)


def _cells(grid: Grid, header: Header, column: Column) -> list[Cell]:
    """The first cells below a heading in which something stands of its own."""
    rows = grid.rows[header.index + 1 : header.index + 1 + _LOOKED_AT]
    return [
        cell
        for row in rows
        if row.cell(column.end).merged != "left"  # a text across the table stands under no heading
        for cell in column.cells(row)
        if cell.text and not cell.merged
    ]


def _numbers(grid: Grid, header: Header, column: Column) -> bool:
    return all(re.fullmatch(r"\d{1,3}", normalise(cell.text)) for cell in _cells(grid, header, column))


def _is_periods(text: str) -> bool:
    found = recognise(text)
    return found is not None and found.field == "periods"


def _counts_lessons(column: Column) -> bool:
    """Whether the column numbers the rows as lessons, or says at what time of the day or on which weekday they are."""
    return bool(_COUNTS.fullmatch(plain_heading(column.own)))


def _one_day(cell: Cell) -> bool:
    if cell.kind == "date":
        return True
    with suppress(CellProblem):
        when = read_when(cell.text, cell.kind, bare_weeks=False)
        return when.day_from is not None and when.day_from == when.day_to and not when.begins
    return False
