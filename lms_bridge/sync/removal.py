"""Removing an account: what it knows is forgotten; what was made in the LMS stays there, or is taken away first.

A job does it, under the account's lease, so that no run is surprised by it. Nothing of the roster is removed: people,
enrolments and marks that came from there stay as they are.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from lms_bridge.core import audit, jobs
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BridgeError, Conflict
from lms_bridge.core.i18n import N_
from lms_bridge.core.kept_problems import kept
from lms_bridge.core.plugins import AccessRefused, LmsConnector, PluginError, TemporaryFailure
from lms_bridge.supervision.models import Homework
from lms_bridge.sync import accounts, addresses, leases
from lms_bridge.sync.looking import events_of
from lms_bridge.sync.models import LmsAccount, MappedKind, MappingState, Removal, SyncMapping, SyncRun
from lms_bridge.sync.overview import counts
from lms_bridge.sync.workers import each, in_groups
from lms_bridge.timetable.models import Lesson

LEAVE = "sync.leave"

AT_ONCE = 20
"""So many calls are written down in one transaction."""

FORGOTTEN_AT_ONCE = 2000
WAITS = 60
DAY = timedelta(days=1)
MADE = (MappedKind.EVENT, MappedKind.ACTIVITY)


@dataclass(frozen=True)
class Footprint:
    """What an account knows, and what it made in the LMS."""

    courses: int
    people: int
    unmatched: int
    events: int
    activities: int
    sessions: int
    homework: int


def footprint(account: LmsAccount) -> Footprint:
    """Count it."""
    found = counts([account.id])[account.id]
    there = dict(
        iter(
            db.session.execute(
                sa.select(SyncMapping.kind, sa.func.count())
                .where(SyncMapping.account_id == account.id, SyncMapping.remote_id.is_not(None))
                .group_by(SyncMapping.kind)
            )
        )
    )
    people = found.get(MappedKind.PERSON.value, {})
    return Footprint(
        courses=found.get(MappedKind.COURSE.value, {}).get(MappingState.DONE.value, 0),
        people=people.get(MappingState.DONE.value, 0),
        unmatched=people.get(MappingState.UNMATCHED.value, 0) + people.get(MappingState.NOT_OURS.value, 0),
        events=there.get(MappedKind.EVENT, 0),
        activities=there.get(MappedKind.ACTIVITY, 0),
        sessions=there.get(MappedKind.ATTENDANCE, 0),
        homework=found.get(MappedKind.ASSIGNMENT.value, {}).get(MappingState.DONE.value, 0),
    )


def remove(account: LmsAccount, how: Removal, *, actor_uid: str | None) -> None:
    """Switch the account off and have a job remove it; asked again, it is removed in the way asked for last."""
    account.enabled, account.removal, account.failures, account.last_error = False, how, 0, None
    db.session.flush()
    _record("lms.removal", account, actor_uid, how=how.value)
    jobs.enqueue(LEAVE, str(account.id))


def keep(account: LmsAccount, *, actor_uid: str | None) -> None:
    """Remove it no further. It stays switched off; what was taken away in the LMS is made again once it is on.

    :raises Conflict: it is not being removed.
    """
    if account.removal is None:
        raise Conflict(N_("The account “%(name)s” is not being removed."), name=account.name)
    account.removal, account.last_error = None, None
    _record("lms.kept", account, actor_uid)


def carry_out(account_id: int) -> None:
    """Remove an account for which that was asked; one that is kept after all, or gone, is left alone. An LMS that
    refuses to let go of something keeps the account, until a person decides.

    :raises RetryAt: the LMS does not answer, or another job works with it.
    """
    account = db.session.get(LmsAccount, account_id, populate_existing=True)
    if account is None or account.removal is None:
        return
    leases.take(LmsAccount, account_id)
    try:
        if _wanted(account_id) is Removal.CLEAR:
            with accounts.connected(account) as lms:
                left = _clear(account, lms)
            if left:
                problem = PluginError(N_("The LMS did not let go of everything (left: %(count)s)."), count=left)
                accounts.note_failure(account_id, problem)
                return
        if _wanted(account_id) is not None:
            _forget(account_id)
    except (TemporaryFailure, AccessRefused) as error:
        raise jobs.RetryAt(accounts.next_try(account.failures, error)) from None
    except BridgeError as error:
        accounts.note_failure(account_id, error)
    finally:
        leases.release(LmsAccount, account_id)


def carry_out_now(account_id: int) -> None:
    """Carry it out in this thread, waiting for a job that works with the account; where the LMS does not answer, it is
    left to the job."""
    for _ in range(WAITS):
        try:
            return carry_out(account_id)
        except jobs.RetryAt:
            account = db.session.get(LmsAccount, account_id, populate_existing=True)
            if account is None or account.failures:
                return None
            time.sleep(leases.BUSY_PAUSE.total_seconds())
    return None


def _wanted(account_id: int) -> Removal | None:
    """How the account is to be removed, as it stands now: a person may have changed their mind meanwhile."""
    with transaction() as session:
        return session.scalar(sa.select(LmsAccount.removal).where(LmsAccount.id == account_id))


def _clear(account: LmsAccount, lms: LmsConnector) -> int:
    """Take away what was made there; how many things the LMS did not let go of."""
    _find_lost(account, lms)
    number, failed = account.id, 0
    for answers in in_groups(each(account, lms, _made(account), _take_away), AT_ONCE):
        with transaction() as session:
            for row, answer in answers:
                if isinstance(answer, BridgeError):
                    failed += 1
                    session.execute(
                        sa.update(SyncMapping)
                        .where(SyncMapping.id == row.id)
                        .values(state=MappingState.FAILED, last_error=kept(answer))
                    )
                else:
                    session.execute(sa.delete(SyncMapping).where(SyncMapping.id == row.id))
        leases.hold(LmsAccount, number)
        if _wanted(number) is not Removal.CLEAR:
            return 0
    return failed


@dataclass(frozen=True)
class Thing:
    """Something that was made in the LMS."""

    id: int
    kind: MappedKind
    place: str
    remote_id: str


def _made(account: LmsAccount) -> Iterator[Thing]:
    """All of it, in bounded memory."""
    last = 0
    while rows := db.session.execute(
        sa.select(SyncMapping.id, SyncMapping.kind, SyncMapping.place, SyncMapping.remote_id)
        .where(
            SyncMapping.account_id == account.id,
            SyncMapping.kind.in_(MADE),
            SyncMapping.remote_id.is_not(None),
            SyncMapping.id > last,
        )
        .order_by(SyncMapping.id)
        .limit(FORGOTTEN_AT_ONCE)
    ).all():
        db.session.rollback()  # no transaction is open while the LMS is asked
        for number, kind, place, remote_id in rows:
            assert remote_id is not None
            last = number
            yield Thing(number, kind, place, remote_id)


def _take_away(lms: LmsConnector, thing: Thing) -> None:
    if thing.kind is MappedKind.EVENT:
        lms.delete_event(thing.remote_id)
    else:
        lms.remove_activity(thing.place, thing.remote_id)


def _find_lost(account: LmsAccount, lms: LmsConnector) -> None:
    """Events that were asked for and not answered: those that are there get their remote id."""
    rows = db.session.execute(
        sa.select(SyncMapping.id, SyncMapping.place, SyncMapping.sent, Lesson.uid)
        .join(Lesson, Lesson.id == SyncMapping.entity_id)
        .where(
            SyncMapping.account_id == account.id,
            SyncMapping.kind == MappedKind.EVENT,
            SyncMapping.state == MappingState.SENDING,
            SyncMapping.remote_id.is_(None),
        )
    ).all()
    db.session.rollback()
    if not rows or not lms.capabilities.finds_events_by_marker:
        return
    times = [datetime.fromisoformat(row.sent[name]) for row in rows for name in ("starts_at", "ends_at")]
    lost = {(row.place, row.uid): row.id for row in rows}
    courses, groups = sorted({row.place for row in rows}), defaultdict[str, set[str]](set)
    for row in rows:
        groups[row.place].update([row.sent["group"]] if row.sent.get("group") else [])
    for _, answer in events_of(lms, courses, min(times) - DAY, max(times) + DAY, groups):
        with transaction() as session:
            for event in [] if isinstance(answer, BridgeError) else answer:
                number = lost.get((event.course_remote_id, event.key))
                if number is not None:
                    session.execute(
                        sa.update(SyncMapping).where(SyncMapping.id == number).values(remote_id=event.remote_id)
                    )


def _forget(account_id: int) -> None:
    """Everything that is known of the account goes, the account itself last; cut off, it goes on where it stopped."""
    with transaction() as session:
        addresses.follow(session.get_one(LmsAccount, account_id))  # it is switched off: they all end
        homework = sa.select(SyncMapping.entity_id).where(
            SyncMapping.account_id == account_id, SyncMapping.kind == MappedKind.ASSIGNMENT
        )
        session.execute(
            sa.update(Homework)
            .where(Homework.id.in_(homework), Homework.withdrawn_at.is_(None))
            .values(withdrawn_at=now())
            .execution_options(synchronize_session=False)
        )
    forgotten = 0
    while True:
        with transaction() as session:
            some = sa.select(SyncMapping.id).where(SyncMapping.account_id == account_id).limit(FORGOTTEN_AT_ONCE)
            ids = session.scalars(some).all()
            session.execute(sa.delete(SyncMapping).where(SyncMapping.id.in_(ids)))
        forgotten += len(ids)
        leases.hold(LmsAccount, account_id)
        if not ids:
            break
    with transaction() as session:
        session.execute(sa.delete(SyncRun).where(SyncRun.account_id == account_id))
        account = session.get_one(LmsAccount, account_id)
        _record("lms.removed", account, None, mappings=forgotten)
        session.delete(account)


def _record(what: str, account: LmsAccount, actor_uid: str | None, **more: str | int) -> None:
    audit.record(what, "lms_account", account.uid, actor_uid=actor_uid, organisation_id=account.organisation_id, **more)
