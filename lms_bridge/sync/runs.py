"""Runs that a person or the night asks for: a row with state, progress and result, and a job that carries it out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from lms_bridge.core import jobs
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BridgeError, InputError
from lms_bridge.core.i18n import N_, get_locale, use_locale
from lms_bridge.core.plugins import AccessRefused, LmsConnector, TemporaryFailure
from lms_bridge.sync import accounts, activities, events, reconcile, roster
from lms_bridge.sync.models import LmsAccount, RunKind, SyncRun, SyncState
from lms_bridge.sync.wishes import PUSH

RUN = "sync.run"
NIGHT = "sync.night"
WRITE_EVERY = 1.0
LISTED = 20
WAITS = 60
SWITCHED_OFF = N_("The account is switched off.")


def start(
    account: LmsAccount,
    kind: RunKind,
    *,
    actor_uid: str | None,
    dry_run: bool = False,
    confirmed: bool = False,
) -> SyncRun:
    """Ask for a run; one of the same kind that waits already is joined. Flushes."""
    waiting = db.session.scalar(
        sa.select(SyncRun).filter_by(
            account_id=account.id, kind=kind, dry_run=dry_run, confirmed=confirmed, state=SyncState.WAITING
        )
    )
    if waiting is not None:
        jobs.enqueue(RUN, str(waiting.id))
        return waiting
    run = SyncRun(
        account_id=account.id,
        kind=kind,
        dry_run=dry_run,
        confirmed=confirmed,
        actor_uid=actor_uid,
        locale=get_locale(),
    )
    db.session.add(run)
    db.session.flush()
    jobs.enqueue(RUN, str(run.id))
    return run


def start_night() -> None:
    """Every account: people in, activities, and the comparison of calendars."""
    with transaction():
        for account in accounts.enabled_accounts():
            for kind in (RunKind.ROSTER, RunKind.ACTIVITIES, RunKind.RECONCILE):
                start(account, kind, actor_uid=None)


def carry_out(run_id: int) -> None:
    """Do what a run asks for. A run that is over is left alone; one that was killed begins anew.

    :raises RetryAt: the LMS does not answer, or another job writes into it; the run waits.
    """
    run = db.session.get(SyncRun, run_id, populate_existing=True)
    if run is None or run.state in (SyncState.DONE, SyncState.REFUSED):
        return
    account, locale = run.account, run.locale
    if not account.enabled:
        problem = InputError(SWITCHED_OFF)
        _note(run_id, state=SyncState.REFUSED, problems=texts([problem], locale), finished_at=now())
        return
    accounts.take(account.id)
    try:
        _note(run_id, state=SyncState.RUNNING, progress={})
        with use_locale(locale), accounts.connected(account) as lms:
            result, problems = _DO[run.kind](account, lms, run, _Notes(run_id, account.id))
        _note(run_id, state=SyncState.DONE, result=result, problems=texts(problems, locale), finished_at=now())
    except (TemporaryFailure, AccessRefused) as error:
        _note(run_id, state=SyncState.WAITING, problems=texts([error], locale))
        raise jobs.RetryAt(accounts.next_try(account.failures, error)) from None
    except BridgeError as refusal:
        db.session.rollback()
        _note(run_id, state=SyncState.REFUSED, problems=texts([refusal], locale), finished_at=now())
    finally:
        accounts.release(account.id)


def carry_out_now(run_id: int) -> None:
    """Carry a run out in this thread, waiting for another job that writes into the LMS; a run that cannot be carried
    out now stays waiting for its job."""
    for _ in range(WAITS):
        try:
            carry_out(run_id)
        except jobs.RetryAt:
            run = db.session.get_one(SyncRun, run_id, populate_existing=True)
            if run.problems:  # the LMS does not answer
                return
            time.sleep(accounts.BUSY_PAUSE.total_seconds())
        else:
            return


def texts(problems: list[BridgeError], locale: str) -> list[str]:
    """The first problems in words, each once."""
    with use_locale(locale):
        return list(dict.fromkeys(str(problem) for problem in problems))[:LISTED]


def push(account_id: int) -> None:
    """Send the events that wait.

    :raises RetryAt: the LMS does not answer, another job writes into it, or something refused is due later.
    """
    account = db.session.get(LmsAccount, account_id, populate_existing=True)
    if account is None or not account.enabled or not events.unsettled(account):
        return
    accounts.take(account_id)
    try:
        with accounts.connected(account) as lms:
            events.push(account, lms)
    except (TemporaryFailure, AccessRefused) as error:
        raise jobs.RetryAt(accounts.next_try(account.failures, error)) from None
    finally:
        accounts.release(account_id)
    later = events.next_due(account)
    if later is not None:
        raise jobs.RetryAt(later)


Outcome = tuple[dict[str, Any], list[BridgeError]]


def _roster(account: LmsAccount, lms: LmsConnector, run: SyncRun, watch: _Notes) -> Outcome:
    changes = roster.take_in(account, lms, dry_run=run.dry_run, confirmed=run.confirmed, watch=watch)
    if not run.dry_run:
        reconcile.wish_all(account)  # lessons of courses that are new
    return changes.as_dict(), changes.problems


def _activities(account: LmsAccount, lms: LmsConnector, run: SyncRun, watch: _Notes) -> Outcome:
    changes = activities.put_in(account, lms, dry_run=run.dry_run, watch=watch)
    return changes.as_dict(), changes.problems


def _events(account: LmsAccount, lms: LmsConnector, run: SyncRun, watch: _Notes) -> Outcome:
    waiting = reconcile.wish_all(account, dry_run=run.dry_run)
    if run.dry_run:
        return {"waiting": waiting}, []
    return events.push(account, lms, watch).as_dict(), events.problems_of(account)


def _reconcile(account: LmsAccount, lms: LmsConnector, run: SyncRun, watch: _Notes) -> Outcome:
    found = reconcile.reconcile(account, lms, dry_run=run.dry_run, watch=watch)
    return found.as_dict(), found.problems


_DO: dict[RunKind, Callable[[LmsAccount, LmsConnector, SyncRun, Any], Outcome]] = {
    RunKind.ROSTER: _roster,
    RunKind.ACTIVITIES: _activities,
    RunKind.EVENTS: _events,
    RunKind.RECONCILE: _reconcile,
}


@dataclass
class _Notes:
    """Writes down how far a run is, about once a second, and keeps its leases."""

    run_id: int
    account_id: int
    written: float = field(default=-WRITE_EVERY)

    def __call__(self, done: int, of: int | None) -> None:
        if time.monotonic() - self.written >= WRITE_EVERY:
            self.written = time.monotonic()
            _note(self.run_id, progress={"done": done, "of": of})
            accounts.hold(self.account_id)


def _note(run_id: int, **values: Any) -> None:
    with transaction() as session:
        session.execute(
            sa.update(SyncRun).where(SyncRun.id == run_id).values(**values).execution_options(synchronize_session=False)
        )
        waiting = session.get(SyncRun, run_id)
        if waiting is not None:
            session.refresh(waiting)


__all__ = ["NIGHT", "PUSH", "RUN", "carry_out", "carry_out_now", "push", "start", "start_night", "texts"]
