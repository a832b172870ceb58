"""The pages of a campus's school days, of its period grids with the limits of online teaching, and of its rooms."""

from __future__ import annotations

import re
from collections.abc import Sequence

import sqlalchemy as sa
from flask import request
from werkzeug.wrappers import Response

from lms_bridge.calendar.days import TeachingWeek, teaching_weeks, term_in_hand
from lms_bridge.calendar.grid_text import parse_times, with_weekdays
from lms_bridge.calendar.grids import Grid, grid_of, grids_of, remove_grid, set_grid
from lms_bridge.calendar.limits import limits_by_grade, set_limits
from lms_bridge.calendar.models import DayKind
from lms_bridge.calendar.own_days import departures, own_day, remove_day, set_days
from lms_bridge.core.access import Permission, Target
from lms_bridge.core.database import db
from lms_bridge.core.errors import BadInputs, BridgeError, InputError, NotFound
from lms_bridge.core.i18n import N_, gettext
from lms_bridge.lessons.capacity import set_rooms
from lms_bridge.lessons.models import ProviderAccount
from lms_bridge.lessons.providers import accounts_for
from lms_bridge.roster.classes import classes_of
from lms_bridge.roster.models import Organisation
from lms_bridge.roster.scope import today
from lms_bridge.timetable.solving.problem import WEEKDAYS
from lms_bridge.web.session import current_person, current_scope, require, signed_in_required
from lms_bridge.web.timetable_inputs import (
    blueprint,
    campus_of,
    carried_out,
    day_of,
    number_of,
    page,
)


def _calendar_of(code: str) -> Organisation:
    """The campus with this code, if the person may also change its calendar."""
    campus = campus_of(code)
    require(Permission.CALENDAR_WRITE, Target(campus.path))
    return campus


@blueprint.get("/<code>/days")
@signed_in_required
def days(code: str) -> str:
    """The weeks of the term, holidays and make-up days, and the form that sets one."""
    return _days(campus_of(code))


@blueprint.post("/<code>/days")
@signed_in_required
def days_set(code: str) -> Response | tuple[str, int]:
    """Say that days are free, or that a day is a school day."""
    campus = _calendar_of(code)

    def act() -> None:
        first = day_of("first")
        if first is None:
            raise InputError(N_("The day is missing."), remedy=N_("Choose the first day."))
        set_days(
            campus, first, day_of("last"),
            kind=DayKind.MAKE_UP if request.form.get("kind") == DayKind.MAKE_UP else DayKind.HOLIDAY,
            as_weekday=number_of("as_weekday"),
            name=request.form.get("name", ""), name_en=request.form.get("name_en", ""), actor=current_person(),
        )  # fmt: skip

    said = gettext("Set. Look at the check for lessons that lie on a free day now.")
    return carried_out(act, said, "days", campus, lambda problems: _days(campus, problems))


@blueprint.post("/<code>/days/<int:number>/remove")
@signed_in_required
def days_remove(code: str, number: int) -> Response | tuple[str, int]:
    """Take back what was said of a day."""
    campus = _calendar_of(code)
    row = own_day(campus, number)
    return carried_out(
        lambda: remove_day(campus, row, actor=current_person()),
        gettext("Removed."), "days", campus, lambda problems: _days(campus, problems),
    )  # fmt: skip


def _days(campus: Organisation, problems: Sequence[BridgeError] = ()) -> str:
    term = term_in_hand(campus)
    return page(
        "days",
        campus,
        problems,
        term=term,
        weeks=teaching_weeks(campus, term) if term is not None else [],
        odd=_odd,
        rows=departures(campus, term) if term is not None else [],
        present=today(campus.zone),
        weekdays=[(str(n), gettext(name)) for n, name in enumerate(WEEKDAYS)],
        kinds=[
            (DayKind.HOLIDAY.value, gettext("No school")),
            (DayKind.MAKE_UP.value, gettext("School day (make-up day)")),
        ],
    )


def _odd(week: TeachingWeek) -> bool:
    return week.number % 2 == 1


@blueprint.get("/<code>/grids")
@signed_in_required
def grids(code: str) -> str:
    """The period grids and the limits of online teaching, with their forms."""
    return _grids(campus_of(code))


@blueprint.post("/<code>/grids")
@signed_in_required
def grids_set(code: str) -> Response | tuple[str, int]:
    """Set a grid, or some weekdays of one."""
    campus = _calendar_of(code)

    def act() -> None:
        times, problems = parse_times(request.form.get("times", ""))
        weekdays = [int(day) for day in request.form.getlist("weekdays") if day in "0123456" and len(day) == 1]
        if not weekdays:
            problems.append(InputError(N_("No weekday was chosen."), remedy=N_("Choose the days with these times.")))
        if problems:
            raise BadInputs(problems)
        name = request.form.get("name", "").strip()
        known = next((grid.periods for grid in grids_of(campus.id) if grid.name == name), ())
        set_grid(
            campus, name, with_weekdays(known, times, weekdays),
            online=request.form.get("online") == "online", grades=_grades(request.form.get("grades", "")),
            valid_from=day_of("valid_from"), valid_to=day_of("valid_to"), actor=current_person(),
        )  # fmt: skip

    said = gettext("The grid is set. Lessons keep their times until their week is solved again.")
    return carried_out(act, said, "grids", campus, lambda problems: _grids(campus, problems))


@blueprint.post("/<code>/grids/<int:number>/remove")
@signed_in_required
def grids_remove(code: str, number: int) -> Response | tuple[str, int]:
    """Remove a grid."""
    campus = _calendar_of(code)
    row = grid_of(campus, number)
    return carried_out(
        lambda: remove_grid(campus, row, actor=current_person()),
        gettext("The grid is removed."), "grids", campus, lambda problems: _grids(campus, problems),
    )  # fmt: skip


@blueprint.post("/<code>/limits")
@signed_in_required
def grids_limits(code: str) -> Response | tuple[str, int]:
    """Set the limits of online teaching for a grade."""
    campus = _calendar_of(code)

    def act() -> None:
        periods, minutes = number_of("periods_per_day"), number_of("minutes_per_lesson")
        if periods is None or minutes is None:
            raise InputError(N_("A figure is missing."), remedy=N_("Give the periods a day and the minutes at a time."))
        set_limits(
            campus, request.form.get("grade", ""), periods_per_day=periods, minutes_per_lesson=minutes,
            screen_minutes_per_day=number_of("screen_minutes"), homework_minutes_per_day=number_of("homework_minutes"),
            periods_in_a_row=number_of("periods_in_a_row"), source=request.form.get("source", "")[:255],
            actor=current_person(),
        )  # fmt: skip

    return carried_out(act, gettext("The limits are set."), "grids", campus, lambda problems: _grids(campus, problems))


def _grids(campus: Organisation, problems: Sequence[BridgeError] = ()) -> str:
    grades = sorted({group.grade for group in classes_of(campus)}, key=lambda grade: (len(grade), grade))
    limits = limits_by_grade(campus, set(grades))
    return page(
        "grids",
        campus,
        problems,
        grids=[(grid, _times(grid)) for grid in grids_of(campus.id)],
        grades=[(grade, grade) for grade in grades],
        limits=[(grade, limits[grade]) for grade in grades],
        weekdays=[(str(n), gettext(name)) for n, name in enumerate(WEEKDAYS)],
    )


def _times(grid: Grid) -> list[tuple[str, list[str]]]:
    """The times of a grid with the weekdays that have them, those with the same times together."""
    found: dict[tuple[str, ...], list[int]] = {}
    for weekday in range(7):
        times = tuple(f"{period.number}. {period.hours()}" for period in grid.on(weekday))
        if times:
            found.setdefault(times, []).append(weekday)
    return [
        (gettext(", ").join(gettext(WEEKDAYS[weekday]) for weekday in weekdays), list(times))
        for times, weekdays in found.items()
    ]


def _grades(typed: str) -> list[str]:
    return [part for part in re.split(r"[\s,，、;]+", typed) if part]


@blueprint.get("/<code>/rooms")
@signed_in_required
def rooms(code: str) -> str:
    """The accounts of video systems that serve the campus, and how many rooms each holds at once."""
    return _rooms(campus_of(code))


@blueprint.post("/<code>/rooms/<uid>")
@signed_in_required
def rooms_set(code: str, uid: str) -> Response | tuple[str, int]:
    """Say how many rooms an account holds, for those who administer the organisation that it belongs to."""
    campus = campus_of(code)
    account = next((a for a in accounts_for(campus) if a.uid == uid), None)
    if account is None:
        raise NotFound()
    require(Permission.SYSTEM, Target(_owner(account).path))
    return carried_out(
        lambda: set_rooms(account, number_of("count"), actor=current_person()),
        gettext("Set. It holds from the next week that is solved."),
        "rooms", campus, lambda problems: _rooms(campus, problems),
    )  # fmt: skip


def _rooms(campus: Organisation, problems: Sequence[BridgeError] = ()) -> str:
    scope, accounts = current_scope(), accounts_for(campus)
    rows = [
        {"account": a, "owner": _owner(a), "may": scope.allows(Permission.SYSTEM, Target(_owner(a).path))}
        for a in accounts
    ]
    known = [a.concurrent_rooms for a in accounts if a.concurrent_rooms is not None]
    total = sum(known) if accounts and len(known) == len(accounts) else None
    return page("rooms", campus, problems, rows=rows, total=total)


def _owner(account: ProviderAccount) -> Organisation:
    return db.session.scalars(sa.select(Organisation).where(Organisation.id == account.organisation_id)).one()
