"""Leases of the jobs that speak to an LMS: two at once would make things twice, or do the same work beside each other.

A lease stands in the row that it is about (``busy_until``, ``busy_by``) and runs out by itself when its worker dies.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from lms_bridge.core import jobs
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.lti.models import LtiCourse
from lms_bridge.sync.models import LmsAccount

LEASE = timedelta(minutes=6)
"""Longer than the longest time that an LMS is waited for."""

BUSY_PAUSE = timedelta(seconds=3)

Leased = type[LmsAccount] | type[LtiCourse]


def take(table: Leased, number: int) -> None:
    """Take the lease of a row.

    :raises RetryAt: another job has it.
    """
    moment = now()
    free = sa.or_(table.busy_until.is_(None), table.busy_until < moment)
    if not _set(table, number, free, moment + LEASE):
        raise jobs.RetryAt(moment + BUSY_PAUSE)


def hold(table: Leased, number: int) -> None:
    """Lengthen the lease, and that of the job in hand. Opens a transaction of its own.

    :raises RetryAt: the lease ran out, and another job has it now.
    """
    if not _set(table, number, table.busy_by == jobs.owner(), now() + LEASE):
        raise jobs.RetryAt(now() + BUSY_PAUSE)
    jobs.renew()


def release(table: Leased, number: int) -> None:
    """Give the lease back, if it is still ours. What the transaction in force wrote is not kept."""
    db.session.rollback()
    _set(table, number, table.busy_by == jobs.owner(), None)


def _set(table: Leased, number: int, condition: sa.ColumnElement[bool], until: datetime | None) -> bool:
    with transaction() as session:
        ours = session.scalar(
            sa.update(table)
            .where(table.id == number, condition)
            .values(busy_until=until, busy_by=jobs.owner() if until else None)
            .returning(table.id)
            .execution_options(synchronize_session=False)
        )
    return ours is not None
