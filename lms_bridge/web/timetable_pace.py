"""How far lessons have come in the plans: of the classes of a campus (or one's own), and of one class in a subject."""

from __future__ import annotations

import sqlalchemy as sa
from apiflask import APIBlueprint
from flask import render_template, request

from lms_bridge.calendar.days import teaching_weeks, term_in_hand
from lms_bridge.core.access import Permission, Role, Scope, Target
from lms_bridge.core.database import db
from lms_bridge.core.errors import NotFound
from lms_bridge.core.i18n import get_locale
from lms_bridge.plans.models import TeachingPlan
from lms_bridge.roster.classes import classes_of
from lms_bridge.roster.models import ClassGroup, Subject
from lms_bridge.timetable.reports.progress import class_progress, pace, present_week, progress_of, unit_names
from lms_bridge.web.campuses import campuses_within
from lms_bridge.web.session import require, signed_in_required

blueprint = APIBlueprint("pace", __name__, url_prefix="/pace", enable_openapi=False)


@blueprint.get("")
@signed_in_required
def overview() -> str:
    """The classes of a campus, or those that the person teaches."""
    scope = require(Permission.TIMETABLE_READ)
    campuses = campuses_within(scope, Permission.TIMETABLE_READ)
    code = request.args.get("campus")
    campus = next((c for c in campuses if code is None or c.code == code), None)
    groups = classes_of(campus) if campus is not None else _taught(scope)
    if campus is None and not groups:
        raise NotFound()
    rows = progress_of(groups)
    return render_template(
        "timetable/pace.html",
        campus=campus,
        campuses=[(c.code, c.label(get_locale())) for c in campuses],
        rows=rows,
        units=unit_names({row.plan_id for row in rows}),
        late=sum(row.behind > 0 for row in rows),
        left=sum(row.left_over > 0 for row in rows),
    )


@blueprint.get("/<class_uid>/<int:number>")
@signed_in_required
def course(class_uid: str, number: int) -> str:
    """One class in one subject (by its number), week by week, beside the benchmark."""
    group = db.session.scalar(sa.select(ClassGroup).where(ClassGroup.uid == class_uid))
    subject = db.session.get(Subject, number)
    if group is None or subject is None:
        raise NotFound()
    require(Permission.TIMETABLE_READ, Target(group.campus.path, frozenset({group.id})))
    if not _may_see_plans(group):
        raise NotFound()
    term = term_in_hand(group.campus)
    weeks = pace(group.campus, term, (group.id, subject.id)) if term is not None else []
    if term is None or not weeks:
        raise NotFound()
    row = next(r for r in class_progress(group.campus, term, [group]) if r.subject.id == subject.id)
    return render_template(
        "timetable/pace_course.html",
        row=row,
        weeks=weeks,
        present=present_week(group.campus, teaching_weeks(group.campus, term)),
        unit=unit_names({row.plan_id}).get((row.plan_id, row.unit_key or "")),
        plan=db.session.get_one(TeachingPlan, row.plan_id),
    )


def _may_see_plans(group: ClassGroup) -> bool:
    scope = require(Permission.PLAN_READ)
    return scope.allows(Permission.PLAN_READ, Target(group.campus.path, frozenset({group.id})))


def _taught(scope: Scope) -> list[ClassGroup]:
    if Role.TEACHER not in scope.roles:
        return []
    return list(db.session.scalars(sa.select(ClassGroup).where(ClassGroup.id.in_(scope.taught_class_ids))))
