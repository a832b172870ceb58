"""Saying what happened: the forms that open a case."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from apiflask import APIBlueprint
from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lms_bridge.core.access import Permission, Role
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BadInputs, BridgeError, NotFound
from lms_bridge.core.i18n import N_, get_locale, gettext
from lms_bridge.roster.classes import classes_of
from lms_bridge.roster.models import ClassGroup, Organisation, Person, RoleAssignment
from lms_bridge.roster.scope import today, valid
from lms_bridge.timetable.cases import opening
from lms_bridge.timetable.cases.absences import report_absence
from lms_bridge.timetable.cases.models import ChangeCase
from lms_bridge.timetable.changing.lesson_changes import LessonProblem
from lms_bridge.web.campuses import campuses_within
from lms_bridge.web.day_forms import errors_by_field, periods_of, typed_day, typed_days
from lms_bridge.web.session import current_person, require, signed_in_required

blueprint = APIBlueprint("new", __name__, url_prefix="/new", enable_openapi=False)

KINDS = {
    "absence": N_("A teacher is absent"),
    "online": N_("Teaching goes online"),
    "back": N_("Back at school"),
    "rooms": N_("Online rooms are missing"),
    "day": N_("A day is lost"),
}


@blueprint.get("")
@signed_in_required
def form() -> str:
    """What happened: one form for each kind."""
    return _page(_campus(request.args.get("campus")), request.args.get("kind", "absence"))


@blueprint.post("")
@signed_in_required
def save() -> Response | tuple[str, int]:
    """Open the case and show it; what is wrong stands beside its field, and what was typed stays."""
    campus = _campus(request.form.get("campus"))
    kind = request.form.get("kind", "")
    if kind not in KINDS:
        raise NotFound()
    try:
        with transaction():
            case = _OPENERS[kind](campus, current_person())
    except BadInputs as refusal:
        return _page(campus, kind, refusal.problems), refusal.status
    if case is None:
        flash(gettext("The absence is noted. It hits no lesson that is timetabled yet."), "good")
        return redirect(url_for("timetable.cases.overview"))
    return redirect(url_for("timetable.cases.show", uid=case.uid))


def _absence(campus: Organisation, actor: Person) -> ChangeCase | None:
    first, last = typed_days()
    teacher = db.session.scalar(
        sa.select(Person)
        .join(RoleAssignment, RoleAssignment.person_id == Person.id)
        .where(
            Person.uid == request.form.get("teacher", ""),
            RoleAssignment.organisation_id == campus.id,
            RoleAssignment.role == Role.TEACHER,
            valid(RoleAssignment, today(campus.zone)),
        )
    )
    if teacher is None:
        raise BadInputs(
            [LessonProblem(N_("No teacher was chosen."), field="teacher", remedy=N_("Choose one from the list."))]
        )
    periods = request.form.getlist("periods", type=int)
    absence = report_absence(teacher, first, last, periods=periods, reason=_text("private"), actor=actor)
    return db.session.scalar(
        sa.select(ChangeCase).where(ChangeCase.absence_id == absence.id).order_by(ChangeCase.campus_id != campus.id)
    )


def _online(campus: Organisation, actor: Person) -> ChangeCase:
    first = typed_day("first")
    last = typed_day("last") if request.form.get("last") else None
    return opening.go_online(campus, first, last, group=_group(campus), reason=_text("reason"), actor=actor)


def _back(campus: Organisation, actor: Person) -> ChangeCase:
    return opening.come_back(campus, typed_day("first"), group=_group(campus), reason=_text("reason"), actor=actor)


def _rooms(campus: Organisation, actor: Person) -> ChangeCase:
    first, last = typed_days()
    rooms = request.form.get("rooms", -1, type=int)
    return opening.lose_rooms(campus, first, last, rooms, reason=_text("reason"), actor=actor)


def _lost(campus: Organisation, actor: Person) -> ChangeCase:
    return opening.lose_day(campus, typed_day("first"), reason=_text("reason"), actor=actor)


_OPENERS: dict[str, Callable[[Organisation, Person], ChangeCase | None]] = {
    "absence": _absence,
    "online": _online,
    "back": _back,
    "rooms": _rooms,
    "day": _lost,
}


def _campus(code: str | None) -> Organisation:
    found = campuses_within(require(Permission.TIMETABLE_WRITE), Permission.TIMETABLE_WRITE)
    campus = next((c for c in found if c.code == code), None) if code else next(iter(found), None)
    if campus is None:
        raise NotFound()
    return campus


def _group(campus: Organisation) -> ClassGroup | None:
    uid = request.form.get("class", "")
    if not uid:
        return None
    group = db.session.scalar(sa.select(ClassGroup).where(ClassGroup.uid == uid, ClassGroup.campus_id == campus.id))
    if group is None:
        raise NotFound()
    return group


def _text(name: str) -> str:
    return request.form.get(name, "").strip()


def _page(campus: Organisation, kind: str, problems: list[BridgeError] | None = None) -> str:
    kind = kind if kind in KINDS else "absence"
    day = today(campus.zone)
    campuses = campuses_within(require(Permission.TIMETABLE_WRITE), Permission.TIMETABLE_WRITE)
    return render_template(
        "timetable/case_new.html",
        campus=campus,
        campuses=[(c.code, c.label(get_locale())) for c in campuses],
        kind=kind,
        tabs=[
            {
                "label": gettext(name),
                "url": url_for(".form", kind=key, campus=campus.code),
                "current": key == kind,
            }
            for key, name in KINDS.items()
        ],
        teachers=_teachers(campus) if kind == "absence" else [],
        classes=_classes(campus) if kind in ("online", "back") else [],
        periods=periods_of([campus]),
        day=day.isoformat(),
        typed=request.form,
        chosen=request.form.getlist("periods"),
        errors=errors_by_field(problems or []),
    )


def _teachers(campus: Organisation) -> list[tuple[str, Any]]:
    rows = db.session.scalars(
        sa.select(Person)
        .join(RoleAssignment, RoleAssignment.person_id == Person.id)
        .where(
            RoleAssignment.organisation_id == campus.id,
            RoleAssignment.role == Role.TEACHER,
            valid(RoleAssignment, today(campus.zone)),
        )
    )
    return sorted({(p.uid, p.display_name) for p in rows}, key=lambda pair: pair[1])


def _classes(campus: Organisation) -> list[tuple[str, str]]:
    return [(group.uid, group.title) for group in classes_of(campus)]
