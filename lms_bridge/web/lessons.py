"""The lesson page of teachers and administrators: what is taught, the room, materials, the links of its people."""

from __future__ import annotations

from typing import Any, BinaryIO, cast

import sqlalchemy as sa
from apiflask import APIBlueprint
from flask import current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from lms_bridge.core.access import Permission, Target
from lms_bridge.core.application import current_settings
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BridgeError, Conflict, InputError, NotFound
from lms_bridge.core.i18n import N_, get_locale, gettext
from lms_bridge.core.kept_problems import said
from lms_bridge.lessons import (
    accounts,
    door_times,
    entering,
    failover,
    gateway,
    joinlinks,
    materials,
    meetings,
    providers,
)
from lms_bridge.lessons.content import units_of
from lms_bridge.lessons.gateway import DoorState, Part
from lms_bridge.lessons.history import made_up_by, moved_from
from lms_bridge.lessons.models import JoinLink, MaterialKind, Meeting, MeetingState
from lms_bridge.notices.dates import say_slot
from lms_bridge.roster.models import Person
from lms_bridge.timetable.addresses import lesson_url
from lms_bridge.timetable.models import Lesson
from lms_bridge.timetable.queries import students_of
from lms_bridge.web.lesson_words import words_of
from lms_bridge.web.recording_words import recordings_shown
from lms_bridge.web.security import csrf
from lms_bridge.web.session import current_person, current_scope, require, signed_in_required

blueprint = APIBlueprint("lessons", __name__, url_prefix="/lessons", enable_openapi=False)

ROOM_WORDS = {
    MeetingState.WANTED: N_("will be made in time"),
    MeetingState.READY: N_("ready"),
    MeetingState.FAILED: N_("could not be made"),
    MeetingState.ENDED: N_("closed"),
}
FORM_BYTES = 1024 * 1024


def target_of(lesson: Lesson) -> Target:
    """What permissions are asked for: the lesson's campus, classes and teachers."""
    return Target(
        path=lesson.campus.path,
        class_ids=frozenset(a.class_id for a in lesson.audience),
        person_ids=frozenset(t.person_id for t in lesson.teachers),
    )


def led(uid: str) -> Lesson:
    """The lesson, if the person leads it or administers its campus.

    :raises NotFound: otherwise.
    """
    lesson = entering.lesson_of(uid)
    require(Permission.LESSON_LEAD, target_of(lesson))
    return lesson


@blueprint.get("/<uid>")
@signed_in_required
def lesson(uid: str) -> BaseResponse | str:
    """The page. Students and guardians are sent to the lesson's door, which is made for them."""
    found = entering.lesson_of(uid)
    part = gateway.part_of(entering.visitor_of(found, current_person()))
    if part in (Part.STUDENT, Part.GUARDIAN):
        return redirect(url_for("door.door", uid=uid))
    if part is None:
        require(Permission.TIMETABLE_READ, target_of(found))
    return render_template("lessons/lesson.html", **_context(found))


def _context(found: Lesson, **more: Any) -> dict[str, Any]:
    locale = get_locale()
    state = gateway.state_at(entering.window_of(found), now())
    meeting = meetings.meeting_of(found.id)
    before, instead = moved_from(found), made_up_by(found)
    leads = current_scope().allows(Permission.LESSON_LEAD, target_of(found))
    shown = materials.materials_of(found.id)
    return {
        "lesson": words_of(found, locale),
        "state": state.value,
        "may_enter": current_scope().allows(Permission.LESSON_ENTER, target_of(found)),
        "leads": leads,
        "cancelled": state is DoorState.CANCELLED,
        "moved_from": say_slot(before.starts_local.date(), before.period_number, before.starts_local.time(), locale)
        if before
        else None,
        "instead": words_of(instead, locale) if instead else None,
        "units": units_of(found),
        "materials": shown,
        "players": {m.id: materials.player_type(m) for m in shown},
        "recordings": recordings_shown(found, locale, hidden=leads)
        if gateway.part_of(entering.visitor_of(found, current_person())) is not None
        else [],
        "address": lesson_url(found),
        "room": _room(found, meeting, leads=leads),
        "students": _students(found) if leads else [],
        "attendance_url": _attendance_url(found),
        "max_video_bytes": current_settings().max_video_bytes,
        "max_file_bytes": current_settings().max_upload_bytes,
        "typed": {},
        "problem": None,
    } | more


def _room(found: Lesson, meeting: Meeting | None, *, leads: bool) -> dict[str, Any]:
    """How the room stands, in words."""
    account = meeting.account if meeting is not None else next(iter(providers.accounts_for(found.campus)), None)
    return {
        "provider": account.name if account is not None else "",
        "state": gettext(ROOM_WORDS[meeting.state])
        if meeting is not None
        else gettext(ROOM_WORDS[MeetingState.WANTED]),
        "failed": meeting is not None and meeting.state is MeetingState.FAILED,
        "error": said(meeting.last_error) if meeting is not None else "",
        "attempt": meeting.attempt if meeting is not None else 1,
        "down": account is not None and not account.healthy,
        "elsewhere": [
            {"uid": one.uid, "name": one.name, "down": not one.healthy} for one in failover.targets(found, meeting)
        ]
        if meeting is not None and leads and door_times.needs_room(found)
        else [],
    }


def _students(found: Lesson) -> list[dict[str, Any]]:
    """The students who are expected, with the state of their personal links. The links themselves are not shown:
    whoever had one could come as that student."""
    ids = students_of([found])[found.id]
    links = {
        link.person_id: link for link in db.session.scalars(sa.select(JoinLink).where(JoinLink.lesson_id == found.id))
    }
    people = db.session.scalars(sa.select(Person).where(Person.id.in_(ids)))
    return [
        {
            "uid": person.uid,
            "name": person.display_name,
            "number": person.number or "",
            "link": "" if person.id not in links else "revoked" if links[person.id].revoked_at else "given",
        }
        for person in sorted(people, key=lambda p: (p.number or "", p.display_name, p.id))
    ]


def _attendance_url(found: Lesson) -> str | None:
    allowed = current_scope().allows(Permission.ATTENDANCE_READ, target_of(found))
    if not allowed or "attendance.lesson" not in current_app.view_functions:
        return None
    return url_for("attendance.lesson", uid=found.uid)


@blueprint.post("/<uid>/materials")
@signed_in_required
def add_material(uid: str) -> BaseResponse | tuple[str, int]:
    """Put something into the lesson's classroom. A body of a video's size is read only from who may send one."""
    found = led(uid)
    request.max_content_length = (
        max(current_settings().max_video_bytes, current_settings().max_upload_bytes) + FORM_BYTES
    )
    csrf.protect()
    try:
        with transaction():
            _add(found)
    except BridgeError as error:
        page = render_template("lessons/lesson.html", **_context(found, typed=request.form, problem=error))
        return page, error.status
    flash(gettext("Added to the lesson."), "good")
    return redirect(_back(found), code=303)


def _add(found: Lesson) -> None:
    author, form = current_person(), request.form
    title = form.get("title", "").strip()
    upload = request.files.get("file")
    match form.get("kind"):
        case "note":
            materials.add_note(found, author, title=title, text=form.get("text", ""))
        case "link":
            materials.add_address(found, author, MaterialKind.LINK, title=title, url=form.get("url", ""))
        case "video" if form.get("url", "").strip():
            materials.add_address(found, author, MaterialKind.VIDEO, title=title, url=form["url"])
        case "video" | "file" as kind:
            if upload is None or not upload.filename:
                raise InputError(N_("No file was chosen."), remedy=N_("Choose a file, or give an address."))
            add = materials.add_video if kind == "video" else materials.add_file
            add(found, author, title=title, stream=cast(BinaryIO, upload.stream), name=upload.filename)
        case _:
            raise InputError(N_("Say what it is: a video, a file, a link or a note."))


@blueprint.post("/<uid>/materials/<material_uid>/remove")
@signed_in_required
def remove_material(uid: str, material_uid: str) -> BaseResponse:
    """Take a material out."""
    found = led(uid)
    with transaction():
        materials.remove(found, current_person(), material_uid)
    flash(gettext("Removed from the lesson."), "good")
    return redirect(_back(found), code=303)


@blueprint.post("/<uid>/links/<person_uid>/<any(renew, revoke):action>")
@signed_in_required
def change_link(uid: str, person_uid: str, action: str) -> BaseResponse:
    """Give a student a new personal link, or end it."""
    found = led(uid)
    person = db.session.scalar(sa.select(Person).filter_by(uid=person_uid))
    if person is None or person.id not in students_of([found])[found.id]:
        raise NotFound()
    with transaction():
        change = joinlinks.renew if action == "renew" else joinlinks.revoke
        change(found, person, actor_uid=current_person().uid)
    if action == "renew":
        flash(gettext("%(name)s has a new link; the old one no longer works.", name=person.display_name), "good")
    else:
        flash(gettext("The link of %(name)s no longer works.", name=person.display_name), "good")
    return redirect(url_for("lessons.lesson", uid=uid, _anchor="links"), code=303)


@blueprint.post("/<uid>/room/again")
@signed_in_required
def try_room_again(uid: str) -> BaseResponse:
    """After a room could not be made: try once more."""
    found = led(uid)
    with transaction():
        if not door_times.needs_room(found):
            raise Conflict(N_("This lesson needs no room any more."))
        meetings.try_again(meetings.wish(found))
    flash(gettext("The room is being made again."), "info")
    return redirect(url_for("lessons.lesson", uid=uid), code=303)


@blueprint.post("/<uid>/room/move")
@signed_in_required
def move_room(uid: str) -> BaseResponse:
    """The teacher moves the lesson to another video system, or back: to the one that is chosen, else the next."""
    found = led(uid)
    chosen = request.form.get("account", "")
    with transaction():
        attempt = request.form.get("attempt", type=int)
        to = accounts.account_named(chosen) if chosen else None
        meeting = failover.move_by_decision(found, attempt or 0, current_person(), to)
    flash(
        gettext("The lesson goes on at %(name)s. Open pages follow by themselves.", name=meeting.account.name), "good"
    )
    return redirect(url_for("lessons.lesson", uid=uid), code=303)


def _back(found: Lesson) -> str:
    """To the room, if the form stood there; else to the lesson's page."""
    if request.args.get("from") == "room":
        return url_for("classroom.room", uid=found.uid)
    return url_for("lessons.lesson", uid=found.uid, _anchor="materials")


# add_material() checks the token itself, after it has looked who sends and allowed for a large body.
csrf.exempt(f"{__name__}.add_material")
