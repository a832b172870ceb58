"""Jobs that failed: what an administrator looks at, and starting one of them again."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from lms_bridge.core import audit, jobs
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.errors import Conflict, NotFound
from lms_bridge.core.i18n import N_
from lms_bridge.core.models import Job, JobState


def failed_jobs(limit: int = 50) -> Sequence[Job]:
    """Jobs that failed for good, then those that failed and wait for their next attempt; the newest first."""
    return db.session.scalars(
        sa.select(Job)
        .where(_failed())
        .order_by(sa.case((Job.state == JobState.DEAD, 0), else_=1), Job.id.desc())
        .limit(limit)
    ).all()


def failed_count() -> int:
    """How many jobs :func:`failed_jobs` would list without its limit."""
    return db.session.scalar(sa.select(sa.func.count()).select_from(Job).where(_failed())) or 0


def _failed() -> sa.ColumnElement[bool]:
    waiting = sa.and_(Job.state == JobState.QUEUED, Job.last_error.is_not(None))
    return sa.or_(Job.state == JobState.DEAD, waiting)


def try_again(job_id: int, *, actor_uid: str | None) -> None:
    """Do a failed job now: one that failed for good begins anew with all its attempts, one that waits for its next
    attempt is brought forward. Flushes, with an audit entry.

    :raises NotFound: there is no such job. :raises Conflict: it runs, or was done meanwhile.
    """
    job = db.session.get(Job, job_id, with_for_update=True, populate_existing=True)
    if job is None:
        raise NotFound()
    if job.state not in (JobState.DEAD, JobState.QUEUED):
        raise Conflict(N_("This job runs or is done already."), remedy=N_("Load the page again to see how it stands."))
    if job.state is JobState.DEAD:
        # A job of the same kind and subject may wait already; enqueueing joins it. This row's story is over.
        job.state, job.finished_at = JobState.DONE, now()
        db.session.flush()
    jobs.enqueue(job.kind, job.subject)
    audit.record("job.again", "job", str(job.id), actor_uid=actor_uid, kind=job.kind)
    db.session.flush()
