"""Tables of the ground floor: jobs, outbox, audit, external identifiers, stored files, sign-in nonces."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from lms_bridge.core.clock import now
from lms_bridge.core.database import Base, PrimaryKey, Uid
from lms_bridge.core.ids import new_uid
from lms_bridge.core.types import KeptProblem


class JobState(enum.StrEnum):
    """Life of a job: queued (again after a failure), running under a lease, done, or dead after its last attempt."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"


class Job(Base):
    """One thing to be done in the background. The row is the truth; the job engine only wakes workers."""

    __tablename__ = "job"
    __table_args__ = (
        sa.Index("ix_job_due", "state", "not_before"),
        # One waiting job per thing: a second wish for the same work joins it.
        sa.Index(
            "uq_job_waiting",
            "kind",
            "subject",
            unique=True,
            sqlite_where=sa.text("state = 'queued'"),
            postgresql_where=sa.text("state = 'queued'"),
        ),
    )

    id: Mapped[PrimaryKey]
    kind: Mapped[str] = mapped_column(sa.String(80))
    subject: Mapped[str] = mapped_column(sa.String(120), default="")
    state: Mapped[JobState] = mapped_column(default=JobState.QUEUED)
    not_before: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    lease_owner: Mapped[str | None] = mapped_column(sa.String(80))
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[dict[str, Any] | None] = mapped_column(KeptProblem)
    created_at: Mapped[datetime] = mapped_column(default=now)
    finished_at: Mapped[datetime | None]


class OutboxFact(Base):
    """One fact that people or other systems must hear of, written in the transaction of the change itself.

    ``kind`` names the fact (``timetable.changed``), ``cause`` what it is about (``change_set:17``); ``cursor`` is how
    far its expansion to people has come, so that a killed job goes on where it stopped.
    """

    __tablename__ = "outbox_fact"
    __table_args__ = (sa.UniqueConstraint("kind", "cause"),)

    id: Mapped[PrimaryKey]
    kind: Mapped[str] = mapped_column(sa.String(80))
    cause: Mapped[str] = mapped_column(sa.String(120))
    organisation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("organisation.id"))
    created_at: Mapped[datetime] = mapped_column(default=now)
    cursor: Mapped[int] = mapped_column(default=0)
    expanded_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]


class AuditEntry(Base):
    """Who did what to which thing, when. Holds opaque ids only, so that erasing a person leaves it valid."""

    __tablename__ = "audit_entry"
    __table_args__ = (sa.Index("ix_audit_entry_entity", "entity", "entity_uid"),)

    id: Mapped[PrimaryKey]
    at: Mapped[datetime] = mapped_column(default=now, index=True)
    actor_uid: Mapped[str | None] = mapped_column(sa.String(32), index=True)
    action: Mapped[str] = mapped_column(sa.String(80))
    entity: Mapped[str] = mapped_column(sa.String(40))
    entity_uid: Mapped[str] = mapped_column(sa.String(64))
    organisation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("organisation.id"), index=True)
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)


class ExternalId(Base):
    """The name of one of our rows in another system (OneRoster sourcedId, Moodle id, LTI subject, provider user)."""

    __tablename__ = "external_id"
    __table_args__ = (
        sa.UniqueConstraint("entity", "system", "key"),
        sa.Index("ix_external_id_row", "entity", "entity_id", "system"),
        sa.Index("ix_external_id_key", "entity", "key"),
    )

    id: Mapped[PrimaryKey]
    entity: Mapped[str] = mapped_column(sa.String(40))
    entity_id: Mapped[int]
    system: Mapped[str] = mapped_column(sa.String(80))
    key: Mapped[str] = mapped_column(sa.String(255))
    row_hash: Mapped[int | None]
    """What the other system last said of it (a 64-bit hash); none: it says nothing (any more)."""
    created_at: Mapped[datetime] = mapped_column(default=now)


class StoredFile(Base):
    """A file in the private store; the bytes lie under ``data_dir/files`` by their hash."""

    __tablename__ = "stored_file"

    id: Mapped[PrimaryKey]
    uid: Mapped[Uid] = mapped_column(default=new_uid)
    sha256: Mapped[str] = mapped_column(sa.String(64), index=True)
    size: Mapped[int]
    media_type: Mapped[str] = mapped_column(sa.String(120))
    name: Mapped[str] = mapped_column(sa.String(255))
    purpose: Mapped[str] = mapped_column(sa.String(40))
    owner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    organisation_id: Mapped[int | None] = mapped_column(sa.ForeignKey("organisation.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    delete_after: Mapped[datetime | None]


class UsedNonce(Base):
    """A single-use value that was consumed: sign-in links, and later LTI nonces and states."""

    __tablename__ = "used_nonce"

    purpose: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    nonce: Mapped[str] = mapped_column(sa.String(120), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)
