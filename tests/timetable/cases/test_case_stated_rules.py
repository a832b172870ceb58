"""A proposal of a case never breaks a rule of the campus that the timetable kept before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from lms_bridge.calendar.limits import set_limits
from lms_bridge.core import clock
from lms_bridge.core.database import db, transaction
from lms_bridge.timetable.cases.absences import report_absence
from lms_bridge.timetable.cases.board import board_of
from lms_bridge.timetable.cases.models import CaseProposal, ChangeCase
from lms_bridge.timetable.cases.runs import work_out_case
from lms_bridge.timetable.inputs.models import (
    Arrangement,
    ArrangementClass,
    ArrangementTeacher,
    RuleType,
    SubjectRule,
    TeacherLimit,
    WeekParity,
)
from lms_bridge.timetable.models import Lesson, TeacherPart
from lms_bridge.timetable.snapshots import LessonState, from_json, state_of
from lms_bridge.timetable.weeks.slots import wall_clock
from tests import builders
from tests.builders import PERIOD_STARTS
from tests.timetable.school import FRIDAY
from tests.timetable.upset import MONDAY, QUICK, Upset, day_of, stored, timetabled

TUESDAY, WEDNESDAY, SATURDAY = (MONDAY + timedelta(days=n) for n in (1, 2, 5))


@pytest.fixture
def upset(app: Flask) -> Iterator[Upset]:
    """The campus on Friday, its next two weeks timetabled."""
    with clock.at(FRIDAY):
        yield timetabled()


def rule(upset: Upset, kind: RuleType, **more: object) -> None:
    """State a rule for Chinese at campus A."""
    values: dict[str, object] = {"subject_id": upset.chinese.id} | more
    with transaction():
        db.session.add(SubjectRule(campus_id=upset.school.a.campus.id, kind=kind, **values))


def ill(upset: Upset, last: date = TUESDAY) -> ChangeCase:
    """The teacher of Chinese cannot teach from Monday on; the case, with its proposals."""
    with transaction():
        report_absence(upset.wang, MONDAY, last, actor=upset.wang)
    case = db.session.scalars(sa.select(ChangeCase)).one()
    work_out_case(case.id, QUICK)
    return stored(case)


def after(upset: Upset, proposal: CaseProposal) -> list[LessonState]:
    """The lessons that take place once a proposal is in force."""
    states = {row.id: state_of(row) for row in upset.lessons()}
    new = []
    for change in proposal.change_set.changes:
        assert change.after is not None
        if change.lesson_id is None:
            new.append(from_json(change.after))
        else:
            states[change.lesson_id] = from_json(change.after)
    return [state for state in (*states.values(), *new) if state.takes_place]


def slots(states: list[LessonState], subject_id: int, class_id: int) -> list[tuple[date, int]]:
    """Days and periods of a class in a subject, in order."""
    return sorted(
        (s.starts_local.date(), s.period_number or 0)
        for s in states
        if s.subject_id == subject_id and class_id in s.class_ids
    )


def each(upset: Upset, case: ChangeCase) -> Iterator[tuple[str, list[LessonState]]]:
    """The ways of a case and what becomes of the lessons; there is more than cancelling."""
    assert len(case.proposals) > 1
    for proposal in case.proposals:
        yield proposal.way, after(upset, proposal)


def test_no_more_periods_of_a_subject_on_a_day_than_stated(upset: Upset) -> None:
    rule(upset, RuleType.SPREAD, number=1)
    for way, states in each(upset, ill(upset)):
        for group in (upset.one, upset.two):
            per_day = Counter(day for day, _ in slots(states, upset.chinese.id, group.id))
            assert max(per_day.values()) == 1, way


def test_without_a_rule_no_day_gets_a_third_period_of_a_subject(upset: Upset) -> None:
    for way, states in each(upset, ill(upset, WEDNESDAY)):
        for group in (upset.one, upset.two):
            per_day = Counter(day for day, _ in slots(states, upset.chinese.id, group.id))
            assert max(per_day.values(), default=0) <= 2, way


def test_subjects_stay_apart_and_in_order_where_they_were(upset: Upset) -> None:
    # Class 1 has Chinese before English on Monday and Wednesday, and English first thing on Friday.
    rule(upset, RuleType.BEFORE, other_id=upset.english.id, class_id=upset.one.id)
    # Class 2 has both on Monday and Wednesday already; on Friday it has English alone.
    rule(upset, RuleType.NOT_SAME_DAY, other_id=upset.english.id, class_id=upset.two.id)
    for way, states in each(upset, ill(upset)):
        chinese, english = (dict[date, list[int]]() for _ in range(2))
        for found, what in ((chinese, upset.chinese), (english, upset.english)):
            for day, period in slots(states, what.id, upset.one.id):
                found.setdefault(day, []).append(period)
        for day in chinese.keys() & english.keys():
            assert max(chinese[day]) < min(english[day]), (way, day)
        taught = [{day for day, _ in slots(states, w.id, upset.two.id)} for w in (upset.chinese, upset.english)]
        both = {day.weekday() for day in taught[0] & taught[1]}
        assert both <= {0, 2}, way


def test_a_fixed_period_keeps_its_lesson_or_loses_it(upset: Upset) -> None:
    rule(upset, RuleType.FIXED, weekday=0, first_period=1, class_id=upset.one.id)
    first = slots([state_of(row) for row in upset.lessons()], upset.chinese.id, upset.one.id)[0]
    assert first == (MONDAY, 1)
    lesson = next(row for row in upset.lessons(upset.chinese, upset.one) if day_of(row) == MONDAY)
    case = ill(upset)
    for proposal in case.proposals:
        change = next(c for c in proposal.change_set.changes if c.lesson_id == lesson.id)
        assert change.after is not None
        state = from_json(change.after)
        assert not state.takes_place or (state.starts_local.date(), state.period_number) == first, proposal.way
        assert not proposal.figures["proved"] or proposal.figures["lost"] == 0


def test_double_periods_stay_together(upset: Upset) -> None:
    rule(upset, RuleType.DOUBLES, subject_id=upset.english.id, number=1, class_id=upset.one.id)
    with transaction():
        for week in (0, 7):
            # On Mondays after the lesson in period 2, which the first lesson of Chinese would change places with.
            start = wall_clock(MONDAY + timedelta(days=week), PERIOD_STARTS[2], upset.school.a.campus.zone)
            builders.lesson(upset.one, upset.english, upset.school.a.teacher, start, period_number=3)
    for way, states in each(upset, ill(upset)):
        english = slots(states, upset.english.id, upset.one.id)
        for week in (0, 7):
            span = [s for s in english if 0 <= (s[0] - MONDAY).days - week < 5]
            pairs = [s for s in span if (s[0], s[1] + 1) in span]
            assert len(span) == 4, way
            assert len(pairs) == 1, way


def test_parallel_groups_move_together_or_not_at_all(upset: Upset) -> None:
    a = upset.school.a
    with transaction():
        term = upset.school.term
        for part, teacher in (("A", upset.wang), ("B", a.teacher)):
            row = Arrangement(campus_id=a.campus.id, term_id=term.id, subject_id=upset.chinese.id, band="zh")
            row.classes = [ArrangementClass(class_id=upset.one.id, part=part)]
            row.teachers = [ArrangementTeacher(person_id=teacher.id, part=TeacherPart.LEAD)]
            db.session.add(row)
        for lesson in upset.lessons(upset.chinese, upset.one):
            lesson.audience[0].part = "A"
            db.session.flush()
            twin = builders.lesson(
                upset.one, upset.chinese, a.teacher, lesson.starts_at, period_number=lesson.period_number
            )
            twin.audience[0].part = "B"
    case = ill(upset)
    ways = []
    for way, states in each(upset, case):
        own = {
            part: sorted(
                s.starts_at
                for s in states
                if s.subject_id == upset.chinese.id and (upset.one.id, part) in s.classes and s.starts_local.date()
            )
            for part in "AB"
        }
        # A lesson of one group may be lost; one that takes place is never at another time than the other group's.
        assert set(own["A"]) <= set(own["B"]), way
        ways.append((way, len(own["A"]) == len(own["B"])))
    assert ("solver", True) in ways


def test_a_lesson_is_made_up_only_in_a_week_in_which_the_subject_is_taught(upset: Upset) -> None:
    with transaction():
        for row in upset.lessons(upset.chinese):
            if day_of(row) > SATURDAY:
                db.session.delete(row)
    number = 14
    rule(upset, RuleType.WEEKS, weeks=WeekParity.EVEN if number % 2 == 0 else WeekParity.ODD)
    case = ill(upset, last=SATURDAY)
    for proposal in case.proposals:
        days = [day for day, _ in slots(after(upset, proposal), upset.chinese.id, upset.one.id)]
        assert all(day <= SATURDAY for day in days), proposal.way


def test_nobody_is_given_more_periods_a_day_than_stated(upset: Upset) -> None:
    with transaction():
        db.session.add(TeacherLimit(person_id=upset.zhao.id, periods_per_day=1))
        db.session.add(TeacherLimit(person_id=upset.wang.id, periods_per_day=2))
    case = ill(upset)
    for way, states in each(upset, case):
        for person in (upset.zhao, upset.wang):
            days = Counter(s.starts_local.date() for s in states if person.id in s.teacher_ids)
            most = 1 if person is upset.zhao else 2
            assert max(days.values(), default=0) <= most, way
    with transaction():
        row = next(r for r in db.session.scalars(sa.select(TeacherLimit)) if r.person_id == upset.zhao.id)
        first = upset.lessons(upset.chinese)[0]
        db.session.get_one(Lesson, first.id).teachers[0].person_id = upset.zhao.id
        assert row.periods_per_day == 1
    board = board_of(upset.school.a.campus, MONDAY)
    offered = {offer.colleague.person_id for r in board.rows for offer in r.offers}
    assert board.rows
    assert upset.zhao.id not in offered


def test_online_periods_in_a_row_stay_within_the_limit(upset: Upset) -> None:
    with transaction():
        set_limits(
            upset.school.a.campus, upset.one.grade, periods_per_day=7, minutes_per_lesson=40, periods_in_a_row=2,
            actor=None,
        )  # fmt: skip
    for way, states in each(upset, ill(upset)):
        for group in (upset.one, upset.two):
            for day in {s.starts_local.date() for s in states}:
                own = {s.period_number for s in states if group.id in s.class_ids and s.starts_local.date() == day}
                assert not any({p, p + 1, p + 2} <= own for p in range(1, 8)), (way, day)
