"""An administrator brings the school's own timetable in through the pages, and takes weeks out as files."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from lms_bridge.core import clock
from lms_bridge.core.database import db
from lms_bridge.core.models import StoredFile
from lms_bridge.timetable.models import Lesson
from tests.builders import SchoolSystem
from tests.timetable.school import FRIDAY, WEEK, school_with_plans
from tests.web.test_plans import signed_in


@pytest.fixture
def school(app: Flask) -> Iterator[SchoolSystem]:
    """A school on the Friday before the first week of the file."""
    app.config["WTF_CSRF_ENABLED"] = False
    with clock.at(FRIDAY):
        yield school_with_plans()


def administrator(app: Flask, school: SchoolSystem) -> FlaskClient:
    client = signed_in(app, school.a.administrator)
    client.get("/language/en")
    return client


def file_of(school: SchoolSystem, period: str = "1") -> tuple[io.BytesIO, str]:
    code = school.a.classes[0].code
    return io.BytesIO(f"class,weekday,period,subject\n{code},Mon,{period},Chinese\n".encode()), "ours.csv"


def lessons() -> int:
    return db.session.scalar(sa.select(sa.func.count()).select_from(Lesson)) or 0


def test_a_timetable_is_looked_at_then_published_then_downloaded(app: Flask, school: SchoolSystem) -> None:
    client = administrator(app, school)
    campus, before = school.a.campus.code, lessons()
    assert campus in client.get("/timetable/import").text
    answer = client.post("/timetable/import", data={"campus": campus, "first": WEEK, "file": file_of(school)})
    address = answer.headers["Location"]
    page = client.get(address).text
    assert "The timetable can be imported" in page
    assert lessons() == before
    answer = client.post(address.partition("?")[0], data={"campus": campus, "first": WEEK})
    assert "/timetable/changes/" in answer.headers["Location"]
    assert lessons() == before + 1
    assert client.get(address).status_code == 404
    for form, start in (("csv", "\ufeffClass".encode()), ("xlsx", b"PK"), ("ics", b"BEGIN:VCAL"), ("fet", b"<?xml")):
        found = client.get(f"/timetable/export/{campus}/{WEEK}.{form}")
        assert found.status_code == 200
        assert found.data.startswith(start), form
    group = school.a.classes[0].uid
    assert client.get(f"/timetable/export/{campus}/{WEEK}.csv?class={group}").status_code == 200
    assert client.get(f"/timetable/export/{campus}/2026-W50.csv").status_code == 422


def test_what_goes_out_as_fet_comes_in_again(app: Flask, school: SchoolSystem) -> None:
    client = administrator(app, school)
    campus = school.a.campus.code
    address = client.post("/timetable/import", data={"campus": campus, "first": WEEK, "file": file_of(school)}).headers[
        "Location"
    ]
    client.post(address.partition("?")[0], data={"campus": campus, "first": WEEK})
    fet = client.get(f"/timetable/export/{campus}/{WEEK}.fet").data
    answer = client.post(
        "/timetable/import", data={"campus": campus, "first": WEEK, "file": (io.BytesIO(fet), "ours.fet")}
    )
    assert "The timetable is like that already" in client.get(answer.headers["Location"]).text


def test_a_bad_file_is_refused_with_every_problem_and_nothing_is_kept(app: Flask, school: SchoolSystem) -> None:
    client = administrator(app, school)
    bad = (io.BytesIO(b"class,weekday,period,subject\n7-9,Mon,1,Chinese\n,Mon,1,Chinese\nx,Noday,1,y\n"), "bad.csv")
    answer = client.post("/timetable/import", data={"campus": school.a.campus.code, "first": WEEK, "file": bad})
    assert answer.status_code == 422
    assert "row 3" in answer.text
    assert "row 4" in answer.text
    answer = client.post(
        "/timetable/import", data={"campus": school.a.campus.code, "first": WEEK, "file": file_of(school, "11")}
    )
    assert answer.status_code == 422
    assert "no period 11" in answer.text
    assert db.session.scalar(sa.select(sa.func.count()).select_from(StoredFile)) == 0


def test_only_administrators_of_the_campus_bring_timetables(app: Flask, school: SchoolSystem) -> None:
    assert signed_in(app, school.a.teacher).get("/timetable/import").status_code in (403, 404)
    other = signed_in(app, school.b.administrator)
    answer = other.post(
        "/timetable/import", data={"campus": school.a.campus.code, "first": WEEK, "file": file_of(school)}
    )
    assert answer.status_code == 404
