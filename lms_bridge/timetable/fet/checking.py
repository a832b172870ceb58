"""Whether a complete timetable keeps what a ``.fet`` file asks for; independent of the engine that solves it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from lms_bridge.timetable.fet.checker import basic, moves, preferred, relations, rooms, workload
from lms_bridge.timetable.fet.checker.violations import Broken, Verdict, Violation
from lms_bridge.timetable.fet.checker.weeks import Placed
from lms_bridge.timetable.fet.model import HARD, Constraint, School
from lms_bridge.timetable.fet.timetable import Timetable

Rule = Callable[[Placed, Constraint], Iterator[Broken]]

_RULES: dict[str, Rule] = {
    "BasicCompulsoryTime": basic.compulsory_time,
    "BreakTimes": basic.break_times,
    "TeacherNotAvailableTimes": basic.teacher_not_available,
    "StudentsSetNotAvailableTimes": basic.students_not_available,
    "MinDaysBetweenActivities": relations.min_days,
    "MaxDaysBetweenActivities": relations.max_days,
    "MinGapsBetweenActivities": relations.min_gaps,
    "ActivitiesSameStartingTime": relations.same_start,
    "ActivitiesSameStartingDay": relations.same_start,
    "ActivitiesSameStartingHour": relations.same_start,
    "ActivitiesNotOverlapping": relations.not_overlapping,
    "TwoActivitiesConsecutive": relations.consecutive,
    "TwoActivitiesGrouped": relations.grouped,
    "ThreeActivitiesGrouped": relations.grouped,
    "TwoActivitiesOrdered": relations.ordered,
    "TwoActivitiesOrderedIfSameDay": relations.ordered,
    "ActivityPreferredStartingTime": preferred.starting_time,
    "ActivityPreferredStartingTimes": preferred.starting_times,
    "ActivitiesPreferredStartingTimes": preferred.starting_times,
    "SubactivitiesPreferredStartingTimes": preferred.starting_times,
    "ActivityPreferredTimeSlots": preferred.time_slots,
    "ActivitiesPreferredTimeSlots": preferred.time_slots,
    "SubactivitiesPreferredTimeSlots": preferred.time_slots,
    "ActivityEndsStudentsDay": preferred.ends_day,
    "ActivitiesEndStudentsDay": preferred.ends_day,
    "ActivityBeginsStudentsDay": preferred.begins_day,
    "ActivitiesBeginStudentsDay": preferred.begins_day,
    "ActivitiesOccupyMaxTimeSlotsFromSelection": preferred.occupied_slots,
    "ActivitiesOccupyMinTimeSlotsFromSelection": preferred.occupied_slots,
    "ActivitiesMaxSimultaneousInSelectedTimeSlots": preferred.max_simultaneous,
    "ActivitiesMinSimultaneousInSelectedTimeSlots": preferred.min_simultaneous,
    "BasicCompulsorySpace": rooms.compulsory_space,
    "RoomNotAvailableTimes": rooms.not_available,
    "ActivitiesOccupyMaxDifferentRooms": rooms.few_rooms,
    "ActivitiesSameRoomIfConsecutive": rooms.same_room_if_consecutive,
    **{f"{what}PreferredRoom{s}": rooms.preferred
       for what in ("Activity", "Subject", "ActivityTag", "SubjectActivityTag") for s in ("", "s")},
    **{f"{who}HomeRoom{s}": rooms.home for who in ("Teacher", "StudentsSet") for s in ("", "s")},
}  # fmt: skip

_OF_WEEKS: dict[str, workload.Rule] = {
    "MaxDaysPerWeek": workload.max_days,
    "MinDaysPerWeek": workload.min_days,
    "MaxGapsPerWeek": workload.max_gaps_week,
    "MaxGapsPerDay": workload.max_gaps_day,
    "MaxHoursDaily": workload.max_hours,
    "MinHoursDaily": workload.min_hours,
    "MaxHoursContinuously": workload.max_continuous,
    "ActivityTagMaxHoursDaily": workload.max_tag_hours,
    "ActivityTagMaxHoursContinuously": workload.max_tag_continuous,
    "IntervalMaxDaysPerWeek": workload.interval_max_days,
    "EarlyMaxBeginningsAtSecondHour": workload.early,
    "MaxSpanPerDay": workload.max_span,
    "MinRestingHours": workload.min_resting,
    "MinGapsBetweenOrderedPairOfActivityTags": workload.tag_gaps,
    "MinGapsBetweenActivityTag": workload.tag_gaps,
    "MaxBuildingChangesPerDay": moves.max_per_day("Building", moves.building_of),
    "MaxBuildingChangesPerWeek": moves.max_per_week("Building", moves.building_of),
    "MinGapsBetweenBuildingChanges": moves.min_gaps("Building", moves.building_of),
    "MaxRoomChangesPerDay": moves.max_per_day("Room", moves.room_of),
    "MaxRoomChangesPerWeek": moves.max_per_week("Room", moves.room_of),
    "MinGapsBetweenRoomChanges": moves.min_gaps("Room", moves.room_of),
}

_NONE = frozenset({("Students", "MinDaysPerWeek"), ("StudentsSet", "MinDaysPerWeek")})
"""FET asks teachers alone for a least number of days, and students alone to begin early."""

_RULES |= {
    who + name: workload.for_each(rule)
    for name, rule in _OF_WEEKS.items()
    for who in ("Teacher", "Teachers", "StudentsSet", "Students")
    if (who.startswith("Students") or not name.startswith("Early")) and (who, name) not in _NONE
}

CHECKED_KINDS = frozenset(_RULES)
"""The kinds of constraints that can be checked, without the leading ``Constraint``."""


def check_timetable(school: School, timetable: Timetable) -> Verdict:
    """Everything that the timetable breaks, hard constraints and wishes apart, each with a sentence.

    Constraints of kinds that are not known, and those of the file's mode other than Official, are counted as
    unsupported: nothing is said about them. Wishes of weight 0 are reported like the others, as FET does.
    """
    placed = Placed(school, timetable)
    found = [Violation("BasicCompulsoryTime", HARD, False, 0, *broken) for broken in basic.unplaced(placed)]
    unsupported: Counter[str] = Counter()
    unsupported_hard: Counter[str] = Counter()
    if school.mode != "Official":
        unsupported[f"Mode {school.mode}"] += 1
        unsupported_hard[f"Mode {school.mode}"] += 1
    for constraint in school.active_constraints():
        rule = _RULES.get(constraint.kind)
        if rule is None:
            unsupported[constraint.kind] += 1
            if constraint.hard:
                unsupported_hard[constraint.kind] += 1
            continue
        found += [
            Violation(constraint.kind, constraint.weight, constraint.space, constraint.row, *broken)
            for broken in rule(placed, constraint)
        ]
    return Verdict(
        hard=tuple(v for v in found if v.hard),
        soft=tuple(v for v in found if not v.hard),
        unsupported=dict(unsupported),
        unsupported_hard=dict(unsupported_hard),
    )
