"""Administrators state what the timetable is made from; what is wrong is said, and what was typed stays."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer

from lms_bridge.calendar.grids import grids_of
from lms_bridge.calendar.limits import limits_for
from lms_bridge.calendar.models import CalendarDay, DayKind
from lms_bridge.core import clock
from lms_bridge.core.database import db, transaction
from lms_bridge.lessons.models import ProviderAccount
from lms_bridge.roster.models import EnrolmentRole
from lms_bridge.timetable.cases.models import CaseState, ChangeCase
from lms_bridge.timetable.cases.teacher_times import limits_of
from lms_bridge.timetable.inputs.arrangements import arrangements_of
from lms_bridge.timetable.inputs.models import SubjectRule
from lms_bridge.timetable.making.input_check import check_week
from lms_bridge.timetable.making.scheduling import solve_week
from lms_bridge.timetable.models import Unavailability
from tests.builders import SchoolSystem, enrol, plan, subject
from tests.timetable.school import FRIDAY, WEEK, school_with_plans
from tests.web.test_every_route import FORM_TOKEN, visitor

INPUTS = "/timetable/inputs/campus-a"


@pytest.fixture
def school(app: Flask) -> Iterator[SchoolSystem]:
    """A school on Friday."""
    with clock.at(FRIDAY):
        yield school_with_plans()


@pytest.fixture
def client(app: Flask, school: SchoolSystem) -> FlaskClient:
    """The browser of A's administrator, in English."""
    found = visitor(app, school.a.administrator)
    found.get("/language/en")
    return found


def send(client: FlaskClient, path: str, **fields: object) -> tuple[int, str]:
    """Send a form of these pages; the status, and the page that comes of it."""
    token = URLSafeTimedSerializer(client.application.secret_key or "", salt="wtf-csrf-token").dumps(FORM_TOKEN)
    answer = client.post(f"{INPUTS}{path}", data={"csrf_token": token, **fields})
    db.session.expire_all()
    if answer.status_code == 302:
        return 302, client.get(answer.headers["Location"]).get_data(as_text=True)
    return answer.status_code, answer.get_data(as_text=True)


def test_a_rule_is_added_shown_and_removed(client: FlaskClient, school: SchoolSystem) -> None:
    chinese = subject("chinese").id
    status, page = send(client, "/rules", kind="doubles", subject=chinese, scope="grade:5", weeks="odd", number=1)
    assert status == 302
    assert "one double period a week" in page
    assert "grade 5, odd weeks" in page
    row = db.session.scalars(sa.select(SubjectRule)).one()
    status, page = send(client, f"/rules/{row.uid}/remove")
    assert (status, "No rules yet" in page) == (302, True)


def test_a_rule_that_contradicts_another_is_refused_and_what_was_chosen_stays(client: FlaskClient) -> None:
    chinese = subject("chinese").id
    send(client, "/rules", kind="doubles", subject=chinese, weeks="every", number=1)
    status, page = send(client, "/rules", kind="spread", subject=chinese, scope="grade:5", weeks="every", number=1)
    assert status == 422
    assert "a double period is two periods on one day" in page
    assert '<option value="grade:5" selected>' in page
    assert len(db.session.scalars(sa.select(SubjectRule)).all()) == 1


def test_classes_are_arranged_and_a_group_gets_its_students(client: FlaskClient, school: SchoolSystem) -> None:
    group, teacher = school.a.classes[0], school.a.teacher
    status, page = send(
        client, "/arrangements", subject=subject("chinese").id, classes=[group.id], part="A", lead=teacher.uid, band="5"
    )
    assert status == 302
    assert "at the same time: 5" in page
    (row,) = arrangements_of(school.a.campus.id)
    status, page = send(client, f"/arrangements/{row.uid}/group/{group.id}", students=[school.a.students[0].id])
    assert (status, "one student" in page) == (302, True)
    status, page = send(client, f"/arrangements/{row.uid}/remove")
    assert (status, arrangements_of(school.a.campus.id)) == (302, [])


def test_an_arrangement_lists_everything_that_is_wrong(client: FlaskClient) -> None:
    status, page = send(client, "/arrangements", subject=subject("chinese").id)
    assert status == 422
    assert "No class was chosen." in page
    assert "No teacher was chosen." in page


def test_a_teachers_times_are_stated_and_taken_back(client: FlaskClient, school: SchoolSystem) -> None:
    teacher = school.a.teacher
    status, page = send(client, "/teachers/absence", teacher=teacher.uid, weekdays=["4"], periods="5, 6", reason="x")
    assert status == 302
    assert "every Friday, period 5" in page
    rows = db.session.scalars(sa.select(Unavailability)).all()
    assert [(row.weekday, row.period_number) for row in rows] == [(4, 5), (4, 6)]
    assert send(client, f"/teachers/absence/{rows[0].id}/remove")[0] == 302
    assert send(client, "/teachers/limit", teacher=teacher.uid, limit=4)[0] == 302
    assert limits_of([teacher.id]) == {teacher.id: 4}
    status, page = send(
        client, "/teachers/absence", teacher=teacher.uid, first_day="2026-12-02", last_day="2026-12-01", periods="one"
    )
    assert status == 422
    assert "The periods cannot be read." in page
    status, page = send(client, "/teachers/absence", teacher=teacher.uid)
    assert "It is not said when the teacher cannot teach." in page


def test_an_absence_of_days_waits_to_be_decided_and_can_be_taken_back(
    client: FlaskClient, school: SchoolSystem
) -> None:
    solve_week("campus-a", WEEK, actor=None)
    days = {"first_day": "2026-11-23", "last_day": "2026-11-27"}
    assert send(client, "/teachers/absence", teacher=school.a.teacher.uid, **days)[0] == 302
    (case,) = db.session.scalars(sa.select(ChangeCase)).all()
    assert case.state is CaseState.OPEN
    row = db.session.scalars(sa.select(Unavailability)).one()
    assert send(client, f"/teachers/absence/{row.id}/remove")[0] == 302
    db.session.refresh(case)
    assert case.state is CaseState.WITHDRAWN


def test_a_free_day_shows_in_the_calendar_and_names_the_lessons_on_it(
    client: FlaskClient, school: SchoolSystem
) -> None:
    solve_week("campus-a", WEEK, actor=None)
    status, page = send(client, "/days", kind="holiday", first="2026-11-25", name="运动会", name_en="Sports day")
    assert (status, "Sports day" in page) == (302, True)
    problems = [problem.text() for problem in check_week(school.a.campus, WEEK).problems]
    assert any("on a day without school, the first on Wed 25 Nov" in text for text in problems)
    assert "on a day without school" in client.get(f"{INPUTS}?week={WEEK}").get_data(as_text=True)
    row = db.session.scalars(sa.select(CalendarDay)).one()
    assert send(client, f"/days/{row.id}/remove")[0] == 302
    assert check_week(school.a.campus, WEEK).problems == ()


def test_a_make_up_day_follows_the_weekday_it_stands_in_for(client: FlaskClient) -> None:
    assert send(client, "/days", kind="make_up", first="2026-11-28", as_weekday="2")[0] == 302
    row = db.session.scalars(sa.select(CalendarDay)).one()
    assert (row.kind, row.as_weekday) == (DayKind.MAKE_UP, 2)
    status, page = send(client, "/days", kind="make_up", first="2026-11-28", last="2026-11-29")
    assert (status, "A make-up day is one day." in page) == (422, True)


def test_a_grid_differs_on_different_weekdays(client: FlaskClient, school: SchoolSystem) -> None:
    common = {"name": "Online", "online": "online", "grades": "6"}
    times = "8:00-8:20\n08:50–09:10\n"
    assert send(client, "/grids", **common, weekdays=["0", "1", "2", "3", "4"], times=times)[0] == 302
    assert send(client, "/grids", **common, weekdays=["4"], times="08:00-08:20")[0] == 302
    (grid,) = [g for g in grids_of(school.a.campus.id) if g.name == "Online"]
    assert [len(grid.on(day)) for day in range(6)] == [2, 2, 2, 2, 1, 0]
    assert send(client, f"/grids/{grid.id}/remove")[0] == 302
    assert [g.name for g in grids_of(school.a.campus.id)] != ["Online"]


def test_a_grid_with_unreadable_or_overlapping_times_names_each_line(client: FlaskClient) -> None:
    status, page = send(client, "/grids", name="x", weekdays=["0"], times="08:00-08:40\nafter lunch\n25:00-26:00")
    assert (status, page.count("This line is not the time of a period.")) == (422, 2)
    assert "after lunch" in page
    status, page = send(client, "/grids", name="x", grades="6", weekdays=["0"], times="08:00-08:40\n08:30-09:00")
    assert status == 422
    assert "overlaps period 1 (08:00-08:40)" in page


def test_limits_and_rooms_are_set_by_those_who_may(app: Flask, client: FlaskClient, school: SchoolSystem) -> None:
    fields = {"grade": "5", "periods_per_day": 5, "minutes_per_lesson": 20, "periods_in_a_row": 2, "source": "市局"}
    assert send(client, "/limits", **fields)[0] == 302
    limits = limits_for(school.a.campus, "5")
    assert (limits.periods_per_day, limits.periods_in_a_row, limits.is_default) == (5, 2, False)
    account = db.session.scalars(sa.select(ProviderAccount)).one()
    # The account is the bureau's: the campus's administrator sees its number and cannot change it.
    assert send(client, f"/rooms/{account.uid}", count=9)[0] == 404
    status, _ = send(visitor(app, school.bureau_administrator), f"/rooms/{account.uid}", count=9)
    assert status == 302
    assert account.concurrent_rooms == 9
    assert "At most 9 online lessons of the campus take place at once." in client.get(f"{INPUTS}/rooms").get_data(
        as_text=True
    )


def test_everything_that_stands_in_the_way_is_listed_at_once(client: FlaskClient, school: SchoolSystem) -> None:
    nobody = subject("art", "美术", "Art")
    with transaction():
        plan(school.a.classes[:1], nobody, school.a.teacher, units=[("画", 20)])
        school.a.teacher.valid_to = date(2026, 11, 1)
        enrol(school.a.other_teacher, school.a.classes[1], what=EnrolmentRole.TEACHER, teaches=nobody)
        school.a.grid.grades = ["9"]
    page = client.get(f"{INPUTS}?week={WEEK}").get_data(as_text=True)
    assert "Nobody teaches 5-1 Art." in page
    assert "Class 5-1 (grade 5) has no period grid for this week." in page
    assert "things stand in the way" in page


def test_an_over_full_class_and_a_teacher_without_hours_are_named(school: SchoolSystem) -> None:
    with transaction():
        for weekday in range(5):
            db.session.add(Unavailability(person_id=school.a.teacher.id, weekday=weekday))
        plan(school.a.classes[1:], school.subject, school.a.other_teacher, units=[("数", 700)])
    problems = [problem.text() for problem in check_week(school.a.campus, WEEK).problems]
    assert any(text.startswith(f"{school.a.teacher.display_name} has ") and "free in 0" in text for text in problems)
    assert any(text.startswith("5-2 has ") for text in problems)


def test_the_pace_page_names_what_is_behind_first(app: Flask, client: FlaskClient, school: SchoolSystem) -> None:
    solve_week("campus-a", WEEK, actor=None)
    page = client.get("/timetable/pace?campus=campus-a").get_data(as_text=True)
    assert "5-1 Chinese" in page
    with clock.at(FRIDAY + timedelta(days=3)):
        group = school.a.classes[0]
        answer = client.get(f"/timetable/pace/{group.uid}/{subject('chinese').id}")
        assert answer.status_code == 200
        assert "Taught by the end of this week" in answer.get_data(as_text=True)
    guardian = visitor(app, school.a.guardians[0])
    assert guardian.get(f"/timetable/pace/{group.uid}/{subject('chinese').id}").status_code == 404


@pytest.mark.parametrize("number", ["9" * 20, "²", "-1"])
def test_numbers_that_no_row_can_have_are_refused(client: FlaskClient, number: str) -> None:
    assert send(client, "/arrangements", subject=number, classes=number)[0] == 422
    assert send(client, "/rules", kind="spread", subject=number, scope=f"class:{number}", number=number)[0] == 422
