"""The rooms of lessons: a row when a lesson needs one, made at its provider by a job, ended when it is over.

Calls to providers happen outside of any database transaction. Whatever is killed in between, the job runs again and
finds the same room, because a room's key never changes and ``MeetingProvider.ensure`` is called twice harmlessly.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from lms_bridge.core import jobs
from lms_bridge.core.application import current_settings
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.errors import ConfigurationError
from lms_bridge.core.models import ExternalId
from lms_bridge.core.plugins import MeetingSpec, ProviderCapabilities, Room
from lms_bridge.lessons import capacity, providers
from lms_bridge.lessons.models import Meeting, MeetingState
from lms_bridge.lessons.providers import source_of
from lms_bridge.timetable.models import Lesson, LessonMode, LessonStatus
from lms_bridge.timetable.queries import WITH_PARTS, students_of
from lms_bridge.timetable.rooms import RoomState

log = logging.getLogger(__name__)

PROVISION = "lessons.provision"
END = "lessons.end"


def opens_at(lesson: Lesson) -> datetime:
    """When the lesson's door opens (UTC)."""
    return lesson.starts_at - timedelta(minutes=current_settings().door_opens_minutes)


def closes_at(lesson: Lesson) -> datetime:
    """When the lesson's door closes (UTC)."""
    return lesson.ends_at + timedelta(minutes=current_settings().door_closes_minutes)


def needs_room(lesson: Lesson) -> bool:
    """Whether the lesson takes place online and its door is not closed for good."""
    return lesson.mode is LessonMode.ONLINE and lesson.status is LessonStatus.SCHEDULED and closes_at(lesson) > now()


def meeting_of(lesson_id: int) -> Meeting | None:
    """The lesson's room in force: the latest attempt, whatever its state."""
    return db.session.scalar(
        sa.select(Meeting)
        .where(Meeting.lesson_id == lesson_id)
        .order_by(Meeting.attempt.desc())
        .limit(1)
        .options(joinedload(Meeting.account))
    )


def room_states(lessons: Collection[Lesson]) -> dict[int, RoomState]:
    """For the timetable: rooms whose door is open, and those that could not be made."""
    failed = set(
        db.session.scalars(
            sa.select(Meeting.lesson_id).where(
                Meeting.lesson_id.in_([lesson.id for lesson in lessons]), Meeting.state == MeetingState.FAILED
            )
        )
    )
    moment = now()
    found: dict[int, RoomState] = {x.id: "open" for x in lessons if opens_at(x) <= moment < closes_at(x)}
    return found | dict.fromkeys(failed, "problem")


def follow(lesson_ids: Iterable[int]) -> None:
    """After lessons changed: those that need a room get one wished for, the rooms of others are to be ended.

    Writes rows and asks for jobs; flushes, in the transaction of the change. Harmless when repeated.
    """
    for lesson in db.session.scalars(
        sa.select(Lesson).where(Lesson.id.in_(list(lesson_ids))).options(*WITH_PARTS).order_by(Lesson.id)
    ):
        if needs_room(lesson):
            try:
                wish(lesson)
            except ConfigurationError:
                # A timetable must not fail for want of a room; the lesson page and the door say what is missing.
                log.warning("no provider for the lessons of campus %s", lesson.campus.uid)
        else:
            meeting = meeting_of(lesson.id)
            if meeting is not None and meeting.state is not MeetingState.ENDED:
                jobs.enqueue(END, str(meeting.id))


def wish(lesson: Lesson) -> Meeting:
    """The lesson's room, wished for if there is none in force (a lesson restored after its room was ended gets the
    next attempt), with the jobs that make it in time and end it afterwards. Flushes.

    :raises ConfigurationError: there is no provider at all.
    """
    meeting = meeting_of(lesson.id)
    if meeting is None or meeting.state is MeetingState.ENDED:
        # Two clicks at once must not make two rooms: the one that waits here finds the other's row. The lock leaves
        # the key alone, since rows that refer to the lesson (evidence) are written beside it.
        db.session.execute(sa.select(Lesson.id).where(Lesson.id == lesson.id).with_for_update(key_share=True))
        meeting = meeting_of(lesson.id)
    if meeting is None or meeting.state is MeetingState.ENDED:
        account = capacity.account_for_lesson(lesson)
        meeting = Meeting(
            lesson_id=lesson.id, attempt=meeting.attempt + 1 if meeting is not None else 1, account_id=account.id
        )
        db.session.add(meeting)
        db.session.flush()
        meeting.account = account
    try:
        due = provision_at(providers.capabilities_of(meeting.account), opens_at(lesson))
    except ConfigurationError:
        # The plugin is gone: the job says so on the room's row, the timetable goes on.
        due = now()
    if meeting.state is MeetingState.READY or due is not None:
        jobs.enqueue(PROVISION, str(meeting.id), not_before=due)
    jobs.enqueue(END, str(meeting.id), not_before=closes_at(lesson))
    return meeting


def provision_at(capabilities: ProviderCapabilities, opening: datetime) -> datetime | None:
    """When to make a room whose door opens at ``opening``: now where the provider keeps rooms, within the time it
    keeps unused ones, or (None) only when the first person comes."""
    if capabilities.lazy_create:
        return None
    if capabilities.keep_unused is None:
        return now()
    return max(now(), opening - capabilities.keep_unused / 2)


def want_now(meeting: Meeting) -> None:
    """Somebody stands at the door of a room that is not made yet: make it at once. However many come, one job waits.
    Flushes."""
    busy = meeting.busy_until is not None and meeting.busy_until > now()
    if meeting.state is MeetingState.WANTED and not busy:
        jobs.enqueue(PROVISION, str(meeting.id))


def try_again(meeting: Meeting) -> None:
    """A room that failed for good is wished for once more, by a person's decision. Flushes."""
    if meeting.state is MeetingState.FAILED:
        meeting.state = MeetingState.WANTED
        meeting.last_error = None
        db.session.flush()
    want_now(meeting)


def spec_of(meeting: Meeting, lesson: Lesson, *, count_people: bool = True) -> MeetingSpec:
    """What is wanted of the provider for this attempt; ``count_people`` says how many are expected."""
    settings = current_settings()
    base = settings.base_url.rstrip("/")
    locale = lesson.campus.locale
    titles = ", ".join(sorted(a.class_group.title for a in lesson.audience))
    return MeetingSpec(
        key=f"{lesson.uid}-{meeting.attempt}",
        lesson_uid=lesson.uid,
        attempt=meeting.attempt,
        title=f"{lesson.subject.label(locale)} {titles}".strip(),
        starts_at=lesson.starts_at,
        ends_at=lesson.ends_at,
        locale=locale,
        zone=lesson.zone,
        lesson_url=f"{base}/l/{lesson.uid}",
        callback_url=f"{base}/hooks/meetings/{meeting.callback_token}",
        expected=len(students_of([lesson])[lesson.id]) if count_people else 0,
        host=meeting.host,
        state=meeting.room_state,
        ended_at=meeting.ended_at,
    )


def digest_of(spec: MeetingSpec) -> str:
    """A fingerprint of what the provider was asked for, to see whether it must hear of a change."""
    parts = [spec.key, spec.title, spec.starts_at.isoformat(), spec.ends_at.isoformat(), spec.zone, spec.host]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()


def room_of(meeting: Meeting) -> Room | None:
    """The room as the provider described it; None before it was made."""
    if meeting.ready_at is None:
        return None
    names = db.session.scalars(
        sa.select(ExternalId.key)
        .filter_by(entity="meeting", entity_id=meeting.id, system=source_of(meeting.account))
        .order_by(ExternalId.id)
    )
    return Room(tuple(names), meeting.room_state, meeting.room_secrets)


def keep_room(meeting: Meeting, room: Room) -> None:
    """Store what the provider said of the room, and by which names its webhooks will call it. Flushes."""
    meeting.room_state = dict(room.state)
    meeting.room_secrets = dict(room.secrets)
    for key in room.external_ids:
        row = db.session.scalar(
            sa.select(ExternalId).filter_by(entity="meeting", system=source_of(meeting.account), key=key)
        )
        if row is None:
            db.session.add(
                ExternalId(entity="meeting", entity_id=meeting.id, system=source_of(meeting.account), key=key)
            )
        else:
            row.entity_id = meeting.id
    db.session.flush()
