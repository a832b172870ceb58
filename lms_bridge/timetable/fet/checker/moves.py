"""How often teachers and students change the building or the room, and the time that they have for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lms_bridge.core.i18n import N_
from lms_bridge.timetable.fet.checker.rooms import taken_rooms
from lms_bridge.timetable.fet.checker.violations import Broken
from lms_bridge.timetable.fet.checker.weeks import Placed, Week
from lms_bridge.timetable.fet.model import Activity, Element

WhereOf = Callable[[Placed, Activity], str]


def building_of(placed: Placed, activity: Activity) -> str:
    """The building of an activity's room; empty where there is none."""
    for name in taken_rooms(placed, activity):
        room = placed.school.rooms.get(name)
        if room is not None and room.building:
            return room.building
    return ""


def room_of(placed: Placed, activity: Activity) -> str:
    """The room of an activity; empty where there is none."""
    return placed.timetable.rooms.get(activity.id, "")


def _changes(placed: Placed, week: Week, day: int, where: WhereOf) -> list[tuple[int, int]]:
    """The changes of a day as (last hour in one place, first hour in the other)."""
    found, last = [], None
    for hour in sorted(week.taken[day]):
        place = where(placed, week.taken[day][hour])
        if not place:
            continue
        if last is not None and last[1] != place:
            found.append((last[0], hour))
        last = (hour, place)
    return found


def max_per_day(thing: str, where: WhereOf) -> Callable[[Placed, Week, Element], Iterator[Broken]]:
    """At most so many changes a day."""

    def rule(placed: Placed, week: Week, fields: Element) -> Iterator[Broken]:
        limit = fields.whole(f"Max_{thing}_Changes_Per_Day")
        for day in week.working_days():
            found = len(_changes(placed, week, day, where))
            if found > limit:
                yield (
                    N_("%(who)s changes the place %(found)s times on %(day)s; at most %(limit)s are allowed."),
                    {"who": week.name, "day": placed.day(day), "found": found, "limit": limit},
                )

    return rule


def max_per_week(thing: str, where: WhereOf) -> Callable[[Placed, Week, Element], Iterator[Broken]]:
    """At most so many changes a week; the night between two days is none."""

    def rule(placed: Placed, week: Week, fields: Element) -> Iterator[Broken]:
        limit = fields.whole(f"Max_{thing}_Changes_Per_Week")
        found = sum(len(_changes(placed, week, day, where)) for day in week.working_days())
        if found > limit:
            yield (
                N_("%(who)s changes the place %(found)s times in the week; at most %(limit)s are allowed."),
                {"who": week.name, "found": found, "limit": limit},
            )

    return rule


def min_gaps(thing: str, where: WhereOf) -> Callable[[Placed, Week, Element], Iterator[Broken]]:
    """So many free hours lie between the activities before and after a change."""

    def rule(placed: Placed, week: Week, fields: Element) -> Iterator[Broken]:
        limit = fields.whole(f"Min_Gaps_Between_{thing}_Changes")
        for day in week.working_days():
            for before, after in _changes(placed, week, day, where):
                if after - before - 1 < limit:
                    yield (
                        N_(
                            "%(who)s has %(found)s hours to change the place before %(when)s; at least %(limit)s are "
                            "asked for."
                        ),
                        {
                            "who": week.name,
                            "found": after - before - 1,
                            "when": placed.when((day, after)),
                            "limit": limit,
                        },
                    )

    return rule
