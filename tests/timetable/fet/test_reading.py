"""Reading .fet files: what is in them, and every problem at once."""

from __future__ import annotations

import pytest

from lms_bridge.core.errors import BadInputs
from lms_bridge.timetable.fet.reading import read_fet
from tests.timetable.fet.fet_text import activity, element, fet_text, rule, times


def problems(data: bytes) -> list[str]:
    """What a file is refused for."""
    with pytest.raises(BadInputs) as refused:
        read_fet(data, file="school.fet")
    return [str(problem) for problem in refused.value.problems]


def test_a_file_becomes_plain_values():
    away = rule("TeacherNotAvailableTimes", ("Teacher", "T1"), *times("Not_Available_Time", [(0, 1)]), weight=90)
    school = read_fet(fet_text([activity(7, "T1", "A", hours=2, tags=["lab"])], rooms=["R1"], time=[away]))
    assert school.days == ("D1", "D2", "D3", "D4", "D5")
    assert school.hour_index["H3"] == 2
    assert school.by_id[7].duration == 2
    assert school.by_id[7].tags == ("lab",)
    assert school.rooms["R1"].capacity == 30
    found = school.constraints[1]
    assert (found.kind, found.weight, found.hard, found.space) == ("TeacherNotAvailableTimes", 90.0, False, False)
    assert found.fields.times("Not_Available_Time") == (("D1", "H2"),)


def test_students_sets_are_made_of_their_smallest_parts():
    parts = [element("Subgroup", ("Name", name), ("Number_of_Students", 5)) for name in ("A1", "A2")]
    shared = element("Group", ("Name", "G"), ("Number_of_Students", 10), *parts)
    years = element("Year", ("Name", "A"), ("Number_of_Students", 10), shared) + element("Year", ("Name", "B"), shared)
    school = read_fet(fet_text([activity(1, "T1", "G")], years=years))
    assert school.students["B"].leaves == ("A1", "A2")
    assert school.leaves_of(school.by_id[1]) == ("A1", "A2")


def test_names_that_differ_in_a_blank_are_two_names():
    school = read_fet(fet_text([activity(1, "T1 ", "A")], teachers=["T1", "T1 "]))
    assert school.by_id[1].teachers == ("T1 ",)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "breaks off"),
        (fet_text([])[:300], "breaks off"),
        (b"<timetable/>", "not a FET file"),
        (fet_text([], version="7.2.0"), "FET version 7.2.0"),
        (b'<fet version="many"/>', "FET version many"),
        (b'<!DOCTYPE fet [<!ENTITY a "b">]><fet version="6.1.1">&a;</fet>', "entities"),
        (b'<fet version="6.1.1">' + b"<a>" * 50 + b"</a>" * 50 + b"</fet>", "nested too deeply"),
    ],
)
def test_what_is_no_fet_file_is_refused_with_the_reason(data: bytes, told: str):
    found = problems(data)
    assert len(found) == 1
    assert told in found[0]
    assert "school.fet" in found[0]


def test_a_file_that_is_too_large_is_not_even_parsed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("lms_bridge.timetable.fet.xml.MAX_BYTES", 100)
    assert "at most 100" in problems(fet_text([]))[0]


def test_all_problems_are_listed_at_once():
    found = problems(
        fet_text(
            [activity(1, "Nobody", "A"), activity(1, "T1", "C"), activity(3, "T1", "A", hours=0)],
            days=0,
            teachers=["T1", "T1"],
            time=[
                rule("ActivityPreferredStartingTime", ("Activity_Id", 9), ("Preferred_Hour", "H9")),
                rule("TeacherMaxGapsPerWeek", ("Teacher_Name", "T1"), ("Max_Gaps", "few"), weight=300),
                element("Surprise"),
            ],
            space=[rule("SubjectPreferredRoom", ("Subject", "S"), ("Room", "R"))],
        )
    )
    for told in (
        "table Teachers_List, row 2: This name or id occurs a second time",
        "no days",
        "row 1, column Teacher: The file does not define what is named here. ('Nobody')",
        "table Activities_List, row 2: This name or id occurs a second time",
        "column Students: The file does not define what is named here. ('C')",
        "row 3, column Duration: A whole number of at least 1 must stand here",
        "column Activity_Id",
        "column Preferred_Hour",
        "column Max_Gaps",
        "column Weight_Percentage",
        "Surprise is not a constraint",
        "column Room",
    ):
        assert any(told in problem for problem in found), told
    assert len(found) == 12


def test_millions_of_problems_are_counted_and_not_listed():
    """A hostile file must not become an answer many times its size."""
    found = problems(fet_text([activity(n, "Nobody", "A") for n in range(1, 1201)]))
    assert len(found) == 501
    assert "700 more problems are not listed" in found[-1]
