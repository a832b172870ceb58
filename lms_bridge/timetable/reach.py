"""Who may see whose week."""

from __future__ import annotations

import sqlalchemy as sa

from lms_bridge.core.access import Permission, Role, Scope, Target
from lms_bridge.core.database import db
from lms_bridge.roster.models import Organisation, Person, RoleAssignment
from lms_bridge.roster.scope import today, valid
from lms_bridge.timetable.models import Lesson


def campuses_of(person: Person, role: Role) -> list[Organisation]:
    """Where a person holds a role today, the main one first."""
    return list(
        db.session.scalars(
            sa.select(Organisation)
            .join(RoleAssignment, RoleAssignment.organisation_id == Organisation.id)
            .where(RoleAssignment.person_id == person.id, RoleAssignment.role == role, valid(RoleAssignment, today()))
            .order_by(RoleAssignment.is_primary.desc(), RoleAssignment.id)
        )
    )


def sees_week_of(scope: Scope, person: Person, campuses: list[Organisation]) -> bool:
    """Whether somebody may see the lessons of a person who is at these campuses."""
    mine = frozenset({person.id})
    targets = [Target(campus.path, frozenset(), mine) for campus in campuses] or [Target(None, frozenset(), mine)]
    return any(scope.allows(Permission.TIMETABLE_READ, target) for target in targets)


def sees_lesson(scope: Scope, lesson: Lesson) -> bool:
    """Whether somebody may see a lesson: of a campus, class or child of theirs, or one that they teach."""
    classes = frozenset(part.class_id for part in lesson.audience)
    teaches = scope.person_id in {part.person_id for part in lesson.teachers}
    return teaches or scope.allows(Permission.TIMETABLE_READ, Target(lesson.campus.path, classes))
