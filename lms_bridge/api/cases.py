"""Routes of cases and their proposals below ``/api/v1``, and of the substitution board."""

from __future__ import annotations

from collections.abc import Callable

from apiflask import APIBlueprint

from lms_bridge.api import case_schemas as schemas
from lms_bridge.api import case_views as views
from lms_bridge.api import timetable_views
from lms_bridge.api.callers import auth, caller, require
from lms_bridge.api.named import campus_within, lesson_to_change, teacher_named
from lms_bridge.api.timetable_schemas import ChangeSetOut
from lms_bridge.core.access import Permission, Target
from lms_bridge.core.database import transaction
from lms_bridge.core.errors import NotFound
from lms_bridge.roster.scope import today
from lms_bridge.timetable.cases import absences, cases
from lms_bridge.timetable.cases.board import assign, board_of
from lms_bridge.timetable.cases.models import CaseProposal, CaseState, ChangeCase
from lms_bridge.timetable.changing import changes

blueprint = APIBlueprint("api_cases", __name__, url_prefix="/api/v1", tag="Timetable cases")


@blueprint.get("/cases")
@blueprint.auth_required(auth)
@blueprint.input(schemas.CasesQuery, location="query")
@blueprint.output(schemas.CasePage)
def listed(query_data: schemas.CasesQuery) -> schemas.CasePage:
    """The cases of the campuses whose timetable the caller writes, open ones first."""
    scope = require(Permission.TIMETABLE_WRITE)
    campus = None
    if query_data.campus is not None:
        campus = campus_within(scope, Permission.TIMETABLE_WRITE, query_data.campus)
    state = CaseState(query_data.state) if query_data.state is not None else None
    first = (query_data.page - 1) * query_data.per_page
    total, rows = cases.cases_page(scope, campus=campus, state=state, offset=first, limit=query_data.per_page)
    return schemas.CasePage(
        items=[views.case_line(case) for case in rows],
        **timetable_views.paged(total, query_data.page, query_data.per_page),
    )


@blueprint.get("/cases/<uid>")
@blueprint.auth_required(auth)
@blueprint.output(schemas.CaseOut)
def one(uid: str) -> schemas.CaseOut:
    """A case with the lessons that it hits and its proposals, best first."""
    return views.case(_case(uid))


@blueprint.post("/cases/<uid>/again")
@blueprint.auth_required(auth)
@blueprint.output(schemas.CaseOut)
def again(uid: str) -> schemas.CaseOut:
    """Work the proposals out again from the timetable as it is now. 409: the case is not open any more."""
    return _step(uid, cases.compute_again)


@blueprint.post("/cases/<uid>/close")
@blueprint.auth_required(auth)
@blueprint.output(schemas.CaseOut)
def close(uid: str) -> schemas.CaseOut:
    """Decide to change nothing; what happened holds. 409: the case is not open any more."""
    return _step(uid, cases.close_case)


@blueprint.post("/cases/<uid>/withdraw")
@blueprint.auth_required(auth)
@blueprint.output(schemas.CaseOut)
def withdraw(uid: str) -> schemas.CaseOut:
    """What happened holds no more: the absence, the online days, the lost day or rooms are taken back. 409: the case is
    not open any more."""
    return _step(uid, absences.withdraw_case)


def _step(uid: str, operation: Callable[..., None]) -> schemas.CaseOut:
    with transaction():
        case = _case(uid)
        operation(case, actor=caller())
        return views.case(case)


@blueprint.post("/cases/<uid>/proposals/<proposal>/apply")
@blueprint.auth_required(auth)
@blueprint.output(ChangeSetOut)
def apply(uid: str, proposal: str) -> ChangeSetOut:
    """Put a proposal in force and tell everybody concerned. 409: a week was changed since it was worked out (work it
    out again), or the case was dealt with already."""
    with transaction():
        case = _case(uid)
        return timetable_views.change_set(cases.decide(case, _proposal(case, proposal).change_set, caller()))


@blueprint.post("/cases/<uid>/proposals/<proposal>/undo")
@blueprint.auth_required(auth)
@blueprint.output(ChangeSetOut)
def undo(uid: str, proposal: str) -> ChangeSetOut:
    """Put the lessons back, on the day on which the proposal was put in force; the case is open again."""
    with transaction():
        return timetable_views.change_set(changes.undo(_proposal(_case(uid), proposal).change_set, caller()))


@blueprint.get("/board")
@blueprint.auth_required(auth)
@blueprint.input(schemas.BoardQuery, location="query")
@blueprint.output(schemas.BoardOut)
def board(query_data: schemas.BoardQuery) -> schemas.BoardOut:
    """The substitution board of a campus and day: lessons without a teacher, and who is free."""
    scope = require(Permission.TIMETABLE_WRITE)
    campus = campus_within(scope, Permission.TIMETABLE_WRITE, query_data.campus)
    return views.board(board_of(campus, query_data.day or today(campus.zone)))


@blueprint.post("/board/lessons/<uid>/assign")
@blueprint.auth_required(auth)
@blueprint.input(schemas.AssignIn)
@blueprint.output(ChangeSetOut)
def assign_lesson(uid: str, json_data: schemas.AssignIn) -> ChangeSetOut:
    """Give a lesson of the board to somebody who is free; it can be undone the same day. 409: it was changed since the
    board was read; somebody stands in already, for instance."""
    with transaction():
        row = lesson_to_change(uid)
        made = assign(row, teacher_named(json_data.teacher), seen=json_data.sequence, actor=caller())
        return timetable_views.change_set(made)


def _case(uid: str) -> ChangeCase:
    found = cases.case_by_uid(uid)
    if found is None:
        raise NotFound()
    require(Permission.TIMETABLE_WRITE, Target(found.campus.path))
    return found


def _proposal(case: ChangeCase, uid: str) -> CaseProposal:
    found = next((row for row in case.proposals if row.change_set.uid == uid), None)
    if found is None:
        raise NotFound()
    return found
