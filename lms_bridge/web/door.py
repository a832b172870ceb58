"""The door of a lesson: ``/l/<lesson>`` for everybody of it, ``/j/<token>`` for one person without a sign-in.

A page is only looked at; entering is a button. So neither mail scanners nor previews are ever present, and a click is
stored before its person is let in.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from apiflask import APIBlueprint
from flask import Response, jsonify, make_response, redirect, render_template, url_for
from flask_login import current_user
from werkzeug.urls import iri_to_uri
from werkzeug.wrappers import Response as BaseResponse

from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import NotFound
from lms_bridge.core.i18n import get_locale
from lms_bridge.core.ids import new_uid
from lms_bridge.lessons import clicks, entering, joinlinks, providers
from lms_bridge.lessons.classroom import BEAT_SECONDS
from lms_bridge.lessons.content import units_of
from lms_bridge.lessons.entering import Door
from lms_bridge.lessons.gateway import ROLES, DoorState, Part
from lms_bridge.lessons.history import made_up_by, moved_from
from lms_bridge.lessons.materials import materials_of, player_type
from lms_bridge.notices.dates import say_slot, say_time
from lms_bridge.roster.models import Person
from lms_bridge.timetable.models import Lesson
from lms_bridge.timetable.queries import guardians_of
from lms_bridge.web import language, lesson_visitors, session
from lms_bridge.web.lesson_words import LessonWords, words_of
from lms_bridge.web.recording_words import recordings_shown
from lms_bridge.web.security import permissions_policy
from lms_bridge.web.session import current_person, is_somebody, sign_out

blueprint = APIBlueprint("door", __name__, enable_openapi=False)

PREPARING_SECONDS = 3
WAITING_SECONDS = 2
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
    claim = session.claimed()
    if claim is not None:
        entered = clicks.by_session(uid, *claim)
        if entered is not None:
            session.renew()
            return _to_room(entered)
    lesson = entering.lesson_of(uid)
    person = lesson_visitors.person_at(lesson)
    if person is None:
        return lesson_visitors.to_sign_in()
    return _let_in(lesson, person)


@blueprint.get("/l/<uid>/room")
def room(uid: str) -> BaseResponse:
    """Into the room, for a person who came through the door: the tab beside the lesson page. It waits here while a room
    is being made, and comes here again when the lesson got another one."""
    lesson = entering.lesson_of(uid)
    person = lesson_visitors.person_at(lesson)
    if person is None:
        return lesson_visitors.to_sign_in()
    seen = entering.look(lesson, person)
    if not seen.decision.may_enter or seen.entered_at is None:
        return _private(redirect(url_for("door.door", uid=uid)))
    if entering.needs_preparing(seen):
        with transaction():
            entering.follow_room(seen)
        seen = entering.look(lesson, person)
    return _over(seen)


@blueprint.get("/l/<uid>/stand")
def stand(uid: str) -> Response:
    """How the room stands, for the script of the lesson page that stays open beside it."""
    lesson = db.session.scalar(sa.select(Lesson).filter_by(uid=uid))
    person = lesson_visitors.person_at(lesson) if lesson is not None else None
    if lesson is None or person is None:
        raise NotFound()
    found = entering.stand_of(lesson, person)
    return jsonify(open=found.open, attempt=found.attempt, ready=found.ready, uneasy=found.uneasy)


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
    lesson_visitors.remember(lesson.uid, token)
    return _page(seen, url_for("door.enter_by_link", token=token))


@blueprint.post("/j/<token>")
def enter_by_link(token: str) -> BaseResponse:
    """The owner of a personal link presses the button."""
    if not is_somebody():
        entered = clicks.by_link(token)
        if entered is not None:
            lesson_visitors.remember(entered, token)
            return _to_room(entered)
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
        lesson_visitors.remember(lesson.uid, token)
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
    if providers.capabilities_of(meeting.account).embeddable:
        inside = replace(seen, meeting=meeting, capabilities=providers.capabilities_of(meeting.account))
        return _private(redirect(entering.room_address(inside) or url_for("door.door", uid=lesson.uid), code=303))
    return _to_room(lesson.uid)


def _to_room(lesson_uid: str) -> BaseResponse:
    """On to the tab of the room. Only now, when the entry is committed, does the person learn the way."""
    headers = {"Location": url_for("door.room", uid=lesson_uid), "Referrer-Policy": "no-referrer"}
    return Response(status=303, headers=headers | {"Cross-Origin-Opener-Policy": "unsafe-none"})


def _over(seen: Door) -> BaseResponse:
    """Over to the provider's room; where there is none yet, look again. Not by a redirect: that would count as part of
    the form that led here, which may only lead to ourselves, and the room may have moved since the form was shown."""
    address = entering.room_address(seen)
    if address is None:
        waiting = make_response(render_template("door/waiting.html", door=seen, lesson=_words(seen)))
        waiting.headers["Refresh"] = str(LOOK_AGAIN_SECONDS if seen.room_failed else WAITING_SECONDS)
        return _beside(waiting)
    with transaction():
        entering.used_address(seen)
    if not seen.new_tab:
        return _private(redirect(address))
    over = make_response(render_template("door/over.html", address=address, lesson=_words(seen)))
    over.headers["Refresh"] = f"0; url={iri_to_uri(address)}"
    return _beside(over)


def _page(seen: Door, action: str) -> BaseResponse:
    """The door page with the headers that fit its state."""
    response = make_response(render_template("door/door.html", **_context(seen, action)))
    seconds = _look_again(seen)
    if seconds is not None and not _stays(seen):
        response.headers["Refresh"] = str(seconds)
    # The page keeps hold of the tab that it opens, to lead it on when the room moves.
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin-allow-popups"
    if _offers_check(seen):
        response.headers["Permissions-Policy"] = permissions_policy("camera", "microphone")
    return _private(response)


def _offers_check(seen: Door) -> bool:
    """Whether the page offers to try out camera and microphone: to those who wait for a room that wants them. Who comes
    late goes straight through, and nothing may hold on to the camera when the room asks for it."""
    if seen.decision.part not in ROLES or not seen.new_tab or seen.entered_at is not None:
        return False
    if seen.decision.state is DoorState.WAITING:
        return True
    return seen.decision.state is DoorState.OPEN and not seen.room_failed and now() < seen.lesson.starts_at


def _stays(seen: Door) -> bool:
    """Whether the page must not load itself again where a script runs: it would lose hold of the tab that it opened."""
    return seen.decision.may_enter and seen.beside


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


def _beside(response: BaseResponse) -> BaseResponse:
    """An answer for the tab of the room. Any stricter policy would cut it off from the lesson page beside it."""
    response.headers["Cross-Origin-Opener-Policy"] = "unsafe-none"
    return _private(response)


def _words(seen: Door) -> LessonWords:
    return words_of(seen.lesson, get_locale())


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
        "lesson": _words(seen),
        "units": units_of(lesson),
        "materials": materials,
        "players": {m.id: player_type(m) for m in materials},
        "recordings": recordings_shown(lesson, locale) if seen.decision.state is DoorState.OVER else [],
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
        "devices": _offers_check(seen),
        "again_seconds": _look_again(seen) if _stays(seen) else None,
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
