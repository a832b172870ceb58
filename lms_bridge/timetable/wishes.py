"""What a timetable costs by the wishes of :class:`Weights`; the numbers that people see beside a proposal."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from lms_bridge.timetable.problem import Course, Problem, Slot, Weights
from lms_bridge.timetable.rules import class_days, course_days, courses_by_class, days_of

Slots = Mapping[str, Collection[Slot]]
"""The slots of each course by its key."""


class Wishes:
    """The wishes of one problem; what does not depend on a timetable is worked out once.

    ``kept``: the slots of each course in the timetable in force. ``rank``: how many slots of its day come before a
    slot. ``course_fair``: the fewest periods of a course on its fullest day. ``class_fair``: the average number of
    periods a day of a class, rounded up.
    """

    def __init__(self, problem: Problem) -> None:
        self.by_class = courses_by_class(problem)
        days = days_of(set(problem.slots))
        self.rank = {slot: rank for slots in days.values() for rank, slot in enumerate(slots)}
        self.kept = {course.key: _kept(problem, course) for course in problem.courses}
        self.course_days = {course.key: course_days(problem, course) for course in problem.courses}
        self.course_fair = {
            course.key: max(1, _per_day(course.periods, self.course_days[course.key])) for course in problem.courses
        }
        self.class_days = {key: class_days(problem, key, courses) for key, courses in self.by_class.items()}
        self.class_fair = {
            key: _per_day(sum(course.periods for course in courses), self.class_days[key])
            for key, courses in self.by_class.items()
        }

    def costs(self, placed: Slots, weights: Weights) -> dict[str, int]:
        """The weighted cost of each wish that has a weight, by its name."""
        units = {
            "moved": sum(len(kept.difference(placed[key])) for key, kept in self.kept.items()),
            "same_day": sum(self._same_day(key, slots) for key, slots in placed.items()),
            "uneven": 0,
            "gap": 0,
            "late": sum(self.rank[slot] for slots in placed.values() for slot in slots),
        }
        for key, courses in self.by_class.items():
            used = {slot for course in courses for slot in placed[course.key]}
            for slots in self.class_days[key].values():
                taken = [index for index, slot in enumerate(slots) if slot in used]
                units["uneven"] += max(0, len(taken) - self.class_fair[key])
                units["gap"] += taken[-1] + 1 - len(taken) if taken else 0
        return {name: count * getattr(weights, name) for name, count in units.items() if getattr(weights, name)}

    def _same_day(self, key: str, slots: Collection[Slot]) -> int:
        days: dict[int, int] = {}
        for slot in slots:
            days[slot.day] = days.get(slot.day, 0) + 1
        return sum(max(0, count - self.course_fair[key]) for count in days.values())


def _kept(problem: Problem, course: Course) -> frozenset[Slot]:
    before = dict.fromkeys(problem.hint.get(course.key, ()))
    return frozenset(list(before)[: course.periods])


def _per_day(periods: int, days: Collection[int]) -> int:
    return -(-periods // max(1, len(days)))
