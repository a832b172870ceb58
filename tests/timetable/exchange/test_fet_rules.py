"""A FET file's constraints come into a campus: taken over where its inputs can hold them, else named with counts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from lms_bridge.core import clock
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BadInputs
from lms_bridge.core.i18n import use_locale
from lms_bridge.timetable.exchange.fet_inputs import Taken
from lms_bridge.timetable.exchange.from_fet import lessons_of
from lms_bridge.timetable.exchange.given import GivenTimetable
from lms_bridge.timetable.exchange.importer import TimetableImport, import_timetable
from lms_bridge.timetable.exchange.sources import read_timetable
from lms_bridge.timetable.fet.reading import read_fet
from lms_bridge.timetable.inputs.arrangements import arrangements_of
from lms_bridge.timetable.inputs.models import RuleType, TeacherLimit
from lms_bridge.timetable.inputs.stated_rules import Stated
from lms_bridge.timetable.inputs.subject_rules import add_rule, rules_of
from lms_bridge.timetable.models import Lesson, Unavailability
from tests.builders import SchoolSystem, small_system, subject
from tests.timetable.fet.fet_text import activity, element, fet_text, rule, times
from tests.timetable.school import FRIDAY, WEEK

CLASSES = "".join(
    element(
        "Year", ("Name", f"Grade {name}"), ("Number_of_Students", 20),
        element("Group", ("Name", name), ("Number_of_Students", 20), *(
            element("Subgroup", ("Name", f"{name} {part}"), ("Number_of_Students", 10)) for part in "XY"
        )),
    )
    for name in "AB"
)  # fmt: skip
ACTIVITIES = [
    activity(1, "T1", "A"), activity(2, "T1", "A"), activity(3, "T1", "B"), activity(4, "T1", "B"),
    activity(5, "T1", "A X", subject="Sport"), activity(6, "T2", "A Y", subject="Sport"),
]  # fmt: skip
STARTS = {1: (1, 1), 2: (2, 0), 3: (1, 2), 4: (3, 0), 5: (4, 0), 6: (4, 0)}
LOCKS = [
    rule(
        "ActivityPreferredStartingTime", ("Activity_Id", i), ("Preferred_Day", f"D{d + 1}"),
        ("Preferred_Hour", f"H{h + 1}"),
    )
    for i, (d, h) in STARTS.items()
]  # fmt: skip


def several(kind: str, ids: tuple[int, ...], *more: tuple[str, object], weight: float = 100) -> str:
    named = [("Activity_Id", number) for number in ids]
    return rule(kind, ("Number_of_Activities", len(ids)), *named, *more, weight=weight)


RULES = [
    rule(
        "TeacherNotAvailableTimes", ("Teacher", "T1"),
        *times("Not_Available_Time", [*((0, h) for h in range(7)), (4, 3)]),
    ),
    rule("TeacherMaxHoursDaily", ("Teacher_Name", "T1"), ("Maximum_Hours_Daily", 3)),
    rule("TeachersMaxHoursDaily", ("Maximum_Hours_Daily", 5)),
    rule("TeacherMaxHoursDaily", ("Teacher_Name", "T2"), ("Maximum_Hours_Daily", 2), weight=80),
    several("MinDaysBetweenActivities", (1, 2), ("MinDays", 1)),
    several("MinDaysBetweenActivities", (3, 4), ("MinDays", 1), weight=95),
    several("MinDaysBetweenActivities", (3, 4), ("MinDays", 2)),
    several("ActivitiesSameStartingTime", (5, 6)),
    rule("BreakTimes", *times("Break_Time", [(d, 6) for d in range(5)])),
    rule("StudentsSetNotAvailableTimes", ("Students", "A"), *times("Not_Available_Time", [(0, 0)])),
    rule(
        "ActivitiesPreferredTimeSlots", ("Teacher", ""), ("Students", ""), ("Subject", "S"), ("Activity_Tag", ""),
        *times("Preferred_Time_Slot", [(d, h) for d in range(5) for h in range(3)], "Preferred_Day", "Preferred_Hour"),
        weight=70,
    ),
    rule("TeacherMaxGapsPerWeek", ("Teacher_Name", "T1"), ("Max_Gaps", 2)),
    rule("TeachersMaxGapsPerWeek", ("Max_Gaps", 4)),
    rule("StudentsMaxGapsPerDay", ("Max_Gaps", 0), weight=50),
    rule("TeachersMaxGapsPerDay", ("Max_Gaps", 0), active=False),
]  # fmt: skip


@pytest.fixture
def school(app: Flask) -> Iterator[SchoolSystem]:
    """A school with the classes A and B, the teachers T1 and T2 and the subjects S and Sport of the file."""
    with clock.at(FRIDAY):
        school = small_system()
        with transaction():
            school.a.classes[0].code, school.a.classes[1].code = "A", "B"
            school.a.teacher.number, school.a.other_teacher.number = "T1", "T2"
            subject("S", "语文", "Chinese")
            subject("Sport", "体育", "Sports")
            db.session.delete(school.a.lesson)
        yield school


def file_with(time: list[str], activities: list[str] = ACTIVITIES) -> bytes:
    return fet_text(activities, hours=7, teachers=("T1", "T2"), years=CLASSES, time=time)


def solved(time: list[str] = RULES) -> GivenTimetable:
    """The file with its rules, solved by FET."""
    return lessons_of(read_fet(file_with(time), file="s.fet"), STARTS, "s.fet", times_locked=False)


def bring(school: SchoolSystem, given: GivenTimetable, **more: object) -> TimetableImport:
    with transaction():
        return import_timetable(
            school.a.campus, given, first_week=WEEK, name="s.fet", actor=school.a.administrator, **more
        )  # type: ignore[arg-type]


def said(result: TimetableImport) -> set[tuple[str, str, int, int]]:
    return {(line.kind, line.fate.value, line.hard, line.soft) for line in result.constraints}


def test_what_the_campus_can_hold_is_taken_over_and_everything_else_named(school: SchoolSystem) -> None:
    found = bring(school, solved(), dry_run=True)
    assert said(found) == {
        ("TeacherNotAvailableTimes", "taken", 1, 0),
        ("TeacherMaxHoursDaily", "taken", 1, 0),
        ("TeachersMaxHoursDaily", "taken", 1, 0),
        ("TeacherMaxHoursDaily", "not_supported", 0, 1),
        ("MinDaysBetweenActivities", "taken", 1, 0),
        ("MinDaysBetweenActivities", "holds", 0, 1),
        ("MinDaysBetweenActivities", "not_supported", 1, 0),
        ("ActivitiesSameStartingTime", "taken", 1, 0),
        ("BreakTimes", "holds", 1, 0),
        ("StudentsSetNotAvailableTimes", "not_supported", 1, 0),
        ("ActivitiesPreferredTimeSlots", "taken", 0, 1),
        ("TeacherMaxGapsPerWeek", "not_supported", 1, 0),
        ("TeachersMaxGapsPerWeek", "not_supported", 1, 0),
        ("StudentsMaxGapsPerDay", "not_supported", 0, 1),
        ("BasicCompulsoryTime", "holds", 1, 0),
        ("BasicCompulsorySpace", "holds", 1, 0),
    }
    assert not db.session.scalar(sa.select(sa.func.count()).select_from(Unavailability))
    bring(school, solved())
    away = {(row.person_id, row.weekday, row.period_number) for row in db.session.scalars(sa.select(Unavailability))}
    assert away == {(school.a.teacher.id, 0, None), (school.a.teacher.id, 4, 4)}
    limits = {row.person_id: row.periods_per_day for row in db.session.scalars(sa.select(TeacherLimit))}
    assert limits == {school.a.teacher.id: 3, school.a.other_teacher.id: 5}
    a = school.a.classes[0].id
    assert {(r.kind, r.class_id, r.number, r.first_period, r.last_period) for r in rules_of(school.a.campus.id)} == {
        (RuleType.SPREAD, a, 1, None, None),
        (RuleType.PREFERRED, None, None, 1, 3),
    }
    one, two = arrangements_of(school.a.campus.id)
    assert one.band == two.band != ""
    assert {one.classes[0].part, two.classes[0].part} == {"X", "Y"}


def test_the_same_file_again_takes_nothing_over_twice(school: SchoolSystem) -> None:
    bring(school, solved())
    again = bring(school, solved())
    assert (again.rules, again.change_set) == ({}, None)
    assert not [line for line in again.constraints if line.fate.value == "taken"]
    assert len(rules_of(school.a.campus.id)) == 2


def test_what_is_not_wanted_is_left_out_and_said_so(school: SchoolSystem) -> None:
    found = bring(school, solved(), take=[Taken.TEACHER_LIMITS])
    assert ("TeacherNotAvailableTimes", "not_chosen", 1, 0) in said(found)
    assert rules_of(school.a.campus.id) == []
    assert list(found.rules) == [Taken.TEACHER_LIMITS]


def test_locked_times_are_the_lessons_or_else_fixed_periods(school: SchoolSystem, tmp_path: Path) -> None:
    (tmp_path / "s.fet").write_bytes(file_with(LOCKS))
    locked = bring(school, read_timetable(tmp_path / "s.fet", "s.fet"), dry_run=True)
    assert ("ActivityPreferredStartingTime", "holds", 6, 0) in said(locked)
    bring(school, solved(LOCKS))
    fixed = {(r.class_id, r.weekday, r.first_period) for r in rules_of(school.a.campus.id)}
    a, b = (group.id for group in school.a.classes[:2])
    assert fixed == {(a, 1, 2), (a, 2, 1), (b, 1, 3), (b, 3, 1)}
    # The two groups of a class have no fixed periods here.
    assert ("ActivityPreferredStartingTime", "not_supported", 2, 0) in said(bring(school, solved(LOCKS), dry_run=True))


def test_a_rule_that_contradicts_one_of_the_campus_is_named_not_taken(school: SchoolSystem) -> None:
    group = school.a.classes[0]
    with transaction():
        add_rule(school.a.campus, Stated(subject("S").id, RuleType.DOUBLES, class_id=group.id, number=1), actor=None)
    assert ("MinDaysBetweenActivities", "not_supported", 2, 0) in said(bring(school, solved(), dry_run=True))


def test_activities_that_make_no_lessons_are_counted_and_what_ends_too_late_refused(school: SchoolSystem) -> None:
    nobody = activity(7, "T1", "A").replace("<Students>A</Students>", "")
    idle = activity(8, "T1", "A").replace("<Active>true", "<Active>false")
    school_file = read_fet(file_with([], [*ACTIVITIES, nobody, idle]), file="s.fet")
    found = bring(school, lessons_of(school_file, STARTS, "s.fet", times_locked=False), dry_run=True)
    with use_locale("en"):
        told = [warning.text() for warning in found.warnings]
    assert told == [
        "1 activity has no students and is left out (7).",
        "1 activity is not active in FET and is left out (8).",
    ]
    late = read_fet(file_with([], [*ACTIVITIES[:1], activity(2, "T1", "A", hours=2)]), file="s.fet")
    with use_locale("en"), pytest.raises(BadInputs) as refusal:
        bring(school, lessons_of(late, {1: (1, 1), 2: (2, 6)}, "s.fet", times_locked=False))
    assert [p.text() for p in refusal.value.problems] == ["1 activity reaches beyond the last hour of the file (2)."]
    assert not db.session.scalars(sa.select(Lesson).where(Lesson.campus_id == school.a.campus.id)).all()


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (file_with(RULES)[:900], "XML"),
        (file_with(RULES).replace(b'version="6.8.5"', b'version="4.9"'), "version"),
        (file_with(RULES).replace(b"<Teacher>T2", b"<Teacher>T9"), "define"),
    ],
)
def test_a_file_that_is_cut_off_or_of_another_version_is_refused(tmp_path: Path, data: bytes, what: str) -> None:
    (tmp_path / "s.fet").write_bytes(data)
    with use_locale("en"), pytest.raises(BadInputs) as refusal:
        read_timetable(tmp_path / "s.fet", "s.fet")
    assert any(what in problem.text() for problem in refusal.value.problems), refusal.value.problems
