"""Tables of what upsets a timetable: absences of teachers, cases to decide, and the proposals of each case."""

from __future__ import annotations

import enum
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms_bridge.core.clock import now
from lms_bridge.core.database import Base, PrimaryKey, Uid
from lms_bridge.core.ids import new_uid
from lms_bridge.core.types import EncryptedJSON
from lms_bridge.roster.models import ClassGroup, Organisation, Person
from lms_bridge.timetable.models import ChangeCause, ChangeSet, Lesson, RunState


class TeacherAbsence(Base):
    """A teacher cannot teach on these days (``last_day`` included), or in these periods of them (none: all day).

    ``reason`` is encrypted, since it is often about health; it never leaves this row but for the teacher and for
    administrators who ask for it, which is written down. The rows of :class:`Unavailability` with this absence's id
    are what keeps lessons away; they go when it is withdrawn.
    """

    __tablename__ = "teacher_absence"

    id: Mapped[PrimaryKey]
    uid: Mapped[Uid] = mapped_column(default=new_uid)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    first_day: Mapped[date]
    last_day: Mapped[date]
    periods: Mapped[list[Any]] = mapped_column(default=list)
    reason: Mapped[dict[str, Any] | None] = mapped_column(EncryptedJSON)
    reported_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    created_at: Mapped[datetime] = mapped_column(default=now)
    withdrawn_at: Mapped[datetime | None]

    person: Mapped[Person] = relationship(foreign_keys=[person_id])


class CaseState(enum.StrEnum):
    """Where a case stands."""

    OPEN = "open"
    DECIDED = "decided"
    """A proposal is in force, or nothing was left to decide."""
    CLOSED = "closed"
    """Somebody decided to change nothing."""
    WITHDRAWN = "withdrawn"
    """What caused it holds no more."""


class ChangeCase(Base):
    """Something that upsets the timetable of one campus, to be decided: what happened, on which days, and how far the
    computing of proposals is (``computing``, ``progress``: ``{"done", "of", "step"}``). ``asked`` counts how often they
    were asked for: what was worked out for an earlier question is not stored.

    ``details`` by cause: an online span (``{"span": id, "online": bool}``), rooms left (``{"rooms": n, "lost": id}``,
    the id of :class:`LostRooms`), the wish of who asks for a lesson to move (``{"day", "period"}``), the plan that
    changed (``{"plan": id}``). ``reason`` is read by those who are told of the change.
    """

    __tablename__ = "change_case"
    __table_args__ = (sa.Index("ix_change_case_campus", "campus_id", "state"),)

    id: Mapped[PrimaryKey]
    uid: Mapped[Uid] = mapped_column(default=new_uid)
    campus_id: Mapped[int] = mapped_column(sa.ForeignKey("organisation.id"))
    cause: Mapped[ChangeCause]
    state: Mapped[CaseState] = mapped_column(default=CaseState.OPEN)
    first_day: Mapped[date]
    last_day: Mapped[date]
    absence_id: Mapped[int | None] = mapped_column(sa.ForeignKey("teacher_absence.id"), index=True)
    class_id: Mapped[int | None] = mapped_column(sa.ForeignKey("class_group.id"))
    lesson_id: Mapped[int | None] = mapped_column(sa.ForeignKey("lesson.id"))
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    reason: Mapped[str] = mapped_column(sa.String(500), default="")
    author_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    locale: Mapped[str] = mapped_column(sa.String(16), default="zh-CN")
    created_at: Mapped[datetime] = mapped_column(default=now)
    closed_at: Mapped[datetime | None]
    asked: Mapped[int] = mapped_column(default=0)
    computing: Mapped[RunState] = mapped_column(default=RunState.WAITING)
    computed_at: Mapped[datetime | None]
    progress: Mapped[dict[str, Any]] = mapped_column(default=dict)
    problems: Mapped[list[Any]] = mapped_column(default=list)

    campus: Mapped[Organisation] = relationship()
    absence: Mapped[TeacherAbsence | None] = relationship()
    class_group: Mapped[ClassGroup | None] = relationship()
    lesson: Mapped[Lesson | None] = relationship()
    author: Mapped[Person | None] = relationship()
    proposals: Mapped[list[CaseProposal]] = relationship(
        back_populates="case", order_by="CaseProposal.position", cascade="all, delete-orphan"
    )


class CaseProposal(Base):
    """One way to settle a case: a change set, its place in the ranking (from 1) and what it was ranked by."""

    __tablename__ = "case_proposal"

    id: Mapped[PrimaryKey]
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("change_case.id"), index=True)
    change_set_id: Mapped[int] = mapped_column(sa.ForeignKey("change_set.id"), unique=True)
    position: Mapped[int]
    way: Mapped[str] = mapped_column(sa.String(40))
    figures: Mapped[dict[str, Any]] = mapped_column(default=dict)

    case: Mapped[ChangeCase] = relationship(back_populates="proposals")
    change_set: Mapped[ChangeSet] = relationship()
