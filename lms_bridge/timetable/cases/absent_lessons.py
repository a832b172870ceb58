"""The lessons that a teacher leaves open by being absent."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, time, timedelta

import sqlalchemy as sa

from lms_bridge.core.access import Role
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.roster.models import Person
from lms_bridge.timetable.models import Lesson, LessonStatus, LessonTeacher, TeacherPart
from lms_bridge.timetable.queries import WITH_PARTS
from lms_bridge.timetable.reach import campuses_of
from lms_bridge.timetable.weeks.slots import wall_clock


def zone_of(teacher: Person) -> str:
    """The zone whose wall clock the teacher's days are on: that of the campus where they teach."""
    campuses = campuses_of(teacher, Role.TEACHER)
    return campuses[0].zone if campuses else "Asia/Shanghai"


def lessons_during(teacher: Person, first_day: date, last_day: date, periods: Collection[int] = ()) -> list[Lesson]:
    """The teacher's lessons to come on these days (both included) and in these periods (none: all), at all campuses,
    in order of time; those in which they only assist are not among them."""
    zone = zone_of(teacher)
    rows = db.session.scalars(
        sa.select(Lesson)
        .join(LessonTeacher, LessonTeacher.lesson_id == Lesson.id)
        .where(
            LessonTeacher.person_id == teacher.id,
            LessonTeacher.part != TeacherPart.ASSISTANT,
            Lesson.status == LessonStatus.SCHEDULED,
            Lesson.starts_at >= wall_clock(first_day, time(0), zone),
            Lesson.starts_at < wall_clock(last_day + timedelta(days=1), time(0), zone),
            Lesson.starts_at > now(),
        )
        .options(*WITH_PARTS)
        .order_by(Lesson.starts_at, Lesson.id)
    )
    return [row for row in rows if not periods or row.period_number in periods]
