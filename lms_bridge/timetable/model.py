"""The CP-SAT model of a timetable problem: one boolean per (course, slot), not one per lesson.

The lessons of a course in a week are alike, so a weekly sum per course removes their symmetry; this form was measured
to be five to ten times faster than a variable per lesson or intervals.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lms_bridge.timetable.problem import Course, Problem, Slot, Weights
from lms_bridge.timetable.rules import Bound, Pair, bounds, open_slots
from lms_bridge.timetable.wishes import Slots, Wishes

if TYPE_CHECKING:
    from ortools.sat.python.cp_model import CpModel, CpSolver, IntVar


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a timetable that may change: these courses on these days. All else stays as it is placed."""

    courses: frozenset[str]
    days: frozenset[int]
    placed: Slots


class ModelBuilder:
    """Builds models of one problem, whole or in part; what the models share is worked out once."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.courses = {course.key: course for course in problem.courses}
        self.wishes = Wishes(problem)
        self.open = {course.key: open_slots(problem, course) for course in problem.courses}
        self.bounds: dict[str, list[int]] = {key: [] for key in self.courses}
        self.all_bounds = bounds(problem)
        for number, bound in enumerate(self.all_bounds):
            for key in dict.fromkeys(key for key, _ in bound.pairs):
                self.bounds[key].append(number)

    def build(self, part: Part | None = None) -> TimetableModel:
        """The hard rules. Slots that a rule closes for a course get no boolean at all."""
        from ortools.sat.python.cp_model import CpModel

        cp = CpModel()
        keys = [key for key in self.courses if part is None or key in part.courses]
        chosen: dict[Pair, IntVar | int] = {}
        for key in keys:
            for slot in self.open[key]:
                if part is None or slot.day in part.days:
                    chosen[key, slot] = cp.new_bool_var(f"{key}@{slot.day}.{slot.period}")
        if part is not None:
            fixed = ((key, slot) for key, slots in part.placed.items() for slot in slots)
            chosen |= {pair: 1 for pair in fixed if pair[0] not in part.courses or pair[1].day not in part.days}
        numbers = sorted({number for key in keys for number in self.bounds[key]})
        for number in numbers:
            _add_bound(cp, chosen, self.all_bounds[number])
        return TimetableModel(self, cp, chosen, keys)


class TimetableModel:
    """One model: ``chosen`` holds its booleans, and 1 for each pair that is fixed."""

    def __init__(
        self, builder: ModelBuilder, cp: CpModel, chosen: dict[Pair, IntVar | int], keys: Collection[str]
    ) -> None:
        self.builder = builder
        self.wishes = builder.wishes
        self.cp = cp
        self.chosen = chosen
        self.courses = [builder.courses[key] for key in keys]

    def minimise(self, weights: Weights) -> None:
        """Minimise the weighted wishes, as far as they depend on this model's booleans (see ``Wishes.costs``)."""
        terms = [
            *_weighted(weights.moved, self._moved()),
            *_weighted(weights.same_day, self._same_day()),
            *_weighted(weights.late, self._late()),
        ]
        touched = dict.fromkeys(key for course in self.courses for key in course.classes)
        for key in touched:
            terms += _weighted(weights.uneven, self._uneven(key))
            terms += _weighted(weights.gap, self._gaps(key))
        self.cp.minimize(sum(terms))

    def hint(self, placed: Slots) -> None:
        """Start the search near ``placed``."""
        for (key, slot), literal in self._free():
            self.cp.add_hint(literal, int(slot in placed.get(key, ())))

    def placed(self, solver: CpSolver) -> dict[str, tuple[Slot, ...]]:
        """The slots of each course in the solution, in order of time."""
        found: dict[str, list[Slot]] = {key: [] for key in self.builder.courses}
        for (key, slot), literal in self.chosen.items():
            if isinstance(literal, int) or solver.boolean_value(literal):
                found[key].append(slot)
        return {key: tuple(sorted(slots)) for key, slots in found.items()}

    def _free(self) -> Iterator[tuple[Pair, IntVar]]:
        for pair, literal in self.chosen.items():
            if not isinstance(literal, int):
                yield pair, literal

    def _moved(self) -> Iterator[Any]:
        for course in self.courses:
            for slot in sorted(self.wishes.kept[course.key]):
                yield 1 - self.chosen.get((course.key, slot), 0)

    def _late(self) -> Iterator[Any]:
        for (_, slot), literal in self._free():
            if self.wishes.rank[slot]:
                yield self.wishes.rank[slot] * literal

    def _same_day(self) -> Iterator[Any]:
        for course in self.courses:
            fair = self.wishes.course_fair[course.key]
            if min(course.max_per_day, course.periods) <= fair:
                continue
            for day, slots in self.wishes.course_days[course.key].items():
                yield self._excess(f"same_day {course.key} {day}", (course,), slots, fair)

    def _uneven(self, key: str) -> Iterator[Any]:
        fair = self.wishes.class_fair[key]
        for day, slots in self.wishes.class_days[key].items():
            if len(slots) > fair:
                yield self._excess(f"uneven {key} {day}", self.wishes.by_class[key], slots, fair)

    def _gaps(self, key: str) -> Iterator[Any]:
        courses = self.wishes.by_class[key]
        for day, slots in self.wishes.class_days[key].items():
            last = self._sum(courses, slots[-1:])
            for slot in reversed(slots[:-1]):
                here = self._sum(courses, (slot,))
                until = self.cp.new_bool_var(f"until {key} {day}.{slot.period}")
                self.cp.add_linear_constraint(until - here, 0, 1)
                self.cp.add_linear_constraint(until - last, 0, 1)
                yield until - here
                last = until

    def _excess(self, name: str, courses: Iterable[Course], slots: Collection[Slot], fair: int) -> Any:
        extra = self.cp.new_int_var(0, len(slots), name)
        self.cp.add_linear_constraint(self._sum(courses, slots) - extra, -len(slots), fair)
        return extra

    def _sum(self, courses: Iterable[Course], slots: Collection[Slot]) -> Any:
        return sum(self.chosen.get((course.key, slot), 0) for course in courses for slot in slots)


def _add_bound(cp: CpModel, chosen: dict[Pair, IntVar | int], bound: Bound) -> None:
    found = [chosen[pair] for pair in bound.pairs if pair in chosen]
    terms = [literal for literal in found if not isinstance(literal, int)]
    fixed = len(found) - len(terms)
    low = (bound.low or 0) - fixed
    high = len(terms) if bound.high is None else bound.high - fixed
    if low > len(terms) or high < 0:
        cp.add_bool_or([])
    elif (low, high) == (0, 1) and len(terms) > 1:
        cp.add_at_most_one(terms)
    elif low > 0 or high < len(terms):
        cp.add_linear_constraint(sum(terms), max(0, low), high)


def _weighted(weight: int, terms: Iterable[Any]) -> list[Any]:
    return [weight * term for term in terms] if weight else []
