"""A teacher hands over a zip of plans and reads what became of each file."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from lms_bridge.core import clock, jobs
from lms_bridge.core.database import db, transaction
from lms_bridge.plans import batches
from lms_bridge.plans.models import PlanBatch
from lms_bridge.roster.models import EnrolmentRole
from tests.builders import SchoolSystem, enrol, small_system, subject
from tests.plans.documents import plan_docx
from tests.plans.making import lines
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


def test_a_form_that_nobody_knows_is_said_once_and_then_all_its_files_are_read(
    app: Flask, school: SchoolSystem
) -> None:
    own = lines([("进程", "讲授什么", "几节", "谁来讲"), ("1", "声音", "2", "王芳"), ("2", "光", "3", "王芳")]).encode()
    code = school.a.classes[0].code
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(f"{code}-物理.csv", own)
        archive.writestr(f"{code}-化学.csv", own)
    stream.seek(0)
    client = signed_in(app, school.a.teacher)
    client.get("/language/en")
    address = client.post("/plans/batches", data={"file": (stream, "plans.zip")}).headers["Location"]
    jobs.run_due()
    page = client.get(address).get_data(as_text=True)
    assert page.count("/columns") == 2
    mapping = client.post(f"{address}/files/1/columns").headers["Location"]
    said = {"field-0": "week", "field-1": "content", "field-2": "periods", "field-3": "", "header_row": "1"}
    was = dict(re.findall(r'<input type="hidden" name="([\w-]+)" value="([^"]*)"', client.get(mapping).text))
    was = dict(
        re.findall(
            r'<input type="hidden" name="([\w-]+)" value="([^"]*)"',
            client.post(mapping, data=was | said | {"do": "look"}).text,
        )
    )
    assert "/plans/" in client.post(mapping, data=was | said | {"do": "import"}).headers["Location"]
    client.post(f"{address}/again")
    jobs.run_due()
    page = client.get(address).get_data(as_text=True)
    assert "/columns" not in page
    states = [file["state"] for file in batches.report(newest_batch())["files"]]
    assert sorted(states) == ["flagged", "skipped"] or sorted(states) == ["read", "skipped"], states


def newest_batch() -> PlanBatch:
    """The batch that was handed over last."""
    found = db.session.scalar(sa.select(PlanBatch).order_by(PlanBatch.id.desc()).limit(1))
    assert found is not None
    return found


def test_reports_are_forgotten_after_their_time_and_plans_stay(
    app: Flask, school: SchoolSystem, tmp_path: Path
) -> None:
    client = signed_in(app, school.a.teacher)
    address = client.post("/plans/batches", data={"file": (packed(school, tmp_path), "p.zip")}).headers["Location"]
    jobs.run_due()
    with transaction():
        assert batches.forget_old() == 0
    with clock.at(clock.now() + batches.REPORT_KEPT + timedelta(days=1)), transaction():
        assert batches.forget_old() == 1
    assert client.get(address).status_code == 404
    assert newest_plan().versions
