"""Takes in what providers tell of their rooms (webhooks, polls, observers, reports): evidence, ends, gaps.

Told twice is stored once, in any order, however late. What is told of a room that is not known here waits until it is
(a webhook may be faster than the answer to the call that made the room). Of a system whose clock is wrong nothing is
lost: what it tells counts at the moment at which it arrives, and its account says by how much the clock is wrong.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from lms_bridge.core.clock import now
from lms_bridge.core.database import Base, db, insert_into
from lms_bridge.core.models import ExternalId
from lms_bridge.core.plugins import EvidenceKind, Gap, PresenceEvent, PresenceReport
from lms_bridge.lessons import identities, providers
from lms_bridge.lessons.door_times import closes_at, needs_room, opens_at
from lms_bridge.lessons.models import HeldEvent, Meeting, MeetingState, ProviderAccount, RoomEnd, SourceGap
from lms_bridge.lessons.presence import KEY_LENGTH, NewEvidence, record_many
from lms_bridge.lessons.storable import storable
from lms_bridge.timetable.models import Lesson

log = logging.getLogger(__name__)

ENDED = "ended"
"""Kind of a held event that is the end of a room."""
HELD_FOR = timedelta(days=30)
EARLY = timedelta(hours=12)
"""What is seen while the door is open, and said to have been longer before the lesson, is of a wrong clock."""
AHEAD = timedelta(minutes=5)
"""So is what is said to have been longer after the moment at which it is told."""
RECEIVED = "received"
"""Quality of what counts at the moment at which it was told, since the clock of who told it is wrong."""
WRONG_CLOCK = "wrong clock"
"""Reason of the gap of a lesson of which something was told too late to be counted so."""
NOTED_EVERY = timedelta(minutes=1)
CHUNK = 500
TOUCHING = timedelta(seconds=1)


def store(account: ProviderAccount, report: PresenceReport) -> int:
    """Store what a provider told, in the transaction in force; how many observations were new. What cannot be stored is
    left out. Flushes."""
    report, odd = storable(report)
    if odd:
        log.warning("%s things that provider account %s told cannot be stored", odd, account.uid)
    rooms = _rooms(account, {e.external_id for e in report.events} | {key for key, _ in report.ended})
    held = [event for event in report.events if event.external_id not in rooms]
    _hold(account, held, [(key, at) for key, at in report.ended if key not in rooms])
    new = _record(rooms, [event for event in report.events if event.external_id in rooms])
    for key, at in report.ended:
        if key in rooms:
            _note_end(rooms[key], at)
    for gap in report.gaps:
        _note_gap(account, gap)
    return new


def adopt(meeting: Meeting) -> int:
    """Take what was told of a room before it was known here, to its account or another one at the same server; how many
    observations were new. Flushes."""
    keys = db.session.scalars(
        sa.select(ExternalId.key).filter_by(
            entity="meeting", entity_id=meeting.id, system=providers.source_of(meeting.account)
        )
    ).all()
    waiting = db.session.scalars(
        sa.select(HeldEvent)
        .where(HeldEvent.account_id.in_(_of_plugin(meeting.account)), HeldEvent.external_id.in_(keys))
        .order_by(HeldEvent.id)
    ).all()
    if not waiting:
        return 0
    told = db.session.scalars(
        sa.select(ProviderAccount).where(ProviderAccount.id.in_({one.account_id for one in waiting}))
    )
    believed = {account.id for account in told if providers.speaks_for(account, meeting.account)}
    waiting = [one for one in waiting if one.account_id in believed]
    if not waiting:
        return 0
    events = [
        PresenceEvent(
            event_key=one.event_key,
            external_id=one.external_id,
            kind=EvidenceKind(one.kind),
            at=one.at,
            attendee_uid=one.attendee_uid,
            identity=one.identity,
            quality=one.quality,
        )
        for one in waiting
        if one.kind != ENDED
    ]
    report = PresenceReport(events=events, ended=[(one.external_id, one.at) for one in waiting if one.kind == ENDED])
    new = store(meeting.account, report)
    db.session.execute(sa.delete(HeldEvent).where(HeldEvent.id.in_([one.id for one in waiting])))
    return new


def adopt_all(account: ProviderAccount) -> None:
    """The same for every room of an account: two transactions that did not see each other may have left something
    behind. Flushes."""
    known = (
        sa.select(ExternalId.entity_id)
        .join(HeldEvent, HeldEvent.external_id == ExternalId.key)
        .where(
            HeldEvent.account_id.in_(_of_plugin(account)),
            ExternalId.entity == "meeting",
            ExternalId.system == providers.source_of(account),
        )
    )
    meetings = db.session.scalars(sa.select(Meeting).where(Meeting.account_id == account.id, Meeting.id.in_(known)))
    for meeting in meetings.all():
        adopt(meeting)


def _of_plugin(account: ProviderAccount) -> sa.Select[int]:
    return sa.select(ProviderAccount.id).where(ProviderAccount.plugin == account.plugin)


def forget_held() -> None:
    """Delete what was told of rooms that never became known. Flushes."""
    db.session.execute(sa.delete(HeldEvent).where(HeldEvent.received_at < now() - HELD_FOR))


def _rooms(account: ProviderAccount, keys: Collection[str]) -> dict[str, Meeting]:
    """The meetings of the account by the provider's names of their rooms, and those of other accounts at its server,
    which tells each of them of the rooms of all."""
    found = dict(
        _named_rooms(keys, Meeting.account_id == account.id, ExternalId.system == providers.source_of(account))
    )
    unknown = set(keys) - set(found)
    if unknown:
        others = ProviderAccount.plugin == account.plugin, ProviderAccount.id != account.id
        told = _named_rooms(unknown, ExternalId.system == providers.SOURCE + ProviderAccount.uid, *others)
        found |= {key: meeting for key, meeting in told if providers.speaks_for(account, meeting.account)}
    return found


def _named_rooms(keys: Collection[str], *conditions: sa.ColumnElement[bool]) -> list[tuple[str, Meeting]]:
    found: list[tuple[str, Meeting]] = []
    wanted = sorted(keys)
    for start in range(0, len(wanted), CHUNK):
        rows = db.session.execute(
            sa.select(ExternalId.key, Meeting)
            .join(Meeting, Meeting.id == ExternalId.entity_id)
            .join(ProviderAccount, ProviderAccount.id == Meeting.account_id)
            .where(ExternalId.entity == "meeting", ExternalId.key.in_(wanted[start : start + CHUNK]), *conditions)
            .options(joinedload(Meeting.lesson), joinedload(Meeting.account))
            .order_by(Meeting.id)
        )
        found += [(row[0], row[1]) for row in rows]
    return found


def _record(rooms: Mapping[str, Meeting], events: Sequence[PresenceEvent]) -> int:
    known = identities.by_uid({e.attendee_uid for e in events if e.attendee_uid})
    named = _named(rooms, [e for e in events if e.attendee_uid not in known])
    rows = []
    for event in events:
        meeting = rooms[event.external_id]
        at, quality = _counted(meeting.account, meeting.lesson, event)
        person_id = known.get(event.attendee_uid or "")
        if person_id is None and event.identity:
            person_id = named[meeting.lesson_id].get(event.identity)
        identity = event.identity or (event.attendee_uid if person_id is None else None)
        rows.append(
            NewEvidence(
                meeting.lesson_id,
                person_id,
                event.kind,
                at,
                providers.source_of(meeting.account),
                event.event_key,
                attempt=meeting.attempt,
                quality=quality,
                identity=identity[:255] if identity else None,
            )
        )
    return sum(record_many(rows[start : start + CHUNK]) for start in range(0, len(rows), CHUNK))


def _named(rooms: Mapping[str, Meeting], events: Iterable[PresenceEvent]) -> dict[int, dict[str, int]]:
    """By lesson, the people whom names and addresses stand for."""
    asked: defaultdict[int, set[str]] = defaultdict(set)
    lessons: dict[int, Lesson] = {}
    for event in events:
        lesson = rooms[event.external_id].lesson
        lessons[lesson.id] = lesson
        if event.identity:
            asked[lesson.id].add(event.identity)
    return defaultdict(dict, {one: identities.by_identity(lessons[one], names) for one, names in asked.items()})


def _counted(account: ProviderAccount, lesson: Lesson, event: PresenceEvent) -> tuple[datetime, str]:
    """The moment at which an observation counts, and its quality."""
    moment = now()
    ahead = event.at > moment + AHEAD
    # What is told afterwards (a report) may well be of an earlier day: the lesson was moved.
    behind = event.quality == "measured" and event.at < lesson.starts_at - EARLY
    if not ahead and not (behind and opens_at(lesson) <= moment <= closes_at(lesson)):
        return event.at, event.quality
    _note_clock(account, event.at - moment)
    if moment > lesson.ends_at:
        times = (opens_at(lesson), closes_at(lesson))
        _note_gap(account, Gap(*times, WRONG_CLOCK, external_id=event.external_id))
    return moment, RECEIVED


def _note_clock(account: ProviderAccount, off: timedelta) -> None:
    """For the administrator: by how much the clock of the account's system is wrong; written at most once a minute."""
    moment = now()
    column = ProviderAccount.clock_off_at
    db.session.execute(
        sa.update(ProviderAccount)
        .where(ProviderAccount.id == account.id, sa.or_(column.is_(None), column < moment - NOTED_EVERY))
        .values(clock_off=round(off.total_seconds() / 60), clock_off_at=moment)
        .execution_options(synchronize_session=False)
    )


def _hold(account: ProviderAccount, events: Sequence[PresenceEvent], ended: Sequence[tuple[str, datetime]]) -> None:
    moment = now()
    wrong = [event for event in events if event.at > moment + AHEAD]
    if wrong:
        _note_clock(account, wrong[-1].at - moment)
    rows = [
        {
            "account_id": account.id,
            "external_id": event.external_id[:255],
            "event_key": event.event_key[:KEY_LENGTH],
            "kind": event.kind.value,
            "at": moment if event in wrong else event.at,
            "attendee_uid": event.attendee_uid[:64] if event.attendee_uid else None,
            "identity": event.identity[:255] if event.identity else None,
            "quality": RECEIVED if event in wrong else event.quality,
            "received_at": moment,
        }
        for event in events
    ] + [
        {
            "account_id": account.id,
            "external_id": key[:255],
            "event_key": f"{ENDED}:{key}:{at.isoformat()}"[:KEY_LENGTH],
            "kind": ENDED,
            "at": at,
            "attendee_uid": None,
            "identity": None,
            "quality": "measured",
            "received_at": moment,
        }
        for key, at in ended
    ]
    for start in range(0, len(rows), CHUNK):
        _insert_once(HeldEvent, rows[start : start + CHUNK], ["account_id", "event_key"])


def _note_end(meeting: Meeting, at: datetime) -> None:
    """The provider's room ended, or is there no more. Where the lesson goes on, it is made anew at the next click:
    found again where it can be opened once more."""
    said, moment = at, now()
    if said > moment + AHEAD:
        _note_clock(meeting.account, said - moment)
        at = moment
    _insert_once(RoomEnd, [{"meeting_id": meeting.id, "at": at, "said_at": said}], ["meeting_id", "said_at"])
    made_since = meeting.made_at is not None and meeting.made_at > at
    if meeting.state is MeetingState.READY and not made_since and needs_room(meeting.lesson):
        meeting.state = MeetingState.WANTED
        db.session.flush()


def _note_gap(account: ProviderAccount, gap: Gap) -> None:
    """Store a time in which nothing was seen; pieces of the same gap that touch become one row."""
    source, lesson_id = providers.source_of(account), None
    if gap.external_id is not None:
        meeting = _rooms(account, {gap.external_id}).get(gap.external_id)
        if meeting is None:
            return
        source, lesson_id = providers.source_of(meeting.account), meeting.lesson_id
    known = db.session.scalar(
        sa.select(SourceGap)
        .where(
            SourceGap.source == source,
            SourceGap.lesson_id.is_not_distinct_from(lesson_id),
            SourceGap.reason == gap.reason[:255],
            SourceGap.starts_at <= gap.ends_at + TOUCHING,
            SourceGap.ends_at >= gap.starts_at - TOUCHING,
        )
        .order_by(SourceGap.id)
        .limit(1)
    )
    if known is not None:
        known.starts_at = min(known.starts_at, gap.starts_at)
        known.ends_at = max(known.ends_at or gap.ends_at, gap.ends_at)
    elif gap.ends_at > gap.starts_at:
        db.session.add(
            SourceGap(
                source=source,
                lesson_id=lesson_id,
                starts_at=gap.starts_at,
                ends_at=gap.ends_at,
                reason=gap.reason[:255],
            )
        )
    db.session.flush()


def _insert_once(table: type[Base], rows: Sequence[Mapping[str, Any]], unique: Sequence[str]) -> None:
    if rows:
        db.session.execute(insert_into(table).values(rows).on_conflict_do_nothing(index_elements=unique))
