"""Routes about many plans: differences, overview, approving several, benchmarks."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import Response

from lms_bridge.api import plan_answers as answers
from lms_bridge.api import plan_schemas as schemas
from lms_bridge.api.callers import auth, caller, require
from lms_bridge.api.plan_columns import Columns
from lms_bridge.api.uploads import uploaded
from lms_bridge.core.access import Permission
from lms_bridge.core.database import transaction
from lms_bridge.core.errors import NotFound
from lms_bridge.plans import bulk, importer, lookup, overview
from lms_bridge.plans.bulk import Without
from lms_bridge.plans.differences import between
from lms_bridge.plans.export.overview_excel import overview_xlsx
from lms_bridge.plans.export.plan_excel import MEDIA_TYPE
from lms_bridge.plans.models import PlanVersion, TeachingPlan
from lms_bridge.plans.overview import Filter

blueprint = APIBlueprint("api_plan_work", __name__, url_prefix="/api/v1", tag="Many plans")


def _version(plan: TeachingPlan, number: int) -> PlanVersion:
    found = next((version for version in plan.versions if version.number == number), None)
    if found is None:
        raise NotFound()
    return found


@blueprint.get("/plans/<uid>/differences")
@blueprint.auth_required(auth)
@blueprint.input(schemas.DifferencesQuery, location="query")
@blueprint.output(answers.Differences)
def differences(uid: str, query_data: dict[str, Any]) -> dict[str, Any]:
    """What changed between two versions, unit by unit and word by word."""
    plan = lookup.plan_by_uid(uid)
    require(Permission.PLAN_READ, lookup.plan_access(plan).read)
    earlier, later = query_data["earlier"], query_data["later"]
    return {"earlier": earlier, "later": later} | between(_version(plan, earlier), _version(plan, later)).as_dict()


@blueprint.get("/plan-overview")
@blueprint.auth_required(auth)
@blueprint.input(schemas.OverviewQuery, location="query")
@blueprint.output(answers.Overview)
def plan_overview(query_data: dict[str, Any]) -> dict[str, Any]:
    """How plans stand by campus, subject and grade, for researchers and administrators."""
    scope = require(Permission.PLAN_READ)
    if not overview.reach(scope):
        raise NotFound()
    return overview.overview(scope, Filter(**query_data)).as_dict()


@blueprint.get("/plan-overview/document")
@blueprint.auth_required(auth)
@blueprint.input(schemas.OverviewQuery, location="query")
@blueprint.doc(responses={200: "The same as a workbook (.xlsx), as an attachment."})
def overview_workbook(query_data: dict[str, Any]) -> Response:
    """The overview as a workbook, for Excel."""
    scope = require(Permission.PLAN_READ)
    if not overview.reach(scope):
        raise NotFound()
    answer = Response(overview_xlsx(overview.overview(scope, Filter(**query_data))), mimetype=MEDIA_TYPE)
    answer.headers.set("Content-Disposition", "attachment", filename="plan-overview.xlsx")
    return answer


@blueprint.post("/plan-approvals")
@blueprint.auth_required(auth)
@blueprint.input(schemas.Approvals)
@blueprint.output(answers.Outcomes)
def approvals(json_data: dict[str, Any]) -> dict[str, Any]:
    """Approve several submitted plans, each on its own; what was refused is said with its reason."""
    scope = require(Permission.PLAN_REVIEW)
    outcomes = bulk.approve_all(
        [(row["plan"], row["version"]) for row in json_data["plans"]], scope=scope, person=caller(),
        without=Without(json_data["without"]), comment=json_data["comment"],
    )  # fmt: skip
    return {"outcomes": [outcome.as_dict() for outcome in outcomes]}


@blueprint.post("/benchmarks")
@blueprint.auth_required(auth)
@blueprint.input(schemas.BenchmarkForm, location="form_and_files")
@blueprint.output(answers.Imported, status_code=201)
def benchmark(form_and_files_data: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Read a document as the benchmark of a subject and grade; its plans are compared again."""
    said = form_and_files_data
    owner = lookup.organisation_by_code(said["organisation"])
    scope = require(Permission.BENCHMARK_WRITE)
    columns = Columns(said["columns"])
    with uploaded() as (path, name):
        term = lookup.current_term(owner)
        read = columns.read(path, name, owner=owner, term=term)
        with transaction():
            result = importer.import_benchmark(
                read, path, name=name, organisation=owner, subject_code=said["subject"], grade=said["grade"],
                term=term, language=said["language"], scope=scope, author=caller(), dry_run=said["dry_run"],
            )  # fmt: skip
            if said["remember"] and not said["dry_run"]:
                columns.remember(owner)
            answer = result.as_dict()
    return answer, 200 if said["dry_run"] else 201
