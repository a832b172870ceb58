"""What a timetable costs by the wishes of :class:`Weights`; the numbers that people see beside a proposal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from lms_bridge.timetable.solving.problem import Course, Problem, Slot, Weights
from lms_bridge.timetable.solving.rules import class_days, course_days, courses_by_class, courses_by_teacher, days_of

Slots = Mapping[str, Collection[Slot]]
"""The slots of each course by its key."""


class WishCost(NamedTuple):
    """What one wish costs for one course, class or pair of people: ``units`` as in :class:`Weights`, weighted."""

    wish: str
    key: str
    units: int
    cost: int


class Wishes:
    """The wishes of one problem; what does not depend on a timetable is worked out once.

    ``kept``: the slots of each course in the timetable in force, and ``keep`` how many of its lessons could stay.
    ``rank``: how many slots of its day and clock come before a slot. ``course_fair``: the fewest periods of a course
    on its fullest day. ``class_fair``: the average number of periods a day of a class, rounded up. ``apart``: for each
    wish of that kind the online courses of the one and of the other that they do not have in common.
    """

    def __init__(self, problem: Problem) -> None:
        self.courses = {course.key: course for course in problem.courses}
        self.by_class = courses_by_class(problem)
        self.rank = _ranks(problem.slots)
        self.kept = {course.key: frozenset(problem.hint.get(course.key, ())) for course in problem.courses}
        self.keep = {course.key: min(course.periods, len(self.kept[course.key])) for course in problem.courses}
        self.course_days = {course.key: course_days(problem, course) for course in problem.courses}
        self.course_fair = {
            course.key: max(1, max(course.blocks, default=1), _per_day(course.periods, self.course_days[course.key]))
            for course in problem.courses
        }
        self.class_days = {key: class_days(problem, key, courses) for key, courses in self.by_class.items()}
        self.class_fair = {
            key: _per_day(sum(course.periods for course in courses), self.class_days[key])
            for key, courses in self.by_class.items()
        }
        self.apart = list(_apart(problem, self.by_class))

    def costs(self, placed: Slots, weights: Weights) -> dict[str, int]:
        """The weighted cost of each wish that has a weight, by its name."""
        found = {name: 0 for name in NAMES if getattr(weights, name)}
        for item in self.items(placed, weights):
            found[item.wish] += item.cost
        return found

    def items(self, placed: Slots, weights: Weights) -> Iterator[WishCost]:
        """Every cost that is not 0, wish by wish for each course, class or pair of people that has it."""
        for wish, key, units in self._units(placed):
            cost = units * getattr(weights, wish)
            if cost:
                yield WishCost(wish, key, units, cost)

    def _units(self, placed: Slots) -> Iterator[tuple[str, str, int]]:
        for key, course in self.courses.items():
            slots = placed.get(key, ())
            staying = len(self.kept[key].intersection(slots))
            yield "moved", key, course.people * (self.keep[key] - min(self.keep[key], staying))
            days = Counter(slot.day for slot in slots)
            yield "same_day", key, sum(max(0, count - self.course_fair[key]) for count in days.values())
            yield "late", key, sum(self.rank[slot] for slot in slots)
            if course.preferred is not None:
                yield "preferred", key, sum(slot not in course.preferred for slot in slots)
            if course.may_drop:
                yield "dropped", key, max(0, course.periods - len(slots))
        for key, courses in self.by_class.items():
            used = {slot for course in courses for slot in placed.get(course.key, ())}
            uneven = gaps = 0
            for slots in self.class_days[key].values():
                taken = [index for index, slot in enumerate(slots) if slot in used]
                uneven += max(0, len(taken) - self.class_fair[key])
                gaps += taken[-1] + 1 - len(taken) if taken else 0
            yield "uneven", key, uneven
            yield "gap", key, gaps
        for wish in self.apart:
            one = {slot for key in wish.one for slot in placed.get(key, ())}
            other = {slot for key in wish.other for slot in placed.get(key, ())}
            yield "apart", wish.name, wish.weight * len(one & other)


NAMES = ("moved", "same_day", "uneven", "gap", "late", "preferred", "apart", "dropped")


class ApartCourses(NamedTuple):
    """The keys of the courses that are wished not to be at once, and what each time costs."""

    name: str
    one: tuple[str, ...]
    other: tuple[str, ...]
    weight: int


def _apart(problem: Problem, by_class: Mapping[str, tuple[Course, ...]]) -> Iterator[ApartCourses]:
    by_teacher = courses_by_teacher(problem)

    def online(key: str) -> tuple[str, ...]:
        courses = (*by_class.get(key, ()), *by_teacher.get(key, ()))
        return tuple(dict.fromkeys(course.key for course in courses if course.online))

    for wish in problem.apart:
        one, other = online(wish.one), online(wish.other)
        # A lesson that both have is no clash: they sit in it together.
        ones = tuple(key for key in one if key not in other)
        others = tuple(key for key in other if key not in one)
        if ones and others:
            yield ApartCourses(f"{wish.one} + {wish.other}", ones, others, wish.weight)


def _ranks(slots: Iterable[Slot]) -> dict[Slot, int]:
    """How many slots of its day and clock come before each slot."""
    clocks: dict[int, set[Slot]] = {}
    for slot in slots:
        clocks.setdefault(slot.clock, set()).add(slot)
    days = [slots for own in clocks.values() for slots in days_of(own).values()]
    return {slot: rank for slots in days for rank, slot in enumerate(slots)}


def _per_day(periods: int, days: Collection[int]) -> int:
    return -(-periods // max(1, len(days)))
