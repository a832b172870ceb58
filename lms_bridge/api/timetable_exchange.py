"""Routes of timetables that come in and go out, below ``/api/v1``: hand over, look, publish; a week as a file."""

from __future__ import annotations

from typing import Any, BinaryIO, cast

import sqlalchemy as sa
from apiflask import APIBlueprint
from flask import Response
from werkzeug.datastructures import FileStorage

from lms_bridge.api import timetable_exchange_schemas as schemas
from lms_bridge.api.callers import auth, caller, require
from lms_bridge.api.named import campus_within
from lms_bridge.core.access import Permission, Role, Target
from lms_bridge.core.application import current_settings
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import InputError, NotFound
from lms_bridge.core.i18n import N_
from lms_bridge.core.models import StoredFile
from lms_bridge.plans.errors import UnknownCode
from lms_bridge.plans.lookup import class_by_code
from lms_bridge.roster.models import Organisation, Person
from lms_bridge.timetable.exchange.export import MEDIA_TYPES, written_week
from lms_bridge.timetable.exchange.fet_inputs import Taken
from lms_bridge.timetable.exchange.importer import TimetableImport
from lms_bridge.timetable.exchange.uploads import Handed, keep, kept
from lms_bridge.timetable.reach import campuses_of, sees_week_of

blueprint = APIBlueprint("api_timetable_exchange", __name__, url_prefix="/api/v1", tag="Timetables in and out")


@blueprint.post("/timetable-imports")
@blueprint.auth_required(auth)
@blueprint.input(schemas.UploadForm, location="form_and_files")
@blueprint.output(schemas.Report, status_code=201)
def hand_over(form_and_files_data: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Keep a timetable for a day and say what it would change; nothing is published. 422: everything that is wrong
    with it, and nothing is kept."""
    said = form_and_files_data
    campus = campus_within(require(Permission.TIMETABLE_WRITE), Permission.TIMETABLE_WRITE, said["campus"])
    with transaction():
        solution = _keep(said["solution"], campus) if said["solution"] else None
        handed = Handed(_keep(said["file"], campus), campus, said["first"], said["last"], solution)
        found = _report(handed, handed.look(caller()))
    return found, 201


@blueprint.get("/timetable-imports/<file>")
@blueprint.auth_required(auth)
@blueprint.input(schemas.ReportQuery, location="query")
@blueprint.output(schemas.LookedAt)
def look(file: str, query_data: dict[str, Any]) -> dict[str, Any]:
    """What a kept file would change now."""
    handed = _handed(file, query_data)
    return _report(handed, handed.look(caller()))


@blueprint.post("/timetable-imports/<file>/publish")
@blueprint.auth_required(auth)
@blueprint.input(schemas.PublishForm)
@blueprint.output(schemas.Published)
def publish(file: str, json_data: dict[str, Any]) -> dict[str, Any]:
    """Publish a kept file as it was looked at, and tell everybody concerned. 409: a week was changed since; `errors`
    says by whom and what, and nothing is done."""
    with transaction():
        handed = _handed(file, json_data)
        result = handed.publish(caller(), json_data["seen"], [Taken(kind) for kind in json_data["take"]])
        return result.as_dict() | {"file": None, "publish": None}


@blueprint.get("/timetable-weeks/<week>/document")
@blueprint.auth_required(auth)
@blueprint.input(schemas.DocumentQuery, location="query")
@blueprint.doc(responses={200: "The week as a file, as an attachment."})
def document(week: str, query_data: dict[str, Any]) -> Response:
    """A week of a campus, a class or a teacher as CSV, Excel, iCalendar or FET file."""
    named = [query_data[name] for name in ("campus", "class_", "teacher")]
    if sum(name is not None for name in named) != 1:
        raise InputError(
            N_("Name one of class, teacher and campus."), remedy=N_("Whose lessons are wanted? Name exactly one.")
        )
    form = query_data["format"]
    content = _written(week, form, *named)
    answer = Response(content, mimetype=MEDIA_TYPES[form])
    answer.headers.set("Content-Disposition", "attachment", filename=f"timetable-{week}.{form}")
    return answer


def _written(week: str, form: str, campus: str | None, class_: str | None, teacher: str | None) -> bytes:
    scope = require(Permission.TIMETABLE_READ)
    if class_ is not None:
        try:
            group = class_by_code(class_)
        except UnknownCode:
            raise NotFound() from None
        scope.require(Permission.TIMETABLE_READ, Target(group.campus.path, frozenset({group.id})))
        return written_week(group.campus, week, form, group=group)
    if teacher is not None:
        person = db.session.scalar(sa.select(Person).where(Person.uid == teacher))
        campuses = campuses_of(person, Role.TEACHER) if person is not None else []
        if person is None or not campuses or not sees_week_of(scope, person, campuses):
            raise NotFound()
        return written_week(campuses[0], week, form, teacher=person)
    return written_week(campus_within(scope, Permission.TIMETABLE_READ, campus or ""), week, form)


def _keep(upload: FileStorage, campus: Organisation) -> StoredFile:
    return keep(
        cast("BinaryIO", upload.stream), upload.filename or "timetable", campus, caller(),
        max_bytes=current_settings().max_upload_bytes,
    )  # fmt: skip


def _handed(file: str, said: dict[str, Any]) -> Handed:
    campus = campus_within(require(Permission.TIMETABLE_WRITE), Permission.TIMETABLE_WRITE, said["campus"])
    solution = kept(said["solution"], caller()) if said["solution"] else None
    return Handed(kept(file, caller()), campus, said["first"], said["last"], solution)


def _report(handed: Handed, result: TimetableImport) -> dict[str, Any]:
    return result.as_dict() | {
        "file": handed.file.uid,
        "publish": {
            "campus": handed.campus.code,
            "first": handed.first,
            "last": handed.last or None,
            "solution": handed.solution.uid if handed.solution is not None else None,
            "seen": result.seen,
            "take": [kind.value for kind in result.rules],
        },
    }
