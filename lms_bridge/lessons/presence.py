"""Presence evidence: append-only, told twice is stored once, in any order; and the times that follow from it."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.dml import ReturningInsert

from lms_bridge.core import jobs
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, insert_into
from lms_bridge.core.plugins import EvidenceKind
from lms_bridge.lessons.intervals import Interval, Observation, intervals
from lms_bridge.lessons.models import Meeting, PresenceEvidence, RoomEnd

__all__ = [
    "DOOR", "OWN_SOURCES", "PAGE", "ROOM", "Interval", "NewEvidence", "Observation", "follow_by", "following",
    "intervals", "observations_of", "record_evidence", "record_many",
]  # fmt: skip

DOOR = "door"
"""Source of entries: a click at the door, stored before the person is let in."""
ROOM = "classroom"
"""Source of the built-in classroom's signs of life."""
PAGE = "page"
"""Source of signs of life from the lesson page that stays open beside a provider's room."""
OWN_SOURCES = frozenset({DOOR, ROOM, PAGE})
"""Sources whose observations are points; in all others a join lasts until a leave."""

KEY_LENGTH = 120

_following: dict[str, timedelta] = {}


def follow_by(kind: str, *, after: timedelta) -> None:
    """Have a job of this kind, whose subject is the lesson, asked for whenever something new is seen of a person, so
    long ``after`` it: once for all that is seen meanwhile."""
    _following[kind] = after


def following() -> Mapping[str, timedelta]:
    """The kinds of jobs that follow from evidence, and how long after it: see :func:`follow_by`."""
    return _following


@dataclass(frozen=True)
class NewEvidence:
    """One observation to be stored; see :class:`~lms_bridge.lessons.models.PresenceEvidence` for the fields."""

    lesson_id: int
    person_id: int | None
    kind: EvidenceKind
    at: datetime
    source: str
    event_key: str
    attempt: int = 1
    quality: str = "measured"
    identity: str | None = None


@functools.cache
def _store(dialect: Dialect) -> ReturningInsert[int, int | None]:
    """Put together once, since everybody who comes in the same second asks for it."""
    return (
        insert_into(PresenceEvidence, dialect)
        .on_conflict_do_nothing(index_elements=["source", "event_key"])
        .returning(PresenceEvidence.lesson_id, PresenceEvidence.person_id)
    )


def record_evidence(
    lesson_id: int,
    person_id: int | None,
    kind: EvidenceKind,
    at: datetime,
    source: str,
    event_key: str,
    attempt: int = 1,
    quality: str = "measured",
    identity: str | None = None,
) -> bool:
    """Store one observation; False if this source told it before. ``at`` is aware; ``person_id`` is None for an
    ``identity`` that nobody is matched to yet. Flushes, in the transaction in force."""
    row = NewEvidence(lesson_id, person_id, kind, at, source, event_key, attempt, quality, identity)
    return record_many([row]) == 1


def record_many(rows: Iterable[NewEvidence]) -> int:
    """Store observations, each once for its source and event key; how many were new.

    Asks once for each lesson of which something was new for the jobs that follow (:func:`follow_by`).
    """
    values = [
        {
            "lesson_id": row.lesson_id,
            "person_id": row.person_id,
            "kind": row.kind,
            "at": row.at,
            "source": row.source,
            "event_key": row.event_key[:KEY_LENGTH],
            "attempt": row.attempt,
            "quality": row.quality,
            "identity": row.identity,
            "received_at": now(),
        }
        for row in rows
    ]
    if not values:
        return 0
    db.session.flush()
    connection = db.session.connection()
    stored = connection.execute(_store(connection.dialect), values if len(values) > 1 else values[0]).all()
    for lesson_id in sorted({one for one, who in stored if who is not None}):
        for kind, after in _following.items():
            jobs.enqueue(kind, str(lesson_id), not_before=now() + after)
    return len(stored)


def observations_of(lesson_id: int, person_ids: Sequence[int] | None = None) -> dict[int, list[Observation]]:
    """All that was seen in a lesson, by person id (those matched to a person), in the form :func:`intervals` takes.

    A join at a provider lasts at most until that room ended (at the provider, or by us), or until the lesson moved on
    to the next attempt's room.
    """
    ends = _ends_of(lesson_id)
    query = sa.select(
        PresenceEvidence.person_id,
        PresenceEvidence.kind,
        PresenceEvidence.at,
        PresenceEvidence.source,
        PresenceEvidence.attempt,
    ).where(PresenceEvidence.lesson_id == lesson_id, PresenceEvidence.person_id.is_not(None))
    if person_ids is not None:
        query = query.where(PresenceEvidence.person_id.in_(list(person_ids)))
    found: defaultdict[int, list[Observation]] = defaultdict(list)
    for person_id, kind, at, source, attempt in db.session.execute(query.order_by(PresenceEvidence.at)):
        assert person_id is not None
        found[person_id].append(
            Observation(
                kind=kind,
                at=at,
                stream=f"{source}:{attempt}",
                lasting=source not in OWN_SOURCES,
                until=next((end for end in ends.get(attempt, ()) if end >= at), None),
            )
        )
    return dict(found)


def _ends_of(lesson_id: int) -> dict[int, list[datetime]]:
    """By attempt, the moments at which nobody was inside any more, in order."""
    rooms = db.session.execute(
        sa.select(Meeting.attempt, Meeting.created_at, Meeting.ended_at)
        .where(Meeting.lesson_id == lesson_id)
        .order_by(Meeting.attempt)
    ).all()
    found: defaultdict[int, list[datetime]] = defaultdict(list)
    for row in rooms:
        if row.ended_at is not None:
            found[row.attempt].append(row.ended_at)
        found[row.attempt - 1].append(row.created_at)
    seen = sa.select(Meeting.attempt, RoomEnd.at).join(Meeting, Meeting.id == RoomEnd.meeting_id)
    for attempt, at in db.session.execute(seen.where(Meeting.lesson_id == lesson_id)):
        found[attempt].append(at)
    return {attempt: sorted(ends) for attempt, ends in found.items()}
