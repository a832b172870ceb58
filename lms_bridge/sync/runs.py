"""Runs that a person or the night asks for: a row with state, progress and result, and a job that carries it out."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from lms_bridge.core import jobs
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BridgeError, InputError
from lms_bridge.core.i18n import N_, get_locale, use_locale
from lms_bridge.core.kept_problems import kept
from lms_bridge.core.plugins import AccessRefused, LmsConnector, PluginError, TemporaryFailure
from lms_bridge.sync import (
    accounts,
    activities,
    addresses,
    events,
    groups,
    homework,
    leases,
    marks,
    naming,
    parts,
    reconcile,
    roster,
)
from lms_bridge.sync.models import LmsAccount, RunKind, SyncRun, SyncState
from lms_bridge.sync.wishes import PUSH, WISH

RUN = "sync.run"
NIGHT = "sync.night"
NEEDS = {
    RunKind.ROSTER: "reads_people",
    RunKind.ACTIVITIES: "activities",
    RunKind.EVENTS: "events",
    RunKind.RECONCILE: "finds_events_by_marker",
    RunKind.MARKS: "attendance",
    RunKind.HOMEWORK: "assignments",
}
"""Which flag of a connector says that it offers what a kind of run needs."""

WRITE_EVERY = 1.0
log = logging.getLogger(__name__)

LISTED = 20
WAITS = int(leases.LEASE / leases.BUSY_PAUSE) + 10
"""So often another job is waited for: one that was killed is outlived."""
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
    _drop_names(account, kind)
    db.session.add(run)
    db.session.flush()
    jobs.enqueue(RUN, str(run.id))
    return run


def _drop_names(account: LmsAccount, kind: RunKind) -> None:
    """Names of people are kept only until the next run of the kind, whose own are the ones to look at then."""
    earlier = sa.select(SyncRun).filter_by(account_id=account.id, kind=kind).order_by(SyncRun.id.desc())
    for run in db.session.scalars(earlier.limit(LISTED)):
        if "names" in run.result:
            run.result = {name: value for name, value in run.result.items() if name != "names"}


def start_night() -> None:
    """Every account: people in, activities, the comparison of calendars, and the parts that are chosen for it."""
    with transaction():
        for account in accounts.enabled_accounts():
            can = accounts.capabilities_of(account)
            for kind in (RunKind.ROSTER, RunKind.ACTIVITIES, RunKind.RECONCILE):
                if getattr(can, NEEDS[kind]):
                    start(account, kind, actor_uid=None)
            if account.writes_marks:
                start(account, RunKind.MARKS, actor_uid=None)
            if account.reads_homework:
                start(account, RunKind.HOMEWORK, actor_uid=None)


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
        _note(run_id, state=SyncState.REFUSED, problems=_first([problem]), finished_at=now())
        return
    leases.take(LmsAccount, account.id)
    try:
        _note(run_id, state=SyncState.RUNNING, progress={})
        with use_locale(locale), accounts.connected(account) as lms, naming.collecting() as names:
            _check_offered(lms, run.kind)
            notes = _Notes(run_id, account.id)
            result, problems = _DO[run.kind](account, lms, run, notes)
        _note(
            run_id, state=SyncState.DONE, result=naming.added(result, names), progress=notes.last,
            problems=_first(problems), finished_at=now(),
        )  # fmt: skip
    except (TemporaryFailure, AccessRefused) as error:
        _note(run_id, state=SyncState.WAITING, problems=_first([error]))
        raise jobs.RetryAt(accounts.next_try(account.failures, error)) from None
    except BridgeError as refusal:
        db.session.rollback()
        _note(run_id, state=SyncState.REFUSED, problems=_first([refusal]), finished_at=now())
    except jobs.RetryAt:
        raise
    except Exception as error:
        db.session.rollback()
        log.exception("sync: run %s of %s ended unexpectedly", run.uid, account.uid)
        unexpected = PluginError(
            N_("The run ended unexpectedly (%(kind)s)."), kind=type(error).__name__, run=run.uid,
            remedy=N_("The log says more (run %(run)s)."),
        )  # fmt: skip
        _note(run_id, state=SyncState.REFUSED, problems=_first([unexpected]), finished_at=now())
    finally:
        leases.release(LmsAccount, account.id)


def _check_offered(lms: LmsConnector, kind: RunKind) -> None:
    if not getattr(lms.capabilities, NEEDS[kind]):
        raise PluginError(
            N_("The connector of %(lms)s does not offer this."), remedy=N_("See docs/lms-connectors.md."),
            lms=lms.verbose_name,
        )  # fmt: skip


def carry_out_now(run_id: int, must_wait: Callable[[], None] = lambda: None) -> None:
    """Carry a run out in this thread, waiting for another job that writes into the LMS (then ``must_wait`` is called
    first); a run that cannot be carried out now stays waiting for its job."""
    for attempt in range(WAITS):
        try:
            carry_out(run_id)
        except jobs.RetryAt:
            run = db.session.get_one(SyncRun, run_id, populate_existing=True)
            if run.problems:  # the LMS does not answer
                return
            if not attempt:
                must_wait()
            time.sleep(leases.BUSY_PAUSE.total_seconds())
        else:
            return


def _first(problems: Iterable[BridgeError]) -> list[dict[str, Any]]:
    """The first problems, each once, to be said in the reader's language."""
    found: list[dict[str, Any]] = []
    for problem in problems:
        if len(found) < LISTED and (one := kept(problem)) not in found:
            found.append(one)
    return found


def wish(account_id: int) -> None:
    """Look at every lesson to come that the account serves; what its LMS should show otherwise is sent by a job."""
    account = db.session.get(LmsAccount, account_id, populate_existing=True)
    if account is not None and account.enabled:
        reconcile.wish_all(account)


def push(account_id: int) -> None:
    """Send the events and marks that wait.

    :raises RetryAt: the LMS does not answer, another job writes into it, or something refused is due later.
    """
    account = db.session.get(LmsAccount, account_id, populate_existing=True)
    if account is None or not account.enabled:
        return
    if not events.unsettled(account) and not marks.waiting_count(account):
        return
    leases.take(LmsAccount, account_id)
    try:
        with accounts.connected(account) as lms:
            events.push(account, lms)
            marks.push(account, lms)
    except (TemporaryFailure, AccessRefused) as error:
        raise jobs.RetryAt(accounts.next_try(account.failures, error)) from None
    finally:
        leases.release(LmsAccount, account_id)
    later = [due for due in (events.next_due(account), marks.next_due(account)) if due is not None]
    if later:
        raise jobs.RetryAt(min(later))


Outcome = tuple[dict[str, Any], list[BridgeError]]


def _roster(account: LmsAccount, lms: LmsConnector, run: SyncRun, watch: _Notes) -> Outcome:
    changes = roster.take_in(account, lms, dry_run=run.dry_run, confirmed=run.confirmed, watch=watch)
    if not run.dry_run:
        with transaction():
            jobs.enqueue(WISH, str(account.id))  # lessons of courses that are new
            addresses.follow(account)
    return changes.as_dict(), changes.problems


def _activities(account: LmsAccount, lms: LmsConnector, run: SyncRun, watch: _Notes) -> Outcome:
    changes = activities.put_in(account, lms, dry_run=run.dry_run, watch=watch)
    return changes.as_dict(), changes.problems


def _events(account: LmsAccount, lms: LmsConnector, run: SyncRun, watch: _Notes) -> Outcome:
    if run.dry_run:
        waiting = reconcile.wish_all(account, dry_run=True)
        return {"waiting": waiting} | naming.counted("created", "updated", "deleted"), []
    pushed = events.push(account, lms, watch, reconcile.wishing(account))
    return pushed.as_dict(), [*events.problems_of(account), *groups.warnings(account)]


def _reconcile(account: LmsAccount, lms: LmsConnector, run: SyncRun, watch: _Notes) -> Outcome:
    found = reconcile.reconcile(account, lms, dry_run=run.dry_run, watch=watch)
    return found.as_dict(), found.problems


def _marks(account: LmsAccount, lms: LmsConnector, run: SyncRun, watch: _Notes) -> Outcome:
    parts.require(account, "writes_marks")
    waiting = marks.wish_recent(account, dry_run=run.dry_run)
    if run.dry_run:
        return {"waiting": waiting}, []
    return marks.push(account, lms, watch).as_dict(), marks.problems_of(account)


def _homework(account: LmsAccount, lms: LmsConnector, run: SyncRun, watch: _Notes) -> Outcome:
    parts.require(account, "reads_homework")
    changes = homework.take_in(account, lms, dry_run=run.dry_run, watch=watch)
    return changes.as_dict(), changes.problems


_DO: dict[RunKind, Callable[[LmsAccount, LmsConnector, SyncRun, Any], Outcome]] = {
    RunKind.ROSTER: _roster,
    RunKind.ACTIVITIES: _activities,
    RunKind.EVENTS: _events,
    RunKind.RECONCILE: _reconcile,
    RunKind.MARKS: _marks,
    RunKind.HOMEWORK: _homework,
}


@dataclass
class _Notes:
    """Writes down how far a run is, about once a second, and keeps its leases."""

    run_id: int
    account_id: int
    written: float = field(default=-WRITE_EVERY)
    last: dict[str, int | None] = field(default_factory=dict)

    def __call__(self, done: int, of: int | None) -> None:
        self.last = {"done": done, "of": of}
        if time.monotonic() - self.written >= WRITE_EVERY:
            self.written = time.monotonic()
            _note(self.run_id, progress=self.last)
            leases.hold(LmsAccount, self.account_id)


def _note(run_id: int, **values: Any) -> None:
    with transaction() as session:
        session.execute(
            sa.update(SyncRun).where(SyncRun.id == run_id).values(**values).execution_options(synchronize_session=False)
        )
        waiting = session.get(SyncRun, run_id)
        if waiting is not None:
            session.refresh(waiting)


__all__ = [
    "NIGHT", "PUSH", "RUN", "WISH", "carry_out", "carry_out_now", "push", "start", "start_night", "wish",
]  # fmt: skip
