"""Rules about when an activity may be held: times that are closed, and preferred times."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from lms_bridge.timetable.fet.draft import Draft, chance
from lms_bridge.timetable.fet.model import Constraint

Rule = Callable[[Draft, Constraint], None]


def break_times(draft: Draft, constraint: Constraint) -> None:
    """Nobody has an activity in these slots."""
    closed = draft.slots(constraint.fields.nested("Break_Time"))
    draft.pauses |= closed
    for number in range(len(draft.activities)):
        draft.refuse(number, draft.covering(number, closed), chance(constraint))


def teacher_away(draft: Draft, constraint: Constraint) -> None:
    """A teacher has no activity in these slots."""
    teacher = constraint.fields.text("Teacher")
    closed = draft.slots(constraint.fields.nested("Not_Available_Time"))
    draft.closed.setdefault(("teacher", teacher), set()).update(closed)
    for number, activity in enumerate(draft.activities):
        if teacher in activity.teachers:
            draft.refuse(number, draft.covering(number, closed), chance(constraint))


def students_away(draft: Draft, constraint: Constraint) -> None:
    """A students set, with all its parts, has no activity in these slots."""
    leaves = frozenset(draft.school.students[constraint.fields.text("Students")].leaves)
    closed = draft.slots(constraint.fields.nested("Not_Available_Time"))
    for leaf in leaves:
        draft.closed.setdefault(("students", leaf), set()).update(closed)
    for number, own in enumerate(draft.leaves):
        if not leaves.isdisjoint(own):
            draft.refuse(number, draft.covering(number, closed), chance(constraint))


def _only_start(draft: Draft, constraint: Constraint, numbers: Iterable[int], allowed: set[int]) -> None:
    others = set(range(draft.refused.shape[1])) - allowed
    for number in numbers:
        draft.refuse(number, others, chance(constraint))


def _only_within(draft: Draft, constraint: Constraint, numbers: Iterable[int], allowed: set[int]) -> None:
    others = set(range(draft.refused.shape[1])) - allowed
    for number in numbers:
        draft.refuse(number, draft.covering(number, others), chance(constraint))


def preferred_start(draft: Draft, constraint: Constraint) -> None:
    """One activity starts at this time; a missing day or hour leaves it open."""
    allowed = draft.slots([constraint.fields], "Preferred_Day", "Preferred_Hour")
    _only_start(draft, constraint, draft.numbers(constraint), allowed)


def preferred_starts(draft: Draft, constraint: Constraint) -> None:
    """One activity starts at one of these times."""
    allowed = _starts(draft, constraint)
    _only_start(draft, constraint, draft.numbers(constraint), allowed)


def all_preferred_starts(draft: Draft, constraint: Constraint) -> None:
    """The activities that filters choose start at one of these times."""
    _only_start(draft, constraint, draft.matching(constraint), _starts(draft, constraint))


def part_preferred_starts(draft: Draft, constraint: Constraint) -> None:
    """As above, for the n-th part of split activities only."""
    _only_start(draft, constraint, _parts(draft, constraint), _starts(draft, constraint))


def preferred_slots(draft: Draft, constraint: Constraint) -> None:
    """One activity is held within these slots."""
    _only_within(draft, constraint, draft.numbers(constraint), _within(draft, constraint))


def all_preferred_slots(draft: Draft, constraint: Constraint) -> None:
    """The activities that filters choose are held within these slots."""
    _only_within(draft, constraint, draft.matching(constraint), _within(draft, constraint))


def part_preferred_slots(draft: Draft, constraint: Constraint) -> None:
    """As above, for the n-th part of split activities only."""
    _only_within(draft, constraint, _parts(draft, constraint), _within(draft, constraint))


def _starts(draft: Draft, constraint: Constraint) -> set[int]:
    found = constraint.fields.nested("Preferred_Starting_Time")
    return draft.slots(found, "Preferred_Starting_Day", "Preferred_Starting_Hour")


def _within(draft: Draft, constraint: Constraint) -> set[int]:
    return draft.slots(constraint.fields.nested("Preferred_Time_Slot"), "Preferred_Day", "Preferred_Hour")


def _parts(draft: Draft, constraint: Constraint) -> list[int]:
    """The activities chosen that are the n-th part of their split activity, in the order of the file."""
    wanted = constraint.fields.whole("Component_Number")
    seen: dict[int, int] = {}
    component: dict[int, int] = {}
    for activity in draft.school.activities:
        if activity.group:
            seen[activity.group] = component[activity.id] = seen.get(activity.group, 0) + 1
        else:
            component[activity.id] = 1
    return [number for number in draft.matching(constraint) if component[draft.activities[number].id] == wanted]


TIMES: dict[str, Rule] = {
    "BreakTimes": break_times,
    "TeacherNotAvailableTimes": teacher_away,
    "StudentsSetNotAvailableTimes": students_away,
    "ActivityPreferredStartingTime": preferred_start,
    "ActivityPreferredDay": preferred_start,
    "ActivityPreferredStartingTimes": preferred_starts,
    "ActivitiesPreferredStartingTimes": all_preferred_starts,
    "SubactivitiesPreferredStartingTimes": part_preferred_starts,
    "ActivityPreferredTimeSlots": preferred_slots,
    "ActivitiesPreferredTimeSlots": all_preferred_slots,
    "SubactivitiesPreferredTimeSlots": part_preferred_slots,
}
