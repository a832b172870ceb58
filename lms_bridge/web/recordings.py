"""Recordings of lessons: the way to watch one, which shows its provider's address on no page, and hiding one."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import flash, redirect, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as BaseResponse

from lms_bridge.core.access import Permission
from lms_bridge.core.database import transaction
from lms_bridge.core.i18n import gettext
from lms_bridge.lessons import entering, recordings
from lms_bridge.web import lesson_visitors
from lms_bridge.web.lessons import led, target_of
from lms_bridge.web.session import current_person, current_scope, signed_in_required

blueprint = APIBlueprint("recordings", __name__, enable_openapi=False)


@blueprint.get("/l/<uid>/recordings/<recording>")
def watch(uid: str, recording: str) -> BaseResponse:
    """Over to where the recording is, for the people of the lesson: its students and those who answer for them, its
    teachers, and who may watch it."""
    lesson = entering.lesson_of(uid)
    person = lesson_visitors.person_at(lesson)
    if person is None:
        return lesson_visitors.to_sign_in()
    entering.look(lesson, person)
    leads = current_user.is_authenticated and current_scope().allows(Permission.LESSON_LEAD, target_of(lesson))
    with transaction():
        answer = redirect(recordings.watch(lesson, recording, person, hidden=leads).url)
    answer.headers["Referrer-Policy"] = "no-referrer"
    return answer


@blueprint.post("/lessons/<uid>/recordings/<recording>/<any(hide, show):action>")
@signed_in_required
def change(uid: str, recording: str, action: str) -> BaseResponse:
    """Who leads the lesson takes a recording away from the others, or gives it back."""
    lesson = led(uid)
    hides = action == "hide"
    with transaction():
        (recordings.hide if hides else recordings.show)(lesson, recording, current_person())
    said = gettext("The recording is hidden; only you see it.") if hides else gettext("The class sees it again.")
    flash(said, "good")
    return redirect(url_for("lessons.lesson", uid=uid, _anchor="recordings"), code=303)
