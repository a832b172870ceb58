"""What the slots of a week say to a lesson is what moving it there says; lessons change places; conflicts are seen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask

from lms_bridge.calendar.days import teaching_weeks
from lms_bridge.calendar.limits import set_limits
from lms_bridge.calendar.models import CalendarDay, DayKind
from lms_bridge.core import clock
from lms_bridge.core.clock import local
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BadInputs, Conflict
from lms_bridge.core.i18n import use_locale
from lms_bridge.timetable.cases.substitutes import candidates
from lms_bridge.timetable.changing.lesson_changes import (
    cancel_lesson,
    hints_of,
    move_lesson,
    planned_move,
    substitute_teacher,
    swap_lessons,
)
from lms_bridge.timetable.changing.slot_checks import Verdict, check_week
from lms_bridge.timetable.changing.week_conflicts import ConflictKind, conflicts_of
from lms_bridge.timetable.inputs.models import DayPart, RuleType, TeacherLimit, WeekParity
from lms_bridge.timetable.inputs.stated_rules import Stated
from lms_bridge.timetable.inputs.subject_rules import add_rule
from lms_bridge.timetable.models import Lesson, LessonStatus, Unavailability
from tests.builders import added
from tests.timetable.placed import MONDAY, Placed, at, placed_week
from tests.timetable.school import FRIDAY, WEEK


@pytest.fixture
def placed(app: Flask) -> Iterator[Placed]:
    with clock.at(FRIDAY):
        yield placed_week()


def where(lesson: Lesson) -> tuple[int, int | None]:
    """Day (0 is Monday) and period."""
    db.session.expire_all()
    return (local(lesson.starts_at, lesson.zone).date() - MONDAY).days, lesson.period_number


def verdicts(lesson: Lesson) -> dict[tuple[int, int], Verdict]:
    """By day and period."""
    return {((c.at.day - MONDAY).days, c.at.slot.period): c.verdict for c in check_week(lesson, WEEK)}


def test_every_slot_says_what_moving_there_would_say(placed: Placed) -> None:
    with transaction():
        teacher = placed.school.a.teacher
        added(Unavailability(person_id=teacher.id, weekday=2))
        added(
            CalendarDay(organisation_id=placed.school.a.campus.id, day=MONDAY + timedelta(days=4), kind=DayKind.HOLIDAY)
        )
    checks = check_week(placed.math, WEEK)
    assert len(checks) == 4 * 6
    for check in checks:
        try:
            planned_move(placed.math, check.at.day, period=check.at.slot.period)
            against: list[str] = []
        except BadInputs as refusal:
            against = [problem.text() for problem in refusal.problems]
        if check.verdict is Verdict.HERE:
            continue
        assert [problem.text() for problem in check.reasons] == against
        assert (check.verdict is Verdict.FREE) == (not against)
    found = {((c.at.day - MONDAY).days, c.at.slot.period): c for c in checks}
    assert found[0, 1].verdict is Verdict.HERE
    assert found[0, 4].verdict is Verdict.FREE
    assert all(found[2, period].verdict is Verdict.CLASH for period in range(1, 7))
    # Its own class is there, with another teacher who is free in period 1.
    assert (found[0, 3].verdict, found[0, 3].swap) == (Verdict.SWAP, placed.chinese)
    # The same class with the same teacher in the same subject: changing places would change nothing.
    assert found[1, 1].verdict is Verdict.CLASH
    assert found[0, 2].swap == placed.other_class


def test_two_lessons_change_places_and_people_hear_of_both(placed: Placed) -> None:
    with transaction():
        made = swap_lessons(placed.math, placed.chinese, actor=placed.school.a.administrator, seen=1)
        assert [change.kind.value for change in made.changes].count("moved") == 2
    assert (where(placed.math), where(placed.chinese)) == ((0, 3), (0, 1))


def test_lessons_do_not_change_places_where_somebody_is_taken(placed: Placed) -> None:
    with transaction():
        at(placed.school.a.classes[1], placed.chinese.subject, placed.school.a.other_teacher, 0, 1)
    with pytest.raises(BadInputs) as refusal, transaction():
        swap_lessons(placed.math, placed.chinese, actor=None)
    name = placed.school.a.other_teacher.display_name
    assert [problem.text() for problem in refusal.value.problems] == [
        f"{name} already has a lesson on Mon 23 Nov, 8:00."
    ]
    assert verdicts(placed.math)[0, 3] is Verdict.CLASH
    assert (where(placed.math), where(placed.chinese)) == ((0, 1), (0, 3))


def test_who_looked_at_an_older_week_changes_nothing(placed: Placed) -> None:
    with transaction():
        move_lesson(placed.chinese, MONDAY, period=5, actor=placed.school.a.administrator, seen=1)
    steps = (
        lambda: move_lesson(placed.math, MONDAY, period=6, actor=None, seen=1),
        lambda: swap_lessons(placed.math, placed.other_class, actor=None, seen=1),
        lambda: cancel_lesson(placed.math, actor=None, seen=1),
    )
    for step in steps:
        with pytest.raises(Conflict) as refusal, transaction():
            step()
        assert placed.school.a.administrator.display_name in refusal.value.text()
    assert where(placed.math) == (0, 1)
    assert placed.math.status is LessonStatus.SCHEDULED
    assert placed.week.version == 2


def test_a_lesson_that_has_begun_fits_nowhere(placed: Placed) -> None:
    with clock.at(placed.math.starts_at + timedelta(minutes=1)):
        found = check_week(placed.math, WEEK)
        assert {check.verdict for check in found} == {Verdict.HERE, Verdict.CLASH}
        # Another lesson may not be moved into the past, nor change places with one that has begun.
        assert verdicts(placed.chinese)[0, 1] is Verdict.CLASH


def test_conflicts_are_found_by_kind_and_told_in_words(placed: Placed) -> None:
    a = placed.school.a
    lessons = [placed.math, placed.math_again, placed.chinese, placed.other_class]
    assert conflicts_of(a.campus, lessons, MONDAY, MONDAY + timedelta(days=6)) == {}
    with transaction():
        added(Unavailability(person_id=a.other_teacher.id, first_day=MONDAY, last_day=MONDAY))
        twice = at(a.classes[1], placed.math.subject, a.teacher, 0, 1)
        off = at(a.classes[1], placed.math.subject, a.teacher, 2, 4)
        off.starts_at, off.ends_at = off.starts_at + timedelta(minutes=5), off.ends_at + timedelta(minutes=5)
        holiday = at(a.classes[1], placed.math.subject, a.teacher, 4, 1)
        added(
            CalendarDay(organisation_id=a.campus.id, day=MONDAY + timedelta(days=4), kind=DayKind.HOLIDAY, name="校庆")
        )
        cancelled = at(a.classes[1], placed.math.subject, a.teacher, 1, 1)
        cancelled.status = LessonStatus.CANCELLED
    found = conflicts_of(a.campus, [*lessons, twice, off, holiday, cancelled], MONDAY, MONDAY + timedelta(days=6))
    kinds = {key: [conflict.kind for conflict in rows] for key, rows in found.items()}
    assert kinds == {
        placed.math.id: [ConflictKind.TWICE],
        twice.id: [ConflictKind.TWICE],
        placed.chinese.id: [ConflictKind.ABSENT],
        off.id: [ConflictKind.OFF_GRID],
        holiday.id: [ConflictKind.NO_SCHOOL],
    }
    assert found[twice.id][0].problem.text() == f"{a.teacher.display_name} already has a lesson on Mon 23 Nov, 8:00."
    assert "校庆" in found[holiday.id][0].problem.text()


def test_online_lessons_above_the_limit_of_a_day_are_marked(placed: Placed) -> None:
    a = placed.school.a
    with transaction():
        rows = [at(a.classes[1], placed.math.subject, a.other_teacher, 3, period) for period in range(1, 7)]
        set_limits(a.campus, "5", periods_per_day=4, minutes_per_lesson=40)
    found = conflicts_of(a.campus, rows, MONDAY, MONDAY + timedelta(days=6))
    assert set(found) == {rows[4].id, rows[5].id}
    (conflict,) = found[rows[5].id]
    assert conflict.problem.text() == "5-2 has 6 online lessons on Thu 26 Nov; 4 are allowed."


def test_nobody_gets_more_periods_a_day_by_hand_than_allowed(placed: Placed) -> None:
    a = placed.school.a
    with transaction():
        # Mathematics on Monday twice, on Tuesday once.
        added(TeacherLimit(person_id=a.teacher.id, periods_per_day=2))
        added(TeacherLimit(person_id=a.other_teacher.id, periods_per_day=1))
    with pytest.raises(BadInputs) as refusal, transaction():
        move_lesson(placed.math_again, MONDAY, period=4, actor=None)
    (problem,) = refusal.value.problems
    name = a.teacher.display_name
    assert problem.text() == f"{name} would have 3 periods on Mon 23 Nov; 2 a day are allowed."
    with use_locale("zh-CN"):
        assert "每天最多 2 节" in problem.text()
    assert verdicts(placed.math_again)[0, 4] is Verdict.CLASH
    # Within the full day it may move, and from it away.
    assert verdicts(placed.math)[0, 4] is Verdict.FREE
    assert verdicts(placed.math)[1, 2] is Verdict.FREE
    with pytest.raises(BadInputs) as refusal, transaction():
        substitute_teacher(placed.math, a.other_teacher, actor=None)
    assert [(p.text(), getattr(p, "field", "")) for p in refusal.value.problems] == [
        (f"{a.other_teacher.display_name} would have 2 periods on Mon 23 Nov; 1 a day are allowed.", "teacher")
    ]
    assert a.other_teacher not in [c.person for c in candidates(placed.math)]
    assert a.other_teacher in [c.person for c in candidates(placed.math_again)]


def stated(placed: Placed, *rules: Stated) -> None:
    """The campus states rules."""
    with transaction():
        for rule in rules:
            add_rule(placed.school.a.campus, rule, actor=None)


def against(lesson: Lesson, day: int, period: int) -> list[str]:
    """What the slot says against a lesson, and whether moving it there says the same."""
    slot = next(c for c in check_week(lesson, WEEK) if ((c.at.day - MONDAY).days, c.at.slot.period) == (day, period))
    found = [problem.text() for problem in slot.reasons]
    if found:
        with pytest.raises(BadInputs) as refusal:
            planned_move(lesson, slot.at.day, period=period)
        assert [problem.text() for problem in refusal.value.problems] == found
    else:
        planned_move(lesson, slot.at.day, period=period)
    return found


def test_subjects_that_a_rule_keeps_apart_do_not_meet_by_a_move(placed: Placed) -> None:
    math, chinese = placed.math.subject_id, placed.chinese.subject_id
    stated(placed, Stated(chinese, RuleType.NOT_SAME_DAY, other_id=math))
    # On Monday the rule is broken already: moving within the day breaks nothing more.
    assert against(placed.chinese, 0, 4) == []
    assert against(placed.chinese, 1, 4) == [
        "5-1 would have Chinese and Mathematics on Tue 24 Nov; a rule keeps them apart."
    ]
    assert against(placed.chinese, 2, 4) == []


def test_the_order_of_subjects_on_a_day_is_kept_by_a_move(placed: Placed) -> None:
    math, chinese = placed.math.subject_id, placed.chinese.subject_id
    stated(placed, Stated(math, RuleType.BEFORE, other_id=chinese))
    assert against(placed.math, 0, 5) == [
        "5-1 would have Chinese before Mathematics on Mon 23 Nov; a rule asks for the other order."
    ]
    assert against(placed.math, 2, 5) == []


def test_no_more_of_a_subject_comes_on_a_day_than_a_rule_allows(placed: Placed) -> None:
    stated(placed, Stated(placed.math.subject_id, RuleType.SPREAD, number=1))
    assert against(placed.math, 1, 2) == ["5-1 would have Mathematics more often on Tue 24 Nov than a rule allows."]


def test_double_periods_and_fixed_times_are_not_torn_apart(placed: Placed) -> None:
    with transaction():
        move_lesson(placed.math, MONDAY + timedelta(days=1), period=2, actor=None)
    stated(placed, Stated(placed.math.subject_id, RuleType.DOUBLES, class_id=placed.school.a.classes[0].id, number=1))
    assert against(placed.math, 2, 2) == ["5-1 would lose a double period of Mathematics that a rule asks for."]
    fixed = Stated(placed.chinese.subject_id, RuleType.FIXED, weekday=0, first_period=3)
    stated(placed, fixed)
    assert against(placed.chinese, 3, 3) == ["5-1 would have no Chinese at the time that a rule fixes for it."]


def test_a_subject_of_even_weeks_does_not_come_into_an_odd_one(placed: Placed) -> None:
    number = next(
        week.number for week in teaching_weeks(placed.school.a.campus, placed.school.term) if week.iso == WEEK
    )
    later = placed.chinese.starts_at.date() + timedelta(days=7)
    own = WeekParity.ODD if number % 2 else WeekParity.EVEN
    stated(placed, Stated(placed.chinese.subject_id, RuleType.WEEKS, weeks=own))
    assert against(placed.chinese, 2, 3) == []
    with pytest.raises(BadInputs) as refusal:
        planned_move(placed.chinese, later, period=3)
    assert [problem.text() for problem in refusal.value.problems] == [
        "5-1 is not taught Chinese in this week, by a rule for odd and even weeks."
    ]


def test_the_preferred_part_of_the_day_is_only_a_hint(placed: Placed) -> None:
    rule = Stated(placed.math.subject_id, RuleType.PREFERRED, day_part=DayPart.PERIODS, first_period=1, last_period=2)
    stated(placed, rule)
    assert against(placed.math, 2, 5) == []
    slots = {((c.at.day - MONDAY).days, c.at.slot.period): c for c in check_week(placed.math, WEEK)}
    assert [hint.text() for hint in slots[2, 5].hints] == [
        "A wish is not met: Mathematics: best in periods 1 to 2 (all classes)."
    ]
    assert slots[2, 1].hints == ()
    (wish,) = planned_move(placed.math, MONDAY + timedelta(days=2), period=5)
    assert [hint.text() for hint in hints_of([wish])] == [hint.text() for hint in slots[2, 5].hints]
