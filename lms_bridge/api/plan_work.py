"""Routes about many plans: differences, overview, deadlines, batches, approving several, benchmarks."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint

from lms_bridge.api import plan_answers as answers
from lms_bridge.api import plan_schemas as schemas
from lms_bridge.api.callers import auth, caller, require
from lms_bridge.api.uploads import uploaded
from lms_bridge.core.access import Permission
from lms_bridge.core.database import transaction
from lms_bridge.core.errors import NotFound
from lms_bridge.plans import batches, bulk, deadlines, importer, lookup, overview
from lms_bridge.plans.bulk import Without
from lms_bridge.plans.differences import between
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


@blueprint.get("/plan-deadlines")
@blueprint.auth_required(auth)
@blueprint.output(answers.Deadlines)
def plan_deadlines() -> dict[str, Any]:
    """How plans stand before their deadlines."""
    return {"deadlines": [row.as_dict() for row in deadlines.standings(require(Permission.PLAN_READ))]}


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


@blueprint.post("/plan-batches")
@blueprint.auth_required(auth)
@blueprint.input(schemas.BatchForm, location="form_and_files")
@blueprint.output(answers.Batch, status_code=202)
def batch(form_and_files_data: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Hand over a zip of plans; its files are read one after another, ask for the report until it is done."""
    scope = require(Permission.PLAN_WRITE)
    with uploaded() as (path, name), transaction():
        made = batches.start(path, name=name, scope=scope, person=caller(), dry_run=form_and_files_data["dry_run"])
        found = batches.report(made)
    return found, 202


@blueprint.get("/plan-batches/<uid>")
@blueprint.auth_required(auth)
@blueprint.output(answers.Batch)
def batch_report(uid: str) -> dict[str, Any]:
    """What became of each file of one's batch."""
    require(Permission.PLAN_WRITE)
    return batches.report(batches.batch_of(caller(), uid))


@blueprint.post("/benchmarks")
@blueprint.auth_required(auth)
@blueprint.input(schemas.BenchmarkForm, location="form_and_files")
@blueprint.output(answers.Imported, status_code=201)
def benchmark(form_and_files_data: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Read a document as the benchmark of a subject and grade; its plans are compared again."""
    said = form_and_files_data
    owner = lookup.organisation_by_code(said["organisation"])
    scope = require(Permission.BENCHMARK_WRITE)
    with uploaded() as (path, name):
        term = lookup.current_term(owner)
        read = importer.read(path, name, term=term)
        with transaction():
            result = importer.import_benchmark(
                read, path, name=name, organisation=owner, subject_code=said["subject"], grade=said["grade"],
                term=term, language=said["language"], scope=scope, author=caller(), dry_run=said["dry_run"],
            )  # fmt: skip
            answer = result.as_dict()
    return answer, 200 if said["dry_run"] else 201
