"""Where a lesson was before it was moved, and which lesson makes up for a cancelled one: for people at its door."""

from __future__ import annotations

import sqlalchemy as sa

from lms_bridge.core.database import db
from lms_bridge.timetable.models import ChangeKind, ChangeSet, ChangeState, Lesson, LessonChange
from lms_bridge.timetable.snapshots import LessonState, from_json


def moved_from(lesson: Lesson) -> LessonState | None:
    """The lesson as it was before its last move; None if it was not moved, or is back where it was."""
    before = db.session.scalar(
        sa.select(LessonChange.before)
        .join(ChangeSet, ChangeSet.id == LessonChange.change_set_id)
        .where(
            LessonChange.lesson_id == lesson.id,
            LessonChange.kind == ChangeKind.MOVED,
            ChangeSet.state == ChangeState.APPLIED,
        )
        .order_by(ChangeSet.applied_at.desc(), ChangeSet.id.desc())
        .limit(1)
    )
    state = from_json(before) if before else None
    return state if state is not None and state.starts_at != lesson.starts_at else None


def made_up_by(lesson: Lesson) -> Lesson | None:
    """The lesson that takes the place of this one."""
    return db.session.scalar(
        sa.select(Lesson).where(Lesson.replaces_id == lesson.id).order_by(Lesson.starts_at).limit(1)
    )
