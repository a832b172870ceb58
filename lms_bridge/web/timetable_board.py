"""The substitution board of the day: lessons without a teacher, and one tap to give each to somebody who is free."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from apiflask import APIBlueprint
from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lms_bridge.calendar.days import written_day
from lms_bridge.core.access import Permission, Target
from lms_bridge.core.clock import local
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BadInputs, Conflict, InputError, NotFound
from lms_bridge.core.i18n import N_, get_locale, gettext
from lms_bridge.notices.dates import say_slot
from lms_bridge.roster.models import Organisation, Person
from lms_bridge.roster.scope import today
from lms_bridge.timetable.cases.board import Offer, Row, assign, board_of
from lms_bridge.timetable.changing import changes
from lms_bridge.timetable.queries import lesson_by_uid
from lms_bridge.web.campuses import campuses_within
from lms_bridge.web.session import current_person, current_scope, require, signed_in_required

blueprint = APIBlueprint("board", __name__, url_prefix="/board", enable_openapi=False)

AT_HAND = 3
"""So many of the best have a button of their own; the others are in a list."""


@blueprint.get("")
@signed_in_required
def show() -> str:
    """The board of a campus and day; today's by default."""
    campuses = campuses_within(require(Permission.TIMETABLE_WRITE), Permission.TIMETABLE_WRITE)
    code = request.args.get("campus")
    campus = next((c for c in campuses if code is None or c.code == code), None)
    if campus is None:
        raise NotFound()
    day = _day(campus)
    board = board_of(campus, day)
    return render_template(
        "timetable/board.html",
        campus=campus,
        campuses=[(c.code, c.label(get_locale())) for c in campuses],
        board=board,
        day=day,
        today=today(campus.zone),
        before=(day - timedelta(days=1)).isoformat(),
        after=(day + timedelta(days=1)).isoformat(),
        rows=[_row(row) for row in board.rows],
        loads=[
            {
                "name": line.colleague.name,
                "today": line.today,
                "week": line.colleague.load.week,
                "stood_in": line.colleague.load.stood_in,
            }
            for line in board.loads
        ],
    )


@blueprint.post("/<uid>")
@signed_in_required
def give(uid: str) -> Response:
    """Give a lesson to somebody; the answer offers to undo it. If somebody else was quicker, it says who stands in."""
    lesson = lesson_by_uid(uid)
    if lesson is None:
        raise NotFound()
    current_scope().require(Permission.TIMETABLE_WRITE, Target(lesson.campus.path))
    teacher = db.session.scalar(sa.select(Person).where(Person.uid == request.form.get("teacher", "")))
    day = local(lesson.starts_at, lesson.zone).date()
    back = redirect(url_for(".show", campus=lesson.campus.code, day=day.isoformat()))
    if teacher is None:
        flash(gettext("No teacher was chosen."), "bad")
        return back
    try:
        with transaction():
            assign(lesson, teacher, seen=request.form.get("seen", type=int), actor=current_person())
    except BadInputs as refusal:
        flash(" ".join(str(problem) for problem in refusal.problems), "bad")
        return back
    except Conflict as refusal:
        flash(str(refusal), "bad")
        return back
    flash(
        gettext("%(who)s takes the lesson. It can be undone here until the end of the day.", who=teacher.display_name),
        "good",
    )
    return back


@blueprint.post("/<uid>/undo")
@signed_in_required
def undo(uid: str) -> Response:
    """Take the lesson of a change set back from who stands in; only on the day of the change."""
    change_set = changes.change_set_by_uid(uid)
    if change_set is None:
        raise NotFound()
    campus = db.session.get_one(Organisation, change_set.campus_id)
    current_scope().require(Permission.TIMETABLE_WRITE, Target(campus.path))
    try:
        with transaction():
            changes.undo(change_set, current_person())
    except BadInputs as refusal:
        flash(" ".join(str(problem) for problem in refusal.problems), "bad")
    else:
        flash(gettext("The change was undone. The lessons are as they were before."), "good")
    return redirect(url_for(".show", campus=campus.code, day=request.form.get("day") or None))


def _day(campus: Organisation) -> date:
    asked = request.args.get("day", "")
    if not asked:
        return today(campus.zone)
    try:
        return written_day(asked)
    except ValueError:
        raise InputError(N_("No day was chosen."), remedy=N_("Choose a day.")) from None


def _row(row: Row) -> dict[str, Any]:
    lesson = row.lesson
    start = local(lesson.starts_at, lesson.zone)
    people = {p.id: p for p in _people(row.offers)}
    offers = [(people[o.colleague.person_id].uid, _offer(o), o) for o in row.offers if o.colleague.person_id in people]
    return {
        "row": row,
        "uid": lesson.uid,
        "seen": lesson.sequence,
        "slot": say_slot(start.date(), lesson.period_number, start.time(), get_locale()),
        "what": f"{', '.join(sorted(a.class_group.title for a in lesson.audience))} "
        f"{lesson.subject.label(get_locale())}",
        "absent": gettext(", ").join(row.absent),
        "first": [(uid, o.colleague.name, _figures(o)) for uid, _, o in offers[:AT_HAND]],
        "others": [(uid, label) for uid, label, _ in offers[AT_HAND:]],
        "undo": row.change_set.uid if row.change_set is not None else None,
    }


def _people(offers: tuple[Offer, ...]) -> list[Person]:
    ids = [o.colleague.person_id for o in offers]
    return list(db.session.scalars(sa.select(Person).where(Person.id.in_(ids))))


def _figures(offer: Offer) -> str:
    """Why this one, and how loaded they are."""
    fit = (gettext("teaches the subject"), gettext("knows the class"), gettext("free"))[offer.fit]
    load = gettext(
        "stood in %(term)s× this term · %(week)s lessons this week",
        term=offer.colleague.load.stood_in,
        week=offer.colleague.load.week,
    )
    where = "" if offer.colleague.same_campus else f" · {offer.colleague.campus}"
    return f"{fit}{where} · {load}"


def _offer(offer: Offer) -> str:
    return f"{offer.colleague.name} · {_figures(offer)}"
