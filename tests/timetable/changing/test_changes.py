"""Lessons change by change sets: moved, cancelled, given away, undone; of two authors the second is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, time, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from lms_bridge.core import clock
from lms_bridge.core.clock import local
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BadInputs, Conflict, InputError
from lms_bridge.core.models import OutboxFact
from lms_bridge.roster.models import Person
from lms_bridge.timetable.changing import changes
from lms_bridge.timetable.changing.lesson_changes import cancel_lesson, move_lesson, substitute_teacher
from lms_bridge.timetable.making.scheduling import solve_week
from lms_bridge.timetable.models import (
    ChangeCause,
    ChangeSet,
    ChangeState,
    Lesson,
    LessonStatus,
    TeacherPart,
    TimetableWeek,
    Unavailability,
)
from lms_bridge.timetable.snapshots import LessonState, state_of, without_units
from tests.builders import SchoolSystem, added, lesson
from tests.timetable.school import FRIDAY, WEEK, school_with_plans

MONDAY = date(2026, 11, 23)


@pytest.fixture
def school(app: Flask) -> Iterator[SchoolSystem]:
    """A school on Friday, whose next week is published."""
    with clock.at(FRIDAY):
        school = school_with_plans()
        solve_week("campus-a", WEEK, actor=school.a.administrator)
        yield school


def lessons(class_id: int) -> list[Lesson]:
    """The Chinese lessons of a class in the week, in order of time."""
    db.session.expire_all()
    return [
        row
        for row in db.session.scalars(sa.select(Lesson).join(TimetableWeek).where(TimetableWeek.week == WEEK))
        if row.subject.code == "chinese" and row.audience[0].class_id == class_id
    ]


def first(school: SchoolSystem) -> Lesson:
    """The first Chinese lesson of class 5-1."""
    return min(lessons(school.a.classes[0].id), key=lambda row: row.starts_at)


def units(school: SchoolSystem) -> list[tuple[str, int]]:
    """What the Chinese lessons of class 5-1 that take place teach, in order of time."""
    rows = sorted(lessons(school.a.classes[0].id), key=lambda row: row.starts_at)
    return [(unit.unit_key, unit.ordinal) for row in rows if row.status is LessonStatus.SCHEDULED for unit in row.units]


def free_period(school: SchoolSystem, day: date) -> int:
    """A period of the day in which neither class 5-1 nor its teacher has a lesson."""
    rows = [*lessons(school.a.classes[0].id), *lessons(school.a.classes[1].id)]
    taken = {r.period_number for r in rows if local(r.starts_at, r.zone).date() == day}
    return next(n for n in (4, 5, 6, 3, 2, 1) if n not in taken)


def cancelled(row: Lesson) -> LessonState:
    """The lesson as it would be if it did not take place."""
    return replace(state_of(row), status=LessonStatus.CANCELLED)


def refusals(refusal: pytest.ExceptionInfo[BadInputs]) -> list[str]:
    """What a refusal lists."""
    return [problem.text() for problem in refusal.value.problems]


def told() -> list[tuple[str, str, bool]]:
    """The facts to tell: kind, cause, and whether they were withdrawn."""
    return [
        (fact.kind, fact.cause, fact.withdrawn_at is not None)
        for fact in db.session.scalars(sa.select(OutboxFact).order_by(OutboxFact.id))
    ]


def test_a_moved_lesson_keeps_its_address_and_everybody_is_told_once(school: SchoolSystem) -> None:
    row = first(school)
    uid, sequence = row.uid, row.sequence
    period = free_period(school, MONDAY + timedelta(days=3))
    with transaction():
        done = move_lesson(row, MONDAY + timedelta(days=3), period=period, actor=school.a.administrator, reason="体检")
    moved = db.session.scalars(sa.select(Lesson).filter_by(uid=uid)).one()
    assert local(moved.starts_at, moved.zone).date() == MONDAY + timedelta(days=3)
    assert (moved.period_number, moved.sequence) == (period, sequence + 1)
    assert done.reason == "体检"
    assert told()[-1] == ("timetable.changed", f"change_set:{done.id}", False)
    assert len(told()) == 2


def test_units_keep_their_order_when_a_lesson_moves_behind_others(school: SchoolSystem) -> None:
    before = units(school)
    friday = MONDAY + timedelta(days=4)
    with transaction():
        move_lesson(first(school), friday, period=free_period(school, friday), actor=school.a.administrator)
    assert units(school) == before


def test_the_unit_of_a_cancelled_lesson_goes_to_the_next_one(school: SchoolSystem) -> None:
    before = units(school)
    with transaction():
        cancel_lesson(first(school), actor=school.a.administrator)
    assert units(school) == before[:-1]
    row = first(school)
    assert row.status is LessonStatus.CANCELLED
    assert row.cancelled_at == FRIDAY


def test_a_cancelled_lesson_is_not_cancelled_again(school: SchoolSystem) -> None:
    with transaction():
        cancel_lesson(first(school), actor=school.a.administrator)
    with pytest.raises(BadInputs) as refusal, transaction():
        cancel_lesson(first(school), actor=school.a.administrator)
    assert refusals(refusal)[0].endswith("is cancelled already.")


def test_a_substitute_takes_the_place_of_the_teacher(school: SchoolSystem) -> None:
    row = first(school)
    with transaction():
        done = substitute_teacher(row, school.a.other_teacher, actor=school.a.administrator)
    assert [(t.person_id, t.part) for t in first(school).teachers] == [
        (school.a.other_teacher.id, TeacherPart.SUBSTITUTE)
    ]
    assert done.cause is ChangeCause.TEACHER_ABSENCE


def test_a_substitute_keeps_the_lesson_when_the_week_is_solved_again(school: SchoolSystem) -> None:
    with transaction():
        substitute_teacher(first(school), school.a.other_teacher, actor=school.a.administrator)
    before = without_units(state_of(first(school)))
    solve_week("campus-a", WEEK, actor=school.a.administrator)
    assert without_units(state_of(first(school))) == before


@pytest.mark.parametrize(
    ("who", "words"),
    [
        ("students", "is not a teacher."),
        ("teacher", "teaches this lesson already."),
    ],
)
def test_not_everybody_can_take_a_lesson(school: SchoolSystem, who: str, words: str) -> None:
    found = getattr(school.a, who)
    person: Person = found[0] if isinstance(found, list) else found
    with pytest.raises(BadInputs) as refusal, transaction():
        substitute_teacher(first(school), person, actor=school.a.administrator)
    assert refusals(refusal) == [f"{person.display_name} {words}"]


def test_a_teacher_who_is_busy_at_another_campus_or_absent_cannot_take_a_lesson(school: SchoolSystem) -> None:
    row = first(school)
    with transaction():
        lesson(school.b.classes[0], school.subject, school.a.other_teacher, row.starts_at)
        added(Unavailability(person_id=school.a.other_teacher.id, first_day=MONDAY, last_day=MONDAY))
    with pytest.raises(BadInputs) as refusal, transaction():
        substitute_teacher(first(school), school.a.other_teacher, actor=school.a.administrator)
    texts = refusals(refusal)
    assert any("already has a lesson on Mon 23 Nov" in text and "(campus campus-b)" in text for text in texts)
    assert any("cannot teach on Mon 23 Nov" in text for text in texts)


def test_everything_that_speaks_against_a_move_is_listed_at_once(school: SchoolSystem) -> None:
    row = first(school)
    other = max(lessons(school.a.classes[0].id), key=lambda r: r.starts_at)
    with transaction():
        added(Unavailability(person_id=school.a.teacher.id, weekday=local(other.starts_at, other.zone).weekday()))
    before = state_of(row)
    with pytest.raises(BadInputs) as refusal, transaction():
        move_lesson(
            row, local(other.starts_at, other.zone).date(), period=other.period_number, actor=school.a.administrator
        )
    texts = refusals(refusal)
    assert any(text.startswith("5-1 already has a lesson on") for text in texts)
    assert any(text.startswith(f"{school.a.teacher.display_name} already has a lesson on") for text in texts)
    assert any(text.startswith(f"{school.a.teacher.display_name} cannot teach on") for text in texts)
    assert state_of(first(school)) == before


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2026, 11, 28), "No school is held on Sat 28 Nov."),
        (date(2027, 1, 1), "(New Year's Day)."),
        (date(2026, 11, 18), "is in the past."),
    ],
)
def test_a_lesson_is_not_moved_to_a_day_without_school_or_in_the_past(
    school: SchoolSystem, day: date, words: str
) -> None:
    with pytest.raises(BadInputs) as refusal, transaction():
        move_lesson(first(school), day, period=6, actor=school.a.administrator)
    assert any(words in text for text in refusals(refusal))


def test_a_period_that_the_day_does_not_have_is_refused(school: SchoolSystem) -> None:
    with pytest.raises(BadInputs) as refusal, transaction():
        move_lesson(first(school), MONDAY, period=9, actor=school.a.administrator)
    assert refusals(refusal) == ["There is no period 9 on Mon 23 Nov."]


def test_a_lesson_outside_the_grid_keeps_its_length(school: SchoolSystem) -> None:
    with transaction():
        move_lesson(first(school), MONDAY, start=time(18, 30), actor=school.a.administrator)
    row = max(
        (r for r in lessons(school.a.classes[0].id) if local(r.starts_at, r.zone).date() == MONDAY),
        key=lambda r: r.starts_at,
    )
    assert local(row.starts_at, row.zone).time() == time(18, 30)
    assert row.ends_at - row.starts_at == timedelta(minutes=40)
    assert row.period_number is None


def test_a_lesson_that_has_begun_stays(school: SchoolSystem) -> None:
    row = first(school)
    with clock.at(row.starts_at), pytest.raises(BadInputs) as refusal, transaction():
        cancel_lesson(row, actor=school.a.administrator)
    assert refusals(refusal)[0].endswith("has begun already.")


def test_an_undone_change_puts_the_lesson_back_and_takes_back_what_was_not_told(school: SchoolSystem) -> None:
    before = state_of(first(school))
    friday = MONDAY + timedelta(days=4)
    with transaction():
        done = move_lesson(first(school), friday, period=free_period(school, friday), actor=school.a.administrator)
    with transaction():
        back = changes.undo(done, school.a.administrator)
    assert state_of(first(school)) == before
    assert (done.state, back.state) == (ChangeState.UNDONE, ChangeState.APPLIED)
    assert told()[1:] == [
        ("timetable.changed", f"change_set:{done.id}", True),
        ("timetable.undone", f"change_set:{done.id}", False),
    ]
    with pytest.raises(Conflict) as refusal, transaction():
        changes.undo(done, school.a.administrator)
    assert refusal.value.text() == "This change was undone already."


def test_a_cancelled_lesson_comes_back_with_its_unit_when_the_change_is_undone(school: SchoolSystem) -> None:
    before, taught = state_of(first(school)), units(school)
    with transaction():
        done = cancel_lesson(first(school), actor=school.a.administrator)
    with transaction():
        changes.undo(done, school.a.administrator)
    assert state_of(first(school)) == before
    assert units(school) == taught


def test_undoing_the_publication_cancels_the_week_and_solving_it_again_works(school: SchoolSystem) -> None:
    publication = db.session.scalars(sa.select(ChangeSet)).one()
    with transaction():
        changes.undo(publication, school.a.administrator)
    assert {row.status for row in lessons(school.a.classes[0].id)} == {LessonStatus.CANCELLED}
    again = solve_week("campus-a", WEEK, actor=school.a.administrator)
    assert again.counts.added == len(publication.changes)
    assert units(school)[0][1] >= 1
    assert len(units(school)) == len(set(units(school)))


def test_a_change_that_was_changed_again_cannot_be_undone(school: SchoolSystem) -> None:
    friday, thursday = MONDAY + timedelta(days=4), MONDAY + timedelta(days=3)
    row = first(school)
    with transaction():
        done = move_lesson(row, friday, period=free_period(school, friday), actor=school.a.administrator)
    with transaction():
        move_lesson(row, thursday, period=free_period(school, thursday), actor=school.a.administrator)
    before = state_of(row)
    with pytest.raises(Conflict) as refusal, transaction():
        changes.undo(done, school.a.administrator)
    assert "was changed again since" in refusal.value.text()
    db.session.expire_all()
    assert state_of(row) == before


def test_a_change_of_lessons_that_have_begun_cannot_be_undone(school: SchoolSystem) -> None:
    publication = db.session.scalars(sa.select(ChangeSet)).one()
    with clock.at(first(school).starts_at), pytest.raises(BadInputs) as refusal, transaction():
        changes.undo(publication, school.a.administrator)
    assert any("has begun already and stays as it is" in text for text in refusals(refusal))


def test_the_second_of_two_authors_is_refused_and_hears_who_was_first(school: SchoolSystem) -> None:
    row, later = first(school), max(lessons(school.a.classes[0].id), key=lambda r: r.starts_at)
    with transaction():
        second = changes.propose(
            school.a.campus,
            ChangeCause.REQUEST,
            [changes.Wanted(later, cancelled(later))],
            actor=school.bureau_administrator,
        )
    with transaction():
        cancel_lesson(row, actor=school.a.administrator)
    before = state_of(later)
    with pytest.raises(Conflict) as refusal, transaction():
        changes.apply(second, school.bureau_administrator)
    text = refusal.value.text()
    assert text.startswith(f"The timetable of {WEEK} was changed meanwhile")
    assert school.a.administrator.display_name in text
    assert "Fri 20 Nov" in text
    db.session.expire_all()
    assert state_of(later) == before
    assert second.state is ChangeState.PROPOSED


def test_a_proposal_is_applied_or_given_up_but_not_both(school: SchoolSystem) -> None:
    row = first(school)
    with transaction():
        proposal = changes.propose(
            school.a.campus,
            ChangeCause.REQUEST,
            [changes.Wanted(row, cancelled(row))],
            actor=school.a.administrator,
        )
    with transaction():
        changes.discard(proposal, school.a.administrator)
    with pytest.raises(Conflict) as refusal, transaction():
        changes.apply(proposal, school.a.administrator)
    assert refusal.value.text() == "This change was given up."
    assert first(school).status is LessonStatus.SCHEDULED
    assert len(told()) == 1


def test_a_change_that_changes_nothing_is_refused(school: SchoolSystem) -> None:
    row = first(school)
    with pytest.raises(InputError) as refusal, transaction():
        changes.propose(school.a.campus, ChangeCause.REQUEST, [changes.Wanted(row, state_of(row))], actor=None)
    assert refusal.value.text() == "Nothing would change."


def test_what_has_begun_by_now_is_never_changed(school: SchoolSystem) -> None:
    row, other = first(school), max(lessons(school.a.classes[0].id), key=lambda r: r.starts_at)
    with transaction():
        wanted = [changes.Wanted(r, cancelled(r)) for r in (row, other)]
        change_set = changes.propose(school.a.campus, ChangeCause.REQUEST, wanted, actor=None)
    with clock.at(row.starts_at), pytest.raises(Conflict) as refusal, transaction():
        changes.apply(change_set, school.a.administrator)
    assert refusal.value.text() == "Lessons of this change have begun by now, the first on Mon 23 Nov, 8:00."
    assert {r.status for r in lessons(school.a.classes[0].id)} == {LessonStatus.SCHEDULED}


def test_nothing_is_put_into_the_past(school: SchoolSystem) -> None:
    row, other = first(school), max(lessons(school.a.classes[0].id), key=lambda r: r.starts_at)
    early = replace(state_of(other), starts_at=row.starts_at - timedelta(hours=1), ends_at=row.starts_at)
    with transaction():
        wanted = [changes.Wanted(other, early)]
        change_set = changes.propose(school.a.campus, ChangeCause.REQUEST, wanted, actor=None)
    with clock.at(row.starts_at), pytest.raises(Conflict), transaction():
        changes.apply(change_set, school.a.administrator)


def test_units_of_lessons_that_have_begun_are_left_out(school: SchoolSystem) -> None:
    row, *_, other = sorted(lessons(school.a.classes[0].id), key=lambda r: r.starts_at)
    before = state_of(row).units
    with transaction():
        wanted = [changes.Wanted(row, replace(state_of(row), units=())), changes.Wanted(other, cancelled(other))]
        change_set = changes.propose(school.a.campus, ChangeCause.REQUEST, wanted, actor=None)
    with clock.at(row.starts_at), transaction():
        changes.apply(change_set, school.a.administrator)
    assert state_of(first(school)).units == before
    assert {change.lesson_id for change in change_set.changes} == {other.id}


def test_a_lesson_that_moves_into_a_week_without_timetable_does_not_publish_it(school: SchoolSystem) -> None:
    later = MONDAY + timedelta(days=7)
    with transaction():
        done = move_lesson(first(school), later, period=1, actor=school.a.administrator)
    week = db.session.scalars(sa.select(TimetableWeek).where(TimetableWeek.week > WEEK)).one()
    assert (week.version, week.published_at) == (1, None)
    with transaction():
        changes.undo(done, school.a.administrator)
    assert solve_week("campus-a", week.week, actor=school.a.administrator).counts.added > 0
    change_set = db.session.scalars(sa.select(ChangeSet).order_by(ChangeSet.id.desc())).first()
    assert change_set is not None
    assert change_set.cause is ChangeCause.PUBLICATION


def test_a_publication_that_is_undone_leaves_the_week_unpublished(school: SchoolSystem) -> None:
    change_set = db.session.scalars(sa.select(ChangeSet)).one()
    with transaction():
        changes.undo(change_set, school.a.administrator)
    week = db.session.scalars(sa.select(TimetableWeek).where(TimetableWeek.week == WEEK)).one()
    assert week.published_at is None
