"""The click of a student at an open door whose lesson has a room: what hundreds of them do in the same second.

One statement that finds and stores, a transaction by itself, as long as the jobs that follow wait already; else what is
found in columns is recorded as at any other door. It lets in nobody whom :mod:`lms_bridge.lessons.entering` would not;
whatever is not this plain case is left to it.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from lms_bridge.core import jobs, registry
from lms_bridge.core.clock import local, now
from lms_bridge.core.database import one_statement, transaction
from lms_bridge.core.ids import new_token
from lms_bridge.core.plugins import EvidenceKind, MeetingProvider
from lms_bridge.core.ready import Ready
from lms_bridge.lessons import door_times, gateway, meetings, providers
from lms_bridge.lessons.gateway import DoorState
from lms_bridge.lessons.models import JoinLink, Meeting, MeetingState, PresenceEvidence, ProviderAccount
from lms_bridge.lessons.presence import DOOR, following, record_evidence
from lms_bridge.roster.models import Account, Enrolment, EnrolmentRole, Person
from lms_bridge.timetable.models import Lesson, LessonAudience, LessonTeacher

_MOMENT = Meeting.created_at.type


def _found() -> sa.Select[*tuple[Any, ...]]:
    """One row for each enrolment in a class of a lesson that is held online and not taught by the person; with the
    account's plugin, since only some are this plain. Whatever the question keeps out goes the slow way."""
    later = sa.orm.aliased(Meeting)
    return (
        sa.select(
            Person.id.label("person_id"), Lesson.id.label("lesson_id"), Lesson.uid.label("lesson_uid"),
            Lesson.starts_at, Lesson.ends_at, Lesson.zone, Enrolment.valid_from, Enrolment.valid_to,
            Meeting.id.label("meeting_id"), Meeting.attempt, Meeting.state, Meeting.busy_until, ProviderAccount.plugin,
        )
        .select_from(Lesson)
        .join(Person, Person.erased_at.is_(None))
        .join(LessonAudience, LessonAudience.lesson_id == Lesson.id)
        .join(
            Enrolment,
            sa.and_(
                Enrolment.class_id == LessonAudience.class_id,
                Enrolment.person_id == Person.id,
                Enrolment.role == EnrolmentRole.STUDENT,
            ),
        )
        .join(Meeting, Meeting.lesson_id == Lesson.id)
        .join(ProviderAccount, ProviderAccount.id == Meeting.account_id)
        .where(
            door_times.held_online(),
            Meeting.state != MeetingState.ENDED,
            ~sa.exists().where(later.lesson_id == Lesson.id, later.attempt > Meeting.attempt),
            ~sa.exists().where(LessonTeacher.lesson_id == Lesson.id, LessonTeacher.person_id == Person.id),
        )
    )  # fmt: skip


_BY_LINK = (
    _found()
    .join(JoinLink, sa.and_(JoinLink.lesson_id == Lesson.id, JoinLink.person_id == Person.id))
    .where(JoinLink.token == sa.bindparam("token"), JoinLink.revoked_at.is_(None))
)
_BY_SESSION = (
    _found()
    .join(Account, sa.and_(Account.person_id == Person.id, Account.disabled_at.is_(None)))
    .where(
        Lesson.uid == sa.bindparam("lesson"),
        Person.uid == sa.bindparam("person"),
        Account.session_version == sa.bindparam("version"),
    )
)
_ANY_DAY = timedelta(days=2)
"""In whatever zone a lesson of now is held, its day is not farther away."""


@functools.cache
def _entry(question: sa.Select[*tuple[Any, ...]], dialect: Dialect) -> Ready:
    """The statement that stores the entry of whom the question finds, if all is plain: the door is open, they are of
    the class on any day that the lesson's may be, and no job must be asked for, since the room is made, or being made,
    and those that are needed wait. They are held, in the order in which everybody asks for them. Put together when all
    are known who follow evidence."""
    moment = sa.bindparam("moment", type_=_MOMENT)
    making = jobs.waiting(sa.literal(meetings.PROVISION), sa.cast(Meeting.id, sa.String), moment)
    followed = [
        jobs.waiting(sa.literal(kind), sa.cast(Lesson.id, sa.String), sa.bindparam(kind, type_=_MOMENT))
        for kind in following()
    ]
    stored = {
        "lesson_id": Lesson.id, "person_id": Person.id, "attempt": Meeting.attempt, "at": moment, "received_at": moment,
        "kind": sa.literal(EvidenceKind.JOINED, PresenceEvidence.kind.type), "source": sa.literal(DOOR),
        "event_key": sa.bindparam("key", type_=sa.String), "quality": sa.literal("measured"),
    }  # fmt: skip
    entry = question.with_only_columns(*stored.values()).where(
        Lesson.starts_at.between(sa.bindparam("day_ago", type_=_MOMENT), sa.bindparam("opened_by", type_=_MOMENT)),
        Lesson.ends_at > sa.bindparam("not_over", type_=_MOMENT),
        Enrolment.valid_from <= sa.bindparam("since", type_=sa.Date),
        sa.or_(Enrolment.valid_to.is_(None), Enrolment.valid_to > sa.bindparam("until", type_=sa.Date)),
        sa.or_(sa.false(), *(ProviderAccount.plugin == name for name in _plain_ones())),
        sa.or_(
            Meeting.state != MeetingState.WANTED, Meeting.busy_until > moment, making.scalar_subquery().is_not(None)
        ),
        *(one.scalar_subquery().is_not(None) for one in followed),
    )  # fmt: skip
    table: sa.Table = PresenceEvidence.__table__  # type: ignore[assignment]
    # Written out: SQLAlchemy would take the new row for another look at its table.
    entered = sa.select(Lesson.uid).where(Lesson.id == sa.literal_column("presence_evidence.lesson_id"))
    store = sa.insert(table).from_select(list(stored), entry.limit(1), include_defaults=False)
    return Ready(store.returning(entered.scalar_subquery().label("lesson_uid")), dialect)


def by_link(token: str) -> str | None:
    """The owner of a personal link clicks: their entry is stored for good, and the lesson's uid returned. None: not
    this plain case, and nothing is written. Commits by itself, and so is never called within a transaction."""
    return _enter(_BY_LINK, {"token": token})


def by_session(lesson_uid: str, person_uid: str, version: int) -> str | None:
    """As :func:`by_link`, for somebody whose session names them and its version; None also when it is not in force."""
    return _enter(_BY_SESSION, {"lesson": lesson_uid, "person": person_uid, "version": version})


def _enter(question: sa.Select[*tuple[Any, ...]], asked: dict[str, Any]) -> str | None:
    moment = now()
    opened_by, not_over = door_times.standing_open(moment)
    values: dict[str, Any] = {
        "moment": moment, "day_ago": moment - timedelta(days=1), "opened_by": opened_by, "not_over": not_over,
        "since": (moment - _ANY_DAY).date(), "until": (moment + _ANY_DAY).date(), "key": new_token(),
    }  # fmt: skip
    due = {kind: moment + after for kind, after in following().items()}
    with one_statement() as connection:
        entered = _entry(question, connection.dialect).rows(connection, asked | due | values)
    if entered:
        return str(entered[0].lesson_uid)
    with transaction() as session:
        one = _admitted(session.connection().execute(question, asked).all(), moment)
        if one is None:
            return None
        # In this order, as in entering: jobs that follow from what is recorded are locked last by everybody.
        meetings.make_now(one.meeting_id, one.state, one.busy_until)
        record_evidence(one.lesson_id, one.person_id, EvidenceKind.JOINED, moment, DOOR, new_token(), one.attempt)
    return str(one.lesson_uid)


def _admitted(rows: Sequence[Any], moment: datetime) -> Any | None:
    """Who is let in at once, of what was found; None: nobody, or only the slow way."""
    if not rows:
        return None
    one = rows[0]
    day = local(one.starts_at, one.zone).date()
    expected = any(row.valid_from <= day and (row.valid_to is None or row.valid_to > day) for row in rows)
    window = gateway.Window(opens_at=door_times.opens_at(one), closes_at=door_times.closes_at(one))
    if not expected or gateway.state_at(window, moment) is not DoorState.OPEN:
        return None
    return one if _is_plain(one.plugin) else None


@functools.cache
def _plain_ones() -> list[str]:
    return [name for name in registry.identifiers(MeetingProvider) if _is_plain(name)]


def _is_plain(plugin: str) -> bool:
    flags = providers.capabilities_named(plugin)
    return flags.local_join_url and not flags.embeddable
