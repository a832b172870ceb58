"""Routes of the online-teaching implementation plan of a class or a campus, as Word documents."""

from __future__ import annotations

import sqlalchemy as sa
from apiflask import APIBlueprint
from flask import Response

from lms_bridge.api.callers import auth, require
from lms_bridge.core.access import Permission, Target
from lms_bridge.core.database import db
from lms_bridge.core.errors import NotFound
from lms_bridge.core.i18n import get_locale
from lms_bridge.plans import lookup
from lms_bridge.plans.errors import UnknownCode
from lms_bridge.plans.export.pieces import MEDIA_TYPE
from lms_bridge.roster.models import Organisation, OrganisationKind
from lms_bridge.timetable.reports import implementation
from lms_bridge.timetable.reports.implementation_word import campus_docx, class_docx

blueprint = APIBlueprint("api_implementation", __name__, url_prefix="/api/v1/implementation-plans", tag="Many plans")

_DOCUMENT = {200: "The document (.docx), as an attachment."}


@blueprint.get("/classes/<path:code>/document")
@blueprint.auth_required(auth)
@blueprint.doc(responses=_DOCUMENT)
def of_class(code: str) -> Response:
    """The plan of a class by its code (`CAMPUS/CODE` where several campuses have it)."""
    try:
        group = lookup.class_by_code(code)
    except UnknownCode as error:
        raise NotFound() from error
    require(Permission.PLAN_READ, Target(group.campus.path, frozenset({group.id})))
    return _download(class_docx(implementation.of_class(group), get_locale()), f"class-{group.code}")


@blueprint.get("/campuses/<code>/document")
@blueprint.auth_required(auth)
@blueprint.doc(responses=_DOCUMENT)
def of_campus(code: str) -> Response:
    """The plan of a whole campus by its code."""
    campus = db.session.scalar(sa.select(Organisation).filter_by(code=code, kind=OrganisationKind.CAMPUS))
    if campus is None:
        raise NotFound()
    require(Permission.PLAN_READ, Target(campus.path))
    return _download(campus_docx(implementation.of_campus(campus), get_locale()), f"campus-{campus.code}")


def _download(content: bytes, name: str) -> Response:
    answer = Response(content, mimetype=MEDIA_TYPE)
    answer.headers.set("Content-Disposition", "attachment", filename=f"online-teaching-{name}.docx")
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
