"""Cases to decide: what upsets the timetable, the ranked proposals, the difference before it is applied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from apiflask import APIBlueprint
from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lms_bridge.core.access import Permission, Target
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BadInputs, Conflict, NotFound
from lms_bridge.core.i18n import gettext
from lms_bridge.roster.models import Person
from lms_bridge.timetable.cases import absences, cases, opening
from lms_bridge.timetable.cases.cases import case_by_uid, cases_within
from lms_bridge.timetable.cases.models import CaseProposal, CaseState, ChangeCase
from lms_bridge.timetable.cases.runs import affected
from lms_bridge.timetable.changing import changes
from lms_bridge.timetable.models import ChangeCause, ChangeState, Lesson, RunState
from lms_bridge.timetable.telling.told_of import told_of
from lms_bridge.web import case_words, timetable_new_case
from lms_bridge.web.day_forms import errors_by_field, typed_day
from lms_bridge.web.session import current_person, current_scope, require, signed_in_required
from lms_bridge.web.timetable_changes import CAUSE_NAMES, KIND_BADGES, KIND_NAMES

blueprint = APIBlueprint("cases", __name__, url_prefix="/cases", enable_openapi=False)
blueprint.register_blueprint(timetable_new_case.blueprint)


@blueprint.get("")
@signed_in_required
def overview() -> str:
    """What is to be decided, and what was decided lately, at the campuses within reach."""
    scope = require(Permission.TIMETABLE_WRITE)
    rows = cases_within(scope)
    return render_template(
        "timetable/cases.html",
        open=[_line(case) for case in rows if case.state is CaseState.OPEN],
        done=[_line(case) for case in rows if case.state is not CaseState.OPEN],
    )


@blueprint.get("/<uid>")
@signed_in_required
def show(uid: str) -> str:
    """A case with its lessons and its proposals; it refreshes itself while they are worked out."""
    case = _case(uid)
    return _page(case)


@blueprint.post("/<uid>/again")
@signed_in_required
def again(uid: str) -> Response:
    """Work the proposals out again from the timetable as it is now."""
    with transaction():
        cases.compute_again(_case(uid), actor=current_person())
    return redirect(url_for(".show", uid=uid))


@blueprint.post("/<uid>/close")
@signed_in_required
def close(uid: str) -> Response:
    """Decide to change nothing."""
    with transaction():
        cases.close_case(_case(uid), actor=current_person())
    flash(gettext("The case is closed. No lesson has changed."), "good")
    return redirect(url_for(".show", uid=uid))


@blueprint.post("/<uid>/withdraw")
@signed_in_required
def withdraw(uid: str) -> Response:
    """What happened holds no more: an absence, online days, a lost day, missing rooms."""
    with transaction():
        absences.withdraw_case(_case(uid), actor=current_person())
    flash(gettext("It was taken back. No lesson has changed."), "good")
    return redirect(url_for(".show", uid=uid))


@blueprint.post("/<uid>/rooms")
@signed_in_required
def rooms(uid: str) -> Response | tuple[str, int]:
    """Correct how many online rooms there are, and until when; what is wrong stands beside its field."""
    case = _case(uid)
    try:
        with transaction():
            count = request.form.get("rooms", -1, type=int)
            opening.correct_rooms(case, count, typed_day("last"), actor=current_person())
    except BadInputs as refusal:
        return _page(_case(uid), errors=errors_by_field(refusal.problems)), refusal.status
    flash(gettext("The rooms are corrected. Proposals are worked out again."), "good")
    return redirect(url_for(".show", uid=uid))


@blueprint.post("/<uid>/reason")
@signed_in_required
def reason(uid: str) -> str:
    """Show the private reason of an absence; that it was looked at is written down."""
    with transaction():
        case = _case(uid)
        if case.absence is None:
            raise NotFound()
        text = absences.read_reason(case.absence, actor=current_person())
    return _page(case, private_reason=text or gettext("No reason was given."))


@blueprint.get("/<uid>/proposals/<proposal>")
@signed_in_required
def preview(uid: str, proposal: str) -> str:
    """What a proposal changes, by class; whom it touches, and who will be told how."""
    case = _case(uid)
    row = _proposal(case, proposal)
    return _preview(case, row)


@blueprint.post("/<uid>/proposals/<proposal>/apply")
@signed_in_required
def apply(uid: str, proposal: str) -> Response | tuple[str, int]:
    """Put a proposal in force; if the week was changed meanwhile, nothing happens and the page says what changed."""
    case = _case(uid)
    row = _proposal(case, proposal)
    try:
        with transaction():
            cases.decide(case, row.change_set, current_person())
    except Conflict as refusal:
        case = _case(uid)
        return _page(case, refused=refusal), refusal.status
    flash(gettext("The change is in force. Everybody concerned is being told."), "good")
    return redirect(url_for(".show", uid=uid))


@blueprint.post("/<uid>/proposals/<proposal>/undo")
@signed_in_required
def undo(uid: str, proposal: str) -> Response:
    """Put the lessons back, on the day on which the proposal was put in force; the case is open again."""
    row = _proposal(_case(uid), proposal)
    with transaction():
        changes.undo(row.change_set, current_person())
    flash(gettext("The change was undone. The lessons are as they were before."), "good")
    return redirect(url_for(".show", uid=uid))


def _case(uid: str) -> ChangeCase:
    case = case_by_uid(uid)
    if case is None:
        raise NotFound()
    current_scope().require(Permission.TIMETABLE_WRITE, Target(case.campus.path))
    return case


def _proposal(case: ChangeCase, uid: str) -> CaseProposal:
    found = next((p for p in case.proposals if p.change_set.uid == uid), None)
    if found is None:
        raise NotFound()
    return found


def _line(case: ChangeCase) -> dict[str, Any]:
    return {
        "case": case,
        "title": case_words.case_title(case),
        "when": case_words.case_when(case),
        "proposals": sum(p.change_set.state is ChangeState.PROPOSED for p in case.proposals),
    }


def _page(
    case: ChangeCase,
    *,
    refused: Conflict | None = None,
    private_reason: str = "",
    errors: Mapping[str, Sequence[str]] | None = None,
) -> str:
    working = case.state is CaseState.OPEN and case.computing in (RunState.WAITING, RunState.RUNNING)
    rooms_missing = cases.rooms_are_missing(case)
    applied = next((p for p in case.proposals if p.change_set.state is ChangeState.APPLIED), None)
    hit = affected(case) if case.state is CaseState.OPEN and not working else []
    between = cases.meanwhile(case) if case.state is CaseState.OPEN else cases.Meanwhile()
    return render_template(
        "timetable/case.html",
        case=case,
        title=case_words.case_title(case),
        when=case_words.case_when(case),
        wish=case_words.wish(case),
        states=CaseState,
        runs=RunState,
        state_name=gettext(case_words.CASE_STATES[case.state]),
        state_badge=case_words.CASE_BADGES[case.state],
        working=working,
        step=case_words.way_name(case.progress.get("step", "")),
        hit=_lessons(hit),
        proposals=[case_words.proposal_words(p) for p in case.proposals if p.change_set.state is ChangeState.PROPOSED],
        applied=case_words.proposal_words(applied) if applied is not None else None,
        applied_set=applied.change_set if applied is not None else None,
        tables=case_words.by_class(applied.change_set) if applied is not None else [],
        undoable=applied is not None and changes.undoable(applied.change_set),
        refused=refused,
        stale=between.stale,
        begun=between.begun is not None,
        between=[case_words.meanwhile_words(row) for row in between.change_sets],
        private_reason=private_reason,
        has_reason=case.absence is not None and case.absence.reason is not None,
        takes_back=rooms_missing
        or (case.state is CaseState.OPEN and case.cause not in (ChangeCause.REQUEST, ChangeCause.PLAN_CHANGED)),
        rooms_missing=rooms_missing,
        typed=request.form,
        errors=errors or {},
        **_names(),
    )


def _lessons(numbers: list[int]) -> list[str]:
    rows = {row.id: row for row in db.session.query(Lesson).where(Lesson.id.in_(numbers))}
    return [case_words.lesson_words(rows[number]) for number in numbers if number in rows]


def _preview(case: ChangeCase, row: CaseProposal) -> str:
    change_set = row.change_set
    between = cases.meanwhile(case)
    author = db.session.get(Person, change_set.author_id) if change_set.author_id is not None else None
    return render_template(
        "timetable/case_preview.html",
        case=case,
        title=case_words.case_title(case),
        when=case_words.case_when(case),
        proposal=case_words.proposal_words(row),
        tables=case_words.by_class(change_set),
        told=told_of(change_set),
        author=author,
        stale=between.stale,
        begun=between.begun is not None,
        **_names(),
    )


def _names() -> dict[str, Any]:
    return {
        "kind_names": {kind: gettext(name) for kind, name in KIND_NAMES.items()},
        "kind_badges": KIND_BADGES,
        "cause_names": {cause: gettext(name) for cause, name in CAUSE_NAMES.items()},
    }
