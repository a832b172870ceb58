"""Talks to providers about rooms, for jobs: makes, updates and ends them, outside of any transaction.

One job at a time talks about one room (a lease on its row), so that hundreds who arrive together get one room.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta

import sqlalchemy as sa

from lms_bridge.core import jobs
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BridgeError
from lms_bridge.core.kept_problems import kept
from lms_bridge.core.plugins import AccessRefused, MeetingProvider, MeetingSpec, Room, TemporaryFailure
from lms_bridge.lessons import breaker, entering, intake, providers, recordings, room_leases, watching
from lms_bridge.lessons.door_times import closes_at, needs_room, opens_at
from lms_bridge.lessons.meetings import (
    END,
    PROVISION,
    WATCH_AHEAD,
    digest_of,
    keep_room,
    lock,
    room_freed,
    room_of,
    spec_of,
    want_now,
)
from lms_bridge.lessons.models import Meeting, MeetingState, RaisedHand, RoomAddress
from lms_bridge.roster.models import Person
from lms_bridge.timetable.queries import students_of

log = logging.getLogger(__name__)

MOVE = "lessons.move"
ADDRESSES = "lessons.addresses"

PAUSE = timedelta(seconds=2)
ADDRESSES_AHEAD = timedelta(minutes=30)
"""So long before the door opens addresses are fetched: late enough to know who is expected."""
LONGEST_WAIT = timedelta(minutes=10)
"""Whatever a provider that is busy asks for, it is tried again after this."""
FAILURES_UNTIL_MOVE = 3
"""After so many vain attempts to make its room a lesson moves, however its provider stands otherwise."""


def provision(meeting_id: int) -> None:
    """Make the room of a meeting, or tell its provider of a change. Does nothing when nothing is to be done.

    :raises TemporaryFailure: for the job to try again.
    :raises RetryAt: another job talks about this room, or it is not time yet.
    """
    meeting = db.session.get(Meeting, meeting_id, populate_existing=True)
    if meeting is None or meeting.state in (MeetingState.ENDED, MeetingState.FAILED):
        return
    if not needs_room(meeting.lesson):
        return
    breaker.hold_back(meeting.account)
    spec, settings = spec_of(meeting, meeting.lesson), meeting.account.settings
    if meeting.state is MeetingState.READY and meeting.provisioned == digest_of(spec):
        return
    lease = room_leases.take(meeting)
    try:
        provider, room = providers.provider_for(meeting.account), room_of(meeting)
        gone = meeting.state is MeetingState.WANTED
        with room_leases.renewed(meeting_id, lease):
            made = _make(provider, spec, room, gone=gone)
    except BridgeError as error:
        _note_failure(meeting, error, lease)
        _again_later(error)
        return
    except BaseException:
        room_leases.release(meeting_id, lease)
        raise
    account_id = meeting.account_id
    with transaction():
        # The account before the room, as everybody locks them.
        breaker.succeeded(account_id)
        meeting = _locked(meeting_id)
        if not room_leases.is_held(meeting, lease):
            _came_too_late(meeting, lease)
            return
        if meeting.account.settings != settings:
            # Changed while the provider was at it: the room may be where nobody looks any more.
            room_leases.give_back(meeting, lease)
            jobs.enqueue(PROVISION, str(meeting_id))
            return
        if room is None or set(room.external_ids) != set(made.external_ids):
            _fetch_addresses_in_time(meeting)
        keep_room(meeting, made)
        intake.adopt(meeting)
        room_leases.give_back(meeting, lease)
        meeting.provisioned, meeting.last_error = digest_of(spec), None
        meeting.made_at, meeting.failures = now(), 0
        meeting.ready_at = meeting.ready_at or meeting.made_at
        if meeting.state is MeetingState.WANTED:
            meeting.state = MeetingState.READY
        elif meeting.state is MeetingState.ENDED:
            # Cancelled while the provider was at it: what was made must go.
            meeting.closing = True
            jobs.enqueue(END, str(meeting.id))


def _came_too_late(meeting: Meeting, lease: str) -> None:
    """The lease ran out while the provider was at it. Whoever asks it next finds the room that was made, by its mark;
    if another one was made beside it, one of the two is ended by whoever looks for rooms that nobody needs."""
    log.warning("the room of meeting %s was made too late: the lease had run out", meeting.id)
    room_leases.give_back(meeting, lease)
    jobs.enqueue(PROVISION, str(meeting.id))
    jobs.enqueue(breaker.ORPHANS, str(meeting.account_id), not_before=now() + room_leases.LEASE)


def _make(provider: MeetingProvider, spec: MeetingSpec, room: Room | None, *, gone: bool) -> Room:
    """The provider's call, with no transaction open that it could hold up. A room that is ``gone`` is made anew."""
    db.session.rollback()
    with providers.calling(provider.identifier):
        made = provider.ensure(spec, room) if room is None or gone else provider.update(spec, room)
        if not isinstance(made, Room):
            raise TypeError(type(made).__name__)
        return made


def end(meeting_id: int) -> None:
    """End the room of a lesson that is over, cancelled or held at school; not before that is so. First here, with all
    that hangs on it, however its provider stands; the provider is told afterwards.

    :raises TemporaryFailure, AccessRefused: the provider was not told yet; for the job to try again.
    :raises RetryAt: the lesson was moved to a later time, or the provider is to be told later.
    """
    meeting = db.session.get(Meeting, meeting_id, populate_existing=True)
    if meeting is None:
        return
    if meeting.state is not MeetingState.ENDED:
        _end_here(meeting)
        meeting = db.session.get_one(Meeting, meeting_id, populate_existing=True)
    room = room_of(meeting)
    if not meeting.closing or room is None:
        return
    breaker.hold_back(meeting.account)
    spec = spec_of(meeting, meeting.lesson)
    lease = room_leases.take(meeting)
    try:
        provider = providers.provider_for(meeting.account)
        db.session.rollback()
        with room_leases.renewed(meeting_id, lease), providers.calling(provider.identifier):
            provider.end(spec, room)
    except BridgeError as error:
        _note_failure(meeting, error, lease, ending=True)
        if isinstance(error, AccessRefused):
            # The room may stand open there: it is told when the account is let in again.
            raise
        _again_later(error)
    except BaseException:
        room_leases.release(meeting_id, lease)
        raise
    with transaction():
        meeting = _locked(meeting_id)
        room_leases.give_back(meeting, lease)
        _told(meeting)


def _told(meeting: Meeting) -> None:
    """The provider knows that the room is over, or has refused for good to hear of it. Flushes."""
    meeting.closing = False
    room_freed(meeting.account)


def _end_here(meeting: Meeting) -> None:
    """Store that the room is over, in a transaction of its own.

    :raises RetryAt: the lesson still needs it.
    """
    lesson_id = meeting.lesson_id
    with transaction() as session:
        lock(lesson_id)
        meeting = _locked(meeting.id)
        if meeting.state is MeetingState.ENDED:
            return
        session.refresh(meeting.lesson)
        latest = session.scalar(sa.select(sa.func.max(Meeting.attempt)).where(Meeting.lesson_id == lesson_id))
        if meeting.attempt == latest and needs_room(meeting.lesson):
            raise jobs.RetryAt(closes_at(meeting.lesson))
        made = meeting.ready_at is not None
        meeting.state, meeting.ended_at, meeting.closing = MeetingState.ENDED, now(), made
        intake.adopt(meeting)
        if made:
            if _reports_follow(meeting):
                watching.plan_report(meeting)
            recordings.expect(meeting)
        else:
            room_freed(meeting.account)
        session.execute(
            sa.update(RaisedHand)
            .where(RaisedHand.lesson_id == lesson_id, RaisedHand.lowered_at.is_(None))
            .values(lowered_at=now())
        )


def fetch_addresses(meeting_id: int) -> None:
    """Ask a provider that cannot compute addresses here for those of all who are expected, in batches, and keep them.
    Who is left out gets theirs at the click.

    :raises TemporaryFailure: for the job to try again.
    """
    meeting = db.session.get(Meeting, meeting_id, populate_existing=True)
    if meeting is None or meeting.state is not MeetingState.READY or not needs_room(meeting.lesson):
        return
    breaker.hold_back(meeting.account)
    lesson, flags = meeting.lesson, providers.capabilities_of(meeting.account)
    known = sa.select(RoomAddress.person_id).filter_by(meeting_id=meeting_id)
    missing = set(students_of([lesson])[lesson.id]) - set(db.session.scalars(known))
    if flags.leader_address_keep is None:
        missing |= {t.person_id for t in lesson.teachers} - set(db.session.scalars(known))
    people = {p.uid: p for p in db.session.scalars(sa.select(Person).where(Person.id.in_(missing)).order_by(Person.id))}
    attendees = [one for one in (entering.attendee_of(lesson, person) for person in people.values()) if one is not None]
    room, spec = room_of(meeting), spec_of(meeting, lesson)
    if room is None or not attendees:
        return
    try:
        provider = providers.provider_for(meeting.account)
        db.session.rollback()
        with providers.calling(provider.identifier):
            found = dict(provider.join_urls(spec, room, attendees))
    except BridgeError as error:
        _note_failure(meeting, error, ending=True)
        _again_later(error)
        return
    with transaction():
        breaker.succeeded(meeting.account_id)
        _keep_addresses(meeting_id, {people[uid].id: url for uid, url in found.items() if uid in people})


def fetch_address(meeting_id: int, person_id: int) -> None:
    """Ask a provider that cannot compute addresses here for the one of one person, and keep it.

    :raises TemporaryFailure: for the job to try again.
    :raises RetryAt: the room is not made yet.
    """
    meeting = db.session.get(Meeting, meeting_id, populate_existing=True)
    person = db.session.get(Person, person_id)
    if meeting is None or person is None or meeting.state is MeetingState.ENDED or not needs_room(meeting.lesson):
        return
    if meeting.state is not MeetingState.READY:
        with transaction():
            want_now(meeting)
        if meeting.state is MeetingState.WANTED:
            raise jobs.RetryAt(now() + PAUSE)
        return
    if entering.stored_address(meeting, person) is not None:
        return
    attendee = entering.attendee_of(meeting.lesson, person)
    room, spec = room_of(meeting), spec_of(meeting, meeting.lesson)
    if attendee is None or room is None:
        return
    try:
        provider = providers.provider_for(meeting.account)
        db.session.rollback()
        with providers.calling(provider.identifier):
            url = provider.join_url(spec, room, attendee)
    except BridgeError as error:
        _note_failure(meeting, error, ending=True)
        _again_later(error)
        return
    with transaction():
        breaker.succeeded(meeting.account_id)
        entering.forget_address(meeting_id, person_id)
        _keep_addresses(meeting_id, {person_id: url})


def _keep_addresses(meeting_id: int, addresses: Mapping[int, str]) -> None:
    known = set(db.session.scalars(sa.select(RoomAddress.person_id).filter_by(meeting_id=meeting_id)))
    db.session.add_all(
        RoomAddress(meeting_id=meeting_id, person_id=person_id, address={"url": url})
        for person_id, url in addresses.items()
        if person_id not in known
    )


def _fetch_addresses_in_time(meeting: Meeting) -> None:
    """Another room than before was made: addresses of an earlier one lead nowhere."""
    if providers.capabilities_of(meeting.account).local_join_url:
        return
    db.session.execute(sa.delete(RoomAddress).filter_by(meeting_id=meeting.id))
    jobs.enqueue(ADDRESSES, str(meeting.id), not_before=max(now(), opens_at(meeting.lesson) - ADDRESSES_AHEAD))


def _reports_follow(meeting: Meeting) -> bool:
    return providers.capabilities_of(meeting.account).report_afterwards


def _again_later(error: BridgeError) -> None:
    """Pass where a repeat would not help.

    :raises TemporaryFailure: for the job to try again after its own pause.
    :raises RetryAt: the provider said when.
    """
    if not isinstance(error, TemporaryFailure):
        return
    if error.retry_after is not None:
        raise jobs.RetryAt(now() + min(error.retry_after, LONGEST_WAIT)) from error
    raise error


def _locked(meeting_id: int) -> Meeting:
    found = db.session.get(Meeting, meeting_id, populate_existing=True, with_for_update={"key_share": True})
    assert found is not None
    return found


def _note_failure(meeting: Meeting, error: BridgeError, lease: str | None = None, *, ending: bool = False) -> None:
    """Count the failure on the account; a room that the provider refused for good is marked so, by who holds its
    lease."""
    db.session.rollback()
    meeting_id, account_id = meeting.id, meeting.account_id
    with transaction():
        breaker.failed(account_id, error)
        row = _locked(meeting_id)
        lost = lease is not None and not room_leases.is_held(row, lease)
        if lease is not None:
            room_leases.give_back(row, lease)
        if lost:
            return
        row.last_error = kept(error)
        if ending:
            return
        row.failures += 1
        if not isinstance(error, TemporaryFailure) and row.state is MeetingState.WANTED:
            row.state = MeetingState.FAILED
        if row.state is MeetingState.FAILED or row.failures >= FAILURES_UNTIL_MOVE:
            due = max(now(), opens_at(row.lesson) - WATCH_AHEAD)
            jobs.enqueue(MOVE, f"{row.lesson_id}:{row.attempt}", not_before=due)
