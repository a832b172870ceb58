"""A campus's week is solved and published whole, or nothing of it is stored and the refusal says why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
import sqlalchemy as sa
from flask import Flask

from lms_bridge.calendar.models import CalendarDay, DayKind
from lms_bridge.core import clock, events
from lms_bridge.core.clock import local
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BadInputs, Conflict, InputError
from lms_bridge.core.i18n import use_locale
from lms_bridge.core.models import AuditEntry, OutboxFact
from lms_bridge.timetable.changing import changes
from lms_bridge.timetable.changing.lesson_changes import cancel_lesson
from lms_bridge.timetable.events import LessonsChanged
from lms_bridge.timetable.making import scheduling
from lms_bridge.timetable.making.impossible import TimetableImpossible
from lms_bridge.timetable.making.scheduling import propose_together, solve_week
from lms_bridge.timetable.models import ChangeSet, ChangeState, Lesson, LessonStatus, TimetableWeek, Unavailability
from lms_bridge.timetable.solving.solver import solve
from tests.builders import SchoolSystem, added
from tests.timetable.school import FRIDAY, WEEK, as_stored, school_with_plans


@pytest.fixture
def school(app: Flask) -> Iterator[SchoolSystem]:
    """A school on the Friday before the week to be solved."""
    with clock.at(FRIDAY):
        yield school_with_plans()


def lessons_of(week: str) -> list[Lesson]:
    """The lessons of a week of campus A in order of time, cancelled ones too."""
    db.session.expire_all()
    return list(
        db.session.scalars(
            sa.select(Lesson)
            .join(TimetableWeek, TimetableWeek.id == Lesson.week_id)
            .where(TimetableWeek.week == week)
            .order_by(Lesson.starts_at, Lesson.id)
        )
    )


def facts() -> list[str]:
    """The facts that people will be told of, by their cause."""
    return list(db.session.scalars(sa.select(OutboxFact.cause).where(OutboxFact.kind == "timetable.changed")))


def stored() -> tuple[int, ...]:
    """How many rows of each kind a published week has."""
    db.session.rollback()
    return tuple(
        db.session.scalar(sa.select(sa.func.count()).select_from(table)) or 0
        for table in (Lesson, TimetableWeek, ChangeSet, OutboxFact, AuditEntry)
    )


def test_a_solved_week_is_stored_with_one_fact_to_tell(school: SchoolSystem) -> None:
    result = solve_week("campus-a", WEEK, actor=school.a.administrator)
    found = lessons_of(WEEK)
    assert result.counts.added == len(found) == result.counts.lessons
    assert {lesson.subject.code for lesson in found} >= {"chinese"}
    change_set = changes.change_set_by_uid(result.change_set_uid or "")
    assert change_set is not None
    assert change_set.state is ChangeState.APPLIED
    assert change_set.author_id == school.a.administrator.id
    assert facts() == [f"change_set:{change_set.id}"]
    assert db.session.scalar(sa.select(AuditEntry.entity_uid).filter_by(action="timetable.applied")) == change_set.uid
    week = db.session.scalars(sa.select(TimetableWeek).filter_by(week=WEEK)).one()
    assert (week.version, week.published_at) == (1, FRIDAY)


def test_nobody_is_in_two_lessons_at_once_and_each_lesson_teaches_the_next_unit(school: SchoolSystem) -> None:
    solve_week("campus-a", WEEK, actor=school.a.administrator)
    found = lessons_of(WEEK)
    taken = Counter(
        (who, lesson.starts_at)
        for lesson in found
        for who in [*(f"t{t.person_id}" for t in lesson.teachers), *(f"c{a.class_id}" for a in lesson.audience)]
    )
    assert set(taken.values()) == {1}
    for group in school.a.classes:
        chinese = [x for x in found if x.subject.code == "chinese" and x.audience[0].class_id == group.id]
        assert len(chinese) >= 4
        steps = [(x.units[0].unit_key, x.units[0].ordinal) for x in chinese]
        assert len(set(steps)) == len(steps)
        ordinals = [ordinal for _, ordinal in steps]
        assert all(after in (before + 1, 1) for before, after in pairwise(ordinals))


def test_a_dry_run_says_the_same_and_stores_nothing(school: SchoolSystem) -> None:
    before = stored()
    dry = solve_week("campus-a", WEEK, actor=school.a.administrator, dry_run=True)
    assert stored() == before
    assert dry.change_set_uid is None
    assert "Nothing was stored: this was a dry run." in dry.lines()
    assert solve_week("campus-a", WEEK, actor=school.a.administrator).counts == dry.counts


def test_a_proposed_week_is_only_looked_at(school: SchoolSystem) -> None:
    (result,) = propose_together([school.a.campus], WEEK, actor=school.a.administrator).weeks
    assert lessons_of(WEEK) == []
    assert facts() == []
    change_set = changes.change_set_by_uid(result.change_set_uid or "")
    assert change_set is not None
    assert change_set.state is ChangeState.PROPOSED
    with transaction():
        changes.apply(change_set, school.a.administrator)
    assert len(lessons_of(WEEK)) == result.counts.added


def test_solving_the_same_week_again_changes_nothing_and_tells_nobody(school: SchoolSystem) -> None:
    solve_week("campus-a", WEEK, actor=school.a.administrator)
    before, rows = as_stored(lessons_of(WEEK)), stored()
    again = solve_week("campus-a", WEEK, actor=school.a.administrator)
    assert not again.counts.anything
    assert again.change_set_uid is None
    assert as_stored(lessons_of(WEEK)) == before
    assert stored() == rows


def test_solving_again_replaces_a_cancelled_lesson_and_moves_no_other(school: SchoolSystem) -> None:
    solve_week("campus-a", WEEK, actor=school.a.administrator)
    lost = lessons_of(WEEK)[3]
    with transaction():
        cancel_lesson(lost, actor=school.a.administrator)
    times = {x.id: x.starts_at for x in lessons_of(WEEK) if x.status is LessonStatus.SCHEDULED}
    again = solve_week("campus-a", WEEK, actor=school.a.administrator)
    assert (again.counts.added, again.counts.moved, again.counts.cancelled) == (1, 0, 0)
    assert {x.id: x.starts_at for x in lessons_of(WEEK) if x.id in times} == times


def test_an_absent_teachers_lessons_move_off_the_day_and_the_others_stay(school: SchoolSystem) -> None:
    solve_week("campus-a", WEEK, actor=school.a.administrator)
    monday = date(2026, 11, 23)
    with transaction():
        added(Unavailability(person_id=school.a.teacher.id, first_day=monday, last_day=monday))
    before = {x.id: x.starts_at for x in lessons_of(WEEK)}
    result = solve_week("campus-a", WEEK, actor=school.a.administrator)
    after = {x.id: x.starts_at for x in lessons_of(WEEK)}
    on_monday = [key for key, starts in before.items() if local(starts, "Asia/Shanghai").date() == monday]
    assert result.counts.moved == len(on_monday) > 0
    assert all(local(after[key], "Asia/Shanghai").date() != monday for key in on_monday)
    assert all(after[key] == starts for key, starts in before.items() if key not in on_monday)
    assert after.keys() == before.keys()


@pytest.mark.parametrize(
    ("week", "words"),
    [
        ("2027-W30", "Week 2027-W30 (from 2027-07-26) lies outside the terms of campus campus-a."),
        ("2026-W45", "Week 2026-W45 is over at campus campus-a; its lessons stay as they are."),
        ("2026-W54", "“2026-W54” is not a week."),
        ("next week", "“next week” is not a week."),
    ],
)
def test_a_week_that_cannot_be_solved_is_refused_with_words(school: SchoolSystem, week: str, words: str) -> None:
    before = stored()
    with pytest.raises(InputError) as refusal:
        solve_week("campus-a", week, actor=school.a.administrator)
    assert refusal.value.text() == words
    assert refusal.value.remedy_text()
    assert stored() == before


def test_the_refusal_of_a_week_outside_the_term_names_the_terms(school: SchoolSystem) -> None:
    with pytest.raises(InputError) as refusal:
        solve_week("campus-a", "2027-W30", actor=school.a.administrator)
    assert "秋季学期 2026-08-24–2027-01-10" in refusal.value.remedy_text()
    with use_locale("zh-CN"):
        assert "秋季学期 2026-08-24–2027-01-10" in refusal.value.remedy_text()


def test_an_unknown_campus_is_refused_with_those_that_there_are(school: SchoolSystem) -> None:
    with pytest.raises(InputError) as refusal:
        solve_week("campus-z", WEEK, actor=school.a.administrator)
    assert "campus-a, campus-b" in refusal.value.remedy_text()


def test_a_holiday_has_no_lessons_and_its_make_up_day_has(app: Flask) -> None:
    # 2026: Monday 5 to Wednesday 7 October are off for the National Day, Saturday 10 October is worked for the 7th.
    with clock.at(datetime(2026, 10, 2, 4, 0, tzinfo=UTC)):
        school = school_with_plans()
        solve_week("campus-a", "2026-W41", actor=school.a.administrator)
        days = {local(x.starts_at, x.zone).date() for x in lessons_of("2026-W41")}
    assert days
    assert days <= {date(2026, 10, 8), date(2026, 10, 9), date(2026, 10, 10)}
    assert date(2026, 10, 10) in days


def test_a_day_that_the_school_itself_took_off_has_no_lessons(school: SchoolSystem) -> None:
    day = date(2026, 11, 25)
    with transaction():
        added(CalendarDay(organisation_id=school.a.campus.id, day=day, kind=DayKind.HOLIDAY, name="运动会"))
    solve_week("campus-a", WEEK, actor=school.a.administrator)
    days = {local(x.starts_at, x.zone).date() for x in lessons_of(WEEK)}
    assert days
    assert day not in days


def test_a_week_without_a_school_day_is_refused_and_names_the_days_off(school: SchoolSystem) -> None:
    with transaction():
        for n in range(5):
            day = date(2026, 11, 23) + timedelta(days=n)
            added(
                CalendarDay(organisation_id=school.group.id, day=day, kind=DayKind.HOLIDAY, name="雪假", name_en="Snow")
            )
    with pytest.raises(InputError) as refusal:
        solve_week("campus-a", WEEK, actor=school.a.administrator)
    assert "Mon 23 Nov Snow" in refusal.value.text()
    with use_locale("zh-CN"):
        assert "雪假" in refusal.value.text()
        assert "Snow" not in refusal.value.text()


def test_a_week_that_cannot_be_timetabled_names_the_teacher_and_stores_nothing(school: SchoolSystem) -> None:
    with transaction():
        for weekday in range(4):
            added(Unavailability(person_id=school.a.teacher.id, weekday=weekday))
    before = stored()
    with pytest.raises(TimetableImpossible) as refusal:
        solve_week("campus-a", WEEK, actor=school.a.administrator)
    assert any(
        problem.text().startswith(f"{school.a.teacher.display_name} has ") and problem.text().endswith("is free in 6.")
        for problem in refusal.value.problems
    )
    assert WEEK in refusal.value.text()
    assert any("teach at more times" in problem.remedy_text() for problem in refusal.value.problems)
    assert stored() == before


def test_rules_that_only_together_leave_no_timetable_are_named_one_by_one(school: SchoolSystem) -> None:
    teacher = school.a.teacher
    with transaction():
        # Five periods of each class, at most two a day, in 3 + 2 + 6 free periods: Friday takes only 4 of its 6.
        closed = [(0, None), (1, None), (2, 1), (2, 2), (2, 3), (3, 1), (3, 2), (3, 3), (3, 4)]
        for weekday, period in closed:
            added(Unavailability(person_id=teacher.id, weekday=weekday, period_number=period))
    before = stored()
    with pytest.raises(TimetableImpossible) as refusal:
        solve_week("campus-a", WEEK, actor=school.a.administrator)
    (problem,) = refusal.value.problems
    assert "5-1 Chinese has at most 2 periods a day" in problem.text()
    assert f"{teacher.display_name} can teach only at these times: Wednesday periods 4–6" in problem.text()
    with use_locale("zh-CN"):
        assert "这些规则不能同时成立" in problem.text()
    assert stored() == before


def test_a_class_without_a_period_grid_is_refused_by_name(school: SchoolSystem) -> None:
    with transaction():
        school.a.grid.grades = ["9"]
    with pytest.raises(BadInputs) as refusal:
        solve_week("campus-a", WEEK, actor=school.a.administrator)
    assert "Class 5-1 (grade 5) has no period grid for this week." in [p.text() for p in refusal.value.problems]


def test_what_somebody_changed_while_the_week_was_solved_is_not_overwritten(
    school: SchoolSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    solve_week("campus-a", WEEK, actor=school.a.administrator)
    with transaction():
        added(Unavailability(person_id=school.a.teacher.id, weekday=0))

    def meanwhile(*args: object) -> object:
        answer = solve(*args)  # type: ignore[arg-type]
        with transaction():
            cancel_lesson(lessons_of(WEEK)[-1], actor=school.a.teacher)
        return answer

    monkeypatch.setattr(scheduling, "solve", meanwhile)
    with pytest.raises(Conflict) as refusal:
        solve_week("campus-a", WEEK, actor=school.a.administrator)
    assert school.a.teacher.display_name in refusal.value.text()
    assert len(facts()) == 2


def test_a_listener_that_fails_takes_the_lessons_and_the_fact_back_with_it(
    school: SchoolSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stored()

    def fails(event: object) -> None:
        if isinstance(event, LessonsChanged):
            raise RuntimeError("no power")

    monkeypatch.setattr(events, "announce", fails)
    with pytest.raises(RuntimeError):
        solve_week("campus-a", WEEK, actor=school.a.administrator)
    assert stored() == before
