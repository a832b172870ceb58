"""Tables of rooms and doors: provider accounts, meetings, join links, presence evidence, the built-in classroom."""

from __future__ import annotations

import enum
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms_bridge.core.clock import now
from lms_bridge.core.database import Base, PrimaryKey, Uid
from lms_bridge.core.ids import new_token, new_uid
from lms_bridge.core.plugins import EvidenceKind
from lms_bridge.core.types import EncryptedJSON, KeptProblem
from lms_bridge.timetable.models import Lesson


class CircuitState(enum.StrEnum):
    """Whether an account's provider is asked: as usual; not at all, because it failed; or once, to see whether it
    stands again."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class ProviderAccount(Base):
    """An account at a video-conferencing system. It hangs on an organisation and serves all below it, in the order
    of ``position``; ``settings`` are those of its plugin, encrypted.

    ``cursor`` is what its plugin said last of running (``running``) and of ended (``ended``) meetings. ``hosts`` are
    those who can lead rooms, one at a time. ``healthy`` is false from the moment the breaker opens until a probe
    succeeds; see :mod:`lms_bridge.lessons.breaker`. ``retry_at`` is when it is probed next, or, while it is healthy but
    busy, watched next. ``observer_until`` is the lease of the process that watches its
    rooms."""

    __tablename__ = "provider_account"

    id: Mapped[PrimaryKey]
    uid: Mapped[Uid] = mapped_column(default=new_uid)
    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisation.id"), index=True)
    plugin: Mapped[str] = mapped_column(sa.String(60))
    name: Mapped[str] = mapped_column(sa.String(120))
    position: Mapped[int] = mapped_column(default=1)
    settings: Mapped[dict[str, Any]] = mapped_column(EncryptedJSON, default=dict)
    cursor: Mapped[dict[str, Any]] = mapped_column(default=dict)
    enabled: Mapped[bool] = mapped_column(default=True)
    concurrent_rooms: Mapped[int | None]
    """How many rooms may be open at once (licences, hosts); none: no limit is known."""
    hosts: Mapped[list[str]] = mapped_column(default=list)
    host_realm: Mapped[str] = mapped_column(sa.String(255), default="")
    """Accounts with the same one share the hosts that both name."""
    hook_token: Mapped[str] = mapped_column(sa.String(64), default=new_token, unique=True)
    hook_at: Mapped[datetime | None]
    """About when the last genuine webhook came (to the minute)."""
    hook_refused_at: Mapped[datetime | None]
    """About when the last webhook was refused (to the minute)."""
    clock_off: Mapped[int | None]
    """By how many minutes the system's clock was ahead of ours (less than 0: behind) when that was noticed last."""
    clock_off_at: Mapped[datetime | None]
    """About when that was (to the minute)."""
    checked_at: Mapped[datetime | None]
    """When somebody last had it checked what the account may do; none: nobody has yet."""
    check_failed: Mapped[bool] = mapped_column(default=False)
    """Whether something that is needed was not possible then."""
    untried: Mapped[bool] = mapped_column(default=False)
    """It was just added, switched off: the first check that does not fail switches it on, or a person does."""
    healthy: Mapped[bool] = mapped_column(default=True)
    failures: Mapped[int] = mapped_column(default=0)
    failing_since: Mapped[datetime | None]
    trips: Mapped[int] = mapped_column(default=0)
    """How often in a row the breaker opened, or a probe failed: the next pause is longer."""
    retry_at: Mapped[datetime | None]
    state_at: Mapped[datetime | None]
    last_error: Mapped[dict[str, Any] | None] = mapped_column(KeptProblem)
    observer_owner: Mapped[str | None] = mapped_column(sa.String(80))
    observer_until: Mapped[datetime | None]

    def circuit(self, moment: datetime) -> CircuitState:
        """Whether its provider is asked at ``moment``."""
        if self.healthy:
            return CircuitState.CLOSED
        return CircuitState.OPEN if self.retry_at is not None and self.retry_at > moment else CircuitState.HALF_OPEN


class MeetingState(enum.StrEnum):
    """Life of a room: wanted (a job makes it), ready, failed for good, or ended."""

    WANTED = "wanted"
    READY = "ready"
    FAILED = "failed"
    ENDED = "ended"


class MeetingCause(enum.StrEnum):
    """Why an attempt was begun: the lesson's first room (or one after it was restored), because the provider failed
    (by itself), by a person's decision, because no host was free at the lesson's new time, or before the lesson began:
    because the account was switched off, or the campus's order is followed anew."""

    WISHED = "wished"
    FAILOVER = "failover"
    PERSON = "person"
    HOSTS = "hosts"
    OFF = "off"
    ORDER = "order"


class Meeting(Base):
    """The room of a lesson at one provider; failover makes attempt n+1. ``provisioned`` is the digest of the wish
    that the provider carried out last; ``busy_until`` and ``busy_by`` are the lease of the job that talks to the
    provider (:mod:`lms_bridge.lessons.room_leases`); ``made_at`` is when it was last made, ``ready_at`` when for the
    first time. ``failures`` counts vain attempts to make it.
    ``closing``: its end is stored, and its provider has not been told yet.
    ``reports`` says how often the report of its presence was fetched, ``report_at`` when it is next due.
    ``stuck_at`` is when its lesson had to leave it and could not, ``stuck_batch`` the message that told so; see
    :mod:`lms_bridge.lessons.stuck`."""

    __tablename__ = "meeting"
    __table_args__ = (sa.UniqueConstraint("lesson_id", "attempt"),)

    id: Mapped[PrimaryKey]
    lesson_id: Mapped[int] = mapped_column(sa.ForeignKey("lesson.id"))
    attempt: Mapped[int] = mapped_column(default=1)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("provider_account.id"), index=True)
    state: Mapped[MeetingState] = mapped_column(default=MeetingState.WANTED)
    room_state: Mapped[dict[str, Any]] = mapped_column(default=dict)
    room_secrets: Mapped[dict[str, Any]] = mapped_column(EncryptedJSON, default=dict)
    callback_token: Mapped[str] = mapped_column(sa.String(64), default=new_token, unique=True)
    cause: Mapped[MeetingCause] = mapped_column(default=MeetingCause.WISHED)
    host: Mapped[str | None] = mapped_column(sa.String(255))
    created_at: Mapped[datetime] = mapped_column(default=now)
    ready_at: Mapped[datetime | None]
    made_at: Mapped[datetime | None]
    failures: Mapped[int] = mapped_column(default=0)
    reports: Mapped[int] = mapped_column(default=0)
    report_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    closing: Mapped[bool] = mapped_column(default=False)
    last_error: Mapped[dict[str, Any] | None] = mapped_column(KeptProblem)
    provisioned: Mapped[str | None] = mapped_column(sa.String(64))
    busy_until: Mapped[datetime | None]
    busy_by: Mapped[str | None] = mapped_column(sa.String(32))
    stuck_at: Mapped[datetime | None]
    stuck_batch: Mapped[str | None] = mapped_column(sa.String(32), index=True)

    lesson: Mapped[Lesson] = relationship()
    account: Mapped[ProviderAccount] = relationship()


class RoomAddress(Base):
    """The address of one person in a room whose provider cannot compute it here; fetched by a job, stored encrypted."""

    __tablename__ = "room_address"
    __table_args__ = (sa.UniqueConstraint("meeting_id", "person_id"),)

    id: Mapped[PrimaryKey]
    meeting_id: Mapped[int] = mapped_column(sa.ForeignKey("meeting.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    address: Mapped[dict[str, Any]] = mapped_column(EncryptedJSON, default=dict)
    created_at: Mapped[datetime] = mapped_column(default=now)


class RoomEnd(Base):
    """A moment at which a provider saw a meeting's room end: whoever was inside left then. A room may end and be
    entered again. ``said_at`` is what the provider's clock said, ``at`` what counts."""

    __tablename__ = "room_end"
    __table_args__ = (sa.UniqueConstraint("meeting_id", "said_at"),)

    id: Mapped[PrimaryKey]
    meeting_id: Mapped[int] = mapped_column(sa.ForeignKey("meeting.id"))
    at: Mapped[datetime]
    said_at: Mapped[datetime]


class HeldEvent(Base):
    """What a provider told of a room that is not known here (yet: a webhook may be faster than the answer to the call
    that made the room). ``kind`` is one of evidence, or ``ended``."""

    __tablename__ = "held_event"
    __table_args__ = (
        sa.UniqueConstraint("account_id", "event_key"),
        sa.Index("ix_held_event_room", "account_id", "external_id"),
    )

    id: Mapped[PrimaryKey]
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("provider_account.id"))
    external_id: Mapped[str] = mapped_column(sa.String(255))
    event_key: Mapped[str] = mapped_column(sa.String(120))
    kind: Mapped[str] = mapped_column(sa.String(16))
    at: Mapped[datetime]
    attendee_uid: Mapped[str | None] = mapped_column(sa.String(64))
    identity: Mapped[str | None] = mapped_column(sa.String(255))
    quality: Mapped[str] = mapped_column(sa.String(16), default="measured")
    received_at: Mapped[datetime] = mapped_column(default=now)


class JoinLink(Base):
    """The one permanent address by which one person enters one lesson: an opaque stored token, revocable."""

    __tablename__ = "join_link"
    __table_args__ = (sa.UniqueConstraint("lesson_id", "person_id"),)

    id: Mapped[PrimaryKey]
    token: Mapped[str] = mapped_column(sa.String(64), default=new_token, unique=True)
    lesson_id: Mapped[int] = mapped_column(sa.ForeignKey("lesson.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    revoked_at: Mapped[datetime | None]


class PresenceEvidence(Base):
    """One observation, append-only. ``source`` is ``door``, ``classroom`` or a provider account's uid; its
    ``event_key`` is unique within it, so that what is told twice is stored once. ``quality`` is that of
    :class:`~lms_bridge.core.plugins.PresenceEvent`, or ``received``: the clock of who told it is wrong, and ``at`` is
    the moment at which it arrived."""

    __tablename__ = "presence_evidence"
    __table_args__ = (
        sa.UniqueConstraint("source", "event_key"),
        sa.Index("ix_presence_evidence_lesson", "lesson_id", "person_id", "at"),
    )

    id: Mapped[PrimaryKey]
    source: Mapped[str] = mapped_column(sa.String(40))
    event_key: Mapped[str] = mapped_column(sa.String(120))
    lesson_id: Mapped[int] = mapped_column(sa.ForeignKey("lesson.id"))
    attempt: Mapped[int] = mapped_column(default=1)
    person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    identity: Mapped[str | None] = mapped_column(sa.String(255))
    kind: Mapped[EvidenceKind]
    at: Mapped[datetime]
    received_at: Mapped[datetime] = mapped_column(default=now)
    quality: Mapped[str] = mapped_column(sa.String(16), default="measured")


class SourceGap(Base):
    """A time in which a source could see nothing: unknown, never absence. ``ends_at`` none: still open."""

    __tablename__ = "source_gap"

    id: Mapped[PrimaryKey]
    source: Mapped[str] = mapped_column(sa.String(40), index=True)
    lesson_id: Mapped[int | None] = mapped_column(sa.ForeignKey("lesson.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(sa.String(255), default="")


class MaterialKind(enum.StrEnum):
    """What a teacher puts into a lesson's classroom."""

    VIDEO = "video"
    FILE = "file"
    LINK = "link"
    NOTE = "note"


class LessonMaterial(Base):
    """Something shown in a lesson's classroom: a video by address or file, a document, a link, a note."""

    __tablename__ = "lesson_material"

    id: Mapped[PrimaryKey]
    uid: Mapped[Uid] = mapped_column(default=new_uid)
    lesson_id: Mapped[int] = mapped_column(sa.ForeignKey("lesson.id"), index=True)
    kind: Mapped[MaterialKind]
    title: Mapped[str] = mapped_column(sa.String(200))
    url: Mapped[str | None] = mapped_column(sa.String(1000))
    file_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stored_file.id"))
    text: Mapped[str] = mapped_column(sa.Text, default="")
    position: Mapped[int] = mapped_column(default=1)
    added_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    created_at: Mapped[datetime] = mapped_column(default=now)
    removed_at: Mapped[datetime | None]


class ClassroomQuestion(Base):
    """A question on a lesson's board, and the teacher's answer."""

    __tablename__ = "classroom_question"

    id: Mapped[PrimaryKey]
    uid: Mapped[Uid] = mapped_column(default=new_uid)
    lesson_id: Mapped[int] = mapped_column(sa.ForeignKey("lesson.id"), index=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    client_key: Mapped[str] = mapped_column(sa.String(64), unique=True)
    text: Mapped[str] = mapped_column(sa.String(1000))
    at: Mapped[datetime] = mapped_column(default=now)
    answer: Mapped[str] = mapped_column(sa.String(2000), default="")
    answered_at: Mapped[datetime | None]
    hidden_at: Mapped[datetime | None]


class RaisedHand(Base):
    """A hand up in a lesson: since when, and when it went down (by the student or the teacher)."""

    __tablename__ = "raised_hand"
    __table_args__ = (
        sa.Index(
            "uq_raised_hand_up",
            "lesson_id",
            "person_id",
            unique=True,
            sqlite_where=sa.text("lowered_at IS NULL"),
            postgresql_where=sa.text("lowered_at IS NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    lesson_id: Mapped[int] = mapped_column(sa.ForeignKey("lesson.id"), index=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    raised_at: Mapped[datetime] = mapped_column(default=now)
    lowered_at: Mapped[datetime | None]


class RecordedLesson(Base):
    """A recording that a provider keeps of a meeting. It can be watched through us until ``last_day`` is over (on the
    wall clock of the lesson), then it is forgotten here. ``hidden_at``: the teacher took it away from the others."""

    __tablename__ = "recorded_lesson"
    __table_args__ = (sa.UniqueConstraint("meeting_id", "recording_id"),)

    id: Mapped[PrimaryKey]
    uid: Mapped[Uid] = mapped_column(default=new_uid)
    meeting_id: Mapped[int] = mapped_column(sa.ForeignKey("meeting.id"))
    recording_id: Mapped[str] = mapped_column(sa.String(255))
    title: Mapped[str] = mapped_column(sa.String(200))
    url: Mapped[str] = mapped_column(sa.String(1000))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    last_day: Mapped[date] = mapped_column(index=True)
    hidden_at: Mapped[datetime | None]
