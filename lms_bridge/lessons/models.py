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
from lms_bridge.core.types import EncryptedJSON
from lms_bridge.timetable.models import Lesson


class ProviderAccount(Base):
    """An account at a video-conferencing system. It hangs on an organisation and serves all below it, in the order
    of ``position``; ``settings`` are those of its plugin, encrypted."""

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
    healthy: Mapped[bool] = mapped_column(default=True)
    failures: Mapped[int] = mapped_column(default=0)
    state_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(sa.Text)


class MeetingState(enum.StrEnum):
    """Life of a room: wanted (a job makes it), ready, failed for good, or ended."""

    WANTED = "wanted"
    READY = "ready"
    FAILED = "failed"
    ENDED = "ended"


class Meeting(Base):
    """The room of a lesson at one provider; failover makes attempt n+1. ``provisioned`` is the digest of the wish
    that the provider carried out last; ``busy_until`` is the lease of the job that talks to the provider."""

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
    host: Mapped[str | None] = mapped_column(sa.String(255))
    created_at: Mapped[datetime] = mapped_column(default=now)
    ready_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(sa.Text)
    provisioned: Mapped[str | None] = mapped_column(sa.String(64))
    busy_until: Mapped[datetime | None]

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
    ``event_key`` is unique within it, so that what is told twice is stored once."""

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
    """A recording that a provider keeps of a meeting, until ``delete_after``."""

    __tablename__ = "recorded_lesson"
    __table_args__ = (sa.UniqueConstraint("meeting_id", "recording_id"),)

    id: Mapped[PrimaryKey]
    meeting_id: Mapped[int] = mapped_column(sa.ForeignKey("meeting.id"))
    recording_id: Mapped[str] = mapped_column(sa.String(255))
    title: Mapped[str] = mapped_column(sa.String(200))
    url: Mapped[str] = mapped_column(sa.String(1000))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    delete_after: Mapped[date | None]
