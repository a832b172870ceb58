"""Pages of adjusting a plan: each finding with its proposal, the teacher's answers, the new version, the pace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from apiflask import APIBlueprint
from flask import flash, redirect, request, url_for
from werkzeug.wrappers import Response

from lms_bridge.core.access import Permission, Scope
from lms_bridge.core.database import transaction
from lms_bridge.core.errors import BridgeError
from lms_bridge.core.i18n import gettext, ngettext
from lms_bridge.plans import adjusting, comparing, lookup
from lms_bridge.plans.benchmark import compare
from lms_bridge.plans.feasibility import pace_points
from lms_bridge.plans.findings import FindingDraft
from lms_bridge.plans.models import Finding, PlanKind, PlanVersion, TeachingPlan, VersionState
from lms_bridge.plans.proposals import Action, action_for, needs_words, proposal_text
from lms_bridge.web.session import current_person, require, signed_in_required

blueprint = APIBlueprint("adjusting", __name__, enable_openapi=False)

ANSWERS = {"accept": comparing.ACCEPTED, "refuse": comparing.REFUSED, "open": None}


@dataclass(frozen=True)
class FindingRow:
    """A finding as the page shows it."""

    finding: Finding
    draft: FindingDraft
    text: str
    proposal: str
    asks_words: bool


def parts_of_plan(plan: TeachingPlan, version: PlanVersion, scope: Scope) -> dict[str, Any]:
    """What the page of a plan shows of its findings, proposals and pace."""
    found = comparing.findings_of(version)
    rows: list[FindingRow] = []
    for finding, text in zip(found, comparing.sentences(version, found), strict=True):
        draft = comparing.as_draft(version, finding)
        proposal = proposal_text(draft)
        if action_for(draft) is Action.WEEKS and any(action_for(row.draft) is Action.WEEKS for row in rows):
            proposal = ""  # one and the same for all findings about weeks: asked once
        rows.append(FindingRow(finding, draft, text, proposal, needs_words(draft)))
    newest = plan.versions[-1]
    may_adjust = (
        plan.kind is PlanKind.TEACHING
        and version is newest
        and newest.state is not VersionState.SUBMITTED
        and scope.allows(Permission.PLAN_WRITE, lookup.plan_access(plan).write)
    )
    return {
        "findings": rows,
        "accepted": sum(row.finding.answer == comparing.ACCEPTED for row in rows),
        "may_adjust": may_adjust,
        "pace": _pace(version, found),
        "answers": (comparing.ACCEPTED, comparing.REFUSED),
    }


def _pace(version: PlanVersion, found: list[Finding]) -> dict[str, Any] | None:
    """The chart of the pace: plan and benchmark, week by week; None where one of them has no weeks."""
    if version.plan.kind is not PlanKind.TEACHING:
        return None
    benchmark = comparing.benchmark_of(found[0]) if found else lookup.benchmark_for(version.plan)
    if benchmark is None:
        return None
    mine, theirs = comparing.drafts(version.units), comparing.drafts(benchmark.units)
    weeks = comparing.circumstances_of(version.plan).weeks
    points = pace_points(mine, theirs, compare(mine, theirs).matches, weeks)
    if not points:
        return None
    return {
        "labels": [point.week for point in points],
        "series": [
            {"name": gettext("this plan"), "values": [round(point.plan, 1) for point in points]},
            {"name": gettext("the benchmark"), "values": [round(point.benchmark, 1) for point in points]},
        ],
    }


def _writable(uid: str) -> tuple[TeachingPlan, Scope]:
    plan = lookup.plan_by_uid(uid)
    return plan, require(Permission.PLAN_READ, lookup.plan_access(plan).read)


def _refused(error: BridgeError) -> None:
    if error.status in (403, 404):
        raise error
    flash(str(error), "bad")


@blueprint.post("/<uid>/findings/<int:position>")
@signed_in_required
def answer(uid: str, position: int) -> Response:
    """Accept or refuse the proposal of one finding, or leave it open again (form: answer, version, words)."""
    plan, scope = _writable(uid)
    try:
        with transaction():
            adjusting.answer(
                plan, position, ANSWERS.get(request.form.get("answer", "")),
                seen=request.form.get("version", 0, type=int), scope=scope, person=current_person(),
                words=request.form.get("words", ""),
            )  # fmt: skip
    except BridgeError as error:
        _refused(error)
    return redirect(url_for("plans.plan", uid=uid, _anchor=f"finding-{position}"))


@blueprint.post("/<uid>/adjust")
@signed_in_required
def adjust(uid: str) -> Response:
    """Make the next version of all proposals that were accepted (form: version)."""
    plan, scope = _writable(uid)
    try:
        with transaction():
            version = plan.versions[-1]
            count = len(adjusting.accepted_of(version))
            seen = request.form.get("version", 0, type=int)
            made = adjusting.make_version(plan, seen=seen, scope=scope, person=current_person())
    except BridgeError as error:
        _refused(error)
    else:
        flash(
            ngettext(
                "Version %(number)s was made with %(n)s accepted proposal.",
                "Version %(number)s was made with %(n)s accepted proposals.",
                count,
                number=made.number,
            ),
            "good",
        )
    return redirect(url_for("plans.plan", uid=uid))
