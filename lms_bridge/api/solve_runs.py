"""Routes of solve runs below ``/api/v1/solve-runs``: begin to solve a week, see how it goes, end it."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from apiflask import APIBlueprint

from lms_bridge.api import timetable_schemas as schemas
from lms_bridge.api import timetable_views as views
from lms_bridge.api.callers import auth, caller, require
from lms_bridge.api.named import campus_within
from lms_bridge.calendar.days import iso_week, monday_of
from lms_bridge.core.access import Permission, Target
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import InputError, NotFound
from lms_bridge.core.i18n import N_
from lms_bridge.roster.models import Organisation
from lms_bridge.timetable.making import runs, sharing
from lms_bridge.timetable.models import SolveRun

blueprint = APIBlueprint("api_solve_runs", __name__, url_prefix="/api/v1/solve-runs", tag="Solving")


def _found(uid: str) -> SolveRun:
    row = db.session.scalar(sa.select(SolveRun).where(SolveRun.uid == uid).execution_options(populate_existing=True))
    if row is None:
        raise NotFound()
    scope = require(Permission.TIMETABLE_WRITE)
    for part in row.parts:
        scope.require(Permission.TIMETABLE_WRITE, Target(part.campus.path))
    return row


def _below(paths: Iterable[str]) -> sa.ColumnElement[bool]:
    return sa.or_(sa.false(), *(Organisation.path.startswith(path, autoescape=True) for path in paths))


def _asked(asked: schemas.SolveIn, week: str) -> list[Organisation]:
    """The campuses to solve, all of them within the caller's reach.

    :raises InputError: not exactly one of ``campus``, ``campuses`` and ``group`` is given.
    """
    if sum((asked.campus is not None, bool(asked.campuses), asked.group is not None)) != 1:
        raise InputError(
            N_("Say for whom the week is to be solved."),
            remedy=N_("Give exactly one of “campus”, “campuses” and “group”."),
        )
    scope = require(Permission.TIMETABLE_WRITE)
    if asked.group is not None:
        group = db.session.scalar(sa.select(Organisation).filter_by(code=asked.group.strip()))
        if group is None:
            raise NotFound()
        scope.require(Permission.TIMETABLE_WRITE, Target(group.path))
        found = sharing.campuses_below(group)
    else:
        codes = dict.fromkeys(code.strip() for code in asked.campuses or [asked.campus or ""])
        found = [campus_within(scope, Permission.TIMETABLE_WRITE, code) for code in codes]
    if asked.together:
        within = sharing.all_campuses(_below(scope.paths(Permission.TIMETABLE_WRITE)))
        found = sharing.with_all_that_share(found, week, within)
    return found


@blueprint.post("")
@blueprint.auth_required(auth)
@blueprint.input(schemas.SolveIn)
@blueprint.output(schemas.RunOut, status_code=202)
def start(json_data: schemas.SolveIn) -> schemas.RunOut:
    """Begin to solve a week of a campus, or of several together; ask for the run until it is done. The answer is one
    proposed change set for each campus; putting one of them in force puts all in force. What is being solved already
    is not begun again: the answer is that run."""
    week = iso_week(monday_of(json_data.week))
    campuses = _asked(json_data, week)
    with transaction():
        row = runs.start(campuses, week, actor=caller())
        return views.run(row)


@blueprint.get("")
@blueprint.auth_required(auth)
@blueprint.input(schemas.RunsQuery, location="query")
@blueprint.output(schemas.RunPage)
def listed(query_data: schemas.RunsQuery) -> schemas.RunPage:
    """The runs that a campus is part of, the newest first."""
    scope = require(Permission.TIMETABLE_WRITE)
    campus = campus_within(scope, Permission.TIMETABLE_WRITE, query_data.campus)
    chosen = runs.of_campus(campus, scope.paths(Permission.TIMETABLE_WRITE))
    total = db.session.scalar(sa.select(sa.func.count()).select_from(chosen.order_by(None).subquery())) or 0
    rows = db.session.scalars(
        chosen.limit(query_data.per_page).offset((query_data.page - 1) * query_data.per_page)
    ).all()
    items = [views.run(row) for row in rows]
    return schemas.RunPage(items=items, **views.paged(total, query_data.page, query_data.per_page))


@blueprint.get("/<uid>")
@blueprint.auth_required(auth)
@blueprint.output(schemas.RunOut)
def one(uid: str) -> schemas.RunOut:
    """How a run stands."""
    return views.run(_found(uid))


@blueprint.post("/<uid>/cancel")
@blueprint.auth_required(auth)
@blueprint.output(schemas.RunOut)
def cancel(uid: str) -> schemas.RunOut:
    """End a run; the best timetable found so far is proposed, if there is one. 409: it is over already."""
    with transaction():
        row = _found(uid)
        runs.cancel(row, caller())
        return views.run(row)
