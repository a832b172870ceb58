"""The verdict on one person and one lesson, from the times in which they were there: a pure rule.

Minutes count from the lesson's own start to its end. Only what was seen counts, and what a source could not see
(a gap) is never held against anybody: where the gap could change the verdict, there is none (``unverified``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from lms_bridge.attendance.models import Verdict
from lms_bridge.lessons.intervals import Interval


@dataclass(frozen=True)
class Policy:
    """The rules of a school. ``late_after``, ``left_early_before``: tolerated; ``minimum_share``: of the lesson, in
    percent, below which a person counts as absent; ``grace``: silence that is no absence."""

    late_after: timedelta = timedelta(minutes=5)
    left_early_before: timedelta = timedelta(minutes=10)
    minimum_share: int = 30
    grace: timedelta = timedelta(seconds=90)


@dataclass(frozen=True)
class Judged:
    """A verdict with its figures; ``verdict`` is None while a running lesson leaves it open ("not here yet").
    ``reason`` holds the numbers that it rests on."""

    verdict: Verdict | None
    minutes: int
    first_seen: datetime | None
    last_seen: datetime | None
    reason: dict[str, Any] = field(default_factory=dict)


def judge(
    seen: Sequence[Interval],
    starts_at: datetime,
    ends_at: datetime,
    policy: Policy,
    *,
    now: datetime,
    gaps: Sequence[tuple[datetime, datetime]] = (),
) -> Judged:
    """The verdict at ``now`` (all moments aware). ``seen`` in order, as ``intervals()`` gives them; ``gaps`` are spans
    in which nothing could be seen.

    While the lesson runs nobody is absent, and nobody has left early before they are gone longer than the grace.
    """
    over = now >= ends_at
    inside = [one for one in (_cut(stay, starts_at, ends_at) for stay in seen) if one is not None]
    blind = _total([one for one in (_cut(Interval(*gap), starts_at, ends_at) for gap in gaps) if one is not None])
    first, last = (inside[0].start, inside[-1].end) if inside else (None, None)
    minutes = _total(inside)
    length = ends_at - starts_at
    share = round(100 * minutes / length) if length else 0
    reason = {"share": share, "late": _minutes(first - starts_at) if first else None, "blind": _minutes(blind)}
    if last is not None:
        reason["left"] = _minutes(ends_at - last)
    figures = (_minutes(minutes), first, last, reason)
    if first is None or last is None:
        if not over:
            return Judged(None, *figures)
        return Judged(Verdict.UNVERIFIED if blind else Verdict.ABSENT, *figures)
    gone = over or now - last > policy.grace
    if over and share < policy.minimum_share:
        enough = 100 * (minutes + blind) >= policy.minimum_share * length
        return Judged(Verdict.UNVERIFIED if blind and enough else Verdict.ABSENT, *figures)
    if first - starts_at > policy.late_after:
        hidden = any(start <= starts_at + policy.late_after and end >= first - policy.grace for start, end in gaps)
        return Judged(Verdict.UNVERIFIED if hidden else Verdict.LATE, *figures)
    if gone and ends_at - max(last, starts_at) > policy.left_early_before:
        hidden = any(start <= last + policy.grace and end >= ends_at - policy.left_early_before for start, end in gaps)
        return Judged(Verdict.UNVERIFIED if hidden else Verdict.LEFT_EARLY, *figures)
    return Judged(Verdict.PRESENT, *figures)


def _cut(stay: Interval, starts_at: datetime, ends_at: datetime) -> Interval | None:
    """The part of a stay within the lesson; a stay that ended before the start, or began after the end, is none."""
    start, end = max(stay.start, starts_at), min(stay.end, ends_at)
    return Interval(start, end) if start <= end else None


def _total(stays: Sequence[Interval]) -> timedelta:
    return sum((stay.length for stay in stays), timedelta())


def _minutes(span: timedelta) -> int:
    return round(span.total_seconds() / 60)
