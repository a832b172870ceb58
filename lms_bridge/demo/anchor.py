"""Ties the demonstration's school day to the clock, so that at every hour of every day a lesson is there to join.

On a school day at a usual hour nothing is bent. At night the school day moves to the night, and on a Sunday the Sunday
becomes a make-up day, as Chinese schools have them: whoever looks finds a school at work.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

PERIODS = 6
BEFORE = 2
"""So many periods of the day are over when the demonstration begins, where the day has room for them."""
STEP = 40
"""Minutes from one period's start to the next."""
PRIMARY_MINUTES, MIDDLE_MINUTES = 20, 30
"""How long an online period lasts; the limits that the health commission advises (see ``calendar.limits``)."""
FIRST, LAST = 5, 23 * 60 + 25
"""Earliest and latest start of a period, in minutes after midnight."""


@dataclass(frozen=True)
class Anchor:
    """The demonstration's day. ``starts`` are minutes after midnight; ``current`` is the number (from 1) of the period
    that begins now; ``planned_at`` is the evening (aware UTC) on which the week was planned."""

    day: date
    zone: str
    starts: tuple[int, ...]
    current: int
    planned_at: datetime

    @property
    def make_up(self) -> bool:
        """Whether the day is a weekend day that must be made a school day."""
        return self.day.weekday() > 4

    @property
    def weekday(self) -> int:
        """The weekday whose timetable holds today."""
        return min(self.day.weekday(), 4)

    def times(self, minutes: int) -> list[tuple[time, time]]:
        """The periods of a day, each ``minutes`` long."""
        return [(_clock(start), _clock(start + minutes)) for start in self.starts]


def anchor_at(moment: datetime, zone: str) -> Anchor:
    """The anchor for a demonstration that begins at ``moment`` (aware): the current period began within the last five
    minutes, on a round time."""
    here = moment.astimezone(ZoneInfo(zone))
    now_minutes = here.hour * 60 + here.minute
    current = min(max(now_minutes - now_minutes % 5, FIRST), LAST)
    before = min(BEFORE, (current - FIRST) // STEP)
    after = min(PERIODS - 1 - before, (LAST - current) // STEP)
    before = min(PERIODS - 1 - after, (current - FIRST) // STEP)
    starts = tuple(current + STEP * n for n in range(-before, after + 1))
    monday = here.date() - timedelta(days=here.weekday())
    evening = datetime.combine(monday - timedelta(days=1), time(18), ZoneInfo(zone))
    return Anchor(here.date(), zone, starts, before + 1, evening.astimezone(UTC))


def _clock(minutes: int) -> time:
    return time(minutes // 60, minutes % 60)
