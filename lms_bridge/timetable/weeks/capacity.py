"""How many online lessons a campus can hold at once; the package of lessons, which knows the video systems, says it.

The campuses that share an account share its rooms: what the others use at a time is not free for this one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from lms_bridge.roster.models import Organisation
from lms_bridge.timetable.models import Lesson, LessonMode
from lms_bridge.timetable.solving.problem import Pool, Slot
from lms_bridge.timetable.weeks.slots import SlotTime

POOL = "rooms"
"""The key of a campus's rooms."""


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


def rooms_of(campus: Organisation, start: datetime, end: datetime) -> Rooms | None:
    """The rooms of a campus between two moments (aware UTC); None: no limit is known."""
    return _known(campus, start, end) if _known is not None else None


def pool(campus: Organisation, times: Sequence[SlotTime], kept: Iterable[Lesson] = ()) -> Pool | None:
    """The rooms of a campus as the solver counts them, slot by slot, without those of lessons that are ``kept`` where
    they are; None: no limit."""
    if not times:
        return None
    rooms = rooms_of(campus, min(t.starts_at for t in times), max(t.ends_at for t in times))
    if rooms is None:
        return None
    own = tuple((x.starts_at, x.ends_at) for x in kept if x.mode is LessonMode.ONLINE)
    return Pool(rooms.limit, _left(Rooms(rooms.limit, rooms.taken + own), times))


def _left(rooms: Rooms, times: Iterable[SlotTime]) -> dict[Slot, int]:
    used: Counter[Slot] = Counter()
    for starts_at, ends_at in rooms.taken:
        used.update({time.slot for time in times if time.overlaps(starts_at, ends_at)})
    return {slot: max(rooms.limit - count, 0) for slot, count in sorted(used.items())}
