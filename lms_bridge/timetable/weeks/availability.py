"""When teachers cannot teach: their own absences and working times, and their lessons at other campuses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime

import sqlalchemy as sa

from lms_bridge.calendar.days import TeachingDay
from lms_bridge.core.database import db
from lms_bridge.timetable.models import Lesson, LessonStatus, LessonTeacher, Unavailability
from lms_bridge.timetable.solving.problem import Slot
from lms_bridge.timetable.weeks.slots import SlotTime


def applies(row: Unavailability, day: TeachingDay, period: int | None) -> bool:
    """Whether a row closes a period of a school day (None: a lesson outside the grid, which only whole days close).

    A weekly row follows the weekday whose timetable the day has: who never works on Mondays does not work on the
    Saturday that makes up for a Monday.
    """
    return (
        (row.weekday is None or row.weekday == day.weekday)
        and (row.first_day is None or row.first_day <= day.day)
        and (row.last_day is None or row.last_day >= day.day)
        and (row.period_number is None or row.period_number == period)
    )


def unavailabilities(person_ids: Collection[int], first: date, last: date) -> list[Unavailability]:
    """The rows of these people that may matter in a span of days (both included)."""
    return list(
        db.session.scalars(
            sa.select(Unavailability)
            .where(
                Unavailability.person_id.in_(person_ids),
                sa.or_(Unavailability.first_day.is_(None), Unavailability.first_day <= last),
                sa.or_(Unavailability.last_day.is_(None), Unavailability.last_day >= first),
            )
            .order_by(Unavailability.id)
        )
    )


def closed_slots(
    person_ids: Collection[int], days: Sequence[TeachingDay], times: Iterable[SlotTime]
) -> dict[int, frozenset[Slot]]:
    """By person, the slots of these school days in which they cannot teach."""
    slots = {time.slot for time in times}
    closed: defaultdict[int, set[Slot]] = defaultdict(set)
    for row in unavailabilities(person_ids, days[0].day, days[-1].day):
        closed[row.person_id] |= {
            slot for day in days for slot in slots if slot.day == day.day.weekday() and applies(row, day, slot.period)
        }
    return {person_id: frozenset(found) for person_id, found in closed.items()}


def elsewhere(
    person_ids: Collection[int], campus_id: int, start: datetime, end: datetime, moving: Collection[int] = ()
) -> list[tuple[int, datetime, datetime]]:
    """Lessons of these people at other campuses in ``[start, end)``: who, from, to; without those (by id) that are
    ``moving``, since they get their times together with this campus's."""
    rows = db.session.execute(
        sa.select(LessonTeacher.person_id, Lesson.starts_at, Lesson.ends_at, Lesson.id)
        .join(Lesson, Lesson.id == LessonTeacher.lesson_id)
        .where(
            LessonTeacher.person_id.in_(person_ids),
            Lesson.campus_id != campus_id,
            Lesson.status == LessonStatus.SCHEDULED,
            Lesson.starts_at < end,
            Lesson.ends_at > start,
        )
        .order_by(Lesson.starts_at, Lesson.id)
    )
    return [(person_id, begins, ends) for person_id, begins, ends, lesson in rows if lesson not in moving]
