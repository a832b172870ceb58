"""Pages of the researchers' overview: heat map of campuses, subjects and grades, down to one unit of the benchmark."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import Response, render_template, request, url_for

from lms_bridge.core.errors import NotFound
from lms_bridge.core.i18n import get_locale, gettext
from lms_bridge.plans import overview, overview_units
from lms_bridge.plans.export.clean import file_name
from lms_bridge.plans.export.overview_excel import overview_xlsx
from lms_bridge.plans.export.plan_excel import MEDIA_TYPE
from lms_bridge.plans.overview import Filter, Overview
from lms_bridge.web.session import current_scope, signed_in_required

blueprint = APIBlueprint("research", __name__, enable_openapi=False)


def may_oversee() -> bool:
    """Whether the overview has anything for the person who looks."""
    return bool(overview.reach(current_scope()))


def _wanted() -> Filter:
    asked = request.args
    return Filter(asked.get("campus") or None, asked.get("subject") or None, asked.get("grade") or None)


def _found(wanted: Filter) -> Overview:
    if not may_oversee():
        raise NotFound()
    return overview.overview(current_scope(), wanted)


def _query(wanted: Filter) -> dict[str, str]:
    values = {"campus": wanted.campus, "subject": wanted.subject, "grade": wanted.grade}
    return {name: value for name, value in values.items() if value}


def level(cell: overview.Cell) -> str:
    """How a cell is coloured, by its worst: something is missing, waits, departs much, or all is approved."""
    if cell.missing or cell.late:
        return "bad"
    if cell.approved == len(cell.pairs):
        return "good" if cell.coverage is None or cell.coverage >= 0.9 else "warn"
    return "info" if cell.coverage is None or cell.coverage >= 0.9 else "warn"


@blueprint.get("/overview")
@signed_in_required
def page() -> str:
    """The heat map with its filters, who is late, and what departs most often."""
    wanted = _wanted()
    found = _found(wanted)
    everything = found if not _query(wanted) else _found(Filter())
    locale = get_locale()
    return render_template(
        "plans/research.html",
        found=found,
        whole=found.whole,
        level=level,
        chosen=_query(wanted),
        campuses=[(row.code, row.label(locale)) for row in everything.campuses],
        subjects=[(row.code, row.label(locale)) for row in everything.subjects],
        grades=[(grade, grade) for grade in everything.grades],
        export_url=url_for("plans.research.export", campus=wanted.campus, subject=wanted.subject, grade=wanted.grade),
    )


@blueprint.get("/overview.xlsx")
@signed_in_required
def export() -> Response:
    """The same as a workbook."""
    found = _found(_wanted())
    answer = Response(overview_xlsx(found), mimetype=MEDIA_TYPE)
    name = file_name(gettext("Overview"), gettext("Teaching plans"), suffix="xlsx")
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer


@blueprint.get("/overview/plans")
@signed_in_required
def plans() -> str:
    """The pairs of a cell (or of a whole row or column), each with its plan."""
    wanted = _wanted()
    found = _found(wanted)
    return render_template(
        "plans/research_plans.html", pairs=found.whole.pairs, units=found.units, heading=_heading(found, wanted),
        chosen=_query(wanted),
    )  # fmt: skip


@blueprint.get("/overview/unit/<key>")
@signed_in_required
def unit(key: str) -> str:
    """How each class deals with one unit of the benchmark."""
    wanted = _wanted()
    found = _found(wanted)
    title = overview_units.unit_title(key)
    if title is None or not found.whole.pairs:
        raise NotFound()
    rows = overview_units.treatments(found.whole.pairs, key)
    return render_template(
        "plans/research_unit.html", title=title, rows=rows, heading=_heading(found, wanted), chosen=_query(wanted)
    )


def _heading(found: Overview, wanted: Filter) -> str:
    locale = get_locale()
    parts: list[Any] = []
    if wanted.campus and found.campuses:
        parts.append(found.campuses[0].label(locale))
    if wanted.subject and found.subjects:
        parts.append(found.subjects[0].label(locale))
    if wanted.grade:
        parts.append(gettext("grade %(grade)s", grade=wanted.grade))
    return " · ".join(parts) or gettext("All campuses")
