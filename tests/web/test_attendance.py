"""The teacher's list: who is there, corrected with a reason, and seen by nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from lms_bridge.attendance.models import AttendanceCorrection, AttendanceRecord, Verdict
from lms_bridge.attendance.recording import AFTERWARDS, compute_lesson, finally_
from lms_bridge.core import clock, jobs
from lms_bridge.core.database import db, transaction
from lms_bridge.roster.models import Person
from tests.builders import SchoolSystem
from tests.lessons.support import START, browser, entered, press, school_at


@pytest.fixture
def school(app: Flask) -> Iterator[SchoolSystem]:
    """A school two minutes into its lesson."""
    with school_at(2) as system:
        yield system


def in_english(app: Flask, person: Person) -> FlaskClient:
    """A browser of ``person`` in English."""
    client = browser(app, person)
    client.get("/language/en")
    return client


def page_of(school: SchoolSystem) -> str:
    """The address of the list."""
    return f"/lessons/{school.a.lesson.uid}/attendance"


def correct(client: FlaskClient, school: SchoolSystem, student: Person, verdict: str, reason: str) -> int:
    """Correct ``student``; the status of the answer."""
    return press(client, page_of(school), f"{page_of(school)}/{student.uid}", verdict=verdict, reason=reason)[0]


def test_who_came_through_the_door_is_present_and_the_others_are_awaited(app: Flask, school: SchoolSystem) -> None:
    here, missing = school.a.students[:2]
    entered(app, here, school.a.lesson)
    page = in_english(app, school.a.teacher).get(page_of(school)).get_data(as_text=True)
    assert here.display_name in page
    assert missing.display_name in page
    assert page.count("not here yet</span>") == 1
    chinese = browser(app, school.a.teacher).get(page_of(school)).get_data(as_text=True)
    assert chinese.count("还没到</span>") == 1


def test_a_correction_stands_whatever_is_seen_later_and_names_its_author(app: Flask, school: SchoolSystem) -> None:
    lesson, student = school.a.lesson, school.a.students[1]
    teacher = in_english(app, school.a.teacher)
    assert correct(teacher, school, student, "excused", "dentist") == 303
    with clock.at(lesson.ends_at + AFTERWARDS), transaction():
        compute_lesson(lesson.id)
    with clock.at(lesson.ends_at + AFTERWARDS):
        page = in_english(app, school.a.teacher).get(page_of(school)).get_data(as_text=True)
        assert "excused</span>" in page
        assert "dentist" in page
        assert school.a.teacher.display_name in page
        assert correct(teacher, school, student, "computed", "was a mistake") == 303
        assert "excused</span>" not in teacher.get(page_of(school)).get_data(as_text=True)
    db.session.rollback()
    verdicts = db.session.scalars(sa.select(AttendanceCorrection.verdict).order_by(AttendanceCorrection.id)).all()
    assert verdicts == [Verdict.EXCUSED, None]


@pytest.mark.parametrize(("verdict", "reason"), [("late", "  "), ("", "tram"), ("asleep", "tram")])
def test_a_correction_without_reason_or_verdict_is_refused(
    app: Flask, school: SchoolSystem, verdict: str, reason: str
) -> None:
    assert correct(browser(app, school.a.teacher), school, school.a.students[0], verdict, reason) == 422
    assert db.session.scalar(sa.select(sa.func.count(AttendanceCorrection.id))) == 0


def test_others_neither_see_nor_correct(app: Flask, school: SchoolSystem) -> None:
    student = school.a.students[0]
    for person in (school.b.teacher, school.b.administrator, student, school.a.guardians[0]):
        client = browser(app, person)
        assert client.get(page_of(school)).status_code == 404
        address = f"{page_of(school)}/{student.uid}"
        assert press(client, "/", address, verdict="late", reason="x")[0] == 404


def test_a_student_of_another_class_cannot_be_corrected_here(app: Flask, school: SchoolSystem) -> None:
    assert correct(browser(app, school.a.teacher), school, school.b.students[0], "late", "tram") in (404, 409)
    assert db.session.scalar(sa.select(sa.func.count(AttendanceCorrection.id))) == 0


def test_after_the_lesson_every_student_has_one_final_verdict_however_often_it_is_computed(
    app: Flask, school: SchoolSystem
) -> None:
    lesson, (here, missing) = school.a.lesson, school.a.students[:2]
    entered(app, here, lesson)
    with transaction():
        finally_([lesson])
    with clock.at(lesson.ends_at + AFTERWARDS + timedelta(seconds=1)):
        jobs.run_due()
        with transaction():
            compute_lesson(lesson.id)
    db.session.rollback()
    rows = db.session.scalars(sa.select(AttendanceRecord).filter_by(lesson_id=lesson.id)).all()
    assert len(rows) == len({row.person_id for row in rows})
    assert all(row.final for row in rows)
    by_person = {row.person_id: row for row in rows}
    assert by_person[missing.id].verdict is Verdict.ABSENT
    assert by_person[here.id].first_seen_at == START + timedelta(minutes=2)
