"""Programs bring a timetable in (upload, report, publish) and take weeks out, with the rights of their person."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from lms_bridge.core import clock
from lms_bridge.core.database import transaction
from lms_bridge.timetable.changing.lesson_changes import cancel_lesson
from tests.api.conftest import Caller, MakeCaller
from tests.builders import SchoolSystem
from tests.timetable.placed import Placed, placed_week
from tests.timetable.school import FRIDAY, WEEK

ENGLISH = {"Accept-Language": "en"}


@pytest.fixture
def placed(app: Flask) -> Iterator[Placed]:
    """A published week, on the Friday before."""
    with clock.at(FRIDAY):
        yield placed_week()


def hand_over(program: Caller, text: str, campus: str = "campus-a") -> TestResponse:
    form: dict[str, Any] = {"campus": campus, "first": WEEK, "file": (io.BytesIO(text.encode()), "ours.csv")}
    return program.post("/timetable-imports", data=form, headers=ENGLISH)


def moved(placed: Placed, period: int = 5) -> str:
    """A file in which the Chinese lesson of the first class is at another time."""
    a = placed.school.a
    row = f"{a.classes[0].code},Mon,{period},chinese,{a.other_teacher.display_name}"
    return f"class,weekday,period,subject,teacher\n{row}\n"


def test_a_timetable_is_handed_over_looked_at_and_published(placed: Placed, caller_of: MakeCaller) -> None:
    program = caller_of(placed.school.a.administrator)
    report = hand_over(program, moved(placed))
    assert report.status_code == 201
    assert report.json["counts"] == {"kept": 0, "added": 0, "moved": 1, "cancelled": 2}
    assert report.json["seen"] == {WEEK: 1}
    address, publish = f"/timetable-imports/{report.json['file']}", report.json["publish"]
    query = {key: publish[key] for key in ("campus", "first")}
    assert program.get(address, query_string=query).json["counts"] == report.json["counts"]
    done = program.post(f"{address}/publish", json=publish)
    assert done.status_code == 200
    assert program.get(f"/change-sets/{done.json['change_set']}").json["state"] == "applied"
    assert program.post(f"{address}/publish", json=publish).status_code == 404


def test_what_was_changed_since_the_report_is_told_and_kept(placed: Placed, caller_of: MakeCaller) -> None:
    program = caller_of(placed.school.a.administrator)
    report = hand_over(program, moved(placed)).json
    with transaction():
        cancel_lesson(placed.math, actor=placed.school.a.teacher)
    refused = program.post(f"/timetable-imports/{report['file']}/publish", json=report["publish"], headers=ENGLISH)
    assert (refused.status_code, refused.json["code"]) == (409, "conflict")
    (told,) = refused.json["errors"]
    assert placed.school.a.teacher.display_name in told["message"]
    assert "cancelled: 1" in told["message"]
    assert placed.week.version == 2


def test_a_bad_file_is_refused_with_all_its_problems_and_not_kept(placed: Placed, caller_of: MakeCaller) -> None:
    program = caller_of(placed.school.a.administrator)
    refused = hand_over(program, "class,weekday,period,subject\n9-9,Mon,1,chinese\nx,Noday,1,alchemy\n")
    assert refused.status_code == 422
    assert [(error["row"], error.get("column")) for error in refused.json["errors"]] == [
        (2, None), (3, "weekday"), (3, None), (3, None),
    ]  # fmt: skip
    refused = hand_over(program, moved(placed, 12))
    assert refused.json["detail"] == "1 problem was found; nothing was stored."


def test_weeks_go_out_as_files(placed: Placed, caller_of: MakeCaller) -> None:
    program = caller_of(placed.school.a.administrator)
    a = placed.school.a
    for form, start in (("csv", b"\xef\xbb\xbf"), ("xlsx", b"PK"), ("ics", b"BEGIN:VCAL"), ("fet", b"<?xml")):
        for whose in ("campus=campus-a", f"class=campus-a/{a.classes[0].code}", f"teacher={a.teacher.uid}"):
            answer = program.get(f"/timetable-weeks/{WEEK}/document?format={form}&{whose}")
            assert answer.status_code == 200, answer.json
            assert answer.data.startswith(start)
    assert program.get(f"/timetable-weeks/{WEEK}/document").status_code == 422
    assert program.get(f"/timetable-weeks/{WEEK}/document?campus=campus-a&format=pdf").status_code == 422


def test_others_neither_bring_nor_see_the_timetable_of_a_campus(placed: Placed, caller_of: MakeCaller) -> None:
    school: SchoolSystem = placed.school
    file = hand_over(caller_of(school.a.administrator), moved(placed)).json
    for person in (school.b.administrator, school.a.teacher, school.a.guardians[0]):
        program = caller_of(person)
        assert hand_over(program, moved(placed)).status_code == 404
        answer = program.post(f"/timetable-imports/{file['file']}/publish", json=file["publish"])
        assert answer.status_code == 404
    stranger = caller_of(school.b.administrator)
    for whose in ("campus=campus-a", f"class=campus-a/{school.a.classes[0].code}", f"teacher={school.a.teacher.uid}"):
        assert stranger.get(f"/timetable-weeks/{WEEK}/document?{whose}").status_code == 404
    assert hand_over(caller_of(school.a.administrator, write=False), moved(placed)).status_code == 403
    assert hand_over(caller_of(school.a.administrator), moved(placed), "campus-b").status_code == 404
