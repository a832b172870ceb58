"""Documents of a plan to download, in the reader's language: the plan as Word and as Excel, and its review sheet."""

from __future__ import annotations

import io
from collections.abc import Callable

from apiflask import APIBlueprint
from flask import Response, request, send_file

from lms_bridge.core.access import Permission
from lms_bridge.core.i18n import get_locale, gettext
from lms_bridge.plans import lookup
from lms_bridge.plans.export import pieces, plan_excel, plan_word, review_sheet
from lms_bridge.plans.export.clean import file_name
from lms_bridge.plans.models import PlanVersion
from lms_bridge.web.session import require, signed_in_required

blueprint = APIBlueprint("documents", __name__, enable_openapi=False)

Writer = Callable[[PlanVersion, str], bytes]


def download(content: bytes, name: str, media_type: str) -> Response:
    """A document that was just made, always saved and never shown by the browser."""
    answer = send_file(io.BytesIO(content), as_attachment=True, download_name=name, mimetype=media_type)
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def _version(uid: str) -> PlanVersion:
    """The version that ``?version=`` names, otherwise the newest, of a plan that this person may read."""
    plan = lookup.plan_by_uid(uid)
    require(Permission.PLAN_READ, lookup.plan_access(plan).read)
    wanted = request.args.get("version", type=int)
    return next((version for version in plan.versions if version.number == wanted), plan.versions[-1])


def _document(uid: str, write: Writer, suffix: str, media_type: str, what: str = "") -> Response:
    version = _version(uid)
    number = gettext("version %(n)s", n=version.number)
    name = file_name(version.plan.title, what, number, suffix=suffix)
    return download(write(version, get_locale()), name, media_type)


@blueprint.get("/<uid>/plan.docx")
@signed_in_required
def word(uid: str) -> Response:
    """The plan as a Word document."""
    return _document(uid, plan_word.plan_docx, "docx", pieces.MEDIA_TYPE)


@blueprint.get("/<uid>/plan.xlsx")
@signed_in_required
def excel(uid: str) -> Response:
    """The plan as an Excel workbook."""
    return _document(uid, plan_excel.plan_xlsx, "xlsx", plan_excel.MEDIA_TYPE)


@blueprint.get("/<uid>/review-sheet.docx")
@signed_in_required
def sheet(uid: str) -> Response:
    """The review sheet: findings, answers, steps and comments."""
    return _document(uid, review_sheet.review_sheet_docx, "docx", pieces.MEDIA_TYPE, gettext("Review sheet"))
