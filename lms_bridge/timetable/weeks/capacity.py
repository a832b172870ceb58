"""How many online lessons a campus can hold at once: what its video systems hold (the package of lessons, which knows
them, says it), less what is lost for some days.

The campuses that share an account share its rooms: what the others use at a time is not free for this one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import combinations
from typing import Protocol

import sqlalchemy as sa

from lms_bridge.core.clock import local
from lms_bridge.core.database import db
from lms_bridge.roster.models import Organisation
from lms_bridge.timetable.inputs.models import LostRooms
from lms_bridge.timetable.models import Lesson, LessonMode
from lms_bridge.timetable.solving.problem import Pool, Slot
from lms_bridge.timetable.weeks.slots import SlotTime

POOL = "rooms"
"""The key of a campus's rooms."""

MOST_COMBINED = 5
"""Of no more campuses than this all combinations are counted."""

ANY_NUMBER = 1_000_000
"""The rooms in slots for which no limit is known, beside others that have one."""


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
    """The rooms of the accounts of some campuses between two moments, apart from lessons that are ``moving``; None: no
    limit is known."""
    return _known(campuses, start, end, moving) if _known is not None else None


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


def rooms_left(campus: Organisation, start: datetime, end: datetime, moving: Collection[int] = ()) -> RoomsLeft:
    """How many rooms a campus has between two moments (aware UTC), less what is lost: the one answer for weeks that are
    solved, for cases and for lessons that are moved by hand. Lessons that are ``moving`` (by id) hold none."""
    first, last = local(start, campus.zone).date(), local(end, campus.zone).date()
    rows = db.session.scalars(
        sa.select(LostRooms)
        .where(LostRooms.campus_id == campus.id, LostRooms.first_day <= last, LostRooms.last_day >= first)
        .order_by(LostRooms.id)
    )
    return RoomsLeft(
        tuple((row.first_day, row.last_day, row.rooms) for row in rows), rooms_of([campus], start, end, moving)
    )


@dataclass(frozen=True)
class Share:
    """One campus of a week that is being solved: the times of its slots, its lessons that are ``kept``, and the ids of
    those that are ``moving``. ``pool`` is the key of its rooms."""

    campus: Organisation
    times: Sequence[SlotTime]
    kept: Sequence[Lesson] = ()
    moving: frozenset[int] = frozenset()
    pool: str = POOL

    @property
    def held(self) -> list[tuple[datetime, datetime]]:
        """The times of its online lessons that stay."""
        return [(lesson.starts_at, lesson.ends_at) for lesson in self.kept if lesson.mode is LessonMode.ONLINE]


def pools(shares: Sequence[Share]) -> dict[str, Pool]:
    """The rooms of campuses as the solver counts them, slot by slot: of each campus alone, less what is lost there, and
    of those that share accounts together. Where no limit is known, there is none."""
    times = [time for share in shares for time in share.times]
    if not times:
        return {}
    start, end = min(time.starts_at for time in times), max(time.ends_at for time in times)
    known = {share.pool: rooms_of([share.campus], start, end) for share in shares}
    accounts = {key: rooms.accounts for key, rooms in known.items() if rooms is not None}
    # Where a campus has no limit, nobody knows which of its rooms its lessons will take: they keep what they hold.
    moving = frozenset(lesson for share in shares if share.pool in accounts for lesson in share.moving)
    alone = {share.pool: rooms_left(share.campus, start, end, moving) for share in shares}
    found: dict[frozenset[str], Pool] = {}
    for share in shares:
        pool = alone[share.pool].pool(share.times, share.held)
        if pool is not None:
            found[frozenset((share.pool,))] = pool
    for group in _groups(accounts):
        own = [share for share in shares if share.pool in group]
        left = RoomsLeft((), rooms_of([share.campus for share in own], start, end, moving))
        pool = left.pool([t for share in own for t in share.times], [span for share in own for span in share.held])
        if pool is not None:
            found[group] = replace(pool, of=tuple(share.pool for share in own))
    # Where more campuses have no more rooms together, what they have together says it all.
    implied = {
        group
        for group, pool in found.items()
        if not any(alone[key].spans for key in group)
        and any(group < other and found[other].limit <= pool.limit for other in found)
    }
    return {"+".join(sorted(group)): pool for group, pool in found.items() if group not in implied}


def _groups(accounts: Mapping[str, frozenset[int]]) -> list[frozenset[str]]:
    """The sets of campuses (by the keys of their rooms) that are tied to each other by shared accounts and have to be
    counted together; of many campuses only all that one account serves, and all that are tied."""
    keys = sorted(accounts)
    if len(keys) <= MOST_COMBINED:
        found = {frozenset(some) for count in range(2, len(keys) + 1) for some in combinations(keys, count)}
    else:
        every = {account for own in accounts.values() for account in own}
        found = {frozenset(key for key in keys if account in accounts[key]) for account in every}
        found |= {_tied(key, keys, accounts) for key in keys}
    return sorted((some for some in found if len(some) > 1 and _tied(min(some), some, accounts) == some), key=sorted)


def _tied(first: str, keys: Collection[str], accounts: Mapping[str, frozenset[int]]) -> frozenset[str]:
    """Those of ``keys`` that share accounts with ``first``, or with one that does."""
    found, reached = {first}, accounts[first]
    while more := {key for key in keys if key not in found and accounts[key] & reached}:
        found |= more
        reached = reached.union(*(accounts[key] for key in more))
    return frozenset(found)
