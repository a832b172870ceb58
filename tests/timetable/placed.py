"""A published week of a few lessons, each where a test wants it; no solver."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from lms_bridge.core.database import db, transaction
from lms_bridge.roster.models import ClassGroup, Person, Subject
from lms_bridge.timetable.models import Lesson, TimetableWeek
from lms_bridge.timetable.weeks.slots import wall_clock
from tests.builders import PERIOD_STARTS, ZONE, SchoolSystem, lesson, online, small_system, subject

MONDAY = date(2026, 11, 23)
"""Of the week ``2026-W48``; call :func:`placed_week` with the clock at ``tests.timetable.school.FRIDAY``."""


@dataclass
class Placed:
    """The lessons by what they are: mathematics of both classes by one teacher, Chinese of 5-1 by another."""

    school: SchoolSystem
    math: Lesson
    math_again: Lesson
    chinese: Lesson
    other_class: Lesson

    @property
    def week(self) -> TimetableWeek:
        """Their week, as it is now."""
        db.session.rollback()
        return db.session.get_one(TimetableWeek, self.math.week_id, populate_existing=True)


def placed_week(monday: date = MONDAY) -> Placed:
    """Monday: 5-1 mathematics in period 1, 5-2 mathematics in period 2, 5-1 Chinese in period 3; Tuesday: 5-1
    mathematics in period 1. Everything is online."""
    school = small_system()
    a = school.a
    with transaction():
        online(a.campus, school.term.starts_on)
        db.session.delete(a.lesson)
        db.session.flush()
        chinese = subject("chinese", "语文", "Chinese")
        found = Placed(
            school,
            at(a.classes[0], school.subject, a.teacher, 0, 1, monday),
            at(a.classes[0], school.subject, a.teacher, 1, 1, monday),
            at(a.classes[0], chinese, a.other_teacher, 0, 3, monday),
            at(a.classes[1], school.subject, a.teacher, 0, 2, monday),
        )
        week = db.session.get_one(TimetableWeek, found.math.week_id)
        week.version, week.published_at = 1, week.published_at or found.math.created_at
    return found


def at(group: ClassGroup, what: Subject, teacher: Person, day: int, period: int, monday: date = MONDAY) -> Lesson:
    """A lesson on a day of the week (0 is Monday) in a period of the usual grid."""
    starts_at = wall_clock(monday + timedelta(days=day), PERIOD_STARTS[period - 1], ZONE)
    return lesson(group, what, teacher, starts_at, period_number=period)
