"""A teacher's own page: saying that one cannot teach, and asking for a lesson to move. Made for a phone."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from apiflask import APIBlueprint
from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lms_bridge.core.access import Role
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BadInputs, BridgeError, NotFound
from lms_bridge.core.i18n import N_, gettext
from lms_bridge.roster.models import Person
from lms_bridge.roster.scope import today
from lms_bridge.timetable.cases import absences
from lms_bridge.timetable.cases.absent_lessons import lessons_during, zone_of
from lms_bridge.timetable.cases.cases import requests_of
from lms_bridge.timetable.cases.models import CaseState, ChangeCase, TeacherAbsence
from lms_bridge.timetable.cases.opening import ask_to_move
from lms_bridge.timetable.changing.lesson_changes import LessonProblem
from lms_bridge.timetable.models import Lesson
from lms_bridge.timetable.reach import campuses_of
from lms_bridge.web import case_words
from lms_bridge.web.day_forms import errors_by_field, periods_of, typed_day, typed_days
from lms_bridge.web.session import current_person, current_scope, signed_in_required

blueprint = APIBlueprint("absences", __name__, url_prefix="/absences", enable_openapi=False)

AHEAD = timedelta(days=13)


@blueprint.get("")
@signed_in_required
def page() -> str:
    """The form, and what was reported and asked for."""
    return _page(_teacher())


@blueprint.post("")
@signed_in_required
def report() -> Response | tuple[str, int] | str:
    """First show which lessons are hit, then report."""
    teacher = _teacher()
    try:
        first, last, periods = _form()
        reason = request.form.get("reason", "")
        if "sure" not in request.form:
            absences.check_absence(teacher, first, last, periods=periods, reason=reason)
            return _asked(teacher, first, last, periods)
        with transaction():
            absence = absences.report_absence(teacher, first, last, periods=periods, reason=reason, actor=teacher)
    except BadInputs as refusal:
        return _page(teacher, refusal.problems), refusal.status
    flash(gettext("Your absence is reported. The school decides what becomes of the lessons."), "good")
    return redirect(url_for(".show", uid=absence.uid))


@blueprint.get("/<uid>")
@signed_in_required
def show(uid: str) -> str:
    """One absence with its lessons, for the teacher and for whoever writes the timetable there."""
    absence = _absence(uid)
    own = absence.person_id == current_person().id
    hit = [] if absence.withdrawn_at is not None else _hit(absence)
    return render_template(
        "absences/absence.html",
        absence=absence,
        own=own,
        when=case_words.days(absence.first_day, absence.last_day),
        periods=case_words.periods(absence),
        lessons=[case_words.lesson_words(lesson) for lesson in hit],
        cases=_cases(absence) if not own else [],
        reason=absences.read_reason(absence, actor=current_person()) if own else "",
        past=absence.last_day < today(zone_of(absence.person)),
        decided=any(case.state is CaseState.DECIDED for case in _cases(absence)),
    )


@blueprint.post("/<uid>/withdraw")
@signed_in_required
def withdraw(uid: str) -> Response:
    """One can teach after all."""
    with transaction():
        absences.withdraw_absence(_absence(uid), actor=current_person())
    flash(gettext("The absence is withdrawn."), "good")
    return redirect(url_for(".show", uid=uid))


@blueprint.get("/move")
@signed_in_required
def move_form() -> str:
    """Ask for a lesson to move."""
    return _move_page(_teacher())


@blueprint.post("/move")
@signed_in_required
def move() -> Response | tuple[str, int]:
    """Hand the wish to the school."""
    teacher = _teacher()
    lesson = db.session.scalar(sa.select(Lesson).where(Lesson.uid == request.form.get("lesson", "")))
    try:
        if lesson is None or not any(t.person_id == teacher.id for t in lesson.teachers):
            raise BadInputs(
                [LessonProblem(N_("No lesson was chosen."), field="lesson", remedy=N_("Choose one from the list."))]
            )
        day = typed_day("day") if request.form.get("day") else None
        period = request.form.get("period", type=int)
        with transaction():
            ask_to_move(lesson, day=day, period=period, reason=request.form.get("reason", ""), actor=teacher)
    except BadInputs as refusal:
        return _move_page(teacher, refusal.problems), refusal.status
    flash(gettext("The school will decide. Until then the lesson stays where it is."), "good")
    return redirect(url_for(".page"))


def _teacher() -> Person:
    if Role.TEACHER not in current_scope().roles:
        raise NotFound()
    return current_person()


def _absence(uid: str) -> TeacherAbsence:
    absence = absences.absence_by_uid(uid)
    if absence is None:
        raise NotFound()
    if absence.person_id != current_person().id and not absences.may_report_for(current_scope(), absence.person):
        raise NotFound()
    return absence


def _hit(absence: TeacherAbsence) -> list[Lesson]:
    return lessons_during(absence.person, absence.first_day, absence.last_day, absence.periods)


def _cases(absence: TeacherAbsence) -> list[ChangeCase]:
    return list(db.session.scalars(sa.select(ChangeCase).where(ChangeCase.absence_id == absence.id)))


def _form() -> tuple[date, date, list[int]]:
    first, last = typed_days()
    whole = request.form.get("whole", "yes") == "yes"
    periods = [] if whole else request.form.getlist("periods", type=int)
    if not whole and not periods:
        raise BadInputs(
            [
                LessonProblem(
                    N_("No period was chosen."), field="periods", remedy=N_("Choose the periods, or whole days.")
                )
            ]
        )
    return first, last, periods


def _page(teacher: Person, problems: list[BridgeError] | None = None) -> str:
    day = today(zone_of(teacher))
    return render_template(
        "absences/absences.html",
        day=day.isoformat(),
        typed=request.form,
        chosen=request.form.getlist("periods"),
        periods=periods_of(campuses_of(teacher, Role.TEACHER)),
        errors=errors_by_field(problems or []),
        reported=[
            {"absence": row, "when": case_words.days(row.first_day, row.last_day), "periods": case_words.periods(row)}
            for row in absences.absences_of(teacher, day)
        ],
        requests=[_request(case) for case in requests_of(teacher, day)],
    )


def _request(case: ChangeCase) -> dict[str, Any]:
    return {
        "what": case_words.case_when(case),
        "wish": case_words.wish(case),
        "state": gettext(case_words.CASE_STATES[case.state]),
        "badge": case_words.CASE_BADGES[case.state],
    }


def _asked(teacher: Person, first: date, last: date, periods: list[int]) -> str:
    lessons = lessons_during(teacher, first, last, periods)
    return render_template(
        "absences/sure.html",
        first=first.isoformat(),
        last=last.isoformat(),
        when=case_words.days(first, last),
        periods=periods,
        reason=request.form.get("reason", ""),
        lessons=[case_words.lesson_words(lesson) for lesson in lessons],
    )


def _move_page(teacher: Person, problems: list[BridgeError] | None = None) -> str:
    day = today(zone_of(teacher))
    lessons = [lesson for lesson in lessons_during(teacher, day, day + AHEAD) if lesson.starts_at > now()]
    return render_template(
        "absences/move.html",
        lessons=[(lesson.uid, case_words.lesson_words(lesson)) for lesson in lessons],
        lesson=request.values.get("lesson", ""),
        periods=periods_of(campuses_of(teacher, Role.TEACHER)),
        typed=request.form,
        errors=errors_by_field(problems or []),
    )
