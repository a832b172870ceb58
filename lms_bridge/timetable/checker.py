"""Checks a timetable against its problem with plain loops: shares nothing with the model that made it, on purpose."""

from __future__ import annotations

from collections.abc import Iterable

from lms_bridge.timetable.problem import Course, Placement, Problem, Rule, RuleKind


def broken_rules(problem: Problem, placements: Iterable[Placement]) -> list[Rule]:
    """The rules of ``problem`` that the placements break, each once, in order.

    :raises KeyError: a placement is of a course that the problem does not have.
    """
    courses = {course.key: course for course in problem.courses}
    placed = sorted(placements)
    broken: set[Rule] = set()
    for course in problem.courses:
        broken |= _of_course(problem, course, placed)
    for one in placed:
        for other in placed:
            if one is not other and one.slot == other.slot:
                broken |= _at_once(courses[one.course_key], courses[other.course_key])
    broken |= _of_days_and_rooms(problem, courses, placed)
    return sorted(broken)


def _of_course(problem: Problem, course: Course, placed: list[Placement]) -> set[Rule]:
    slots = [placement.slot for placement in placed if placement.course_key == course.key]
    broken: set[Rule] = set()
    if len(slots) != course.periods or len(set(slots)) != len(slots):
        broken.add(Rule(RuleKind.PERIODS, course.key))
    for slot in course.fixed:
        if slot not in slots:
            broken.add(Rule(RuleKind.FIXED, course.key))
    for slot in slots:
        if slot not in problem.slots or (course.slots is not None and slot not in course.slots):
            broken.add(Rule(RuleKind.GRID, course.key))
        if slot in course.forbidden:
            broken.add(Rule(RuleKind.FORBIDDEN, course.key))
        if sum(other.day == slot.day for other in slots) > course.max_per_day:
            broken.add(Rule(RuleKind.MAX_PER_DAY, course.key))
        for key in course.classes:
            if slot in problem.class_unavailable.get(key, ()):
                broken.add(Rule(RuleKind.CLASS_UNAVAILABLE, key))
            if slot in problem.class_busy.get(key, ()):
                broken.add(Rule(RuleKind.CLASS_BUSY, key))
        for key in course.teachers:
            if slot in problem.unavailable.get(key, ()):
                broken.add(Rule(RuleKind.TEACHER_UNAVAILABLE, key))
            if slot in problem.teacher_busy.get(key, ()):
                broken.add(Rule(RuleKind.TEACHER_BUSY, key))
    return broken


def _at_once(one: Course, other: Course) -> set[Rule]:
    """The rules that two lessons in one slot break."""
    return {Rule(RuleKind.CLASS_ONCE, key) for key in one.classes if key in other.classes} | {
        Rule(RuleKind.TEACHER_ONCE, key) for key in one.teachers if key in other.teachers
    }


def _of_days_and_rooms(problem: Problem, courses: dict[str, Course], placed: list[Placement]) -> set[Rule]:
    broken: set[Rule] = set()
    online = [placement for placement in placed if courses[placement.course_key].online]
    for key, limit in problem.max_online_per_day.items():
        for day in range(7):
            today = [p for p in online if p.slot.day == day and key in courses[p.course_key].classes]
            if len(today) > limit:
                broken.add(Rule(RuleKind.ONLINE_PER_DAY, key))
    if problem.room_limit is not None:
        for slot in problem.slots:
            if sum(placement.slot == slot for placement in online) > problem.room_limit:
                broken.add(Rule(RuleKind.ROOMS))
    return broken
