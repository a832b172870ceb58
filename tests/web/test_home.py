"""The home page answers one question for each role."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask

from lms_bridge.attendance import corrections
from lms_bridge.attendance.models import Verdict
from lms_bridge.core import clock
from lms_bridge.core.database import db, transaction
from lms_bridge.supervision.models import Homework
from tests.builders import lesson, small_system
from tests.lessons.support import press, school_at
from tests.web.test_plans import signed_in


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_role_has_a_home_page(app: Flask, language: str) -> None:
    school = small_system()
    for person in school.people.values():
        client = signed_in(app, person)
        client.get(f"/language/{language}")
        page = client.get("/")
        assert page.status_code == 200
        assert person.display_name in page.get_data(as_text=True)


def test_a_student_and_the_guardian_see_the_next_lesson_with_its_door(app: Flask) -> None:
    school = small_system()
    for person in (school.a.students[0], school.a.guardians[0], school.a.teacher):
        assert f"/l/{school.a.lesson.uid}" in signed_in(app, person).get("/").get_data(as_text=True)


def test_nobody_of_another_campus_sees_that_lesson(app: Flask) -> None:
    school = small_system()
    for person in (school.b.students[0], school.b.guardians[0], school.b.teacher):
        assert school.a.lesson.uid not in signed_in(app, person).get("/").get_data(as_text=True)


def test_those_who_are_not_signed_in_are_asked_to(app: Flask) -> None:
    answer = app.test_client().get("/")
    assert answer.status_code == 302
    assert "/sign-in" in answer.headers["Location"]


def test_after_the_lesson_the_family_sees_how_the_child_was_there(app: Flask) -> None:
    with school_at(10) as school:
        taught, child = school.a.lesson, school.a.students[0]
        with transaction():
            corrections.correct(taught, child, Verdict.LATE, "tram", school.a.teacher)
        for person, seen in ((child, True), (school.a.guardians[0], True), (school.a.students[1], False)):
            client = signed_in(app, person)
            client.get("/language/en")
            assert "late</span>" not in client.get("/").get_data(as_text=True)
            with clock.at(taught.ends_at + timedelta(minutes=1)):
                assert ("late</span>" in client.get("/").get_data(as_text=True)) is seen


def test_the_teacher_goes_from_the_lesson_that_runs_to_its_attendance(app: Flask) -> None:
    school = small_system()
    client = signed_in(app, school.a.teacher)
    address = f"/lessons/{school.a.lesson.uid}/attendance"
    assert address not in client.get("/").get_data(as_text=True)
    with clock.at(school.a.lesson.starts_at + timedelta(minutes=1)):
        assert address in client.get("/").get_data(as_text=True)


def test_home_and_the_page_in_the_lms_show_the_same_week_and_lead_to_the_calendar_feed(app: Flask) -> None:
    school = small_system()
    a = school.a
    start = a.lesson.starts_at
    with transaction():
        for days in (1, 3, 9):
            lesson(a.classes[0], school.subject, a.teacher, start + timedelta(days=days))
    for person in (a.students[0], a.teacher):
        client = signed_in(app, person)
        pages = [client.get(path).get_data(as_text=True) for path in ("/", "/lti/landing")]
        rows = [
            re.findall(r'class="clock">(\d\d:\d\d).*?lesson-subject"[^>]*>([^<]+)<', page, re.DOTALL) for page in pages
        ]
        assert len(rows[0]) == 3  # today, tomorrow, in three days; that of the week after next stays out
        assert rows[0] == rows[1]
        assert all("/inbox#calendar" in page and "/timetable" in page for page in pages)
        press(client, "/inbox", "/inbox/calendar", wish="make")
        feed = re.search(r"http://bridge\.test(/c/[^<]+\.ics)", client.get("/inbox").get_data(as_text=True))
        assert feed is not None
        assert client.get(feed[1]).get_data(as_text=True).count("BEGIN:VEVENT") == 4


def test_a_student_sees_homework_that_is_due(app: Flask) -> None:
    school = small_system()
    due = clock.now() + timedelta(days=1)
    with transaction():
        db.session.add(
            Homework(class_id=school.a.classes[0].id, title="Fractions <1>", url="https://lms.test/1", due_at=due)
        )
        db.session.add(Homework(class_id=school.b.classes[0].id, title="Elsewhere", due_at=due))
    page = signed_in(app, school.a.students[0]).get("/").get_data(as_text=True)
    assert '<a href="https://lms.test/1">Fractions &lt;1&gt;</a>' in page
    assert "Elsewhere" not in page
    assert "Fractions" not in signed_in(app, school.a.teacher).get("/").get_data(as_text=True)
