"""What a school states about its timetable reaches the solver, and the lessons that come of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, time, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from lms_bridge.calendar.limits import set_limits
from lms_bridge.core import clock
from lms_bridge.core.access import Role
from lms_bridge.core.clock import local
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BadInputs
from lms_bridge.lessons.capacity import accounts_for_lesson, set_rooms
from lms_bridge.lessons.models import ProviderAccount
from lms_bridge.roster.models import EnrolmentRole, Household, HouseholdMember, Subject
from lms_bridge.timetable.cases.teacher_times import Absent, add_absence, set_limit
from lms_bridge.timetable.inputs.arrangements import (
    WantedArrangement,
    add_arrangement,
    arrangements_of,
    remove_arrangement,
    set_members,
)
from lms_bridge.timetable.inputs.models import DayPart, RuleType, WeekParity
from lms_bridge.timetable.inputs.stated_rules import Stated
from lms_bridge.timetable.inputs.subject_rules import add_rule
from lms_bridge.timetable.making.scheduling import solve_week
from lms_bridge.timetable.making.together import build_problem
from lms_bridge.timetable.models import Lesson, LessonStatus, TeacherPart, TimetableWeek
from lms_bridge.timetable.queries import students_of
from lms_bridge.timetable.solving.problem import Apart, Problem, Slot
from tests.builders import (
    LONG_AGO,
    SchoolSystem,
    added,
    enrol,
    grid,
    guardianship,
    lesson,
    online,
    person,
    plan,
    provider_account,
    role,
    subject,
)
from tests.timetable.school import FRIDAY, WEEK, school_with_plans

MONDAY = date(2026, 11, 23)
NEXT_WEEK = "2026-W49"


@pytest.fixture
def school(app: Flask) -> Iterator[SchoolSystem]:
    """A school on the Friday before the week to be solved, online."""
    with clock.at(FRIDAY):
        school = school_with_plans()
        with transaction():
            online(school.group, MONDAY - timedelta(days=60))
        yield school


def chinese() -> Subject:
    """The subject that both classes have four or five periods a week in."""
    return subject("chinese")


def english(school: SchoolSystem) -> Subject:
    """English, five periods a week in the first class of A."""
    what, group = subject("english", "英语", "English"), school.a.classes[0]
    with transaction():
        enrol(school.a.other_teacher, group, EnrolmentRole.TEACHER, teaches=what)
        plan([group], what, school.a.other_teacher, units=[("Unit", 100)])
    return what


def problem_of(school: SchoolSystem, week: str = WEEK) -> Problem:
    """The problem that the solver is given for campus A."""
    db.session.expire_all()
    return build_problem(school.a.campus, week)[0]


def state(school: SchoolSystem, rule: Stated) -> None:
    """Let campus A state a rule."""
    with transaction():
        add_rule(school.a.campus, rule, actor=school.a.administrator)


def lessons_of(school: SchoolSystem, week: str = WEEK) -> list[Lesson]:
    """The lessons of campus A's week that take place, in order of time."""
    db.session.expire_all()
    return list(
        db.session.scalars(
            sa.select(Lesson)
            .join(TimetableWeek, TimetableWeek.id == Lesson.week_id)
            .where(
                TimetableWeek.week == week,
                TimetableWeek.campus_id == school.a.campus.id,
                Lesson.status == LessonStatus.SCHEDULED,
            )
            .order_by(Lesson.starts_at, Lesson.id)
        )
    )


def arrange(school: SchoolSystem, what: Subject, *parts: tuple[int, str], **more: object) -> None:
    """Let campus A arrange something."""
    values = {"lead": school.a.teacher, **more}
    with transaction():
        add_arrangement(
            school.a.campus,
            WantedArrangement(school.term, what, parts, **values),  # type: ignore[arg-type]
            actor=school.a.administrator,
        )


def test_double_periods_and_fixed_times_shape_the_course(school: SchoolSystem) -> None:
    what, group = chinese(), school.a.classes[0]
    state(school, Stated(what.id, RuleType.DOUBLES, class_id=group.id, number=1))
    state(school, Stated(what.id, RuleType.FIXED, class_id=group.id, weekday=2, first_period=3))
    courses = {c.key: c for c in problem_of(school).courses}
    mine = courses[f"{group.id}:{what.id}:online"]
    assert mine.blocks == (2, *(1,) * (mine.periods - 2))
    assert mine.fixed == (Slot(2, 3),)
    assert courses[f"{school.a.classes[1].id}:{what.id}:online"].blocks == ()


def test_a_fixed_time_holds_in_the_lessons(school: SchoolSystem) -> None:
    state(school, Stated(chinese().id, RuleType.FIXED, class_id=school.a.classes[0].id, weekday=2, first_period=3))
    solve_week("campus-a", WEEK, actor=None)
    times = [
        (local(row.starts_at, row.zone).weekday(), row.period_number)
        for row in lessons_of(school)
        if row.subject.code == "chinese" and row.audience[0].class_id == school.a.classes[0].id
    ]
    assert (2, 3) in times


def test_a_subject_that_is_spread_has_one_period_a_day(school: SchoolSystem) -> None:
    state(school, Stated(chinese().id, RuleType.SPREAD, number=1))
    solve_week("campus-a", WEEK, actor=None)
    days = [
        (row.audience[0].class_id, local(row.starts_at, row.zone).date())
        for row in lessons_of(school)
        if row.subject.code == "chinese"
    ]
    assert len(days) == len(set(days)) > 4


def test_a_wish_for_the_morning_names_the_slots_before_noon(school: SchoolSystem) -> None:
    state(school, Stated(chinese().id, RuleType.PREFERRED, day_part=DayPart.MORNING))
    course = next(c for c in problem_of(school).courses if c.subject == str(chinese().id))
    assert course.preferred == {Slot(day, period) for day in range(5) for period in (1, 2, 3, 4)}


def test_two_subjects_are_kept_apart_or_in_order_by_their_courses(school: SchoolSystem) -> None:
    first, what, group = english(school), chinese(), school.a.classes[0]
    state(school, Stated(first.id, RuleType.NOT_SAME_DAY, other_id=what.id, weeks=WeekParity.EVEN))
    state(school, Stated(first.id, RuleType.BEFORE, other_id=what.id, weeks=WeekParity.ODD))
    both = ((f"{group.id}:{first.id}:online", f"{group.id}:{what.id}:online"),)
    # The term began in week 35: week 48 is its 14th.
    even, odd = problem_of(school, WEEK), problem_of(school, NEXT_WEEK)
    assert (even.not_same_day, even.in_order) == (both, ())
    assert (odd.not_same_day, odd.in_order) == ((), both)


def test_a_subject_of_odd_weeks_is_not_taught_in_even_ones_and_loses_nothing(school: SchoolSystem) -> None:
    state(school, Stated(chinese().id, RuleType.WEEKS, weeks=WeekParity.ODD))
    even = {c.subject for c in problem_of(school, WEEK).courses}
    odd = [c for c in problem_of(school, NEXT_WEEK).courses if c.subject == str(chinese().id)]
    assert str(chinese().id) not in even
    assert [c.periods for c in odd] == [8, 8]


def test_a_joint_lesson_has_both_classes_and_the_unit_of_each(school: SchoolSystem) -> None:
    one, two = school.a.classes
    arrange(school, chinese(), (one.id, ""), (two.id, ""))
    solve_week("campus-a", WEEK, actor=None)
    found = [row for row in lessons_of(school) if row.subject.code == "chinese"]
    assert len(found) >= 4
    assert all({a.class_id for a in row.audience} == {one.id, two.id} for row in found)
    assert all({u.class_id for u in row.units} == {one.id, two.id} for row in found)
    assert not solve_week("campus-a", WEEK, actor=None).counts.anything


def test_groups_of_a_class_are_taught_at_the_same_time_by_two_teachers(school: SchoolSystem) -> None:
    group, what = school.a.classes[0], chinese()
    english(school)
    arrange(school, what, (group.id, "A"), band="5")
    arrange(school, what, (group.id, "B"), lead=school.a.other_teacher, band="5")
    problem = problem_of(school)
    parallel = [c for c in problem.courses if c.key.startswith("arranged")]
    assert problem.parallel == (tuple(sorted(c.key for c in parallel)),)
    assert {c.classes[0] for c in parallel} == {f"c{group.id}/A", f"c{group.id}/B"}
    whole = next(c for c in problem.courses if c.label == "5-1 English")
    assert set(whole.classes) >= {f"c{group.id}", f"c{group.id}/A", f"c{group.id}/B"}


def test_lessons_of_groups_that_are_arranged_no_more_stay_and_count_once(school: SchoolSystem) -> None:
    group, what = school.a.classes[0], chinese()
    arrange(school, what, (group.id, "A"))
    arrange(school, what, (group.id, "B"), lead=school.a.other_teacher)
    solve_week("campus-a", WEEK, actor=None)
    steps = {
        part: [(r.units[0].unit_key, r.units[0].ordinal) for r in lessons_of(school) if r.audience[0].part == part]
        for part in "AB"
    }
    assert steps["A"] == steps["B"] != []
    before = [row.id for row in lessons_of(school)]
    with transaction():
        for row in arrangements_of(school.a.campus.id):
            remove_arrangement(row, actor=school.a.administrator)
    solve_week("campus-a", WEEK, actor=None)
    assert [row.id for row in lessons_of(school)] == before


def test_only_the_members_of_a_group_are_expected_at_its_lessons(school: SchoolSystem) -> None:
    group, what = school.a.classes[0], chinese()
    arrange(school, what, (group.id, "A"))
    with transaction():
        set_members(group, "A", [school.a.students[0].id], actor=school.a.administrator)
    solve_week("campus-a", WEEK, actor=None)
    part = next(row for row in lessons_of(school) if row.audience[0].part == "A")
    assert students_of([part])[part.id] == [school.a.students[0].id]


def test_a_second_teacher_assists_in_every_lesson(school: SchoolSystem) -> None:
    arrange(school, chinese(), (school.a.classes[0].id, ""), assistants=(school.a.other_teacher,))
    solve_week("campus-a", WEEK, actor=None)
    found = [
        row
        for row in lessons_of(school)
        if row.subject.code == "chinese" and row.audience[0].class_id == school.a.classes[0].id
    ]
    assert all(
        {(t.person_id, t.part) for t in row.teachers}
        == {(school.a.teacher.id, TeacherPart.LEAD), (school.a.other_teacher.id, TeacherPart.ASSISTANT)}
        for row in found
    )


def test_an_arrangement_that_another_one_contradicts_is_refused(school: SchoolSystem) -> None:
    one, two = school.a.classes
    arrange(school, chinese(), (one.id, ""), (two.id, ""))
    with pytest.raises(BadInputs) as refusal:
        arrange(school, chinese(), (one.id, "A"))
    assert [p.text() for p in refusal.value.problems] == ["5-1 Chinese is arranged otherwise already."]
    with pytest.raises(BadInputs) as refusal:
        arrange(school, school.subject, (one.id, ""), lead=school.a.students[0])
    assert [p.text() for p in refusal.value.problems] == [
        f"{school.a.students[0].display_name} is not a teacher.",
        "One class with one teacher is an ordinary lesson.",
    ]


def test_a_teacher_who_has_left_an_arrangement_is_named(school: SchoolSystem) -> None:
    one, two = school.a.classes
    arrange(school, chinese(), (one.id, ""), (two.id, ""), assistants=(school.a.other_teacher,))
    with transaction():
        school.a.other_teacher.valid_to = MONDAY
    with pytest.raises(BadInputs) as refusal:
        solve_week("campus-a", WEEK, actor=None)
    assert f"{school.a.other_teacher.display_name}, who is to teach 5-1, 5-2 Chinese, has left." in [
        p.text() for p in refusal.value.problems
    ]
    assert lessons_of(school) == []


def test_a_part_time_teacher_has_no_lessons_on_free_days(school: SchoolSystem) -> None:
    with transaction():
        add_absence(
            school.a.campus, school.a.teacher, Absent(weekdays=frozenset({0}), periods=frozenset({1, 2})), actor=None
        )
        add_absence(school.a.campus, school.a.teacher, Absent(first_day=MONDAY + timedelta(days=1)), actor=None)
    solve_week("campus-a", WEEK, actor=None)
    taken = {
        (local(row.starts_at, row.zone).weekday(), row.period_number)
        for row in lessons_of(school)
        if any(t.person_id == school.a.teacher.id for t in row.teachers)
    }
    assert taken
    assert not {(0, 1), (0, 2)} & taken
    assert 1 not in {weekday for weekday, _ in taken}


def test_lessons_at_another_campus_count_among_the_periods_of_a_teachers_day(school: SchoolSystem) -> None:
    shared = school.a.teacher
    with transaction():
        role(shared, school.b.campus, Role.TEACHER)
        start = FRIDAY.replace(day=23, hour=0)
        lesson(school.b.classes[0], school.subject, shared, start)
        set_limit(school.a.campus, shared, 3, actor=school.a.administrator)
    problem = problem_of(school)
    assert problem.max_per_day == {f"t{shared.id}": 3}
    (taken,) = [c for c in problem.courses if c.key.startswith("taken")]
    assert (taken.teachers, taken.fixed) == ((f"t{shared.id}",), (Slot(0, 1),))


def test_the_rooms_of_an_account_are_shared_with_other_campuses(school: SchoolSystem) -> None:
    account = db.session.scalars(sa.select(ProviderAccount)).one()
    with transaction():
        set_rooms(account, 3, actor=None)
        enrol(school.b.teacher, school.b.classes[0], EnrolmentRole.TEACHER, teaches=chinese())
        plan(school.b.classes[:1], chinese(), school.b.teacher, units=[("第一课", 80)])
    solve_week("campus-b", WEEK, actor=None)
    theirs = [r for r in db.session.scalars(sa.select(Lesson)) if r.campus_id == school.b.campus.id]
    pool = problem_of(school).pools["rooms"]
    assert pool.limit == 3
    weekly = [r for r in theirs if r.starts_at > FRIDAY + timedelta(days=1)]
    assert sum(3 - left for left in pool.at.values()) == len(weekly) > 0
    assert {c.pool for c in problem_of(school).courses if c.online} == {"rooms"}


def test_a_lesson_gets_a_room_where_one_is_free(school: SchoolSystem) -> None:
    first = db.session.scalars(sa.select(ProviderAccount)).one()
    with transaction():
        second = provider_account(school.bureau, position=2)
        set_rooms(first, 0, actor=None)
    assert accounts_for_lesson(school.a.lesson)[0].id == second.id


def test_limits_of_minutes_and_breaks_reach_the_solver(school: SchoolSystem) -> None:
    with transaction():
        set_limits(
            school.a.campus, "5", periods_per_day=6, minutes_per_lesson=40, screen_minutes_per_day=130,
            periods_in_a_row=2,
        )  # fmt: skip
    problem = problem_of(school)
    key = f"c{school.a.classes[0].id}"
    assert problem.max_online_per_day[key] == 3
    assert problem.max_online_run[key] == 2


def test_siblings_with_one_device_and_teachers_with_young_children_are_wished_apart(school: SchoolSystem) -> None:
    one, two = school.a.classes
    with transaction():
        for devices, children in ((1, (school.a.students[0], school.a.students[2])), (2, school.a.students[1:])):
            home = added(Household(devices=devices))
            for child in children:
                added(HouseholdMember(household_id=home.id, person_id=child.id, valid_from=LONG_AGO))
    assert problem_of(school).apart == (Apart(f"c{one.id}", f"c{two.id}", 2),)
    with transaction():
        young = person()
        two.grade = "2"
        enrol(young, two)
        guardianship(school.a.teacher, young)
    assert Apart(f"t{school.a.teacher.id}", f"c{two.id}", 4) in problem_of(school).apart


def test_classes_taught_together_without_a_common_period_are_refused(school: SchoolSystem) -> None:
    one, two = school.a.classes
    arrange(school, chinese(), (one.id, ""), (two.id, ""))
    with transaction():
        two.grade = "6"
        school.a.grid.grades = ["5"]
        grid(school.a.campus, starts=(time(8, 5), time(8, 55)), grades=["6"])
    with pytest.raises(BadInputs) as refusal:
        problem_of(school)
    assert "The classes 5-1; 5-2, taught together in Chinese, have no period at the same time." in [
        problem.text() for problem in refusal.value.problems
    ]
