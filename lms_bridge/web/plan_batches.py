"""Pages of batches of plans: a zip is handed over, and each of its files is shown with what became of it."""

from __future__ import annotations

import csv
import io
from typing import Any

from apiflask import APIBlueprint
from flask import Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from lms_bridge.api.uploads import uploaded
from lms_bridge.core import files
from lms_bridge.core.access import Permission
from lms_bridge.core.database import transaction
from lms_bridge.core.errors import BadInputs, BridgeError, Place
from lms_bridge.core.i18n import N_, gettext
from lms_bridge.plans import batches
from lms_bridge.plans.batch_plans import plan_of
from lms_bridge.plans.models import BatchFileState, BatchState
from lms_bridge.web import plan_mapping
from lms_bridge.web.session import current_person, require, signed_in_required

blueprint = APIBlueprint("batches", __name__, enable_openapi=False)

FILE_STATES = {
    BatchFileState.WAITING.value: ("plain", N_("waits")),
    BatchFileState.READ.value: ("good", N_("read")),
    BatchFileState.FLAGGED.value: ("warn", N_("read, with notes")),
    BatchFileState.REFUSED.value: ("bad", N_("not read")),
    BatchFileState.SKIPPED.value: ("info", N_("unchanged, left as it is")),
}


def _form(error: BridgeError | None = None) -> str:
    return render_template(
        "plans/batch_form.html",
        earlier=batches.batches_of(current_person()),
        done=BatchState.DONE,
        problems=error.problems if isinstance(error, BadInputs) else [error] if error is not None else [],
    )


@blueprint.get("/batches")
@signed_in_required
def form() -> str:
    """The form for a zip, and the batches of the person who looks."""
    require(Permission.PLAN_WRITE)
    return _form()


@blueprint.post("/batches")
@signed_in_required
def start() -> BaseResponse | tuple[str, int]:
    """Take the zip in; its files are read by a job."""
    scope = require(Permission.PLAN_WRITE)
    try:
        with uploaded() as (path, name), transaction():
            batch = batches.start(
                path, name=name, scope=scope, person=current_person(), dry_run=bool(request.form.get("dry_run"))
            )
            uid = batch.uid
    except BridgeError as error:
        if error.status == 404:
            raise
        return _form(error), error.status
    return redirect(url_for("plans.batches.batch", uid=uid))


def _state(file: dict[str, Any]) -> tuple[str, str]:
    """Colour and words of a file's state."""
    kind, message = FILE_STATES[file["state"]]
    return kind, gettext(message)


def _said(problem: dict[str, Any]) -> dict[str, Any]:
    place = Place(**problem["place"]) if problem.get("place") else None
    return {**problem, "place": place}


@blueprint.get("/batches/<uid>")
@signed_in_required
def batch(uid: str) -> str:
    """What became of each file; the page follows the work."""
    found = batches.batch_of(current_person(), uid)
    report = batches.report(found)
    shown = [
        {**file, "problems": [_said(problem) for problem in file["problems"]], "kind": _state(file)[0],
         "said": _state(file)[1], "unclear": any(p.get("code") == batches.COLUMNS_UNCLEAR for p in file["problems"])}
        for file in report["files"]
    ]  # fmt: skip
    order = [BatchFileState.REFUSED, BatchFileState.FLAGGED, BatchFileState.WAITING]
    rank = {state.value: number for number, state in enumerate(order)}
    shown.sort(key=lambda file: rank.get(file["state"], len(order)))
    return render_template(
        "plans/batch.html",
        batch=found,
        files=shown,
        counts=report["counts"],
        working=found.state is not BatchState.DONE,
    )


@blueprint.post("/batches/<uid>/files/<int:position>/columns")
@signed_in_required
def columns(uid: str, position: int) -> BaseResponse:
    """Lead to the page on which a person says what the columns of this file's form hold."""
    require(Permission.PLAN_WRITE)
    row, stored = batches.kept_file(batches.batch_of(current_person(), uid), position)
    plan = plan_of(row)
    if plan is not None:
        return plan_mapping.ask(files.path_of(stored), stored.name, plan=plan)
    return plan_mapping.ask(files.path_of(stored), stored.name, classes=[f"{row.class_id}:{row.subject_id}"])


@blueprint.post("/batches/<uid>/again")
@signed_in_required
def again(uid: str) -> BaseResponse:
    """Read the files whose columns were not clear once more."""
    require(Permission.PLAN_WRITE)
    with transaction():
        batches.read_again(batches.batch_of(current_person(), uid))
    return redirect(url_for("plans.batches.batch", uid=uid))


@blueprint.get("/batches/<uid>/report.csv")
@signed_in_required
def report(uid: str) -> Response:
    """The report as CSV, for Excel: a line for each file, or for each of its problems."""
    found = batches.report(batches.batch_of(current_person(), uid))
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow([
        gettext("File"), gettext("State"), gettext("Class"), gettext("Subject"), gettext("Units"), gettext("Place"),
        gettext("What"), gettext("What to do"),
    ])  # fmt: skip
    for file in found["files"]:
        about = [
            _text(file["file"]), _state(file)[1], _text(file["class"]), _text(file["subject"]),
            file["units"],
        ]  # fmt: skip
        for problem in file["problems"] or [{}]:
            place = str(Place(**problem["place"])) if problem.get("place") else ""
            writer.writerow([*about, _text(place), _text(problem.get("message")), _text(problem.get("remedy"))])
    # The mark at the beginning tells Excel that this is UTF-8.
    answer = Response("\ufeff" + stream.getvalue(), mimetype="text/csv")
    answer.headers.set("Content-Disposition", "attachment", filename="plans.csv")
    return answer


def _text(value: str | None) -> str:
    """``value`` so that no spreadsheet takes it for a formula (OWASP: CSV injection)."""
    value = value or ""
    return f"'{value}" if value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
