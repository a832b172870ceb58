"""A timetable that a school has already comes in whole or not at all, and goes out so that it comes in again."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest
import sqlalchemy as sa
from flask import Flask

from lms_bridge.calendar.models import CalendarDay, DayKind
from lms_bridge.core import clock
from lms_bridge.core.clock import local
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BadInputs, InputError
from lms_bridge.core.i18n import use_locale
from lms_bridge.core.models import OutboxFact
from lms_bridge.timetable.exchange.given import GivenLesson, Parity, periods_of, weekday_of
from lms_bridge.timetable.exchange.importer import TimetableImport, import_timetable
from lms_bridge.timetable.exchange.reading import read_tables
from lms_bridge.timetable.exchange.writing import as_csv, as_ics, as_xlsx
from lms_bridge.timetable.models import Lesson, LessonMode, LessonStatus, TeacherPart, TimetableWeek
from tests.builders import SchoolSystem, added
from tests.timetable.school import FRIDAY, WEEK, school_with_plans

NEXT = "2026-W49"


@pytest.fixture
def school(app: Flask) -> Iterator[SchoolSystem]:
    """A school on the Friday before the first week of the file."""
    with clock.at(FRIDAY):
        yield school_with_plans()


def lessons(week: str = WEEK) -> list[Lesson]:
    """The lessons of campus A that take place in a week, in order of time."""
    db.session.expire_all()
    return list(
        db.session.scalars(
            sa.select(Lesson)
            .join(TimetableWeek, TimetableWeek.id == Lesson.week_id)
            .where(TimetableWeek.week == week, Lesson.status == LessonStatus.SCHEDULED)
            .order_by(Lesson.starts_at, Lesson.id)
        )
    )


def at(lesson: Lesson) -> tuple[int, int | None]:
    """Weekday and period."""
    return local(lesson.starts_at, lesson.zone).weekday(), lesson.period_number


def bring(school: SchoolSystem, text: str, tmp_path: Path, **more: object) -> TimetableImport:
    """Import a CSV file."""
    path = tmp_path / "timetable.csv"
    path.write_text(text.format(one=school.a.classes[0].code, two=school.a.classes[1].code), encoding="utf-8")
    given = read_tables(path, path.name)
    options: dict[str, object] = {"first_week": WEEK, "name": path.name, "actor": school.a.administrator} | more
    with transaction():
        return import_timetable(school.a.campus, given, **options)  # type: ignore[arg-type]


LIST = "班级,星期,节次,科目,教师\n{one},周一,第1节,语文,\n{one},周三,3-4,语文,\n{two},Fri,2,Chinese,\n"


def test_a_list_becomes_lessons_with_their_units(school: SchoolSystem, tmp_path: Path) -> None:
    result = bring(school, LIST, tmp_path)
    assert result.counts["added"] == 4
    found = lessons()
    assert [at(lesson) for lesson in found] == [(0, 1), (2, 3), (2, 4), (4, 2)]
    assert {lesson.mode for lesson in found} == {LessonMode.IN_PERSON}
    assert all(lesson.teachers[0].person_id == school.a.teacher.id for lesson in found)
    first = [u.ordinal for lesson in found for u in lesson.units if u.class_id == school.a.classes[0].id]
    assert first == sorted(first)
    assert len(first) == 3
    facts = db.session.scalars(sa.select(OutboxFact.cause).where(OutboxFact.kind == "timetable.changed")).all()
    assert len(facts) == 1


def test_the_same_file_again_changes_nothing_and_another_moves_lessons_with_their_links(
    school: SchoolSystem, tmp_path: Path
) -> None:
    bring(school, LIST, tmp_path)
    uids = {lesson.uid for lesson in lessons()}
    again = bring(school, LIST, tmp_path)
    assert (again.counts, again.change_set) == ({"kept": 4, "added": 0}, None)
    moved = bring(school, LIST.replace("周一,第1节", "周二,第5节"), tmp_path)
    assert moved.counts == {"kept": 3, "moved": 1, "added": 0}
    assert {lesson.uid for lesson in lessons()} == uids


def test_a_dry_run_says_the_same_and_stores_nothing(school: SchoolSystem, tmp_path: Path) -> None:
    result = bring(school, LIST, tmp_path, dry_run=True)
    assert (result.counts["added"], result.change_set, lessons()) == (4, None, [])


def test_everything_that_is_wrong_is_told_at_once_with_its_row(school: SchoolSystem, tmp_path: Path) -> None:
    text = (
        "class,weekday,period,subject,teacher\n{one},Monday,1,Chinese,\n{one},Mon,1,Chinese,\n9-9,Tue,2,Chinese,\n"
        "{one},Wed,2,Alchemy,\n{one},Thu,2,Chinese,Nobody Atall\n"
    )
    with use_locale("en"), pytest.raises(BadInputs) as refusal:
        bring(school, text, tmp_path)
    said = {(p.place.row if p.place else None): p.text() for p in refusal.value.problems}
    assert "9-9" in said[4]
    assert "Alchemy" in said[5]
    assert "Nobody Atall" in said[6]
    assert "at once" in said[3]
    assert lessons() == []
    with use_locale("en"), pytest.raises(InputError, match="class, weekday, period"):
        bring(school, "name,phone\na,b\n", tmp_path)


def test_problems_of_reading_names_grid_and_other_lessons_come_in_one_go(school: SchoolSystem, tmp_path: Path) -> None:
    bring(school, "class,weekday,period,subject\n{two},Thu,1,Chinese\n", tmp_path)
    teacher = school.a.teacher.display_name
    text = (
        "班级,星期,节次,科目,教师,单双周\n{one},星期八,1,语文,,\n{one},周一,12,语文,,\n{one},周一,1,炼金术,无名氏,三周\n"
        f",周二,1,语文,,\n{{one}},周四,1,语文,{teacher},\n{{one}},周日,1,语文,,\n{{one}},周二,2,语文,无名氏,\n"
    )
    with use_locale("en"), pytest.raises(BadInputs) as refusal:
        bring(school, text, tmp_path)
    told = [(p.place.row if p.place else None, p.place.column if p.place else None) for p in refusal.value.problems]
    assert told == [(2, "星期"), (3, None), (4, "单双周"), (4, None), (4, None), (5, "班级"), (6, None), (7, None)]
    texts = [p.text() for p in refusal.value.problems]
    assert "no period 12 on Monday" in texts[1]
    assert "already has a lesson" in texts[6]
    assert "no school is held" in texts[7]
    assert refusal.value.text() == "8 problems were found; nothing was stored."
    assert len(lessons()) == 1
    with use_locale("en"), pytest.raises(BadInputs, match="1 problem was found"):
        bring(school, "class,weekday,period,subject\n{one},Mon,12,Chinese\n", tmp_path)


def test_odd_and_even_weeks_holidays_and_make_up_days(school: SchoolSystem, tmp_path: Path) -> None:
    with transaction():
        monday = local(FRIDAY, school.a.campus.zone).date().toordinal() + 3
        day = local(FRIDAY, school.a.campus.zone).date().fromordinal(monday)
        added(CalendarDay(organisation_id=school.a.campus.id, day=day, kind=DayKind.HOLIDAY, name="校庆"))
        saturday = day.fromordinal(monday + 5)
        added(CalendarDay(organisation_id=school.a.campus.id, day=saturday, kind=DayKind.MAKE_UP, as_weekday=1))
    text = "班级,星期,节次,科目,单双周\n{one},周一,1,语文,\n{one},周二,1,语文,单周\n{one},周二,2,语文,双周\n"
    with use_locale("en"):
        result = bring(school, text, tmp_path, last_week=NEXT)
        assert any("Monday" in warning.text() for warning in result.warnings)
    first, second = [at(lesson) for lesson in lessons(WEEK)], [at(lesson) for lesson in lessons(NEXT)]
    tuesday = {at[1] for at in first if at[0] == 1}
    assert {at[1] for at in first if at[0] == 5} == tuesday  # Saturday follows Tuesday's timetable
    assert (0, 1) not in first
    assert second[0] == (0, 1)
    assert {at[1] for at in second if at[0] == 1} == {1, 2} - tuesday


def test_a_class_table_from_the_wall_is_read(school: SchoolSystem, tmp_path: Path) -> None:
    group = school.a.classes[0].code
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append([f"{group}班课程表"])
    sheet.append(["", "", "星期一", "星期二", "星期三", "星期四", "星期五"])
    sheet.append(["上午", "第1节", f"语文\n{school.a.teacher.display_name}", "", "语文", "", ""])
    sheet.append(["", "第2节", "", "语文", "", "", "—"])
    sheet.append(["午休"])
    sheet.append(["下午", "5", "", "", "", "语文", ""])
    path = tmp_path / "wall.xlsx"
    book.save(path)
    found = read_tables(path, path.name)
    assert [(g.classes, g.weekday, g.period, g.subject) for g in found.lessons] == [
        ((group,), 0, 1, "语文"), ((group,), 2, 1, "语文"), ((group,), 1, 2, "语文"), ((group,), 3, 5, "语文"),
    ]  # fmt: skip
    with transaction():
        import_timetable(school.a.campus, found, first_week=WEEK, name=path.name, actor=None)
    assert len(lessons()) == 4


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_what_goes_out_comes_in_again_as_the_same_timetable(school: SchoolSystem, tmp_path: Path, locale: str) -> None:
    bring(school, LIST, tmp_path)
    with use_locale(locale):
        files = {"out.csv": as_csv(lessons()), "out.xlsx": as_xlsx(lessons(), "第14周")}
        calendar = as_ics(lessons(), "第14周")
    assert calendar.count(b"BEGIN:VEVENT") == 4
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        given = read_tables(tmp_path / name, name)
        with transaction():
            again = import_timetable(school.a.campus, given, first_week=WEEK, name=name, actor=None)
        assert again.counts == {"kept": 4, "added": 0}, name
    book = openpyxl.load_workbook(io.BytesIO(files["out.xlsx"]))
    assert len(book.sheetnames) == 3


def test_a_joint_lesson_and_a_second_teacher(school: SchoolSystem, tmp_path: Path) -> None:
    other = school.b.teacher.display_name
    text = (
        f"class,weekday,period,subject,teacher\n{{one}}/{{two}},Mon,1,Chinese,{school.a.teacher.display_name}/{other}\n"
    )
    bring(school, text, tmp_path)
    (lesson,) = lessons()
    assert {a.class_id for a in lesson.audience} == {group.id for group in school.a.classes[:2]}
    assert {t.person_id: t.part for t in lesson.teachers} == {
        school.a.teacher.id: TeacherPart.LEAD,
        school.b.teacher.id: TeacherPart.ASSISTANT,
    }


def test_words_for_days_and_periods() -> None:
    assert [periods_of(t) for t in ("3", "第3节", "第十二节", "Period 3", "3-4", "第3、4节", "上午", "")] == [
        (3,), (3,), (12,), (3,), (3, 4), (3, 4), (), (),
    ]  # fmt: skip
    assert [weekday_of(t) for t in ("星期三", "周日", "Wed", "THURSDAY", "7", "第3节", "")] == [
        2,
        6,
        2,
        3,
        6,
        None,
        None,
    ]
    assert GivenLesson(("7-1",), 0, 1, "x").parity is Parity.ALL
