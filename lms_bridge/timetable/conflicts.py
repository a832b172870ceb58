"""Why there is no timetable, in plain words with the counts.

Most causes can be counted before any search: more periods than places for a course, a class or a teacher. What no
count explains was proved by the solver alone, and the answer says so instead of guessing.
"""

from __future__ import annotations

from collections.abc import Iterable

from lms_bridge.core.i18n import N_
from lms_bridge.timetable.problem import Conflict, Course, Problem, Rule, RuleKind, Slot
from lms_bridge.timetable.rules import course_days, courses_by_class, courses_by_teacher, open_slots


def explain(problem: Problem, *, proved: bool = False) -> tuple[Conflict, ...]:
    """Every conflict that counting finds; with ``proved`` never empty, since the solver proved that there is one."""
    found = [
        *_courses(problem),
        *_people(problem, courses_by_teacher(problem), RuleKind.TEACHER_ONCE),
        *_people(problem, courses_by_class(problem), RuleKind.CLASS_ONCE),
        *_online(problem),
        *_rooms(problem),
    ]
    if proved and not found:
        found.append(
            Conflict(
                "together",
                N_(
                    "Every class and teacher has enough periods alone, but together the rules leave no timetable. "
                    "Fewer absences, more periods a day or fewer lessons would help."
                ),
            )
        )
    return tuple(found)


def _courses(problem: Problem) -> Iterable[Conflict]:
    for course in problem.courses:
        places = sum(min(course.max_per_day, len(slots)) for slots in course_days(problem, course).values())
        if places < course.periods:
            yield Conflict(
                "course",
                N_("%(name)s has %(periods)s periods this week but places for %(places)s."),
                {"name": course.label, "periods": course.periods, "places": places},
                (Rule(RuleKind.PERIODS, course.key), Rule(RuleKind.MAX_PER_DAY, course.key)),
            )


def _people(problem: Problem, courses: dict[str, tuple[Course, ...]], kind: RuleKind) -> Iterable[Conflict]:
    for key, own in courses.items():
        periods = sum(course.periods for course in own)
        free: set[Slot] = set()
        for course in own:
            free.update(open_slots(problem, course))
        if len(free) < periods:
            yield Conflict(
                "teacher" if kind is RuleKind.TEACHER_ONCE else "class",
                N_("%(name)s has %(periods)s periods this week but is free in %(free)s."),
                {"name": problem.name(key), "periods": periods, "free": len(free)},
                (Rule(kind, key), *(Rule(RuleKind.PERIODS, course.key) for course in own)),
            )


def _online(problem: Problem) -> Iterable[Conflict]:
    for key, own in courses_by_class(problem).items():
        limit = problem.max_online_per_day.get(key)
        if limit is None:
            continue
        online = [course for course in own if course.online]
        days: dict[int, set[Slot]] = {}
        for course in online:
            for slot in open_slots(problem, course):
                days.setdefault(slot.day, set()).add(slot)
        periods = sum(course.periods for course in online)
        places = sum(min(limit, len(slots)) for slots in days.values())
        if places < periods:
            yield Conflict(
                "online",
                N_("%(name)s has %(periods)s online periods, but at most %(limit)s a day make %(places)s."),
                {"name": problem.name(key), "periods": periods, "limit": limit, "places": places},
                (Rule(RuleKind.ONLINE_PER_DAY, key), *(Rule(RuleKind.PERIODS, course.key) for course in online)),
            )


def _rooms(problem: Problem) -> Iterable[Conflict]:
    if problem.room_limit is None:
        return
    periods = sum(course.periods for course in problem.courses if course.online)
    places = problem.room_limit * len(problem.slots)
    if places < periods:
        yield Conflict(
            "rooms",
            N_("There are %(periods)s online lessons this week but rooms for %(places)s."),
            {"periods": periods, "places": places},
            (Rule(RuleKind.ROOMS),),
        )
