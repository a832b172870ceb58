"""The lessons to come that teach given units of a plan: what a change of the plan would touch."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.plans.affected import AffectedLesson
from lms_bridge.roster.models import ClassGroup
from lms_bridge.timetable.addresses import lesson_url
from lms_bridge.timetable.models import Lesson, LessonStatus, LessonUnit


def lessons_of_units(plan_id: int, unit_keys: Collection[str]) -> list[AffectedLesson]:
    """Scheduled lessons that have not begun yet, one entry for each class that is taught such a unit, in order."""
    rows = db.session.execute(
        sa.select(Lesson, LessonUnit.unit_key, ClassGroup.title)
        .join(LessonUnit, LessonUnit.lesson_id == Lesson.id)
        .join(ClassGroup, ClassGroup.id == LessonUnit.class_id)
        .where(
            LessonUnit.plan_id == plan_id,
            LessonUnit.unit_key.in_(unit_keys),
            Lesson.status == LessonStatus.SCHEDULED,
            Lesson.starts_at > now(),
        )
        .order_by(Lesson.starts_at, ClassGroup.title, Lesson.id)
    )
    return [
        AffectedLesson(
            uid=lesson.uid,
            url=lesson_url(lesson),
            starts_at=lesson.starts_at,
            ends_at=lesson.ends_at,
            zone=lesson.zone,
            period_number=lesson.period_number,
            class_title=title,
            unit_key=key,
        )
        for lesson, key, title in rows
    ]
