"""Durable background jobs: rows with leases; Huey only wakes workers (:mod:`lms_bridge.core.queue`).

A job carries a kind and the id of its subject, nothing else. Handlers must be harmless when run twice: a worker may
be killed after the work and before the row says so. A handler opens its own transactions.
"""

from __future__ import annotations

import logging
import os
import random
import socket
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from lms_bridge.core.clock import now
from lms_bridge.core.database import after_commit, db, insert_into, transaction
from lms_bridge.core.errors import BridgeError
from lms_bridge.core.kept_problems import kept
from lms_bridge.core.models import Job, JobState

log = logging.getLogger(__name__)

Handler = Callable[[str], None]


@dataclass(frozen=True)
class Kind:
    """A kind of job: its handler, attempts before it is dead, and the first pause after a failure in seconds."""

    name: str
    handler: Handler
    max_attempts: int
    backoff: float


@dataclass(frozen=True)
class Daily:
    """A job that runs once each UTC day at ``hour``."""

    kind: str
    hour: int


class RetryAt(Exception):
    """Raised by a handler that wants to run again at ``moment`` without counting this as a failure."""

    def __init__(self, moment: datetime) -> None:
        super().__init__(moment.isoformat())
        self.moment = moment


_kinds: dict[str, Kind] = {}
_daily: list[Daily] = []
_lease_seconds = 60.0
_wake: Callable[[int, datetime | None], None] = lambda job_id, when: None  # noqa: E731
_current = threading.local()

MAX_BACKOFF = timedelta(hours=1)


def configure(*, lease_seconds: float, wake: Callable[[int, datetime | None], None]) -> None:
    """Set the lease and how a worker is woken for a job id (at a time, or at once)."""
    global _lease_seconds, _wake
    _lease_seconds, _wake = lease_seconds, wake


def job(
    kind: str, *, max_attempts: int = 12, backoff: float = 5.0, daily_at: int | None = None
) -> Callable[[Handler], Handler]:
    """Register the decorated function, which takes the subject's id as text, as the handler of ``kind``.

    With ``daily_at`` it also runs once each day at that hour (UTC), its subject being the date.
    """

    def register(function: Handler) -> Handler:
        known = _kinds.get(kind)
        if known is not None and known.handler is not function:
            raise ValueError(f"two handlers for job kind {kind!r}")
        _kinds[kind] = Kind(kind, function, max_attempts, backoff)
        if daily_at is not None and Daily(kind, daily_at) not in _daily:
            _daily.append(Daily(kind, daily_at))
        return function

    return register


def waiting(
    kind: sa.ColumnElement[str], subject: sa.ColumnElement[str], due: sa.ColumnElement[datetime]
) -> sa.Select[int]:
    """The job of this kind and subject that waits, and is due by then. Who finds it holds it, beside others, until the
    end of the transaction: no worker takes it before it can see what was done there, and it need not be asked for."""
    return (
        sa.select(Job.id)
        # The state stands in the statement: a prepared one finds the index of what waits only so.
        .where(Job.kind == kind, Job.subject == subject, sa.text("job.state = 'queued'"), Job.not_before <= due)
        .with_for_update(read=True)
    )


_WAITING = waiting(sa.bindparam("kind"), sa.bindparam("subject"), sa.bindparam("due"))


def enqueue(kind: str, subject: str = "", *, not_before: datetime | None = None) -> None:
    """Ask for ``kind`` to be done for ``subject`` once the transaction in force is committed.

    A job of the same kind and subject that still waits is joined (and brought forward if this one is due earlier);
    one that is running already does not count, since it may have looked before this change.
    """
    due = not_before or now()
    db.session.flush()
    connection = db.session.connection()
    # Hundreds may ask for the same job in the same second: they hold the row that waits already together, and none of
    # them waits for another's commit. It woke a worker when it was made.
    if connection.execute(_WAITING, {"kind": kind, "subject": subject, "due": due}).first() is not None:
        return
    while True:
        # Touching the waiting row locks it until this transaction ends, so that no worker can take it before it
        # sees what this transaction changes; when a worker was faster, a new row is made.
        job_id = db.session.scalar(
            sa.update(Job)
            .where(Job.kind == kind, Job.subject == subject, Job.state == JobState.QUEUED)
            .values(not_before=sa.case((Job.not_before > due, due), else_=Job.not_before))
            .returning(Job.id)
            .execution_options(synchronize_session=False)
        )
        job_id = job_id or db.session.scalar(
            insert_into(Job, connection.dialect)
            .values(kind=kind, subject=subject, state=JobState.QUEUED, not_before=due, attempts=0, created_at=now())
            .on_conflict_do_nothing(index_elements=["kind", "subject"], index_where=sa.text("state = 'queued'"))
            .returning(Job.id)
        )
        if job_id is not None:
            break
    woken = int(job_id)
    after_commit(lambda: _wake(woken, not_before))


def is_coming(kind: str, subject: str) -> bool:
    """Whether a job waits for its time or is in hand."""
    waiting = sa.select(Job.id).where(
        Job.kind == kind, Job.subject == subject, Job.state.in_((JobState.QUEUED, JobState.RUNNING))
    )
    return db.session.scalar(waiting.limit(1)) is not None


def owner() -> str:
    """The name under which this thread holds leases."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{threading.get_ident() % 10**8}"


def _due(moment: datetime) -> sa.ColumnElement[bool]:
    return sa.or_(
        sa.and_(Job.state == JobState.QUEUED, Job.not_before <= moment),
        sa.and_(Job.state == JobState.RUNNING, Job.lease_until < moment),
    )


def claim(job_id: int) -> Job | None:
    """Take the lease of a due job; None if it is done, not due, or held by another."""
    moment = now()
    with transaction() as session:
        taken = session.execute(
            sa.update(Job)
            .where(Job.id == job_id, _due(moment))
            .values(
                state=JobState.RUNNING,
                lease_until=moment + timedelta(seconds=_lease_seconds),
                lease_owner=owner(),
                attempts=Job.attempts + 1,
            )
        )
        if taken.rowcount == 0:  # type: ignore[attr-defined]
            return None
        return session.get(Job, job_id, populate_existing=True)


def renew() -> None:
    """Called by a long handler: lengthens its lease. Opens a transaction of its own."""
    job_id = getattr(_current, "job_id", None)
    if job_id is None:
        return
    with transaction() as session:
        session.execute(
            sa.update(Job)
            .where(Job.id == job_id, Job.lease_owner == owner())
            .values(lease_until=now() + timedelta(seconds=_lease_seconds))
        )


def run(job_id: int) -> bool:
    """Claim and run one job; True if it was done. Needs an application context. Never raises for a failing job."""
    held = claim(job_id)
    if held is None:
        return False
    kind = _kinds.get(held.kind)
    if kind is None:
        _finish(held, error={"message": f"no handler for {held.kind}"}, retry_at=now() + MAX_BACKOFF)
        return False
    _current.job_id = job_id
    try:
        kind.handler(held.subject)
    except RetryAt as later:
        db.session.rollback()
        _finish(held, error=None, retry_at=later.moment, counts=False)
        return False
    except Exception as error:
        db.session.rollback()
        # The text of an error may quote personal data; the row keeps it for the administrator, the log only the type.
        log.exception("job failed") if log.isEnabledFor(logging.DEBUG) else log.warning(
            "job %s %s failed: %s", held.kind, job_id, type(error).__name__
        )
        dead = held.attempts >= kind.max_attempts
        pause = min(timedelta(seconds=kind.backoff * 2 ** (held.attempts - 1)), MAX_BACKOFF)
        _finish(
            held,
            error=_kept(error),
            retry_at=None if dead else now() + pause * random.uniform(0.8, 1.2),
        )
        return False
    finally:
        _current.job_id = None
    _finish(held, error=None, retry_at=None, done=True)
    return True


def _kept(error: Exception) -> dict[str, Any]:
    """Why a job failed; what is no refusal of ours has no translation."""
    return kept(error) if isinstance(error, BridgeError) else {"message": f"{type(error).__name__}: {error}"[:2000]}


def _finish(
    held: Job, *, error: dict[str, Any] | None, retry_at: datetime | None, done: bool = False, counts: bool = True
) -> None:
    """Write the end of an attempt, unless the lease was lost to another worker meanwhile."""
    while True:
        try:
            with transaction() as session:
                values: dict[str, object] = {"lease_until": None, "lease_owner": None, "last_error": error}
                if done or retry_at is None:
                    state = JobState.DONE if done else JobState.DEAD
                    values |= {"state": state, "finished_at": now()}
                elif _joined(held, retry_at):
                    values |= {"state": JobState.DONE, "finished_at": now()}
                else:
                    values |= {"state": JobState.QUEUED, "not_before": retry_at}
                    if not counts:
                        values["attempts"] = max(held.attempts - 1, 0)
                    after_commit(lambda: _wake(held.id, retry_at))
                mine = (Job.id == held.id, Job.lease_owner == owner(), Job.state == JobState.RUNNING)
                session.execute(sa.update(Job).where(*mine).values(**values))
        except sa.exc.IntegrityError:
            # The same wish was being made while this ended: now that it is stored, join it.
            continue
        return


def _joined(held: Job, retry_at: datetime) -> bool:
    """The same wish was made again while ``held`` ran: that row goes on, and no later than ``held`` would have."""
    twin_id = db.session.scalar(
        sa.update(Job)
        .where(Job.kind == held.kind, Job.subject == held.subject, Job.state == JobState.QUEUED)
        .values(not_before=sa.case((Job.not_before > retry_at, retry_at), else_=Job.not_before))
        .returning(Job.id)
        .execution_options(synchronize_session=False)
    )
    if twin_id is None:
        return False
    after_commit(lambda: _wake(twin_id, retry_at))
    return True


def done_together(kind: str, subjects: Collection[str]) -> None:
    """Say that the waiting jobs of ``kind`` for ``subjects`` need not run: a job in hand did their work in the
    transaction in force. Those that run already are not touched; they find nothing left to do."""
    db.session.execute(
        sa.update(Job)
        .where(Job.kind == kind, Job.subject.in_(subjects), Job.state == JobState.QUEUED)
        .values(state=JobState.DONE, finished_at=now())
        .execution_options(synchronize_session=False)
    )


def due_jobs(limit: int = 100) -> list[int]:
    """Ids of jobs that are due now, oldest first: what a wake-up call was lost for, or whose worker died."""
    return list(db.session.scalars(sa.select(Job.id).where(_due(now())).order_by(Job.not_before).limit(limit)))


def schedule_daily() -> None:
    """Make the rows of today's daily jobs; called by every sweep, harmless when repeated."""
    moment = now()
    for entry in _daily:
        subject = moment.date().isoformat()
        if moment.hour < entry.hour or db.session.scalar(
            sa.select(Job.id).filter_by(kind=entry.kind, subject=subject).limit(1)
        ):
            continue
        with transaction():
            enqueue(entry.kind, subject)


def run_due(limit: int = 1000, *, stopping: Callable[[], bool] = lambda: False) -> int:
    """Run due jobs in this thread until none is left, ``limit`` were tried, or ``stopping()`` between two of them;
    the number that were done.

    This is the sweeper of each worker, and how commands and tests drain the queue.
    """
    done = tried = 0
    while batch := due_jobs(min(100, limit - tried)):
        for job_id in batch:
            if stopping():
                break
            tried += 1
            done += run(job_id)
        if tried >= limit or stopping():
            break
    db.session.rollback()
    return done


@job("core.forget", daily_at=2)
def forget_finished(day: str) -> None:
    """Delete finished jobs after two weeks and single-use values after their end."""
    from lms_bridge.core.models import UsedNonce

    with transaction() as session:
        session.execute(sa.delete(Job).where(Job.state == JobState.DONE, Job.finished_at < now() - timedelta(days=14)))
        session.execute(sa.delete(UsedNonce).where(UsedNonce.expires_at < now()))
