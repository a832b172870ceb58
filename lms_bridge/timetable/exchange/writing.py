"""Writes the timetable of a week for other programs: CSV, a workbook, a calendar."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import product

import sqlalchemy as sa
from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from lms_bridge.core.clock import local
from lms_bridge.core.database import db
from lms_bridge.core.i18n import N_, get_locale, gettext
from lms_bridge.notices.ical import write_calendar
from lms_bridge.timetable.addresses import lesson_url
from lms_bridge.timetable.exchange.given import PART_WORDS, WHOLE_CLASS, Original
from lms_bridge.timetable.exchange.naming import written_names
from lms_bridge.timetable.feed import entries_for
from lms_bridge.timetable.models import Lesson, LessonStatus, LessonTeacher, TeacherPart
from lms_bridge.timetable.solving.problem import WEEKDAYS

COLUMNS = (
    N_("Class"), N_("Weekday"), N_("Period"), N_("Subject"), N_("Teacher"), N_("Group"), N_("Makes up for"),
)  # fmt: skip
"""The headings of a list, as the importer knows them in both languages."""

_LINE = Side(style="thin", color="FF7B8794")
_BORDER = Border(left=_LINE, right=_LINE, top=_LINE, bottom=_LINE)
_HEAD = PatternFill("solid", fgColor="FFE4EAF0")
_FORBIDDEN = str.maketrans(dict.fromkeys("[]:*?/\\", "-"))


def held(lessons: Iterable[Lesson]) -> list[Lesson]:
    """The lessons that take place, in order of time."""
    return sorted(
        (lesson for lesson in lessons if lesson.status is LessonStatus.SCHEDULED),
        key=lambda lesson: (lesson.starts_at, lesson.id),
    )


def rows_of(lessons: Iterable[Lesson]) -> list[tuple[str, ...]]:
    """A row for each lesson with the values of :data:`COLUMNS`."""
    own = held(lessons)
    names, originals = written_names(own), originals_of(own)
    rows: list[tuple[str, ...]] = []
    for lesson in own:
        start = local(lesson.starts_at, lesson.zone)
        audience = sorted(lesson.audience, key=lambda a: (a.class_group.code, a.part))
        rows.append(
            (
                _listed([a.class_group.code for a in audience]),
                gettext(WEEKDAYS[start.weekday()]),
                str(lesson.period_number) if lesson.period_number is not None else f"{start:%H:%M}",
                lesson.subject.label(get_locale()),
                _listed([_marked(names[key], mark) for key, mark in teachers_with_marks(lesson)]),
                _parts([a.part for a in audience]),
                str(originals[lesson.id]) if lesson.id in originals else "",
            )
        )
    return rows


def _listed(texts: Iterable[str]) -> str:
    return (", " if get_locale() == "en" else "、").join(texts)


def _parts(parts: Sequence[str]) -> str:
    """One name for all classes, or one for each."""
    return parts[0] if len(set(parts)) == 1 else _listed(part or WHOLE_CLASS for part in parts)


def _marked(name: str, part: TeacherPart | None) -> str:
    if part is None:
        return name
    english, chinese = PART_WORDS[part]
    return f"{name} ({english})" if get_locale() == "en" else f"{name}（{chinese}）"


def teachers_with_marks(lesson: Lesson) -> list[tuple[int, TeacherPart | None]]:
    """The teachers (person ids), who leads first, each with what must be said of them: of who simply leads or, behind
    the first, assists, nothing."""
    return [
        (t.person_id, None if t.part is (TeacherPart.LEAD if n == 0 else TeacherPart.ASSISTANT) else t.part)
        for n, t in enumerate(_in_order(lesson))
    ]


def originals_of(lessons: Iterable[Lesson]) -> dict[int, Original]:
    """By the id of a make-up lesson, when the lesson was to be held that it stands for."""
    wanted = {lesson.id: lesson.replaces_id for lesson in lessons if lesson.replaces_id is not None}
    rows = {row.id: row for row in db.session.scalars(sa.select(Lesson).where(Lesson.id.in_(wanted.values())))}
    starts = {key: local(rows[other].starts_at, rows[other].zone) for key, other in wanted.items()}
    return {key: Original(start.date(), at=start.time()) for key, start in starts.items()}


def teachers_of(lesson: Lesson) -> list[str]:
    """The names of the teachers, who leads first."""
    return [t.person.display_name for t in _in_order(lesson)]


def _in_order(lesson: Lesson) -> list[LessonTeacher]:
    rank = {TeacherPart.SUBSTITUTE: 0, TeacherPart.LEAD: 0, TeacherPart.ASSISTANT: 1}
    return sorted(lesson.teachers, key=lambda t: (rank[t.part], t.id))


def as_csv(lessons: Iterable[Lesson]) -> bytes:
    """The list as CSV for Excel (UTF-8 with its mark), in the language in force."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow([gettext(name) for name in COLUMNS])
    writer.writerows([[_no_formula(text) for text in row] for row in rows_of(lessons)])
    return ("\ufeff" + stream.getvalue()).encode()


def as_xlsx(lessons: Sequence[Lesson], title: str) -> bytes:
    """A workbook: the list, then a sheet for each class with its week, in the language in force."""
    workbook = Workbook()
    sheet = workbook.active
    assert isinstance(sheet, Worksheet)
    sheet.title = gettext("Timetable")[:31]
    for column, name in enumerate(COLUMNS, start=1):
        _head(sheet, 1, column, gettext(name), 16)
    for number, row in enumerate(rows_of(lessons), start=2):
        for column, text in enumerate(row, start=1):
            _text(sheet, number, column, text)
    sheet.freeze_panes = "A2"
    by_class: defaultdict[tuple[str, int], list[Lesson]] = defaultdict(list)
    for lesson in held(lessons):
        for audience in lesson.audience:
            by_class[audience.class_group.title, audience.class_id].append(lesson)
    for (name, _), own in sorted(by_class.items()):
        _week_sheet(workbook, name, own, title)
    stream = io.BytesIO()
    workbook.save(stream)
    return stream.getvalue()


def as_ics(lessons: Sequence[Lesson], title: str) -> bytes:
    """The lessons as a calendar in the language in force, with the link that everybody of a lesson may know."""
    own = held(lessons)
    entries = entries_for(own, {lesson.id: lesson_url(lesson) for lesson in own}, children={})
    return write_calendar(entries, name=title, locale=get_locale())


def _week_sheet(workbook: Workbook, name: str, lessons: Sequence[Lesson], title: str) -> None:
    sheet = workbook.create_sheet(_free_name(workbook, name))
    days = sorted({local(lesson.starts_at, lesson.zone).weekday() for lesson in lessons} | set(range(5)))
    periods = sorted({lesson.period_number for lesson in lessons if lesson.period_number is not None})
    _text(sheet, 1, 1, gettext("Class: %(group)s", group=name)).font = Font(bold=True, size=14)
    _text(sheet, 2, 1, title)
    _head(sheet, 3, 1, gettext("Period"), 9)
    for column, day in enumerate(days, start=2):
        _head(sheet, 3, column, gettext(WEEKDAYS[day]), 20)
    cells: defaultdict[tuple[int, int], list[str]] = defaultdict(list)
    for lesson in lessons:
        if lesson.period_number is not None:
            day = local(lesson.starts_at, lesson.zone).weekday()
            text = "\n".join([lesson.subject.label(get_locale()), *teachers_of(lesson)])
            cells[lesson.period_number, day].append(text)
    for row, period in enumerate(periods, start=4):
        _text(sheet, row, 1, str(period))
        for column, day in enumerate(days, start=2):
            _text(sheet, row, column, "\n".join(cells[period, day]))
        sheet.row_dimensions[row].height = 34
    for row, column in product(range(3, 4 + len(periods)), range(1, len(days) + 2)):
        sheet.cell(row, column).border = _BORDER
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToHeight = 1
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


def _free_name(workbook: Workbook, name: str) -> str:
    base = name.translate(_FORBIDDEN)[:28] or "-"
    taken = {title.casefold() for title in workbook.sheetnames}
    return next(text for n in range(1, 1000) if (text := base if n == 1 else f"{base} {n}").casefold() not in taken)


def _head(sheet: Worksheet, row: int, column: int, text: str, width: int) -> None:
    cell = _text(sheet, row, column, text)
    cell.font, cell.fill, cell.border = Font(bold=True), _HEAD, _BORDER
    sheet.column_dimensions[get_column_letter(column)].width = width


def _text(sheet: Worksheet, row: int, column: int, text: str):  # type: ignore[no-untyped-def]
    cell = sheet.cell(row, column)
    cell.value = text
    # Text that begins like a formula stays text.
    cell.data_type = "s"
    cell.alignment = Alignment(wrap_text=True, vertical="center", horizontal="center" if row > 1 else None)
    return cell


def _no_formula(text: str) -> str:
    """The text so that no spreadsheet takes it for a formula (OWASP: CSV injection)."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
