"""What happens in online rooms now, for administrators: how the video systems stand, the open lessons with their rooms,
who moved today and why; a lesson is moved on or back, a system that is down is asked at once."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lms_bridge.core.access import Permission, Scope, Target
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import Conflict
from lms_bridge.core.i18n import N_, get_locale, gettext
from lms_bridge.lessons import accounts, entering, failover, operations
from lms_bridge.lessons.models import Meeting, MeetingCause, MeetingState
from lms_bridge.roster.models import Organisation
from lms_bridge.timetable.models import Lesson
from lms_bridge.web.lesson_words import words_of
from lms_bridge.web.session import current_person, require, signed_in_required
from lms_bridge.web.video_accounts import administered_account
from lms_bridge.web.video_words import name_of, stand_of

blueprint = APIBlueprint("video_now", __name__, url_prefix="/system/video", enable_openapi=False)

LISTED = 200
"""So many lessons are listed; those in trouble come first."""

CAUSES = {
    MeetingCause.FAILOVER: N_("by itself: the video system failed"),
    MeetingCause.PERSON: N_("by a person's decision"),
    MeetingCause.HOSTS: N_("by itself: no host was free"),
}


@blueprint.get("/now")
@signed_in_required
def overview() -> str:
    """The page; it refreshes itself."""
    scope = require(Permission.SYSTEM)
    paths = scope.paths(Permission.SYSTEM)
    zone = current_person().zone or _zone(paths)
    lessons = sorted((_lesson(one) for one in operations.lessons_now(paths)), key=lambda row: not row["trouble"])
    return render_template(
        "video/now.html",
        zone=zone,
        systems=[_system(one, scope, zone) for one in operations.providers_now(paths)],
        lessons=lessons[:LISTED],
        unlisted=max(0, len(lessons) - LISTED),
        moves=[_move(one) for one in operations.moves(paths, since=operations.start_of_day(zone))],
    )


@blueprint.post("/lessons/<uid>/move")
@signed_in_required
def move(uid: str) -> Response:
    """Move a lesson to the account that is named, else to the next one of its campus's order."""
    require(Permission.SYSTEM)
    lesson = entering.lesson_of(uid)
    require(Permission.SYSTEM, Target(lesson.campus.path))
    chosen = request.form.get("account", "")
    try:
        with transaction():
            to = accounts.account_named(chosen) if chosen else None
            meeting = failover.move_by_decision(lesson, request.form.get("attempt", 0, type=int), current_person(), to)
    except Conflict as error:
        flash(str(error), "warn")
    else:
        flash(
            gettext("The lesson goes on at %(name)s. Open pages follow by themselves.", name=name_of(meeting.account)),
            "good",
        )
    return redirect(url_for(".overview"))


@blueprint.post("/<uid>/ask")
@signed_in_required
def ask(uid: str) -> Response:
    """Ask a system that is down now, not when its pause is over."""
    account = administered_account(uid)
    with transaction():
        accounts.ask_now(account, actor=current_person())
    flash(gettext("%(name)s is being asked.", name=name_of(account)), "info")
    return redirect(url_for(".overview"))


def _zone(paths: tuple[str, ...]) -> str:
    place = db.session.get(Organisation, int(paths[0].strip("/").split("/")[-1])) if paths else None
    return place.zone if place is not None else "UTC"


def _system(one: operations.ProviderStand, scope: Scope, zone: str) -> dict[str, Any]:
    place = db.session.get_one(Organisation, one.account.organisation_id)
    return {
        "account": one.account,
        "name": name_of(one.account),
        "place": place.label(get_locale()),
        "mine": scope.allows(Permission.SYSTEM, Target(place.path)),
        "stand": stand_of(one.account, zone),
        "rooms": one.rooms,
        "down": one.account.enabled and not one.account.healthy,
    }


def _lesson(one: operations.OpenLesson) -> dict[str, Any]:
    words, meeting = words_of(one.lesson, get_locale()), one.meeting
    kind, state = _room(meeting)
    return {
        "lesson": one.lesson,
        "title": words.title,
        "about": f"{words.teacher} · {words.when}",
        "campus": one.lesson.campus.label(get_locale()),
        "kind": kind,
        "state": state,
        "system": name_of(meeting.account) if meeting is not None else "",
        "attempt": meeting.attempt if meeting is not None else 0,
        "movable": meeting is not None and meeting.state is not MeetingState.ENDED,
        "back": one.left,
        "back_name": name_of(one.left) if one.left is not None else "",
        "trouble": kind in ("bad", "warn"),
    }


def _room(meeting: Meeting | None) -> tuple[str, str]:
    if meeting is None:
        return "plain", gettext("nobody has come yet")
    if meeting.state is MeetingState.FAILED:
        return "bad", gettext("could not be made")
    if meeting.state is MeetingState.ENDED:
        return "plain", gettext("closed")
    if not meeting.account.healthy:
        return "bad", gettext("does not answer")
    if meeting.state is MeetingState.WANTED:
        return ("warn", gettext("is being made again")) if meeting.failures else ("info", gettext("is being made"))
    return "good", gettext("ready")


def _move(one: operations.Move) -> dict[str, Any]:
    return {
        "lesson": _title(one.lesson),
        "campus": one.lesson.campus.label(get_locale()),
        "at": one.at,
        "why": gettext(CAUSES.get(one.cause, "")) if one.cause in CAUSES else "",
        "who": one.by.display_name if one.by is not None else "",
        "left": name_of(one.left) if one.left is not None else "",
        "to": name_of(one.to),
    }


def _title(lesson: Lesson) -> str:
    return words_of(lesson, get_locale()).title
