"""What a program does with many plans: batches, columns, deadlines, documents, people to mention."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta

import docx
import openpyxl
import pytest
from flask import Flask

from lms_bridge.core import jobs
from lms_bridge.core.clock import local, now
from lms_bridge.core.database import db, transaction
from lms_bridge.plans import comparing, lookup
from lms_bridge.plans.models import ColumnMapping, PlanDeadline
from tests.api.conftest import Caller, MakeCaller
from tests.builders import SchoolSystem
from tests.plans.making import lines

FORM = [("进程", "讲授什么", "几节", "谁来讲"), ("1", "声音", "2", "王芳"), ("2", "光", "3", "李敏")]
RIGHT = {"header_row": 1, "fields": {"0": "week", "1": "content", "2": "periods"}}
WRONG = {"header_row": 1, "fields": {"0": "week", "2": "periods", "3": "content"}}


def form(school: SchoolSystem, rows: list[tuple[str, ...]], **more: object) -> dict[str, object]:
    """A document in a school's own form, for the class of campus A that has no plan in physics."""
    code = f"{school.a.campus.code}/{school.a.classes[0].code}"
    return {"class": code, "subject": "physics", "file": (io.BytesIO(lines(rows).encode()), "计划.csv"), **more}


def titles(caller: Caller, uid: str) -> list[str]:
    """The titles of the plan's newest version."""
    return [unit["title"] for unit in caller.get(f"/plans/{uid}/units").json["units"]]


def test_columns_are_looked_at_named_and_remembered(school: SchoolSystem, caller_of: MakeCaller) -> None:
    teacher = caller_of(school.a.teacher)
    refused = teacher.post("/plans", data=form(school, FORM))
    assert (refused.status_code, refused.json["code"]) == (422, "columns_unclear")
    seen = teacher.post("/plan-previews", data={"file": (io.BytesIO(lines(FORM).encode()), "计划.csv")}).json
    (table,) = seen["tables"]
    assert [column["heading"] for column in table["columns"]] == list(FORM[0])
    assert (table["table"], table["header_row"], table["count"]) == (None, 1, 3)
    answer = teacher.post("/plans", data=form(school, FORM, columns=json.dumps(WRONG)))
    assert answer.status_code == 201, answer.text
    uid = answer.json["plan"]
    assert titles(teacher, uid) == ["王芳", "李敏"]
    again = {"version": 1, "file": (io.BytesIO(lines(FORM).encode()), "计划.csv")}
    answer = teacher.post(f"/plans/{uid}/versions", data=again | {"columns": json.dumps(RIGHT)})
    assert (answer.status_code, answer.json["unchanged"]) == (201, False)
    assert titles(teacher, uid) == ["声音", "光"]
    # The form is known now; its own document makes no version, and one that was not seen is refused.
    again["file"] = (io.BytesIO(lines(FORM).encode()), "计划.csv")
    answer = teacher.post(f"/plans/{uid}/versions", data=again)
    assert (answer.status_code, answer.json["unchanged"], answer.json["version"]) == (200, True, 2)
    again["file"] = (io.BytesIO(lines(FORM[:2]).encode()), "计划.csv")
    assert teacher.post(f"/plans/{uid}/versions", data=again).status_code == 409
    assert db.session.query(ColumnMapping).count() == 1


@pytest.mark.parametrize(
    "said", ["{", "[]", '{"fields": {"0": "nothing"}}', '{"header_row": 1, "fields": {"x": "week"}}']
)
def test_columns_that_are_not_described_rightly_are_refused(
    school: SchoolSystem, caller_of: MakeCaller, said: str
) -> None:
    answer = caller_of(school.a.teacher).post("/plans", data=form(school, FORM, columns=said))
    assert answer.status_code == 422
    assert answer.json["errors"][0]["remedy"]


def test_a_researcher_names_the_columns_of_a_benchmark(school: SchoolSystem, caller_of: MakeCaller) -> None:
    researcher = caller_of(school.researcher)
    data = {"subject": "physics", "grade": "5", "columns": json.dumps(RIGHT)}
    answer = researcher.post("/benchmarks", data=data | {"file": (io.BytesIO(lines(FORM).encode()), "基准.csv")})
    assert (answer.status_code, len(answer.json["units"])) == (201, 2)
    data = {"subject": "physics", "grade": "99", "file": (io.BytesIO(lines(FORM).encode()), "基准.csv")}
    refused = researcher.post("/benchmarks", data=data)
    assert (refused.status_code, refused.json["code"]) == (422, "unknown_code")


def test_a_class_that_is_named_twice_is_no_error(school: SchoolSystem, caller_of: MakeCaller) -> None:
    code = f"{school.a.campus.code}/{school.a.classes[0].code}"
    data = form(school, [("周次", "教学内容", "课时"), ("1", "声音", "2")]) | {"class": [code, code]}
    answer = caller_of(school.a.teacher).post("/plans", data=data)
    assert answer.status_code == 201, answer.text


def test_a_form_of_a_batch_is_explained_and_read(school: SchoolSystem, caller_of: MakeCaller) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(f"{school.a.classes[0].code}-物理.csv", lines(FORM))
    stream.seek(0)
    teacher = caller_of(school.a.teacher)
    uid = teacher.post("/plan-batches", data={"file": (stream, "plans.zip")}).json["batch"]
    assert [row["batch"] for row in teacher.get("/plan-batches").json["batches"]] == [uid]
    assert caller_of(school.b.teacher).get("/plan-batches").json["batches"] == []
    jobs.run_due()
    assert teacher.get(f"/plan-batches/{uid}").json["counts"]["refused"] == 1
    assert teacher.post(f"/plan-batches/{uid}/files/1/columns", json={"header_row": 1, "fields": {}}).status_code == 422
    answer = teacher.post(f"/plan-batches/{uid}/files/1/columns", json=RIGHT)
    assert (answer.status_code, answer.json["state"]) == (202, "waiting")
    jobs.run_due()
    done = teacher.get(f"/plan-batches/{uid}").json
    assert (done["state"], done["counts"]["refused"]) == ("done", 0)
    assert titles(teacher, done["files"][0]["plan"]) == ["声音", "光"]
    assert teacher.post(f"/plan-batches/{uid}/again").json["state"] == "done"


def test_deadlines_are_set_and_taken_back(school: SchoolSystem, caller_of: MakeCaller) -> None:
    code, administrator = school.a.campus.code, caller_of(school.a.administrator)
    due = local(now() + timedelta(days=7), school.a.campus.zone).replace(tzinfo=None, second=0, microsecond=0)
    answer = administrator.call("PUT", f"/plan-deadlines/{code}", json={"due_at": due.isoformat()})
    assert answer.status_code == 200, answer.text
    assert (answer.json["organisation"], answer.json["term"]) == (code, school.term.code)
    assert answer.json["due_at"].startswith(due.isoformat(timespec="minutes"))
    assert [row["campus"] for row in administrator.get("/plan-deadlines").json["deadlines"]] == [code]
    assert caller_of(school.b.administrator).call("DELETE", f"/plan-deadlines/{code}").status_code == 404
    assert caller_of(school.a.teacher).call("DELETE", f"/plan-deadlines/{code}").status_code in (403, 404)
    late = administrator.call("PUT", f"/plan-deadlines/{code}", json={"due_at": "2001-01-01T08:00"})
    assert late.status_code == 422
    wrong = administrator.call("PUT", f"/plan-deadlines/{code}", json={"due_at": due.isoformat(), "term": "never"})
    assert wrong.status_code == 422
    assert administrator.call("DELETE", f"/plan-deadlines/{code}").status_code == 200
    assert db.session.query(PlanDeadline).count() == 0
    assert administrator.call("DELETE", f"/plan-deadlines/{code}").status_code == 404


def test_documents_of_many_plans_are_downloaded(school: SchoolSystem, caller_of: MakeCaller) -> None:
    researcher, teacher = caller_of(school.researcher), caller_of(school.a.teacher)
    answer = researcher.get("/plan-overview/document?subject=physics")
    assert openpyxl.load_workbook(io.BytesIO(answer.data)).sheetnames
    assert teacher.get("/plan-overview/document").status_code == 404
    campus, group = school.a.campus.code, school.a.classes[0].code
    of_class = teacher.get(f"/implementation-plans/classes/{campus}/{group}/document")
    assert docx.Document(io.BytesIO(of_class.data)).tables
    assert docx.Document(io.BytesIO(researcher.get(f"/implementation-plans/campuses/{campus}/document").data)).tables
    stranger = caller_of(school.b.teacher)
    for path in (f"classes/{campus}/{group}", f"campuses/{campus}", "classes/none", "campuses/none"):
        assert stranger.get(f"/implementation-plans/{path}/document").status_code == 404, path


def test_people_are_mentioned_by_their_uid(app: Flask, school: SchoolSystem, caller_of: MakeCaller) -> None:
    teacher = caller_of(school.a.teacher)
    rows = [("周次", "教学内容", "课时"), ("1", "声音", "2")]
    uid = teacher.post("/plans", data=form(school, rows)).json["plan"]
    people = {row["uid"] for row in teacher.get(f"/plans/{uid}/people").json["people"]}
    assert school.researcher.uid in people
    said = {"text": "请看", "mention": [school.researcher.uid]}
    thread = teacher.post(f"/plans/{uid}/comments", json=said).json["thread"]
    assert teacher.post(f"/plans/{uid}/comments/{thread}/replies", json=said).status_code == 201
    refused = teacher.post(f"/plans/{uid}/comments", json={"text": "请看", "mention": [school.b.teacher.uid]})
    assert refused.status_code == 422
    assert school.b.teacher.uid in refused.json["errors"][0]["message"]
    assert caller_of(school.b.teacher).get(f"/plans/{uid}/people").status_code == 404


def test_a_renewed_benchmark_leaves_the_answers_of_a_plan_that_is_being_reviewed(
    school: SchoolSystem, caller_of: MakeCaller
) -> None:
    teacher, researcher = caller_of(school.a.teacher), caller_of(school.researcher)
    mine = [("周次", "教学内容", "课时"), ("1", "机械运动", "4"), ("3", "磁现象", "2")]
    uid = teacher.post("/plans", data=form(school, mine)).json["plan"]

    def answers() -> dict[str, str | None]:
        rows = teacher.get(f"/plans/{uid}/findings").json["findings"]
        return {row["params"].get("benchmark_title") or row["params"]["title"]: row["answer"] for row in rows
                if row["kind"] in ("missing", "extra")}  # fmt: skip

    for row in teacher.get(f"/plans/{uid}/findings").json["findings"]:
        word = {"missing": "accept", "extra": "refuse"}.get(row["kind"])
        if word is not None and row["params"].get("benchmark_title") != "物态变化":
            said = {"version": 1, "answer": word}
            assert teacher.post(f"/plans/{uid}/findings/{row['position']}/answer", json=said).status_code == 200
    before = {"声现象": "accepted", "磁现象": "refused", "物态变化": None}
    assert answers() == before
    assert teacher.post(f"/plans/{uid}/submit", json={"version": 1}).status_code == 200

    def renewed(*units: tuple[str, str]) -> None:
        rows = [("周次", "教学内容", "课时"), *((str(n), *unit) for n, unit in enumerate(units, start=1))]
        data = {"subject": "physics", "grade": "5", "file": (io.BytesIO(lines(rows).encode()), "基准.csv")}
        assert researcher.post("/benchmarks", data=data).status_code == 201

    # The first renewal gives the units their weeks, which the stored ones have not; from then on they say the same.
    same = [("机械运动", "4"), ("声现象", "4"), ("物态变化", "5")]
    renewed(*same)
    assert answers()["磁现象"] == "refused"
    with transaction():
        version = lookup.plan_by_uid(uid).versions[-1]
        finding = next(f for f in comparing.findings_of(version) if f.params.get("benchmark_title") == "声现象")
        finding.answer = comparing.ACCEPTED
    renewed(*same, ("光现象", "3"))
    assert answers() == before | {"光现象": None}
    assert teacher.get(f"/plans/{uid}").json["versions"][-1]["state"] == "submitted"
