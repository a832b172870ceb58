"""The online-teaching implementation plan of a class or a campus, to download."""

from __future__ import annotations

import sqlalchemy as sa
from apiflask import APIBlueprint
from flask import Response, url_for

from lms_bridge.core.access import Permission, Scope, Target
from lms_bridge.core.database import db
from lms_bridge.core.errors import NotFound
from lms_bridge.core.i18n import get_locale, gettext
from lms_bridge.plans.export.clean import file_name
from lms_bridge.plans.export.pieces import MEDIA_TYPE
from lms_bridge.roster.models import ClassGroup, Organisation
from lms_bridge.timetable.reports import implementation
from lms_bridge.timetable.reports.implementation_word import campus_docx, class_docx
from lms_bridge.web.plan_documents import download
from lms_bridge.web.session import require, signed_in_required

blueprint = APIBlueprint("documents", __name__, enable_openapi=False)


def url_of_class(scope: Scope, group: ClassGroup | None) -> str | None:
    """Where a class's plan is, for those who may have it."""
    if group is None or not scope.allows(Permission.PLAN_READ, _of_class(group)):
        return None
    return url_for("timetable.documents.of_class", number=group.id)


def url_of_campus(scope: Scope, campus: Organisation) -> str | None:
    """Where a campus's plan is, for those who may have it."""
    if not scope.allows(Permission.PLAN_READ, Target(campus.path)):
        return None
    return url_for("timetable.documents.of_campus", code=campus.code)


def _of_class(group: ClassGroup) -> Target:
    return Target(group.campus.path, frozenset({group.id}))


@blueprint.get("/class/<int:number>/online-teaching.docx")
@signed_in_required
def of_class(number: int) -> Response:
    """The plan of a class, for those who see its teaching plans."""
    group = db.session.get(ClassGroup, number)
    if group is None:
        raise NotFound()
    require(Permission.PLAN_READ, _of_class(group))
    content = class_docx(implementation.of_class(group), get_locale())
    return download(content, file_name(gettext("Online teaching plan"), group.title, suffix="docx"), MEDIA_TYPE)


@blueprint.get("/campus/<code>/online-teaching.docx")
@signed_in_required
def of_campus(code: str) -> Response:
    """The plan of a whole campus, for those who see all its plans."""
    campus = db.session.scalar(sa.select(Organisation).where(Organisation.code == code))
    if campus is None:
        raise NotFound()
    require(Permission.PLAN_READ, Target(campus.path))
    content = campus_docx(implementation.of_campus(campus), get_locale())
    name = file_name(gettext("Online teaching plan"), campus.label(get_locale()), suffix="docx")
    return download(content, name, MEDIA_TYPE)
