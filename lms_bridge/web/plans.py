"""Pages of teaching plans: lists, upload, one plan with its findings, and the steps of the review."""

from __future__ import annotations

import math
from collections.abc import Callable
from urllib.parse import urlencode

import sqlalchemy as sa
from apiflask import APIBlueprint
from flask import Response, flash, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response as BaseResponse

from lms_bridge.api.uploads import uploaded
from lms_bridge.core import files
from lms_bridge.core.access import Permission, Scope
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BadInputs, BridgeError, NotFound
from lms_bridge.core.i18n import N_, get_locale, gettext
from lms_bridge.core.kept_problems import told
from lms_bridge.core.models import StoredFile
from lms_bridge.plans import comparing, importer, lookup, mapping, review
from lms_bridge.plans.listing import Wanted, count_plans, listed_plans, subjects_of, teachable, visible_plans
from lms_bridge.plans.models import PlanKind, PlanVersion, TeachingPlan, VersionState
from lms_bridge.roster.models import ClassGroup, Organisation, Subject
from lms_bridge.web import (
    plan_adjusting,
    plan_batches,
    plan_deadlines,
    plan_documents,
    plan_forms,
    plan_mapping,
    plan_research,
    plan_review,
)
from lms_bridge.web.session import current_person, require, signed_in_required

blueprint = APIBlueprint("plans", __name__, url_prefix="/plans", enable_openapi=False)
blueprint.register_blueprint(plan_adjusting.blueprint)
blueprint.register_blueprint(plan_review.blueprint)
blueprint.register_blueprint(plan_deadlines.blueprint)
blueprint.register_blueprint(plan_mapping.blueprint)
blueprint.register_blueprint(plan_forms.blueprint)
blueprint.register_blueprint(plan_research.blueprint)
blueprint.register_blueprint(plan_batches.blueprint)
blueprint.register_blueprint(plan_documents.blueprint)

PER_PAGE = 50
SHOWN = 20
"""So many plans that wait are shown above the list; the list has all."""

STATE_KINDS = {
    VersionState.DRAFT: "plain",
    VersionState.SUBMITTED: "info",
    VersionState.RETURNED: "warn",
    VersionState.APPROVED: "good",
    VersionState.SUPERSEDED: "plain",
}
SEVERITY_KINDS = {"info": "info", "minor": "warn", "major": "bad"}
SEVERITY_NAMES = {"info": N_("for information"), "minor": N_("minor"), "major": N_("important")}
ACCEPTED = ".docx,.xlsx,.csv,.tsv,.txt,.doc,.wps,.rtf,.odt,.xls,.et,.ods"


@blueprint.context_processor
def words() -> dict[str, object]:
    """Names and colours that the templates of this area share."""
    return {
        "state_names": {state: gettext(name) for state, name in review.STATE_NAMES.items()},
        "state_kinds": STATE_KINDS,
        "severity_names": {key: gettext(name) for key, name in SEVERITY_NAMES.items()},
        "severity_kinds": SEVERITY_KINDS,
    }


FILTERS = ("state", "subject", "grade", "class")


def _chosen() -> dict[str, str]:
    return {name: value for name in FILTERS if (value := request.args.get(name, "").strip())}


def _wanted() -> Wanted:
    chosen = _chosen()
    state = next((state for state in VersionState if state.value == chosen.get("state")), None)
    return Wanted(state=state, subject=chosen.get("subject"), grade=chosen.get("grade"), class_code=chosen.get("class"))


@blueprint.get("/")
@signed_in_required
def overview() -> str:
    """What waits for this person first, then all plans they may see."""
    scope = require(Permission.PLAN_READ)
    reviewer = scope.may(Permission.PLAN_REVIEW)
    wanted, page = _wanted(), max(1, request.args.get("page", 1, type=int))
    total = count_plans(scope, wanted)
    plans = listed_plans(scope, wanted, limit=PER_PAGE, offset=(page - 1) * PER_PAGE)
    return render_template(
        "plans/overview.html",
        waiting=visible_plans(scope, state=VersionState.SUBMITTED, limit=SHOWN) if reviewer else [],
        waiting_count=count_plans(scope, Wanted(state=VersionState.SUBMITTED)) if reviewer else 0,
        returned=visible_plans(scope, state=VersionState.RETURNED, limit=SHOWN)
        if scope.may(Permission.PLAN_WRITE)
        else [],
        plans=plans,
        total=total,
        page=page,
        pages=math.ceil(total / PER_PAGE),
        chosen=(chosen := _chosen()),
        page_url=f"?{urlencode(chosen)}&page=" if chosen else "?page=",
        state_options=[(state.value, gettext(name)) for state, name in review.STATE_NAMES.items()],
        subject_options=[(row.code, row.label(get_locale())) for row in subjects_of(scope)],
        **plan_deadlines.parts_of_overview(scope, [row.plan.id for row in plans]),
        benchmarks=visible_plans(scope, kind=PlanKind.BENCHMARK) if reviewer else [],
        reviewer=reviewer,
        may_oversee=plan_research.may_oversee(),
        may_upload=scope.may(Permission.PLAN_WRITE),
        may_benchmark=scope.may(Permission.BENCHMARK_WRITE),
    )


@blueprint.get("/upload")
@signed_in_required
def upload_page() -> str:
    """The form for a teacher's plan."""
    return _upload_form(require(Permission.PLAN_WRITE))


def _upload_form(scope: Scope, error: BridgeError | None = None) -> str:
    locale = get_locale()
    pairs = teachable(scope)
    options = [
        (f"{group.id}:{subject.id}", f"{group.campus.label(locale)} · {group.title} · {subject.label(locale)}")
        for group, subject, planned in pairs
        if not planned
    ]
    return render_template(
        "plans/upload.html",
        options=options,
        planned=sum(planned for _, _, planned in pairs),
        chosen=request.values.getlist("class"),
        error=error,
        problems=error.problems if isinstance(error, BadInputs) else [error] if error is not None else [],
        accept=ACCEPTED,
    )


@blueprint.post("/upload")
@signed_in_required
def upload() -> BaseResponse | tuple[str, int]:
    """Read the document and make the plan; every problem is shown at once beside the form."""
    scope = require(Permission.PLAN_WRITE)
    try:
        classes, subject = plan_mapping.chosen_classes(scope, request.form.getlist("class"))
        with uploaded() as (path, name):
            document = plan_mapping.read_or_ask(path, name, lookup.class_by_code(classes[0]))
            if document is None:
                return plan_mapping.ask(path, name, classes=request.form.getlist("class"))
            with transaction():
                result = importer.import_plan(
                    document, path, name=name, class_codes=classes, subject_code=subject, scope=scope,
                    author=current_person(),
                )  # fmt: skip
    except BridgeError as error:
        if error.status == 404:
            raise
        return _upload_form(scope, error), error.status
    assert result.plan is not None
    plan_mapping.flash_read(result)
    return redirect(url_for("plans.plan", uid=result.plan.uid))


@blueprint.get("/benchmarks/upload")
@signed_in_required
def benchmark_page() -> str:
    """The form for a benchmark."""
    return _benchmark_form(require(Permission.BENCHMARK_WRITE))


def _benchmark_form(scope: Scope, error: BridgeError | None = None) -> str:
    locale = get_locale()
    grades = db.session.scalars(sa.select(ClassGroup.grade).where(ClassGroup.valid_to.is_(None)).distinct())
    return render_template(
        "plans/benchmark_upload.html",
        owners=[(str(o.id), o.label(locale)) for o in plan_mapping.owners(scope)],
        subjects=[(s.code, s.label(locale)) for s in db.session.scalars(sa.select(Subject).order_by(Subject.code))],
        grades=[(g, g) for g in sorted(grades, key=lambda g: (len(g), g))],
        languages=[("zh-CN", "中文"), ("en", "English")],
        form_values=request.form,
        problems=error.problems if isinstance(error, BadInputs) else [error] if error is not None else [],
        accept=ACCEPTED,
    )


@blueprint.post("/benchmarks/upload")
@signed_in_required
def benchmark_upload() -> BaseResponse | tuple[str, int]:
    """Read the benchmark; plans it concerns are compared again."""
    scope = require(Permission.BENCHMARK_WRITE)
    try:
        wanted = plan_mapping.benchmark_asked(scope)
        lookup.known_grade(wanted.owner, wanted.grade)
        with uploaded() as (path, name):
            document = plan_mapping.read_or_ask(path, name, None, owner=wanted.owner)
            if document is None:
                return plan_mapping.ask(path, name, benchmark=wanted)
            with transaction():
                result = plan_mapping.import_benchmark(wanted, document, path, name, scope)
    except BridgeError as error:
        if error.status == 404:
            raise
        return _benchmark_form(scope, error), error.status
    assert result.plan is not None
    plan_mapping.flash_read(result)
    return redirect(url_for("plans.plan", uid=result.plan.uid))


def _readable(uid: str) -> tuple[TeachingPlan, Scope]:
    plan = lookup.plan_by_uid(uid)
    return plan, require(Permission.PLAN_READ, lookup.plan_access(plan).read)


@blueprint.get("/<uid>")
@signed_in_required
def plan(uid: str) -> str:
    """One plan: state, findings, units, history, and what this person may do next."""
    return _plan_page(*_readable(uid))


def _plan_page(found: TeachingPlan, scope: Scope, error: BridgeError | None = None) -> str:
    version = _shown_version(found)
    newest = found.versions[-1]
    access = lookup.plan_access(found)
    findings = comparing.findings_of(version)
    may_write = scope.allows(Permission.PLAN_WRITE, access.write) and found.kind is PlanKind.TEACHING
    campus = db.session.get_one(Organisation, found.organisation_id)
    return render_template(
        "plans/plan.html",
        plan=found,
        version=version,
        noted=[told(warning) for warning in version.warnings],
        followed=next((told(w)["message"] for w in version.warnings if w["message"] == mapping.FOLLOWED), None),
        may_map=version is newest and _may_map(found, scope),
        newest=newest,
        campus=campus,
        benchmark=lookup.benchmark_for(found) if found.kind is PlanKind.TEACHING else None,
        marked={f.unit_key: f.severity for f in reversed(findings) if f.unit_key is not None},
        **plan_adjusting.parts_of_plan(found, version, scope),
        **plan_review.parts_of_plan(found, version, scope),
        periods=sum(unit.periods for unit in version.units),
        may_submit=may_write and newest.state in (VersionState.DRAFT, VersionState.RETURNED),
        may_upload=may_write and newest.state is not VersionState.SUBMITTED,
        may_review=newest.state is VersionState.SUBMITTED
        and not review.is_own(found, newest, scope.person_id)
        and scope.allows(Permission.PLAN_REVIEW, access.read),
        comment=request.form.get("comment", ""),
        problems=error.problems if isinstance(error, BadInputs) else [error] if error is not None else [],
        accept=ACCEPTED,
    )


def _may_map(found: TeachingPlan, scope: Scope) -> bool:
    """Whether this person may say anew what the columns of the newest version's document hold."""
    newest = found.versions[-1]
    in_table = any("row" in unit.provenance or "column" in unit.provenance for unit in newest.units)
    if newest.file_id is None or not in_table or newest.state is VersionState.SUBMITTED:
        return False
    if found.kind is PlanKind.BENCHMARK:
        return scope.allows(Permission.BENCHMARK_WRITE, lookup.plan_access(found).write)
    return scope.allows(Permission.PLAN_WRITE, lookup.plan_access(found).write)


def _shown_version(found: TeachingPlan) -> PlanVersion:
    wanted = request.args.get("version", type=int)
    return next((v for v in found.versions if v.number == wanted), found.versions[-1])


@blueprint.get("/<uid>/file")
@signed_in_required
def original(uid: str) -> Response:
    """The document as it was uploaded; always a download, never shown by the browser."""
    found, _ = _readable(uid)
    row = db.session.get(StoredFile, _shown_version(found).file_id)
    if row is None:
        raise NotFound()
    return send_file(files.path_of(row), as_attachment=True, download_name=row.name, mimetype=row.media_type)


@blueprint.post("/<uid>/version")
@signed_in_required
def new_version(uid: str) -> BaseResponse | tuple[str, int]:
    """Read a document as the plan's next version."""
    found, scope = _readable(uid)
    seen = request.form.get("version", type=int)
    try:
        with uploaded() as (path, name):
            document = plan_mapping.read_or_ask(path, name, found.classes[0].class_group if found.classes else None)
            if document is None:
                return plan_mapping.ask(path, name, plan=found, seen=seen)
            with transaction():
                result = importer.import_version(
                    found, document, path, name=name, scope=scope, author=current_person(), seen=seen
                )
    except BridgeError as error:
        if error.status == 404:
            raise
        return _plan_page(lookup.plan_by_uid(uid), scope, error), error.status
    plan_mapping.flash_read(result)
    return redirect(url_for("plans.plan", uid=uid))


Step = Callable[..., PlanVersion]


def _review_step(uid: str, step: Step, done: str) -> BaseResponse | tuple[str, int]:
    found, scope = _readable(uid)
    comment, seen = request.form.get("comment", ""), request.form.get("version", type=int)
    try:
        with transaction():
            step(found, scope=scope, person=current_person(), comment=comment, seen=seen)
    except BridgeError as error:
        if error.status == 404:
            raise
        return _plan_page(lookup.plan_by_uid(uid), scope, error), error.status
    flash(gettext(done), "good")
    return redirect(url_for("plans.plan", uid=uid))


@blueprint.post("/<uid>/submit")
@signed_in_required
def submit(uid: str) -> BaseResponse | tuple[str, int]:
    """Hand the plan to the researchers."""
    return _review_step(uid, review.submit, N_("The plan is with the researchers now."))


@blueprint.post("/<uid>/approve")
@signed_in_required
def approve(uid: str) -> BaseResponse | tuple[str, int]:
    """Approve it."""
    return _review_step(uid, review.approve, N_("The plan is approved. Its author is told."))


@blueprint.post("/<uid>/return")
@signed_in_required
def return_(uid: str) -> BaseResponse | tuple[str, int]:
    """Give it back with a reason."""
    return _review_step(uid, review.return_plan, N_("The plan went back to its author, who is told."))
