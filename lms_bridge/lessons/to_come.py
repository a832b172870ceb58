"""Lessons to come: which room each has, and how one is taken to another account while its door is still shut."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from lms_bridge.core import audit
from lms_bridge.core.application import current_settings
from lms_bridge.core.clock import now
from lms_bridge.lessons.door_times import held_online, needs_room, opens_at
from lms_bridge.lessons.meetings import begin, lock, meeting_of, schedule, watch_in_time
from lms_bridge.lessons.models import Meeting, MeetingCause, MeetingState, ProviderAccount
from lms_bridge.timetable.models import Lesson


def rooms_to_come() -> sa.Select[int]:
    """Lessons (their ids) whose door is not open yet, joined with the room in force of each."""
    latest = aliased(Meeting)
    return (
        sa.select(Lesson.id)
        .join(Meeting, Meeting.lesson_id == Lesson.id)
        .where(
            Meeting.state != MeetingState.ENDED,
            held_online(),
            Lesson.starts_at > now() + timedelta(minutes=current_settings().door_opens_minutes),
            ~sa.exists().where(latest.lesson_id == Meeting.lesson_id, latest.attempt > Meeting.attempt),
        )
    )


def room_still_shut(lesson_id: int) -> Meeting | None:
    """The room in force of a lesson, which is locked; None: its door is open by now, or it needs no room."""
    lock(lesson_id)
    meeting = meeting_of(lesson_id)
    if meeting is None or meeting.state is MeetingState.ENDED:
        return None
    return meeting if needs_room(meeting.lesson) and now() < opens_at(meeting.lesson) else None


def take_to(before: Meeting, accounts: Sequence[ProviderAccount], cause: MeetingCause) -> None:
    """Give the lesson of ``before``, which is locked, its room at the first of ``accounts`` that has a host free.
    Flushes, with an audit entry."""
    lesson = before.lesson
    made = begin(lesson, before, cause, accounts)
    schedule(made, lesson)
    watch_in_time([made])
    audit.record(
        "meeting.moved",
        "lesson",
        lesson.uid,
        actor_uid=None,
        organisation_id=lesson.campus_id,
        cause=made.cause.value,
        attempt=made.attempt,
        left=before.account.uid,
        to=made.account.uid,
    )
