"""Timetables of small schools: every honoured rule is kept, and the same seed gives the same timetable."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lms_bridge.timetable.fet.reading import read_fet
from lms_bridge.timetable.fet.rules import not_honoured
from lms_bridge.timetable.fet.solving import FetSolution, solve_fet
from tests.timetable.fet.fet_text import activity, element, fet_text, rule, times

SEVEN = [activity(n, "T1", "A", subject="S") for n in range(1, 8)]


def solved(data: bytes, **kw: object) -> FetSolution:
    """The timetable of a school that has one."""
    solution = solve_fet(read_fet(data), seconds=60, **kw)  # type: ignore[arg-type]
    assert solution.unplaced == ()
    return solution


def hours_of_days(solution: FetSolution, ids: range) -> dict[int, list[int]]:
    """The hours of some activities of one hour, day by day."""
    days: dict[int, list[int]] = {}
    for day, hour in sorted(solution.starts[n] for n in ids):
        days.setdefault(day, []).append(hour)
    return days


def test_students_without_gaps_begin_with_the_first_hour():
    time = [
        rule("StudentsMaxGapsPerWeek", ("Max_Gaps", 0)),
        rule("StudentsEarlyMaxBeginningsAtSecondHour", ("Max_Beginnings_At_Second_Hour", 0)),
        rule("StudentsMaxHoursDaily", ("Maximum_Hours_Daily", 3)),
        rule("StudentsMinHoursDaily", ("Minimum_Hours_Daily", 2), ("Allow_Empty_Days", "true")),
    ]
    for hours in hours_of_days(solved(fet_text(SEVEN, time=time)), range(1, 8)).values():
        assert hours in ([0, 1], [0, 1, 2])


def test_a_teachers_week_has_few_days_and_short_runs():
    time = [
        rule("TeacherMaxDaysPerWeek", ("Teacher_Name", "T1"), ("Max_Days_Per_Week", 3)),
        rule("TeachersMaxHoursContinuously", ("Maximum_Hours_Continuously", 2)),
        rule("TeacherMaxGapsPerDay", ("Teacher_Name", "T1"), ("Max_Gaps", 1)),
    ]
    days = hours_of_days(solved(fet_text(SEVEN, time=time)), range(1, 8))
    assert len(days) <= 3
    for hours in days.values():
        assert len(hours) <= 3
        assert hours[-1] - hours[0] + 1 - len(hours) <= 1


def test_activities_keep_to_each_other():
    activities = [activity(n, f"T{1 + n % 3}", "AB"[n % 2], hours=1 + (n == 4)) for n in range(1, 9)]
    ids = lambda *numbers: [("Activity_Id", n) for n in numbers]  # noqa: E731
    two = lambda a, b: [("First_Activity_Id", a), ("Second_Activity_Id", b)]  # noqa: E731
    time = [
        rule("ActivitiesSameStartingTime", *ids(1, 2)),
        rule("MinDaysBetweenActivities", *ids(1, 3, 5), ("MinDays", 2)),
        rule("TwoActivitiesConsecutive", *two(4, 6)),
        rule("TwoActivitiesOrdered", *two(7, 8)),
        rule("ActivitiesNotOverlapping", *ids(5, 6)),
        rule("ActivityEndsStudentsDay", ("Activity_Id", 3)),
        rule("ActivityPreferredTimeSlots", ("Activity_Id", 7),
             *times("Preferred_Time_Slot", [(2, 2), (3, 3)], "Preferred_Day", "Preferred_Hour")),
    ]  # fmt: skip
    starts = solved(fet_text(activities, time=time)).starts
    assert starts[1] == starts[2]
    days = sorted(starts[n][0] for n in (1, 3, 5))
    assert days[1] - days[0] >= 2
    assert days[2] - days[1] >= 2
    assert starts[6] == (starts[4][0], starts[4][1] + 2)
    assert starts[7] < starts[8]
    assert starts[5] != starts[6]
    assert all(starts[n] < starts[3] for n in (1, 5, 7) if starts[n][0] == starts[3][0])
    assert starts[7] in ((2, 2), (3, 3))


def test_rooms_are_chosen_among_those_allowed_and_never_shared():
    activities = [activity(n, f"T{n}", "ABC"[n - 1]) for n in (1, 2, 3)]
    preferred = rule("SubjectPreferredRooms", ("Subject", "S"), ("Preferred_Room", "R1"), ("Preferred_Room", "R2"))
    away = rule("RoomNotAvailableTimes", ("Room", "R2"), *times("Not_Available_Time", [(0, 0)]))
    school = fet_text(activities, days=1, hours=2, students="ABC", rooms=["R1", "R2", "R3"], space=[preferred, away])
    solution = solved(school)
    used = [(solution.rooms[n], solution.starts[n]) for n in (1, 2, 3)]
    assert len(set(used)) == 3
    assert {room for room, _ in used} <= {"R1", "R2"}
    assert ("R2", (0, 0)) not in used


def test_a_home_room_yields_to_a_room_that_is_named():
    activities = [activity(1, "T1", "A"), activity(2, "T1", "A", subject="Sport")]
    space = [
        rule("StudentsSetHomeRoom", ("Students", "A"), ("Room", "R1")),
        rule("SubjectPreferredRoom", ("Subject", "Sport"), ("Room", "R2")),
    ]
    assert solved(fet_text(activities, rooms=["R1", "R2"], space=space)).rooms == {1: "R1", 2: "R2"}


def test_a_wish_that_cannot_be_granted_stops_nothing():
    time = [
        rule("TeachersMaxHoursDaily", ("Maximum_Hours_Daily", 1), weight=95),
        rule("ActivityPreferredStartingTimes", ("Activity_Id", 1), weight=99),
    ]
    solved(fet_text([activity(1, "T1", "A", hours=2), activity(2, "T1", "B", hours=2)], time=time))


def test_what_has_no_place_is_named_and_the_rest_is_placed():
    school = read_fet(fet_text([*SEVEN, activity(8, "T2", "B", hours=5)]))
    solution = solve_fet(school, seconds=20)
    assert solution.unplaced == (8,)
    assert solution.impossible == (8,)


def test_a_search_ends_when_it_is_cancelled_or_its_calls_are_used_up():
    full = [activity(n, "T1", "A") for n in range(1, 22)]
    told: list[int] = []
    school = read_fet(fet_text(full))
    solution = solve_fet(school, seconds=60, progress=lambda now: told.append(now.units), cancelled=lambda: True)
    assert told == [21]
    assert len(solution.unplaced) == 1
    assert len(solve_fet(school, seconds=60, calls=500).unplaced) == 1


def test_unsupported_constraints_are_counted_and_never_dropped_silently():
    odd = rule("TeacherMaxMorningsPerWeek", ("Teacher_Name", "T1"), ("Max_Mornings_Per_Week", 2))
    school = read_fet(fet_text(SEVEN, time=[odd, odd, rule("TeacherMinRestingHours", weight=50)]))
    assert [(found.kind, found.count, found.hard) for found in not_honoured(school)] == [
        ("TeacherMaxMorningsPerWeek", 2, 2),
        ("TeacherMinRestingHours", 1, 0),
    ]


@pytest.mark.parametrize("seed", [1, 2])
def test_the_same_seed_gives_the_same_timetable(seed: int):
    school = read_fet(fet_text([activity(n, f"T{1 + n % 3}", "AB"[n % 2]) for n in range(1, 30)]))
    first, second = (solve_fet(school, seed=seed, calls=20_000) for _ in range(2))
    assert (first.starts, first.rooms, first.tries) == (second.starts, second.rooms, second.tries)


@st.composite
def schools(draw: st.DrawFn) -> tuple[bytes, dict[str, object]]:
    """A school that has a timetable: one is made by chance, and the rules are read off it."""
    days, hours = draw(st.integers(2, 4)), draw(st.integers(2, 4))
    count = draw(st.integers(4, 18))
    taken: set[tuple[str, int]] = set()
    planted: dict[int, tuple[str, str, int]] = {}
    for number in range(1, count + 1):
        teacher, group = f"T{draw(st.integers(1, 3))}", draw(st.sampled_from("ABC"))
        slot = draw(st.integers(0, days * hours - 1))
        if (teacher, slot) not in taken and (group, slot) not in taken:
            taken |= {(teacher, slot), (group, slot)}
            planted[number] = (teacher, group, slot)
    away = {
        teacher: [divmod(slot, hours) for slot in range(days * hours) if (teacher, slot) not in taken][:5]
        for teacher in ("T1", "T2", "T3")
    }
    time = [
        rule("TeacherNotAvailableTimes", ("Teacher", teacher), *times("Not_Available_Time", slots))
        for teacher, slots in away.items()
        if slots
    ]
    apart = [n for n in planted if all(planted[n][2] // hours != planted[m][2] // hours for m in planted if m < n)]
    time.append(rule("MinDaysBetweenActivities", *(("Activity_Id", n) for n in apart), ("MinDays", 1)))
    text = fet_text(
        [activity(n, teacher, group) for n, (teacher, group, _) in planted.items()],
        days=days, hours=hours, students="ABC", time=time,
    )  # fmt: skip
    return text, {"planted": planted, "away": away, "apart": apart}


@settings(max_examples=40, deadline=None)
@given(schools(), st.integers(1, 5))
def test_schools_that_have_a_timetable_get_one(made: tuple[bytes, dict[str, object]], seed: int):
    text, rules = made
    starts = solved(text, seed=seed).starts
    planted: dict[int, tuple[str, str, int]] = rules["planted"]  # type: ignore[assignment]
    away: dict[str, list[tuple[int, int]]] = rules["away"]  # type: ignore[assignment]
    assert set(starts) == set(planted)
    held = Counter((who, starts[n]) for n, (teacher, group, _) in planted.items() for who in (teacher, group))
    assert set(held.values()) <= {1}
    assert all(starts[n] not in away[teacher] for n, (teacher, _, _) in planted.items())
    days = [starts[n][0] for n in rules["apart"]]  # type: ignore[attr-defined]
    assert len(days) == len(set(days))


def test_tags_limit_only_their_own_activities():
    activities = [activity(n, "T1", "A", tags=["lab"] if n < 4 else []) for n in range(1, 8)]
    time = [rule("StudentsActivityTagMaxHoursDaily", ("Activity_Tag", "lab"), ("Maximum_Hours_Daily", 1))]
    starts = solved(fet_text(activities, days=3, hours=3, time=time)).starts
    assert sorted(starts[n][0] for n in (1, 2, 3)) == [0, 1, 2]


def test_selected_slots_are_used_by_few_activities_at_once():
    slots = times("Selected_Time_Slot", [(0, 0), (0, 1)], "Selected_Day", "Selected_Hour")
    ids = [("Activity_Id", n) for n in (1, 2, 3)]
    activities = [activity(n, f"T{n}", "ABC"[n - 1]) for n in (1, 2, 3)]
    at_once = rule("ActivitiesMaxSimultaneousInSelectedTimeSlots", *ids,
                   *slots, ("Max_Number_of_Simultaneous_Activities", 2))  # fmt: skip
    one_slot = rule("ActivitiesOccupyMaxTimeSlotsFromSelection", *ids,
                    *slots, ("Max_Number_of_Occupied_Time_Slots", 1))  # fmt: skip
    two = solved(fet_text(activities, days=1, hours=2, students="ABC", time=[at_once])).starts
    assert len({two[n] for n in (1, 2, 3)}) == 2
    one = solved(fet_text(activities, days=1, hours=2, students="ABC", time=[one_slot])).starts
    assert len({one[n] for n in (1, 2, 3)}) == 1


def test_an_interval_is_used_on_few_days():
    limit = rule("StudentsSetIntervalMaxDaysPerWeek", ("Students", "A"), ("Interval_Start_Hour", "H3"),
                 element("Interval_End_Hour"), ("Max_Days_Per_Week", 1))  # fmt: skip
    starts = solved(fet_text(SEVEN, days=3, hours=4, time=[limit])).starts
    assert len({day for day, hour in starts.values() if hour >= 2}) <= 1
