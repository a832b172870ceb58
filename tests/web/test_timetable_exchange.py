"""An administrator brings the school's own timetable in through the pages, and takes weeks out as files."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from lms_bridge.core import clock
from lms_bridge.core.database import db, transaction
from lms_bridge.core.models import StoredFile
from lms_bridge.timetable.models import Lesson, Unavailability
from tests.builders import SchoolSystem, subject
from tests.timetable.fet.fet_text import activity, fet_text, rule, times
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


def hidden(page: str, prefix: str) -> dict[str, str]:
    """The hidden fields of a page whose names begin so."""
    return dict(re.findall(rf'name="({prefix}[^"]*)" value="([^"]*)"', page))


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
    answer = client.post(address.partition("?")[0], data={"campus": campus, "first": WEEK} | hidden(page, "seen_"))
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
    client.post(address.partition("?")[0], data={"campus": campus, "first": WEEK, f"seen_{WEEK}": 0})
    fet = client.get(f"/timetable/export/{campus}/{WEEK}.fet").data
    answer = client.post(
        "/timetable/import", data={"campus": campus, "first": WEEK, "file": (io.BytesIO(fet), "ours.fet")}
    )
    assert "The timetable is like that already" in client.get(answer.headers["Location"]).text


def test_what_somebody_changed_since_the_look_is_shown_and_not_overwritten(app: Flask, school: SchoolSystem) -> None:
    client = administrator(app, school)
    campus = school.a.campus.code

    def look(period: str) -> tuple[str, dict[str, str]]:
        file = file_of(school, period)
        location = client.post("/timetable/import", data={"campus": campus, "first": WEEK, "file": file}).headers[
            "Location"
        ]
        seen = hidden(client.get(location).text, "seen_")
        return location.partition("?")[0], {"campus": campus, "first": WEEK} | seen

    (mine, my_data), (others, other_data) = look("1"), look("2")
    assert client.post(others, data=other_data).status_code == 302
    refused = client.post(mine, data=my_data)
    assert refused.status_code == 409
    assert "The timetable was changed since you looked at it" in refused.text
    assert school.a.administrator.display_name in refused.text
    row = db.session.scalars(sa.select(Lesson).where(Lesson.campus_id == school.a.campus.id).order_by(Lesson.id)).all()
    assert row[-1].period_number == 2
    assert client.post(mine, data={"campus": campus, "first": WEEK}).status_code == 409
    again = {"campus": campus, "first": WEEK} | hidden(refused.text, "seen_")
    assert client.post(mine, data=again).status_code == 302
    db.session.expire_all()
    assert db.session.get_one(Lesson, row[-1].id).period_number == 1


def test_rules_of_a_fet_file_are_offered_ticked_and_the_rest_is_listed(app: Flask, school: SchoolSystem) -> None:
    client = administrator(app, school)
    with transaction():
        school.a.teacher.number = "T1"
    code = school.a.classes[0].code
    rules = [
        rule("TeacherNotAvailableTimes", ("Teacher", "T1"), *times("Not_Available_Time", [(4, 3)])),
        rule("TeachersMaxGapsPerWeek", ("Max_Gaps", 0)),
        rule("ActivityPreferredStartingTime", ("Activity_Id", 1), ("Preferred_Day", "D1"), ("Preferred_Hour", "H1")),
    ]
    what = activity(1, "T1", code).replace("<Subject>S<", "<Subject>Sport<")
    with transaction():
        subject("Sport", "体育", "Sports")
    fet = fet_text([what], teachers=("T1",), students=(code,), time=rules)
    data = {"campus": school.a.campus.code, "first": WEEK}
    address = client.post("/timetable/import", data=data | {"file": (io.BytesIO(fet), "ours.fet")}).headers["Location"]
    page = client.get(address).text
    assert re.search(r'name="take_teacher_times"[^>]* checked', page)
    assert "not on Friday, periods 4" in page
    assert re.search(r"TeachersMaxGapsPerWeek.*?not supported, left out", page, re.S)
    data |= hidden(page, "seen_")
    assert client.post(address.partition("?")[0], data=data | {"take_teacher_times": "1"}).status_code == 302
    assert len(db.session.scalars(sa.select(Unavailability)).all()) == 1


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
