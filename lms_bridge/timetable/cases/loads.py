"""How much teachers teach, and how often they stood in for others: what makes the choice of a substitute fair."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import sqlalchemy as sa

from lms_bridge.calendar.days import monday_of, terms_of
from lms_bridge.core.database import db
from lms_bridge.roster.models import Organisation
from lms_bridge.timetable.models import Lesson, LessonStatus, LessonTeacher, TeacherPart
from lms_bridge.timetable.weeks.slots import wall_clock


@dataclass(frozen=True, slots=True)
class Load:
    """``stood_in``: lessons taken for others this term, past ones and those to come; ``week``: lessons in the week."""

    stood_in: int = 0
    week: int = 0


def loads(campus: Organisation, person_ids: Collection[int], week: str) -> dict[int, Load]:
    """The loads of these people as of an ISO week, at whatever campus they teach; everybody has an entry."""
    monday = monday_of(week)
    first, last = _term_days(campus, monday)
    stood_in = _counts(campus, person_ids, first, last, LessonTeacher.part == TeacherPart.SUBSTITUTE)
    in_week = _counts(campus, person_ids, monday, monday + timedelta(days=6))
    return {person_id: Load(stood_in.get(person_id, 0), in_week.get(person_id, 0)) for person_id in person_ids}


def lessons_on(campus: Organisation, person_ids: Collection[int], day: date) -> dict[int, int]:
    """How many lessons each of these people has on a day, where there are any."""
    return _counts(campus, person_ids, day, day)


def _term_days(campus: Organisation, monday: date) -> tuple[date, date]:
    """The term that the week is in; half a year before it where no term is entered."""
    sunday = monday + timedelta(days=6)
    held = [term for term in terms_of(campus) if term.starts_on <= sunday and term.ends_on >= monday]
    if not held:
        return monday - timedelta(days=182), sunday
    term = min(held, key=lambda t: (t.ends_on - t.starts_on).days)
    return term.starts_on, term.ends_on


def _counts(
    campus: Organisation, person_ids: Collection[int], first: date, last: date, *more: sa.ColumnElement[bool]
) -> dict[int, int]:
    start: datetime = wall_clock(first, time(0), campus.zone)
    rows = db.session.execute(
        sa.select(LessonTeacher.person_id, sa.func.count())
        .join(Lesson, Lesson.id == LessonTeacher.lesson_id)
        .where(
            LessonTeacher.person_id.in_(person_ids),
            Lesson.status == LessonStatus.SCHEDULED,
            Lesson.starts_at >= start,
            Lesson.starts_at < wall_clock(last + timedelta(days=1), time(0), campus.zone),
            *more,
        )
        .group_by(LessonTeacher.person_id)
    )
    return dict(rows.all())
