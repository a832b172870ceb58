"""Routes of teaching plans below ``/api/v1/plans``: read, import, review, adjust, discuss, export."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from apiflask import APIBlueprint
from flask import Response, send_file

from lms_bridge.api import plan_answers as answers
from lms_bridge.api import plan_schemas as schemas
from lms_bridge.api import plan_views as views
from lms_bridge.api import plan_work_answers as work_answers
from lms_bridge.api.callers import auth, caller, require
from lms_bridge.api.plan_columns import Columns
from lms_bridge.api.uploads import uploaded
from lms_bridge.core import files
from lms_bridge.core.access import Permission, Scope
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import NotFound
from lms_bridge.core.i18n import get_locale
from lms_bridge.core.models import StoredFile
from lms_bridge.plans import adjusting, comments, comparing, importer, listing, lookup, review, threads
from lms_bridge.plans.export.plan_excel import plan_xlsx
from lms_bridge.plans.export.plan_word import plan_docx
from lms_bridge.plans.export.review_sheet import review_sheet_docx
from lms_bridge.plans.history import history
from lms_bridge.plans.models import PlanKind, PlanVersion, TeachingPlan, VersionState
from lms_bridge.plans.readers import readers_of, require_discussion
from lms_bridge.roster.models import Organisation

blueprint = APIBlueprint("api_plans", __name__, url_prefix="/api/v1/plans", tag="Teaching plans")

ANSWERS = {"accept": comparing.ACCEPTED, "refuse": comparing.REFUSED, "open": None}
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WRITERS: dict[str, tuple[Callable[[PlanVersion, str], bytes], str, str]] = {
    "docx": (plan_docx, WORD, ".docx"),
    "xlsx": (plan_xlsx, EXCEL, ".xlsx"),
    "review-sheet": (review_sheet_docx, WORD, "-review.docx"),
}


def _plan(uid: str) -> tuple[TeachingPlan, Scope]:
    plan = lookup.plan_by_uid(uid)
    return plan, require(Permission.PLAN_READ, lookup.plan_access(plan).read)


def _version(plan: TeachingPlan, number: int | None) -> PlanVersion:
    if number is None:
        return plan.versions[-1]
    found = next((version for version in plan.versions if version.number == number), None)
    if found is None:
        raise NotFound()
    return found


def _shown(uid: str) -> dict[str, Any]:
    plan = lookup.plan_by_uid(uid)
    return views.whole(plan, db.session.get_one(Organisation, plan.organisation_id))


@blueprint.get("")
@blueprint.auth_required(auth)
@blueprint.input(schemas.ListQuery, location="query")
@blueprint.output(answers.PlanList)
def plans(query_data: dict[str, Any]) -> dict[str, Any]:
    """Plans within reach, newest first (with a state: longest waiting first)."""
    scope = require(Permission.PLAN_READ)
    state = query_data.get("state")
    page, per_page = query_data["page"], query_data["per_page"]
    wanted = listing.Wanted(
        kind=PlanKind(query_data["kind"]), state=VersionState(state) if state else None,
        subject=query_data.get("subject"), grade=query_data.get("grade"), class_code=query_data.get("class_"),
    )  # fmt: skip
    total = listing.count_plans(scope, wanted)
    rows = listing.listed_plans(scope, wanted, limit=per_page, offset=(page - 1) * per_page)
    return {
        "items": [views.in_list(row) for row in rows],
        "page": page,
        "pages": math.ceil(total / per_page),
        "total": total,
    }


@blueprint.get("/<uid>")
@blueprint.auth_required(auth)
@blueprint.output(answers.Plan)
def plan(uid: str) -> dict[str, Any]:
    """A plan with all its versions."""
    _plan(uid)
    return _shown(uid)


@blueprint.get("/<uid>/units")
@blueprint.auth_required(auth)
@blueprint.input(schemas.VersionQuery, location="query")
@blueprint.output(answers.Units)
def units(uid: str, query_data: dict[str, Any]) -> dict[str, Any]:
    """The units of a version."""
    version = _version(_plan(uid)[0], query_data.get("version"))
    return {"version": version.number, "units": [views.unit(unit) for unit in version.units]}


@blueprint.get("/<uid>/findings")
@blueprint.auth_required(auth)
@blueprint.input(schemas.VersionQuery, location="query")
@blueprint.output(answers.Findings)
def findings(uid: str, query_data: dict[str, Any]) -> dict[str, Any]:
    """Where a version departs from the benchmark, with proposals and answers."""
    version = _version(_plan(uid)[0], query_data.get("version"))
    return {"version": version.number, "coverage": version.coverage, "findings": views.findings(version)}


@blueprint.get("/<uid>/history")
@blueprint.auth_required(auth)
@blueprint.output(answers.History)
def events(uid: str) -> dict[str, Any]:
    """Who did what when, the earliest first."""
    return {"history": [views.entry(entry) for entry in history(_plan(uid)[0])]}


@blueprint.get("/<uid>/comments")
@blueprint.auth_required(auth)
@blueprint.output(answers.Discussion)
def discussion(uid: str) -> dict[str, Any]:
    """The threads about the plan and its units."""
    plan, _ = _plan(uid)
    return {"threads": views.discussion(threads.discussion(plan, plan.versions[-1]))}


@blueprint.get("/<uid>/people")
@blueprint.auth_required(auth)
@blueprint.output(work_answers.Readers)
def people(uid: str) -> dict[str, Any]:
    """Who may be mentioned in comments on the plan."""
    plan, scope = _plan(uid)
    require_discussion(plan, scope)
    return {"people": [{"uid": person.uid, "name": person.display_name} for person in readers_of(plan)]}


@blueprint.get("/<uid>/document")
@blueprint.auth_required(auth)
@blueprint.input(schemas.FormatQuery, location="query")
@blueprint.doc(responses={200: "The document, as an attachment."})
def document(uid: str, query_data: dict[str, Any]) -> Response:
    """The plan as Word or Excel document, or the document that was uploaded."""
    version = _version(_plan(uid)[0], query_data.get("version"))
    if query_data["format"] == "original":
        row = db.session.get(StoredFile, version.file_id) if version.file_id else None
        if row is None:
            raise NotFound()
        return send_file(files.path_of(row), as_attachment=True, download_name=row.name, mimetype=row.media_type)
    write, media_type, ending = WRITERS[query_data["format"]]
    answer = Response(write(version, get_locale()), mimetype=media_type)
    answer.headers.set("Content-Disposition", "attachment", filename=f"plan-{uid}{ending}")
    return answer


@blueprint.post("")
@blueprint.auth_required(auth)
@blueprint.input(schemas.ImportForm, location="form_and_files")
@blueprint.output(answers.Imported, status_code=201)
def bring(form_and_files_data: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Read a document as the plan of one or more classes; nothing is stored where anything in it is not certain."""
    scope = require(Permission.PLAN_WRITE)
    classes, subject = form_and_files_data["classes"], form_and_files_data["subject"]
    dry_run = form_and_files_data["dry_run"]
    columns, group = Columns(form_and_files_data["columns"]), lookup.class_by_code(classes[0])
    with uploaded() as (path, name):
        read = columns.read(path, name, group=group)
        with transaction():
            result = importer.import_plan(
                read, path, name=name, class_codes=classes, subject_code=subject, scope=scope, author=caller(),
                dry_run=dry_run,
            )  # fmt: skip
            if form_and_files_data["remember"] and not dry_run:
                columns.remember(group.campus)
    return result.as_dict(), 200 if dry_run else 201


@blueprint.post("/<uid>/versions")
@blueprint.auth_required(auth)
@blueprint.input(schemas.VersionForm, location="form_and_files")
@blueprint.output(answers.Imported, status_code=201)
def new_version(uid: str, form_and_files_data: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Read a document as the plan's next version. 200 with `unchanged`: it is the newest version's own document. 409: a
    newer version than the one that was looked at has come, or the plan is being reviewed."""
    plan, scope = _plan(uid)
    said = form_and_files_data
    columns, group = Columns(said["columns"]), plan.classes[0].class_group if plan.classes else None
    with uploaded() as (path, name):
        read = columns.read(path, name, group=group)
        with transaction():
            result = importer.import_version(
                plan, read, path, name=name, scope=scope, author=caller(), seen=said["version"]
            )
            if said["remember"]:
                columns.remember(group.campus if group is not None else None)
    return result.as_dict(), 200 if result.unchanged else 201


def _step(uid: str, step: Callable[..., PlanVersion], said: dict[str, Any]) -> dict[str, Any]:
    plan, scope = _plan(uid)
    with transaction():
        step(plan, scope=scope, person=caller(), comment=said["comment"], seen=said["version"])
    return _shown(uid)


@blueprint.post("/<uid>/submit")
@blueprint.auth_required(auth)
@blueprint.input(schemas.Step)
@blueprint.output(answers.Plan)
def submit(uid: str, json_data: dict[str, Any]) -> dict[str, Any]:
    """Hand the plan to the researchers. 409: a newer version has come, or it is not a draft."""
    return _step(uid, review.submit, json_data)


@blueprint.post("/<uid>/approve")
@blueprint.auth_required(auth)
@blueprint.input(schemas.Step)
@blueprint.output(answers.Plan)
def approve(uid: str, json_data: dict[str, Any]) -> dict[str, Any]:
    """Approve the submitted version. Nobody approves their own plan."""
    return _step(uid, review.approve, json_data)


@blueprint.post("/<uid>/return")
@blueprint.auth_required(auth)
@blueprint.input(schemas.Step)
@blueprint.output(answers.Plan)
def give_back(uid: str, json_data: dict[str, Any]) -> dict[str, Any]:
    """Return the submitted version to its author; the comment is the reason and is needed."""
    return _step(uid, review.return_plan, json_data)


@blueprint.post("/<uid>/findings/<int:position>/answer")
@blueprint.auth_required(auth)
@blueprint.input(schemas.Answer)
@blueprint.output(answers.Answered)
def answer(uid: str, position: int, json_data: dict[str, Any]) -> dict[str, Any]:
    """Accept or refuse the proposal of a finding, or leave it open again."""
    plan, scope = _plan(uid)
    with transaction():
        adjusting.answer(
            plan, position, ANSWERS[json_data["answer"]], seen=json_data["version"], scope=scope, person=caller(),
            words=json_data["words"],
        )  # fmt: skip
    version = plan.versions[-1]
    return {"version": version.number, "findings": views.findings(version)}


@blueprint.post("/<uid>/adjust")
@blueprint.auth_required(auth)
@blueprint.input(schemas.Seen)
@blueprint.output(answers.Plan, status_code=201)
def adjust(uid: str, json_data: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Make the next version of all proposals that were accepted."""
    plan, scope = _plan(uid)
    with transaction():
        adjusting.make_version(plan, seen=json_data["version"], scope=scope, person=caller())
    return _shown(uid), 201


@blueprint.post("/<uid>/comments")
@blueprint.auth_required(auth)
@blueprint.input(schemas.NewComment)
@blueprint.output(answers.ThreadNumber, status_code=201)
def comment(uid: str, json_data: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Begin a thread about the plan or one of its units; ``@name`` and ``mention`` (uids) tell people of it."""
    plan, scope = _plan(uid)
    with transaction():
        row = comments.begin(
            plan, json_data["text"], scope=scope, person=caller(), unit_key=json_data["unit"],
            number=json_data["version"], tell=json_data["mention"],
        )  # fmt: skip
        number = row.id
    return {"thread": number}, 201


@blueprint.post("/<uid>/comments/<int:thread>/replies")
@blueprint.auth_required(auth)
@blueprint.input(schemas.Reply)
@blueprint.output(answers.ThreadNumber, status_code=201)
def reply(uid: str, thread: int, json_data: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Answer in a thread; one that was resolved is open again."""
    plan, scope = _plan(uid)
    with transaction():
        comments.reply(plan, thread, json_data["text"], scope=scope, person=caller(), tell=json_data["mention"])
    return {"thread": thread}, 201


@blueprint.post("/<uid>/comments/<int:thread>/resolve")
@blueprint.auth_required(auth)
@blueprint.output(answers.ThreadNumber)
def resolve(uid: str, thread: int) -> dict[str, Any]:
    """Settle a thread."""
    return _settle(uid, thread, comments.resolve)


@blueprint.post("/<uid>/comments/<int:thread>/reopen")
@blueprint.auth_required(auth)
@blueprint.output(answers.ThreadNumber)
def reopen(uid: str, thread: int) -> dict[str, Any]:
    """Open a settled thread again."""
    return _settle(uid, thread, comments.reopen)


def _settle(uid: str, thread: int, step: Callable[..., object]) -> dict[str, Any]:
    plan, scope = _plan(uid)
    with transaction():
        step(plan, thread, scope=scope, person=caller())
    return {"thread": thread}
