"""The rules of a timetable problem as bounds on sums, each bound belonging to one named rule.

A timetable is a choice of 0 or 1 for each pair (course, slot). Every hard rule is a set of bounds on sums of such
pairs. The solver adds all of them; the search for conflicts adds them one rule at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from lms_bridge.timetable.problem import Course, Problem, Rule, RuleKind, Slot

Pair = tuple[str, Slot]


@dataclass(frozen=True, slots=True)
class Bound:
    """``low`` <= number of chosen ``pairs`` <= ``high``; None leaves that side open."""

    rule: Rule
    pairs: tuple[Pair, ...]
    low: int | None = None
    high: int | None = None


def bounds(problem: Problem) -> list[Bound]:
    """Every hard rule of ``problem`` as bounds, in a fixed order; bounds that cannot be broken are left out."""
    found = [*_course_bounds(problem), *_class_bounds(problem), *_teacher_bounds(problem), *_room_bounds(problem)]
    return [bound for bound in found if bound.low or bound.high is None or len(bound.pairs) > bound.high]


def rules_of(problem: Problem) -> tuple[Rule, ...]:
    """The rules that restrict anything in ``problem``, each once."""
    return tuple(dict.fromkeys(bound.rule for bound in bounds(problem)))


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
    """The problem of these courses alone, without the room limit, which is a matter of all of them."""
    return replace(problem, courses=tuple(courses), room_limit=None)


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


def _course_bounds(problem: Problem) -> Iterator[Bound]:
    grid = tuple(sorted(set(problem.slots)))
    days = days_of(grid)
    for course in problem.courses:
        pairs = _pairs((course,), grid)
        yield Bound(Rule(RuleKind.PERIODS, course.key), pairs, low=course.periods, high=course.periods)
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
        for slot in grid:
            yield Bound(Rule(RuleKind.CLASS_ONCE, key), _pairs(courses, (slot,)), high=1)
        limit = problem.max_online_per_day.get(key)
        if limit is None:
            continue
        online = tuple(course for course in courses if course.online)
        for slots in days.values():
            yield Bound(Rule(RuleKind.ONLINE_PER_DAY, key), _pairs(online, slots), high=limit)


def _teacher_bounds(problem: Problem) -> Iterator[Bound]:
    for key, courses in courses_by_teacher(problem).items():
        for slot in sorted(set(problem.slots)):
            yield Bound(Rule(RuleKind.TEACHER_ONCE, key), _pairs(courses, (slot,)), high=1)


def _room_bounds(problem: Problem) -> Iterator[Bound]:
    if problem.room_limit is None:
        return
    online = tuple(course for course in problem.courses if course.online)
    for slot in sorted(set(problem.slots)):
        yield Bound(Rule(RuleKind.ROOMS), _pairs(online, (slot,)), high=problem.room_limit)


def _pairs(courses: Iterable[Course], slots: Iterable[Slot]) -> tuple[Pair, ...]:
    slots = tuple(slots)
    return tuple((course.key, slot) for course in courses for slot in slots)


def _grouped(courses: Iterable[Course], attribute: str) -> dict[str, tuple[Course, ...]]:
    groups: dict[str, list[Course]] = {}
    for course in courses:
        for key in dict.fromkeys(getattr(course, attribute)):
            groups.setdefault(key, []).append(course)
    return {key: tuple(found) for key, found in groups.items()}
