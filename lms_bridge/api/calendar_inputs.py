"""Routes of a campus's calendar below ``/api/v1/campuses``: period grids, school days, limits of online teaching,
online rooms. What is stated holds from the next week that is solved."""

from __future__ import annotations

import sqlalchemy as sa
from apiflask import APIBlueprint

from lms_bridge.api import campus_schemas as schemas
from lms_bridge.api.callers import auth, caller, require
from lms_bridge.api.named import campus_to_plan
from lms_bridge.calendar import own_days
from lms_bridge.calendar.days import teaching_weeks, term_in_hand
from lms_bridge.calendar.grids import Grid, PeriodTime, grid_of, grids_of, remove_grid, set_grid
from lms_bridge.calendar.limits import Limits, limits_by_grade, limits_for, set_limits
from lms_bridge.calendar.models import DayKind
from lms_bridge.core.access import Permission, Target
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import NotFound
from lms_bridge.lessons.capacity import set_rooms
from lms_bridge.lessons.models import ProviderAccount
from lms_bridge.lessons.providers import accounts_for
from lms_bridge.roster.classes import classes_of
from lms_bridge.roster.models import Organisation

blueprint = APIBlueprint("api_calendar_inputs", __name__, url_prefix="/api/v1/campuses", tag="Rules and inputs")


@blueprint.get("/<code>/grids")
@blueprint.auth_required(auth)
@blueprint.output(schemas.Grids)
def grids(code: str) -> schemas.Grids:
    """The period grids of a campus."""
    return schemas.Grids(grids=[_grid(grid) for grid in grids_of(campus_to_plan(code).id)])


@blueprint.post("/<code>/grids")
@blueprint.auth_required(auth)
@blueprint.input(schemas.GridIn)
@blueprint.output(schemas.GridOut, 201)
def put_grid(code: str, json_data: schemas.GridIn) -> schemas.GridOut:
    """Set a period grid, in place of one of the same name. Lessons keep their times until their week is solved
    again."""
    campus = campus_to_plan(code, Permission.CALENDAR_WRITE)
    periods = [PeriodTime(p.weekday, p.number, p.starts, p.ends) for p in json_data.periods]
    with transaction():
        row = set_grid(
            campus, json_data.name, periods, online=json_data.online, grades=json_data.grades,
            valid_from=json_data.valid_from, valid_to=json_data.valid_to, actor=caller(),
        )  # fmt: skip
        number = row.id
    return next(_grid(grid) for grid in grids_of(campus.id) if grid.id == number)


@blueprint.delete("/<code>/grids/<int:number>")
@blueprint.auth_required(auth)
@blueprint.output(schemas.Nothing)
def delete_grid(code: str, number: int) -> schemas.Nothing:
    """Remove a period grid."""
    campus = campus_to_plan(code, Permission.CALENDAR_WRITE)
    with transaction():
        remove_grid(campus, grid_of(campus, number), actor=caller())
    return schemas.Nothing()


@blueprint.get("/<code>/school-days")
@blueprint.auth_required(auth)
@blueprint.output(schemas.SchoolDays)
def school_days(code: str) -> schemas.SchoolDays:
    """The weeks of the term in hand, and the holidays and make-up days of the country and the school."""
    return _school_days(campus_to_plan(code))


@blueprint.post("/<code>/school-days")
@blueprint.auth_required(auth)
@blueprint.input(schemas.SchoolDaysIn)
@blueprint.output(schemas.SchoolDays, 201)
def put_school_days(code: str, json_data: schemas.SchoolDaysIn) -> schemas.SchoolDays:
    """Say that days are free, or that a day is a school day, in place of what was said of them before."""
    campus = campus_to_plan(code, Permission.CALENDAR_WRITE)
    with transaction():
        own_days.set_days(
            campus, json_data.first_day, json_data.last_day, kind=DayKind(json_data.kind),
            as_weekday=json_data.as_weekday, name=json_data.name, name_en=json_data.name_en, actor=caller(),
        )  # fmt: skip
    return _school_days(campus)


@blueprint.delete("/<code>/school-days/<int:number>")
@blueprint.auth_required(auth)
@blueprint.output(schemas.Nothing)
def delete_school_day(code: str, number: int) -> schemas.Nothing:
    """Take back what the campus said of a day."""
    campus = campus_to_plan(code, Permission.CALENDAR_WRITE)
    with transaction():
        own_days.remove_day(campus, own_days.own_day(campus, number), actor=caller())
    return schemas.Nothing()


@blueprint.get("/<code>/online-limits")
@blueprint.auth_required(auth)
@blueprint.output(schemas.OnlineLimits)
def online_limits(code: str) -> schemas.OnlineLimits:
    """How much online teaching each grade of a campus may have."""
    campus = campus_to_plan(code)
    grades = list(dict.fromkeys(group.grade for group in classes_of(campus)))
    found = limits_by_grade(campus, set(grades))
    return schemas.OnlineLimits(limits=[_limit(grade, found[grade]) for grade in grades])


@blueprint.put("/<code>/online-limits/<grade>")
@blueprint.auth_required(auth)
@blueprint.input(schemas.OnlineLimitIn)
@blueprint.output(schemas.OnlineLimitOut)
def put_online_limit(code: str, grade: str, json_data: schemas.OnlineLimitIn) -> schemas.OnlineLimitOut:
    """Set the limits of a grade for the campus."""
    campus = campus_to_plan(code, Permission.CALENDAR_WRITE)
    with transaction():
        set_limits(campus, grade, **json_data.model_dump(), actor=caller())
    return _limit(grade, limits_for(campus, grade))


@blueprint.get("/<code>/rooms")
@blueprint.auth_required(auth)
@blueprint.output(schemas.Accounts)
def rooms(code: str) -> schemas.Accounts:
    """How many online lessons the accounts that serve a campus hold at once."""
    return _rooms(campus_to_plan(code))


@blueprint.put("/<code>/rooms/<uid>")
@blueprint.auth_required(auth)
@blueprint.input(schemas.RoomsIn)
@blueprint.output(schemas.Accounts)
def put_rooms(code: str, uid: str, json_data: schemas.RoomsIn) -> schemas.Accounts:
    """Say how many rooms an account holds, for those who administer the organisation that it belongs to."""
    campus = campus_to_plan(code)
    account = next((a for a in accounts_for(campus) if a.uid == uid), None)
    if account is None:
        raise NotFound()
    require(Permission.SYSTEM, Target(_owner(account).path))
    with transaction():
        set_rooms(account, json_data.rooms, actor=caller())
    return _rooms(campus)


def _grid(grid: Grid) -> schemas.GridOut:
    return schemas.GridOut(
        number=grid.id,
        name=grid.name,
        online=grid.online,
        grades=sorted(grid.grades),
        valid_from=grid.valid_from,
        valid_to=grid.valid_to,
        periods=[
            schemas.PeriodOut(weekday=p.weekday, number=p.number, starts=f"{p.starts:%H:%M}", ends=f"{p.ends:%H:%M}")
            for p in grid.periods
        ],
    )


def _school_days(campus: Organisation) -> schemas.SchoolDays:
    term = term_in_hand(campus)
    if term is None:
        return schemas.SchoolDays(term=None, weeks=[], days=[])
    return schemas.SchoolDays(
        term=term.code,
        weeks=[
            schemas.TeachingWeekOut(number=week.number, week=week.iso, days=[teaching.day for teaching in week.days])
            for week in teaching_weeks(campus, term)
        ],
        days=[_departure(row) for row in own_days.departures(campus, term)],
    )


def _departure(row: own_days.Departure) -> schemas.DepartureOut:
    return schemas.DepartureOut(
        number=row.own.id if row.own is not None and row.removable else None,
        day=row.day,
        school=not row.off,
        as_weekday=row.weekday,
        name=row.name,
        name_en=row.name_en,
        set_by="campus" if row.removable else "above" if row.own is not None else "country",
    )


def _limit(grade: str, limits: Limits) -> schemas.OnlineLimitOut:
    return schemas.OnlineLimitOut(
        grade=grade,
        periods_per_day=limits.periods_per_day,
        minutes_per_lesson=limits.minutes_per_lesson,
        screen_minutes_per_day=limits.screen_minutes_per_day,
        homework_minutes_per_day=limits.homework_minutes_per_day,
        periods_in_a_row=limits.periods_in_a_row,
        source=limits.source,
        is_default=limits.is_default,
    )


def _rooms(campus: Organisation) -> schemas.Accounts:
    accounts = accounts_for(campus)
    known = [account.concurrent_rooms for account in accounts if account.concurrent_rooms is not None]
    return schemas.Accounts(
        total=sum(known) if accounts and len(known) == len(accounts) else None,
        accounts=[
            schemas.AccountOut(uid=a.uid, name=a.name, organisation=_owner(a).code, rooms=a.concurrent_rooms)
            for a in accounts
        ],
    )


def _owner(account: ProviderAccount) -> Organisation:
    return db.session.scalars(sa.select(Organisation).where(Organisation.id == account.organisation_id)).one()
