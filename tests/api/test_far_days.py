"""Days and weeks that no school calendar reaches are refused in clear words, wherever they are given."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from lms_bridge.core import clock
from tests.api.conftest import MakeCaller
from tests.timetable.placed import Placed, placed_week
from tests.timetable.school import FRIDAY
from tests.web.test_timetable import english

ENGLISH = {"headers": {"Accept-Language": "en"}}
FAR_WEEKS = ("9999-W52", "0001-W01")
FAR_DAYS = ("9999-12-31", "0001-01-01")


@pytest.fixture
def placed(app: Flask) -> Iterator[Placed]:
    app.config["WTF_CSRF_ENABLED"] = False
    with clock.at(FRIDAY):
        yield placed_week()


def test_far_days_and_weeks_are_refused(app: Flask, placed: Placed, caller_of: MakeCaller) -> None:
    a, uid = placed.school.a, placed.math.uid
    program = caller_of(a.administrator)
    asked = [("GET", f"/lessons?week={week}&campus=campus-a", None) for week in FAR_WEEKS]
    asked += [("GET", f"/campuses/campus-a/input-check?week={week}", None) for week in FAR_WEEKS]
    asked += [("GET", f"/lessons/{uid}/slots?week={week}", None) for week in FAR_WEEKS]
    asked += [("POST", "/solve-runs", {"campus": "campus-a", "week": week}) for week in FAR_WEEKS]
    for day in FAR_DAYS:
        asked += [
            ("GET", f"/board?campus=campus-a&day={day}", None),
            ("POST", "/absences", {"teacher": a.teacher.uid, "first_day": day}),
            ("POST", f"/lessons/{uid}/move", {"date": day, "period": 1, "version": 1}),
        ]
    for method, path, data in asked:
        answer = program.call(method, path, json=data, **ENGLISH) if data else program.call(method, path, **ENGLISH)
        assert answer.status_code == 422, (path, answer.text)
        assert "is too far away for a school calendar." in answer.text, (path, answer.text)
    client = english(app, a.administrator)
    pages = [client.get(f"/timetable/board?campus=campus-a&day={day}") for day in FAR_DAYS]
    pages += [client.post("/timetable/solve", data={"campus": "campus-a", "week": week}) for week in FAR_WEEKS]
    pages += [client.get(f"/timetable?campus=campus-a&week={week}") for week in FAR_WEEKS]
    pages += [client.get(f"/timetable/solve?campus=campus-a&week={week}") for week in FAR_WEEKS]
    pages += [client.post(f"/timetable/lessons/{uid}/move", data={"date": day, "period": 1}) for day in FAR_DAYS]
    assert [page.status_code for page in pages] == [422] * len(pages)
