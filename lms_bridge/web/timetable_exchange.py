"""A timetable that a school has already: handed over, looked at, then published; and weeks to download."""

from __future__ import annotations

from typing import Any, BinaryIO, cast

import sqlalchemy as sa
from apiflask import APIBlueprint
from flask import Response, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response as BaseResponse

from lms_bridge.calendar.days import iso_week, shift_week
from lms_bridge.core.access import Permission, Role, Target
from lms_bridge.core.application import current_settings
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BadInputs, BridgeError, InputError, NotFound
from lms_bridge.core.i18n import N_, get_locale, gettext
from lms_bridge.core.models import StoredFile
from lms_bridge.plans.export.clean import file_name
from lms_bridge.roster.models import ClassGroup, Organisation, Person, RoleAssignment
from lms_bridge.roster.scope import today, valid
from lms_bridge.timetable.changing.week_versions import Overtaken
from lms_bridge.timetable.exchange.export import MEDIA_TYPES, written_week
from lms_bridge.timetable.exchange.fet_inputs import Taken
from lms_bridge.timetable.exchange.importer import COUNTED, TimetableImport
from lms_bridge.timetable.exchange.taking import FATE_WORDS, TAKEN_WORDS, ConstraintCount
from lms_bridge.timetable.exchange.uploads import Handed, keep, kept
from lms_bridge.web.campuses import campuses_within
from lms_bridge.web.case_words import meanwhile_words
from lms_bridge.web.plan_documents import download
from lms_bridge.web.session import current_person, current_scope, require, signed_in_required
from lms_bridge.web.timetable_changes import CAUSE_NAMES, KIND_BADGES, KIND_NAMES
from lms_bridge.web.timetable_solving import weeks_to_come

blueprint = APIBlueprint("exchange", __name__, enable_openapi=False)


@blueprint.get("/import")
@signed_in_required
def form() -> str:
    """Which campus, which weeks, which file."""
    require(Permission.TIMETABLE_WRITE)
    return _form(None)


@blueprint.post("/import")
@signed_in_required
def hand_over() -> BaseResponse | tuple[str, int]:
    """Keep the file for a day and show what it would change; a file that cannot be imported is refused at once."""
    require(Permission.TIMETABLE_WRITE)
    try:
        campus = _campus(request.form.get("campus", ""))
        with transaction():
            stored = _keep("file", campus)
            solution = _keep("solution", campus) if request.files.get("solution") else None
            handed = Handed(stored, campus, request.form.get("first", ""), request.form.get("last"), solution)
            handed.look(current_person())
    except BridgeError as error:
        if error.status == 404:
            raise
        return _form(error), error.status
    wanted: dict[str, Any] = {"campus": campus.code, "first": handed.first, "last": handed.last or ""}
    if solution is not None:
        wanted["solution"] = solution.uid
    return redirect(url_for("timetable.exchange.look", file=stored.uid, **wanted))


@blueprint.get("/import/<file>")
@signed_in_required
def look(file: str) -> str | tuple[str, int]:
    """What the file would change, before anything is stored."""
    return _look(file)


@blueprint.post("/import/<file>")
@signed_in_required
def publish(file: str) -> BaseResponse | str | tuple[str, int]:
    """Publish it, as it was looked at: not over what somebody changed since."""
    try:
        with transaction():
            take = [kind for kind in Taken if request.form.get(f"take_{kind.value}")]
            result = _handed(file).publish(current_person(), _seen(), take)
            uid = result.change_set.uid if result.change_set is not None else None
    except BridgeError as error:
        if error.status == 404:
            raise
        return _look(file, error)
    told = uid is not None or result.rules
    flash(gettext("The timetable was imported.") if told else gettext("Nothing had to be changed."), "good")
    if uid is None:
        return redirect(url_for("timetable.week"))
    return redirect(url_for("timetable.changes.change_set", uid=uid))


@blueprint.get("/export/<code>/<week>.<form>")
@signed_in_required
def export(code: str, week: str, form: str) -> Response:
    """A week of a campus, or of one class or teacher (``?class=``, ``?teacher=``), as a file."""
    if form not in MEDIA_TYPES:
        raise NotFound()
    campus = db.session.scalar(sa.select(Organisation).where(Organisation.code == code))
    if campus is None:
        raise NotFound()
    group, teacher = _class(campus), _teacher(campus)
    if group is not None:
        require(Permission.TIMETABLE_READ, Target(campus.path, frozenset({group.id})))
    elif teacher is not None:
        require(Permission.TIMETABLE_READ, Target(campus.path, frozenset(), frozenset({teacher.id})))
    else:
        require(Permission.TIMETABLE_READ, Target(campus.path))
    content = written_week(campus, week, form, group=group, teacher=teacher)
    whose = group.title if group is not None else teacher.display_name if teacher is not None else None
    name = file_name(gettext("Timetable"), whose or campus.label(get_locale()), week, suffix=form)
    return download(content, name, MEDIA_TYPES[form])


def _form(error: BridgeError | None) -> str:
    campuses = campuses_within(current_scope(), Permission.TIMETABLE_WRITE)
    if not campuses:
        raise NotFound()
    chosen = next((c for c in campuses if c.code == request.values.get("campus")), campuses[0])
    return render_template(
        "timetable/import.html",
        campuses=[(c.code, c.label(get_locale())) for c in campuses],
        campus=chosen,
        weeks=list(weeks_to_come(chosen)),
        first=request.values.get("first") or shift_week(iso_week(today(chosen.zone)), 1),
        last=request.values.get("last", ""),
        problems=error.problems if isinstance(error, BadInputs) else [error] if error is not None else [],
        max_bytes=current_settings().max_upload_bytes,
    )


def _look(file: str, error: BridgeError | None = None) -> str | tuple[str, int]:
    handed = _handed(file)
    result: TimetableImport | None = None
    problems: list[BridgeError] = []
    between: list[dict[str, Any]] = []
    if isinstance(error, Overtaken):
        between = [meanwhile_words(row) for row in error.change_sets]
    elif error is not None:
        problems = error.problems if isinstance(error, BadInputs) else [error]
    if not problems:
        try:
            result = handed.look(current_person())
        except BridgeError as refusal:
            error = refusal
            problems = refusal.problems if isinstance(refusal, BadInputs) else [refusal]
    page = render_template(
        "timetable/import_look.html",
        file=handed.file,
        campus=handed.campus,
        wanted=_wanted(),
        result=result,
        counts=[(gettext(COUNTED[kind]), n) for kind, n in result.counts.items() if n] if result else [],
        take=[(kind.value, gettext(TAKEN_WORDS[kind]), texts) for kind, texts in result.rules.items()]
        if result
        else [],
        constraints=[_constraint(line) for line in result.constraints] if result else [],
        between=between,
        cause_names={cause: gettext(name) for cause, name in CAUSE_NAMES.items()},
        kind_names={kind: gettext(name) for kind, name in KIND_NAMES.items()},
        kind_badges=KIND_BADGES,
        problems=problems,
    )
    return page if error is None else (page, error.status)


def _constraint(line: ConstraintCount) -> dict[str, Any]:
    return {
        "kind": line.kind, "hard": line.hard or "–", "soft": line.soft or "–", "fate": gettext(FATE_WORDS[line.fate]),
    }  # fmt: skip


def _handed(file: str) -> Handed:
    """The file of the address with what the page says about it."""
    person, solution = current_person(), request.values.get("solution")
    return Handed(
        kept(file, person), _campus(request.values.get("campus", "")), request.values.get("first", ""),
        request.values.get("last"), kept(solution, person) if solution else None,
    )  # fmt: skip


def _seen() -> dict[str, int]:
    """The versions of the weeks that the page showed; a page without them has seen none."""
    return {
        name.removeprefix("seen_"): int(value)
        for name, value in request.form.items()
        if name.startswith("seen_") and value.isdigit()
    }


def _wanted() -> dict[str, Any]:
    return {name: request.values.get(name, "") for name in ("campus", "first", "last", "solution")}


def _campus(code: str) -> Organisation:
    """The campus, if the person writes its timetable."""
    campuses = campuses_within(require(Permission.TIMETABLE_WRITE), Permission.TIMETABLE_WRITE)
    found = next((campus for campus in campuses if campus.code == code), None)
    if found is None:
        raise NotFound()
    return found


def _keep(field: str, campus: Organisation) -> StoredFile:
    upload = request.files.get(field)
    if upload is None or not upload.filename:
        raise InputError(N_("No file was chosen."), remedy=N_("Choose the document and press the button again."))
    return keep(
        cast("BinaryIO", upload.stream), upload.filename, campus, current_person(),
        max_bytes=current_settings().max_upload_bytes,
    )  # fmt: skip


def _class(campus: Organisation) -> ClassGroup | None:
    if "class" not in request.args:
        return None
    found = db.session.scalar(
        sa.select(ClassGroup)
        .where(ClassGroup.uid == request.args["class"], ClassGroup.campus_id == campus.id)
        .options(joinedload(ClassGroup.campus))
    )
    if found is None:
        raise NotFound()
    return found


def _teacher(campus: Organisation) -> Person | None:
    if "teacher" not in request.args:
        return None
    found = db.session.scalar(
        sa.select(Person)
        .join(RoleAssignment, RoleAssignment.person_id == Person.id)
        .where(
            Person.uid == request.args["teacher"],
            RoleAssignment.organisation_id == campus.id,
            RoleAssignment.role == Role.TEACHER,
            valid(RoleAssignment, today(campus.zone)),
        )
    )
    if found is None:
        raise NotFound()
    return found
