"""How many online lessons a campus can hold at once: what its video systems hold (the package of lessons, which knows
them, says it), less what is lost for some days.

The campuses that share an account share its rooms: what the others use at a time is not free for this one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa

from lms_bridge.core.clock import local
from lms_bridge.core.database import db
from lms_bridge.roster.models import Organisation
from lms_bridge.timetable.inputs.models import LostRooms
from lms_bridge.timetable.solving.problem import Pool, Slot
from lms_bridge.timetable.weeks.slots import SlotTime

POOL = "rooms"
"""The key of a campus's rooms."""

ANY_NUMBER = 1_000_000
"""The rooms in slots for which no limit is known, beside others that have one."""


@dataclass(frozen=True, slots=True)
class Rooms:
    """The rooms of a campus: how many at once, and the times in which lessons of other campuses hold one of them."""

    limit: int
    taken: tuple[tuple[datetime, datetime], ...] = ()


RoomsOf = Callable[[Organisation, datetime, datetime], Rooms | None]

_known: RoomsOf | None = None


def register_rooms(rooms: RoomsOf) -> None:
    """``rooms(campus, start, end)`` says what rooms a campus has in a span of time; None: no limit is known."""
    global _known
    _known = rooms


def _rooms_of(campus: Organisation, start: datetime, end: datetime) -> Rooms | None:
    """The rooms of the accounts of a campus between two moments; None: no limit is known."""
    return _known(campus, start, end) if _known is not None else None


@dataclass(frozen=True)
class RoomsLeft:
    """``spans``: days (both ends included) on which at most so many online lessons may run at once; ``rooms``: those
    of the campus's accounts, with what other campuses use of them."""

    spans: Sequence[tuple[date, date, int]] = ()
    rooms: Rooms | None = None

    @property
    def limited(self) -> bool:
        """Whether rooms are counted at all."""
        return bool(self.spans) or self.rooms is not None

    def at(self, day: date, starts_at: datetime, ends_at: datetime) -> int | None:
        """How many online lessons of the campus may run at once between two moments of a day; None: any number."""
        found = [rooms for first, last, rooms in self.spans if first <= day <= last]
        if self.rooms is not None:
            taken = sum(start < ends_at and starts_at < end for start, end in self.rooms.taken)
            found.append(max(self.rooms.limit - taken, 0))
        return min(found, default=None)

    def pool(
        self,
        times: Iterable[SlotTime],
        held: Collection[tuple[datetime, datetime]] = (),
        standing: Mapping[Slot, int] | None = None,
    ) -> Pool | None:
        """The rooms as the solver counts them, slot by slot; None: they are not counted at these times. ``held``: the
        times of own online lessons that stay, which each keep a room. ``standing``: so many lessons of a slot may stay
        at least, though there are fewer rooms by now."""
        counted: dict[Slot, int] = {}
        for time in dict.fromkeys(time for time in times if time.online):
            rooms = self.at(time.day, time.starts_at, time.ends_at)
            if rooms is None:
                continue
            left = max(rooms - sum(time.overlaps(*span) for span in held), (standing or {}).get(time.slot, 0), 0)
            counted[time.slot] = min(left, counted.get(time.slot, left))
        if not counted:
            return None
        return Pool(self.rooms.limit if self.rooms is not None else ANY_NUMBER, dict(sorted(counted.items())))


def rooms_left(campus: Organisation, start: datetime, end: datetime) -> RoomsLeft:
    """How many rooms a campus has between two moments (aware UTC), less what is lost: the one answer for weeks that are
    solved, for cases and for lessons that are moved by hand."""
    first, last = local(start, campus.zone).date(), local(end, campus.zone).date()
    rows = db.session.scalars(
        sa.select(LostRooms)
        .where(LostRooms.campus_id == campus.id, LostRooms.first_day <= last, LostRooms.last_day >= first)
        .order_by(LostRooms.id)
    )
    return RoomsLeft(tuple((row.first_day, row.last_day, row.rooms) for row in rows), _rooms_of(campus, start, end))
