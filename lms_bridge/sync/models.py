"""Tables of the exchange with LMSs: the accounts, what is called what there and how it stands, and the runs."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms_bridge.core.clock import now
from lms_bridge.core.database import Base, PrimaryKey, Uid
from lms_bridge.core.ids import new_uid
from lms_bridge.core.types import EncryptedJSON, KeptProblem
from lms_bridge.roster.models import Organisation


class Removal(enum.StrEnum):
    """How an account goes: ``forget`` touches nothing in the LMS; ``clear`` first takes away the events and activities
    that were made there."""

    FORGET = "forget"
    CLEAR = "clear"


class LmsAccount(Base):
    """An account at an LMS. It hangs on an organisation and serves all below it; ``settings`` are those of its plugin,
    encrypted. With ``makes_people`` the LMS is where people come from; else it only tells who is who."""

    __tablename__ = "lms_account"

    id: Mapped[PrimaryKey]
    uid: Mapped[Uid] = mapped_column(default=new_uid)
    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisation.id"), index=True)
    plugin: Mapped[str] = mapped_column(sa.String(60))
    name: Mapped[str] = mapped_column(sa.String(120))
    settings: Mapped[dict[str, Any]] = mapped_column(EncryptedJSON, default=dict)
    enabled: Mapped[bool] = mapped_column(default=True)
    removal: Mapped[Removal | None]
    """The account is being removed, in this way; it is switched off."""
    makes_people: Mapped[bool] = mapped_column(default=False)
    makes_courses: Mapped[bool] = mapped_column(default=False)
    """Courses and enrolments that are missing there are made from ours."""
    writes_marks: Mapped[bool] = mapped_column(default=False)
    """The marks of each lesson go into the LMS's own attendance register."""
    reads_homework: Mapped[bool] = mapped_column(default=False)
    reads_cohorts: Mapped[bool] = mapped_column(default=False)
    """A class that has no course there takes its students from the cohort that carries its key."""
    sends_messages: Mapped[bool] = mapped_column(default=False)
    """People's accounts there are addresses that messages may be sent to."""
    failures: Mapped[int] = mapped_column(default=0)
    """Calls that failed in a row; one success makes it 0 again."""
    state_at: Mapped[datetime | None]
    last_error: Mapped[dict[str, Any] | None] = mapped_column(KeptProblem)
    busy_until: Mapped[datetime | None]
    """The lease of the job that writes into the LMS: two at once would make things twice."""
    busy_by: Mapped[str | None] = mapped_column(sa.String(80))
    created_at: Mapped[datetime] = mapped_column(default=now)

    organisation: Mapped[Organisation] = relationship()


class MappedKind(enum.StrEnum):
    """What a mapping is about."""

    COURSE = "course"
    PERSON = "person"
    ENROLMENT = "enrolment"
    EVENT = "event"
    ACTIVITY = "activity"
    ATTENDANCE = "attendance"
    """A lesson's session in the LMS's register, with the marks in it."""
    COHORT = "cohort"
    GROUP = "group"
    """The groups of a course that stand for parts of its class."""
    ASSIGNMENT = "assignment"


class MappingState(enum.StrEnum):
    """Where a mapping stands.

    ``waiting``: something is to be done there; ``sending``: it was asked for, and whether it was done is not known yet;
    ``done``: both agree; ``failed``: refused, tried again later; ``unmatched``: there is nothing of ours that it could
    be; ``not_ours``: an administrator said that it is nobody of ours; ``gone``: no longer there, and not wanted.
    """

    WAITING = "waiting"
    SENDING = "sending"
    DONE = "done"
    FAILED = "failed"
    UNMATCHED = "unmatched"
    NOT_OURS = "not_ours"
    GONE = "gone"


class SyncMapping(Base):
    """One thing of ours and what it is there. ``place`` is the remote course that it is in ("" for none).

    ``entity_id`` is the number of our row of the kind (class, person, enrolment, lesson, homework; the class of an
    activity, a cohort or groups); ``sent`` is what was sent last, or what an unmatched thing is called there;
    ``digest`` tells whether something else is wanted by now.
    """

    __tablename__ = "sync_mapping"
    __table_args__ = (
        sa.UniqueConstraint("account_id", "kind", "place", "entity_id"),
        sa.Index("ix_sync_mapping_remote", "account_id", "kind", "remote_id"),
        sa.Index("ix_sync_mapping_due", "account_id", "kind", "state", "next_try"),
    )

    id: Mapped[PrimaryKey]
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("lms_account.id"))
    kind: Mapped[MappedKind]
    entity_id: Mapped[int | None]
    place: Mapped[str] = mapped_column(sa.String(40), default="")
    remote_id: Mapped[str | None] = mapped_column(sa.String(80))
    state: Mapped[MappingState] = mapped_column(default=MappingState.WAITING)
    sent: Mapped[dict[str, Any]] = mapped_column(default=dict)
    digest: Mapped[str | None] = mapped_column(sa.String(64))
    attempts: Mapped[int] = mapped_column(default=0)
    next_try: Mapped[datetime] = mapped_column(default=now)
    last_error: Mapped[dict[str, Any] | None] = mapped_column(KeptProblem)
    changed_at: Mapped[datetime] = mapped_column(default=now)
    seen_at: Mapped[datetime | None]


class RunKind(enum.StrEnum):
    """What a run does."""

    ROSTER = "roster"
    ACTIVITIES = "activities"
    EVENTS = "events"
    RECONCILE = "reconcile"
    MARKS = "marks"
    HOMEWORK = "homework"


class SyncState(enum.StrEnum):
    """How far a run has come."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"


class SyncRun(Base):
    """One run that a person or the night asked for. ``progress`` is written while it runs; ``result`` are counts and
    ``problems`` texts in the language ``locale``."""

    __tablename__ = "sync_run"

    id: Mapped[PrimaryKey]
    uid: Mapped[Uid] = mapped_column(default=new_uid)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("lms_account.id"), index=True)
    kind: Mapped[RunKind]
    dry_run: Mapped[bool] = mapped_column(default=False)
    confirmed: Mapped[bool] = mapped_column(default=False)
    """Endings beyond the limit for one run are confirmed by a person."""
    locale: Mapped[str] = mapped_column(sa.String(16), default="zh-CN")
    actor_uid: Mapped[str | None] = mapped_column(sa.String(32))
    state: Mapped[SyncState] = mapped_column(default=SyncState.WAITING)
    progress: Mapped[dict[str, Any]] = mapped_column(default=dict)
    result: Mapped[dict[str, Any]] = mapped_column(default=dict)
    problems: Mapped[list[Any]] = mapped_column(default=list)
    """As :mod:`lms_bridge.core.kept_problems` keeps them."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    finished_at: Mapped[datetime | None]

    account: Mapped[LmsAccount] = relationship()
