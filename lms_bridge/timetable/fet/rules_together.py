"""Rules about several activities: days between them, the same time, one after the other, few slots."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations

from lms_bridge.timetable.engine import arrays
from lms_bridge.timetable.engine.arrays import SURE
from lms_bridge.timetable.engine.problem import Pair, SlotGroup
from lms_bridge.timetable.fet.draft import Draft, chance
from lms_bridge.timetable.fet.model import Constraint

Rule = Callable[[Draft, Constraint], None]
_NAMED = ("First_Activity_Id", "Second_Activity_Id", "Third_Activity_Id")


def _pair(draft: Draft, first: int, second: int, kind: int, amount: int, check: int) -> None:
    own, other = draft.activities[first].duration, draft.activities[second].duration
    draft.pairs.append(Pair(first, second, kind, amount, own, other, check))


def _each_pair(kind: int, amount: str = "") -> Rule:
    """A rule that holds for every two of the activities named."""

    def rule(draft: Draft, constraint: Constraint) -> None:
        value = constraint.fields.whole(amount) if amount else 0
        for first, second in combinations(draft.numbers(constraint), 2):
            _pair(draft, first, second, kind, value, chance(constraint))

    return rule


def _ordered_pair(kind: int) -> Rule:
    """A rule about a first and a second activity."""

    def rule(draft: Draft, constraint: Constraint) -> None:
        numbers = draft.numbers(constraint, *_NAMED[:2])
        if len(numbers) == 2:
            _pair(draft, numbers[0], numbers[1], kind, 0, chance(constraint))

    return rule


def min_days(draft: Draft, constraint: Constraint) -> None:
    """So many days between any two; where a soft rule lets two share a day, they may have to be consecutive."""
    _each_pair(arrays.MIN_DAYS_APART, "MinDays")(draft, constraint)
    if not constraint.hard and constraint.fields.flag("Consecutive_If_Same_Day"):
        for first, second in combinations(draft.numbers(constraint), 2):
            _pair(draft, first, second, arrays.ADJACENT_ON_SAME_DAY, 0, SURE)


def same_start(draft: Draft, constraint: Constraint) -> None:
    """All start together: as one unit where the rule is hard."""
    if constraint.hard:
        draft.together.append(draft.numbers(constraint))
    else:
        _each_pair(arrays.SAME_START)(draft, constraint)


def not_overlapping(draft: Draft, constraint: Constraint) -> None:
    """No two at the same time: as a resource that one can have where the rule is hard."""
    if constraint.hard:
        draft.apart.append(draft.numbers(constraint))
    else:
        _each_pair(arrays.NO_OVERLAP)(draft, constraint)


def tags_not_overlapping(draft: Draft, constraint: Constraint) -> None:
    """Activities with different ones of these tags are not held at the same time."""
    tags = constraint.fields.texts("Activity_Tag")
    by_tag = [[n for n, activity in enumerate(draft.activities) if tag in activity.tags] for tag in tags]
    for some, others in combinations(by_tag, 2):
        for first in some:
            for second in others:
                if first != second:
                    _pair(draft, first, second, arrays.NO_OVERLAP, 0, chance(constraint))


def three_grouped(draft: Draft, constraint: Constraint) -> None:
    """Three activities in a row on one day, in any order."""
    numbers = draft.numbers(constraint, *_NAMED)
    if len(numbers) == 2:
        _pair(draft, numbers[0], numbers[1], arrays.ADJACENT, 0, chance(constraint))
    if len(numbers) == 3:
        for left in range(3):
            first, second = (n for place, n in enumerate(numbers) if place != left)
            amount = draft.activities[numbers[left]].duration
            _pair(draft, first, second, arrays.BLOCK_OF_THREE, amount, chance(constraint))


def _slot_group(kind: int, most: str) -> Rule:
    """A rule about the selected slots that a set of activities uses."""

    def rule(draft: Draft, constraint: Constraint) -> None:
        found = constraint.fields.nested("Selected_Time_Slot")
        members = tuple((n, draft.activities[n].duration) for n in draft.numbers(constraint))
        draft.groups.append(
            SlotGroup(
                kind,
                constraint.fields.whole(most),
                frozenset(draft.slots(found, "Selected_Day", "Selected_Hour")),
                members,
                chance(constraint),
            )
        )

    return rule


def ends_day(draft: Draft, constraint: Constraint) -> None:
    """Nothing follows these activities on the day of their students."""
    draft.ending.update(_ending(draft, constraint))


def _ending(draft: Draft, constraint: Constraint) -> Iterator[int]:
    if constraint.fields.has("Activity_Id"):
        yield from draft.numbers(constraint)
    else:
        yield from draft.matching(constraint)


TOGETHER: dict[str, Rule] = {
    "MinDaysBetweenActivities": min_days,
    "MaxDaysBetweenActivities": _each_pair(arrays.MAX_DAYS_APART, "MaxDays"),
    "MinGapsBetweenActivities": _each_pair(arrays.MIN_GAP, "MinGaps"),
    "ActivitiesSameStartingTime": same_start,
    "ActivitiesSameStartingDay": _each_pair(arrays.SAME_DAY),
    "ActivitiesSameStartingHour": _each_pair(arrays.SAME_HOUR),
    "ActivitiesNotOverlapping": not_overlapping,
    "ActivityTagsNotOverlapping": tags_not_overlapping,
    "TwoActivitiesConsecutive": _ordered_pair(arrays.FOLLOWED_BY),
    "TwoActivitiesGrouped": _ordered_pair(arrays.ADJACENT),
    "TwoActivitiesOrdered": _ordered_pair(arrays.BEFORE),
    "TwoActivitiesOrderedIfSameDay": _ordered_pair(arrays.BEFORE_IF_SAME_DAY),
    "ThreeActivitiesGrouped": three_grouped,
    "ActivitiesOccupyMaxTimeSlotsFromSelection": _slot_group(
        arrays.MAX_SLOTS_USED, "Max_Number_of_Occupied_Time_Slots"
    ),
    "ActivitiesMaxSimultaneousInSelectedTimeSlots": _slot_group(
        arrays.MAX_AT_ONCE, "Max_Number_of_Simultaneous_Activities"
    ),
    "ActivityEndsStudentsDay": ends_day,
    "ActivitiesEndStudentsDay": ends_day,
}
