"""What the exchange with LMSs listens to."""

from __future__ import annotations

from lms_bridge.attendance.events import AttendanceDecided
from lms_bridge.core.events import subscribe
from lms_bridge.notices import channels
from lms_bridge.sync import addresses, marks, wishes
from lms_bridge.timetable.events import LessonsChanged


@subscribe(LessonsChanged)
def follow_the_timetable(fact: LessonsChanged) -> None:
    """What calendars should show is written in the transaction of the change; a job sends it."""
    wishes.follow(fact.lesson_ids)


@subscribe(AttendanceDecided)
def follow_attendance(fact: AttendanceDecided) -> None:
    """Marks that were decided or corrected wait for the same job."""
    marks.follow([fact.lesson_id])


channels.settings_from(addresses.settings_of)
