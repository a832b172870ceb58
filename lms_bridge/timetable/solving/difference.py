"""What a solved week changes in the timetable in force, course by course."""

from __future__ import annotations

from dataclasses import dataclass

from lms_bridge.timetable.solving.problem import Problem, Slot, Solution


@dataclass(frozen=True, slots=True)
class Difference:
    """One course whose lessons move: the slots they ``left`` and ``took`` (fewer where some are ``missing`` now), and
    the ``people`` disturbed: those of each lesson that left its slot."""

    course_key: str
    left: tuple[Slot, ...]
    took: tuple[Slot, ...]
    missing: int
    people: int


def differences(problem: Problem, solution: Solution) -> tuple[Difference, ...]:
    """The courses that are not as in ``problem.hint``, in the order of the problem."""
    placed = solution.slots_by_course()
    found = []
    for course in problem.courses:
        before, after = set(problem.hint.get(course.key, ())), set(placed.get(course.key, ()))
        if before == after:
            continue
        left = tuple(sorted(before - after))
        took = tuple(sorted(after - before))
        leaving = max(0, min(len(before), course.periods) - len(before & after))
        missing = max(0, course.periods - len(after))
        found.append(Difference(course.key, left, took, missing, course.people * leaving))
    return tuple(found)
