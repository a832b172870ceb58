"""Which plans a person may see, as rows for lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from lms_bridge.core.access import Permission, Scope
from lms_bridge.core.database import db
from lms_bridge.plans.models import Finding, PlanClass, PlanKind, PlanVersion, TeachingPlan, VersionState
from lms_bridge.roster.models import ClassGroup, Enrolment, EnrolmentRole, Organisation, Subject
from lms_bridge.roster.scope import today, valid

LIMIT = 500


@dataclass(frozen=True)
class PlanRow:
    """A plan with its newest version, as a list shows it."""

    plan: TeachingPlan
    version: PlanVersion
    campus: Organisation
    findings: int
    major: int

    @property
    def classes(self) -> str:
        """Codes of its classes."""
        return ", ".join(sorted(link.class_group.code for link in self.plan.classes))


@dataclass(frozen=True)
class Wanted:
    """Which plans a list is about; None: any. ``state`` is that of the newest version, ``class_code`` and ``subject``
    are codes."""

    kind: PlanKind = PlanKind.TEACHING
    state: VersionState | None = None
    subject: str | None = None
    grade: str | None = None
    class_code: str | None = None


def visible_plans(
    scope: Scope, *, kind: PlanKind = PlanKind.TEACHING, state: VersionState | None = None, limit: int = LIMIT
) -> list[PlanRow]:
    """The first ``limit`` of :func:`listed_plans` of this kind and state."""
    return listed_plans(scope, Wanted(kind, state), limit=limit)


def listed_plans(scope: Scope, wanted: Wanted, *, limit: int, offset: int = 0) -> list[PlanRow]:
    """Plans within the scope, by subtree, taught classes or authorship; with a state longest waiting first, else
    newest first."""
    query = (
        _wanted(sa.select(TeachingPlan, PlanVersion, Organisation), scope, wanted)
        .options(
            joinedload(TeachingPlan.subject),
            joinedload(TeachingPlan.author),
            selectinload(TeachingPlan.classes).joinedload(PlanClass.class_group),
        )
        .limit(limit)
        .offset(offset)
    )
    if wanted.state is not None:
        query = query.order_by(PlanVersion.state_at, TeachingPlan.id)
    else:
        query = query.order_by(PlanVersion.state_at.desc(), TeachingPlan.id.desc())
    rows = db.session.execute(query).unique().all()
    counts = _finding_counts([version.id for _, version, _ in rows])
    return [PlanRow(plan, version, campus, *counts.get(version.id, (0, 0))) for plan, version, campus in rows]


def count_plans(scope: Scope, wanted: Wanted) -> int:
    """How many there are of :func:`listed_plans` without a limit."""
    count: int | None = db.session.scalar(_wanted(sa.select(sa.func.count(TeachingPlan.id)), scope, wanted))
    return count or 0


def _wanted(query: Any, scope: Scope, wanted: Wanted) -> Any:
    newest = (
        sa.select(PlanVersion.plan_id, sa.func.max(PlanVersion.number).label("number"))
        .group_by(PlanVersion.plan_id)
        .subquery()
    )
    query = (
        query.select_from(TeachingPlan)
        .join(newest, newest.c.plan_id == TeachingPlan.id)
        .join(PlanVersion, sa.and_(PlanVersion.plan_id == newest.c.plan_id, PlanVersion.number == newest.c.number))
        .join(Organisation, Organisation.id == TeachingPlan.organisation_id)
        .where(TeachingPlan.kind == wanted.kind, TeachingPlan.withdrawn_at.is_(None), _reach(scope))
    )
    if wanted.state is not None:
        query = query.where(PlanVersion.state == wanted.state)
    if wanted.grade is not None:
        query = query.where(TeachingPlan.grade == wanted.grade)
    if wanted.subject is not None:
        query = query.where(TeachingPlan.subject_id.in_(sa.select(Subject.id).where(Subject.code == wanted.subject)))
    if wanted.class_code is not None:
        query = query.where(
            TeachingPlan.id.in_(
                sa.select(PlanClass.plan_id)
                .join(ClassGroup, ClassGroup.id == PlanClass.class_id)
                .where(ClassGroup.code == wanted.class_code)
            )
        )
    return query


def subjects_of(scope: Scope) -> list[Subject]:
    """The subjects of all plans within the scope."""
    subject_ids = _wanted(sa.select(TeachingPlan.subject_id), scope, Wanted())
    return list(db.session.scalars(sa.select(Subject).where(Subject.id.in_(subject_ids)).order_by(Subject.code)))


def _reach(scope: Scope) -> sa.ColumnElement[bool]:
    """The part of a query that keeps what ``scope`` may read."""
    return sa.or_(
        sa.false(),
        TeachingPlan.author_id == scope.person_id,
        *(Organisation.path.startswith(path, autoescape=True) for path in scope.paths(Permission.PLAN_READ)),
        TeachingPlan.id.in_(sa.select(PlanClass.plan_id).where(PlanClass.class_id.in_(scope.taught_class_ids))),
    )


def _finding_counts(version_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    rows = db.session.execute(
        sa.select(
            Finding.version_id,
            sa.func.count(),
            sa.func.sum(sa.case((Finding.severity == "major", 1), else_=0)),
        )
        .where(Finding.version_id.in_(version_ids))
        .group_by(Finding.version_id)
    )
    return {version_id: (count, major) for version_id, count, major in rows}


def teachable(scope: Scope) -> list[tuple[ClassGroup, Subject, bool]]:
    """The (class, subject) pairs that a person may bring a plan for, and whether there is one already: what they
    teach, and for administrators what is taught at their campuses."""
    subject_id = sa.func.coalesce(Enrolment.subject_id, ClassGroup.subject_id)
    paths = scope.paths(Permission.PLAN_WRITE)
    query = (
        sa.select(ClassGroup, Subject, PlanClass.id)
        .join(Enrolment, Enrolment.class_id == ClassGroup.id)
        .join(Subject, Subject.id == subject_id)
        .join(Organisation, Organisation.id == ClassGroup.campus_id)
        .outerjoin(
            PlanClass,
            sa.and_(
                PlanClass.class_id == ClassGroup.id,
                PlanClass.subject_id == subject_id,
                PlanClass.term_id == ClassGroup.term_id,
            ),
        )
        .where(
            Enrolment.role == EnrolmentRole.TEACHER,
            valid(Enrolment, today()),
            ClassGroup.valid_to.is_(None),
            sa.or_(
                Enrolment.person_id == scope.person_id,
                *(Organisation.path.startswith(path, autoescape=True) for path in paths),
            ),
        )
        .options(joinedload(ClassGroup.campus))
        .order_by(Organisation.code, ClassGroup.code, Subject.code)
        .distinct()
    )
    return [(group, subject, plan is not None) for group, subject, plan in db.session.execute(query).unique()]
