"""Holds the observers of providers that show presence only to a connection that stays open during the lesson.

Each worker process offers to hold them; the lease on the account's row gives each account to one thread of one
process. What was seen is stored together with the cursor, so that the next observer goes on where a killed one was;
the time between the two is a gap.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import timedelta

import sqlalchemy as sa
from flask import Flask

from lms_bridge.core import jobs
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.plugins import Gap, Observer, PresenceReport
from lms_bridge.lessons import intake, providers, watching
from lms_bridge.lessons.models import ProviderAccount

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=20)
READ_SECONDS = 5.0
LOOK_SECONDS = 3.0
MOST_OBSERVERS = 20
"""So many accounts one process holds observers for."""


def keep(app: Flask, stopping: threading.Event) -> None:
    """Hold observers until told to stop: run by every worker process, in a thread of its own."""
    threads: dict[int, threading.Thread] = {}
    while not stopping.wait(LOOK_SECONDS):
        threads = {account_id: one for account_id, one in threads.items() if one.is_alive()}
        try:
            with app.app_context():
                wanted = wanting() if len(threads) < MOST_OBSERVERS else []
        except Exception:
            log.exception("the accounts to observe could not be read; it is tried again")
            continue
        for account_id in wanted:
            if account_id not in threads and len(threads) < MOST_OBSERVERS:
                threads[account_id] = threading.Thread(
                    target=_hold, args=(app, account_id, stopping), name=f"observer-{account_id}", daemon=True
                )
                threads[account_id].start()
    for thread in threads.values():
        thread.join(timeout=READ_SECONDS + 10)


def wanting() -> list[int]:
    """Accounts with rooms to observe that nobody holds."""
    moment = now()
    accounts = db.session.scalars(
        sa.select(ProviderAccount).where(
            ProviderAccount.enabled.is_(True),
            sa.or_(ProviderAccount.observer_owner.is_(None), ProviderAccount.observer_until < moment),
        )
    ).all()
    found = []
    for account in accounts:
        if providers.capabilities_of(account).needs_observer and watching.running_of(account).meetings:
            found.append(account.id)
    db.session.rollback()
    return found


def _hold(app: Flask, account_id: int, stopping: threading.Event) -> None:
    try:
        with app.app_context():
            observe(account_id, stopping.is_set)
    except Exception:
        log.exception("the observer of provider account %s failed; it is begun anew", account_id)


def observe(account_id: int, stopping: Callable[[], bool]) -> None:
    """Observe the rooms of one account for as long as they run, unless another process does."""
    if not take(account_id):
        return
    observer: Observer | None = None
    try:
        account = db.session.get_one(ProviderAccount, account_id, populate_existing=True)
        provider, cursor = providers.provider_for(account), dict(account.cursor.get("observer") or {})
        db.session.rollback()
        observer = provider.observer(cursor)
        while not stopping():
            account = db.session.get_one(ProviderAccount, account_id, populate_existing=True)
            pairs = watching.pairs_of(watching.running_of(account).meetings)
            db.session.rollback()
            if not pairs:
                break
            observer.watch(pairs)
            if not _keep(account_id, observer.read(READ_SECONDS)):
                return
        if _keep(account_id, observer.close()):
            release(account_id)
    finally:
        db.session.rollback()
        if observer is not None:
            observer.close()


def take(account_id: int) -> bool:
    """Take the lease of an account's observer; False: another holds it. The time since somebody last observed rooms
    that run is a gap. Opens a transaction of its own."""
    moment = now()
    with transaction() as session:
        account = session.get_one(
            ProviderAccount, account_id, populate_existing=True, with_for_update={"key_share": True}
        )
        held = account.observer_owner is not None and account.observer_until is not None
        if held and account.observer_until > moment:  # type: ignore[operator]
            return False
        last = account.observer_until - LEASE if account.observer_until is not None else None
        made = [one.made_at for one in watching.running_of(account).meetings if one.made_at is not None]
        if made:
            since = max(last, min(made)) if last is not None else min(made)
            intake.store(account, PresenceReport(gaps=[Gap(since, moment, "observer")]))
        account.observer_owner, account.observer_until = jobs.owner(), moment + LEASE
    return True


def release(account_id: int) -> None:
    """Give the lease back. Until when it was held stays known: from then on nobody saw anything."""
    with transaction() as session:
        session.execute(
            sa.update(ProviderAccount)
            .where(ProviderAccount.id == account_id, ProviderAccount.observer_owner == jobs.owner())
            .values(observer_owner=None)
        )


def _keep(account_id: int, report: PresenceReport) -> bool:
    """Store what was seen with the cursor, and renew the lease; False: it was lost to another."""
    with transaction() as session:
        account = session.get_one(
            ProviderAccount, account_id, populate_existing=True, with_for_update={"key_share": True}
        )
        if account.observer_owner != jobs.owner():
            return False
        if report.events or report.ended or report.gaps:
            intake.store(account, report)
        if report.cursor != account.cursor.get("observer"):
            account.cursor = account.cursor | {"observer": dict(report.cursor)}
        account.observer_until = now() + LEASE
    return True
