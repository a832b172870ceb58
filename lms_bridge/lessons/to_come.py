"""Lessons to come: which room each has, as long as its door is shut."""

from __future__ import annotations

import sqlalchemy as sa

from lms_bridge.core.clock import now
from lms_bridge.lessons.door_times import needs_room, opens_at, standing_open
from lms_bridge.lessons.meetings import in_force, lock, meeting_of
from lms_bridge.lessons.models import Meeting, MeetingState
from lms_bridge.timetable.models import Lesson


def rooms_to_come() -> sa.Select[int]:
    """Lessons (their ids) whose door is not open yet, joined with the room in force of each."""
    rooms = in_force().with_only_columns(Lesson.id, maintain_column_froms=True)
    return rooms.where(Lesson.starts_at > standing_open(now())[0])


def room_still_shut(lesson_id: int) -> Meeting | None:
    """The room in force of a lesson, which is locked; None: its door is open by now, or it needs no room."""
    lock(lesson_id)
    meeting = meeting_of(lesson_id)
    if meeting is None or meeting.state is MeetingState.ENDED:
        return None
    return meeting if needs_room(meeting.lesson) and now() < opens_at(meeting.lesson) else None
