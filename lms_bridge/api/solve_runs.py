"""Routes of solve runs below ``/api/v1/solve-runs``: begin to solve a week, see how it goes, end it."""

from __future__ import annotations

import sqlalchemy as sa
from apiflask import APIBlueprint

from lms_bridge.api import timetable_schemas as schemas
from lms_bridge.api import timetable_views as views
from lms_bridge.api.callers import auth, caller, require
from lms_bridge.api.named import campus_within
from lms_bridge.calendar.days import iso_week, monday_of
from lms_bridge.core.access import Permission, Target
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import NotFound
from lms_bridge.timetable.making import runs
from lms_bridge.timetable.models import SolveRun

blueprint = APIBlueprint("api_solve_runs", __name__, url_prefix="/api/v1/solve-runs", tag="Solving")


def _found(uid: str) -> SolveRun:
    row = db.session.scalar(sa.select(SolveRun).where(SolveRun.uid == uid).execution_options(populate_existing=True))
    if row is None:
        raise NotFound()
    require(Permission.TIMETABLE_WRITE, Target(row.campus.path))
    return row


@blueprint.post("")
@blueprint.auth_required(auth)
@blueprint.input(schemas.SolveIn)
@blueprint.output(schemas.RunOut, status_code=202)
def start(json_data: schemas.SolveIn) -> schemas.RunOut:
    """Begin to solve a week of a campus; ask for the run until it is done. The answer is a proposed change set."""
    campus = campus_within(require(Permission.TIMETABLE_WRITE), Permission.TIMETABLE_WRITE, json_data.campus)
    with transaction():
        row = runs.start(campus, iso_week(monday_of(json_data.week)), actor=caller())
        return views.run(row)


@blueprint.get("")
@blueprint.auth_required(auth)
@blueprint.input(schemas.RunsQuery, location="query")
@blueprint.output(schemas.RunPage)
def listed(query_data: schemas.RunsQuery) -> schemas.RunPage:
    """The runs of a campus, the newest first."""
    campus = campus_within(require(Permission.TIMETABLE_WRITE), Permission.TIMETABLE_WRITE, query_data.campus)
    where = SolveRun.campus_id == campus.id
    total = db.session.scalar(sa.select(sa.func.count()).select_from(SolveRun).where(where)) or 0
    rows = db.session.scalars(
        sa.select(SolveRun)
        .where(where)
        .order_by(SolveRun.id.desc())
        .limit(query_data.per_page)
        .offset((query_data.page - 1) * query_data.per_page)
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
