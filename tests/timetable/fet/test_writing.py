"""Timetables go into ``.fet`` files and come out the same; a new file says what the plain data says."""

from __future__ import annotations

import dataclasses

import pytest

from lms_bridge.core.errors import BadInputs
from lms_bridge.timetable.fet.checking import check_timetable
from lms_bridge.timetable.fet.export import DaysApart, PlainActivity, PlainSchool, write_school
from lms_bridge.timetable.fet.reading import read_fet
from lms_bridge.timetable.fet.solutions import locked_timetable
from lms_bridge.timetable.fet.timetable import Timetable
from lms_bridge.timetable.fet.writing import write_locked
from tests.timetable.fet.small_fet import BASE, STARTS, constraint, small_fet


def test_a_locked_timetable_comes_out_as_it_went_in() -> None:
    placed = Timetable(STARTS, {**BASE.rooms, 5: "Both"}, {5: ("Hall", "Lab")})
    written = write_locked(small_fet(), placed)
    school = read_fet(written)
    assert locked_timetable(school) == placed
    assert check_timetable(school, placed).valid
    locked = [c.fields.text("Permanently_Locked") for c in school.constraints if c.kind.startswith("ActivityPreferred")]
    assert locked == ["true"] * 9


def test_what_the_file_fixes_itself_is_not_said_twice() -> None:
    own = constraint("ActivityPreferredStartingTime", "Activity_Id=1; Preferred_Day=Monday; Preferred_Hour=1")
    school = read_fet(write_locked(small_fet([own]), BASE))
    fixed = [c.fields.whole("Activity_Id") for c in school.constraints if c.kind == "ActivityPreferredStartingTime"]
    assert sorted(fixed) == [1, 2, 3, 4, 5]


def test_wishes_stay_unless_they_are_left_out() -> None:
    wish = constraint("TeachersMaxGapsPerWeek", "Max_Gaps=0", 95)
    must = constraint("TeachersMaxGapsPerWeek", "Max_Gaps=2")
    content = small_fet([wish, must], [constraint("SubjectPreferredRoom", "Subject=Maths; Room=Lab", 50)])
    kept = {(c.kind, c.weight) for c in read_fet(write_locked(content, BASE)).constraints}
    assert {("TeachersMaxGapsPerWeek", 95.0), ("SubjectPreferredRoom", 50.0)} <= kept
    left = {c.weight for c in read_fet(write_locked(content, BASE, wishes=False)).constraints}
    assert left == {100.0}


def test_a_file_that_is_none_is_refused() -> None:
    with pytest.raises(BadInputs):
        write_locked(b"<timetable/>", BASE, file="week.fet")


SCHOOL = PlainSchool(
    name="阳光小学 & Co",
    days=("周一", "周二"),
    hours=("第1节", "第2节", "第3节"),
    teachers=("王老师", "Mr <Li>"),
    subjects=("数学", "音乐"),
    classes={"五(1)班": 40, "五(2)班": 38},
    rooms={"音乐室": 80},
    tags=("online",),
    activities=(
        PlainActivity(1, "数学", ("王老师",), ("五(1)班",), group=1, start=(0, 0)),
        PlainActivity(2, "数学", ("王老师",), ("五(1)班",), group=1, tags=("online",)),
        PlainActivity(
            3, "音乐", ("王老师", "Mr <Li>"), ("五(1)班", "五(2)班"), duration=2, start=(1, 1), room="音乐室"
        ),
    ),
    breaks=((0, 2),),
    teacher_absent={"Mr <Li>": ((0, 0), (0, 1)), "王老师": ()},
    class_absent={"五(2)班": ((0, 0),)},
    days_apart=(DaysApart((1, 2)),),
)


def test_a_new_file_says_what_the_plain_data_says() -> None:
    school = read_fet(write_school(SCHOOL))
    assert (school.name, school.days, school.hours, school.mode) == (SCHOOL.name, SCHOOL.days, SCHOOL.hours, "Official")
    assert [
        (a.id, a.teachers, a.students, a.duration, a.total_duration, a.group, a.tags) for a in school.activities
    ] == [
        (1, ("王老师",), ("五(1)班",), 1, 2, 1, ()),
        (2, ("王老师",), ("五(1)班",), 1, 2, 1, ("online",)),
        (3, ("王老师", "Mr <Li>"), ("五(1)班", "五(2)班"), 2, 2, 0, ()),
    ]
    assert {name: found.size for name, found in school.students.items()} == SCHOOL.classes
    assert locked_timetable(school) == Timetable({1: (0, 0), 3: (1, 1)}, {3: "音乐室"})
    timetable = Timetable({1: (0, 0), 2: (1, 0), 3: (1, 1)}, {3: "音乐室"})
    assert check_timetable(school, timetable).valid
    kinds = [c.kind for c in school.constraints if not c.kind.startswith(("Basic", "ActivityPreferred"))]
    assert kinds == [
        "BreakTimes",
        "TeacherNotAvailableTimes",
        "StudentsSetNotAvailableTimes",
        "MinDaysBetweenActivities",
    ]
    late = check_timetable(school, Timetable({1: (0, 0), 2: (0, 2), 3: (1, 1)}, {3: "音乐室"}))
    assert {v.kind for v in (*late.hard, *late.soft)} == {"BreakTimes", "MinDaysBetweenActivities"}


def test_all_that_fet_could_not_read_is_named_at_once() -> None:
    wrong = dataclasses.replace(
        SCHOOL,
        teachers=("王老师", "王老师", "bell\x07"),
        activities=(
            PlainActivity(1, "体育", ("张老师",), ("五(1)班",), start=(2, 0)),
            PlainActivity(1, "数学", ("王老师",), ("五(9)班",), duration=2, start=(0, 2), room="Attic"),
        ),
        teacher_absent={},
        days_apart=(),
    )
    with pytest.raises(BadInputs) as refused:
        write_school(wrong)
    found = [(p.place.table, p.place.row, p.place.value) for p in refused.value.problems if p.place]
    assert found == [
        ("Teachers_List", 2, "王老师"),
        ("Teachers_List", 3, "bell\x07"),
        ("Activities_List", 2, "1"),
        ("Activities_List", 1, "张老师"),
        ("Activities_List", 1, "体育"),
        ("Activities_List", 2, "五(9)班"),
        ("Activities_List", 2, "Attic"),
        ("Activities_List", 1, "2/0"),
        ("Activities_List", 2, "0/2"),
    ]
    assert all(problem.remedy_text() for problem in refused.value.problems)
