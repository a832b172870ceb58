"""Where activities may stand in the week, and how many may stand in chosen slots."""

from __future__ import annotations

from collections.abc import Iterator

from lms_bridge.core.i18n import N_
from lms_bridge.timetable.fet.checker.violations import Broken
from lms_bridge.timetable.fet.checker.weeks import Placed
from lms_bridge.timetable.fet.model import Activity, Constraint
from lms_bridge.timetable.fet.timetable import Slot

_STARTS = ("Preferred_Starting_Time", "Preferred_Starting_Day", "Preferred_Starting_Hour")
_SLOTS = ("Preferred_Time_Slot", "Preferred_Day", "Preferred_Hour")
_SELECTED = ("Selected_Time_Slot", "Selected_Day", "Selected_Hour")


def meant(placed: Placed, constraint: Constraint) -> list[Activity]:
    """The activities that a constraint means: one by its id, or all that fit its teacher, students, subject ..."""
    fields = constraint.fields
    if fields.has("Activity_Id"):
        return placed.named(constraint)
    teacher, students = fields.text("Teacher_Name"), fields.text("Students_Name")
    subject, tag = fields.text("Subject_Name"), fields.text("Activity_Tag_Name")
    duration, component = fields.text("Duration"), fields.text("Component_Number")
    leaves = set(placed.school.students[students].leaves) if students else set()
    return [
        activity
        for activity in placed.activities
        if (not teacher or teacher in activity.teachers)
        and (not students or leaves & set(placed.school.leaves_of(activity)))
        and (not subject or subject == activity.subject)
        and (not tag or tag in activity.tags)
        and (not duration or int(duration) == activity.duration)
        and (not component or int(component) == _component(activity))
    ]


def _component(activity: Activity) -> int:
    """Which part of a split activity it is, from 1: FET numbers the parts by their ids."""
    return activity.id - activity.group + 1 if activity.group else 1


def starting_time(placed: Placed, constraint: Constraint) -> Iterator[Broken]:
    """One activity starts on one day, in one hour, or both."""
    day, hour = constraint.fields.text("Preferred_Day"), constraint.fields.text("Preferred_Hour")
    for activity in placed.named(constraint):
        start = placed.start(activity)
        if (day and placed.school.day_index[day] != start[0]) or (hour and placed.school.hour_index[hour] != start[1]):
            yield (
                N_("Activity %(what)s starts on %(when)s instead of %(wanted)s."),
                {"what": placed.what(activity), "when": placed.when(start), "wanted": f"{day} {hour}".strip()},
            )


def starting_times(placed: Placed, constraint: Constraint) -> Iterator[Broken]:
    """The activities start in listed slots only."""
    allowed = set(placed.listed(constraint, *_STARTS))
    for activity in meant(placed, constraint):
        start = placed.start(activity)
        if start not in allowed:
            yield (
                N_("Activity %(what)s starts on %(when)s, which is not among its %(count)s starting times."),
                {"what": placed.what(activity), "when": placed.when(start), "count": len(allowed)},
            )


def time_slots(placed: Placed, constraint: Constraint) -> Iterator[Broken]:
    """The activities lie in listed slots with all of their hours."""
    allowed = set(placed.listed(constraint, *_SLOTS))
    for activity in meant(placed, constraint):
        outside = next((slot for slot in placed.slots(activity) if slot not in allowed), None)
        if outside is not None:
            yield (
                N_("Activity %(what)s takes %(when)s, which is not among its %(count)s time slots."),
                {"what": placed.what(activity), "when": placed.when(outside), "count": len(allowed)},
            )


def ends_day(placed: Placed, constraint: Constraint) -> Iterator[Broken]:
    """Nothing follows the activities on the day of their students."""
    for activity in meant(placed, constraint):
        day, hour = placed.start(activity)
        for leaf in placed.school.leaves_of(activity):
            last = max(placed.leaves[leaf].taken[day])
            if last >= hour + activity.duration:
                yield (
                    N_("Activity %(what)s does not end the day of %(who)s, who have lessons until %(when)s."),
                    {"what": placed.what(activity), "who": leaf, "when": placed.when((day, last))},
                )
                break


def begins_day(placed: Placed, constraint: Constraint) -> Iterator[Broken]:
    """Nothing comes before the activities on the day of their students."""
    for activity in meant(placed, constraint):
        day, hour = placed.start(activity)
        for leaf in placed.school.leaves_of(activity):
            first = min(placed.leaves[leaf].taken[day])
            if first < hour:
                yield (
                    N_("Activity %(what)s does not begin the day of %(who)s, who have lessons from %(when)s."),
                    {"what": placed.what(activity), "who": leaf, "when": placed.when((day, first))},
                )
                break


def _together(placed: Placed, constraint: Constraint) -> dict[Slot, int]:
    """How many of the constraint's activities stand in each of its slots."""
    counts = dict.fromkeys(placed.listed(constraint, *_SELECTED), 0)
    for activity in placed.named(constraint):
        for slot in placed.slots(activity):
            if slot in counts:
                counts[slot] += 1
    return counts


def occupied_slots(placed: Placed, constraint: Constraint) -> Iterator[Broken]:
    """The activities take at most, or at least, so many of the chosen slots."""
    taken = sum(count > 0 for count in _together(placed, constraint).values())
    if constraint.kind.endswith("MaxTimeSlotsFromSelection"):
        limit = constraint.fields.whole("Max_Number_of_Occupied_Time_Slots")
        if taken > limit:
            yield (
                N_("%(count)s activities take %(found)s of the chosen time slots; at most %(limit)s are allowed."),
                {"count": len(placed.named(constraint)), "found": taken, "limit": limit},
            )
    else:
        limit = constraint.fields.whole("Min_Number_of_Occupied_Time_Slots")
        if taken < limit:
            yield (
                N_("%(count)s activities take %(found)s of the chosen time slots; at least %(limit)s are asked for."),
                {"count": len(placed.named(constraint)), "found": taken, "limit": limit},
            )


def max_simultaneous(placed: Placed, constraint: Constraint) -> Iterator[Broken]:
    """At most so many of the activities stand in each chosen slot."""
    limit = constraint.fields.whole("Max_Number_of_Simultaneous_Activities")
    for slot, found in _together(placed, constraint).items():
        if found > limit:
            yield (
                N_("%(found)s of the chosen activities take place on %(when)s; at most %(limit)s are allowed."),
                {"found": found, "when": placed.when(slot), "limit": limit},
            )


def min_simultaneous(placed: Placed, constraint: Constraint) -> Iterator[Broken]:
    """At least so many of the activities stand in each chosen slot (or none, where that is allowed)."""
    limit = constraint.fields.whole("Min_Number_of_Simultaneous_Activities")
    empty = constraint.fields.flag("Allow_Empty_Slots")
    for slot, found in _together(placed, constraint).items():
        if found < limit and not (empty and found == 0):
            yield (
                N_("%(found)s of the chosen activities take place on %(when)s; at least %(limit)s are asked for."),
                {"found": found, "when": placed.when(slot), "limit": limit},
            )
