"""For one lesson, what each slot of a week says to it: it could be held there, could change places with the lesson
that is there, or what speaks against it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

import sqlalchemy as sa

from lms_bridge.calendar.days import iso_week, monday_of
from lms_bridge.core.database import db
from lms_bridge.core.errors import BridgeError
from lms_bridge.timetable.changing.lesson_changes import not_changeable, swapped
from lms_bridge.timetable.changing.placing import Placing, placing_of
from lms_bridge.timetable.models import Lesson, LessonAudience, LessonStatus, LessonTeacher
from lms_bridge.timetable.queries import WITH_PARTS
from lms_bridge.timetable.snapshots import LessonState, state_of
from lms_bridge.timetable.weeks.slots import SlotTime


class Verdict(StrEnum):
    """What a slot says to a lesson."""

    HERE = "here"
    FREE = "free"
    SWAP = "swap"
    CLASH = "clash"


@dataclass(frozen=True, slots=True)
class SlotCheck:
    """One slot of the lesson's class. ``reasons`` speak against moving it there (also where changing places with
    ``swap`` is possible); ``hints`` are wishes that it would not meet there."""

    at: SlotTime
    verdict: Verdict
    reasons: tuple[BridgeError, ...] = ()
    swap: Lesson | None = None
    hints: tuple[BridgeError, ...] = ()


def check_week(lesson: Lesson, week: str) -> list[SlotCheck]:
    """Every slot of the lesson's (first) class in an ISO week, in order of time, with its verdict; the same that
    moving it there would say. A lesson that cannot be changed at all fits nowhere."""
    monday = monday_of(week)
    state = state_of(lesson)
    own_day = state.starts_local.date()
    neighbours = _neighbours(lesson) if iso_week(own_day) == iso_week(monday) else []
    states = {other.id: state_of(other) for other in neighbours}
    placing = placing_of(lesson.campus, monday, monday + timedelta(days=6), [state, *states.values()])
    fixed = tuple(not_changeable(lesson))
    first = state.classes[0][0] if state.classes else None
    days = [monday + timedelta(days=n) for n in range(7)]
    return [
        _check(placing, (lesson, state), at, [(other, states[other.id]) for other in neighbours], fixed)
        for day in days
        for at in placing.periods(first, day)
    ]


def _check(
    placing: Placing,
    mine: tuple[Lesson, LessonState],
    at: SlotTime,
    others: Sequence[tuple[Lesson, LessonState]],
    fixed: tuple[BridgeError, ...],
) -> SlotCheck:
    lesson, state = mine
    if state.takes_place and (state.starts_at, state.ends_at) == (at.starts_at, at.ends_at):
        return SlotCheck(at, Verdict.HERE)
    if fixed:
        return SlotCheck(at, Verdict.CLASH, fixed)
    found = placing.at_period(state, at.day, at.slot.period)
    problems = list(found.problems)
    if found.state is not None:
        problems += placing.problems({lesson.id: found.state})
    if not problems and found.state is not None:
        return SlotCheck(at, Verdict.FREE, hints=tuple(placing.hints({lesson.id: found.state})))
    for other, theirs in others:
        if at.overlaps(theirs.starts_at, theirs.ends_at) and not _alike(state, theirs) and not not_changeable(other):
            after, against = swapped(placing, (lesson.id, state), (other.id, theirs))
            if not against:
                return SlotCheck(at, Verdict.SWAP, tuple(problems), other, tuple(placing.hints(after)))
    return SlotCheck(at, Verdict.CLASH, tuple(problems))


def _alike(one: LessonState, other: LessonState) -> bool:
    """Whether changing places would change nothing that anybody sees."""
    parts = [(state.subject_id, state.teachers, state.classes) for state in (one, other)]
    return parts[0] == parts[1]


def _neighbours(lesson: Lesson) -> list[Lesson]:
    """The other lessons of its week with one of its classes or teachers: those that it might change places with."""
    classes = [part.class_id for part in lesson.audience]
    people = [part.person_id for part in lesson.teachers]
    return list(
        db.session.scalars(
            sa.select(Lesson)
            .where(
                Lesson.week_id == lesson.week_id,
                Lesson.status == LessonStatus.SCHEDULED,
                Lesson.id != lesson.id,
                sa.or_(
                    Lesson.audience.any(LessonAudience.class_id.in_(classes)),
                    Lesson.teachers.any(LessonTeacher.person_id.in_(people)),
                ),
            )
            .options(*WITH_PARTS)
            .order_by(Lesson.starts_at, Lesson.id)
        )
    )
