"""Programs do with plans what their people may do, and are told in one shape what is wrong."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import timedelta
from pathlib import Path

import docx
from flask import Flask

from lms_bridge.core import clock, jobs
from lms_bridge.core.clock import now
from lms_bridge.core.database import transaction
from lms_bridge.roster import api_tokens
from tests.api.conftest import UNITS, Caller, MakeCaller
from tests.builders import SchoolSystem
from tests.plans.documents import plan_docx


def brought(caller: Caller, school: SchoolSystem, tmp_path: Path, units: list[tuple[str, int]] = UNITS) -> str:
    """The uid of a plan that the caller imported for campus A's first class."""
    answer = caller.post("/plans", data=form(school, plan_docx(tmp_path / "p.docx", units)))
    assert answer.status_code == 201, answer.text
    return str(answer.json["plan"])


def form(school: SchoolSystem, path: Path, **more: str) -> dict[str, object]:
    """The fields of an import."""
    code = f"{school.a.campus.code}/{school.a.classes[0].code}"
    return {"file": (io.BytesIO(path.read_bytes()), path.name), "class": code, "subject": "physics"} | more


def test_from_import_to_approval(school: SchoolSystem, caller_of: MakeCaller, tmp_path: Path) -> None:
    teacher, researcher = caller_of(school.a.teacher), caller_of(school.researcher)
    uid = brought(teacher, school, tmp_path, [("声现象", 2), ("机械运动", 4)])
    found = teacher.get(f"/plans/{uid}/findings", headers={"Accept-Language": "en"}).json
    missing = next(row for row in found["findings"] if row["kind"] == "missing")
    assert "物态变化" in missing["text"]
    assert missing["proposal"].startswith("Insert it from the benchmark")
    answered = teacher.post(
        f"/plans/{uid}/findings/{missing['position']}/answer", json={"version": 1, "answer": "accept"}
    )
    assert answered.status_code == 200, answered.text
    assert teacher.post(f"/plans/{uid}/adjust", json={"version": 1}).json["versions"][-1]["version"] == 2
    assert "物态变化" in [unit["title"] for unit in teacher.get(f"/plans/{uid}/units").json["units"]]
    assert teacher.post(f"/plans/{uid}/submit", json={"version": 2}).status_code == 200
    waiting = researcher.get("/plans?state=submitted").json
    assert [(row["uid"], row["state"]) for row in waiting["items"]] == [(uid, "submitted")]
    approved = researcher.post(f"/plans/{uid}/approve", json={"version": 2, "comment": "好"})
    assert approved.json["versions"][-1]["state"] == "approved"
    steps = [row["state"] for row in teacher.get(f"/plans/{uid}/history").json["history"] if row["kind"] == "step"]
    assert steps == ["submitted", "approved"]


def test_a_version_that_nobody_looked_at_is_not_decided_on(
    school: SchoolSystem, caller_of: MakeCaller, tmp_path: Path
) -> None:
    teacher = caller_of(school.a.teacher)
    uid = brought(teacher, school, tmp_path)
    path = plan_docx(tmp_path / "q.docx", [("声现象", 4)])
    assert (
        teacher.post(
            f"/plans/{uid}/versions", data={"version": 1, "file": (io.BytesIO(path.read_bytes()), "q.docx")}
        ).status_code
        == 201
    )
    answer = teacher.post(f"/plans/{uid}/submit", json={"version": 1})
    assert answer.status_code == 409
    assert answer.content_type == "application/problem+json"
    assert answer.json["status"] == 409
    assert answer.json["errors"][0]["remedy"]


def test_every_problem_of_a_document_is_told_with_its_place(
    school: SchoolSystem, caller_of: MakeCaller, tmp_path: Path
) -> None:
    teacher = caller_of(school.a.teacher)
    document = docx.Document()
    table = document.add_table(3, 2)
    for row, texts in zip(table.rows, [("教学内容", "课时"), ("声现象", "几节"), ("光现象", "很多")], strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    document.save(str(tmp_path / "bad.docx"))
    answer = teacher.post("/plans", data=form(school, tmp_path / "bad.docx"), headers={"Accept-Language": "en"})
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert [(e["file"], e["table"], e["row"], e["column"]) for e in answer.json["errors"]] == [
        ("bad.docx", 1, 2, "课时"),
        ("bad.docx", 1, 3, "课时"),
    ]
    assert all(e["remedy"] for e in answer.json["errors"])
    assert teacher.get("/plans?subject=physics").json["total"] == 0


def test_a_dry_run_stores_nothing(school: SchoolSystem, caller_of: MakeCaller, tmp_path: Path) -> None:
    teacher = caller_of(school.a.teacher)
    data = form(school, plan_docx(tmp_path / "p.docx", UNITS), dry_run="true")
    answer = teacher.post("/plans", data=data)
    assert (answer.status_code, answer.json["plan"]) == (200, None)
    assert teacher.get("/plans?subject=physics").json["total"] == 0


def test_missing_and_wrong_fields_are_named(school: SchoolSystem, caller_of: MakeCaller) -> None:
    teacher = caller_of(school.a.teacher)
    uid = teacher.get("/plans").json["items"][0]["uid"]
    answer = teacher.post(f"/plans/{uid}/submit", json={"comment": 3})
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert {error["column"] for error in answer.json["errors"]} == {"version", "comment"}
    assert teacher.get("/plans?state=burnt").status_code == 422


def test_comments_make_threads(school: SchoolSystem, caller_of: MakeCaller, tmp_path: Path) -> None:
    teacher, researcher = caller_of(school.a.teacher), caller_of(school.researcher)
    uid = brought(teacher, school, tmp_path)
    unit = teacher.get(f"/plans/{uid}/units").json["units"][1]
    thread = researcher.post(f"/plans/{uid}/comments", json={"text": "实验怎么办？", "unit": unit["key"]}).json[
        "thread"
    ]
    assert teacher.post(f"/plans/{uid}/comments/{thread}/replies", json={"text": "在家做"}).status_code == 201
    assert researcher.post(f"/plans/{uid}/comments/{thread}/resolve").status_code == 200
    (found,) = teacher.get(f"/plans/{uid}/comments").json["threads"]
    assert [comment["text"] for comment in found["comments"]] == ["实验怎么办？", "在家做"]
    assert found["unit"] == unit["key"]
    assert found["resolved_at"]


def test_documents_come_as_word_and_excel(school: SchoolSystem, caller_of: MakeCaller, tmp_path: Path) -> None:
    teacher = caller_of(school.a.teacher)
    uid = brought(teacher, school, tmp_path)
    word = teacher.get(f"/plans/{uid}/document?format=docx")
    assert "机械运动" in "".join(
        cell.text for row in docx.Document(io.BytesIO(word.data)).tables[-1].rows for cell in row.cells
    )
    assert teacher.get(f"/plans/{uid}/document?format=xlsx").data[:2] == b"PK"
    assert teacher.get(f"/plans/{uid}/document?format=original").data == (tmp_path / "p.docx").read_bytes()


def test_pages_of_a_list(school: SchoolSystem, caller_of: MakeCaller) -> None:
    administrator = caller_of(school.researcher)
    whole = administrator.get("/plans").json
    assert whole["total"] == 2
    pages = [administrator.get(f"/plans?per_page=1&page={page}").json for page in (1, 2)]
    assert [row["uid"] for page in pages for row in page["items"]] == [row["uid"] for row in whole["items"]]
    assert pages[0]["pages"] == 2
    assert administrator.get(f"/plans?class={school.a.classes[0].code}&grade=99").json["items"] == []


def test_another_school_finds_nothing(school: SchoolSystem, caller_of: MakeCaller, tmp_path: Path) -> None:
    uid = brought(caller_of(school.a.teacher), school, tmp_path)
    stranger = caller_of(school.b.teacher)
    for path in ("", "/units", "/findings", "/history", "/comments", "/document"):
        answer = stranger.get(f"/plans/{uid}{path}")
        assert (answer.status_code, answer.content_type) == (404, "application/problem+json"), path
    for path, body in (
        ("submit", {"version": 1}), ("approve", {"version": 1}), ("return", {"version": 1, "comment": "x"}),
        ("adjust", {"version": 1}), ("comments", {"text": "x"}),
        ("findings/1/answer", {"version": 1, "answer": "accept"}),
    ):  # fmt: skip
        assert stranger.post(f"/plans/{uid}/{path}", json=body).status_code == 404, path
    assert uid not in stranger.get("/plans?per_page=200").text
    refused = stranger.post("/plans", data=form(school, tmp_path / "p.docx"))
    assert refused.status_code in (403, 404, 422)


def test_a_key_for_reading_changes_nothing(school: SchoolSystem, caller_of: MakeCaller, tmp_path: Path) -> None:
    uid = brought(caller_of(school.a.teacher), school, tmp_path)
    reader = caller_of(school.a.teacher, write=False)
    assert reader.get(f"/plans/{uid}").status_code == 200
    answer = reader.post(f"/plans/{uid}/submit", json={"version": 1})
    assert (answer.status_code, answer.json["code"]) == (403, "forbidden")


def test_only_keys_in_force_open_anything(app: Flask, school: SchoolSystem, caller_of: MakeCaller) -> None:
    caller = caller_of(school.a.teacher, days=1)
    assert caller.get("/plans").status_code == 200
    with clock.at(now() + timedelta(days=2)):
        assert caller.get("/plans").status_code == 401
    with transaction():
        (token,) = api_tokens.tokens_of(school.a.teacher)
        api_tokens.revoke(token.uid, owner=school.a.teacher, actor=school.a.teacher)
    assert caller.get("/plans").status_code == 401
    client = app.test_client()
    for headers in ({}, {"Authorization": "Bearer lmsb_forged"}, {"Authorization": "Basic eDp5"}):
        answer = client.get("/api/v1/plans", headers=headers)
        assert (answer.status_code, answer.content_type) == (401, "application/problem+json")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_browser_session_is_no_key(app: Flask, school: SchoolSystem) -> None:
    from tests.web.test_plans import signed_in

    assert signed_in(app, school.a.teacher).get("/api/v1/plans").status_code == 401


def test_the_description_names_every_route_and_the_key(app: Flask) -> None:
    described = app.test_client().get("/api/v1/openapi.json").json
    assert described["openapi"].startswith("3.")
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("api_")]
    assert {re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule) for rule in rules} == set(described["paths"])
    operations = [path[name] for path in described["paths"].values() for name in ("get", "post") if name in path]
    assert all(operation["security"] for operation in operations)
    (scheme,) = described["components"]["securitySchemes"].values()
    assert (scheme["type"], scheme["scheme"].lower()) == ("http", "bearer")


def test_unknown_addresses_and_methods_answer_as_problems(app: Flask) -> None:
    client = app.test_client()
    for method, path in (("GET", "/api/v1/nothing"), ("DELETE", "/api/v1/plans")):
        answer = client.open(path, method=method)
        assert answer.content_type == "application/problem+json"
        assert answer.json["status"] == answer.status_code


def test_a_batch_is_followed_until_it_is_done(school: SchoolSystem, caller_of: MakeCaller, tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        path = plan_docx(tmp_path / "p.docx", UNITS)
        archive.writestr(f"{school.a.classes[0].code}-物理.docx", path.read_bytes())
        archive.writestr("nobody.docx", b"x")
    stream.seek(0)
    teacher = caller_of(school.a.teacher)
    begun = teacher.post("/plan-batches", data={"file": (stream, "plans.zip")})
    assert (begun.status_code, begun.json["state"]) == (202, "waiting")
    jobs.run_due()
    done = teacher.get(f"/plan-batches/{begun.json['batch']}").json
    assert (done["state"], done["counts"]["refused"]) == ("done", 1)
    assert done["counts"]["read"] + done["counts"]["flagged"] == 1
    assert caller_of(school.b.teacher).get(f"/plan-batches/{begun.json['batch']}").status_code == 404


def test_researchers_see_the_overview_and_approve_several(
    school: SchoolSystem, caller_of: MakeCaller, tmp_path: Path
) -> None:
    teacher, researcher = caller_of(school.a.teacher), caller_of(school.researcher)
    uid = brought(teacher, school, tmp_path)
    teacher.post(f"/plans/{uid}/submit", json={"version": 1})
    cells = researcher.get("/plan-overview?subject=physics").json["cells"]
    assert {(cell["campus"], cell["needed"], cell["missing"]) for cell in cells} == {
        (school.a.campus.code, 1, 0), (school.b.campus.code, 1, 1),
    }  # fmt: skip
    assert teacher.get("/plan-overview").status_code == 404
    assert researcher.get("/plan-deadlines").status_code == 200
    (outcome,) = researcher.post("/plan-approvals", json={"plans": [{"plan": uid, "version": 1}]}).json["outcomes"]
    assert outcome["approved"]


def test_a_benchmark_comes_by_the_api_and_versions_are_compared(
    school: SchoolSystem, caller_of: MakeCaller, tmp_path: Path
) -> None:
    path = plan_docx(tmp_path / "b.docx", [*UNITS, ("光现象", 3)])
    fields = {"subject": "physics", "grade": school.a.classes[0].grade}
    send = {"data": fields | {"file": (io.BytesIO(path.read_bytes()), "b.docx")}}
    assert caller_of(school.researcher).post("/benchmarks", **send).status_code == 201
    teacher = caller_of(school.a.teacher)
    uid = brought(teacher, school, tmp_path)
    kinds = {row["kind"] for row in teacher.get(f"/plans/{uid}/findings").json["findings"]}
    assert "missing" in kinds
    other = plan_docx(tmp_path / "q.docx", [("机械运动", 5), ("声现象", 4)])
    teacher.post(f"/plans/{uid}/versions", data={"version": 1, "file": (io.BytesIO(other.read_bytes()), "q.docx")})
    changed = teacher.get(f"/plans/{uid}/differences?earlier=1&later=2").json
    assert {(unit["title"], unit["state"]) for unit in changed["units"]} >= {("物态变化", "removed")}
