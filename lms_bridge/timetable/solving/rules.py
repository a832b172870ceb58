"""The rules of a timetable problem as bounds on sums, each bound belonging to one named rule.

A timetable is a choice of 0 or 1 for each pair (course, slot). Every hard rule is a set of bounds on sums of such
pairs and of numbers that follow from them (:class:`Helper`; see :mod:`lms_bridge.timetable.solving.shape_rules`). The
solver adds all of them; the search for conflicts adds them one rule at a time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from lms_bridge.timetable.solving.problem import Course, Problem, Rule, RuleKind, Slot

Pair = tuple[str, Slot]
HelperName = tuple[str, str, Slot, int]
"""What a helper says (its kind), of whom, from which slot, and a number that tells it from others of its kind."""
Variable = Pair | HelperName


@dataclass(frozen=True, slots=True)
class Helper:
    """A number that follows from the chosen pairs: how many of ``pairs`` beyond ``spare`` are chosen, 0 if any of
    ``without`` is, and ``most`` at most."""

    name: HelperName
    pairs: tuple[Pair, ...]
    spare: int = 0
    most: int = 1
    without: tuple[Pair, ...] = ()

    def value(self, chosen: Collection[Pair]) -> int:
        """The number for these chosen pairs."""
        if any(pair in chosen for pair in self.without):
            return 0
        return min(self.most, max(0, sum(pair in chosen for pair in self.pairs) - self.spare))


@dataclass(frozen=True, slots=True)
class Bound:
    """``low`` <= sum of the variables in ``pairs`` less those in ``minus`` <= ``high``; None leaves a side open."""

    rule: Rule
    pairs: tuple[Variable, ...]
    low: int | None = None
    high: int | None = None
    minus: tuple[Variable, ...] = ()

    def breakable(self) -> bool:
        """Whether any choice can break it."""
        return bool(self.low or self.minus) or (self.high is not None and len(self.pairs) > self.high)


def days_of(slots: Iterable[Slot]) -> dict[int, tuple[Slot, ...]]:
    """The slots of each day in order of time."""
    days: dict[int, list[Slot]] = {}
    for slot in sorted(slots):
        days.setdefault(slot.day, []).append(slot)
    return {day: tuple(found) for day, found in days.items()}


def courses_by_class(problem: Problem) -> dict[str, tuple[Course, ...]]:
    """The courses of each class."""
    return _grouped(problem.courses, "classes")


def courses_by_teacher(problem: Problem) -> dict[str, tuple[Course, ...]]:
    """The courses of each teacher."""
    return _grouped(problem.courses, "teachers")


def part_of(problem: Problem, courses: Iterable[Course]) -> Problem:
    """The problem of these courses alone, without the rooms, which are a matter of all of them."""
    return replace(problem, courses=tuple(courses), room_limit=None, pools={})


def closed_by(problem: Problem, course: Course) -> dict[Rule, frozenset[Slot]]:
    """The slots of the problem that each rule closes for ``course``; rules that close none are left out."""
    grid = frozenset(problem.slots)
    closed = {
        Rule(RuleKind.GRID, course.key): grid - course.slots if course.slots is not None else frozenset(),
        Rule(RuleKind.FORBIDDEN, course.key): course.forbidden & grid,
    }
    for key in course.classes:
        closed[Rule(RuleKind.CLASS_UNAVAILABLE, key)] = problem.class_unavailable.get(key, frozenset()) & grid
        closed[Rule(RuleKind.CLASS_BUSY, key)] = problem.class_busy.get(key, frozenset()) & grid
    for key in course.teachers:
        closed[Rule(RuleKind.TEACHER_UNAVAILABLE, key)] = problem.unavailable.get(key, frozenset()) & grid
        closed[Rule(RuleKind.TEACHER_BUSY, key)] = problem.teacher_busy.get(key, frozenset()) & grid
    return {rule: slots for rule, slots in closed.items() if slots}


def open_slots(problem: Problem, course: Course) -> tuple[Slot, ...]:
    """The slots that no rule closes for ``course``, in order of time."""
    closed = frozenset().union(*closed_by(problem, course).values())
    return tuple(slot for slot in sorted(set(problem.slots)) if slot not in closed)


def course_days(problem: Problem, course: Course) -> dict[int, tuple[Slot, ...]]:
    """The slots of the course's own period grid by day, whether or not another rule closes them."""
    return days_of(slot for slot in set(problem.slots) if course.slots is None or slot in course.slots)


def class_days(problem: Problem, key: str, courses: Iterable[Course]) -> dict[int, tuple[Slot, ...]]:
    """The slots in which class ``key`` with these ``courses`` may have lessons, by day."""
    own = {slot for course in courses for slots in course_days(problem, course).values() for slot in slots}
    closed = problem.class_busy.get(key, frozenset()) | problem.class_unavailable.get(key, frozenset())
    return days_of(own - closed)


def sum_bounds(problem: Problem) -> Iterator[Bound]:
    """The bounds of all rules that are sums of pairs and need no helpers."""
    yield from _course_bounds(problem)
    yield from _class_bounds(problem)
    yield from _teacher_bounds(problem)
    yield from _room_bounds(problem)


def _course_bounds(problem: Problem) -> Iterator[Bound]:
    grid = tuple(sorted(set(problem.slots)))
    days = days_of(grid)
    for course in problem.courses:
        pairs = _pairs((course,), grid)
        low = None if course.may_drop else course.periods
        yield Bound(Rule(RuleKind.PERIODS, course.key), pairs, low=low, high=course.periods)
        for slot in course.fixed:
            yield Bound(Rule(RuleKind.FIXED, course.key), _pairs((course,), (slot,)), low=1)
        for slots in days.values():
            rule = Rule(RuleKind.MAX_PER_DAY, course.key)
            yield Bound(rule, _pairs((course,), slots), high=course.max_per_day)
        for rule, closed in closed_by(problem, course).items():
            yield Bound(rule, _pairs((course,), sorted(closed)), high=0)


def _class_bounds(problem: Problem) -> Iterator[Bound]:
    grid = tuple(sorted(set(problem.slots)))
    days = days_of(grid)
    for key, courses in courses_by_class(problem).items():
        yield from _person(problem, key, courses, RuleKind.CLASS_ONCE, RuleKind.CLASS_PER_DAY)
        online = tuple(course for course in courses if course.online)
        limit = problem.max_online_per_day.get(key)
        if limit is not None:
            for slots in days.values():
                yield Bound(Rule(RuleKind.ONLINE_PER_DAY, key), _pairs(online, slots), high=limit)
        run = problem.max_online_run.get(key)
        if run is not None:
            for slots in neighbours(grid, run + 1):
                yield Bound(Rule(RuleKind.ONLINE_RUN, key), _pairs(online, slots), high=run)


def _teacher_bounds(problem: Problem) -> Iterator[Bound]:
    for key, courses in courses_by_teacher(problem).items():
        yield from _person(problem, key, courses, RuleKind.TEACHER_ONCE, RuleKind.TEACHER_PER_DAY)


def _person(
    problem: Problem, key: str, courses: tuple[Course, ...], once: RuleKind, per_day: RuleKind
) -> Iterator[Bound]:
    """One lesson at a time, and not more a day than allowed."""
    grid = tuple(sorted(set(problem.slots)))
    for slots in at_once(problem, grid, courses):
        yield Bound(Rule(once, key), _pairs(courses, slots), high=1)
    limit = problem.max_per_day.get(key)
    if limit is not None:
        for slots in days_of(grid).values():
            yield Bound(Rule(per_day, key), _pairs(courses, slots), high=limit)


def _room_bounds(problem: Problem) -> Iterator[Bound]:
    online = tuple(course for course in problem.courses if course.online)
    grid = tuple(sorted(set(problem.slots)))
    if problem.room_limit is not None:
        for slot in grid:
            yield Bound(Rule(RuleKind.ROOMS), _pairs(online, (slot,)), high=problem.room_limit)
    for key, pool in problem.pools.items():
        own = tuple(course for course in online if pool.takes(key, course))
        for slots in at_once(problem, grid, own):
            yield Bound(Rule(RuleKind.POOL, key), _pairs(own, slots), high=pool.places(slots))


def at_once(problem: Problem, grid: Sequence[Slot], courses: Iterable[Course]) -> Iterator[tuple[Slot, ...]]:
    """Sets of slots that share a moment: each slot by itself, and those of different clocks that overlap where these
    courses have more than one clock."""
    yield from ((slot,) for slot in grid)
    if problem.overlapping:
        clocks = {slot.clock for course in courses for slot in (grid if course.slots is None else course.slots)}
        for slots in problem.overlapping:
            own = tuple(slot for slot in slots if slot.clock in clocks)
            if len({slot.clock for slot in own}) > 1:
                yield own


def neighbours(slots: Iterable[Slot], count: int) -> Iterator[tuple[Slot, ...]]:
    """Every ``count`` slots of ``slots`` that follow each other on one day with no period between them."""
    known = set(slots)
    for first in sorted(known):
        run = tuple(first.later(step) for step in range(count))
        if known.issuperset(run):
            yield run


def _pairs(courses: Iterable[Course], slots: Iterable[Slot]) -> tuple[Pair, ...]:
    slots = tuple(slots)
    return tuple((course.key, slot) for course in courses for slot in slots)


def _grouped(courses: Iterable[Course], attribute: str) -> dict[str, tuple[Course, ...]]:
    groups: dict[str, list[Course]] = {}
    for course in courses:
        for key in dict.fromkeys(getattr(course, attribute)):
            groups.setdefault(key, []).append(course)
    return {key: tuple(found) for key, found in groups.items()}
