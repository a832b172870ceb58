"""Turns a solved FET timetable into lessons by the names that stand in the file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from lms_bridge.core.errors import BadInputs, BridgeError, InputError, Place
from lms_bridge.core.i18n import N_
from lms_bridge.timetable.exchange.given import GivenLesson, periods_of, weekday_of
from lms_bridge.timetable.fet.model import Activity, School

Start = tuple[int, int]
"""Index of the day and of the hour in the file."""


def lessons_of(school: School, starts: Mapping[int, Start], name: str) -> list[GivenLesson]:
    """The lessons of all active activities that have students; ``starts`` by activity id.

    The file's days are weekdays by their names, or else by their order from Monday; its hours are periods by the
    number in their names, or else by their order from 1.

    :raises BadInputs: activities without a time, sets of students that are no class or part of one.
    """
    weekdays, periods = _weekdays(school), _periods(school)
    parents = _parents(school)
    problems: list[BridgeError] = []
    lessons: list[GivenLesson] = []
    untimed: list[int] = []
    for activity in school.active_activities():
        if not activity.students:
            continue
        start = starts.get(activity.id)
        if start is None:
            untimed.append(activity.id)
            continue
        lessons += _lessons(activity, start, weekdays, periods, parents, name)
    if untimed:
        problems.append(
            InputError(
                N_("%(n)s activities have no time (%(which)s)."),
                place=Place(file=name),
                remedy=N_("Solve the timetable in FET first and hand over its activities file too, or lock the times."),
                n=len(untimed),
                which=", ".join(str(number) for number in untimed[:8]) + (" …" if len(untimed) > 8 else ""),
            )
        )
    if problems:
        raise BadInputs(problems, file=name)
    return lessons


def _lessons(
    activity: Activity,
    start: Start,
    weekdays: tuple[int, ...],
    periods: tuple[int, ...],
    parents: Mapping[str, tuple[str, ...]],
    name: str,
) -> Iterator[GivenLesson]:
    """Sets of students that are parts of one class make lessons for that part; a year is all of its groups."""
    meant = [entry for students in activity.students for entry in parents.get(students, (students,))]
    whole = [entry for entry in meant if "\t" not in entry]
    parts: defaultdict[str, list[str]] = defaultdict(list)
    for entry in meant:
        group, found, part = entry.partition("\t")
        if found:
            parts[part].append(group)
    day, hour = start
    place = Place(file=name, value=f"Activity {activity.id}")
    for step in range(activity.duration):
        if hour + step >= len(periods):
            break
        where = (weekdays[day], periods[hour + step], activity.subject, activity.teachers)
        if whole:
            yield GivenLesson(tuple(dict.fromkeys(whole)), *where, place=place)
        for part, groups in parts.items():
            yield GivenLesson(tuple(dict.fromkeys(groups)), *where, part=part, place=place)


def _parents(school: School) -> dict[str, tuple[str, ...]]:
    """What each set of students means: a year its groups; a group itself; a subgroup ``group<TAB>part`` (the first
    group that it lies in), or itself where it lies in none."""
    groups = {found.name: found for found in school.students.values() if found.kind == "group"}
    means: dict[str, tuple[str, ...]] = {}
    for found in school.students.values():
        if found.kind == "year":
            own = tuple(group.name for group in groups.values() if set(group.leaves) <= set(found.leaves))
            means[found.name] = own or (found.name,)
        elif found.kind == "subgroup":
            home = next((group.name for group in groups.values() if found.name in group.leaves), None)
            means[found.name] = (f"{home}\t{found.name}",) if home is not None else (found.name,)
    return means


def _weekdays(school: School) -> tuple[int, ...]:
    named = [weekday_of(day) for day in school.days]
    if None in named or len(set(named)) < len(named):
        return tuple(range(len(school.days)))
    return tuple(day for day in named if day is not None)


def _periods(school: School) -> tuple[int, ...]:
    named = [periods_of(hour) for hour in school.hours]
    numbers = [found[0] for found in named if len(found) == 1]
    if len(set(numbers)) < len(school.hours) or numbers != sorted(numbers):
        return tuple(range(1, len(school.hours) + 1))
    return tuple(numbers)
