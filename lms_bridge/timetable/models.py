"""Tables of the timetable: weeks, lessons with their audience, teachers and units, change sets, absences."""

from __future__ import annotations

import enum
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms_bridge.core.clock import now
from lms_bridge.core.database import Base, PrimaryKey, Uid
from lms_bridge.core.ids import new_uid
from lms_bridge.roster.models import ClassGroup, Organisation, Person, Subject


class TimetableWeek(Base):
    """The timetable of one campus for one ISO week; ``version`` grows with each applied change set and guards
    against two people changing the same week."""

    __tablename__ = "timetable_week"
    __table_args__ = (sa.UniqueConstraint("campus_id", "week"),)

    id: Mapped[PrimaryKey]
    campus_id: Mapped[int] = mapped_column(sa.ForeignKey("organisation.id"))
    term_id: Mapped[int] = mapped_column(sa.ForeignKey("term.id"))
    week: Mapped[str] = mapped_column(sa.String(8))
    version: Mapped[int] = mapped_column(default=0)
    published_at: Mapped[datetime | None]


class LessonMode(enum.StrEnum):
    """Where a lesson takes place."""

    IN_PERSON = "in_person"
    ONLINE = "online"


class LessonStatus(enum.StrEnum):
    """Whether a lesson takes place."""

    SCHEDULED = "scheduled"
    CANCELLED = "cancelled"


class Lesson(Base):
    """One class meeting. Moving it, another teacher or provider keep the row and its ``uid``; ``sequence`` grows at
    each change that people must hear of (RFC 5545, 3.8.7.4). A make-up lesson is a new row with ``replaces_id``."""

    __tablename__ = "lesson"
    __table_args__ = (
        sa.Index("ix_lesson_campus_start", "campus_id", "starts_at"),
        sa.Index("ix_lesson_week", "week_id"),
        sa.CheckConstraint("ends_at > starts_at", name="ends_after_start"),
    )

    id: Mapped[PrimaryKey]
    uid: Mapped[Uid] = mapped_column(default=new_uid)
    campus_id: Mapped[int] = mapped_column(sa.ForeignKey("organisation.id"))
    week_id: Mapped[int] = mapped_column(sa.ForeignKey("timetable_week.id"))
    subject_id: Mapped[int] = mapped_column(sa.ForeignKey("subject.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    zone: Mapped[str] = mapped_column(sa.String(64))
    period_number: Mapped[int | None]
    mode: Mapped[LessonMode] = mapped_column(default=LessonMode.ONLINE)
    status: Mapped[LessonStatus] = mapped_column(default=LessonStatus.SCHEDULED)
    sequence: Mapped[int] = mapped_column(default=0)
    replaces_id: Mapped[int | None] = mapped_column(sa.ForeignKey("lesson.id"))
    created_at: Mapped[datetime] = mapped_column(default=now)
    changed_at: Mapped[datetime] = mapped_column(default=now)
    cancelled_at: Mapped[datetime | None]

    campus: Mapped[Organisation] = relationship()
    subject: Mapped[Subject] = relationship()
    audience: Mapped[list[LessonAudience]] = relationship(back_populates="lesson", cascade="all, delete-orphan")
    teachers: Mapped[list[LessonTeacher]] = relationship(back_populates="lesson", cascade="all, delete-orphan")
    units: Mapped[list[LessonUnit]] = relationship(back_populates="lesson", cascade="all, delete-orphan")


class LessonAudience(Base):
    """A class of a lesson, or (``part``) a named part of one."""

    __tablename__ = "lesson_audience"
    __table_args__ = (sa.UniqueConstraint("lesson_id", "class_id", "part"),)

    id: Mapped[PrimaryKey]
    lesson_id: Mapped[int] = mapped_column(sa.ForeignKey("lesson.id"))
    class_id: Mapped[int] = mapped_column(sa.ForeignKey("class_group.id"), index=True)
    part: Mapped[str] = mapped_column(sa.String(60), default="")

    lesson: Mapped[Lesson] = relationship(back_populates="audience")
    class_group: Mapped[ClassGroup] = relationship()


class TeacherPart(enum.StrEnum):
    """What a teacher does in a lesson."""

    LEAD = "lead"
    ASSISTANT = "assistant"
    SUBSTITUTE = "substitute"


class LessonTeacher(Base):
    """A teacher of a lesson."""

    __tablename__ = "lesson_teacher"
    __table_args__ = (sa.UniqueConstraint("lesson_id", "person_id"),)

    id: Mapped[PrimaryKey]
    lesson_id: Mapped[int] = mapped_column(sa.ForeignKey("lesson.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    part: Mapped[TeacherPart] = mapped_column(default=TeacherPart.LEAD)

    lesson: Mapped[Lesson] = relationship(back_populates="teachers")
    person: Mapped[Person] = relationship()


class LessonUnit(Base):
    """The plan unit that a lesson teaches to one of its classes; ``ordinal`` is the n-th period of the unit."""

    __tablename__ = "lesson_unit"
    __table_args__ = (sa.UniqueConstraint("lesson_id", "class_id"),)

    id: Mapped[PrimaryKey]
    lesson_id: Mapped[int] = mapped_column(sa.ForeignKey("lesson.id"))
    class_id: Mapped[int] = mapped_column(sa.ForeignKey("class_group.id"))
    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("teaching_plan.id"))
    unit_key: Mapped[str] = mapped_column(sa.String(32), index=True)
    ordinal: Mapped[int] = mapped_column(default=1)

    lesson: Mapped[Lesson] = relationship(back_populates="units")


class ChangeState(enum.StrEnum):
    """Where a change set stands."""

    PROPOSED = "proposed"
    APPLIED = "applied"
    UNDONE = "undone"
    DISCARDED = "discarded"


class ChangeCause(enum.StrEnum):
    """Why lessons change together."""

    PUBLICATION = "publication"
    TEACHER_ABSENCE = "teacher_absence"
    CLOSURE = "closure"
    PROVIDER_FAILURE = "provider_failure"
    DAY_LOST = "day_lost"
    PLAN_CHANGED = "plan_changed"
    REQUEST = "request"


class ChangeSet(Base):
    """Lessons moved, cancelled, added or given another teacher together. ``base_versions`` are the week versions
    (by week id) that it was computed from; applying fails when one has moved on. ``publishes``: it is the whole
    timetable of its weeks. Those of campuses that were solved together have the same ``joint_uid``: they are put in
    force, given up and undone together."""

    __tablename__ = "change_set"

    id: Mapped[PrimaryKey]
    uid: Mapped[Uid] = mapped_column(default=new_uid)
    campus_id: Mapped[int] = mapped_column(sa.ForeignKey("organisation.id"), index=True)
    cause: Mapped[ChangeCause]
    cause_ref: Mapped[str | None] = mapped_column(sa.String(120))
    reason: Mapped[str] = mapped_column(sa.String(500), default="")
    author_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    state: Mapped[ChangeState] = mapped_column(default=ChangeState.PROPOSED)
    joint_uid: Mapped[str | None] = mapped_column(sa.String(32), index=True)
    base_versions: Mapped[dict[str, Any]] = mapped_column(default=dict)
    publishes: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=now)
    applied_at: Mapped[datetime | None]
    undone_at: Mapped[datetime | None]

    changes: Mapped[list[LessonChange]] = relationship(back_populates="change_set", cascade="all, delete-orphan")


class ChangeKind(enum.StrEnum):
    """What happens to a lesson."""

    ADDED = "added"
    MOVED = "moved"
    CANCELLED = "cancelled"
    RESTORED = "restored"
    TEACHER = "teacher"
    MODE = "mode"
    UNIT = "unit"


class LessonChange(Base):
    """One lesson before and after; both are plain JSON snapshots (``timetable.snapshots``)."""

    __tablename__ = "lesson_change"
    __table_args__ = (sa.UniqueConstraint("change_set_id", "lesson_id"),)

    id: Mapped[PrimaryKey]
    change_set_id: Mapped[int] = mapped_column(sa.ForeignKey("change_set.id"))
    lesson_id: Mapped[int | None] = mapped_column(sa.ForeignKey("lesson.id"), index=True)
    kind: Mapped[ChangeKind]
    before: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON)
    after: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON)

    change_set: Mapped[ChangeSet] = relationship(back_populates="changes")


class Unavailability(Base):
    """When a teacher cannot teach: every week on a weekday (and period), or on dates; in the campus's time.
    ``absence_id``: the reported absence that it comes from."""

    __tablename__ = "unavailability"

    id: Mapped[PrimaryKey]
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    weekday: Mapped[int | None]
    period_number: Mapped[int | None]
    first_day: Mapped[date | None]
    last_day: Mapped[date | None]
    reason: Mapped[str] = mapped_column(sa.String(255), default="")
    created_at: Mapped[datetime] = mapped_column(default=now)
    absence_id: Mapped[int | None] = mapped_column(sa.ForeignKey("teacher_absence.id"), index=True)


class RunState(enum.StrEnum):
    """How far the solving of a week in the background has come."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


class SolveRun(Base):
    """A week being solved in the background: what was asked, how far it is, what came of it. Refusals are
    kept as texts in the language of the person who asked (``locale``). ``progress`` is written about once a second
    while it runs; with ``cancel_asked_at`` it ends with the best found so far. ``parts`` are the campuses that are
    solved together, ``campus`` the first of them."""

    __tablename__ = "solve_run"

    id: Mapped[PrimaryKey]
    uid: Mapped[Uid] = mapped_column(default=new_uid)
    campus_id: Mapped[int] = mapped_column(sa.ForeignKey("organisation.id"), index=True)
    week: Mapped[str] = mapped_column(sa.String(8))
    author_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    locale: Mapped[str] = mapped_column(sa.String(16), default="zh-CN")
    state: Mapped[RunState] = mapped_column(default=RunState.WAITING)
    created_at: Mapped[datetime] = mapped_column(default=now)
    finished_at: Mapped[datetime | None]
    result: Mapped[dict[str, Any]] = mapped_column(default=dict)
    problems: Mapped[list[Any]] = mapped_column(default=list)
    progress: Mapped[dict[str, Any]] = mapped_column(default=dict)
    cancel_asked_at: Mapped[datetime | None]

    campus: Mapped[Organisation] = relationship()
    parts: Mapped[list[SolveRunCampus]] = relationship(
        back_populates="run", cascade="all, delete-orphan", order_by="SolveRunCampus.id"
    )


class SolveRunCampus(Base):
    """One campus of a run, and the change set that came of it; None: nothing changes there, or nothing was found."""

    __tablename__ = "solve_run_campus"
    __table_args__ = (sa.UniqueConstraint("run_id", "campus_id"),)

    id: Mapped[PrimaryKey]
    run_id: Mapped[int] = mapped_column(sa.ForeignKey("solve_run.id"))
    campus_id: Mapped[int] = mapped_column(sa.ForeignKey("organisation.id"), index=True)
    change_set_id: Mapped[int | None] = mapped_column(sa.ForeignKey("change_set.id"))

    run: Mapped[SolveRun] = relationship(back_populates="parts")
    campus: Mapped[Organisation] = relationship()
    change_set: Mapped[ChangeSet | None] = relationship()
