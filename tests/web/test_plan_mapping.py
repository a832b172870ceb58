"""The page on which a teacher says what the columns of their own form hold."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from lms_bridge.core import clock
from lms_bridge.core.database import db, transaction
from lms_bridge.core.models import StoredFile
from lms_bridge.plans.models import ColumnMapping, PlanKind, TeachingPlan
from lms_bridge.roster.models import EnrolmentRole
from tests.builders import SchoolSystem, enrol, small_system, subject
from tests.plans.making import lines
from tests.web.test_plans import newest_plan, signed_in

FORM = [("进程", "讲授什么", "几节", "谁来讲"), ("1", "声音", "2", "王芳"), ("2", "光", "3", "李敏")]
RIGHT = {"field-0": "week", "field-1": "content", "field-2": "periods", "field-3": ""}


@pytest.fixture
def school(app: Flask) -> SchoolSystem:
    app.config["WTF_CSRF_ENABLED"] = False
    school = small_system()
    with transaction():
        school.subject = subject("physics", "物理", "Physics")
        for group in school.a.classes[:2]:
            enrol(school.a.teacher, group, EnrolmentRole.TEACHER, teaches=school.subject)
    return school


def teacher_of(app: Flask, school: SchoolSystem) -> FlaskClient:
    client = signed_in(app, school.a.teacher)
    client.get("/language/en")
    return client


def upload(client: FlaskClient, school: SchoolSystem, rows: list[tuple[str, ...]], *, group: int = 0) -> str:
    """Upload a CSV for a class of campus A; the address that the answer leads to."""
    data = {
        "class": f"{school.a.classes[group].id}:{school.subject.id}",
        "file": (io.BytesIO(lines(rows).encode()), "计划.csv"),
    }
    answer = client.post("/plans/upload", data=data)
    assert answer.status_code == 302, answer.get_data(as_text=True)
    return str(answer.headers["Location"])


def shown(client: FlaskClient, address: str, **form: str) -> tuple[str, dict[str, str]]:
    """The page at ``address`` (posted to, where ``form`` is given), and the hidden values of its form."""
    answer = client.post(address, data=form) if form else client.get(address)
    text = answer.get_data(as_text=True)
    hidden = dict(re.findall(r'<input type="hidden" name="([\w-]+)" value="([^"]*)"', text))
    return text, hidden


def test_a_form_with_words_of_its_own_is_mapped_imported_and_remembered(app: Flask, school: SchoolSystem) -> None:
    client = teacher_of(app, school)
    address = upload(client, school, FORM)
    assert address.startswith("/plans/mapping/")
    page, hidden = shown(client, address)
    assert "讲授什么" in page
    assert "No column was chosen for the title or content of the units." in page
    page, hidden = shown(client, address, **hidden, header_row="1", do="look", **RIGHT)
    assert "The units as they would be read" in page
    assert "Import" in page
    before = newest_plan().id
    answer = client.post(address, data={**hidden, "header_row": "1", "do": "import", **RIGHT}, follow_redirects=True)
    assert "The plan was read: 2 units." in answer.get_data(as_text=True)
    plan = newest_plan()
    assert plan.id > before
    assert [(unit.title, unit.periods) for unit in plan.versions[0].units] == [("声音", 2), ("光", 3)]
    assert db.session.query(StoredFile).filter_by(purpose="plan_upload").count() == 0
    # The next document with these headings needs no word, but it says whose word it follows.
    address = upload(client, school, [FORM[0], ("1", "力", "4", "")], group=1)
    page = client.get(address).get_data(as_text=True)
    assert "The columns were read as they were explained on" in page


def test_a_column_that_is_not_understood_leads_to_the_page_with_the_rest_chosen(
    app: Flask, school: SchoolSystem
) -> None:
    client = teacher_of(app, school)
    address = upload(client, school, [("周次", "教学内容", "课时", "执教感言"), ("1", "声音", "2", "好")])
    page, _ = shown(client, address)
    assert page.count(" selected") >= 3
    assert "leave out" in page
    assert "声音" in page.partition('id="units"')[2]


def test_assumed_values_are_marked(app: Flask, school: SchoolSystem) -> None:
    client = teacher_of(app, school)
    address = upload(client, school, [("周次", "教学内容", "课时", "执教感言"), ("1", "声音", "80分钟", "好")])
    units = shown(client, address)[0].partition('id="units"')[2]
    assert re.search(r'class="badge[^"]*"[^>]*>.*periods', units)


def test_a_new_version_is_mapped_too(app: Flask, school: SchoolSystem) -> None:
    client = teacher_of(app, school)
    upload(client, school, [("周次", "教学内容", "课时"), ("1", "声音", "2")])
    plan = newest_plan()
    answer = client.post(f"/plans/{plan.uid}/version", data={"file": (io.BytesIO(lines(FORM).encode()), "计划.csv")})
    address = str(answer.headers["Location"])
    _, hidden = shown(client, address)
    client.post(address, data={**hidden, "header_row": "1", "do": "import", **RIGHT})
    assert len(db.session.get_one(TeachingPlan, plan.id).versions) == 2


def test_the_row_of_the_headings_can_be_chosen(app: Flask, school: SchoolSystem) -> None:
    client = teacher_of(app, school)
    address = upload(client, school, [("我校八年级", "甲乙丙", "丁戊己", "庚辛"), *FORM])
    _, hidden = shown(client, address)
    assert hidden["was_header_row"] == "1"
    page, hidden = shown(client, address, **hidden, header_row="2", do="look", **RIGHT)
    assert hidden["was_header_row"] == "2"
    page, _ = shown(client, address, **hidden, header_row="2", do="look", **RIGHT)
    assert "Import" in page


def test_the_kept_document_is_for_its_owner_and_for_one_day(app: Flask, school: SchoolSystem) -> None:
    client = teacher_of(app, school)
    address = upload(client, school, FORM)
    assert signed_in(app, school.a.other_teacher).get(address).status_code == 404
    assert signed_in(app, school.b.teacher).get(address).status_code == 404
    assert app.test_client().get(address).status_code == 302
    with clock.at(clock.now() + timedelta(days=1, minutes=1)):
        assert teacher_of(app, school).get(address).status_code == 404


def test_nothing_is_remembered_when_the_import_is_refused(app: Flask, school: SchoolSystem) -> None:
    client = teacher_of(app, school)
    address = upload(client, school, FORM)
    _, hidden = shown(client, address)
    wrong = {**RIGHT, "field-1": "periods"}
    answer = client.post(address, data={**hidden, "header_row": "1", "do": "import", **wrong})
    assert answer.status_code == 422
    assert "2 columns hold the same" in answer.get_data(as_text=True)
    assert db.session.query(ColumnMapping).count() == 0


WRONG = {"field-0": "week", "field-1": "", "field-2": "periods", "field-3": "content"}


def named(client: FlaskClient, address: str, said: dict[str, str]) -> str:
    """The page after the columns of a waiting document were named, and it was imported."""
    _, hidden = shown(client, address)
    form = {**hidden, "header_row": "1", "do": "import", **said}
    return client.post(address, data=form, follow_redirects=True).get_data(as_text=True)


def titles() -> list[str]:
    """The titles of the newest plan's newest version."""
    return [unit.title for unit in db.session.get_one(TeachingPlan, newest_plan().id).versions[-1].units]


def test_a_wrong_word_about_columns_is_corrected_from_the_plans_page(app: Flask, school: SchoolSystem) -> None:
    client = teacher_of(app, school)
    named(client, upload(client, school, FORM), WRONG)
    assert titles() == ["王芳", "李敏"]
    page = client.get(upload(client, school, FORM, group=1)).get_data(as_text=True)
    assert "Change the columns" in page
    plan = newest_plan()
    answer = client.post(f"/plans/mapping/of/{plan.uid}")
    page, _ = shown(client, answer.headers["Location"])
    assert re.search(r'name="field-3".*?<option value="content" selected', page, re.DOTALL)
    assert "The new version was read: 2 units." in named(client, answer.headers["Location"], RIGHT)
    assert titles() == ["声音", "光"]
    assert [row.mapping["fields"]["1"] for row in db.session.query(ColumnMapping)] == ["content"]


def test_remembered_forms_are_listed_changed_and_forgotten(app: Flask, school: SchoolSystem) -> None:
    client = teacher_of(app, school)
    named(client, upload(client, school, FORM), WRONG)
    row = db.session.query(ColumnMapping).one()
    page = client.get("/plans/forms").get_data(as_text=True)
    assert "进程 · 讲授什么 · 几节 · 谁来讲" in page
    assert school.a.teacher.display_name in page
    assert "/plans/forms" in client.get("/plans/upload").get_data(as_text=True)
    refused = client.post(f"/plans/forms/{row.id}", data={"field-0": "week", "field-1": "week"})
    assert refused.status_code == 422
    assert "2 columns hold the same: 进程, 讲授什么" in refused.get_data(as_text=True)
    client.post(f"/plans/forms/{row.id}", data={key: value for key, value in RIGHT.items() if value})
    upload(client, school, FORM, group=1)
    assert titles() == ["声音", "光"]
    client.post(f"/plans/forms/{row.id}/forget")
    assert db.session.query(ColumnMapping).count() == 0
    assert "No form is remembered" in client.get("/plans/forms").get_data(as_text=True)


def test_forms_of_another_campus_are_nobodys_business(app: Flask, school: SchoolSystem) -> None:
    client = teacher_of(app, school)
    named(client, upload(client, school, FORM), RIGHT)
    row = db.session.query(ColumnMapping).one()
    other = signed_in(app, school.b.teacher)
    assert "讲授什么" not in other.get("/plans/forms").get_data(as_text=True)
    assert other.get(f"/plans/forms/{row.id}").status_code == 404
    assert other.post(f"/plans/forms/{row.id}/forget").status_code == 404
    assert signed_in(app, school.a.students[0]).get("/plans/forms").status_code == 404


def test_a_researcher_names_the_columns_of_a_benchmark(app: Flask, school: SchoolSystem) -> None:
    client = signed_in(app, school.researcher)
    client.get("/language/en")
    data = {
        "owner": str(school.bureau.id), "subject": "physics", "grade": "5", "language": "zh-CN",
        "file": (io.BytesIO(lines(FORM).encode()), "基准.csv"),
    }  # fmt: skip
    answer = client.post("/plans/benchmarks/upload", data=data)
    assert answer.status_code == 302, answer.get_data(as_text=True)
    assert "The benchmark is in force: 2 units." in named(client, answer.headers["Location"], RIGHT)
    plan = newest_plan()
    assert (plan.kind, titles()) == (PlanKind.BENCHMARK, ["声音", "光"])
    # The next one in this form needs no word, and a wrong word can be corrected.
    data["file"] = (io.BytesIO(lines([FORM[0], ("1", "力", "4", "")]).encode()), "基准.csv")
    assert "/plans/mapping/" not in client.post("/plans/benchmarks/upload", data=data).headers["Location"]
    assert client.post(f"/plans/mapping/of/{plan.uid}").status_code == 302
    assert teacher_of(app, school).post(f"/plans/mapping/of/{plan.uid}").status_code == 404


def test_the_same_document_and_a_page_that_is_out_of_date_make_no_version(app: Flask, school: SchoolSystem) -> None:
    client = teacher_of(app, school)
    plain = [("周次", "教学内容", "课时"), ("1", "声音", "2")]
    upload(client, school, plain)
    plan = newest_plan()

    def again(rows: list[tuple[str, ...]]) -> TestResponse:
        data = {"version": "1", "file": (io.BytesIO(lines(rows).encode()), "计划.csv")}
        return client.post(f"/plans/{plan.uid}/version", data=data, follow_redirects=True)

    assert 'name="version" value="1"' in client.get(f"/plans/{plan.uid}").get_data(as_text=True)
    assert "No new version was made." in again(plain).get_data(as_text=True)
    assert again([*plain, ("2", "光", "3")]).status_code == 200
    refused = again([*plain, ("2", "电", "3")])
    assert refused.status_code == 409
    assert "version 2 has come since" in refused.get_data(as_text=True)
    assert len(db.session.get_one(TeachingPlan, plan.id).versions) == 2
