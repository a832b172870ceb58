"""How many online lessons a campus can hold at once; the package of lessons, which knows the video systems, says it.

The campuses that share an account share its rooms: what the others use at a time is not free for this one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import Protocol

from lms_bridge.roster.models import Organisation
from lms_bridge.timetable.models import Lesson, LessonMode
from lms_bridge.timetable.solving.problem import Pool, Slot
from lms_bridge.timetable.weeks.slots import SlotTime

POOL = "rooms"
"""The key of a campus's rooms."""

MOST_COMBINED = 5
"""Of no more campuses than this all combinations are counted."""


@dataclass(frozen=True, slots=True)
class Rooms:
    """The rooms of some campuses: how many at once, the times in which lessons of other campuses hold one of them, and
    the ids of the accounts that they belong to."""

    limit: int
    taken: tuple[tuple[datetime, datetime], ...] = ()
    accounts: frozenset[int] = frozenset()


class RoomsOf(Protocol):
    """Says what rooms campuses have in a span of time; None: no limit is known. Lessons that are ``moving`` (by id)
    hold none."""

    def __call__(
        self, campuses: Sequence[Organisation], start: datetime, end: datetime, moving: Collection[int] = ()
    ) -> Rooms | None:
        """The rooms of all accounts that serve any of the campuses."""


_known: RoomsOf | None = None


def register_rooms(rooms: RoomsOf) -> None:
    """``rooms`` knows the accounts of the video systems."""
    global _known
    _known = rooms


def rooms_of(
    campuses: Sequence[Organisation], start: datetime, end: datetime, moving: Collection[int] = ()
) -> Rooms | None:
    """The rooms that campuses have together between two moments (aware UTC), apart from lessons that are ``moving``;
    None: no limit is known."""
    return _known(campuses, start, end, moving) if _known is not None else None


@dataclass(frozen=True)
class Share:
    """One campus of a week that is being solved: the times of its slots, and its lessons that are ``kept``. ``pool`` is
    the key of its rooms."""

    campus: Organisation
    times: Sequence[SlotTime]
    kept: Sequence[Lesson] = ()
    moving: frozenset[int] = frozenset()
    pool: str = POOL


def pools(shares: Sequence[Share]) -> dict[str, Pool]:
    """The rooms of campuses as the solver counts them, slot by slot, without those of lessons that stay where they are:
    of each campus alone, and of those that share accounts together. A campus without a limit has none."""
    times = [time for share in shares for time in share.times]
    if not times:
        return {}
    start, end = min(time.starts_at for time in times), max(time.ends_at for time in times)
    alone = {share.pool: rooms_of([share.campus], start, end) for share in shares}
    accounts = {key: rooms.accounts for key, rooms in alone.items() if rooms is not None}
    limited = [share for share in shares if share.pool in accounts]
    moving = frozenset(lesson for share in limited for lesson in share.moving)
    found: dict[frozenset[str], Pool] = {}
    for group in _groups(accounts):
        own = [share for share in limited if share.pool in group]
        rooms = rooms_of([share.campus for share in own], start, end, moving)
        assert rooms is not None
        stay = [(x.starts_at, x.ends_at) for share in own for x in share.kept if x.mode is LessonMode.ONLINE]
        full = Rooms(rooms.limit, (*rooms.taken, *stay))
        left = _left(full, [time for share in own for time in share.times])
        found[group] = Pool(rooms.limit, left, tuple(share.pool for share in own) if len(own) > 1 else ())
    # Where more campuses have no more rooms together, what they have together says it all.
    needed = {
        group: pool
        for group, pool in found.items()
        if not any(group < other and found[other].limit <= pool.limit for other in found)
    }
    return {"+".join(sorted(group)): pool for group, pool in needed.items()}


def _groups(accounts: Mapping[str, frozenset[int]]) -> list[frozenset[str]]:
    """The sets of campuses (by the keys of their rooms) that have to be counted together: each alone, and those tied
    to each other by shared accounts; of many campuses only all that one account serves, and all that are tied."""
    keys = sorted(accounts)
    found = {frozenset((key,)) for key in keys}
    if len(keys) <= MOST_COMBINED:
        found |= {frozenset(some) for count in range(2, len(keys) + 1) for some in combinations(keys, count)}
    else:
        for account in {one for own in accounts.values() for one in own}:
            found.add(frozenset(key for key in keys if account in accounts[key]))
        found |= {_tied(key, keys, accounts) for key in keys}
    return sorted((group for group in found if _tied(min(group), sorted(group), accounts) == group), key=sorted)


def _tied(first: str, keys: Sequence[str], accounts: Mapping[str, frozenset[int]]) -> frozenset[str]:
    """Those of ``keys`` that share accounts with ``first``, or with one that does."""
    found, reached = {first}, accounts[first]
    while more := {key for key in keys if key not in found and accounts[key] & reached}:
        found |= more
        reached = reached.union(*(accounts[key] for key in more))
    return frozenset(found)


def _left(rooms: Rooms, times: Iterable[SlotTime]) -> dict[Slot, int]:
    used: Counter[Slot] = Counter()
    for starts_at, ends_at in rooms.taken:
        used.update({time.slot for time in times if time.overlaps(starts_at, ends_at)})
    return {slot: max(rooms.limit - count, 0) for slot, count in sorted(used.items())}
