"""The rooms of lessons: a row when a lesson needs one, made at its provider by a job, ended when it is over.

Calls to providers happen outside of any database transaction. Whatever is killed in between, the job runs again and
finds the same room, because a room's key never changes and ``MeetingProvider.ensure`` is called twice harmlessly.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload

from lms_bridge.core import audit, jobs
from lms_bridge.core.application import current_settings
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.errors import ConfigurationError, Conflict
from lms_bridge.core.i18n import N_
from lms_bridge.core.kept_problems import kept
from lms_bridge.core.models import ExternalId
from lms_bridge.core.plugins import MeetingSpec, ProviderCapabilities, Room
from lms_bridge.lessons import capacity, hosts, providers
from lms_bridge.lessons.door_times import closes_at, held_online, needs_room, opens_at
from lms_bridge.lessons.models import Meeting, MeetingCause, MeetingState, ProviderAccount, RoomAddress
from lms_bridge.lessons.providers import source_of
from lms_bridge.roster.models import Person
from lms_bridge.timetable.models import Lesson
from lms_bridge.timetable.queries import WITH_PARTS, students_of
from lms_bridge.timetable.rooms import RoomState

log = logging.getLogger(__name__)

PROVISION = "lessons.provision"
END = "lessons.end"
WATCH = "lessons.watch"
FREED = "lessons.freed"

WATCH_AHEAD = timedelta(minutes=15)
"""So long before a door opens its provider is watched, and lessons leave one that is down."""


def meeting_of(lesson_id: int) -> Meeting | None:
    """The lesson's room in force: the latest attempt, whatever its state."""
    return db.session.scalar(
        sa.select(Meeting)
        .where(Meeting.lesson_id == lesson_id)
        .order_by(Meeting.attempt.desc())
        .limit(1)
        .options(joinedload(Meeting.account))
    )


def in_force(account_id: int | None = None) -> sa.Select[Meeting]:
    """The rooms in force of lessons that take place, at an account or anywhere; those of lessons that are over may be
    among them, and ``Lesson`` is joined."""
    later = aliased(Meeting)
    return (
        sa.select(Meeting)
        .join(Lesson, Lesson.id == Meeting.lesson_id)
        .where(
            Meeting.account_id == account_id if account_id is not None else sa.true(),
            Meeting.state != MeetingState.ENDED,
            held_online(),
            ~sa.exists().where(later.lesson_id == Meeting.lesson_id, later.attempt > Meeting.attempt),
        )
    )


def room_states(lessons: Collection[Lesson]) -> dict[int, RoomState]:
    """For the timetable: rooms whose door is open, and those that could not be made."""
    in_force = (
        sa.select(Meeting.lesson_id, Meeting.state)
        .where(Meeting.lesson_id.in_([lesson.id for lesson in lessons]))
        .order_by(Meeting.attempt)
    )
    states = {row.lesson_id: row.state for row in db.session.execute(in_force)}
    failed = [lesson_id for lesson_id, state in states.items() if state is MeetingState.FAILED]
    moment = now()
    found: dict[int, RoomState] = {x.id: "open" for x in lessons if opens_at(x) <= moment < closes_at(x)}
    return found | dict.fromkeys(failed, "problem")


def follow(lesson_ids: Iterable[int]) -> None:
    """After lessons changed: those that need a room get one wished for, the rooms of others are to be ended.

    Writes rows and asks for jobs; flushes, in the transaction of the change. Harmless when repeated.
    """
    wished = []
    for lesson in db.session.scalars(
        sa.select(Lesson).where(Lesson.id.in_(list(lesson_ids))).options(*WITH_PARTS).order_by(Lesson.id)
    ):
        if needs_room(lesson):
            try:
                wished.append(_wish(lesson))
            except ConfigurationError:
                # A timetable must not fail for want of a room; the lesson page and the door say what is missing.
                log.warning("no provider for the lessons of campus %s", lesson.campus.uid)
        else:
            meeting = meeting_of(lesson.id)
            if meeting is not None and meeting.state is not MeetingState.ENDED:
                jobs.enqueue(END, str(meeting.id))
    watch_in_time(wished)
    # A lesson that was moved has left its old time free.
    for account in {meeting.account_id: meeting.account for meeting in wished}.values():
        room_freed(account)


def wish(lesson: Lesson) -> Meeting:
    """The lesson's room, wished for if there is none in force (a lesson restored after its room was ended gets the
    next attempt), with the jobs that make it in time and end it afterwards. Flushes.

    :raises ConfigurationError: there is no provider at all.
    """
    meeting = _wish(lesson)
    watch_in_time([meeting])
    return meeting


def _wish(lesson: Lesson) -> Meeting:
    meeting = meeting_of(lesson.id)
    if meeting is None or meeting.state is MeetingState.ENDED:
        lock(lesson.id)
        meeting = meeting_of(lesson.id)
    if meeting is None or meeting.state is MeetingState.ENDED:
        meeting = begin(lesson, meeting, MeetingCause.WISHED, capacity.accounts_for_lesson(lesson))
    elif hosts.hold(meeting, lesson):
        if meeting.state is MeetingState.FAILED and meeting.failures == 0:
            # There was no host before.
            meeting.state, meeting.last_error = MeetingState.WANTED, None
    else:
        others = capacity.accounts_for_lesson(lesson, without={meeting.account_id})
        if others or meeting.state is MeetingState.READY:
            meeting = begin(lesson, meeting, MeetingCause.HOSTS, others or [meeting.account])
        else:
            _no_host(meeting)
    schedule(meeting, lesson)
    return meeting


def lock(lesson_id: int) -> None:
    """Two clicks at once must not make two rooms: the one that waits here finds the other's row. The lock leaves the
    key alone, since rows that refer to the lesson (evidence) are written beside it."""
    db.session.execute(sa.select(Lesson.id).where(Lesson.id == lesson_id).with_for_update(key_share=True))


def begin(lesson: Lesson, before: Meeting | None, cause: MeetingCause, accounts: Sequence[ProviderAccount]) -> Meeting:
    """The lesson's next attempt, at the first of ``accounts`` that has a host free (or needs none); the room
    ``before`` it is to be ended. The lesson is locked. Flushes."""
    meeting = Meeting(
        lesson_id=lesson.id, lesson=lesson, attempt=before.attempt + 1 if before is not None else 1, cause=cause
    )
    for account in accounts:
        meeting.account_id, meeting.account = account.id, account
        if hosts.hold(meeting, lesson):
            break
    else:
        meeting.account_id, meeting.account = accounts[0].id, accounts[0]
        _no_host(meeting)
    db.session.add(meeting)
    db.session.flush()
    if before is not None and before.state is not MeetingState.ENDED:
        jobs.enqueue(END, str(before.id))
    return meeting


def move(
    before: Meeting, accounts: Sequence[ProviderAccount], cause: MeetingCause, actor: Person | None = None
) -> Meeting:
    """The next attempt of the lesson of ``before``, which is locked, as :func:`begin` says, with the jobs that it needs
    and an audit entry. Flushes."""
    lesson = before.lesson
    made = begin(lesson, before, cause, accounts)
    schedule(made, lesson)
    watch_in_time([made])
    audit.record(
        "meeting.moved",
        "lesson",
        lesson.uid,
        actor_uid=actor.uid if actor is not None else None,
        organisation_id=lesson.campus_id,
        cause=cause.value,
        attempt=made.attempt,
        left=before.account.uid,
        to=made.account.uid,
    )
    return made


def _no_host(meeting: Meeting) -> None:
    meeting.state, meeting.failures = MeetingState.FAILED, 0
    meeting.last_error = kept(_host_missing())


def _host_missing() -> Conflict:
    return Conflict(
        N_("No host is free at the time of this lesson."),
        remedy=N_("Add hosts to the account, or another account for this campus."),
    )


def schedule(meeting: Meeting, lesson: Lesson) -> None:
    """Ask for the jobs that make a room in time and end it. Flushes."""
    due = provision_at(providers.capabilities_of(meeting.account), opens_at(lesson))
    if meeting.state is MeetingState.READY or (due is not None and meeting.state is not MeetingState.FAILED):
        jobs.enqueue(PROVISION, str(meeting.id), not_before=due)
    jobs.enqueue(END, str(meeting.id), not_before=closes_at(lesson))


def watch_in_time(meetings: Iterable[Meeting]) -> None:
    """Ask for the accounts of these meetings to be watched from shortly before the first door opens. One job for each
    account, always in the same order: two transactions must not wait for each other. Flushes."""
    first: dict[int, datetime] = {}
    for meeting in meetings:
        if not providers.capabilities_of(meeting.account).embeddable:
            begins = opens_at(meeting.lesson) - WATCH_AHEAD
            first[meeting.account_id] = min(begins, first.get(meeting.account_id, begins))
    for account_id in sorted(first):
        jobs.enqueue(WATCH, str(account_id), not_before=first[account_id])


def provision_at(capabilities: ProviderCapabilities, opening: datetime) -> datetime | None:
    """When to make a room whose door opens at ``opening``: now where the provider keeps rooms, within the time it
    keeps unused ones, or (None) only when the first person comes."""
    if capabilities.lazy_create:
        return None
    if capabilities.keep_unused is None:
        return now()
    return max(now(), opening - capabilities.keep_unused / 2)


def want_now(meeting: Meeting) -> None:
    """:func:`make_now` for a meeting at hand."""
    make_now(meeting.id, meeting.state, meeting.busy_until)


def make_now(meeting_id: int, state: MeetingState, busy_until: datetime | None) -> None:
    """Somebody stands at the door of a room that is not made yet: make it at once. However many come, one job waits.
    Flushes."""
    busy = busy_until is not None and busy_until > now()
    if state is MeetingState.WANTED and not busy:
        jobs.enqueue(PROVISION, str(meeting_id))


def try_again(meeting: Meeting) -> None:
    """A room that failed for good is wished for once more, by a person's decision. Flushes.

    :raises Conflict: no host is free; the lesson gets the first that is.
    """
    if meeting.account.hosts and meeting.host is None:
        raise _host_missing()
    if meeting.state is MeetingState.FAILED:
        meeting.state = MeetingState.WANTED
        meeting.last_error = None
        db.session.flush()
    want_now(meeting)


def make_anew(account: ProviderAccount, *, failed_only: bool) -> None:
    """The account was mended: its rooms that failed are wished for once more. Not ``failed_only``: it speaks
    with another server or in another name now, so that all its rooms are made as if there had been none; those where
    it was before are out of reach. Flushes."""
    query = in_force(account.id).options(joinedload(Meeting.lesson))
    if failed_only:
        query = query.where(Meeting.state == MeetingState.FAILED)
    made = []
    for meeting in db.session.scalars(query.order_by(Meeting.lesson_id)).all():
        if not needs_room(meeting.lesson):
            continue
        meeting.state, meeting.provisioned = MeetingState.WANTED, None
        meeting.failures, meeting.last_error = 0, None
        if not failed_only:
            meeting.ready_at = None
            db.session.execute(sa.delete(RoomAddress).filter_by(meeting_id=meeting.id))
        db.session.flush()
        wished = _wish(meeting.lesson)
        if opens_at(meeting.lesson) <= now():
            want_now(wished)
        made.append(wished)
    watch_in_time(made)


def without_host() -> sa.ColumnElement[bool]:
    """The condition on meetings that failed because no host was free: their provider was never asked."""
    return sa.and_(Meeting.state == MeetingState.FAILED, Meeting.failures == 0)


def look_for_host(lesson_id: int) -> None:
    """A host may be free by now for a lesson that found none, at its account or another one. Flushes."""
    lock(lesson_id)
    meeting = db.session.scalar(in_force().where(Meeting.lesson_id == lesson_id, without_host()))
    if meeting is None or not needs_room(meeting.lesson):
        return
    found = wish(meeting.lesson)
    if opens_at(meeting.lesson) <= now():
        want_now(found)


def room_freed(account: ProviderAccount) -> None:
    """A room of the account is free: where its rooms or hosts are counted, lessons that found none are offered it.
    Flushes."""
    if account.hosts or account.concurrent_rooms is not None:
        for account_id in db.session.scalars(hosts.accounts_sharing(account).order_by(ProviderAccount.id)).all():
            jobs.enqueue(FREED, str(account_id))


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
    return rooms_of([meeting]).get(meeting.id)


def rooms_of(meetings: Collection[Meeting]) -> dict[int, Room]:
    """The rooms of these meetings as their providers described them, by meeting id; those that were made."""
    made = [meeting for meeting in meetings if meeting.ready_at is not None]
    names: defaultdict[tuple[int, str], list[str]] = defaultdict(list)
    if made:
        rows = db.session.execute(
            sa.select(ExternalId.entity_id, ExternalId.system, ExternalId.key)
            .where(ExternalId.entity == "meeting", ExternalId.entity_id.in_([meeting.id for meeting in made]))
            .order_by(ExternalId.id)
        )
        for meeting_id, system, key in rows:
            names[meeting_id, system].append(key)
    return {
        one.id: Room(tuple(names[one.id, source_of(one.account)]), one.room_state, one.room_secrets) for one in made
    }


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
