"""The click of a student at an open door whose lesson has a room: what hundreds of them do in the same second.

One question in columns and two short writes in one transaction. It lets in nobody whom
:mod:`lms_bridge.lessons.entering` would not; whatever is not this plain case is left to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from lms_bridge.core.clock import local, now
from lms_bridge.core.database import db
from lms_bridge.core.ids import new_token
from lms_bridge.core.plugins import EvidenceKind
from lms_bridge.lessons import door_times, gateway, meetings, providers
from lms_bridge.lessons.gateway import DoorState
from lms_bridge.lessons.models import JoinLink, Meeting, MeetingState, ProviderAccount
from lms_bridge.lessons.presence import DOOR, record_evidence
from lms_bridge.roster.models import Account, Enrolment, EnrolmentRole, Person
from lms_bridge.timetable.models import Lesson, LessonAudience, LessonTeacher

_later = sa.orm.aliased(Meeting)
# One row for each enrolment in a class of the lesson; with the account's plugin, since only some are this plain.
_FOUND = (
    sa.select(
        Person.id.label("person_id"), Lesson.id.label("lesson_id"), Lesson.uid.label("lesson_uid"), Lesson.starts_at,
        Lesson.ends_at, Lesson.zone, Lesson.mode, Lesson.status, Meeting.id.label("meeting_id"), Meeting.attempt,
        Meeting.state, Meeting.busy_until, ProviderAccount.plugin, Enrolment.valid_from, Enrolment.valid_to,
        sa.exists().where(LessonTeacher.lesson_id == Lesson.id, LessonTeacher.person_id == Person.id).label("teaches"),
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
    .where(~sa.exists().where(_later.lesson_id == Lesson.id, _later.attempt > Meeting.attempt))
)  # fmt: skip
_BY_LINK = _FOUND.join(
    JoinLink, sa.and_(JoinLink.lesson_id == Lesson.id, JoinLink.person_id == Person.id)
).where(JoinLink.token == sa.bindparam("token"), JoinLink.revoked_at.is_(None))  # fmt: skip
_BY_SESSION = (
    _FOUND.add_columns(Account.session_version)
    .join(Account, sa.and_(Account.person_id == Person.id, Account.disabled_at.is_(None)))
    .where(Lesson.uid == sa.bindparam("uid"), Person.uid == sa.bindparam("person_uid"))
)


def by_link(token: str) -> str | None:
    """The owner of a personal link clicks: their entry is written, and the lesson's uid returned. None: not this plain
    case, and nothing is written. Flushes: the caller commits, and only then lets the person in."""
    return _enter(db.session.connection().execute(_BY_LINK, {"token": token}).all())


def by_session(lesson_uid: str, person_uid: str, version: str) -> str | None:
    """As :func:`by_link`, for somebody whose session names them, in this version; None also when it is not in force."""
    asked = {"uid": lesson_uid, "person_uid": person_uid}
    rows = db.session.connection().execute(_BY_SESSION, asked).all()
    return _enter([row for row in rows if str(row.session_version) == version])


def _enter(rows: Sequence[Any]) -> str | None:
    if not rows:
        return None
    one, moment = rows[0], now()
    day = local(one.starts_at, one.zone).date()
    expected = any(row.valid_from <= day and (row.valid_to is None or row.valid_to > day) for row in rows)
    if one.teaches or not expected or one.state is MeetingState.ENDED:
        return None
    if gateway.state_at(door_times.window_of(one), moment) is not DoorState.OPEN:
        return None
    flags = providers.capabilities_named(one.plugin)
    if flags.embeddable or not flags.local_join_url:
        return None
    # In this order, as in entering: jobs that follow from what is recorded are locked last by everybody.
    meetings.make_now(one.meeting_id, one.state, one.busy_until)
    record_evidence(one.lesson_id, one.person_id, EvidenceKind.JOINED, moment, DOOR, new_token(), attempt=one.attempt)
    return str(one.lesson_uid)
