"""The home page: one question for each role that the person has, everything else one step away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from apiflask import APIBlueprint
from flask import render_template

from lms_bridge.attendance.corrections import verdicts_of
from lms_bridge.core import health
from lms_bridge.core.access import Permission, Role, Scope
from lms_bridge.core.database import db
from lms_bridge.core.plugins import Check
from lms_bridge.plans.listing import visible_plans
from lms_bridge.plans.models import PlanVersion, TeachingPlan, VersionState
from lms_bridge.roster.models import Organisation, Person
from lms_bridge.supervision.homework import open_of
from lms_bridge.timetable.cases.cases import cases_within
from lms_bridge.timetable.cases.models import CaseState
from lms_bridge.timetable.models import Lesson, LessonStatus
from lms_bridge.timetable.queries import lessons_between, lessons_of_student
from lms_bridge.web import case_words, day
from lms_bridge.web.session import current_person, current_scope, signed_in_required

blueprint = APIBlueprint("home", __name__, enable_openapi=False)

DEFAULT_ZONE = "Asia/Shanghai"


@dataclass(frozen=True)
class Child:
    """A guardian's child with their day."""

    person: Person
    day: day.Day


@blueprint.get("/")
@signed_in_required
def home() -> str:
    """What matters to this person now, by role."""
    person, scope = current_person(), current_scope()
    zone = _zone(person, scope)
    roles = scope.roles
    return render_template(
        "home/home.html",
        roles=roles,
        zone=zone,
        student=_student(person, zone) if Role.STUDENT in roles else None,
        homework=open_of(person.id, zone) if Role.STUDENT in roles else [],
        teacher=_teacher(person, zone) if Role.TEACHER in roles else None,
        returned=visible_plans(scope, state=VersionState.RETURNED, limit=5) if Role.TEACHER in roles else [],
        children=_children(scope, zone) if Role.GUARDIAN in roles else None,
        waiting=visible_plans(scope, state=VersionState.SUBMITTED, limit=8) if Role.RESEARCHER in roles else None,
        decide=_to_decide(scope) if scope.may(Permission.TIMETABLE_WRITE) else None,
        system=_system(scope, zone) if scope.may(Permission.ROSTER_WRITE) else None,
    )


def _zone(person: Person, scope: Scope) -> str:
    if person.zone:
        return person.zone
    ids = [grant.organisation_id for grant in scope.grants]
    zone = db.session.scalar(sa.select(Organisation.zone).where(Organisation.id.in_(ids)).limit(1))
    return zone or DEFAULT_ZONE


def _student(person: Person, zone: str) -> day.Day:
    lessons = lessons_of_student(person.id, *day.bounds(zone), with_cancelled=True)
    return day.arrange(lessons, zone, verdicts=verdicts_of(person.id, [lesson.id for lesson in lessons]))


def _teacher(person: Person, zone: str) -> day.Day:
    lessons = lessons_between(*day.bounds(zone), teacher_id=person.id, with_cancelled=True)
    return day.arrange(lessons, zone, of_teacher=True)


def _children(scope: Scope, zone: str) -> list[Child]:
    people = db.session.scalars(sa.select(Person).where(Person.id.in_(scope.child_ids)).order_by(Person.id))
    return [Child(child, _student(child, zone)) for child in people]


def _to_decide(scope: Scope) -> list[dict[str, Any]]:
    """What upsets the timetable and waits for a decision, the newest first."""
    return [
        {"uid": case.uid, "title": case_words.case_title(case), "when": case_words.case_when(case)}
        for case in cases_within(scope, state=CaseState.OPEN, limit=8)
    ]


def _system(scope: Scope, zone: str) -> dict[str, Any]:
    """Whether everything runs, and the figures of the administrator's organisations."""
    start, _ = day.bounds(zone)
    below = [Organisation.path.startswith(p, autoescape=True) for p in scope.paths(Permission.ROSTER_WRITE)]
    campuses = sa.select(Organisation.id).where(sa.or_(sa.false(), *below))
    lessons = db.session.scalar(
        sa.select(sa.func.count())
        .select_from(Lesson)
        .where(
            Lesson.campus_id.in_(campuses),
            Lesson.starts_at >= start,
            Lesson.starts_at < start + day.LOOK_AHEAD / 2,
            Lesson.status == LessonStatus.SCHEDULED,
        )
    )
    states = db.session.execute(
        sa.select(PlanVersion.state, sa.func.count())
        .join(TeachingPlan, TeachingPlan.id == PlanVersion.plan_id)
        .where(TeachingPlan.organisation_id.in_(campuses), PlanVersion.state != VersionState.SUPERSEDED)
        .group_by(PlanVersion.state)
    )
    counts = {row[0]: row[1] for row in states}
    checks: list[Check] = []
    if scope.may(Permission.SYSTEM):
        checks = [*health.readiness(), health.check_jobs()]
    return {
        "lessons": lessons or 0,
        "approved": counts.get(VersionState.APPROVED, 0),
        "waiting": counts.get(VersionState.SUBMITTED, 0),
        "checks": checks,
    }
