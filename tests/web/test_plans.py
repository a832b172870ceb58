"""Plan pages as teachers and researchers use them."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lms_bridge.core.database import db, transaction
from lms_bridge.plans.models import TeachingPlan, VersionState
from lms_bridge.roster.accounts import account_for
from lms_bridge.roster.models import EnrolmentRole, Person
from tests.builders import SchoolSystem, enrol, small_system, subject
from tests.plans.documents import plan_docx

UNITS = [("机械运动", 4), ("声现象", 4), ("物态变化", 5)]


@pytest.fixture
def school(app: Flask) -> SchoolSystem:
    """Two campuses; the teachers teach physics too, for which there is no plan."""
    app.config["WTF_CSRF_ENABLED"] = False
    school = small_system()
    with transaction():
        school.subject = subject("physics", "物理", "Physics")
        for campus in (school.a, school.b):
            enrol(campus.teacher, campus.classes[0], EnrolmentRole.TEACHER, teaches=school.subject)
    return school


def signed_in(app: Flask, person: Person) -> FlaskClient:
    """A client with a session of ``person``."""
    with transaction():
        version = account_for(person).session_version
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"] = f"{person.uid}:{version}"
        session["_fresh"] = True
    return client


def upload(client: FlaskClient, school: SchoolSystem, path: Path, name: str = "plan.docx") -> tuple[int, str]:
    """Upload ``path`` for the first class of campus A; status and page after redirects."""
    choice = f"{school.a.classes[0].id}:{school.subject.id}"
    with path.open("rb") as stream:
        answer = client.post("/plans/upload", data={"class": choice, "file": (stream, name)}, follow_redirects=True)
    return answer.status_code, answer.get_data(as_text=True)


def newest_plan() -> TeachingPlan:
    """The plan made last."""
    return db.session.query(TeachingPlan).order_by(TeachingPlan.id.desc()).first()  # type: ignore[return-value]


def test_a_teacher_uploads_and_a_researcher_approves(app: Flask, school: SchoolSystem, tmp_path: Path) -> None:
    teacher, researcher = signed_in(app, school.a.teacher), signed_in(app, school.researcher)
    status, page = upload(teacher, school, plan_docx(tmp_path / "p.docx", UNITS))
    assert status == 200
    assert "声现象" in page
    plan = newest_plan()
    assert teacher.post(f"/plans/{plan.uid}/submit", follow_redirects=True).status_code == 200
    assert plan.title in researcher.get("/plans/").get_data(as_text=True)
    page = researcher.post(f"/plans/{plan.uid}/approve", follow_redirects=True).get_data(as_text=True)
    assert "通过" in page or "approved" in page.lower()


def test_a_refused_document_is_explained_beside_the_form_and_stores_nothing(
    app: Flask, school: SchoolSystem, tmp_path: Path
) -> None:
    before = newest_plan().id
    old_word = tmp_path / "old.docx"
    old_word.write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 600)
    status, page = upload(signed_in(app, school.a.teacher), school, old_word, "旧文档.docx")
    assert status == 422
    assert "旧文档.docx" in page
    assert ".docx" in page
    assert newest_plan().id == before


@pytest.mark.parametrize("who", ["b.teacher", "b.administrator", "a.students", "a.guardians", "a.other_teacher"])
def test_plans_of_others_are_not_found(app: Flask, school: SchoolSystem, tmp_path: Path, who: str) -> None:
    upload(signed_in(app, school.a.teacher), school, plan_docx(tmp_path / "p.docx", UNITS))
    campus, role = who.split(".")
    person = getattr(getattr(school, campus), role)
    client = signed_in(app, person[0] if isinstance(person, list) else person)
    uid = newest_plan().uid
    assert client.get(f"/plans/{uid}").status_code == 404
    assert client.get(f"/plans/{uid}/file").status_code == 404
    assert client.post(f"/plans/{uid}/approve").status_code == 404


def test_a_return_without_a_reason_keeps_the_page_and_says_why(
    app: Flask, school: SchoolSystem, tmp_path: Path
) -> None:
    teacher, researcher = signed_in(app, school.a.teacher), signed_in(app, school.researcher)
    upload(teacher, school, plan_docx(tmp_path / "p.docx", UNITS))
    uid = newest_plan().uid
    teacher.post(f"/plans/{uid}/submit")
    refused = researcher.post(f"/plans/{uid}/return", data={"comment": " "})
    assert refused.status_code == 422
    returned = researcher.post(f"/plans/{uid}/return", data={"comment": "请补充实验"}, follow_redirects=True)
    assert "请补充实验" in returned.get_data(as_text=True)


def test_the_original_document_comes_back_as_it_was(app: Flask, school: SchoolSystem, tmp_path: Path) -> None:
    path = plan_docx(tmp_path / "p.docx", UNITS)
    teacher = signed_in(app, school.a.teacher)
    upload(teacher, school, path)
    answer = teacher.get(f"/plans/{newest_plan().uid}/file")
    assert answer.data == path.read_bytes()
    assert "attachment" in answer.headers["Content-Disposition"]


def test_the_list_has_pages_and_filters(app: Flask, school: SchoolSystem) -> None:
    from tests import builders

    with transaction():
        for number in range(52):
            what = subject(f"s{number}", f"学科{number}", f"Subject {number}")
            builders.plan(school.a.classes[:1], what, school.a.teacher, state=VersionState.DRAFT)
    client = signed_in(app, school.researcher)
    client.get("/language/en")
    first = client.get("/plans/").get_data(as_text=True)
    assert "54 plans" in first
    assert "?page=2" in first
    second = client.get("/plans/?page=2").get_data(as_text=True)
    assert second.count('href="/plans/') < first.count('href="/plans/')
    narrowed = client.get("/plans/?subject=s7&state=draft").get_data(as_text=True)
    assert "1 plan<" in narrowed
    assert "学科7 " in narrowed
    assert "No plan is like that" in client.get("/plans/?subject=s7&state=approved").get_data(as_text=True)
