"""Turns a solved FET timetable into lessons by the names that stand in the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lms_bridge.core.errors import BridgeError, CountedInput, Place
from lms_bridge.core.i18n import N_, NN_
from lms_bridge.timetable.exchange.given import (
    PART_WORDS,
    GivenLesson,
    GivenTimetable,
    original_of,
    periods_of,
    weekday_of,
)
from lms_bridge.timetable.exchange.to_fet import MAKES_UP
from lms_bridge.timetable.fet.model import Activity, School

Start = tuple[int, int]
"""Index of the day and of the hour in the file."""
Meant = tuple[str, str]
"""A class and a part of it, "" for all of it."""


def lessons_of(school: School, starts: Mapping[int, Start], name: str, *, times_locked: bool) -> GivenTimetable:
    """The lessons of all active activities that have students; ``starts`` by activity id, ``times_locked`` if they are
    constraints of the file. Activities without a time, or that reach beyond the last hour, are problems; those that
    have no students, or are not active, are named.

    The file's days are weekdays by their names, or else by their order from Monday; its hours are periods by the
    number in their names, or else by their order from 1.
    """
    weekdays, periods = weekdays_of(school), periods_of_hours(school)
    means = meanings(school)
    lessons: list[GivenLesson] = []
    untimed: list[int] = []
    beyond: list[int] = []
    nobody = [activity.id for activity in school.active_activities() if not activity.students]
    for activity in (activity for activity in school.active_activities() if activity.students):
        start = starts.get(activity.id)
        if start is None:
            untimed.append(activity.id)
        elif start[1] + activity.duration > len(periods):
            beyond.append(activity.id)
        else:
            lessons += _lessons(activity, start, weekdays, periods, means, name)
    problems = [
        *_counted(
            NN_("%(n)s activity has no time (%(which)s).", "%(n)s activities have no time (%(which)s)."),
            untimed, name,
            N_("Solve the timetable in FET first and hand over its activities file too, or lock the times."),
        ),
        *_counted(
            NN_(
                "%(n)s activity reaches beyond the last hour of the file (%(which)s).",
                "%(n)s activities reach beyond the last hour of the file (%(which)s).",
            ),
            beyond, name,
            N_("Solve the timetable again in FET, or lock these activities earlier."),
        ),
    ]  # fmt: skip
    notes = [
        *_counted(
            NN_(
                "%(n)s activity has no students and is left out (%(which)s).",
                "%(n)s activities have no students and are left out (%(which)s).",
            ),
            nobody, name, N_("A lesson needs a class: add it in FET if these are lessons."),
        ),
        *_counted(
            NN_(
                "%(n)s activity is not active in FET and is left out (%(which)s).",
                "%(n)s activities are not active in FET and are left out (%(which)s).",
            ),
            [activity.id for activity in school.activities if not activity.active], name, None,
        ),
    ]  # fmt: skip
    return GivenTimetable(lessons, problems, notes, school, times_locked)


def _counted(messages: tuple[str, str], ids: Sequence[int], name: str, remedy: str | None) -> Iterator[BridgeError]:
    if ids:
        which = ", ".join(str(number) for number in ids[:8]) + (" …" if len(ids) > 8 else "")
        yield CountedInput(messages, len(ids), place=Place(file=name), remedy=remedy, which=which)


def _lessons(
    activity: Activity,
    start: Start,
    weekdays: tuple[int, ...],
    periods: tuple[int, ...],
    means: Mapping[str, tuple[Meant, ...]],
    name: str,
) -> Iterator[GivenLesson]:
    """A lesson for each hour; a year is all of its groups."""
    meant = tuple(dict.fromkeys(entry for students in activity.students for entry in means[students]))
    day, hour = start
    teachers = tuple(_marked(activity, teacher) for teacher in activity.teachers)
    moments = (original_of(tag.removeprefix(MAKES_UP)) for tag in activity.tags if tag.startswith(MAKES_UP))
    for step in range(activity.duration):
        yield GivenLesson(
            tuple(group for group, _ in meant),
            weekdays[day],
            periods[hour + step],
            activity.subject,
            teachers,
            tuple(part for _, part in meant),
            place=Place(file=name, value=f"Activity {activity.id}"),
            makes_up=next(moments, None),
        )


def _marked(activity: Activity, teacher: str) -> str:
    """The teacher with what a tag says that the person does."""
    part = next((part for part in PART_WORDS if f"{part.value}: {teacher}" in activity.tags), None)
    return f"{teacher} ({PART_WORDS[part][0]})" if part is not None else teacher


def meanings(school: School) -> dict[str, tuple[Meant, ...]]:
    """What each set of students means: a year its groups; a group itself; a subgroup a part of the first group that it
    lies in, or itself where it lies in none."""
    groups = {found.name: found for found in school.students.values() if found.kind == "group"}
    means: dict[str, tuple[Meant, ...]] = {}
    for found in school.students.values():
        own: tuple[Meant, ...] = ()
        if found.kind == "year":
            own = tuple((group.name, "") for group in groups.values() if set(group.leaves) <= set(found.leaves))
        elif found.kind == "subgroup":
            home = next((group.name for group in groups.values() if found.name in group.leaves), None)
            own = ((home, found.name.removeprefix(f"{home} ")),) if home is not None else ()
        means[found.name] = own or ((found.name, ""),)
    return means


def weekdays_of(school: School) -> tuple[int, ...]:
    """The weekday (0 is Monday) of each day of the file."""
    named = [weekday_of(day) for day in school.days]
    if None in named or len(set(named)) < len(named):
        return tuple(range(len(school.days)))
    return tuple(day for day in named if day is not None)


def periods_of_hours(school: School) -> tuple[int, ...]:
    """The period of each hour of the file."""
    named = [periods_of(hour) for hour in school.hours]
    numbers = [found[0] for found in named if len(found) == 1]
    if len(set(numbers)) < len(school.hours) or numbers != sorted(numbers):
        return tuple(range(1, len(school.hours) + 1))
    return tuple(numbers)
