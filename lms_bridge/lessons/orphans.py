"""Rooms at a provider that no lesson needs any more: an answer was lost, a call to end one never came through. They are
found and ended; only rooms that carry this installation's mark and the key of one of its meetings."""

from __future__ import annotations

import logging

import sqlalchemy as sa

from lms_bridge.core import jobs
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BridgeError
from lms_bridge.core.plugins import FoundRoom
from lms_bridge.lessons import breaker, providers
from lms_bridge.lessons.door_times import needs_room
from lms_bridge.lessons.meetings import END, meeting_of, room_freed, room_of, spec_of
from lms_bridge.lessons.models import Meeting, MeetingState, ProviderAccount
from lms_bridge.timetable.models import Lesson

log = logging.getLogger(__name__)


def end_orphans(account_id: int) -> int:
    """Look at the account's rooms and end those that are ours and not needed; how many.

    :raises BridgeError: the provider cannot be asked, or did not end one of them; for the job to try again.
    """
    account = db.session.get(ProviderAccount, account_id, populate_existing=True)
    if account is None or not account.enabled:
        return 0
    breaker.hold_back(account)
    provider = providers.provider_for(account)
    db.session.rollback()
    try:
        with providers.calling(provider.identifier):
            found = list(provider.open_rooms())
    except BridgeError as error:
        with transaction():
            breaker.failed(account_id, error)
        raise
    ended, refused = 0, None
    for one in found:
        meeting = _orphan(one)
        if meeting is None:
            continue
        spec = spec_of(meeting, meeting.lesson, count_people=False)
        db.session.rollback()
        try:
            with providers.calling(provider.identifier):
                provider.end(spec, one.room)
        except BridgeError as error:
            refused = error
            with transaction():
                breaker.failed(account_id, error, counts=not breaker.concerns_rooms_alone(error))
            if breaker.concerns_rooms_alone(error):
                continue
            break
        with transaction() as session:
            row = session.get_one(Meeting, meeting.id, populate_existing=True, with_for_update={"key_share": True})
            if row.closing and _is_its_room(row, one):
                row.closing = False
                room_freed(row.account)
        log.info("ended the room of meeting %s, which no lesson needs", meeting.id)
        ended += 1
    with transaction() as session:
        # Those that the provider does not name: it may have none, or not list them. Told once more, it says so.
        closing = sa.select(Meeting.id).where(Meeting.account_id == account_id, Meeting.closing.is_(True))
        for meeting_id in session.scalars(closing):
            jobs.enqueue(END, str(meeting_id))
    if refused is not None:
        raise refused
    return ended


def _orphan(found: FoundRoom) -> Meeting | None:
    """The meeting of a room that is ours and that nobody needs; None: leave it alone. Whose account found it does not
    matter: several may be at one server, and each of them sees the rooms of all."""
    uid, _, attempt = found.key.rpartition("-")
    if not attempt.isdigit():
        return None
    meeting = db.session.scalar(
        sa.select(Meeting)
        .join(Lesson, Lesson.id == Meeting.lesson_id)
        .where(Lesson.uid == uid, Meeting.attempt == int(attempt))
        .execution_options(populate_existing=True)
    )
    if meeting is None or (meeting.busy_until is not None and meeting.busy_until > now()):
        return None
    in_force = meeting_of(meeting.lesson_id)
    needed = (
        in_force is not None
        and in_force.id == meeting.id
        and meeting.state is not MeetingState.ENDED
        and needs_room(meeting.lesson)
        and (meeting.state is not MeetingState.READY or _is_its_room(meeting, found))
    )
    return None if needed else meeting


def _is_its_room(meeting: Meeting, found: FoundRoom) -> bool:
    """Whether this is the meeting's own room, as far as the provider tells them apart: a second one may have been made
    beside it, with the same mark."""
    room = room_of(meeting)
    own, names = set(room.external_ids) if room is not None else set(), set(found.room.external_ids)
    return not own or not names or bool(own & names)
