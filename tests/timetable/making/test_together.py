"""Campuses that share teachers or rooms are solved together, and their timetables are put in force together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from lms_bridge.core import clock, jobs
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BadInputs, Conflict
from lms_bridge.roster.models import Person
from lms_bridge.timetable.changing import changes
from lms_bridge.timetable.changing.joint import joint_with
from lms_bridge.timetable.changing.lesson_changes import cancel_lesson
from lms_bridge.timetable.inputs.models import LostRooms
from lms_bridge.timetable.making import runs, sharing
from lms_bridge.timetable.making.clocks import Bells, clocks, overlapping
from lms_bridge.timetable.making.impossible import TimetableImpossible
from lms_bridge.timetable.making.scheduling import propose_together, solve_together, solve_week
from lms_bridge.timetable.making.together import build_together
from lms_bridge.timetable.models import ChangeSet, ChangeState, Lesson, LessonStatus, SolveRun, Unavailability
from lms_bridge.timetable.solving.checker import broken_rules
from lms_bridge.timetable.solving.problem import Course, Placement, Pool, Problem, RuleKind, Slot
from lms_bridge.timetable.solving.solver import solve
from tests.builders import SchoolSystem, added
from tests.timetable.school import FRIDAY, WEEK
from tests.timetable.sharing import ring_later, shared_rooms, shared_teacher

System = tuple[SchoolSystem, Person]


@pytest.fixture
def shared(app: Flask) -> Iterator[System]:
    with clock.at(FRIDAY):
        yield shared_teacher()


def music(school: SchoolSystem) -> dict[str, int | None]:
    """The periods of the music lessons that take place, by campus."""
    db.session.expire_all()
    rows = db.session.scalars(sa.select(Lesson).where(Lesson.status == LessonStatus.SCHEDULED))
    return {row.campus.code: row.period_number for row in rows if row.subject.code == "music"}


def both(school: SchoolSystem) -> list[ChangeSet]:
    """The proposals for both campuses, solved together."""
    result = propose_together([school.a.campus, school.b.campus], WEEK, actor=None)
    found = [changes.change_set_by_uid(week.change_set_uid or "") for week in result.weeks]
    return [one for one in found if one is not None]


def test_one_after_the_other_fails_where_together_both_have_their_lessons(shared: System) -> None:
    school, _ = shared
    solve_week("campus-a", WEEK, actor=None)
    assert music(school) == {"campus-a": 1}
    with pytest.raises(TimetableImpossible, match="campus-b"):
        solve_week("campus-b", WEEK, actor=None)
    # A's lesson is in force, and may give way.
    result = solve_together([school.b.campus, school.a.campus], WEEK, actor=None)
    assert music(school) == {"campus-a": 2, "campus-b": 1}
    assert {week.campus_code: week.counts.moved for week in result.weeks} == {"campus-a": 1, "campus-b": 0}


def test_campuses_that_share_rooms_are_solved_together(app: Flask) -> None:
    with clock.at(FRIDAY):
        school = shared_rooms()
        solve_week("campus-a", WEEK, actor=None)
        with pytest.raises(TimetableImpossible):
            solve_week("campus-b", WEEK, actor=None)
        solve_together([school.a.campus, school.b.campus], WEEK, actor=None)
        assert music(school) == {"campus-a": 2, "campus-b": 1}


def test_rooms_that_one_campus_lost_are_lost_to_it_alone(app: Flask) -> None:
    with clock.at(FRIDAY):
        school = shared_rooms()
        with transaction():
            monday = (FRIDAY + timedelta(days=3)).date()
            added(LostRooms(campus_id=school.a.campus.id, first_day=monday, last_day=monday, rooms=0))
        pools = build_together([school.a.campus, school.b.campus], WEEK).problem.pools
        of_a, both = f"rooms{school.a.campus.id}", f"rooms{school.a.campus.id}+rooms{school.b.campus.id}"
        assert set(pools) == {of_a, both}
        assert (pools[of_a].at[Slot(0, 1)], pools[of_a].at[Slot(1, 1)], pools[both].at[Slot(0, 1)]) == (0, 1, 1)


@pytest.mark.parametrize("what", [shared_teacher, shared_rooms])
def test_lessons_are_kept_apart_by_the_clock_and_not_by_the_number_of_the_period(app: Flask, what: object) -> None:
    with clock.at(FRIDAY):
        if what is shared_teacher:
            school, _ = shared_teacher(until=3)
        else:
            school = shared_rooms()
            with transaction():
                db.session.execute(sa.delete(Unavailability).where(Unavailability.period_number == 3))
        # B's first period is from 8:20 to 9:00, while A's first ends at 8:40 and its second begins at 8:50.
        ring_later(school, 20)
        solve_together([school.a.campus, school.b.campus], WEEK, actor=None)
        assert music(school) == {"campus-a": 3, "campus-b": 1}


def test_slots_of_other_clocks_are_matched_by_the_moments_that_they_share() -> None:
    def bells(*spans: tuple[int, int], clock: int = 0) -> Bells:
        at = [tuple(FRIDAY + timedelta(minutes=minutes) for minutes in span) for span in spans]
        return {Slot(0, number, clock): frozenset({(begins, ends)}) for number, (begins, ends) in enumerate(at, 1)}

    one, later, longer = bells((0, 40), (50, 90)), bells((20, 60), (70, 110)), bells((0, 40), (50, 90), (100, 140))
    assert clocks([one, later, longer]) == [0, 1, 0]
    assert overlapping([one, bells((20, 60), (70, 110), clock=1)]) == (
        (Slot(0, 1, 0), Slot(0, 1, 1)),
        (Slot(0, 1, 1), Slot(0, 2, 0)),
        (Slot(0, 2, 0), Slot(0, 2, 1)),
    )


def test_the_solver_and_its_checker_know_which_slots_share_a_moment() -> None:
    at_a, at_b = Slot(0, 2, 0), Slot(0, 1, 1)
    courses = [
        Course(label, (label,), ("t",), "music", 1, label, slots=frozenset(slots), pool=f"rooms {label}")
        for label, slots in (("a", (at_a, Slot(0, 3, 0))), ("b", (at_b,)))
    ]
    slots, shared = (at_b, at_a, Slot(0, 3, 0)), ((at_b, at_a),)
    problem = Problem(slots, tuple(courses), overlapping=shared)
    together = Problem(
        slots,
        tuple(replace(course, teachers=()) for course in courses),
        pools={"both": Pool(1, of=("rooms a", "rooms b"))},
        overlapping=shared,
    )
    for one, rule in ((problem, RuleKind.TEACHER_ONCE), (together, RuleKind.POOL)):
        solution = solve(one)
        assert solution.slots_by_course() == {"a": (Slot(0, 3, 0),), "b": (at_b,)}
        assert broken_rules(one, solution.placements) == []
        assert [r.kind for r in broken_rules(one, [Placement("a", at_a), Placement("b", at_b)])] == [rule]


def test_what_cannot_be_together_is_said_with_the_names_of_the_campuses(shared: System) -> None:
    school, teacher = shared
    with transaction():
        added(Unavailability(person_id=teacher.id, weekday=0, period_number=2))
    with pytest.raises(TimetableImpossible) as refusal:
        solve_together([school.a.campus, school.b.campus], WEEK, actor=None)
    assert "campus-a, campus-b" in str(refusal.value)
    said = " ".join(map(str, refusal.value.problems))
    assert teacher.display_name in said
    assert "2 periods" in said


def test_what_is_missing_at_several_campuses_is_listed_at_once(shared: System) -> None:
    school, _ = shared
    with transaction():
        for at in (school.a, school.b):
            db.session.delete(at.grid)
    with pytest.raises(BadInputs) as refusal:
        solve_together([school.a.campus, school.b.campus], WEEK, actor=None)
    said = [str(problem) for problem in refusal.value.problems]
    for at in (school.a, school.b):
        assert any(one.startswith(f"{at.campus.name_en}: Class") for one in said)


def test_proposals_are_put_in_force_together_or_not_at_all(shared: System) -> None:
    school, _ = shared
    at_a, at_b = both(school)
    with transaction():
        changes.apply(at_b, school.bureau_administrator)
    assert music(school) == {"campus-a": 2, "campus-b": 1}
    assert [one.state for one in joint_with(at_a)] == [ChangeState.APPLIED] * 2
    with transaction():
        changes.undo(at_a, school.bureau_administrator)
    assert music(school) == {}
    assert [one.state for one in joint_with(at_a)] == [ChangeState.UNDONE] * 2
    again, _ = both(school)
    with transaction():
        changes.discard(again, school.bureau_administrator)
    assert [one.state for one in joint_with(again)] == [ChangeState.DISCARDED] * 2


def test_a_change_at_one_campus_makes_the_proposals_of_all_stale(shared: System) -> None:
    school, _ = shared
    solve_together([school.a.campus, school.b.campus], WEEK, actor=None)
    with transaction():
        cancel_lesson(_lesson(school, "campus-a"), actor=None)
        cancel_lesson(_lesson(school, "campus-b"), actor=None)
    at_a, _ = both(school)
    solve_week("campus-b", WEEK, actor=None)
    with pytest.raises(Conflict), transaction():
        changes.apply(at_a, None)
    assert music(school) == {"campus-b": 1}
    db.session.refresh(at_a)
    assert at_a.state is ChangeState.PROPOSED


def _lesson(school: SchoolSystem, code: str) -> Lesson:
    rows = db.session.scalars(sa.select(Lesson).where(Lesson.status == LessonStatus.SCHEDULED))
    return next(row for row in rows if row.subject.code == "music" and row.campus.code == code)


def test_the_campuses_that_share_are_found(shared: System) -> None:
    school, _ = shared
    every = sharing.all_campuses()
    (found,) = sharing.sharing_with(school.a.campus, WEEK, every)
    assert (found.campus.code, found.teachers, found.rooms) == ("campus-b", 1, False)
    assert [c.code for c in sharing.with_all_that_share([school.b.campus], WEEK, every)] == ["campus-b", "campus-a"]


def test_rooms_are_shared_while_both_are_online_and_somebody_counts_them(app: Flask) -> None:
    with clock.at(FRIDAY):
        school = shared_rooms()
        (found,) = sharing.sharing_with(school.a.campus, WEEK, sharing.all_campuses())
        assert (found.campus.code, found.teachers, found.rooms) == ("campus-b", 0, True)


def test_a_run_of_both_proposes_for_both_and_is_not_begun_twice(shared: System) -> None:
    school, _ = shared
    campuses = [school.a.campus, school.b.campus]
    with transaction():
        first = runs.start(campuses, WEEK, actor=school.bureau_administrator)
        again = runs.start(campuses[::-1], WEEK, actor=school.bureau_administrator)
        other = runs.start(campuses[:1], WEEK, actor=school.bureau_administrator)
    assert again is first
    assert other is not first
    jobs.run_due()
    db.session.expire_all()
    run = db.session.get_one(SolveRun, first.id)
    assert [part.change_set.campus_id for part in run.parts if part.change_set] == [c.id for c in campuses]
    with transaction():
        assert runs.start(campuses, WEEK, actor=school.bureau_administrator) is not first
