"""The checker of FET timetables: each kind of constraint is found broken where it is, and only there."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from lms_bridge.timetable.fet.checker.violations import Verdict
from lms_bridge.timetable.fet.checking import CHECKED_KINDS, check_timetable
from lms_bridge.timetable.fet.reading import read_fet
from lms_bridge.timetable.fet.timetable import Slot, Timetable
from tests.timetable.fet.small_fet import BASE, ROOMS, STARTS, constraint, small_fet

TWO = "First_Activity_Id={}; Second_Activity_Id={}"


def verdict(
    kind: str, fields: str, *, space: bool = False, weight: float = 100, timetable: Timetable = BASE
) -> Verdict:
    """What the checker says of the timetable in the small school with one more constraint."""
    added = [constraint(kind, fields, weight)]
    return check_timetable(read_fet(small_fet(space=added) if space else small_fet(added)), timetable)


def moved(**starts: Slot) -> Timetable:
    """The timetable of the small school with some activities elsewhere: ``moved(a1=(2, 0))``."""
    changed: Mapping[int, Slot] = {int(name[1:]): start for name, start in starts.items()}
    return Timetable({**STARTS, **changed}, ROOMS)


def test_a_timetable_that_keeps_everything_is_valid() -> None:
    found = check_timetable(read_fet(small_fet()), BASE)
    assert (found.hard, found.soft, found.unsupported, found.valid) == ((), (), {}, True)


@pytest.mark.parametrize(
    ("kind", "broken", "kept", "sentence"),
    [
        ("BreakTimes", "Break_Time=Monday/4", "Break_Time=Monday/2", "in the break on Monday 4"),
        (
            "TeacherNotAvailableTimes",
            "Teacher=Li; Not_Available_Time=Monday/4",
            "Teacher=Wang; Not_Available_Time=Monday/4",
            "Li is not available on Monday 4",
        ),
        (
            "StudentsSetNotAvailableTimes",
            "Students=5; Not_Available_Time=Tuesday/2",
            "Students=5-1; Not_Available_Time=Tuesday/2",
            "5 is not available on Tuesday 2",
        ),
        (
            "MinDaysBetweenActivities",
            "Consecutive_If_Same_Day=true; Activity_Id=1; Activity_Id=2; MinDays=2",
            "Consecutive_If_Same_Day=true; Activity_Id=1; Activity_Id=2; MinDays=1",
            "are 1 days apart; at least 2",
        ),
        (
            "MaxDaysBetweenActivities",
            "Activity_Id=1; Activity_Id=2; MaxDays=0",
            "Activity_Id=1; Activity_Id=2; MaxDays=1",
            "are 1 days apart; at most 0",
        ),
        (
            "MinGapsBetweenActivities",
            "Activity_Id=1; Activity_Id=3; MinGaps=2",
            "Activity_Id=1; Activity_Id=3; MinGaps=1",
            "have 1 hours between them",
        ),
        ("ActivitiesSameStartingTime", "Activity_Id=1; Activity_Id=2", "Activity_Id=1; Activity_Id=4", "same time"),
        ("ActivitiesSameStartingDay", "Activity_Id=1; Activity_Id=5", "Activity_Id=1; Activity_Id=3", "same day"),
        ("ActivitiesSameStartingHour", "Activity_Id=1; Activity_Id=5", "Activity_Id=1; Activity_Id=2", "same hour"),
        ("ActivitiesNotOverlapping", "Activity_Id=1; Activity_Id=4", "Activity_Id=1; Activity_Id=3", "overlap"),
        ("TwoActivitiesConsecutive", TWO.format(5, 2), TWO.format(2, 5), "does not come next after 5"),
        ("TwoActivitiesGrouped", TWO.format(1, 3), TWO.format(5, 2), "side by side"),
        (
            "ThreeActivitiesGrouped",
            f"{TWO.format(1, 2)}; Third_Activity_Id=5",
            "",
            "side by side",
        ),
        ("TwoActivitiesOrdered", TWO.format(2, 3), TWO.format(3, 2), "does not come after 2 Maths"),
        ("TwoActivitiesOrderedIfSameDay", TWO.format(5, 2), TWO.format(5, 1), "does not come after 5 Music"),
        (
            "ActivityPreferredStartingTime",
            "Activity_Id=1; Preferred_Day=Tuesday; Preferred_Hour=1",
            "Activity_Id=1; Preferred_Day=Monday; Preferred_Hour=",
            "starts on Monday 1 instead of Tuesday 1",
        ),
        (
            "ActivityPreferredStartingTimes",
            "Activity_Id=3; Preferred_Starting_Time=Monday/4",
            "Activity_Id=3; Preferred_Starting_Time=Monday/3",
            "which is not among its 1 starting times",
        ),
        (
            "ActivitiesPreferredStartingTimes",
            "Students_Name=5; Subject_Name=Music; Duration=1; Preferred_Starting_Time=Monday/3",
            "Students_Name=5; Subject_Name=Music; Duration=2; Preferred_Starting_Time=Monday/3",
            "5 Music (Wang, 5-2) starts on Tuesday 2",
        ),
        (
            "SubactivitiesPreferredStartingTimes",
            "Component_Number=2; Teacher_Name=Wang; Preferred_Starting_Time=Monday/1",
            "Component_Number=1; Subject_Name=Maths; Preferred_Starting_Time=Monday/1",
            "2 Maths (Wang, 5-1) starts on Tuesday 1",
        ),
        (
            "ActivityPreferredTimeSlots",
            "Activity_Id=3; Preferred_Time_Slot=Monday/3",
            "Activity_Id=3; Preferred_Time_Slot=Monday/3; Preferred_Time_Slot=Monday/4",
            "takes Monday 4",
        ),
        (
            "ActivitiesPreferredTimeSlots",
            "Activity_Tag_Name=Loud; Preferred_Time_Slot=Monday/3; Preferred_Time_Slot=Monday/4",
            "Teacher_Name=Li; Activity_Tag_Name=Loud; Preferred_Time_Slot=Monday/3; Preferred_Time_Slot=Monday/4",
            "takes Tuesday 2",
        ),
        ("ActivityEndsStudentsDay", "Activity_Id=1", "Activity_Id=3", "who have lessons until Monday 4"),
        ("ActivitiesEndStudentsDay", "Subject_Name=Maths", "Subject_Name=Music", "does not end the day of 5-1"),
        ("ActivityBeginsStudentsDay", "Activity_Id=3", "Activity_Id=1", "who have lessons from Monday 1"),
        (
            "ActivitiesOccupyMaxTimeSlotsFromSelection",
            "Activity_Id=1; Activity_Id=3; Selected_Time_Slot=Monday/1; Selected_Time_Slot=Monday/4; "
            "Max_Number_of_Occupied_Time_Slots=1",
            "Activity_Id=1; Activity_Id=3; Selected_Time_Slot=Monday/2; Selected_Time_Slot=Monday/4; "
            "Max_Number_of_Occupied_Time_Slots=1",
            "2 activities take 2 of the chosen time slots",
        ),
        (
            "ActivitiesMaxSimultaneousInSelectedTimeSlots",
            "Activity_Id=1; Activity_Id=4; Selected_Time_Slot=Monday/1; Max_Number_of_Simultaneous_Activities=1",
            "Activity_Id=1; Activity_Id=3; Selected_Time_Slot=Monday/1; Max_Number_of_Simultaneous_Activities=1",
            "2 of the chosen activities take place on Monday 1",
        ),
        (
            "ActivitiesMinSimultaneousInSelectedTimeSlots",
            "Activity_Id=1; Selected_Time_Slot=Monday/2; Min_Number_of_Simultaneous_Activities=1",
            "Activity_Id=1; Selected_Time_Slot=Monday/2; Min_Number_of_Simultaneous_Activities=1; "
            "Allow_Empty_Slots=true",
            "0 of the chosen activities take place on Monday 2",
        ),
        ("TeacherMaxDaysPerWeek", "Teacher_Name=Wang; Max_Days_Per_Week=1", "Teacher_Name=Li; Max_Days_Per_Week=1",
         "Wang has activities on 2 days; at most 1"),
        ("TeachersMinDaysPerWeek", "Minimum_Days_Per_Week=2", "Minimum_Days_Per_Week=1",
         "Li has activities on 1 days; at least 2"),
        ("TeachersMaxGapsPerWeek", "Max_Gaps=0", "Max_Gaps=1", "Li has 1 gaps in the week"),
        ("StudentsSetMaxGapsPerDay", "Students=5-1; Max_Gaps=0", "Students=5-2; Max_Gaps=0",
         "5-1 has 1 gaps on Monday"),
        ("StudentsMaxHoursDaily", "Maximum_Hours_Daily=2", "Maximum_Hours_Daily=3", "5-1 has 3 hours on Monday"),
        ("StudentsSetMinHoursDaily", "Students=5-2; Minimum_Hours_Daily=2; Allow_Empty_Days=true",
         "Students=5-2; Minimum_Hours_Daily=1; Allow_Empty_Days=true", "5-2 has 1 hours on Monday; at least 2"),
        ("StudentsMinHoursDaily", "Minimum_Hours_Daily=1; Allow_Empty_Days=false",
         "Minimum_Hours_Daily=1; Allow_Empty_Days=true", "5-1 has 0 hours on Wednesday"),
        ("TeachersMaxHoursContinuously", "Maximum_Hours_Continuously=1", "Maximum_Hours_Continuously=2",
         "Wang has 2 hours in a row on Tuesday"),
        ("TeacherActivityTagMaxHoursDaily", "Teacher_Name=Li; Activity_Tag_Name=Loud; Maximum_Hours_Daily=1",
         "Teacher_Name=Wang; Activity_Tag_Name=Loud; Maximum_Hours_Daily=1", "Li has 2 hours of Loud on Monday"),
        ("StudentsActivityTagMaxHoursContinuously", "Activity_Tag=Loud; Maximum_Hours_Continuously=1",
         "Activity_Tag=Loud; Maximum_Hours_Continuously=2", "5-1 has 2 hours of Loud in a row"),
        ("TeachersIntervalMaxDaysPerWeek", "Interval_Start_Hour=1; Interval_End_Hour=2; Max_Days_Per_Week=1",
         "Interval_Start_Hour=3; Interval_End_Hour=; Max_Days_Per_Week=1", "Wang has activities between 1 and 2"),
        ("StudentsEarlyMaxBeginningsAtSecondHour", "Max_Beginnings_At_Second_Hour=0",
         "Max_Beginnings_At_Second_Hour=1", "5-2 begins in the second hour on 1 days"),
        ("StudentsMaxSpanPerDay", "Max_Span=3", "Max_Span=4", "5-1 is there for 4 hours on Monday"),
        ("TeacherMaxSpanPerDay", "Teacher_Name=Li; Max_Span=3; Allow_One_Day_Exception_of_Plus_One=false",
         "Teacher_Name=Li; Max_Span=3; Allow_One_Day_Exception_of_Plus_One=true", "Li is there for 4 hours"),
        ("StudentsMinRestingHours", "Minimum_Resting_Hours=1; Circular=false",
         "Minimum_Resting_Hours=0; Circular=false", "5-1 rests for 0 hours after Monday"),
    ],
)  # fmt: skip
def test_time_constraints(kind: str, broken: str, kept: str, sentence: str) -> None:
    found = verdict(kind, broken)
    assert {violation.kind for violation in found.hard} == {kind}
    assert any(sentence in violation.text() for violation in found.hard), [v.text() for v in found.hard]
    assert not found.valid
    assert not kept or verdict(kind, kept).valid


@pytest.mark.parametrize(
    ("kind", "broken", "kept", "sentence"),
    [
        ("RoomNotAvailableTimes", "Room=Hall; Not_Available_Time=Monday/4", "Room=Hall; Not_Available_Time=Monday/2",
         "Room Hall is not available on Monday 4"),
        ("ActivityPreferredRoom", "Activity_Id=1; Room=Hall", "Activity_Id=1; Room=Lab", "it should be in Hall"),
        ("ActivityPreferredRooms", "Activity_Id=3; Preferred_Room=Lab; Preferred_Room=Closet",
         "Activity_Id=3; Preferred_Room=Lab; Preferred_Room=Hall", "is in room Hall; it should be in Lab, Closet"),
        ("SubjectPreferredRoom", "Subject=Maths; Room=Lab", "",
         "4 Maths (Li, 5-2) is in room -"),
        ("ActivityTagPreferredRoom", "Activity_Tag=Loud; Room=Hall", "", "5 Music (Wang, 5-2) is in room -"),
        ("SubjectActivityTagPreferredRooms", "Subject=Music; Activity_Tag=Loud; Preferred_Room=Hall", "",
         "5 Music (Wang, 5-2) is in room -"),
        ("TeacherHomeRoom", "Teacher=Wang; Room=Lab", "", "5 Music (Wang, 5-2) is in room -; it should be in Lab"),
        ("StudentsSetHomeRooms", "Students=5-1; Preferred_Room=Lab",
         "Students=5-1; Preferred_Room=Lab; Preferred_Room=Hall", "3 Music (Li, 5-1) is in room Hall"),
        ("ActivitiesOccupyMaxDifferentRooms", "Activity_Id=1; Activity_Id=3; Max_Number_of_Different_Rooms=1",
         "Activity_Id=1; Activity_Id=2; Max_Number_of_Different_Rooms=1", "take 2 different rooms (Hall, Lab)"),
        ("StudentsMaxBuildingChangesPerDay", "Max_Building_Changes_Per_Day=0", "Max_Building_Changes_Per_Day=1",
         "5-1 changes the place 1 times on Monday"),
        ("StudentsMaxBuildingChangesPerWeek", "Max_Building_Changes_Per_Week=0", "Max_Building_Changes_Per_Week=1",
         "5-1 changes the place 1 times in the week"),
        ("StudentsMinGapsBetweenBuildingChanges", "Min_Gaps_Between_Building_Changes=2",
         "Min_Gaps_Between_Building_Changes=1", "5-1 has 1 hours to change the place before Monday 3"),
    ],
)  # fmt: skip
def test_space_constraints(kind: str, broken: str, kept: str, sentence: str) -> None:
    found = verdict(kind, broken, space=True)
    assert {violation.kind for violation in found.hard} == {kind}
    assert any(sentence in violation.text() for violation in found.hard), [v.text() for v in found.hard]
    assert not kept or verdict(kind, kept, space=True).valid


def test_nobody_is_in_two_places_at_once() -> None:
    found = check_timetable(read_fet(small_fet()), moved(a2=(0, 0)))
    assert {violation.text() for violation in found.hard} == {
        f"{who} has activities 1 Maths (Wang, 5-1) and 2 Maths (Wang, 5-1) at the same time, on Monday 1."
        for who in ("Wang", "5-1")
    } | {"Room Lab has activities 1 Maths (Wang, 5-1) and 2 Maths (Wang, 5-1) at the same time, on Monday 1."}


def test_what_is_missing_or_leaves_the_day_is_named() -> None:
    starts = {**STARTS, 3: (0, 3)}
    del starts[4]
    texts = [violation.text() for violation in check_timetable(read_fet(small_fet()), Timetable(starts)).hard]
    assert texts == [
        "Activity 3 Music (Li, 5-1) does not fit into the day where it starts.",
        "Activity 4 Maths (Li, 5-2) is not placed.",
    ]


def test_three_stand_side_by_side_in_any_order() -> None:
    fields = f"{TWO.format(2, 3)}; Third_Activity_Id=1"
    assert verdict("ThreeActivitiesGrouped", fields, timetable=moved(a1=(2, 3), a2=(2, 0), a3=(2, 1))).valid
    assert not verdict("ThreeActivitiesGrouped", fields, timetable=moved(a1=(2, 0), a2=(1, 0), a3=(2, 1))).valid


def test_gaps_between_activities_of_tags_are_those_of_the_same_person() -> None:
    rule = constraint("TeachersMinGapsBetweenActivityTag", "Activity_Tag=Loud; MinGaps=2")
    plain = b"<Subject>Maths</Subject><Students>5-2"
    loud = plain.replace(b"<Students>", b"<Activity_Tag>Loud</Activity_Tag><Students>")
    assert check_timetable(read_fet(small_fet([rule])), BASE).valid
    found = check_timetable(read_fet(small_fet([rule]).replace(plain, loud)), BASE)
    assert [v.text() for v in found.hard] == [
        "Li has 1 hours between activities 4 Maths (Li, 5-2) and 3 Music (Li, 5-1) on Monday; at least 2 are asked for."
    ]


def test_rooms_hold_their_students_and_virtual_rooms_have_real_ones() -> None:
    school = read_fet(small_fet())
    small = check_timetable(school, Timetable(STARTS, {1: "Closet"}))
    assert [v.text() for v in small.hard] == ["Activity 1 Maths (Wang, 5-1) has 30 students; room Closet holds 5."]
    bare = check_timetable(school, Timetable(STARTS, {1: "Both"}))
    assert "no real room out of each set of the virtual room Both" in bare.hard[0].text()
    assert check_timetable(school, Timetable(STARTS, {1: "Both"}, {1: ("Hall", "Lab")})).valid
    shared = check_timetable(school, Timetable(STARTS, {1: "Both", 4: "Lab"}, {1: ("Hall", "Lab")}))
    assert [v.params["room"] for v in shared.hard] == ["Lab"]


def test_two_in_a_row_share_a_room_and_a_break_parts_them() -> None:
    rule = constraint("ActivitiesSameRoomIfConsecutive", "Activity_Id=2; Activity_Id=5")
    rooms = Timetable(STARTS, {2: "Lab", 5: "Hall"})
    assert len(check_timetable(read_fet(small_fet(space=[rule])), rooms).hard) == 1
    pause = constraint("BreakTimes", "Break_Time=Tuesday/2")
    later = Timetable({**STARTS, 5: (1, 2)}, {2: "Lab", 5: "Hall"})
    assert check_timetable(read_fet(small_fet([pause], [rule])), later).valid


def test_breaks_and_absences_are_no_gaps_and_part_nothing_that_follows() -> None:
    pause = constraint("BreakTimes", "Break_Time=Monday/2")
    rules = [
        pause,
        constraint("StudentsMaxGapsPerWeek", "Max_Gaps=0"),
        constraint("TwoActivitiesConsecutive", TWO.format(1, 3)),
        constraint("TwoActivitiesGrouped", TWO.format(3, 4)),
    ]
    assert check_timetable(read_fet(small_fet(rules)), BASE).valid
    away = constraint("StudentsSetNotAvailableTimes", "Students=5-2; Not_Available_Time=Tuesday/1")
    early = constraint("StudentsEarlyMaxBeginningsAtSecondHour", "Max_Beginnings_At_Second_Hour=0")
    assert check_timetable(read_fet(small_fet([away, early])), BASE).valid


def test_a_home_counts_only_where_no_other_constraint_names_a_room() -> None:
    home = constraint("StudentsSetHomeRoom", "Students=5-1; Room=Lab")
    wish = constraint("SubjectPreferredRoom", "Subject=Music; Room=Hall", 0)
    assert {v.kind for v in check_timetable(read_fet(small_fet(space=[home])), BASE).hard} == {"StudentsSetHomeRoom"}
    found = check_timetable(read_fet(small_fet(space=[home, wish])), BASE)
    assert found.valid
    assert [v.text() for v in found.soft] == ["Activity 5 Music (Wang, 5-2) is in room -; it should be in Hall."]


def test_wishes_are_told_apart_and_counted() -> None:
    fields = "Consecutive_If_Same_Day=true; Activity_Id=1; Activity_Id=2; MinDays=1"
    apart = verdict("MinDaysBetweenActivities", fields, weight=95, timetable=moved(a1=(1, 3), a2=(1, 0)))
    assert apart.valid
    assert apart.counts(hard=False) == {"MinDaysBetweenActivities": 1}
    assert "not one after the other" in apart.soft[0].text()
    joined = verdict("MinDaysBetweenActivities", fields, weight=95, timetable=moved(a1=(2, 1), a2=(2, 0)))
    assert "are 0 days apart" in joined.soft[0].text()
    assert (joined.soft[0].weight, joined.soft_constraints) == (95, 1)


def test_what_is_not_known_is_counted_and_an_inactive_constraint_says_nothing() -> None:
    odd, off = constraint("TeacherMaxZeroGapsPerAfternoon", ""), constraint("TeachersMaxGapsPerWeek", "Max_Gaps=0",
                                                                           active=False)  # fmt: skip
    found = check_timetable(read_fet(small_fet([odd, odd, off])), BASE)
    assert (found.hard, dict(found.unsupported), dict(found.unsupported_hard), found.valid) == (
        (),
        {"TeacherMaxZeroGapsPerAfternoon": 2},
        {"TeacherMaxZeroGapsPerAfternoon": 2},
        False,
    )
    assert "TeacherMaxZeroGapsPerAfternoon" not in CHECKED_KINDS


def test_a_file_of_another_mode_is_not_called_valid() -> None:
    found = check_timetable(read_fet(small_fet(mode="Mornings_Afternoons")), BASE)
    assert not found.valid
    assert "Mode Mornings_Afternoons" in found.unsupported
