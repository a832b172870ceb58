"""Campuses whose bells ring at other times, in one problem: which have slots in common, and which slots share a moment.
Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import product

from lms_bridge.timetable.solving.problem import Slot
from lms_bridge.timetable.weeks.slots import SlotTime

Span = tuple[datetime, datetime]
Bells = Mapping[Slot, frozenset[Span]]
"""When each slot is: more than one time where the grades of a campus have grids of their own."""


def bells_of(times: Iterable[SlotTime]) -> Bells:
    """When the slots of a campus are."""
    found: defaultdict[Slot, set[Span]] = defaultdict(set)
    for time in times:
        found[time.slot].add((time.starts_at, time.ends_at))
    return {slot: frozenset(spans) for slot, spans in found.items()}


def clocks(campuses: Sequence[Bells]) -> list[int]:
    """The clock of each campus. Campuses have one in common where a slot means the same time at all of them."""
    known: list[dict[Slot, frozenset[Span]]] = []
    found: list[int] = []
    for own in campuses:
        number = next((n for n, bells in enumerate(known) if _agree(bells, own)), len(known))
        if number == len(known):
            known.append({})
        for slot, spans in own.items():
            known[number][slot] = known[number].get(slot, frozenset()) | spans
        found.append(number)
    return found


def _agree(bells: Bells, own: Bells) -> bool:
    common = bells.keys() & own.keys()
    if not all(bells[slot] <= own[slot] or own[slot] <= bells[slot] for slot in common):
        return False
    apart = [(mine, theirs) for mine in own.items() for theirs in bells.items() if mine[0] != theirs[0]]
    return not any(_overlap(one, other) for (_, mine), (_, theirs) in apart for one in mine for other in theirs)


def _overlap(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def overlapping(bells: Iterable[Bells]) -> tuple[tuple[Slot, ...], ...]:
    """The largest sets of slots of different clocks, one of each, that all share a moment by the clock on the wall."""
    spans = [(span, slot) for own in bells for slot, all_spans in own.items() for span in all_spans]
    found: set[frozenset[Slot]] = set()
    for moment in {span[0] for span, _ in spans}:
        by_clock: defaultdict[int, set[Slot]] = defaultdict(set)
        for (starts_at, ends_at), slot in spans:
            if starts_at <= moment < ends_at:
                by_clock[slot.clock].add(slot)
        if len(by_clock) > 1:
            found |= {frozenset(some) for some in product(*by_clock.values())}
    largest = [some for some in found if not any(some < other for other in found)]
    return tuple(sorted(tuple(sorted(some)) for some in largest))
