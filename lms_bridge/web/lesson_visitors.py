"""Who stands at a lesson's door: the signed-in person, or the holder of a personal link opened in this browser.

A personal link opens one lesson for its owner and nothing else: what the session keeps is the link's token, which is
looked up anew with each request, so that revoking the link shuts its holder out at once.
"""

from __future__ import annotations

from flask import redirect, request, session, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from lms_bridge.lessons import joinlinks
from lms_bridge.roster.models import Person
from lms_bridge.timetable.models import Lesson
from lms_bridge.web.language import speak_to
from lms_bridge.web.session import current_person

KEY = "doors"
MOST = 8
"""So many lessons a browser remembers without a sign-in: a school day."""


def remember(lesson_uid: str, token: str) -> None:
    """The holder of the personal link ``token`` may come to this lesson with this browser."""
    kept = session.get(KEY, [])
    if [lesson_uid, token] in kept:
        return  # no new cookie for each click
    doors = [pair for pair in kept if pair[0] != lesson_uid]
    session[KEY] = [*doors, [lesson_uid, token]][-MOST:]
    session.permanent = True


def person_at(lesson: Lesson) -> Person | None:
    """The person at the door of ``lesson``; None: nobody is known. A sign-in counts before a link."""
    if current_user.is_authenticated:
        return current_person()
    token = next((kept for uid, kept in session.get(KEY, []) if uid == lesson.uid), None)
    found = joinlinks.find(token) if token is not None else None
    if found is None or found[1].id != lesson.id:
        return None
    speak_to(found[2])
    return found[2]


def to_sign_in() -> Response:
    """Sign in first, then come back here."""
    return redirect(url_for("auth.sign_in_page", next=request.path))
