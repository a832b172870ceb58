"""The answers that the OpenAPI document describes are whole: nothing that a route gathers is lost on the way out."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from flask import Flask

from lms_bridge.api import plan_answers as answers
from lms_bridge.api import plan_views as views
from lms_bridge.core.database import db
from lms_bridge.plans import batches, comparing, deadlines, lookup, overview, threads
from lms_bridge.plans.differences import between
from lms_bridge.plans.history import history
from lms_bridge.plans.overview import Filter
from lms_bridge.roster.models import Organisation
from lms_bridge.roster.scope import scope_for
from tests.api.conftest import MakeCaller
from tests.api.test_plans_api import brought
from tests.builders import SchoolSystem
from tests.plans.documents import plan_docx


def test_nothing_that_is_known_of_a_plan_is_lost(school: SchoolSystem, caller_of: MakeCaller, tmp_path: Path) -> None:
    teacher = caller_of(school.a.teacher)
    uid = brought(teacher, school, tmp_path)
    path = plan_docx(tmp_path / "q.docx", [("声现象", 4), ("物态变化", 3)])
    teacher.post(f"/plans/{uid}/versions", data={"version": 1, "file": (io.BytesIO(path.read_bytes()), "q.docx")})
    teacher.post(f"/plans/{uid}/comments", json={"text": "看一下"})
    teacher.post(f"/plans/{uid}/submit", json={"version": 2})
    plan = lookup.plan_by_uid(uid)
    earlier, later = plan.versions
    campus = db.session.get_one(Organisation, plan.organisation_id)
    research = scope_for(school.researcher)
    departures = {"version": 2, "coverage": later.coverage, "findings": views.findings(later)}
    assert comparing.findings_of(later)
    gathered = {
        answers.Plan: views.whole(plan, campus),
        answers.Units: {"version": 2, "units": [views.unit(unit) for unit in later.units]},
        answers.Findings: departures,
        answers.History: {"history": [views.entry(entry) for entry in history(plan)]},
        answers.Discussion: {"threads": views.discussion(threads.discussion(plan, later))},
        answers.Differences: {"earlier": 1, "later": 2} | between(earlier, later).as_dict(),
        answers.Overview: overview.overview(research, Filter()).as_dict(),
        answers.Deadlines: {"deadlines": [row.as_dict() for row in deadlines.standings(research)]},
    }
    for schema, value in gathered.items():
        assert schema().dump(value) == value, schema.__name__


def test_every_json_answer_is_described(app: Flask) -> None:
    document = app.spec
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method not in ("get", "post", "put", "patch", "delete") or path.endswith("/document"):
                continue
            good = next(answer for status, answer in operation["responses"].items() if status.startswith("2"))
            schema = good.get("content", {}).get("application/json", {}).get("schema")
            assert schema, f"{method} {path}"


def test_a_batch_is_answered_whole(school: SchoolSystem, caller_of: MakeCaller, tmp_path: Path) -> None:
    path = plan_docx(tmp_path / "p.docx", [("声现象", 2)])
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive:
        archive.write(path, "nobody.docx")
    teacher = caller_of(school.a.teacher)
    answer = teacher.post("/plan-batches", data={"file": (io.BytesIO((tmp_path / "p.zip").read_bytes()), "p.zip")})
    assert answer.status_code == 202
    assert answer.json == batches.report(batches.batch_of(school.a.teacher, answer.json["batch"]))
