"""Whatever a week holds, its file makes it that week again: substitutes, make-up lessons, joint lessons, groups, two
teachers, odd and even weeks."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from lms_bridge.calendar.models import CalendarDay, DayKind
from lms_bridge.core import clock
from lms_bridge.core.access import Role
from lms_bridge.core.database import db, transaction
from lms_bridge.core.i18n import use_locale
from lms_bridge.roster.models import Person, Subject
from lms_bridge.timetable.exchange.importer import import_timetable
from lms_bridge.timetable.exchange.sources import read_timetable
from lms_bridge.timetable.exchange.to_fet import as_fet
from lms_bridge.timetable.exchange.writing import as_csv, as_xlsx
from lms_bridge.timetable.models import (
    Lesson,
    LessonAudience,
    LessonStatus,
    LessonTeacher,
    TeacherPart,
    TimetableWeek,
)
from lms_bridge.timetable.snapshots import LessonState, state_of, without_units
from tests.builders import SchoolSystem, added, online, person_as, small_system, subject
from tests.timetable.placed import MONDAY, at
from tests.timetable.school import FRIDAY, WEEK

FORMS: dict[str, Callable[[Sequence[Lesson]], bytes]] = {
    "csv": as_csv,
    "xlsx": lambda lessons: as_xlsx(lessons, "W"),
    "fet": lambda lessons: as_fet(lessons, "W"),
}


@pytest.fixture
def school(app: Flask) -> Iterator[SchoolSystem]:
    """An online school with two teachers of one name, on the Friday before the week."""
    with clock.at(FRIDAY):
        school = small_system()
        with transaction():
            online(school.a.campus, school.term.starts_on)
            db.session.delete(school.a.lesson)
            for code, name in (("chinese", "语文"), ("music", "音乐")):
                subject(code, name, code.title())
        yield school


def teachers_of(school: SchoolSystem) -> list[Person]:
    with transaction():
        people = [person_as(Role.TEACHER, school.a.campus, family_name="李", given_name=f"强{n}") for n in range(4)]
        people += [person_as(Role.TEACHER, school.a.campus, family_name="王", given_name="芳") for _ in range(2)]
        people.append(person_as(Role.TEACHER, school.b.campus, family_name="王", given_name="芳"))
    return people


def random_week(school: SchoolSystem, seed: int) -> None:
    """Lessons of every sort in W48, nobody in two at once, and cancelled ones that others make up for."""
    chance = random.Random(seed)
    people, groups = teachers_of(school), school.a.classes
    subjects = [subject("chinese"), subject("music"), school.subject]
    with transaction():
        for day in range(5):
            for period in range(1, 7):
                free = chance.sample(people, len(people))
                sorts = chance.choice(["none", "each", "joint", "groups", "mixed"])
                audiences: list[list[tuple[int, str]]] = {
                    "none": [],
                    "each": [[(group.id, "")] for group in groups],
                    "joint": [[(group.id, "") for group in groups]],
                    "groups": [[(groups[0].id, "A")], [(groups[0].id, "B")]],
                    "mixed": [[(groups[0].id, "A"), (groups[1].id, "")], [(groups[0].id, "B")]],
                }[sorts]
                for audience in audiences:
                    lesson = for_(at(groups[0], chance.choice(subjects), free.pop(0), day, period), audience)
                    lesson.teachers[0].part = chance.choice([TeacherPart.LEAD, TeacherPart.SUBSTITUTE])
                    if chance.random() < 0.3:
                        part = chance.choice([TeacherPart.ASSISTANT, TeacherPart.SUBSTITUTE])
                        lesson.teachers.append(LessonTeacher(person_id=free.pop(0).id, part=part))
                    if chance.random() < 0.3:
                        earlier = MONDAY - timedelta(days=14)
                        what = db.session.get_one(Subject, lesson.subject_id)
                        lost = for_(at(groups[0], what, people[0], chance.randrange(5), period, earlier), audience)
                        lost.status = LessonStatus.CANCELLED
                        db.session.flush()
                        lesson.replaces_id = lost.id


def for_(lesson: Lesson, audience: list[tuple[int, str]]) -> Lesson:
    """The lesson, for these classes and parts of them."""
    (lesson.audience[0].class_id, lesson.audience[0].part), *others = audience
    lesson.audience += [LessonAudience(class_id=key, part=part) for key, part in others]
    return lesson


def week() -> list[Lesson]:
    """The lessons of W48 that take place, as stored."""
    db.session.expire_all()
    query = sa.select(Lesson).join(TimetableWeek, TimetableWeek.id == Lesson.week_id)
    query = query.where(TimetableWeek.week == WEEK, Lesson.status == LessonStatus.SCHEDULED)
    return list(db.session.scalars(query.order_by(Lesson.starts_at, Lesson.id)))


def as_set(lessons: Sequence[Lesson]) -> Counter[LessonState]:
    """What the lessons are, but for their units, which follow their plans."""
    return Counter(without_units(state_of(lesson)) for lesson in lessons)


def bring(school: SchoolSystem, folder: Path, form: str, data: bytes) -> dict[str, int]:
    path = folder / f"week.{form}"
    path.write_bytes(data)
    given = read_timetable(path, path.name)
    with transaction():
        return import_timetable(school.a.campus, given, first_week=WEEK, name=path.name, actor=None).counts


@pytest.mark.parametrize("seed", range(2))
def test_a_file_makes_the_week_that_was_written(school: SchoolSystem, tmp_path: Path, seed: int) -> None:
    random_week(school, seed)
    written = as_set(week())
    assert any(state.replaces_id for state in written)
    for form, write in FORMS.items():
        with use_locale(["zh-CN", "en"][seed % 2]):
            data = write(week())
        assert bring(school, tmp_path, form, data) == {"kept": len(week()), "added": 0}, form
        assert as_set(week()) == written
        # Whatever happened to the week since: the file brings all of it back.
        chance = random.Random(seed)
        with transaction():
            for lesson in chance.sample(week(), 6):
                lesson.status = LessonStatus.CANCELLED
            for lesson in chance.sample(week(), 6):
                lesson.teachers[0].part = TeacherPart.LEAD
                lesson.replaces_id = None
        bring(school, tmp_path, form, data)
        assert as_set(week()) == written, form


def test_a_make_up_day_comes_in_again_as_the_day_it_was(school: SchoolSystem, tmp_path: Path) -> None:
    with transaction():
        added(CalendarDay(organisation_id=school.a.campus.id, day=MONDAY, kind=DayKind.HOLIDAY, name="校庆"))
        saturday = MONDAY + timedelta(days=5)
        added(CalendarDay(organisation_id=school.a.campus.id, day=saturday, kind=DayKind.MAKE_UP, as_weekday=0))
        at(school.a.classes[0], school.subject, school.a.teacher, 1, 1)
        at(school.a.classes[0], school.subject, school.a.teacher, 5, 2)
    for form, write in FORMS.items():
        assert bring(school, tmp_path, form, write(week())) == {"kept": 2, "added": 0}, form


def test_each_week_of_odd_and_even_weeks_comes_in_again(school: SchoolSystem, tmp_path: Path) -> None:
    code, teacher = school.a.classes[0].code, school.a.teacher.display_name
    rows = f"{code},周一,1,语文,{teacher},单\n{code},周一,1,音乐,{teacher},双\n{code},周三,2,音乐,{teacher},\n"
    path = tmp_path / "term.csv"
    path.write_text(f"班级,星期,节次,科目,教师,单双周\n{rows}", encoding="utf-8")
    with transaction():
        given = read_timetable(path, path.name)
        import_timetable(school.a.campus, given, first_week=WEEK, last_week="2026-W49", name="term", actor=None)
    for form, write in FORMS.items():
        assert bring(school, tmp_path, form, write(week())) == {"kept": 2, "added": 0}, form


def test_a_plain_name_leaves_who_stands_in_what_they_are(school: SchoolSystem, tmp_path: Path) -> None:
    with transaction():
        lesson = at(school.a.classes[0], school.subject, school.a.teacher, 0, 1)
        lesson.teachers[0].part = TeacherPart.SUBSTITUTE
    row = f"{school.a.classes[0].code},1,1,{school.subject.code},{school.a.teacher.display_name}"
    plain = f"class,weekday,period,subject,teacher\n{row}\n"
    assert bring(school, tmp_path, "csv", plain.encode()) == {"kept": 1, "added": 0}
    assert bring(school, tmp_path, "csv", plain.replace(row, f"{row} (lead)").encode()) == {
        "teacher": 1,
        "kept": 0,
        "added": 0,
    }
