"""The room page of the built-in classroom, and the small answers that its script asks for.

Every write is a plain form of the page, guarded by its token; the script sends the same as JSON, which no other
site can do (a cross-site request with this content type is asked about first, and we never allow it).
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from apiflask import APIBlueprint
from flask import Response, make_response, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response as BaseResponse

from lms_bridge.core import files
from lms_bridge.core.application import current_settings
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import Conflict, InputError, NotFound
from lms_bridge.core.i18n import N_, get_locale
from lms_bridge.core.ids import new_uid
from lms_bridge.lessons import classroom, entering, materials
from lms_bridge.lessons.classroom import BEAT_SECONDS
from lms_bridge.lessons.content import units_of
from lms_bridge.lessons.entering import Door
from lms_bridge.lessons.filetypes import may_show_inline
from lms_bridge.lessons.gateway import DoorState, Part
from lms_bridge.lessons.presence import PAGE, ROOM
from lms_bridge.notices.dates import say_time
from lms_bridge.roster.models import Person
from lms_bridge.web import lesson_visitors
from lms_bridge.web.lesson_words import words_of
from lms_bridge.web.security import csrf

blueprint = APIBlueprint("classroom", __name__, url_prefix="/room", enable_openapi=False)

POLL_SECONDS = 5
PULSE_SECONDS = 30


def visitor(uid: str) -> Door:
    """The door of the lesson for the person who asks.

    :raises NotFound: nobody is known, or the lesson is not theirs.
    """
    lesson = entering.lesson_of(uid)
    person = lesson_visitors.person_at(lesson)
    if person is None:
        raise NotFound()
    return entering.look(lesson, person)


def inside(uid: str) -> Door:
    """The same for somebody who came through the door and may still be in the room.

    :raises NotFound: nobody is known, or the lesson is not theirs.
    :raises Conflict: the room is not open, or the person did not come through the door.
    """
    seen = visitor(uid)
    if not seen.decision.may_enter or seen.entered_at is None:
        raise Conflict(N_("The room is closed."), remedy=N_("Go to the lesson's page to see how it stands."))
    return seen


def guarded() -> None:
    """Refuse a write that another site may have sent."""
    if not request.is_json:
        csrf.protect()


def sent(name: str) -> str:
    """A field of the form or of the JSON that was sent."""
    if not request.is_json:
        return request.form.get(name, "")
    data = request.get_json(silent=True)
    value = data.get(name, "") if isinstance(data, dict) else ""
    return value if isinstance(value, str) else ""


def done(uid: str, fragment: str = "") -> BaseResponse:
    """The script needs no answer; a form goes back to the room."""
    if request.is_json:
        return Response(status=204)
    return redirect(url_for("classroom.room", uid=uid, _anchor=fragment or None), code=303)


@blueprint.get("/<uid>")
def room(uid: str) -> BaseResponse:
    """The room. Who did not come through the door is sent there."""
    lesson = entering.lesson_of(uid)
    person = lesson_visitors.person_at(lesson)
    if person is None:
        return lesson_visitors.to_sign_in()
    seen = entering.look(lesson, person)
    if not seen.decision.may_enter or seen.entered_at is None or seen.new_tab:
        return redirect(url_for("door.door", uid=uid))
    with transaction():
        classroom.store_page_view(lesson, person, _attempt(seen), ROOM)
    shown = materials.materials_of(lesson.id)
    response = make_response(
        render_template(
            "classroom/room.html",
            lesson=words_of(lesson, get_locale()),
            leads=seen.decision.part is Part.LEADER,
            takes_part=seen.decision.part is Part.STUDENT,
            units=units_of(lesson),
            materials=shown,
            players={m.id: materials.player_type(m) for m in shown},
            state=_state(seen),
            client_key=new_uid(),
            page_session=new_uid(),
            beat_seconds=BEAT_SECONDS,
            poll_seconds=POLL_SECONDS,
            max_video_bytes=current_settings().max_video_bytes,
        )
    )
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@blueprint.get("/<uid>/state")
def state(uid: str) -> BaseResponse:
    """How the room stands, for the script; 304 when nothing changed."""
    seen = visitor(uid)
    if not seen.decision.may_enter or seen.entered_at is None or seen.new_tab:
        data: dict[str, Any] = {"open": False}
    else:
        data = _state(seen)
    body = json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    response = Response(body, mimetype="application/json")
    response.set_etag(hashlib.sha256(body).hexdigest()[:24])
    response.headers["Cache-Control"] = "private, no-cache"
    return response.make_conditional(request)


@blueprint.post("/<uid>/beat")
def beat(uid: str) -> BaseResponse:
    """Signs of life of a page: of the room, or of the lesson page beside a provider's room."""
    if not request.is_json:
        raise InputError(N_("The sign of life cannot be read."))
    session, beats = classroom.read_beats(request.get_json(silent=True))
    seen = inside(uid)
    with transaction():
        classroom.store_beats(
            seen.lesson, seen.person, _attempt(seen), _source(seen), session, beats, since=seen.window.opens_at
        )
    return Response(status=204)


@blueprint.get("/<uid>/pulse")
def pulse(uid: str) -> BaseResponse:
    """A small frame that loads itself again and again: the sign of life where no script runs."""
    seen = inside(uid)
    with transaction():
        classroom.store_page_view(seen.lesson, seen.person, _attempt(seen), _source(seen))
    board = classroom.board_of(seen.lesson)
    here = len(board.here & board.expected)
    response = make_response(render_template("classroom/pulse.html", here=here, at=say_time(now(), seen.lesson.zone)))
    response.headers["Refresh"] = str(PULSE_SECONDS)
    return response


@blueprint.post("/<uid>/questions")
def ask(uid: str) -> BaseResponse:
    """A student's question for the board."""
    guarded()
    seen = inside(uid)
    if seen.decision.part is Part.OBSERVER:
        raise NotFound()
    with transaction():
        classroom.ask(seen.lesson, seen.person, sent("text"), sent("client_key") or new_uid())
    return done(uid, "questions")


@blueprint.post("/<uid>/questions/<question_uid>/answer")
def answer(uid: str, question_uid: str) -> BaseResponse:
    """The teacher's answer."""
    guarded()
    seen = leading(uid)
    with transaction():
        classroom.answer(seen.lesson, question_uid, sent("text"))
    return done(uid, "questions")


@blueprint.post("/<uid>/questions/<question_uid>/hide")
def hide(uid: str, question_uid: str) -> BaseResponse:
    """The teacher takes a question off the board."""
    guarded()
    seen = leading(uid)
    with transaction():
        classroom.hide(seen.lesson, question_uid)
    return done(uid, "questions")


@blueprint.post("/<uid>/hand")
def hand(uid: str) -> BaseResponse:
    """A student raises or lowers the hand."""
    guarded()
    seen = inside(uid)
    if seen.decision.part is not Part.STUDENT:
        raise NotFound()
    with transaction():
        if sent("up") == "yes":
            classroom.raise_hand(seen.lesson, seen.person)
        else:
            classroom.lower_hands(seen.lesson, seen.person.id)
    return done(uid)


@blueprint.post("/<uid>/hands/lower")
def lower(uid: str) -> BaseResponse:
    """The teacher lowers the hand of one person, or all hands."""
    guarded()
    seen = leading(uid)
    person_uid = sent("person")
    person = db.session.query(Person).filter_by(uid=person_uid).one_or_none() if person_uid else None
    if person_uid and person is None:
        raise NotFound()
    with transaction():
        classroom.lower_hands(seen.lesson, person.id if person is not None else None)
    return done(uid, "people")


@blueprint.get("/<uid>/materials/<material_uid>")
def material(uid: str, material_uid: str) -> BaseResponse:
    """The file of a material, in parts where the player asks for parts; only for people of the lesson, and for
    students and guardians not before the door opens."""
    seen = visitor(uid)
    early = seen.decision.state is DoorState.WAITING
    if early and seen.decision.part in (Part.STUDENT, Part.GUARDIAN):
        raise NotFound()
    stored = materials.stored_file(materials.find(seen.lesson, material_uid))
    response = send_file(
        files.path_of(stored),
        mimetype=stored.media_type,
        download_name=stored.name,
        as_attachment=not may_show_inline(stored.media_type),
        conditional=True,
        etag=stored.sha256,
        max_age=0,
    )
    response.headers["Cache-Control"] = "private, no-cache"
    if stored.media_type != "application/pdf":
        # Whatever a file holds, it is shown without rights. (A browser's own PDF viewer does not start in a sandbox.)
        response.headers["Content-Security-Policy"] = "default-src 'none'; media-src 'self'; img-src 'self'; sandbox"
    return response


def leading(uid: str) -> Door:
    """The room for somebody who leads it.

    :raises NotFound: the person does not.
    """
    seen = inside(uid)
    if seen.decision.part is not Part.LEADER:
        raise NotFound()
    return seen


def _attempt(seen: Door) -> int:
    return seen.meeting.attempt if seen.meeting is not None else 1


def _source(seen: Door) -> str:
    return PAGE if seen.new_tab else ROOM


def _state(seen: Door) -> dict[str, Any]:
    """The room for one reader: students see numbers and the questions without names, the teacher all."""
    lesson, person = seen.lesson, seen.person
    leads = seen.decision.part is Part.LEADER
    board = classroom.board_of(lesson)
    data: dict[str, Any] = {
        "open": True,
        "attempt": _attempt(seen),
        "here": len(board.here & board.expected),
        "expected": len(board.expected),
        "teacher": any(t.person_id in board.here for t in lesson.teachers),
        "hands": len(board.hands),
        "hand": person.id in board.hands,
        "materials": [m.uid for m in materials.materials_of(lesson.id)],
        "questions": [
            {
                "id": question.uid,
                "text": question.text,
                "answer": question.answer,
                "mine": question.person_id == person.id,
                "name": board.people[question.person_id].display_name if leads else "",
                "at": say_time(question.at, lesson.zone),
            }
            for question in board.questions
        ],
    }
    if leads:
        data["people"] = [
            {
                "id": one.uid,
                "name": one.name,
                "since": say_time(one.since, lesson.zone) if one.since else "",
                "hand": say_time(one.hand_at, lesson.zone) if one.hand_at else "",
            }
            for one in classroom.people_of(lesson, board)
        ]
    return data


# These check for themselves who sends: see guarded().
for name in ("beat", "ask", "answer", "hide", "hand", "lower"):
    csrf.exempt(f"{__name__}.{name}")
