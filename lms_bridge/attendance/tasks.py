"""Background jobs of attendance."""

from __future__ import annotations

from lms_bridge.attendance.recording import AFTERWARDS, COMPUTE, FINALISE, compute_lesson, finally_
from lms_bridge.core import jobs
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.timetable.models import Lesson


@jobs.job(COMPUTE)
def compute(subject: str) -> None:
    """Bring the verdicts of a running lesson up to date."""
    with transaction():
        compute_lesson(int(subject))


@jobs.job(FINALISE)
def finalise(subject: str) -> None:
    """The last verdicts of a lesson; one that was moved meanwhile is asked about again after its new end."""
    with transaction():
        lesson = db.session.get(Lesson, int(subject))
        if lesson is not None and now() < lesson.ends_at + AFTERWARDS:
            finally_([lesson])
        else:
            compute_lesson(int(subject))
