"""Solved timetables out of FET's results, and out of a file that keeps its timetable in locked constraints."""

from __future__ import annotations

import pytest

from lms_bridge.core.errors import BadInputs
from lms_bridge.timetable.fet.reading import read_fet
from lms_bridge.timetable.fet.solutions import locked_timetable, read_solution
from tests.timetable.fet.small_fet import constraint, small_fet


def solved(*rows: str, root: str = "Activities_Timetable") -> bytes:
    """An ``*_activities.xml``; a row is like ``1 Monday 3 Hall Lab`` (a dash for what is empty)."""
    parts = []
    for row in rows:
        number, day, hour, room, *behind = ("" if part == "-" else part for part in row.split())
        real = "".join(f"<Real_Room>{name}</Real_Room>" for name in behind)
        parts.append(
            f"<Activity><Id>{number}</Id><Day>{day}</Day><Hour>{hour}</Hour><Room>{room}</Room>{real}</Activity>"
        )
    return f'﻿<?xml version="1.0" encoding="UTF-8"?>\n<{root}>{"".join(parts)}</{root}>'.encode()


def test_times_and_rooms_are_read() -> None:
    found = read_solution(solved("1 Monday 1 Lab", "2 Tuesday 4 -", "3 - - -", "5 Monday 2 Both Lab Hall"),
                          read_fet(small_fet()))  # fmt: skip
    assert found.starts == {1: (0, 0), 2: (1, 3), 5: (0, 1)}
    assert found.rooms == {1: "Lab", 5: "Both"}
    assert found.real_rooms == {5: ("Lab", "Hall")}


def test_everything_that_does_not_fit_is_listed_at_once() -> None:
    rows = ["1 Monday 1 Attic", "1 Monday 2 Lab", "77 Monday 1 Lab", "2 Sunday 9 -", "x - - -"]
    with pytest.raises(BadInputs) as refused:
        read_solution(solved(*rows), read_fet(small_fet()), file="week_activities.xml")
    places = [(p.place.row, p.place.column, p.place.value) for p in refused.value.problems if p.place]
    assert places == [(1, "Room", "Attic"), (2, "Id", "1"), (3, "Id", "77"), (4, "Day", "Sunday"), (4, "Hour", "9"),
                      (5, "Id", "x")]  # fmt: skip
    assert "week_activities.xml" in str(refused.value.problems[0])
    assert "Choose the results of this very .fet file." in str(refused.value.problems[0])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (solved(root="Teachers_Timetable"), "its outermost element is Teachers_Timetable"),
        (solved("1 Monday 1 Lab")[:-9], "breaks off or is not well-formed"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><Activities_Timetable/>', "breaks off or is not well-formed"),
        (b"", "breaks off or is not well-formed"),
    ],
)
def test_another_file_is_refused_with_a_reason(content: bytes, said: str) -> None:
    with pytest.raises(BadInputs) as refused:
        read_solution(content, read_fet(small_fet()))
    assert said in str(refused.value.problems[0])


def test_what_a_file_locks_is_its_timetable() -> None:
    time = [
        constraint("ActivityPreferredStartingTime", "Activity_Id=1; Preferred_Day=Tuesday; Preferred_Hour=2"),
        constraint("ActivityPreferredStartingTime", "Activity_Id=2; Preferred_Day=Tuesday; Preferred_Hour="),
        constraint("ActivityPreferredStartingTime", "Activity_Id=3; Preferred_Day=Monday; Preferred_Hour=1", 95),
    ]
    space = [
        constraint("ActivityPreferredRoom", "Activity_Id=1; Room=Both; Real_Room=Lab; Real_Room=Hall"),
        constraint("ActivityPreferredRoom", "Activity_Id=2; Room=Lab", active=False),
    ]
    found = locked_timetable(read_fet(small_fet(time, space)))
    assert (found.starts, found.rooms, found.real_rooms) == ({1: (1, 1)}, {1: "Both"}, {1: ("Lab", "Hall")})
