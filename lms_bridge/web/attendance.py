"""The attendance of a lesson: who is there, and the teacher's corrections."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import sqlalchemy as sa
from apiflask import APIBlueprint
from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from lms_bridge.attendance import corrections
from lms_bridge.attendance.corrections import Standing
from lms_bridge.attendance.models import Verdict
from lms_bridge.core.access import Permission
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BridgeError, InputError, NotFound
from lms_bridge.core.i18n import N_, get_locale, gettext
from lms_bridge.lessons import entering
from lms_bridge.notices.dates import say_time
from lms_bridge.roster.models import Person
from lms_bridge.web.attendance_words import BADGES, WORDS
from lms_bridge.web.lesson_words import words_of
from lms_bridge.web.lessons import target_of
from lms_bridge.web.session import current_person, current_scope, require, signed_in_required

blueprint = APIBlueprint("attendance", __name__, url_prefix="/lessons", enable_openapi=False)

CHOICES = (Verdict.PRESENT, Verdict.LATE, Verdict.LEFT_EARLY, Verdict.ABSENT, Verdict.EXCUSED)


@blueprint.get("/<uid>/attendance")
@signed_in_required
def lesson(uid: str) -> str:
    """The list, live while the lesson runs."""
    return _page(uid)


@blueprint.post("/<uid>/attendance/<person_uid>")
@signed_in_required
def correct(uid: str, person_uid: str) -> BaseResponse | tuple[str, int]:
    """Correct one student's verdict, with a reason."""
    found = entering.lesson_of(uid)
    require(Permission.ATTENDANCE_WRITE, target_of(found))
    student = db.session.scalar(sa.select(Person).filter_by(uid=person_uid))
    if student is None:
        raise NotFound()
    wanted, reason = request.form.get("verdict", ""), request.form.get("reason", "")
    try:
        if wanted != "computed" and wanted not in CHOICES:
            raise InputError(N_("No verdict was chosen."), remedy=N_("Choose one from the list."))
        verdict = None if wanted == "computed" else Verdict(wanted)
        with transaction():
            corrections.correct(found, student, verdict, reason, current_person())
    except BridgeError as error:
        return _page(uid, error, student.uid), error.status
    flash(gettext("The attendance of %(name)s is corrected.", name=student.display_name), "good")
    return redirect(url_for("attendance.lesson", uid=uid, _anchor=f"student-{student.uid}"), code=303)


def _page(uid: str, problem: BridgeError | None = None, asked: str = "") -> str:
    found = entering.lesson_of(uid)
    target = target_of(found)
    require(Permission.ATTENDANCE_READ, target)
    rows = corrections.standing(found)
    counts = Counter(row.verdict for row in rows)
    moment = now()
    begun = moment >= found.starts_at
    return render_template(
        "attendance/lesson.html",
        lesson=words_of(found, get_locale()),
        rows=[_row(row, found.zone) for row in rows],
        stats=[
            (gettext(WORDS[verdict]), counts[verdict], BADGES[verdict][0])
            for verdict in (Verdict.PRESENT, Verdict.LATE, Verdict.LEFT_EARLY, Verdict.ABSENT, None)
            if begun and (verdict is not None or moment < found.ends_at)
        ],
        total=len(rows),
        begun=begun,
        live=moment < found.ends_at,
        may_correct=begun and current_scope().allows(Permission.ATTENDANCE_WRITE, target),
        choices=[(verdict.value, gettext(WORDS[verdict])) for verdict in CHOICES],
        problem=problem,
        asked=asked,
        typed=request.form if problem is not None else {},
    )


def _row(row: Standing, zone: str) -> dict[str, object]:
    kind, shape = BADGES[row.verdict]
    return {
        "uid": row.student.uid,
        "name": row.student.display_name,
        "number": row.student.number or "",
        "kind": kind,
        "shape": shape,
        "verdict": gettext(WORDS[row.verdict]),
        "computed": gettext(WORDS[row.computed.verdict]),
        "minutes": row.computed.minutes,
        "seen": _span(row.computed.first_seen, row.computed.last_seen, zone),
        "reason": row.correction.reason if row.correction is not None else "",
        "author": row.author.display_name if row.author is not None else "",
    }


def _span(first: datetime | None, last: datetime | None, zone: str) -> str:
    if first is None or last is None:
        return ""
    return f"{say_time(first, zone)}–{say_time(last, zone)}"
