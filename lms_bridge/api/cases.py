"""Routes of what upsets a timetable, below ``/api/v1``: absences, cases and their proposals, the substitution board."""

from __future__ import annotations

import sqlalchemy as sa
from apiflask import APIBlueprint

from lms_bridge.api import case_schemas as schemas
from lms_bridge.api import case_views as views
from lms_bridge.api import timetable_views
from lms_bridge.api.callers import auth, caller, require
from lms_bridge.api.timetable import campus_within
from lms_bridge.api.timetable_schemas import ChangeSetOut
from lms_bridge.core.access import Permission, Target
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import InputError, NotFound
from lms_bridge.core.i18n import N_
from lms_bridge.roster.models import Person
from lms_bridge.roster.scope import today
from lms_bridge.timetable.cases import absences, cases
from lms_bridge.timetable.cases.board import assign, board_of
from lms_bridge.timetable.cases.models import CaseProposal, CaseState, ChangeCase, TeacherAbsence
from lms_bridge.timetable.changing import changes
from lms_bridge.timetable.models import Lesson
from lms_bridge.timetable.queries import WITH_PARTS

blueprint = APIBlueprint("api_cases", __name__, url_prefix="/api/v1", tag="Timetable cases")


@blueprint.post("/absences")
@blueprint.auth_required(auth)
@blueprint.input(schemas.AbsenceIn)
@blueprint.output(schemas.AbsenceOut, 201)
def absence_report(json_data: schemas.AbsenceIn) -> schemas.AbsenceOut:
    """Report that a teacher cannot teach: oneself, or a teacher of a campus whose timetable one writes. At each campus
    whose lessons are hit a case waits to be decided; no lesson changes yet."""
    with transaction():
        teacher = _teacher(json_data.teacher)
        made = absences.report_absence(
            teacher,
            json_data.first_day,
            json_data.last_day or json_data.first_day,
            periods=json_data.periods,
            reason=json_data.reason,
            actor=caller(),
        )
        return views.absence(made)


@blueprint.get("/absences/<uid>")
@blueprint.auth_required(auth)
@blueprint.output(schemas.AbsenceOut)
def absence_one(uid: str) -> schemas.AbsenceOut:
    """A reported absence; its reason is private."""
    return views.absence(_absence(uid))


@blueprint.post("/absences/<uid>/withdraw")
@blueprint.auth_required(auth)
@blueprint.output(schemas.AbsenceOut)
def absence_withdraw(uid: str) -> schemas.AbsenceOut:
    """The teacher can teach after all; open cases about it end. 409: it was withdrawn already."""
    with transaction():
        row = _absence(uid)
        absences.withdraw_absence(row, actor=caller())
        return views.absence(row)


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
    with transaction():
        case = _case(uid)
        cases.compute_again(case, actor=caller())
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
    """Give a lesson of the board to somebody who is free; it can be undone the same day."""
    with transaction():
        row = db.session.scalar(
            sa.select(Lesson).where(Lesson.uid == uid).options(*WITH_PARTS).execution_options(populate_existing=True)
        )
        if row is None:
            raise NotFound()
        require(Permission.TIMETABLE_WRITE, Target(row.campus.path))
        return timetable_views.change_set(assign(row, _known(json_data.teacher), actor=caller()))


def _known(uid: str) -> Person:
    person = db.session.scalar(sa.select(Person).where(Person.uid == uid))
    if person is None:
        raise InputError(N_("There is no such teacher."), remedy=N_("Name the uid of a teacher."))
    return person


def _teacher(uid: str | None) -> Person:
    if uid is None or uid == caller().uid:
        require(Permission.TIMETABLE_READ)
        return caller()
    scope = require(Permission.TIMETABLE_WRITE)
    person = db.session.scalar(sa.select(Person).where(Person.uid == uid))
    reach = absences.campuses_of(person) if person is not None else []
    if person is None or not any(scope.allows(Permission.TIMETABLE_WRITE, Target(c.path)) for c in reach):
        raise NotFound()
    return person


def _absence(uid: str) -> TeacherAbsence:
    row = absences.absence_by_uid(uid)
    if row is None:
        require(Permission.TIMETABLE_READ)
        raise NotFound()
    _teacher(row.person.uid)
    return row


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
