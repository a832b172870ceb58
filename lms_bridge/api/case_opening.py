"""Routes by which those who write a timetable say what happened to a campus, below ``/api/v1/cases``: each opens a
case, whose proposals are then worked out. Absences and wishes of teachers have routes of their own; a plan that was
changed opens its case when it is approved."""

from __future__ import annotations

from collections.abc import Callable

from apiflask import APIBlueprint

from lms_bridge.api import case_schemas as schemas
from lms_bridge.api import case_views as views
from lms_bridge.api.callers import auth, caller
from lms_bridge.api.named import campus_to_plan, class_of
from lms_bridge.core.database import transaction
from lms_bridge.roster.models import ClassGroup, Organisation
from lms_bridge.timetable.cases import opening
from lms_bridge.timetable.cases.models import ChangeCase

blueprint = APIBlueprint("api_case_opening", __name__, url_prefix="/api/v1/cases", tag="Timetable cases")


@blueprint.post("/online")
@blueprint.auth_required(auth)
@blueprint.input(schemas.OnlineIn)
@blueprint.output(schemas.CaseOut, 201)
def online(json_data: schemas.OnlineIn) -> schemas.CaseOut:
    """A campus, or one class of it, is taught online on some days, or until further notice."""
    said = json_data

    def happened(campus: Organisation) -> ChangeCase:
        return opening.go_online(
            campus, said.first_day, said.last_day, group=_group(campus, said.class_), reason=said.reason, actor=caller()
        )

    return _opened(said.campus, happened)


@blueprint.post("/back")
@blueprint.auth_required(auth)
@blueprint.input(schemas.BackIn)
@blueprint.output(schemas.CaseOut, 201)
def back(json_data: schemas.BackIn) -> schemas.CaseOut:
    """A campus, or one class of it, is at school again from a day on."""
    said = json_data

    def happened(campus: Organisation) -> ChangeCase:
        return opening.come_back(
            campus, said.first_day, group=_group(campus, said.class_), reason=said.reason, actor=caller()
        )

    return _opened(said.campus, happened)


@blueprint.post("/rooms-lost")
@blueprint.auth_required(auth)
@blueprint.input(schemas.RoomsLostIn)
@blueprint.output(schemas.CaseOut, 201)
def rooms_lost(json_data: schemas.RoomsLostIn) -> schemas.CaseOut:
    """The provider is lost, or licences are fewer: so many online lessons can still run at once on some days."""
    said = json_data

    def happened(campus: Organisation) -> ChangeCase:
        last = said.last_day or said.first_day
        return opening.lose_rooms(campus, said.first_day, last, said.rooms, reason=said.reason, actor=caller())

    return _opened(said.campus, happened)


@blueprint.post("/day-lost")
@blueprint.auth_required(auth)
@blueprint.input(schemas.DayLostIn)
@blueprint.output(schemas.CaseOut, 201)
def day_lost(json_data: schemas.DayLostIn) -> schemas.CaseOut:
    """No school is held on a day."""
    said = json_data
    return _opened(said.campus, lambda campus: opening.lose_day(campus, said.day, reason=said.reason, actor=caller()))


def _opened(code: str, happened: Callable[[Organisation], ChangeCase]) -> schemas.CaseOut:
    with transaction():
        return views.case(happened(campus_to_plan(code)))


def _group(campus: Organisation, code: str | None) -> ClassGroup | None:
    return class_of(campus, code) if code is not None else None
