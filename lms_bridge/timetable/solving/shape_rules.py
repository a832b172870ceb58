"""Rules about how the lessons of courses lie to each other: double periods, days apart, order, the same slots.

A sum of pairs cannot say these, so each has helpers: numbers that follow from the pairs (:class:`Helper`). The bounds
of a rule tie its helpers to the pairs, so that a rule taken alone means the same as among all others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from lms_bridge.timetable.solving.problem import Course, Problem, Rule, RuleKind, Slot, joined
from lms_bridge.timetable.solving.rules import Bound, Helper, HelperName, Pair, days_of, neighbours


def shape_helpers(problem: Problem) -> Iterator[Helper]:
    """The helpers of all these rules, each once."""
    grid = tuple(sorted(set(problem.slots)))
    for course in problem.courses:
        yield from _runs(course, grid)
    present = {course.key for course in problem.courses}
    for key in dict.fromkeys(key for pair in _present(problem.not_same_day, present) for key in pair):
        for slots in days_of(grid).values():
            yield Helper(_on(key, slots[0]), tuple((key, slot) for slot in slots))
    for key in dict.fromkeys(pair[1] for pair in _present(problem.in_order, present)):
        for slots in days_of(grid).values():
            for number, slot in enumerate(slots):
                yield Helper(_begun(key, slot), tuple((key, earlier) for earlier in slots[: number + 1]))


def shape_bounds(problem: Problem) -> Iterator[Bound]:
    """The bounds of all these rules."""
    grid = tuple(sorted(set(problem.slots)))
    present = {course.key for course in problem.courses}
    for course in problem.courses:
        if course.blocks:
            yield from _block_bounds(course, grid)
    for one, other in _present(problem.not_same_day, present):
        rule = Rule(RuleKind.NOT_SAME_DAY, joined((one, other)))
        for slots in days_of(grid).values():
            for key in (one, other):
                for slot in slots:
                    yield Bound(rule, ((key, slot),), high=0, minus=(_on(key, slots[0]),))
            yield Bound(rule, (_on(one, slots[0]), _on(other, slots[0])), high=1)
    for one, other in _present(problem.in_order, present):
        rule = Rule(RuleKind.IN_ORDER, joined((one, other)))
        for slots in days_of(grid).values():
            for number, slot in enumerate(slots):
                begun = _begun(other, slot)
                yield Bound(rule, ((other, slot),), high=0, minus=(begun,))
                if number:
                    yield Bound(rule, (_begun(other, slots[number - 1]),), high=0, minus=(begun,))
                yield Bound(rule, ((one, slot), begun), high=1)
    for group in problem.parallel:
        keys = [key for key in group if key in present]
        for key in keys[1:]:
            for slot in grid:
                same = Rule(RuleKind.PARALLEL, joined(group))
                yield Bound(same, ((keys[0], slot),), low=0, high=0, minus=((key, slot),))


def _runs(course: Course, grid: tuple[Slot, ...]) -> Iterator[Helper]:
    known = set(grid)
    for length in sorted(set(course.blocks)):
        for slots in neighbours(grid, length):
            beside = (_before(slots[0]), _after(slots[-1]))
            yield Helper(
                _run(course.key, slots[0], length),
                tuple((course.key, slot) for slot in slots),
                spare=length - 1,
                without=tuple((course.key, slot) for slot in beside if slot in known),
            )


def _block_bounds(course: Course, grid: tuple[Slot, ...]) -> Iterator[Bound]:
    """Every lesson lies in one run, runs do not touch, and of each length there are no more than asked for; that they
    are all there follows from the number of periods."""
    rule = Rule(RuleKind.BLOCKS, course.key)
    covering: dict[Slot, list[HelperName]] = {slot: [] for slot in grid}
    starting: dict[Slot, list[HelperName]] = {slot: [] for slot in grid}
    ending: dict[Slot, list[HelperName]] = {slot: [] for slot in grid}
    for length, count in sorted(Counter(course.blocks).items()):
        names = []
        for slots in neighbours(grid, length):
            name = _run(course.key, slots[0], length)
            names.append(name)
            starting[slots[0]].append(name)
            ending[slots[-1]].append(name)
            for slot in slots:
                covering[slot].append(name)
        yield Bound(rule, tuple(names), high=count)
    for slot in grid:
        pair: Pair = (course.key, slot)
        yield Bound(rule, (pair,), low=0, high=0, minus=tuple(covering[slot]))
        following = starting.get(_after(slot), [])
        yield Bound(rule, (*ending[slot], *following), high=1)


def _present(pairs: tuple[tuple[str, str], ...], present: set[str]) -> Iterator[tuple[str, str]]:
    """The pairs of which both courses are there, each once."""
    yield from dict.fromkeys(pair for pair in pairs if present.issuperset(pair) and pair[0] != pair[1])


def _run(key: str, first: Slot, length: int) -> HelperName:
    return ("run", key, first, length)


def _on(key: str, first: Slot) -> HelperName:
    return ("on", key, first, 0)


def _begun(key: str, slot: Slot) -> HelperName:
    return ("begun", key, slot, 0)


def _before(slot: Slot) -> Slot:
    return slot.later(-1)


def _after(slot: Slot) -> Slot:
    return slot.later(1)
