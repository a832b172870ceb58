"""A placing problem in plain values: units, the resources they hold, and rules about them.

It knows nothing of where the problem comes from. :func:`lms_bridge.timetable.engine.compiling.compile_board` turns it
into the arrays of the search. Slots are ``day * hours + hour``; probabilities are out of
:data:`~lms_bridge.timetable.engine.arrays.SURE`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from lms_bridge.timetable.engine.arrays import FREE, SURE, UNLIMITED


@dataclass(frozen=True, slots=True)
class Hold:
    """A unit has a resource for so many hours from its start; ``ends``: nothing may follow on that day."""

    resource: int
    hours: int
    ends: bool = False


@dataclass(frozen=True, slots=True)
class Need:
    """One room out of ``choices`` (resource, probability that it is refused) for so many hours.

    ``none`` is the probability that going without a room is refused. ``activity`` says for whom the room is.
    """

    activity: int
    hours: int
    choices: tuple[tuple[int, int], ...]
    none: int = SURE


@dataclass(slots=True)
class Unit:
    """One or more activities that start together. ``starts`` are (slot, probability that it is refused)."""

    activities: tuple[int, ...]
    duration: int
    starts: list[tuple[int, int]] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    needs: list[Need] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one resource's week; the defaults limit nothing.

    ``late`` is the number of days that may begin at the second open hour (-1: begin when you like); ``run`` the most
    hours without a break; ``interval`` has the bits of hours that may be used on ``interval_days`` days only.
    """

    max_day: int = UNLIMITED
    min_day: int = 0
    empty_ok: bool = True
    gaps_week: int = UNLIMITED
    gaps_day: int = UNLIMITED
    late: int = -1
    max_days: int = UNLIMITED
    min_days: int = 0
    span: int = UNLIMITED
    run: int = UNLIMITED
    interval: int = 0
    interval_days: int = UNLIMITED
    check: int = SURE

    def merged(self, other: Limits) -> Limits | None:
        """Both limits as one, or None where that cannot be said in one."""
        if self.check != other.check or (self.check != SURE):
            return None
        if self.interval and other.interval:
            return None
        if self.min_day and other.min_day and self.empty_ok != other.empty_ok:
            return None
        late = min(self.late, other.late) if min(self.late, other.late) >= 0 else max(self.late, other.late)
        return replace(
            self,
            max_day=min(self.max_day, other.max_day),
            min_day=max(self.min_day, other.min_day),
            empty_ok=self.empty_ok and other.empty_ok,
            gaps_week=min(self.gaps_week, other.gaps_week),
            gaps_day=min(self.gaps_day, other.gaps_day),
            late=late,
            max_days=min(self.max_days, other.max_days),
            min_days=max(self.min_days, other.min_days),
            span=min(self.span, other.span),
            run=min(self.run, other.run),
            interval=self.interval | other.interval,
            interval_days=min(self.interval_days, other.interval_days),
        )


@dataclass(slots=True)
class Resource:
    """Something that one unit at a time can have. ``open`` has the bits of its open hours on each day."""

    name: str
    open: list[int]
    limits: list[Limits] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Pair:
    """A rule about two units; ``kind`` and ``amount`` as in the arrays, seen from the first unit."""

    first: int
    second: int
    kind: int
    amount: int = 0
    first_hours: int = 1
    second_hours: int = 1
    check: int = SURE


@dataclass(frozen=True, slots=True)
class SlotGroup:
    """A rule about how units (with their hours) use selected slots."""

    kind: int
    most: int
    slots: frozenset[int]
    members: tuple[tuple[int, int], ...]
    check: int = SURE


@dataclass(slots=True)
class PlacingProblem:
    """Everything that the search is given. ``pauses`` has the bits of hours without lessons on each day."""

    days: int
    hours: int
    pauses: list[int]
    units: list[Unit] = field(default_factory=list)
    resources: list[Resource] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    groups: list[SlotGroup] = field(default_factory=list)


NOT_PLACED = FREE
