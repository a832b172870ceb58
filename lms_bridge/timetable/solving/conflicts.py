"""Why there is no timetable, in plain words with the counts.

Most causes can be counted before any search: more periods than places for a course, a class or a teacher. What no
count explains is searched for (see :mod:`lms_bridge.timetable.solving.smallest_conflict`) and its rules are named.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from lms_bridge.core.i18n import N_
from lms_bridge.timetable.solving.problem import Conflict, Course, Problem, Rule, RuleKind, Slot, SolverLimits
from lms_bridge.timetable.solving.relaxing import Adviser
from lms_bridge.timetable.solving.rule_words import in_words
from lms_bridge.timetable.solving.rules import closed_by, courses_by_class, courses_by_teacher, days_of, open_slots
from lms_bridge.timetable.solving.smallest_conflict import smallest_conflicts

READABLE = 30
"""A set of more rules than this, which only a search cut short leaves, explains nothing to anybody."""


def counted(problem: Problem) -> tuple[Conflict, ...]:
    """Every conflict that counting finds; none is no proof that there is a timetable."""
    return (
        *_courses(problem),
        *_people(problem, courses_by_teacher(problem), RuleKind.TEACHER_ONCE),
        *_people(problem, courses_by_class(problem), RuleKind.CLASS_ONCE),
        *_online(problem),
        *_per_day(problem, courses_by_teacher(problem), RuleKind.TEACHER_ONCE, RuleKind.TEACHER_PER_DAY),
        *_per_day(problem, courses_by_class(problem), RuleKind.CLASS_ONCE, RuleKind.CLASS_PER_DAY),
        *_rooms(problem),
        *_pools(problem),
    )


def searched(problem: Problem, limits: SolverLimits, *, proved: bool) -> tuple[Conflict, ...]:
    """The conflicts that no count finds, each a smallest set of rules. With ``proved`` (the solver proved that there
    is no timetable) never empty; without, empty unless a part of the problem is impossible by itself."""
    found = smallest_conflicts(problem, limits, proved=proved)
    return tuple(_together(problem, rules) for rules in found)


def explained(problem: Problem, conflicts: Iterable[Conflict], limits: SolverLimits) -> tuple[Conflict, ...]:
    """The same conflicts, each with what would help."""
    adviser = Adviser(problem, limits)
    return tuple(replace(conflict, relax=adviser.advice(conflict)) for conflict in conflicts)


def _together(problem: Problem, rules: tuple[Rule, ...]) -> Conflict:
    if len(rules) > READABLE:
        return Conflict(
            "together",
            N_(
                "Every class and teacher has enough periods alone, but together the rules leave no timetable. "
                "Fewer absences, more periods a day or fewer lessons would help."
            ),
            rules=rules,
        )
    return Conflict(
        "rules",
        N_("These rules cannot hold together: %(rules)s."),
        {"rules": in_words(problem, rules)},
        rules,
    )


def _courses(problem: Problem) -> Iterable[Conflict]:
    for course in problem.courses:
        days = days_of(open_slots(problem, course))
        places = sum(min(course.max_per_day, len(slots)) for slots in days.values())
        if places < _must(course):
            yield Conflict(
                "course",
                N_("%(name)s has %(periods)s periods this week but places for %(places)s."),
                {"name": course.label, "periods": course.periods, "places": places},
                (Rule(RuleKind.MAX_PER_DAY, course.key), *_asked(problem, (course,))),
            )


def _people(problem: Problem, courses: dict[str, tuple[Course, ...]], kind: RuleKind) -> Iterable[Conflict]:
    for key, own in courses.items():
        periods = sum(_must(course) for course in own)
        free: set[Slot] = set()
        for course in own:
            free.update(open_slots(problem, course))
        if len(free) < periods:
            yield Conflict(
                "teacher" if kind is RuleKind.TEACHER_ONCE else "class",
                N_("%(name)s has %(periods)s periods this week but is free in %(free)s."),
                {"name": problem.name(key), "periods": periods, "free": len(free)},
                (Rule(kind, key), *_asked(problem, own)),
            )


def _online(problem: Problem) -> Iterable[Conflict]:
    for key, own in courses_by_class(problem).items():
        limit = problem.max_online_per_day.get(key)
        if limit is None:
            continue
        online = [course for course in own if course.online]
        days = _open_days(problem, online)
        periods = sum(_must(course) for course in online)
        places = sum(min(limit, len(slots)) for slots in days.values())
        if places < periods:
            yield Conflict(
                "online",
                N_("%(name)s has %(periods)s online periods, but at most %(limit)s a day make %(places)s."),
                {"name": problem.name(key), "periods": periods, "limit": limit, "places": places},
                (Rule(RuleKind.ONLINE_PER_DAY, key), Rule(RuleKind.CLASS_ONCE, key), *_asked(problem, online)),
            )


def _per_day(
    problem: Problem, courses: dict[str, tuple[Course, ...]], once: RuleKind, per_day: RuleKind
) -> Iterable[Conflict]:
    for key, own in courses.items():
        limit = problem.max_per_day.get(key)
        if limit is None:
            continue
        periods = sum(_must(course) for course in own)
        places = sum(min(limit, len(slots)) for slots in _open_days(problem, own).values())
        if places < periods:
            yield Conflict(
                "day",
                N_("%(name)s has %(periods)s periods, but at most %(limit)s a day make %(places)s."),
                {"name": problem.name(key), "periods": periods, "limit": limit, "places": places},
                (Rule(per_day, key), Rule(once, key), *_asked(problem, own)),
            )


def _pools(problem: Problem) -> Iterable[Conflict]:
    slots = set(problem.slots)
    for key, pool in problem.pools.items():
        own = [course for course in problem.courses if pool.takes(key, course)]
        clocks = {slot.clock for course in own for slot in (slots if course.slots is None else course.slots)}
        periods = sum(_must(course) for course in own)
        places = sum(pool.places((slot,)) for slot in slots if slot.clock in clocks)
        if places < periods:
            yield Conflict(
                "pool",
                N_("%(name)s has rooms for %(places)s lessons this week, but %(periods)s need one."),
                {"name": problem.name(key), "periods": periods, "places": places},
                (Rule(RuleKind.POOL, key), *(Rule(RuleKind.PERIODS, course.key) for course in own)),
            )


def _must(course: Course) -> int:
    """The periods that have to be placed."""
    return 0 if course.may_drop else course.periods


def _open_days(problem: Problem, courses: Iterable[Course]) -> dict[int, set[Slot]]:
    """The slots of each day in which any of these courses may be."""
    days: dict[int, set[Slot]] = {}
    for course in courses:
        for slot in open_slots(problem, course):
            days.setdefault(slot.day, set()).add(slot)
    return days


def _rooms(problem: Problem) -> Iterable[Conflict]:
    if problem.room_limit is None:
        return
    online = [course for course in problem.courses if course.online]
    periods = sum(_must(course) for course in online)
    places = problem.room_limit * len(set(problem.slots))
    if places < periods:
        yield Conflict(
            "rooms",
            N_("There are %(periods)s online lessons this week but rooms for %(places)s."),
            {"periods": periods, "places": places},
            (Rule(RuleKind.ROOMS), *(Rule(RuleKind.PERIODS, course.key) for course in online)),
        )


def _asked(problem: Problem, courses: Iterable[Course]) -> tuple[Rule, ...]:
    """The rules that ask for the periods of these courses, and those that close slots for them."""
    rules: dict[Rule, None] = {}
    for course in courses:
        rules[Rule(RuleKind.PERIODS, course.key)] = None
        rules |= dict.fromkeys(closed_by(problem, course))
    return tuple(rules)
