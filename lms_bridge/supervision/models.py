"""Tables of home study: homework, and what became of it with each student."""

from __future__ import annotations

import enum
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms_bridge.core.clock import now
from lms_bridge.core.database import Base, PrimaryKey, Uid
from lms_bridge.core.ids import new_uid
from lms_bridge.roster.models import Subject


class HomeworkState(enum.StrEnum):
    """How far a student is with homework. ``new``: looked at; ``returned``: to be done again."""

    NEW = "new"
    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"


class Homework(Base):
    """Homework of a class, in one subject where that is known. ``url`` is where it is done; one that is no longer set
    has ``withdrawn_at``."""

    __tablename__ = "homework"
    __table_args__ = (sa.Index("ix_homework_class", "class_id", "due_at"),)

    id: Mapped[PrimaryKey]
    uid: Mapped[Uid] = mapped_column(default=new_uid)
    class_id: Mapped[int] = mapped_column(sa.ForeignKey("class_group.id"))
    subject_id: Mapped[int | None] = mapped_column(sa.ForeignKey("subject.id"))
    title: Mapped[str] = mapped_column(sa.String(255))
    url: Mapped[str] = mapped_column(sa.String(500), default="")
    opens_at: Mapped[datetime | None]
    due_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    withdrawn_at: Mapped[datetime | None]

    subject: Mapped[Subject | None] = relationship()


class HomeworkAnswer(Base):
    """A student's answer to homework; without a row nothing was done yet. ``at`` is when its state began."""

    __tablename__ = "homework_answer"
    __table_args__ = (sa.UniqueConstraint("homework_id", "person_id"),)

    id: Mapped[PrimaryKey]
    homework_id: Mapped[int] = mapped_column(sa.ForeignKey("homework.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    state: Mapped[HomeworkState]
    at: Mapped[datetime | None]
