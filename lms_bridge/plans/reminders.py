"""When teachers are reminded of a plan that is due: three days and one day before, and once it is overdue.

The moments are a pure rule. Each is a durable job that names deadline, stage and due time, so that a deadline that
was moved or removed leaves jobs behind that find nothing to do, and a reminder that was sent is never sent again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from lms_bridge.core import jobs, outbox
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.plans.models import PlanDeadline

REMIND = "plans.remind"
"""Job kind; its subject is ``deadline id:stage:due time``."""
DUE = "plan.due"
"""The fact that teachers are to be reminded."""

Stage = Literal["days3", "day1", "overdue"]

BEFORE: tuple[tuple[Stage, timedelta], ...] = (("days3", timedelta(days=3)), ("day1", timedelta(days=1)))
MORNING, EVENING = time(8), time(21)
"""Reminders go out between these hours of the organisation's wall clock."""


@dataclass(frozen=True)
class Reminder:
    """One reminder: when it goes out, for which state of the deadline."""

    stage: Stage
    at: datetime


def moments(due_at: datetime, zone: str, since: datetime) -> list[Reminder]:
    """The reminders of a deadline that was set at ``since``: on the mornings three days and one day before, or at
    once where both are over, and as soon as it has passed by day. All aware, in UTC."""
    before = [Reminder(stage, _morning(due_at - ahead, zone)) for stage, ahead in BEFORE]
    coming = [reminder for reminder in before if reminder.at >= since]
    if not coming:
        coming = [Reminder(before[-1].stage, since)]
    return [*coming, Reminder("overdue", _by_day(due_at, zone))]


def _morning(moment: datetime, zone: str) -> datetime:
    """The last morning that is not after ``moment``."""
    there = moment.astimezone(ZoneInfo(zone))
    day = there.date() if there.time() >= MORNING else there.date() - timedelta(days=1)
    return datetime.combine(day, MORNING, ZoneInfo(zone)).astimezone(UTC)


def _by_day(moment: datetime, zone: str) -> datetime:
    """``moment``, or the next morning where that is at night."""
    there = moment.astimezone(ZoneInfo(zone))
    if MORNING <= there.time() < EVENING:
        return moment.astimezone(UTC)
    day = there.date() if there.time() < MORNING else there.date() + timedelta(days=1)
    return datetime.combine(day, MORNING, ZoneInfo(zone)).astimezone(UTC)


def arrange(row: PlanDeadline, zone: str) -> None:
    """Ask for the reminders of a deadline that was just set."""
    for reminder in moments(row.due_at, zone, now()):
        subject = f"{row.id}:{reminder.stage}:{int(row.due_at.timestamp())}"
        jobs.enqueue(REMIND, subject, not_before=reminder.at)


def remind(subject: str) -> None:
    """Publish one reminder, unless its deadline has been moved or removed since."""
    row = deadline_of(subject)
    if row is not None:
        outbox.publish(DUE, f"plan_deadline:{subject}", organisation_id=row.organisation_id)


def deadline_of(subject: str) -> PlanDeadline | None:
    """The deadline that ``id:stage:due time`` names, if it still is that one."""
    number, _, due = subject.split(":")
    row = db.session.get(PlanDeadline, int(number), populate_existing=True)
    return row if row is not None and int(row.due_at.timestamp()) == int(due) else None
