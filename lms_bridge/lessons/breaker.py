"""The health of provider accounts: seen from every real call and from probes, kept by a circuit breaker.

A closed circuit lets calls through. After :data:`FAILURES_UNTIL_OPEN` failed calls in a row that did not all come at
once (one is enough where the account is refused as a whole) it opens: the provider is left alone, its lessons move to
another one, and after a pause that grows each time one probe asks (half-open). A probe that succeeds closes it. That a
provider is busy (it says when to come back) is no failure.
"""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from lms_bridge.core import audit, jobs
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BridgeError
from lms_bridge.core.kept_problems import kept
from lms_bridge.core.plugins import AccessRefused, PluginError, TemporaryFailure
from lms_bridge.lessons import gaps, providers
from lms_bridge.lessons.models import CircuitState, Meeting, MeetingState, ProviderAccount

PROBE = "lessons.probe"
MOVE_AWAY = "lessons.move_away"
ORPHANS = "lessons.orphans"
OFFER = "lessons.offer"

FAILURES_UNTIL_OPEN = 3
HICCUP = timedelta(seconds=2)
"""Failures that all come within so long are one: at eight o'clock every lesson calls in the same second."""
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=2)
CALM = timedelta(minutes=10)
"""After so long without trouble the pauses are short again."""


def succeeded(account_id: int) -> None:
    """A call to the account's provider went well. Writes only where that is news. Flushes."""
    news = sa.or_(ProviderAccount.failures > 0, ProviderAccount.healthy.is_(False), ProviderAccount.state_at.is_(None))
    account = db.session.scalar(
        sa.select(ProviderAccount)
        .where(ProviderAccount.id == account_id, news)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if account is None:
        return
    was_open = not account.healthy
    account.healthy, account.failures, account.failing_since = True, 0, None
    account.retry_at = account.last_error = None
    if was_open or account.state_at is None:
        account.state_at = now()
    db.session.flush()
    if was_open:
        gaps.close_gap(providers.source_of(account))
        _record(account, "provider.recovered")
        _make_what_waited(account.id)
        jobs.enqueue(OFFER, str(account.id))
        jobs.enqueue(ORPHANS, str(account.id))


def concerns_rooms_alone(error: BridgeError) -> bool:
    """Whether a call was refused for what it asked: that says nothing of how the provider stands."""
    return isinstance(error, PluginError) and not isinstance(error, TemporaryFailure | AccessRefused)


def failed(account_id: int, error: BridgeError, *, counts: bool = True) -> None:
    """A call to the account's provider failed. Flushes; asks for its lessons to be moved when the circuit opens.
    ``counts`` false: it is only noted."""
    account = db.session.scalar(
        sa.select(ProviderAccount)
        .where(ProviderAccount.id == account_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if account is None:
        return
    account.last_error = kept(error)
    if not counts or (isinstance(error, TemporaryFailure) and error.retry_after is not None):
        db.session.flush()
        return
    moment = now()
    account.failures += 1
    account.failing_since = account.failing_since or moment
    lasts = account.failures >= FAILURES_UNTIL_OPEN and moment - account.failing_since >= HICCUP
    if account.healthy and (lasts or isinstance(error, AccessRefused)):
        if account.state_at is not None and moment - account.state_at > CALM:
            account.trips = 0
        account.healthy, account.state_at = False, moment
        _pause(account)
        gaps.open_gap(providers.source_of(account), "provider down", starts_at=account.failing_since)
        _record(account, "provider.down", failures=account.failures)
        jobs.enqueue(MOVE_AWAY, str(account.id))
    db.session.flush()


def ask_again(account: ProviderAccount) -> None:
    """A person mended the account: a probe asks it at once, however long the pause would have been. Flushes."""
    account.retry_at = now()
    if not account.healthy:
        jobs.enqueue(PROBE, str(account.id))
    account.failures, account.failing_since, account.trips = 0, None, 0
    db.session.flush()


def probe(account_id: int) -> None:
    """Ask an account whose circuit is open once, when its pause is over; close the circuit, or wait longer.

    :raises RetryAt: not yet, or again later.
    """
    account = db.session.get(ProviderAccount, account_id, populate_existing=True)
    if account is None or not account.enabled or account.healthy:
        return
    if account.circuit(now()) is CircuitState.OPEN and account.retry_at is not None:
        raise jobs.RetryAt(account.retry_at)
    try:
        ask(account)
    except BridgeError as error:
        with transaction():
            failed(account_id, error)
            account = db.session.get_one(ProviderAccount, account_id)
            if not account.healthy:
                _pause(account)
                jobs.enqueue(MOVE_AWAY, str(account_id))
        raise jobs.RetryAt(account.retry_at or now() + LONGEST_PAUSE) from None
    with transaction():
        succeeded(account_id)


def ask(account: ProviderAccount) -> None:
    """One probe of the account's provider, outside of any transaction.

    :raises BridgeError: it does not answer, or refuses.
    """
    provider = providers.provider_for(account)
    db.session.rollback()
    with providers.calling(provider.identifier):
        provider.probe()


def hold_back(account: ProviderAccount) -> None:
    """Called before a job talks to the provider. Nobody probes an account that is switched off: the call itself shows
    how its provider stands.

    :raises RetryAt: the circuit is not closed; the probe goes first.
    """
    if account.enabled and not account.healthy:
        raise jobs.RetryAt(max(account.retry_at or now(), now() + FIRST_PAUSE))


def _pause(account: ProviderAccount) -> None:
    pause = min(FIRST_PAUSE * 2 ** min(account.trips, 10), LONGEST_PAUSE)
    account.trips += 1
    account.retry_at = now() + pause
    db.session.flush()
    jobs.enqueue(PROBE, str(account.id), not_before=account.retry_at)


def _make_what_waited(account_id: int) -> None:
    """Rooms that people wait for are made at once, not when the pause of their job is over."""
    from lms_bridge.lessons.meetings import PROVISION

    waiting = db.session.scalars(
        sa.select(Meeting.id).where(
            Meeting.account_id == account_id, Meeting.state == MeetingState.WANTED, Meeting.failures > 0
        )
    )
    for meeting_id in waiting.all():
        jobs.enqueue(PROVISION, str(meeting_id))


def _record(account: ProviderAccount, action: str, **details: int) -> None:
    audit.record(
        action, "provider_account", account.uid, actor_uid=None, organisation_id=account.organisation_id, **details
    )
