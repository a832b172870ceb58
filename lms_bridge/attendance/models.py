"""Tables of attendance: policies, verdicts as last computed, human corrections and excuses."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from lms_bridge.core.clock import now
from lms_bridge.core.database import Base, PrimaryKey, Uid
from lms_bridge.core.ids import new_uid


class Verdict(enum.StrEnum):
    """What is held of a person and a lesson. ``unverified``: the evidence does not allow a verdict."""

    PRESENT = "present"
    LATE = "late"
    LEFT_EARLY = "left_early"
    ABSENT = "absent"
    EXCUSED = "excused"
    UNVERIFIED = "unverified"


class AttendancePolicy(Base):
    """An organisation's rules, in minutes; the nearest one above a campus holds."""

    __tablename__ = "attendance_policy"

    id: Mapped[PrimaryKey]
    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisation.id"), unique=True)
    late_after: Mapped[int] = mapped_column(default=5)
    left_early_before: Mapped[int] = mapped_column(default=10)
    minimum_share: Mapped[int] = mapped_column(default=30)
    absent_alert_after: Mapped[int | None]
    heartbeat_grace_seconds: Mapped[int] = mapped_column(default=90)


class AttendanceRecord(Base):
    """The verdict for a person and a lesson as last computed from the evidence; never typed over by hand."""

    __tablename__ = "attendance_record"
    __table_args__ = (sa.UniqueConstraint("lesson_id", "person_id"),)

    id: Mapped[PrimaryKey]
    lesson_id: Mapped[int] = mapped_column(sa.ForeignKey("lesson.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    verdict: Mapped[Verdict]
    minutes: Mapped[int]
    first_seen_at: Mapped[datetime | None]
    last_seen_at: Mapped[datetime | None]
    reason: Mapped[dict[str, Any]] = mapped_column(default=dict)
    final: Mapped[bool] = mapped_column(default=False)
    computed_at: Mapped[datetime] = mapped_column(default=now)


class AttendanceCorrection(Base):
    """A person's word above the computed verdict, with reason and author; the latest one stands."""

    __tablename__ = "attendance_correction"
    __table_args__ = (sa.Index("ix_attendance_correction_who", "lesson_id", "person_id"),)

    id: Mapped[PrimaryKey]
    lesson_id: Mapped[int] = mapped_column(sa.ForeignKey("lesson.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    verdict: Mapped[Verdict | None]
    reason: Mapped[str] = mapped_column(sa.String(500))
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    at: Mapped[datetime] = mapped_column(default=now)
    computed_verdict: Mapped[Verdict | None]


class ExcuseState(enum.StrEnum):
    """Whether the teacher accepted an excuse."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REFUSED = "refused"


class Excuse(Base):
    """A guardian's word that a student is or was away, for a span of time."""

    __tablename__ = "excuse"

    id: Mapped[PrimaryKey]
    uid: Mapped[Uid] = mapped_column(default=new_uid)
    student_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(sa.String(500))
    file_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stored_file.id"))
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    at: Mapped[datetime] = mapped_column(default=now)
    state: Mapped[ExcuseState] = mapped_column(default=ExcuseState.OPEN)
    decided_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]
