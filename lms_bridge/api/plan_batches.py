"""Routes of batches below ``/api/v1/plan-batches``: hand over, follow, name the columns of a form, read again."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint

from lms_bridge.api import plan_answers as answers
from lms_bridge.api import plan_schemas as schemas
from lms_bridge.api import plan_work_answers as work_answers
from lms_bridge.api.callers import auth, caller, require
from lms_bridge.api.plan_columns import Columns
from lms_bridge.api.uploads import uploaded
from lms_bridge.core import files
from lms_bridge.core.access import Permission
from lms_bridge.core.database import db, transaction
from lms_bridge.plans import batches
from lms_bridge.roster.models import ClassGroup

blueprint = APIBlueprint("api_plan_batches", __name__, url_prefix="/api/v1/plan-batches", tag="Many plans")

LISTED = 50


@blueprint.post("")
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


@blueprint.get("")
@blueprint.auth_required(auth)
@blueprint.output(work_answers.Batches)
def batch_list() -> dict[str, Any]:
    """One's batches, the newest first (at most 50), without their files."""
    require(Permission.PLAN_WRITE)
    return {
        "batches": [
            {
                "batch": row.uid, "name": row.name, "state": row.state.value, "dry_run": row.dry_run,
                "created_at": row.created_at.isoformat(),
                "finished_at": row.finished_at.isoformat() if row.finished_at is not None else None,
            }
            for row in batches.batches_of(caller(), LISTED)
        ]
    }  # fmt: skip


@blueprint.get("/<uid>")
@blueprint.auth_required(auth)
@blueprint.output(answers.Batch)
def batch_report(uid: str) -> dict[str, Any]:
    """What became of each file of one's batch."""
    require(Permission.PLAN_WRITE)
    return batches.report(batches.batch_of(caller(), uid))


@blueprint.post("/<uid>/files/<int:position>/columns")
@blueprint.auth_required(auth)
@blueprint.input(schemas.Columns)
@blueprint.output(answers.Batch, status_code=202)
def columns(uid: str, position: int, json_data: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Say what the columns of a file's form hold (its report says `columns_unclear`). It is remembered for the campus,
    and all files of the batch whose columns were not clear are read again. 422: no units can be made like this."""
    require(Permission.PLAN_WRITE)
    found = batches.batch_of(caller(), uid)
    row, stored = batches.kept_file(found, position)
    group = db.session.get_one(ClassGroup, row.class_id)
    said = Columns(json_data)
    said.read(files.path_of(stored), row.path.rpartition("/")[2], group=group)
    with transaction():
        said.remember(group.campus)
        batches.read_again(found)
    return batches.report(found), 202


@blueprint.post("/<uid>/again")
@blueprint.auth_required(auth)
@blueprint.output(answers.Batch, status_code=202)
def again(uid: str) -> tuple[dict[str, Any], int]:
    """Read the files whose columns were not clear once more."""
    require(Permission.PLAN_WRITE)
    found = batches.batch_of(caller(), uid)
    with transaction():
        batches.read_again(found)
    return batches.report(found), 202
