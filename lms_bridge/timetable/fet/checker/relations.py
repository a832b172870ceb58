"""How activities stand to each other: days and gaps between them, the same time, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise

from lms_bridge.core.i18n import N_
from lms_bridge.timetable.fet.checker.violations import Broken
from lms_bridge.timetable.fet.checker.weeks import Placed
from lms_bridge.timetable.fet.model import Activity, Constraint

_TWO = ("First_Activity_Id", "Second_Activity_Id")
_THREE = (*_TWO, "Third_Activity_Id")


def _pair(placed: Placed, one: Activity, other: Activity) -> dict[str, object]:
    return {
        "one": placed.what(one),
        "one_when": placed.when(placed.start(one)),
        "other": placed.what(other),
        "other_when": placed.when(placed.start(other)),
    }


def min_days(placed: Placed, constraint: Constraint) -> Iterator[Broken]:
    """So many days lie between any two; where they may share a day, they stand one after the other."""
    least, joined = constraint.fields.whole("MinDays"), constraint.fields.flag("Consecutive_If_Same_Day")
    for one, other in combinations(placed.named(constraint), 2):
        apart = abs(placed.start(one)[0] - placed.start(other)[0])
        if apart >= least:
            continue
        if apart == 0 and joined and not constraint.hard and not _adjoin(placed, one, other):
            yield (
                N_(
                    "Activities %(one)s (%(one_when)s) and %(other)s (%(other_when)s) are on one day and not "
                    "one after the other."
                ),
                _pair(placed, one, other),
            )
        else:
            yield (
                N_(
                    "Activities %(one)s (%(one_when)s) and %(other)s (%(other_when)s) are %(found)s days apart; "
                    "at least %(limit)s are asked for."
                ),
                _pair(placed, one, other) | {"found": apart, "limit": least},
            )


def max_days(placed: Placed, constraint: Constraint) -> Iterator[Broken]:
    """At most so many days lie between any two."""
    most = constraint.fields.whole("MaxDays")
    for one, other in combinations(placed.named(constraint), 2):
        apart = abs(placed.start(one)[0] - placed.start(other)[0])
        if apart > most:
            yield (
                N_(
                    "Activities %(one)s (%(one_when)s) and %(other)s (%(other_when)s) are %(found)s days apart; "
                    "at most %(limit)s are allowed."
                ),
                _pair(placed, one, other) | {"found": apart, "limit": most},
            )


def min_gaps(placed: Placed, constraint: Constraint) -> Iterator[Broken]:
    """On one day so many hours lie between the end of one and the beginning of the other."""
    least = constraint.fields.whole("MinGaps")
    for one, other in combinations(placed.named(constraint), 2):
        first, second = sorted((one, other), key=placed.start)
        if placed.start(first)[0] != placed.start(second)[0]:
            continue
        between = placed.start(second)[1] - placed.start(first)[1] - first.duration
        if between < least:
            yield (
                N_(
                    "Activities %(one)s (%(one_when)s) and %(other)s (%(other_when)s) have %(found)s hours between "
                    "them; at least %(limit)s are asked for."
                ),
                _pair(placed, first, second) | {"found": max(between, 0), "limit": least},
            )


def same_start(placed: Placed, constraint: Constraint) -> Iterator[Broken]:
    """All start at the same time, on the same day or in the same hour."""
    parts = {
        "ActivitiesSameStartingTime": (0, 1),
        "ActivitiesSameStartingDay": (0,),
        "ActivitiesSameStartingHour": (1,),
    }
    message = {
        "ActivitiesSameStartingTime": N_(
            "Activities %(one)s (%(one_when)s) and %(other)s (%(other_when)s) do not start at the same time."
        ),
        "ActivitiesSameStartingDay": N_(
            "Activities %(one)s (%(one_when)s) and %(other)s (%(other_when)s) are not on the same day."
        ),
        "ActivitiesSameStartingHour": N_(
            "Activities %(one)s (%(one_when)s) and %(other)s (%(other_when)s) do not start in the same hour."
        ),
    }[constraint.kind]
    activities = placed.named(constraint)
    for other in activities[1:]:
        one = activities[0]
        if any(placed.start(one)[part] != placed.start(other)[part] for part in parts[constraint.kind]):
            yield message, _pair(placed, one, other)


def not_overlapping(placed: Placed, constraint: Constraint) -> Iterator[Broken]:
    """No two share an hour."""
    for one, other in combinations(placed.named(constraint), 2):
        if set(placed.slots(one)) & set(placed.slots(other)):
            yield (
                N_("Activities %(one)s (%(one_when)s) and %(other)s (%(other_when)s) overlap."),
                _pair(placed, one, other),
            )


def _follows(placed: Placed, first: Activity, second: Activity) -> bool:
    """Whether the second comes next after the first on the same day; only breaks may lie between."""
    (day, hour), (other_day, other_hour) = placed.start(first), placed.start(second)
    end = hour + first.duration
    return day == other_day and other_hour >= end and placed.only_closed(day, end, other_hour)


def _adjoin(placed: Placed, one: Activity, other: Activity) -> bool:
    return _follows(placed, one, other) or _follows(placed, other, one)


def consecutive(placed: Placed, constraint: Constraint) -> Iterator[Broken]:
    """The second comes next after the first."""
    activities = placed.named(constraint, *_TWO)
    if len(activities) == 2 and not _follows(placed, *activities):
        yield (
            N_("Activity %(other)s (%(other_when)s) does not come next after %(one)s (%(one_when)s)."),
            _pair(placed, *activities),
        )


def grouped(placed: Placed, constraint: Constraint) -> Iterator[Broken]:
    """Two or three stand one after the other on one day, in any order."""
    activities = sorted(placed.named(constraint, *_THREE), key=placed.start)
    if len(activities) != (3 if constraint.kind.startswith("Three") else 2):
        return
    for one, other in pairwise(activities):
        if not _follows(placed, one, other):
            yield (
                N_("Activities %(one)s (%(one_when)s) and %(other)s (%(other_when)s) do not stand side by side."),
                _pair(placed, one, other),
            )


def ordered(placed: Placed, constraint: Constraint) -> Iterator[Broken]:
    """The first has ended when the second begins: in the week, or only if they share a day."""
    activities = placed.named(constraint, *_TWO)
    if len(activities) != 2:
        return
    (day, hour), (other_day, other_hour) = (placed.start(activity) for activity in activities)
    if constraint.kind.endswith("IfSameDay") and day != other_day:
        return
    if (other_day, other_hour) < (day, hour + activities[0].duration):
        yield (
            N_("Activity %(other)s (%(other_when)s) does not come after %(one)s (%(one_when)s)."),
            _pair(placed, *activities),
        )
