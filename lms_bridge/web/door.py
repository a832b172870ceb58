"""The door of a lesson: ``/l/<lesson>`` for everybody of it, ``/j/<token>`` for one person without a sign-in.

A page is only looked at; entering is a button. So neither mail scanners nor previews are ever present, and a click is
stored before its person is let in.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from apiflask import APIBlueprint
from flask import make_response, redirect, render_template, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as BaseResponse

from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.i18n import get_locale
from lms_bridge.core.ids import new_uid
from lms_bridge.lessons import entering, joinlinks, providers
from lms_bridge.lessons.classroom import BEAT_SECONDS
from lms_bridge.lessons.content import units_of
from lms_bridge.lessons.entering import Door
from lms_bridge.lessons.gateway import DoorState, Part
from lms_bridge.lessons.history import made_up_by, moved_from
from lms_bridge.lessons.materials import materials_of, player_type
from lms_bridge.notices.dates import say_slot, say_time
from lms_bridge.roster.models import Person
from lms_bridge.timetable.models import Lesson
from lms_bridge.timetable.queries import guardians_of
from lms_bridge.web import language, lesson_visitors
from lms_bridge.web.lesson_words import words_of
from lms_bridge.web.security import CONTENT_SECURITY_POLICY
from lms_bridge.web.session import current_person, sign_out

blueprint = APIBlueprint("door", __name__, enable_openapi=False)

PREPARING_SECONDS = 3
LOOK_AGAIN_SECONDS = 300


@blueprint.get("/l/<uid>")
def door(uid: str) -> BaseResponse:
    """How the lesson stands for this person, and the way in."""
    lesson = entering.lesson_of(uid)
    person = lesson_visitors.person_at(lesson)
    if person is None:
        return lesson_visitors.to_sign_in()
    return _page(entering.look(lesson, person), url_for("door.enter", uid=uid))


@blueprint.post("/l/<uid>")
def enter(uid: str) -> BaseResponse:
    """The person presses the button: store it, then let them in."""
    lesson = entering.lesson_of(uid)
    person = lesson_visitors.person_at(lesson)
    if person is None:
        return lesson_visitors.to_sign_in()
    return _let_in(lesson, person)


@blueprint.get("/l/<uid>/room")
def room(uid: str) -> BaseResponse:
    """Into the room again, for a person who came through the door before; opens in its own tab."""
    lesson = entering.lesson_of(uid)
    person = lesson_visitors.person_at(lesson)
    if person is None:
        return lesson_visitors.to_sign_in()
    found = entering.look(lesson, person)
    address = entering.room_address(found) if found.entered_at is not None else None
    return _private(redirect(address or url_for("door.door", uid=uid)))


@blueprint.get("/j/<token>")
def personal(token: str) -> BaseResponse:
    """The door by a personal link. Opened by somebody else who is signed in, it shows nothing."""
    found = joinlinks.find(token)
    if found is None:
        return _private(make_response(render_template("door/link_gone.html"), 404))
    _, lesson, person = found
    if current_user.is_authenticated:
        if current_person().id == person.id:
            return _private(redirect(url_for("door.door", uid=lesson.uid)))
        return _private(make_response(render_template("door/link_other.html", token=token), 403))
    language.speak_to(person)
    lesson = entering.lesson_of(lesson.uid)
    seen = entering.look(lesson, person)
    if seen.decision.part not in (Part.STUDENT, Part.GUARDIAN):
        return _private(redirect(url_for("auth.sign_in_page", next=url_for("door.door", uid=lesson.uid))))
    lesson_visitors.remember(lesson, token)
    return _page(seen, url_for("door.enter_by_link", token=token))


@blueprint.post("/j/<token>")
def enter_by_link(token: str) -> BaseResponse:
    """The owner of a personal link presses the button."""
    found = joinlinks.find(token)
    signed_in_as = current_person().id if current_user.is_authenticated else None
    if found is None or signed_in_as not in (None, found[2].id):
        return redirect(url_for("door.personal", token=token))
    _, lesson, person = found
    lesson = entering.lesson_of(lesson.uid)
    if signed_in_as is None:
        language.speak_to(person)
        part = entering.look(lesson, person).decision.part
        if part is not Part.STUDENT:
            return redirect(url_for("door.personal", token=token))
        lesson_visitors.remember(lesson, token)
    return _let_in(lesson, person)


@blueprint.post("/j/<token>/switch")
def switch(token: str) -> BaseResponse:
    """A family's shared device: end the other person's session, then open the link for its owner."""
    sign_out()
    return _private(redirect(url_for("door.personal", token=token)))


def _let_in(lesson: Lesson, person: Person) -> BaseResponse:
    seen = entering.look(lesson, person)
    if not seen.decision.may_enter:
        return _private(redirect(url_for("door.door", uid=lesson.uid)))
    with transaction():
        meeting = entering.record_entry(seen)
    # Only now, when the entry is committed, does the person learn the way.
    inside = replace(seen, meeting=meeting, capabilities=providers.capabilities_of(meeting.account))
    address = entering.room_address(inside)
    return _private(redirect(address or url_for("door.door", uid=lesson.uid), code=303))


def _page(seen: Door, action: str) -> BaseResponse:
    """The door page with the headers that fit its state."""
    response = make_response(render_template("door/door.html", **_context(seen, action)))
    seconds = _look_again(seen)
    if seconds is not None:
        response.headers["Refresh"] = str(seconds)
    if seen.decision.may_enter and seen.new_tab and seen.room_ready:
        # Browsers hold the button's redirect into the room against this page's form-action as well.
        parts = urlsplit(entering.room_address(seen) or "")
        if parts.netloc:
            response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY.replace(
                "form-action 'self'", f"form-action 'self' {parts.scheme}://{parts.netloc}"
            )
    return _private(response)


def _look_again(seen: Door) -> int | None:
    """After how many seconds the page is to be loaded again, script or not: at the opening, while a room is made, and
    now and then, since lessons move."""
    match seen.decision.state:
        case DoorState.WAITING:
            return min(seen.seconds + 1, LOOK_AGAIN_SECONDS)
        case DoorState.OPEN if seen.entered_at is not None and not seen.room_ready and not seen.room_failed:
            return PREPARING_SECONDS
        case DoorState.OPEN:
            return LOOK_AGAIN_SECONDS
        case _:
            return None


def _private(response: BaseResponse) -> BaseResponse:
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _context(seen: Door, action: str) -> dict[str, Any]:
    lesson, locale = seen.lesson, get_locale()
    before, instead = moved_from(lesson), made_up_by(lesson)
    after = seen.decision.state in (DoorState.OVER, DoorState.OPEN)
    materials = materials_of(lesson.id) if after else []
    return {
        "door": seen,
        "state": seen.decision.state.value,
        "part": seen.decision.part.value,
        "action": action,
        "lesson": words_of(lesson, locale),
        "units": units_of(lesson),
        "materials": materials,
        "players": {m.id: player_type(m) for m in materials},
        "opens": say_time(seen.window.opens_at, lesson.zone),
        "seconds_to_start": max(0, int((lesson.starts_at - now()).total_seconds())),
        "moved_from": say_slot(before.starts_local.date(), before.period_number, before.starts_local.time(), locale)
        if before
        else None,
        "instead": words_of(instead, locale) if instead else None,
        "children": _children(seen),
        "beat_seconds": BEAT_SECONDS,
        "page_session": new_uid(),
        "signed_in": current_user.is_authenticated,
    }


def _children(seen: Door) -> list[dict[str, str]]:
    """For a guardian: the children who are expected, with the child's own link where the guardian may have it."""
    if seen.decision.part is not Part.GUARDIAN:
        return []
    allowed = guardians_of(seen.visitor.child_ids, seen.lesson.starts_at, seen.lesson.zone)
    children = []
    for child_id in seen.visitor.child_ids:
        child = db.session.get_one(Person, child_id)
        url = ""
        if seen.person.id in allowed.get(child_id, []):
            url = joinlinks.personal_urls([seen.lesson.id], child_id).get(seen.lesson.id, "")
        children.append({"name": child.display_name, "url": url})
    return children
