"""The home page answers one question for each role."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.builders import small_system
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
