"""People make keys for their programs, see them once, and end them."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from lms_bridge.core.database import transaction
from lms_bridge.roster import api_tokens
from tests.builders import SchoolSystem, small_system
from tests.web.test_plans import signed_in


@pytest.fixture
def school(app: Flask) -> SchoolSystem:
    """Two campuses."""
    app.config["WTF_CSRF_ENABLED"] = False
    return small_system()


def test_a_key_is_shown_once_and_works_until_it_is_ended(app: Flask, school: SchoolSystem) -> None:
    teacher = signed_in(app, school.a.teacher)
    teacher.get("/language/en")
    page = teacher.post("/api-keys", data={"name": "school portal", "days": "30"}).get_data(as_text=True)
    found = re.search(r"lmsb_[\w-]{40,}", page)
    assert found is not None
    headers = {"Authorization": f"Bearer {found[0]}"}
    assert app.test_client().get("/api/v1/plans", headers=headers).status_code == 200
    listed = teacher.get("/api-keys").get_data(as_text=True)
    assert "school portal" in listed
    assert found[0] not in listed
    assert "may only read" in listed
    (token,) = api_tokens.tokens_of(school.a.teacher)
    assert teacher.post(f"/api-keys/{token.uid}/revoke", follow_redirects=True).status_code == 200
    assert app.test_client().get("/api/v1/plans", headers=headers).status_code == 401


def test_a_key_without_a_name_is_not_made(app: Flask, school: SchoolSystem) -> None:
    teacher = signed_in(app, school.a.teacher)
    assert teacher.post("/api-keys", data={"name": " ", "days": "4000"}).status_code == 422
    assert api_tokens.tokens_of(school.a.teacher) == []


def test_nobody_ends_the_key_of_another(app: Flask, school: SchoolSystem) -> None:
    with transaction():
        token, _ = api_tokens.create(school.a.teacher, "x", days=3, may_write=False, actor=None)
    assert signed_in(app, school.b.teacher).post(f"/api-keys/{token.uid}/revoke").status_code == 404
    assert api_tokens.in_force(token)


def test_pupils_and_families_have_no_use_for_keys(app: Flask, school: SchoolSystem) -> None:
    assert signed_in(app, school.a.students[0]).get("/api-keys").status_code == 404
