"""Who may read a plan, and who may take part in talking about it."""

from __future__ import annotations

import sqlalchemy as sa

from lms_bridge.core.access import Permission, Role, Scope
from lms_bridge.core.database import db
from lms_bridge.core.errors import Forbidden
from lms_bridge.core.i18n import N_
from lms_bridge.plans.lookup import plan_access
from lms_bridge.plans.models import TeachingPlan
from lms_bridge.roster.models import Enrolment, EnrolmentRole, Organisation, Person, RoleAssignment
from lms_bridge.roster.scope import holders, today, valid


def readers_of(plan: TeachingPlan) -> list[Person]:
    """Everybody who may read ``plan`` today by a role of theirs, in the order of their names: the same people whose
    scope allows it, found without making the scope of each."""
    path = db.session.get_one(Organisation, plan.organisation_id).path
    ids = holders(Permission.PLAN_READ, [path]) | _teachers(plan)
    return sorted(
        db.session.scalars(
            sa.select(Person).where(Person.id.in_(ids), Person.erased_at.is_(None), Person.valid_to.is_(None))
        ),
        key=lambda person: (person.display_name, person.id),
    )


def _teachers(plan: TeachingPlan) -> set[int]:
    """Those who are teachers today and whom the plan concerns: by its classes, its subject there, or as its author."""
    day = today()
    concerned = set(plan_access(plan).read.person_ids)
    concerned |= set(
        db.session.scalars(
            sa.select(Enrolment.person_id).where(
                Enrolment.class_id.in_([link.class_id for link in plan.classes]),
                Enrolment.role == EnrolmentRole.TEACHER,
                valid(Enrolment, day),
            )
        )
    )
    return set(
        db.session.scalars(
            sa.select(RoleAssignment.person_id).where(
                RoleAssignment.person_id.in_(concerned),
                RoleAssignment.role == Role.TEACHER,
                valid(RoleAssignment, day),
            )
        )
    )


def may_discuss(plan: TeachingPlan, scope: Scope) -> bool:
    """Whether somebody may comment on ``plan``: those who may write it, and those who review it."""
    access = plan_access(plan)
    return scope.allows(Permission.PLAN_WRITE, access.write) or scope.allows(Permission.PLAN_REVIEW, access.read)


def require_discussion(plan: TeachingPlan, scope: Scope) -> None:
    """Pass silently if somebody may comment on ``plan``.

    :raises NotFound: they may not even read it. :raises Forbidden: they may read it and no more.
    """
    if may_discuss(plan, scope):
        return
    scope.require(Permission.PLAN_READ, plan_access(plan).read)
    raise Forbidden(
        N_("Only the plan's teachers and the researchers can comment on it."),
        remedy=N_("Speak to the plan's author."),
    )
