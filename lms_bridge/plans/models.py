"""Tables of teaching plans: plan -> versions -> units; findings, reviews and comments; benchmarks are plans too."""

from __future__ import annotations

import enum
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lms_bridge.core.clock import now
from lms_bridge.core.database import Base, PrimaryKey, Uid
from lms_bridge.core.ids import new_uid
from lms_bridge.roster.models import ClassGroup, Person, Subject, Term


class PlanKind(enum.StrEnum):
    """A teacher's plan, or the researchers' benchmark."""

    TEACHING = "teaching"
    BENCHMARK = "benchmark"


class VersionState(enum.StrEnum):
    """Where a version stands in the review."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    APPROVED = "approved"
    SUPERSEDED = "superseded"


class TeachingPlan(Base):
    """A plan for one subject and term. A benchmark has a grade and belongs to the bureau (or group)."""

    __tablename__ = "teaching_plan"

    id: Mapped[PrimaryKey]
    uid: Mapped[Uid] = mapped_column(default=new_uid)
    kind: Mapped[PlanKind]
    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisation.id"), index=True)
    subject_id: Mapped[int] = mapped_column(sa.ForeignKey("subject.id"))
    term_id: Mapped[int] = mapped_column(sa.ForeignKey("term.id"))
    grade: Mapped[str] = mapped_column(sa.String(16))
    language: Mapped[str] = mapped_column(sa.String(16), default="zh-CN")
    author_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"), index=True)
    title: Mapped[str] = mapped_column(sa.String(200))
    created_at: Mapped[datetime] = mapped_column(default=now)
    withdrawn_at: Mapped[datetime | None]

    subject: Mapped[Subject] = relationship()
    term: Mapped[Term] = relationship()
    author: Mapped[Person | None] = relationship()
    classes: Mapped[list[PlanClass]] = relationship(back_populates="plan", cascade="all, delete-orphan")
    versions: Mapped[list[PlanVersion]] = relationship(
        back_populates="plan", order_by="PlanVersion.number", cascade="all, delete-orphan"
    )


class PlanClass(Base):
    """A class that a plan serves; there is one plan for a class, subject and term."""

    __tablename__ = "plan_class"
    __table_args__ = (sa.UniqueConstraint("class_id", "subject_id", "term_id"),)

    id: Mapped[PrimaryKey]
    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("teaching_plan.id"), index=True)
    class_id: Mapped[int] = mapped_column(sa.ForeignKey("class_group.id"))
    subject_id: Mapped[int] = mapped_column(sa.ForeignKey("subject.id"))
    term_id: Mapped[int] = mapped_column(sa.ForeignKey("term.id"))

    plan: Mapped[TeachingPlan] = relationship(back_populates="classes")
    class_group: Mapped[ClassGroup] = relationship()


class PlanVersion(Base):
    """One state of a plan's text. A version that was approved is never changed: a change begins the next one."""

    __tablename__ = "plan_version"
    __table_args__ = (sa.UniqueConstraint("plan_id", "number"),)

    id: Mapped[PrimaryKey]
    plan_id: Mapped[int] = mapped_column(sa.ForeignKey("teaching_plan.id"))
    number: Mapped[int]
    state: Mapped[VersionState] = mapped_column(default=VersionState.DRAFT)
    file_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stored_file.id"))
    created_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    created_at: Mapped[datetime] = mapped_column(default=now)
    state_at: Mapped[datetime] = mapped_column(default=now)
    coverage: Mapped[float | None]
    warnings: Mapped[list[Any]] = mapped_column(default=list)

    plan: Mapped[TeachingPlan] = relationship(back_populates="versions")
    units: Mapped[list[PlanUnit]] = relationship(
        back_populates="version", order_by="PlanUnit.sequence", cascade="all, delete-orphan"
    )


class PlanUnit(Base):
    """One step of a plan. ``key`` stays the same for the same unit across versions; ``provenance`` says where in
    the document it stood; ``assumed`` names fields whose value was assumed rather than read."""

    __tablename__ = "plan_unit"
    __table_args__ = (sa.UniqueConstraint("version_id", "sequence"), sa.UniqueConstraint("version_id", "key"))

    id: Mapped[PrimaryKey]
    version_id: Mapped[int] = mapped_column(sa.ForeignKey("plan_version.id"))
    key: Mapped[str] = mapped_column(sa.String(32), default=new_uid)
    sequence: Mapped[int]
    title: Mapped[str] = mapped_column(sa.String(300))
    periods: Mapped[int]
    content: Mapped[str] = mapped_column(sa.Text, default="")
    objectives: Mapped[str] = mapped_column(sa.Text, default="")
    key_points: Mapped[str] = mapped_column(sa.Text, default="")
    methods: Mapped[str] = mapped_column(sa.Text, default="")
    homework: Mapped[str] = mapped_column(sa.Text, default="")
    materials: Mapped[str] = mapped_column(sa.Text, default="")
    remarks: Mapped[str] = mapped_column(sa.Text, default="")
    week_from: Mapped[int | None]
    week_to: Mapped[int | None]
    date_from: Mapped[date | None]
    date_to: Mapped[date | None]
    online_possible: Mapped[bool] = mapped_column(default=True)
    online_alternative: Mapped[str] = mapped_column(sa.Text, default="")
    provenance: Mapped[dict[str, Any]] = mapped_column(default=dict)
    assumed: Mapped[list[str]] = mapped_column(default=list)

    version: Mapped[PlanVersion] = relationship(back_populates="units")


class Finding(Base):
    """A difference between a plan version and a benchmark version, or (without one) what the calendar, the grade and
    online teaching ask; the sentence is made from kind and params."""

    __tablename__ = "finding"
    __table_args__ = (sa.Index("ix_finding_pair", "version_id", "benchmark_version_id"),)

    id: Mapped[PrimaryKey]
    version_id: Mapped[int] = mapped_column(sa.ForeignKey("plan_version.id"))
    benchmark_version_id: Mapped[int | None] = mapped_column(sa.ForeignKey("plan_version.id"))
    position: Mapped[int]
    kind: Mapped[str] = mapped_column(sa.String(40))
    severity: Mapped[str] = mapped_column(sa.String(16))
    unit_key: Mapped[str | None] = mapped_column(sa.String(32))
    benchmark_unit_key: Mapped[str | None] = mapped_column(sa.String(32))
    params: Mapped[dict[str, Any]] = mapped_column(default=dict)
    answer: Mapped[str | None] = mapped_column(sa.String(16))
    answer_words: Mapped[str] = mapped_column(sa.Text, default="")
    answered_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    answered_at: Mapped[datetime | None]


class ReviewStep(Base):
    """One step of the review: who moved a version from one state to another, when, with which words."""

    __tablename__ = "review_step"

    id: Mapped[PrimaryKey]
    version_id: Mapped[int] = mapped_column(sa.ForeignKey("plan_version.id"), index=True)
    state: Mapped[VersionState]
    person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    at: Mapped[datetime] = mapped_column(default=now)
    comment: Mapped[str] = mapped_column(sa.Text, default="")


class PlanComment(Base):
    """A comment on a version or one of its units; ``thread_id`` is the first comment of its thread."""

    __tablename__ = "plan_comment"

    id: Mapped[PrimaryKey]
    version_id: Mapped[int] = mapped_column(sa.ForeignKey("plan_version.id"), index=True)
    unit_key: Mapped[str | None] = mapped_column(sa.String(32))
    thread_id: Mapped[int | None] = mapped_column(sa.ForeignKey("plan_comment.id"))
    author_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    text: Mapped[str] = mapped_column(sa.Text)
    at: Mapped[datetime] = mapped_column(default=now)
    resolved_at: Mapped[datetime | None]
    resolved_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))


class PlanMention(Base):
    """A person named in a comment (``@name``), who is told of it once and finds it again."""

    __tablename__ = "plan_mention"
    __table_args__ = (sa.UniqueConstraint("comment_id", "person_id"),)

    id: Mapped[PrimaryKey]
    comment_id: Mapped[int] = mapped_column(sa.ForeignKey("plan_comment.id"))
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)


class PlanDeadline(Base):
    """When the plans of a term are due at an organisation and those below it that have no deadline of their own."""

    __tablename__ = "plan_deadline"
    __table_args__ = (sa.UniqueConstraint("organisation_id", "term_id"),)

    id: Mapped[PrimaryKey]
    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisation.id"))
    term_id: Mapped[int] = mapped_column(sa.ForeignKey("term.id"))
    due_at: Mapped[datetime]
    set_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    set_at: Mapped[datetime] = mapped_column(default=now)


class ColumnMapping(Base):
    """What a campus's teachers decided the columns of a form mean, remembered by the form's heading row."""

    __tablename__ = "column_mapping"
    __table_args__ = (sa.UniqueConstraint("campus_id", "heading_hash"),)

    id: Mapped[PrimaryKey]
    campus_id: Mapped[int] = mapped_column(sa.ForeignKey("organisation.id"))
    heading_hash: Mapped[str] = mapped_column(sa.String(64))
    mapping: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    created_at: Mapped[datetime] = mapped_column(default=now)


class BatchState(enum.StrEnum):
    """Whether the files of a batch wait to be read or are done."""

    WAITING = "waiting"
    DONE = "done"


class BatchFileState(enum.StrEnum):
    """What became of one file: read, read with warnings, refused, or passed over as known already."""

    WAITING = "waiting"
    READ = "read"
    FLAGGED = "flagged"
    REFUSED = "refused"
    SKIPPED = "skipped"


class PlanBatch(Base):
    """A folder or zip of plans that somebody (none: the operator) handed over; ``locale`` is their language."""

    __tablename__ = "plan_batch"

    id: Mapped[PrimaryKey]
    uid: Mapped[Uid] = mapped_column(default=new_uid)
    name: Mapped[str] = mapped_column(sa.String(255))
    state: Mapped[BatchState] = mapped_column(default=BatchState.WAITING)
    person_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"), index=True)
    locale: Mapped[str] = mapped_column(sa.String(16))
    dry_run: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=now)
    finished_at: Mapped[datetime | None]

    files: Mapped[list[PlanBatchFile]] = relationship(order_by="PlanBatchFile.position")


class PlanBatchFile(Base):
    """One file of a batch and what became of it; ``problems`` are refusals or warnings (see
    :mod:`lms_bridge.core.kept_problems`)."""

    __tablename__ = "plan_batch_file"
    __table_args__ = (sa.UniqueConstraint("batch_id", "position"),)

    id: Mapped[PrimaryKey]
    batch_id: Mapped[int] = mapped_column(sa.ForeignKey("plan_batch.id"))
    position: Mapped[int]
    path: Mapped[str] = mapped_column(sa.String(1000))
    state: Mapped[BatchFileState] = mapped_column(default=BatchFileState.WAITING)
    file_id: Mapped[int | None] = mapped_column(sa.ForeignKey("stored_file.id", ondelete="SET NULL"))
    class_id: Mapped[int | None] = mapped_column(sa.ForeignKey("class_group.id"))
    subject_id: Mapped[int | None] = mapped_column(sa.ForeignKey("subject.id"))
    plan_id: Mapped[int | None] = mapped_column(sa.ForeignKey("teaching_plan.id"))
    version: Mapped[int | None]
    units: Mapped[int | None]
    findings: Mapped[int | None]
    problems: Mapped[list[Any]] = mapped_column(default=list)
