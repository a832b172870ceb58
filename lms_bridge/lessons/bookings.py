"""The rooms of an account over time: how many lessons hold one at once, and when that is most.

Who holds a room is read by :func:`lms_bridge.lessons.capacity.booked`; here it is only counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Booking:
    """A lesson that holds a room, or a host, of an account from one moment to another (excluded). ``roomless``: it is
    counted there, but no room could be made or no host was free."""

    lesson_id: int
    starts_at: datetime
    ends_at: datetime
    host: str | None = None
    roomless: bool = False

    def at(self, moment: datetime) -> bool:
        """Whether it holds it at ``moment``."""
        return self.starts_at <= moment < self.ends_at

    def within(self, start: datetime, end: datetime) -> bool:
        """Whether it holds it at some moment of ``[start, end)``."""
        return self.starts_at < end and self.ends_at > start


@dataclass(frozen=True, slots=True)
class Limit:
    """How much of an account can be taken at once; ``count`` none: no limit is known. ``hosts``: its hosts are what is
    short, held while doors are open; else its rooms, counted from the beginnings of lessons to their ends."""

    count: int | None
    hosts: bool = False

    def full(self, held: int) -> bool:
        """Whether nothing is left when so many are held."""
        return self.count is not None and held >= self.count

    def over(self, held: int) -> int:
        """By how many that is too many."""
        return max(held - self.count, 0) if self.count is not None else 0


@dataclass(frozen=True, slots=True)
class Peak:
    """The first time in a span, from ``starts_at`` to ``ends_at``, at which as many as ever in it hold a room."""

    count: int
    starts_at: datetime
    ends_at: datetime


def peak(bookings: Iterable[Booking], start: datetime, end: datetime) -> Peak:
    """When most of ``bookings`` hold a room between two moments, and how many; with none of them the whole span."""
    steps: dict[datetime, int] = {start: 0, end: 0}
    for one in bookings:
        if one.within(start, end):
            first, last = max(one.starts_at, start), min(one.ends_at, end)
            steps[first] = steps.get(first, 0) + 1
            steps[last] = steps.get(last, 0) - 1
    best, held = Peak(-1, start, end), 0
    moments = sorted(steps)
    for moment, following in pairwise(moments):
        held += steps[moment]
        if held > best.count:
            best = Peak(held, moment, following)
    return best
