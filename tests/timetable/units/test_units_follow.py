"""Units follow lessons: whatever is moved, cancelled, lost or undone, each course is taught its plan in order, without
a gap, and the pace says how far it has come."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from lms_bridge.core import clock
from lms_bridge.core.clock import local, now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BridgeError
from lms_bridge.plans.models import PlanClass, TeachingPlan
from lms_bridge.plans.weeks import Step
from lms_bridge.timetable.changing import changes
from lms_bridge.timetable.changing.lesson_changes import cancel_lesson, move_lesson
from lms_bridge.timetable.inputs.arrangements import WantedArrangement, add_arrangement
from lms_bridge.timetable.making.scheduling import solve_week
from lms_bridge.timetable.models import ChangeSet, ChangeState, Lesson, LessonStatus, TimetableWeek
from lms_bridge.timetable.reports.progress import class_progress, pace
from lms_bridge.timetable.units.pace import only_in
from tests.builders import SchoolSystem, plan, subject
from tests.timetable.school import FRIDAY, WEEK, school_with_plans

NEXT_WEEK = "2026-W49"
MONDAY = date(2026, 11, 23)


@pytest.fixture
def school(app: Flask) -> Iterator[SchoolSystem]:
    """A school on Friday whose next two weeks are published; in 5-1 Chinese is taught in two groups."""
    with clock.at(FRIDAY):
        school = school_with_plans()
        group = school.a.classes[0]
        with transaction():
            for part, lead in (("A", school.a.teacher), ("B", school.a.other_teacher)):
                wanted = WantedArrangement(school.term, subject("chinese"), ((group.id, part),), lead, band="5")
                add_arrangement(school.a.campus, wanted, actor=None)
            plan(school.a.classes[1:], school.subject, school.a.other_teacher, units=[("分数", 30), ("小数", 30)])
        for week in (WEEK, NEXT_WEEK):
            solve_week("campus-a", week, actor=None)
        yield school


def to_come() -> list[Lesson]:
    """The lessons of the two weeks in order of time."""
    db.session.expire_all()
    return list(
        db.session.scalars(
            sa.select(Lesson)
            .join(TimetableWeek, TimetableWeek.id == Lesson.week_id)
            .where(TimetableWeek.week.in_((WEEK, NEXT_WEEK)))
            .order_by(Lesson.starts_at, Lesson.id)
        )
    )


def strands() -> dict[tuple[int, int, str], list[Step]]:
    """What each class (or group of one) is taught in each subject, in order of time."""
    found: dict[tuple[int, int, str], list[Step]] = {}
    for row in to_come():
        if row.status is LessonStatus.SCHEDULED:
            for unit in row.units:
                part = next(a.part for a in row.audience if a.class_id == unit.class_id)
                key = (unit.class_id, row.subject_id, part)
                found.setdefault(key, []).append(Step(unit.unit_key, unit.ordinal))
    return found


def lines() -> dict[tuple[int, int], list[Step]]:
    """The plans of the classes, step by step."""
    found = {}
    for link in db.session.scalars(sa.select(PlanClass)):
        units = db.session.get_one(TeachingPlan, link.plan_id).versions[-1].units
        found[link.class_id, link.subject_id] = [Step(u.key, n) for u in units for n in range(1, u.periods + 1)]
    return found


def change_something(chance: random.Random, school: SchoolSystem) -> None:
    """Move, cancel or undo something; what is refused changes nothing, and something else is tried."""
    for _ in range(6):
        rows = [row for row in to_come() if row.status is LessonStatus.SCHEDULED and row.starts_at > now()]
        row = chance.choice(rows)
        what = chance.choice(["move", "move", "move", "cancel", "undo"])
        try:
            with transaction():
                if what == "move":
                    day = MONDAY + timedelta(days=chance.choice([0, 1, 2, 3, 4, 7, 8, 9, 10, 11]))
                    move_lesson(row, day, period=chance.randint(1, 6), actor=school.a.administrator)
                elif what == "cancel":
                    cancel_lesson(row, actor=school.a.administrator)
                else:
                    last = db.session.scalars(
                        sa.select(ChangeSet).filter_by(state=ChangeState.APPLIED).order_by(ChangeSet.id.desc()).limit(1)
                    ).one()
                    if last.cause == "publication":
                        continue
                    changes.undo(last, school.a.administrator)
            return
        except BridgeError:
            db.session.rollback()


@pytest.mark.parametrize("seed", range(3))
def test_after_any_changes_each_course_is_taught_in_order_without_gaps(school: SchoolSystem, seed: int) -> None:
    chance = random.Random(seed)
    plans, begun = lines(), {key: taught[0] for key, taught in strands().items()}
    assert {part for _, _, part in begun} == {"", "A", "B"}
    for number in range(10):
        change_something(chance, school)
        if number == 6:
            # From here on the first two days are over, and what they taught stays taught.
            with clock.at(FRIDAY + timedelta(days=5)):
                for _ in range(4):
                    change_something(chance, school)
        for (class_id, subject_id, part), taught in strands().items():
            line = plans[class_id, subject_id]
            start = line.index(begun[class_id, subject_id, part])
            assert taught == line[start : start + len(taught)], (seed, number, class_id, subject_id, part)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(ChangeSet)) > 12, "too few changes were possible"


def test_the_groups_of_a_class_go_through_the_plan_each_for_itself(school: SchoolSystem) -> None:
    group = school.a.classes[0]
    before = strands()
    mine = [r for r in to_come() if r.audience[0].part == "A"]
    with transaction():
        cancel_lesson(mine[0], actor=school.a.administrator)
    after = strands()
    key = (group.id, mine[0].subject_id)
    assert after[*key, "A"] == before[*key, "A"][:-1]
    assert after[*key, "B"] == before[*key, "B"]


def test_a_lost_week_shows_in_the_pace_and_in_what_does_not_fit_the_term(school: SchoolSystem) -> None:
    group, campus = school.a.classes[1], school.a.campus
    chinese = subject("chinese")
    with clock.at(FRIDAY + timedelta(days=3)):
        (before,) = [p for p in class_progress(campus, school.term, [group]) if p.subject.id == chinese.id]
        mine = [r for r in to_come() if r.subject_id == chinese.id and r.audience[0].class_id == group.id]
        lost = [r for r in mine if local(r.starts_at, r.zone).date() < MONDAY + timedelta(days=7)]
        lost = [r for r in lost if r.starts_at > now()]
        for row in lost:
            with transaction():
                cancel_lesson(row, actor=school.a.administrator)
        (after,) = [p for p in class_progress(campus, school.term, [group]) if p.subject.id == chinese.id]
    assert before.behind == 0
    assert before.left_over == 0
    assert after.behind == len(lost) == after.left_over > 0
    assert after.planned == before.planned
    with clock.at(FRIDAY + timedelta(days=3)):
        weeks = pace(campus, school.term, (group.id, chinese.id))
    fourteenth = weeks[13]
    assert (fourteenth.iso, fourteenth.planned - (fourteenth.taught or 0)) == (WEEK, len(lost))
    assert weeks[-1].taught is None


def test_the_pace_is_measured_in_periods_of_the_benchmark(school: SchoolSystem) -> None:
    weeks = pace(school.a.campus, school.term, (school.a.classes[0].id, school.subject.id))
    # The plan is the benchmark's own, so both go alike.
    assert weeks[-1].benchmark == 5
    assert [w.like_benchmark for w in weeks if w.taught is not None] == [
        w.benchmark for w in weeks if w.taught is not None
    ]


def test_the_plan_of_a_subject_of_odd_weeks_keeps_its_order() -> None:
    steps = [Step("u", n) for n in range(1, 7)]
    weeks = [steps[0:1], steps[1:3], [], steps[3:5], steps[5:6]]
    moved = only_in(weeks, [True, False, True, False, False])
    assert moved == [steps[0:1], [], steps[1:], [], []]
    assert only_in(weeks, [False] * 5) == weeks
