"""How the rooms of a part of the school system stand: for the operations page and the calendar of capacity."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload

from lms_bridge.core.clock import local, now
from lms_bridge.core.database import db
from lms_bridge.core.models import AuditEntry
from lms_bridge.lessons.door_times import held_online, open_between
from lms_bridge.lessons.gaps import Gap, gaps_between
from lms_bridge.lessons.models import CircuitState, Meeting, MeetingCause, MeetingState, ProviderAccount
from lms_bridge.lessons.providers import source_of
from lms_bridge.roster.models import Organisation, Person
from lms_bridge.timetable.models import Lesson
from lms_bridge.timetable.queries import WITH_PARTS


@dataclass(frozen=True)
class OpenLesson:
    """A lesson whose door is open, with the room in force (none: nobody has wished for one) and the account that the
    lesson came from (none: it has not moved, or that account is switched off)."""

    lesson: Lesson
    meeting: Meeting | None
    left: ProviderAccount | None = None


@dataclass(frozen=True)
class ProviderStand:
    """How an account stands now: whether its provider is asked, when again, and the lessons that hold its rooms."""

    account: ProviderAccount
    circuit: CircuitState
    rooms: int
    retry_at: datetime | None


@dataclass(frozen=True)
class Move:
    """A lesson that left one account's room for another's; ``by``: the person who decided it."""

    lesson: Lesson
    at: datetime
    cause: MeetingCause
    attempt: int
    left: ProviderAccount | None
    to: ProviderAccount
    state: MeetingState
    by: Person | None = None


def lessons_now(paths: Collection[str]) -> list[OpenLesson]:
    """The lessons of these parts of the tree (organisation paths) whose door is open, in order of their beginning."""
    moment = now()
    lessons = db.session.scalars(
        sa.select(Lesson)
        .join(Organisation, Organisation.id == Lesson.campus_id)
        .where(_within(paths), held_online(), open_between(moment, moment))
        .options(*WITH_PARTS)
        .order_by(Lesson.starts_at, Lesson.id)
    ).all()
    rooms = _rooms([lesson.id for lesson in lessons])
    return [_open(lesson, rooms.get(lesson.id, [])) for lesson in lessons]


def providers_now(paths: Collection[str]) -> list[ProviderStand]:
    """The accounts of these parts of the tree, and of the organisations above them, in their order."""
    moment = now()
    above = [Organisation.id.in_([int(part) for part in path.strip("/").split("/")]) for path in paths]
    accounts = db.session.scalars(
        sa.select(ProviderAccount)
        .join(Organisation, Organisation.id == ProviderAccount.organisation_id)
        .where(sa.or_(sa.false(), _within(paths), *above))
        .order_by(Organisation.path, ProviderAccount.position, ProviderAccount.id)
    ).all()
    counted = {
        row[0]: row[1]
        for row in db.session.execute(
            sa.select(Meeting.account_id, sa.func.count())
            .join(Lesson, Lesson.id == Meeting.lesson_id)
            .where(Meeting.state == MeetingState.READY, held_online(), open_between(moment, moment))
            .group_by(Meeting.account_id)
        )
    }
    return [ProviderStand(one, one.circuit(moment), counted.get(one.id, 0), one.retry_at) for one in accounts]


def start_of_day(zone: str) -> datetime:
    """When today began on the wall clock of ``zone``."""
    return local(now(), zone).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)


def moves(paths: Collection[str], *, since: datetime | None = None, limit: int = 50) -> list[Move]:
    """The last moves (``since`` a moment) of lessons of these parts of the tree from one room to another, the newest
    first; not those of lessons to come that left an account which was switched off."""
    before = aliased(Meeting)
    rows = (
        db.session.execute(
            sa.select(Meeting, before)
            .join(Lesson, Lesson.id == Meeting.lesson_id)
            .join(Organisation, Organisation.id == Lesson.campus_id)
            .outerjoin(before, sa.and_(before.lesson_id == Meeting.lesson_id, before.attempt == Meeting.attempt - 1))
            .where(_within(paths), Meeting.cause.not_in((MeetingCause.WISHED, MeetingCause.OFF, MeetingCause.ORDER)))
            .where(Meeting.created_at >= since if since is not None else sa.true())
            .options(joinedload(Meeting.account), joinedload(Meeting.lesson).options(*WITH_PARTS))
            .order_by(Meeting.created_at.desc(), Meeting.id.desc())
            .limit(limit)
        )
        .unique()
        .all()
    )
    deciders = _deciders([meeting.lesson.uid for meeting, _ in rows])
    return [
        Move(
            lesson=meeting.lesson,
            at=meeting.created_at,
            cause=meeting.cause,
            attempt=meeting.attempt,
            left=old.account if old is not None else None,
            to=meeting.account,
            state=meeting.state,
            by=deciders.get((meeting.lesson.uid, meeting.attempt)),
        )
        for meeting, old in rows
    ]


def gaps_of(account: ProviderAccount, start: datetime, end: datetime) -> list[Gap]:
    """Times in which nothing could be seen of any of the account's rooms."""
    return gaps_between(start, end, sources=[source_of(account)])


def _open(lesson: Lesson, rooms: Sequence[Meeting]) -> OpenLesson:
    here = rooms[-1] if rooms else None
    left = rooms[-2].account if len(rooms) > 1 and rooms[-2].account_id != rooms[-1].account_id else None
    return OpenLesson(lesson, here, left if left is not None and left.enabled else None)


def _rooms(lesson_ids: Sequence[int]) -> dict[int, list[Meeting]]:
    """By lesson id all its rooms, the one in force last."""
    found: dict[int, list[Meeting]] = {}
    rows = db.session.scalars(
        sa.select(Meeting)
        .where(Meeting.lesson_id.in_(lesson_ids))
        .options(joinedload(Meeting.account))
        .order_by(Meeting.attempt)
    )
    for meeting in rows:
        found.setdefault(meeting.lesson_id, []).append(meeting)
    return found


def _deciders(lesson_uids: Collection[str]) -> dict[tuple[str, int], Person]:
    """By lesson and attempt who decided the move, as the audit log has it."""
    rows = db.session.execute(
        sa.select(AuditEntry, Person)
        .join(Person, Person.uid == AuditEntry.actor_uid)
        .where(
            AuditEntry.entity == "lesson",
            AuditEntry.entity_uid.in_(set(lesson_uids)),
            AuditEntry.action == "meeting.moved",
        )
    )
    return {(entry.entity_uid, entry.details["attempt"]): person for entry, person in rows}


def _within(paths: Collection[str]) -> sa.ColumnElement[bool]:
    return sa.or_(sa.false(), *(Organisation.path.startswith(path, autoescape=True) for path in paths))
