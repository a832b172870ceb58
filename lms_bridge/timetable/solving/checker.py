"""Checks a timetable against its problem with plain loops: shares nothing with the model that made it, on purpose."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from lms_bridge.timetable.solving.problem import Course, Placement, Problem, Rule, RuleKind, Slot

Slots = dict[str, list[Slot]]


def broken_rules(problem: Problem, placements: Iterable[Placement]) -> list[Rule]:
    """The rules of ``problem`` that the placements break, each once, in order.

    :raises KeyError: a placement is of a course that the problem does not have.
    """
    courses = {course.key: course for course in problem.courses}
    placed: Slots = {course.key: [] for course in problem.courses}
    at: dict[Slot, list[Course]] = {}
    for placement in placements:
        placed[placement.course_key].append(placement.slot)
        at.setdefault(placement.slot, []).append(courses[placement.course_key])
    broken: set[Rule] = set()
    for course in problem.courses:
        broken |= _of_course(problem, course, placed[course.key])
    for slot, lessons in at.items():
        broken |= _at_once(problem, [slot], lessons)
    for slots in problem.overlapping:
        broken |= _at_once(problem, slots, [course for slot in slots for course in at.get(slot, [])])
    broken |= _of_people(problem, placed)
    broken |= _between_courses(problem, placed)
    return sorted(broken)


def _of_course(problem: Problem, course: Course, slots: list[Slot]) -> set[Rule]:
    broken: set[Rule] = set()
    missing = len(slots) < course.periods and not course.may_drop
    if missing or len(slots) > course.periods or len(set(slots)) != len(slots):
        broken.add(Rule(RuleKind.PERIODS, course.key))
    for slot in course.fixed:
        if slot not in slots:
            broken.add(Rule(RuleKind.FIXED, course.key))
    if course.blocks and _runs(slots) - Counter(course.blocks):
        broken.add(Rule(RuleKind.BLOCKS, course.key))
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


def _runs(slots: Iterable[Slot]) -> Counter[int]:
    """How many runs of neighbouring periods there are of each length."""
    lengths: list[int] = []
    before: Slot | None = None
    for slot in sorted(set(slots)):
        if before is not None and slot == before._replace(period=before.period + 1):
            lengths[-1] += 1
        else:
            lengths.append(1)
        before = slot
    return Counter(lengths)


def _at_once(problem: Problem, slots: Sequence[Slot], lessons: list[Course]) -> set[Rule]:
    """The rules that the lessons of one slot, or of slots that share a moment, break together."""
    broken: set[Rule] = set()
    for key, count in Counter(key for course in lessons for key in set(course.classes)).items():
        if count > 1:
            broken.add(Rule(RuleKind.CLASS_ONCE, key))
    for key, count in Counter(key for course in lessons for key in set(course.teachers)).items():
        if count > 1:
            broken.add(Rule(RuleKind.TEACHER_ONCE, key))
    online = [course for course in lessons if course.online]
    if problem.room_limit is not None and len(online) > problem.room_limit:
        broken.add(Rule(RuleKind.ROOMS))
    for key, pool in problem.pools.items():
        most = min(pool.at.get(slot, pool.limit) for slot in slots)
        if sum(course.pool == key or course.pool in pool.of for course in online) > most:
            broken.add(Rule(RuleKind.POOL, key))
    return broken


def _of_people(problem: Problem, placed: Slots) -> set[Rule]:
    """Rules about the day of a class or teacher."""
    broken: set[Rule] = set()
    of_class: Slots = {}
    of_teacher: Slots = {}
    online: Slots = {}
    for course in problem.courses:
        for key in set(course.classes):
            of_class.setdefault(key, []).extend(placed[course.key])
            online.setdefault(key, []).extend(placed[course.key] if course.online else [])
        for key in set(course.teachers):
            of_teacher.setdefault(key, []).extend(placed[course.key])
    for key, limit in problem.max_online_per_day.items():
        if _most_a_day(online.get(key, [])) > limit:
            broken.add(Rule(RuleKind.ONLINE_PER_DAY, key))
    for key, limit in problem.max_per_day.items():
        if _most_a_day(of_class.get(key, [])) > limit:
            broken.add(Rule(RuleKind.CLASS_PER_DAY, key))
        if _most_a_day(of_teacher.get(key, [])) > limit:
            broken.add(Rule(RuleKind.TEACHER_PER_DAY, key))
    for key, limit in problem.max_online_run.items():
        own = Counter(online.get(key, []))
        for first in own:
            run = [first._replace(period=first.period + step) for step in range(limit + 1)]
            if all(slot in problem.slots for slot in run) and sum(own[slot] for slot in run) > limit:
                broken.add(Rule(RuleKind.ONLINE_RUN, key))
    return broken


def _most_a_day(slots: Iterable[Slot]) -> int:
    return max(Counter(slot.day for slot in slots).values(), default=0)


def _between_courses(problem: Problem, placed: Slots) -> set[Rule]:
    broken: set[Rule] = set()
    for one, other in problem.not_same_day:
        if one != other and {s.day for s in placed.get(one, ())} & {s.day for s in placed.get(other, ())}:
            broken.add(Rule(RuleKind.NOT_SAME_DAY, f"{one} + {other}"))
    for one, other in problem.in_order:
        for slot in placed.get(one, ()):
            if one != other and any(s.day == slot.day and s.period <= slot.period for s in placed.get(other, ())):
                broken.add(Rule(RuleKind.IN_ORDER, f"{one} + {other}"))
    for group in problem.parallel:
        slots = [set(placed[key]) for key in group if key in placed]
        if any(found != slots[0] for found in slots):
            broken.add(Rule(RuleKind.PARALLEL, " + ".join(group)))
    return broken
