"""Routes of how far lessons have come in the plans, below ``/api/v1/pace``."""

from __future__ import annotations

import sqlalchemy as sa
from apiflask import APIBlueprint

from lms_bridge.api import campus_schemas as schemas
from lms_bridge.api.callers import auth, require
from lms_bridge.api.named import campus_within
from lms_bridge.calendar.days import term_in_hand
from lms_bridge.core.access import Permission, Target
from lms_bridge.core.database import db
from lms_bridge.core.errors import NotFound
from lms_bridge.plans.errors import UnknownCode
from lms_bridge.plans.lookup import class_by_code, subject_by_code
from lms_bridge.roster.classes import classes_of
from lms_bridge.roster.models import ClassGroup
from lms_bridge.timetable.reports.progress import Progress, class_progress, pace, progress_of, unit_names

blueprint = APIBlueprint("api_pace", __name__, url_prefix="/api/v1/pace", tag="Timetable")


@blueprint.get("")
@blueprint.auth_required(auth)
@blueprint.input(schemas.PaceQuery, location="query")
@blueprint.output(schemas.Pace)
def overview(query_data: schemas.PaceQuery) -> schemas.Pace:
    """How far the classes of a campus, or those that the caller teaches, are in each subject at the end of this
    week."""
    scope = require(Permission.TIMETABLE_READ)
    if query_data.campus is not None:
        groups = classes_of(campus_within(scope, Permission.TIMETABLE_READ, query_data.campus))
    else:
        taught = sa.select(ClassGroup).where(ClassGroup.id.in_(scope.taught_class_ids))
        groups = list(db.session.scalars(taught))
    rows = progress_of(groups)
    units = unit_names({row.plan_id for row in rows})
    return schemas.Pace(courses=[schemas.ProgressOut.model_validate(_said(row, units)) for row in rows])


@blueprint.get("/weeks")
@blueprint.auth_required(auth)
@blueprint.input(schemas.CoursePaceQuery, location="query")
@blueprint.output(schemas.CoursePace)
def course(query_data: schemas.CoursePaceQuery) -> schemas.CoursePace:
    """One class in one subject, week by week, beside the benchmark. 404 where no plan is approved."""
    require(Permission.TIMETABLE_READ)
    try:
        group, subject = class_by_code(query_data.class_), subject_by_code(query_data.subject)
    except UnknownCode:
        raise NotFound() from None
    target = Target(group.campus.path, frozenset({group.id}))
    require(Permission.TIMETABLE_READ, target)
    require(Permission.PLAN_READ, target)
    term = term_in_hand(group.campus)
    weeks = pace(group.campus, term, (group.id, subject.id)) if term is not None else []
    if term is None or not weeks:
        raise NotFound()
    row = next(r for r in class_progress(group.campus, term, [group]) if r.subject.id == subject.id)
    return schemas.CoursePace.model_validate(
        _said(row, unit_names({row.plan_id}))
        | {
            "weeks": [
                schemas.PaceWeekOut(
                    number=week.number, week=week.iso, planned=week.planned, taught=week.taught,
                    benchmark=week.benchmark, like_benchmark=week.like_benchmark,
                )
                for week in weeks
            ]
        }
    )  # fmt: skip


def _said(row: Progress, units: dict[tuple[int, str], str]) -> dict[str, object]:
    return {
        "campus": row.group.campus.code,
        "class": row.group.code,
        "subject": row.subject.code,
        "planned": row.planned,
        "taught": row.taught,
        "total": row.total,
        "behind": row.behind,
        "left_over": row.left_over,
        "unit": units.get((row.plan_id, row.unit_key or "")),
    }
