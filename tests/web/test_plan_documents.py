"""Documents are downloaded from a plan's page, and come back through it as the same units."""

from __future__ import annotations

import io
from pathlib import Path

import docx
import openpyxl
import pytest
from docx.oxml.ns import qn
from flask import Flask

from lms_bridge.core.database import db, transaction
from lms_bridge.plans import comments
from tests.builders import SchoolSystem, benchmark
from tests.plans.documents import plan_docx
from tests.web.test_plans import UNITS, newest_plan, school, signed_in, upload  # noqa: F401 - a fixture among them


@pytest.fixture
def own(app: Flask, school: SchoolSystem, tmp_path: Path) -> SchoolSystem:  # noqa: F811
    """The teacher of campus A has a plan of their own, compared with the bureau's benchmark."""
    with transaction():
        benchmark(school.bureau, school.term, school.subject, school.researcher, units=UNITS)
    path = plan_docx(tmp_path / "p.docx", [("机械运动", 4), ("声现象", 2)])
    assert upload(signed_in(app, school.a.teacher), school, path)[0] == 200
    return school


@pytest.mark.parametrize("suffix", ["docx", "xlsx"])
def test_a_downloaded_plan_comes_back_as_the_same_units(app: Flask, own: SchoolSystem, suffix: str) -> None:
    client = signed_in(app, own.a.teacher)
    plan = newest_plan()
    page = client.get(f"/plans/{plan.uid}").get_data(as_text=True)
    assert f"/plans/{plan.uid}/plan.{suffix}" in page
    answer = client.get(f"/plans/{plan.uid}/plan.{suffix}")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    back = client.post(
        f"/plans/{plan.uid}/version", data={"file": (io.BytesIO(answer.data), f"plan.{suffix}")}, follow_redirects=True
    )
    assert back.status_code == 200
    db.session.expire_all()
    first, second = plan.versions
    keys = ("key", "title", "periods", "week_from", "week_to", "objectives", "homework")
    assert [[getattr(u, k) for k in keys] for u in second.units] == [[getattr(u, k) for k in keys] for u in first.units]


def test_the_review_sheet_tells_findings_answers_steps_and_comments(app: Flask, own: SchoolSystem) -> None:
    client, plan = signed_in(app, own.a.teacher), newest_plan()
    client.post(f"/plans/{plan.uid}/findings/1", data={"answer": "refuse", "version": 1, "words": "学生已经学过"})
    client.post(f"/plans/{plan.uid}/submit", data={"version": 1})
    with transaction():
        comments.begin(
            plan, "声现象只有两课时？", scope=None, person=own.researcher, unit_key=plan.versions[0].units[1].key
        )
    client.get("/language/en")
    sheet = docx.Document(io.BytesIO(client.get(f"/plans/{plan.uid}/review-sheet.docx").data))
    cells = [cell.text for table in sheet.tables for row in table.rows for cell in row.cells]
    text = "\n".join([*cells, *(paragraph.text for paragraph in sheet.paragraphs)])
    for part in (
        "物态变化",
        "refused by the author",
        "学生已经学过",
        "submitted",
        "声现象只有两课时？",
        "School leader",
    ):
        assert part in text, part
    heads = [row for table in sheet.tables for row in table.rows if row._tr.trPr is not None]
    assert any(row._tr.trPr.find(qn("w:tblHeader")) is not None for row in heads)
    assert "PAGE" in sheet.sections[0].footer._element.xml


def test_the_workbook_holds_texts_and_not_formulas(app: Flask, own: SchoolSystem) -> None:
    plan = newest_plan()
    with transaction():
        plan.versions[0].units[0].title = "=1+1"
    answer = signed_in(app, own.a.teacher).get(f"/plans/{plan.uid}/plan.xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(answer.data)).worksheets[0]
    (cell,) = [cell for row in sheet.iter_rows() for cell in row if cell.value == "=1+1"]
    assert cell.data_type == "s"


def test_documents_of_another_school_are_not_found(app: Flask, own: SchoolSystem) -> None:
    stranger = signed_in(app, own.b.teacher)
    for name in ("plan.docx", "plan.xlsx", "review-sheet.docx"):
        assert stranger.get(f"/plans/{newest_plan().uid}/{name}").status_code == 404
