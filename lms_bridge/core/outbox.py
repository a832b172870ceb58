"""The transactional outbox: what must be told is a row written with the change (DESIGN.md, invariant 1)."""

from __future__ import annotations

import sqlalchemy as sa

from lms_bridge.core import jobs
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.models import OutboxFact

EXPAND = "outbox.expand"


def publish(kind: str, cause: str, *, organisation_id: int | None) -> OutboxFact:
    """Write the fact ``kind`` about ``cause`` (once, however often called) and ask for its expansion to people.

    Call it inside the transaction of the change. ``cause`` is ``table:id``.
    """
    fact = db.session.scalar(sa.select(OutboxFact).filter_by(kind=kind, cause=cause))
    if fact is None:
        fact = OutboxFact(kind=kind, cause=cause, organisation_id=organisation_id)
        db.session.add(fact)
        db.session.flush()
        jobs.enqueue(EXPAND, str(fact.id))
    return fact


def withdraw(kind: str, cause: str) -> None:
    """What has not been told yet of this fact is not told any more, because it was undone."""
    db.session.execute(
        sa.update(OutboxFact)
        .where(OutboxFact.kind == kind, OutboxFact.cause == cause, OutboxFact.withdrawn_at.is_(None))
        .values(withdrawn_at=now())
    )
