"""A teacher hands over a zip of plans and reads what became of each file."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from flask import Flask

from lms_bridge.core import jobs
from lms_bridge.core.database import transaction
from lms_bridge.roster.models import EnrolmentRole
from tests.builders import SchoolSystem, enrol, small_system, subject
from tests.plans.documents import plan_docx
from tests.web.test_plans import newest_plan, signed_in


@pytest.fixture
def school(app: Flask) -> SchoolSystem:
    """Campus A's teacher teaches physics and chemistry, for which there are no plans."""
    app.config["WTF_CSRF_ENABLED"] = False
    school = small_system()
    with transaction():
        for code, name, english in (("physics", "物理", "Physics"), ("chemistry", "化学", "Chemistry")):
            enrol(school.a.teacher, school.a.classes[0], EnrolmentRole.TEACHER, teaches=subject(code, name, english))
    return school


def packed(school: SchoolSystem, tmp_path: Path) -> io.BytesIO:
    """A zip with a good plan, one that is no document, and one of nobody's class."""
    code = school.a.classes[0].code
    good = plan_docx(tmp_path / "good.docx", [("机械运动", 4), ("声现象", 4)])
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(f"{code}-物理.docx", good.read_bytes())
        archive.writestr(f"{code}-化学.docx", b"no document")
        archive.writestr("=cmd 物理.docx", good.read_bytes())
    stream.seek(0)
    return stream


def test_every_file_is_reported_and_the_good_one_is_read(app: Flask, school: SchoolSystem, tmp_path: Path) -> None:
    client = signed_in(app, school.a.teacher)
    client.get("/language/en")
    assert "/plans/batches" in client.get("/plans/upload").get_data(as_text=True)
    answer = client.post("/plans/batches", data={"file": (packed(school, tmp_path), "plans.zip")})
    address = answer.headers["Location"]
    assert "data-refresh" in client.get(address).get_data(as_text=True)
    jobs.run_due()
    page = client.get(address).get_data(as_text=True)
    assert "data-refresh" not in page
    assert f"/plans/{newest_plan().uid}" in page
    assert "Neither a class" in page or "It is not clear" in page
    table = client.get(f"{address}/report.csv").data.decode("utf-8-sig")
    assert len(table.splitlines()) == 4
    assert "'=cmd" in table


def test_what_is_no_zip_is_refused_beside_the_form(app: Flask, school: SchoolSystem) -> None:
    client = signed_in(app, school.a.teacher)
    client.get("/language/en")
    answer = client.post("/plans/batches", data={"file": (io.BytesIO(b"x"), "plans.zip")})
    assert answer.status_code == 422
    assert "not a zip file" in answer.get_data(as_text=True)


def test_a_batch_is_its_owners_alone(app: Flask, school: SchoolSystem, tmp_path: Path) -> None:
    answer = signed_in(app, school.a.teacher).post(
        "/plans/batches", data={"file": (packed(school, tmp_path), "plans.zip")}
    )
    assert signed_in(app, school.b.teacher).get(answer.headers["Location"]).status_code == 404
    assert signed_in(app, school.a.students[0]).get("/plans/batches").status_code == 404
