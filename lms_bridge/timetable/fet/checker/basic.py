"""Everybody in one place at a time, within the hours in which they are there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from lms_bridge.core.i18n import N_
from lms_bridge.timetable.fet.checker.violations import Broken
from lms_bridge.timetable.fet.checker.weeks import Placed, Weeks
from lms_bridge.timetable.fet.model import Activity, Constraint
from lms_bridge.timetable.fet.timetable import Slot


def unplaced(placed: Placed) -> Iterator[Broken]:
    """Activities without a start, or with one that does not leave room for them before the day ends."""
    for activity in placed.school.active_activities():
        if activity.id in placed.placed_ids:
            continue
        if activity.id not in placed.timetable.starts:
            yield N_("Activity %(what)s is not placed."), {"what": placed.what(activity)}
        else:
            yield N_("Activity %(what)s does not fit into the day where it starts."), {"what": placed.what(activity)}


def compulsory_time(placed: Placed, constraint: Constraint) -> Iterator[Broken]:
    """No teacher and no students set is in two activities at once."""
    yield from _overlaps(placed, placed.teachers)
    yield from _overlaps(placed, placed.leaves)


def _overlaps(placed: Placed, weeks: Weeks) -> Iterator[Broken]:
    for name, week in weeks.items():
        seen: set[tuple[int, int]] = set()
        for slot, activities in _by_slot(placed, week.activities).items():
            for one, other in pairwise(activities):
                if (one.id, other.id) not in seen:
                    seen.add((one.id, other.id))
                    yield (
                        N_("%(who)s has activities %(one)s and %(other)s at the same time, on %(when)s."),
                        {
                            "who": name,
                            "one": placed.what(one),
                            "other": placed.what(other),
                            "when": placed.when(slot),
                        },
                    )


def _by_slot(placed: Placed, activities: list[Activity]) -> dict[Slot, list[Activity]]:
    found: defaultdict[Slot, list[Activity]] = defaultdict(list)
    for activity in activities:
        for slot in placed.slots(activity):
            found[slot].append(activity)
    return found


def break_times(placed: Placed, constraint: Constraint) -> Iterator[Broken]:
    """Nothing takes place in a break."""
    closed = set(placed.listed(constraint, "Break_Time"))
    for activity in placed.activities:
        for slot in placed.slots(activity):
            if slot in closed:
                yield (
                    N_("Activity %(what)s takes place in the break on %(when)s."),
                    {"what": placed.what(activity), "when": placed.when(slot)},
                )


def teacher_not_available(placed: Placed, constraint: Constraint) -> Iterator[Broken]:
    """A teacher is not asked to teach when absent."""
    name = constraint.fields.text("Teacher")
    yield from _absent(placed, name, placed.teachers[name].activities, placed.listed(constraint, "Not_Available_Time"))


def students_not_available(placed: Placed, constraint: Constraint) -> Iterator[Broken]:
    """No part of a students set has an activity when the set is not there."""
    name = constraint.fields.text("Students")
    activities: dict[int, Activity] = {}
    for leaf in placed.school.students[name].leaves:
        activities |= {activity.id: activity for activity in placed.leaves[leaf].activities}
    yield from _absent(placed, name, list(activities.values()), placed.listed(constraint, "Not_Available_Time"))


def _absent(placed: Placed, name: str, activities: list[Activity], times: list[Slot]) -> Iterator[Broken]:
    closed = set(times)
    for activity in activities:
        for slot in placed.slots(activity):
            if slot in closed:
                yield (
                    N_("%(who)s is not available on %(when)s, when activity %(what)s takes place."),
                    {"who": name, "when": placed.when(slot), "what": placed.what(activity)},
                )
