"""Watches the providers of lessons that run or soon will: one call for an account and tick, never one for a lesson.

What it brings: who is in the rooms (where the provider is polled), reports after the end, and how the provider stands.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from lms_bridge.core import jobs
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BridgeError
from lms_bridge.core.plugins import (
    Gap,
    MeetingProvider,
    MeetingSpec,
    PluginError,
    PresenceReport,
    Room,
    TemporaryFailure,
)
from lms_bridge.lessons import breaker, gaps, intake, providers
from lms_bridge.lessons.door_times import open_between, opens_at
from lms_bridge.lessons.meetings import WATCH_AHEAD, in_force, rooms_of, spec_of
from lms_bridge.lessons.models import Meeting, ProviderAccount
from lms_bridge.timetable.models import Lesson
from lms_bridge.timetable.queries import WITH_PARTS

log = logging.getLogger(__name__)

REPORTS = "lessons.reports"

TICK = timedelta(seconds=10)
UNEASY = timedelta(seconds=3)
"""The next look after a failed one."""
AHEAD_TICK = timedelta(minutes=1)
"""Between two looks while doors are still closed."""
REPORT_AFTER = tuple(timedelta(minutes=m) for m in (2, 10, 30, 120, 720))
"""When a report is fetched, counted from the end: reports come late, and grow."""
REPORTS_AT_ONCE = 20
WITHOUT_NEWS = timedelta(minutes=5)


@dataclass(frozen=True)
class Running:
    """The account's lessons now: rooms to look into, whether a door is open, the next moment that matters."""

    meetings: Sequence[Meeting]
    open: bool
    soon: bool
    next_at: datetime | None


def watch(account_id: int) -> None:
    """One look at an account; comes again as long as it has lessons.

    :raises RetryAt: for the next look.
    """
    account = db.session.get(ProviderAccount, account_id, populate_existing=True)
    if account is None or providers.capabilities_of(account).embeddable:
        return
    running = running_of(account)
    if not running.open and not running.soon:
        if running.next_at is None:
            return
        raise jobs.RetryAt(running.next_at - WATCH_AHEAD)
    if account.healthy and not _busy_until(account):
        _look(account, running)
        account = db.session.get_one(ProviderAccount, account_id, populate_existing=True)
    pause = UNEASY if account.healthy and account.failures else TICK if running.open else AHEAD_TICK
    raise jobs.RetryAt(_busy_until(account) or now() + pause)


def _busy_until(account: ProviderAccount) -> datetime | None:
    """Until when an account that stands asked to be left alone; None: it may be asked."""
    until = account.retry_at if account.healthy else None
    return until if until is not None and until > now() else None


def running_of(account: ProviderAccount) -> Running:
    """What the account's lessons need of it now."""
    moment = now()
    query = in_force(account.id)
    near = db.session.scalars(
        query.where(open_between(moment, moment + WATCH_AHEAD))
        .options(joinedload(Meeting.lesson).options(*WITH_PARTS), joinedload(Meeting.account))
        .order_by(Meeting.id)
    ).unique()
    found = near.all()
    opened = [meeting for meeting in found if opens_at(meeting.lesson) <= moment]
    next_start = db.session.scalar(
        query.where(Lesson.starts_at > moment).with_only_columns(sa.func.min(Lesson.starts_at))
    )
    return Running(
        meetings=[meeting for meeting in opened if meeting.ready_at is not None],
        open=bool(opened),
        soon=bool(found),
        next_at=opens_at_start(next_start) if next_start is not None else None,
    )


def opens_at_start(starts_at: datetime) -> datetime:
    """When the door opens of a lesson that begins then."""
    from lms_bridge.core.application import current_settings

    return starts_at - timedelta(minutes=current_settings().door_opens_minutes)


def pairs_of(meetings: Sequence[Meeting]) -> list[tuple[MeetingSpec, Room]]:
    """Meetings that were made, in the form in which plugins are asked about them."""
    rooms = rooms_of(meetings)
    return [(spec_of(one, one.lesson, count_people=False), rooms[one.id]) for one in meetings if one.id in rooms]


def _look(account: ProviderAccount, running: Running) -> None:
    """Poll or probe, and store what came of it; a failure is counted."""
    account_id, cursor = account.id, dict(account.cursor.get("running") or {})
    try:
        provider = providers.provider_for(account)
        pairs = pairs_of(running.meetings) if polls(provider) else []
        report = _call(provider, pairs, cursor)
    except BridgeError as error:
        with transaction():
            breaker.failed(account_id, error)
            account = _locked(account_id)
            if account.healthy:
                account.retry_at = now() + _pause_of(error)
        return
    with transaction():
        breaker.succeeded(account_id)
        account = _locked(account_id)
        if report is not None:
            intake.store(account, report)
            _note_silence(account, running.meetings)
            account.cursor = account.cursor | {"running": dict(report.cursor), "looked_at": now().isoformat()}
        intake.adopt_all(account)


def _pause_of(error: BridgeError) -> timedelta:
    """How long a provider that is busy asked to be left alone."""
    return (error.retry_after if isinstance(error, TemporaryFailure) else None) or timedelta(0)


def polls(provider: MeetingProvider) -> bool:
    """Whether the provider is asked who is in its rooms while they run."""
    flags = provider.capabilities
    return (
        flags.real_time_presence
        and not flags.needs_observer
        and type(provider).presence is not MeetingProvider.presence
    )


def _call(
    provider: MeetingProvider, pairs: Sequence[tuple[MeetingSpec, Room]], cursor: Mapping[str, Any]
) -> PresenceReport | None:
    """The call itself, outside of any transaction.

    :raises BridgeError: it failed, in whatever way.
    """
    db.session.rollback()
    with providers.calling(provider.identifier):
        if pairs:
            return provider.presence(pairs, cursor)
        provider.probe()
    return None


def _note_silence(account: ProviderAccount, meetings: Sequence[Meeting]) -> None:
    """Nobody looked for a while (no worker ran): what could not be seen is a gap."""
    before = account.cursor.get("looked_at")
    made = [meeting.made_at for meeting in meetings if meeting.made_at is not None]
    if not isinstance(before, str) or not made:
        return
    since = max(datetime.fromisoformat(before), min(made))
    if now() - since > gaps.SILENCE:
        intake.store(account, PresenceReport(gaps=[Gap(since, now(), "not asked")]))


def fetch_reports(account_id: int) -> None:
    """Fetch the reports of the account's meetings that are over, several times each.

    :raises RetryAt: more are due later.
    """
    account = db.session.get(ProviderAccount, account_id, populate_existing=True)
    if account is None:
        return
    if account.healthy:
        _fetch_due(account)
    next_due = db.session.scalar(sa.select(sa.func.min(Meeting.report_at)).where(Meeting.account_id == account_id))
    if next_due is not None:
        raise jobs.RetryAt(max(next_due, now() + (TICK if account.healthy else WITHOUT_NEWS)))


def _fetch_due(account: ProviderAccount) -> None:
    account_id = account.id
    due = db.session.scalars(
        sa.select(Meeting)
        .where(Meeting.account_id == account_id, Meeting.report_at <= now())
        .options(joinedload(Meeting.lesson).options(*WITH_PARTS), joinedload(Meeting.account))
        .order_by(Meeting.report_at, Meeting.id)
        .limit(REPORTS_AT_ONCE)
    ).unique()
    meetings = due.all()
    if not meetings:
        return
    try:
        _fetch(account_id, meetings)
    except PluginError:
        # One of them spoils the report of all: each by itself.
        for meeting in meetings:
            if not _fetch(account_id, [meeting]):
                return


def _fetch(account_id: int, meetings: Sequence[Meeting]) -> bool:
    """Ask for the report of these meetings once; False: the provider cannot be asked now.

    :raises PluginError: they are several, and the report of at least one of them is refused.
    """
    account = db.session.get_one(ProviderAccount, account_id, populate_existing=True)
    try:
        cursor = dict(account.cursor.get("ended") or {})
        report = _call(providers.provider_for(account), pairs_of(meetings), cursor)
    except BridgeError as error:
        refused = breaker.concerns_rooms_alone(error)
        if refused and len(meetings) > 1:
            raise
        with transaction():
            breaker.failed(account_id, error, counts=not refused)
            later = now() + max(WITHOUT_NEWS, _pause_of(error))
            for meeting in meetings:
                row = db.session.get_one(Meeting, meeting.id, populate_existing=True)
                if refused:
                    _note_refusal(row)
                else:
                    row.report_at = later
        return refused
    with transaction():
        breaker.succeeded(account_id)
        account = _locked(account_id)
        if report is not None:
            intake.store(account, report)
            account.cursor = account.cursor | {"ended": dict(report.cursor)}
        for meeting in meetings:
            plan_report(db.session.get_one(Meeting, meeting.id, populate_existing=True))
    return True


def _note_refusal(meeting: Meeting) -> None:
    """The provider refused the report of a meeting. It is asked for again as often as any report is; after that nobody
    knows who was there, unless that was seen while it ran. Flushes."""
    log.warning("the report of meeting %s was refused", meeting.id)
    plan_report(meeting)
    told_before = providers.capabilities_of(meeting.account).real_time_presence
    room = rooms_of([meeting]).get(meeting.id)
    if meeting.report_at is None and not told_before and room is not None and room.external_ids:
        gap = Gap(meeting.lesson.starts_at, meeting.ended_at or now(), "report refused", room.external_ids[0])
        intake.store(meeting.account, PresenceReport(gaps=[gap]))


def plan_report(meeting: Meeting) -> None:
    """When the report of an ended meeting is fetched next; after the last time, never again. Flushes."""
    ended_at = meeting.ended_at or now()
    step = meeting.reports if meeting.report_at is None else meeting.reports + 1
    meeting.reports = step
    meeting.report_at = ended_at + REPORT_AFTER[step] if step < len(REPORT_AFTER) else None
    db.session.flush()
    if meeting.report_at is not None:
        jobs.enqueue(REPORTS, str(meeting.account_id), not_before=meeting.report_at)


def _locked(account_id: int) -> ProviderAccount:
    return db.session.get_one(ProviderAccount, account_id, populate_existing=True, with_for_update={"key_share": True})
