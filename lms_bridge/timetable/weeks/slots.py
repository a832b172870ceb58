"""The slots of a week: the periods of each class's grid on the days on which school is held, with their times."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from lms_bridge.calendar.days import OnlineDays, TeachingDay
from lms_bridge.calendar.grids import Grid, choose_grid
from lms_bridge.roster.models import ClassGroup
from lms_bridge.timetable.solving.problem import Slot


@dataclass(frozen=True, slots=True)
class SlotTime:
    """When a slot is for one class (aware UTC), and whether the class is taught online then."""

    slot: Slot
    day: date
    starts_at: datetime
    ends_at: datetime
    online: bool

    @property
    def minutes(self) -> int:
        """How long it lasts."""
        return int((self.ends_at - self.starts_at).total_seconds() // 60)

    def overlaps(self, starts_at: datetime, ends_at: datetime) -> bool:
        """Whether it shares a moment with that time."""
        return self.starts_at < ends_at and starts_at < self.ends_at


ClassSlots = Mapping[int, Mapping[Slot, SlotTime]]
"""By class id, the times of its slots."""


def wall_clock(day: date, at: time, zone: str) -> datetime:
    """The moment (aware UTC) at which the wall clock of ``zone`` shows ``at`` on ``day``."""
    return datetime.combine(day, at, ZoneInfo(zone)).astimezone(UTC)


def class_slots(
    classes: Iterable[ClassGroup],
    days: Sequence[TeachingDay],
    grids: Sequence[Grid],
    online: OnlineDays,
    zone: str,
) -> dict[int, dict[Slot, SlotTime]]:
    """The slots of each class on these days. A slot's day is that of the date; on a make-up day its periods are those
    of the weekday that the day stands in for."""
    found: dict[int, dict[Slot, SlotTime]] = {}
    for group in classes:
        own = found.setdefault(group.id, {})
        for day in days:
            is_online = online.is_online(group.id, day.day)
            grid = choose_grid(grids, group.grade, online=is_online, day=day.day)
            for period in grid.on(day.weekday) if grid is not None else ():
                slot = Slot(day.day.weekday(), period.number)
                own[slot] = SlotTime(
                    slot,
                    day.day,
                    wall_clock(day.day, period.starts, zone),
                    wall_clock(day.day, period.ends, zone),
                    is_online,
                )
    return found


def slots_during(times: Iterable[SlotTime], starts_at: datetime, ends_at: datetime) -> frozenset[Slot]:
    """The slots that share a moment with a time."""
    return frozenset(time.slot for time in times if time.overlaps(starts_at, ends_at))


def exact_slot(times: Mapping[Slot, SlotTime], starts_at: datetime, ends_at: datetime) -> Slot | None:
    """The slot with exactly these times."""
    return next((slot for slot, time in times.items() if (time.starts_at, time.ends_at) == (starts_at, ends_at)), None)
