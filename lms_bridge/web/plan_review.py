"""Pages of the review: comments on a plan, differences of its versions, and approving many plans at once."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lms_bridge.core.access import Permission, Scope
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BadInputs, BridgeError
from lms_bridge.core.i18n import gettext, ngettext
from lms_bridge.plans import bulk, comments, differences, lookup, readers, threads
from lms_bridge.plans.affected import effect
from lms_bridge.plans.bulk import Without
from lms_bridge.plans.history import history
from lms_bridge.plans.models import PlanKind, PlanVersion, TeachingPlan
from lms_bridge.roster.models import Organisation
from lms_bridge.web.session import current_person, require, signed_in_required

blueprint = APIBlueprint("review", __name__, enable_openapi=False)

STEP_KINDS = {"submitted": "info", "returned": "warn", "approved": "good"}


def parts_of_plan(plan: TeachingPlan, version: PlanVersion, scope: Scope) -> dict[str, Any]:
    """What the page of a plan shows of its review: threads, history, and what a new version would touch."""
    return {
        "discussion": threads.discussion(plan, version),
        "may_discuss": readers.may_discuss(plan, scope),
        "history": history(plan),
        "effect": effect(plan) if plan.kind is PlanKind.TEACHING else None,
        "step_kinds": STEP_KINDS,
    }


def _readable(uid: str) -> tuple[TeachingPlan, Scope]:
    plan = lookup.plan_by_uid(uid)
    return plan, require(Permission.PLAN_READ, lookup.plan_access(plan).read)


def _version(plan: TeachingPlan, number: int | None, otherwise: PlanVersion) -> PlanVersion:
    return next((v for v in plan.versions if v.number == number), otherwise)


@blueprint.get("/<uid>/comments")
@signed_in_required
def discussion(uid: str) -> str:
    """All threads of a plan, and the form for a new one (``?unit=`` for one about a unit)."""
    return _discussion_page(*_readable(uid))


def _discussion_page(
    plan: TeachingPlan, scope: Scope, error: BridgeError | None = None, thread: int | None = None
) -> str:
    version = _version(plan, request.args.get("version", type=int), plan.versions[-1])
    return render_template(
        "plans/comments.html",
        plan=plan,
        campus=db.session.get_one(Organisation, plan.organisation_id),
        version=version,
        discussion=threads.discussion(plan, version),
        may_discuss=readers.may_discuss(plan, scope),
        people=[reader for reader in readers.readers_of(plan) if reader.id != scope.person_id],
        unit_key=request.values.get("unit", ""),
        problems=error.problems if isinstance(error, BadInputs) else [error] if error is not None else [],
        failed_thread=thread,
        text=request.form.get("text", ""),
        told=request.form.getlist("tell"),
    )


def _refused(uid: str, scope: Scope, error: BridgeError, thread: int | None = None) -> tuple[str, int]:
    if error.status in (403, 404):
        raise error
    return _discussion_page(lookup.plan_by_uid(uid), scope, error, thread), error.status


@blueprint.post("/<uid>/comments")
@signed_in_required
def begin_thread(uid: str) -> Response | tuple[str, int]:
    """Begin a thread about a unit or the whole."""
    plan, scope = _readable(uid)
    try:
        with transaction():
            row = comments.begin(
                plan,
                request.form.get("text", ""),
                scope=scope,
                person=current_person(),
                unit_key=request.form.get("unit") or None,
                number=request.form.get("version", type=int),
                tell=request.form.getlist("tell"),
            )
    except BridgeError as error:
        return _refused(uid, scope, error)
    return redirect(url_for(".discussion", uid=uid, _anchor=f"thread-{row.id}"))


@blueprint.post("/<uid>/comments/<int:thread>/reply")
@signed_in_required
def reply(uid: str, thread: int) -> Response | tuple[str, int]:
    """Answer in a thread."""
    plan, scope = _readable(uid)
    text, tell = request.form.get("text", ""), request.form.getlist("tell")
    try:
        with transaction():
            comments.reply(plan, thread, text, scope=scope, person=current_person(), tell=tell)
    except BridgeError as error:
        return _refused(uid, scope, error, thread)
    return redirect(url_for(".discussion", uid=uid, _anchor=f"thread-{thread}"))


@blueprint.post("/<uid>/comments/<int:thread>/<any(resolve, reopen):what>")
@signed_in_required
def settle(uid: str, thread: int, what: str) -> Response | tuple[str, int]:
    """Say that a thread is settled, or take it back."""
    plan, scope = _readable(uid)
    step = comments.resolve if what == "resolve" else comments.reopen
    try:
        with transaction():
            step(plan, thread, scope=scope, person=current_person())
    except BridgeError as error:
        return _refused(uid, scope, error, thread)
    return redirect(url_for(".discussion", uid=uid, _anchor=f"thread-{thread}"))


@blueprint.get("/comments")
@signed_in_required
def concerns() -> str:
    """The threads in which this person is mentioned or wrote."""
    return render_template("plans/comments_mine.html", concerns=threads.concerns(require(Permission.PLAN_READ)))


@blueprint.get("/<uid>/differences")
@signed_in_required
def versions(uid: str) -> str:
    """What changed between two versions (``?from=1&to=2``; default: the last two)."""
    plan, _ = _readable(uid)
    later = _version(plan, request.args.get("to", type=int), plan.versions[-1])
    before = [v for v in plan.versions if v.number < later.number]
    earlier = _version(plan, request.args.get("from", type=int), before[-1] if before else later)
    return render_template(
        "plans/differences.html",
        plan=plan,
        campus=db.session.get_one(Organisation, plan.organisation_id),
        earlier=earlier,
        later=later,
        found=differences.between(earlier, later),
    )


@blueprint.get("/bulk")
@signed_in_required
def bulk_page() -> str:
    """The submitted plans that a researcher may approve together (``?without=minor``)."""
    return _bulk_page(require(Permission.PLAN_REVIEW))


def _without() -> Without:
    wanted = request.values.get("without", "")
    return next((option for option in Without if option.value == wanted), Without.MINOR)


def _bulk_page(scope: Scope, outcomes: list[bulk.Outcome] | None = None, problem: str = "") -> str:
    without = _without()
    every = bulk.candidates(scope)
    shown = bulk.candidates(scope, without=without) if len(every) == bulk.LISTED else every
    shown = [candidate for candidate in shown if candidate.passes(without)]
    return render_template(
        "plans/bulk.html",
        candidates=shown,
        counts={option: sum(c.passes(option) for c in every) for option in Without},
        without=without,
        filters=list(Without),
        not_compared=sum(not candidate.compared for candidate in every),
        outcomes=outcomes,
        problem=problem,
        limit=bulk.LISTED,
    )


@blueprint.post("/bulk")
@signed_in_required
def approve_all() -> str | tuple[str, int]:
    """Approve the chosen plans, each for itself, and say what became of each."""
    scope = require(Permission.PLAN_REVIEW)
    chosen = [
        (uid, int(number))
        for uid, _, number in (value.partition(":") for value in request.form.getlist("plan"))
        if uid and number.isdigit()
    ]
    if not chosen:
        return _bulk_page(scope, problem=gettext("No plan was chosen.")), 422
    outcomes = bulk.approve_all(
        chosen, scope=scope, person=current_person(), without=_without(), comment=request.form.get("comment", "")
    )
    approved = sum(outcome.approved for outcome in outcomes)
    if approved:
        flash(ngettext("One plan was approved.", "%(n)s plans were approved.", approved), "good")
    return _bulk_page(scope, outcomes)
