"""A teacher accepts and refuses proposals on the plan's page, and makes the next version of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from lms_bridge.core.database import db, transaction
from lms_bridge.plans.comparing import findings_of
from lms_bridge.plans.models import VersionState
from lms_bridge.roster.models import EnrolmentRole
from tests.builders import SchoolSystem, enrol, small_system, subject
from tests.plans.documents import plan_docx
from tests.plans.test_review import bring_benchmark
from tests.web.test_plans import newest_plan, signed_in, upload

UNITS = [("几何图形初步", 4), ("有理数", 4), ("校本社团展示", 2)]


@pytest.fixture
def school(app: Flask, tmp_path: Path) -> SchoolSystem:
    """A campus whose teacher teaches physics too, with a benchmark, and the teacher's plan uploaded."""
    app.config["WTF_CSRF_ENABLED"] = False
    school = small_system()
    with transaction():
        school.subject = subject("physics", "物理", "Physics")
        enrol(school.a.teacher, school.a.classes[0], EnrolmentRole.TEACHER, teaches=school.subject)
    bring_benchmark(school, tmp_path)
    upload(signed_in(app, school.a.teacher), school, plan_docx(tmp_path / "p.docx", UNITS))
    return school


def positions(kind: str) -> list[int]:
    """The positions of the findings of a kind in the newest version."""
    db.session.expire_all()
    return [f.position for f in findings_of(newest_plan().versions[-1]) if f.kind == kind]


def test_accepted_proposals_make_the_next_version_and_refusals_are_remembered(app: Flask, school: SchoolSystem) -> None:
    teacher, plan = signed_in(app, school.a.teacher), newest_plan()
    teacher.get("/language/en")
    page = teacher.get(f"/plans/{plan.uid}").get_data(as_text=True)
    assert "Proposal" in page
    assert "Leave it out while teaching is online." in page
    refused = positions("extra")[0]
    teacher.post(f"/plans/{plan.uid}/findings/{refused}", data={"answer": "refuse", "version": 1, "words": "校庆"})
    for position in positions("missing"):
        teacher.post(f"/plans/{plan.uid}/findings/{position}", data={"answer": "accept", "version": 1})
    page = teacher.post(f"/plans/{plan.uid}/adjust", data={"version": 1}, follow_redirects=True).get_data(as_text=True)
    assert "Version 2 was made" in page
    db.session.expire_all()
    assert positions("missing") == []
    assert [v.state for v in newest_plan().versions] == [VersionState.SUPERSEDED, VersionState.DRAFT]
    assert "校庆" in page
    assert "校本社团展示" in [unit.title for unit in newest_plan().versions[-1].units]


def test_nothing_is_made_of_nothing_or_of_an_old_version(app: Flask, school: SchoolSystem) -> None:
    teacher, plan = signed_in(app, school.a.teacher), newest_plan()
    teacher.get("/language/en")
    page = teacher.post(f"/plans/{plan.uid}/adjust", data={"version": 1}, follow_redirects=True).get_data(as_text=True)
    assert "No proposal is accepted." in page
    page = teacher.post(
        f"/plans/{plan.uid}/findings/{positions('extra')[0]}", data={"answer": "accept", "version": 7},
        follow_redirects=True,
    ).get_data(as_text=True)  # fmt: skip
    assert "You looked at version 7" in page
    assert len(newest_plan().versions) == 1


def test_only_those_who_write_the_plan_answer(app: Flask, school: SchoolSystem) -> None:
    plan, position = newest_plan(), positions("extra")[0]
    path = f"/plans/{plan.uid}/findings/{position}"
    assert signed_in(app, school.researcher).post(path, data={"answer": "accept", "version": 1}).status_code == 404
    for stranger in (school.b.teacher, school.a.students[0]):
        assert signed_in(app, stranger).post(path, data={"answer": "accept", "version": 1}).status_code == 404
