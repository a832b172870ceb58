"""Rules and inputs of a campus: what its timetable is made from, checked for a week; the frame of these pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa
from apiflask import APIBlueprint
from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lms_bridge.calendar.days import iso_week, monday_of, shift_week, teaching_weeks, term_in_hand, written_day
from lms_bridge.core.access import Permission, Target
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BadInputs, BridgeError, InputError, NotFound
from lms_bridge.core.i18n import N_, get_locale, gettext
from lms_bridge.notices.dates import say_day
from lms_bridge.roster.models import Organisation, OrganisationKind, Subject
from lms_bridge.roster.scope import today
from lms_bridge.timetable.making.input_check import check_week
from lms_bridge.web.campuses import campuses_within
from lms_bridge.web.session import require, signed_in_required

blueprint = APIBlueprint("inputs", __name__, url_prefix="/inputs", enable_openapi=False)

SECTIONS = (
    (N_("Check"), ".overview"),
    (N_("Subject rules"), ".rules"),
    (N_("Classes together and groups"), ".arrangements"),
    (N_("Teachers"), ".teachers"),
    (N_("School days"), ".days"),
    (N_("Periods and limits"), ".grids"),
    (N_("Online rooms"), ".rooms"),
)


def campus_of(code: str) -> Organisation:
    """The campus with this code, if the person may write its timetable.

    :raises NotFound: there is none, or it is not for them.
    """
    campus = db.session.scalar(sa.select(Organisation).filter_by(code=code, kind=OrganisationKind.CAMPUS))
    if campus is None:
        raise NotFound()
    require(Permission.TIMETABLE_WRITE, Target(campus.path))
    return campus


def page(template: str, campus: Organisation, problems: Sequence[BridgeError] = (), **context: Any) -> str:
    """One of the pages, with the tabs that lead to the others; ``problems`` of the form stand above it."""
    tabs = [
        {
            "label": gettext(label),
            "url": url_for(f"timetable.inputs{endpoint}", code=campus.code),
            "current": request.endpoint == f"timetable.inputs{endpoint}"
            or (request.endpoint or "").startswith(f"timetable.inputs{endpoint}_"),
        }
        for label, endpoint in SECTIONS
    ]
    return render_template(
        f"timetable/inputs/{template}.html",
        campus=campus,
        tabs=tabs,
        problems=problems,
        form_values=request.form,
        **context,
    )


def carried_out(
    act: Callable[[], object],
    said: str,
    endpoint: str,
    campus: Organisation,
    again: Callable[[Sequence[BridgeError]], str],
) -> Response | tuple[str, int]:
    """Do what a form asks for in one transaction and go back to its page; refused, the page comes ``again`` with the
    problems and what was typed."""
    try:
        with transaction():
            act()
    except BridgeError as error:
        if error.status == 404:
            raise
        return again(error.problems if isinstance(error, BadInputs) else [error]), error.status
    flash(said, "good")
    return redirect(url_for(f"timetable.inputs.{endpoint}", code=campus.code))


def day_of(name: str) -> date | None:
    """A date of the form; None where the field is empty.

    :raises InputError: it is no date.
    """
    typed = request.form.get(name, "").strip()
    try:
        return written_day(typed) if typed else None
    except ValueError:
        raise InputError(N_("A date cannot be read."), remedy=N_("Write it as in 2026-11-23.")) from None


def key_of(typed: str) -> int | None:
    """The number of a row that a form names; None for anything that can be none."""
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 10 else None


def number_of(name: str) -> int | None:
    """A whole number of the form; None where the field is empty.

    :raises InputError: it is no number.
    """
    typed = request.form.get(name, "").strip()
    if not typed:
        return None
    number = key_of(typed.removeprefix("-"))
    if number is None:
        raise InputError(N_("“%(typed)s” is not a number."), remedy=N_("Write a whole number."), typed=typed[:20])
    return -number if typed.startswith("-") else number


def subjects() -> list[tuple[str, str]]:
    """The subjects to choose from."""
    rows = db.session.scalars(sa.select(Subject).order_by(Subject.code))
    return [(str(row.id), row.label(get_locale())) for row in rows]


@blueprint.get("")
@signed_in_required
def start() -> Response:
    """The campus asked for, else the first within reach."""
    scope = require(Permission.TIMETABLE_WRITE)
    within = campuses_within(scope, Permission.TIMETABLE_WRITE)
    code = request.args.get("campus")
    campus = next((c for c in within if code is None or c.code == code), None)
    if campus is None:
        raise NotFound()
    return redirect(url_for(".overview", code=campus.code))


@blueprint.get("/<code>")
@signed_in_required
def overview(code: str) -> str:
    """What stands in the way of a week's timetable."""
    campus = campus_of(code)
    asked = request.args.get("week")
    week = iso_week(monday_of(asked)) if asked else shift_week(iso_week(today(campus.zone)), 1)
    weeks = _weeks(campus)
    return page(
        "overview",
        campus,
        week=week,
        weeks=[(iso, label) for iso, _, label in weeks],
        number=next((number for iso, number, _ in weeks if iso == week), None),
        checked=check_week(campus, week),
    )


def _weeks(campus: Organisation) -> list[tuple[str, int, str]]:
    """The weeks of the term in hand from this week on: ISO name, number in the term, label."""
    term = term_in_hand(campus)
    present = iso_week(today(campus.zone))
    return [
        (week.iso, week.number, f"{week.iso} · {say_day(monday_of(week.iso), get_locale())}")
        for week in (teaching_weeks(campus, term) if term is not None else ())
        if week.iso >= present
    ]
