"""Routes by which teachers say what does not suit them, below ``/api/v1``: absences, and lessons asked to move."""

from __future__ import annotations

import sqlalchemy as sa
from apiflask import APIBlueprint

from lms_bridge.api import case_schemas as schemas
from lms_bridge.api import case_views as views
from lms_bridge.api.callers import auth, caller, require
from lms_bridge.core.access import Permission
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import NotFound
from lms_bridge.roster.models import Person
from lms_bridge.roster.scope import today
from lms_bridge.timetable.cases import absences
from lms_bridge.timetable.cases.absent_lessons import zone_of
from lms_bridge.timetable.cases.cases import requests_of
from lms_bridge.timetable.cases.models import TeacherAbsence
from lms_bridge.timetable.cases.opening import ask_to_move
from lms_bridge.timetable.queries import lesson_by_uid

blueprint = APIBlueprint("api_absences", __name__, url_prefix="/api/v1", tag="Timetable cases")


@blueprint.post("/absences")
@blueprint.auth_required(auth)
@blueprint.input(schemas.AbsenceIn)
@blueprint.output(schemas.AbsenceOut, 201)
def report(json_data: schemas.AbsenceIn) -> schemas.AbsenceOut:
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
def one(uid: str) -> schemas.AbsenceOut:
    """A reported absence; its reason is private."""
    return views.absence(_absence(uid))


@blueprint.post("/absences/<uid>/withdraw")
@blueprint.auth_required(auth)
@blueprint.output(schemas.AbsenceOut)
def withdraw(uid: str) -> schemas.AbsenceOut:
    """The teacher can teach after all; open cases about it end. 409: it was withdrawn already."""
    with transaction():
        row = _absence(uid)
        absences.withdraw_absence(row, actor=caller())
        return views.absence(row)


@blueprint.get("/move-requests")
@blueprint.auth_required(auth)
@blueprint.output(schemas.MoveRequests)
def requests() -> schemas.MoveRequests:
    """The lessons to come that the caller asked to move, the newest request first."""
    require(Permission.TIMETABLE_READ)
    rows = requests_of(caller(), today(zone_of(caller())))
    return schemas.MoveRequests(requests=[views.move_request(case) for case in rows])


@blueprint.post("/move-requests")
@blueprint.auth_required(auth)
@blueprint.input(schemas.MoveRequestIn)
@blueprint.output(schemas.MoveRequestOut, 201)
def ask(json_data: schemas.MoveRequestIn) -> schemas.MoveRequestOut:
    """Ask for a lesson that the caller teaches to move, to a day and period or just elsewhere. Who writes the timetable
    decides; until then the lesson stays."""
    require(Permission.TIMETABLE_READ)
    with transaction():
        lesson = lesson_by_uid(json_data.lesson)
        if lesson is None or caller().id not in {row.person_id for row in lesson.teachers}:
            raise NotFound()
        case = ask_to_move(lesson, day=json_data.date, period=json_data.period, reason=json_data.reason, actor=caller())
        return views.move_request(case)


def _teacher(uid: str | None) -> Person:
    if uid is None or uid == caller().uid:
        require(Permission.TIMETABLE_READ)
        return caller()
    scope = require(Permission.TIMETABLE_WRITE)
    person = db.session.scalar(sa.select(Person).where(Person.uid == uid))
    if person is None or not absences.may_report_for(scope, person):
        raise NotFound()
    return person


def _absence(uid: str) -> TeacherAbsence:
    row = absences.absence_by_uid(uid)
    if row is None:
        require(Permission.TIMETABLE_READ)
        raise NotFound()
    _teacher(row.person.uid)
    return row
