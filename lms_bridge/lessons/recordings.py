"""Recordings that providers keep of lessons: listed after the end, watched by the people of the lesson, forgotten here
when their time is over. The recording itself stays with its provider, who has its own rules of how long."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from lms_bridge.core import audit, jobs
from lms_bridge.core.application import current_settings
from lms_bridge.core.clock import local, now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BridgeError, NotFound
from lms_bridge.core.plugins import Recording
from lms_bridge.lessons import breaker, providers
from lms_bridge.lessons.models import Meeting, MeetingState, ProviderAccount, RecordedLesson
from lms_bridge.lessons.watching import pairs_of
from lms_bridge.roster.models import Person
from lms_bridge.timetable.models import Lesson
from lms_bridge.timetable.queries import WITH_PARTS

log = logging.getLogger(__name__)

LIST = "lessons.recordings"

FIRST = timedelta(minutes=15)
"""After the end of a room: providers need a while to make a recording of what they took."""
AGAIN = timedelta(hours=1)
LOOK_FOR = timedelta(days=3)
"""So long after its end a meeting's recordings are looked for: long ones wait in the provider's queue."""
AT_ONCE = 100


def expect(meeting: Meeting) -> None:
    """The room of ``meeting`` has ended: look for its recordings in a while. Flushes."""
    if providers.capabilities_of(meeting.account).recordings:
        jobs.enqueue(LIST, str(meeting.account_id), not_before=now() + FIRST)


def list_recordings(account_id: int) -> None:
    """Ask the account for the recordings of its meetings that ended lately, and store them.

    :raises RetryAt: for the next look, as long as there are such meetings.
    :raises BridgeError: the provider cannot be asked; for the job to try again.
    """
    account = db.session.get(ProviderAccount, account_id, populate_existing=True)
    if account is None or not account.enabled:
        return
    breaker.hold_back(account)
    ended = list(
        db.session.scalars(
            sa.select(Meeting)
            .where(
                Meeting.account_id == account_id,
                Meeting.state == MeetingState.ENDED,
                Meeting.ended_at > now() - LOOK_FOR,
            )
            .options(joinedload(Meeting.lesson).options(*WITH_PARTS), joinedload(Meeting.account))
            .order_by(Meeting.id)
        ).unique()
    )
    for start in range(0, len(ended), AT_ONCE):
        _list(account_id, ended[start : start + AT_ONCE])
    if ended:
        raise jobs.RetryAt(now() + AGAIN)


def _list(account_id: int, meetings: Sequence[Meeting]) -> None:
    pairs = pairs_of(meetings)
    made = [meeting.id for meeting in meetings if meeting.ready_at is not None]
    names = {name: one for one, (_, room) in zip(made, pairs, strict=True) for name in room.external_ids}
    provider = providers.provider_for(meetings[0].account)
    db.session.rollback()
    try:
        with providers.calling(provider.identifier):
            found = list(provider.recordings(pairs))
    except BridgeError as error:
        with transaction():
            breaker.failed(account_id, error, counts=not breaker.concerns_rooms_alone(error))
        raise
    with transaction():
        breaker.succeeded(account_id)
        for one in found:
            if one.external_id in names:
                _store(names[one.external_id], one)


def _store(meeting_id: int, found: Recording) -> None:
    """Keep what is told of a recording; one that is known keeps whether it is hidden. Flushes."""
    meeting = db.session.get_one(Meeting, meeting_id, with_for_update={"key_share": True})
    if urlsplit(found.url).scheme not in ("http", "https") or len(found.url) > 1000 or len(found.recording_id) > 255:
        log.warning("left out a recording of meeting %s: its address or name cannot be used", meeting_id)
        return
    zone = meeting.lesson.zone
    last_day = local(found.ends_at, zone).date() + timedelta(days=current_settings().recording_days)
    if last_day < local(now(), zone).date():
        return
    row = db.session.scalar(sa.select(RecordedLesson).filter_by(meeting_id=meeting_id, recording_id=found.recording_id))
    if row is None:
        row = RecordedLesson(meeting_id=meeting_id, recording_id=found.recording_id)
        db.session.add(row)
    row.title, row.url, row.last_day = found.title[:200], found.url, last_day
    row.starts_at, row.ends_at = found.starts_at, found.ends_at
    db.session.flush()


def recordings_of(lesson: Lesson, *, hidden: bool = False) -> list[RecordedLesson]:
    """The recordings of a lesson that can be watched today, in order; ``hidden``: also those that were hidden."""
    query = (
        sa.select(RecordedLesson)
        .join(Meeting, Meeting.id == RecordedLesson.meeting_id)
        .where(Meeting.lesson_id == lesson.id, RecordedLesson.last_day >= local(now(), lesson.zone).date())
        .order_by(RecordedLesson.starts_at, RecordedLesson.id)
    )
    return list(db.session.scalars(query if hidden else query.where(RecordedLesson.hidden_at.is_(None))))


def find(lesson: Lesson, uid: str, *, hidden: bool = False) -> RecordedLesson:
    """One recording of the lesson.

    :raises NotFound: there is none, or it is hidden, or its time is over.
    """
    for one in recordings_of(lesson, hidden=hidden):
        if one.uid == uid:
            return one
    raise NotFound()


def watch(lesson: Lesson, uid: str, viewer: Person, *, hidden: bool = False) -> RecordedLesson:
    """:func:`find` one that ``viewer`` goes to watch now: every look at children is in the audit log.

    :raises NotFound: as :func:`find`.
    """
    row = find(lesson, uid, hidden=hidden)
    audit.record(
        "recording.watched", "lesson", lesson.uid, actor_uid=viewer.uid, organisation_id=lesson.campus_id,
        recording_uid=row.uid,
    )  # fmt: skip
    return row


def hide(lesson: Lesson, uid: str, actor: Person) -> None:
    """Take a recording away from everybody but who leads the lesson. Flushes, with an audit entry.

    :raises NotFound: there is none.
    """
    _change(lesson, uid, actor, hidden=True)


def show(lesson: Lesson, uid: str, actor: Person) -> None:
    """Give a hidden recording back. Flushes, with an audit entry.

    :raises NotFound: there is none.
    """
    _change(lesson, uid, actor, hidden=False)


def _change(lesson: Lesson, uid: str, actor: Person, *, hidden: bool) -> None:
    row = find(lesson, uid, hidden=True)
    if (row.hidden_at is not None) is hidden:
        return
    row.hidden_at = now() if hidden else None
    db.session.flush()
    audit.record(
        "recording.hidden" if hidden else "recording.shown", "lesson", lesson.uid,
        actor_uid=actor.uid, organisation_id=lesson.campus_id, recording_uid=uid,
    )  # fmt: skip


def forget_old() -> int:
    """Forget recordings whose last day is over; how many. Flushes, with an audit entry for each."""
    # The day ends last in the west: nobody loses a recording on its last day, wherever the school is.
    over = (now() - timedelta(hours=12)).date()
    rows = db.session.scalars(sa.select(RecordedLesson).where(RecordedLesson.last_day < over)).all()
    for row in rows:
        lesson = db.session.get_one(Meeting, row.meeting_id).lesson
        audit.record(
            "recording.forgotten", "lesson", lesson.uid,
            actor_uid=None, organisation_id=lesson.campus_id, recording_uid=row.uid,
        )  # fmt: skip
        db.session.delete(row)
    db.session.flush()
    return len(rows)
