"""What attendance listens to."""

from __future__ import annotations

import sqlalchemy as sa

from lms_bridge.attendance import recording
from lms_bridge.core.database import db
from lms_bridge.core.events import subscribe
from lms_bridge.lessons.presence import follow_by
from lms_bridge.timetable.events import LessonsChanged
from lms_bridge.timetable.models import Lesson

follow_by(recording.COMPUTE, after=recording.PAUSE)


@subscribe(LessonsChanged)
def lessons_changed(fact: LessonsChanged) -> None:
    """Every online lesson gets its last verdicts after its end, also when nobody came."""
    recording.finally_(db.session.scalars(sa.select(Lesson).where(Lesson.id.in_(fact.lesson_ids))).all())
