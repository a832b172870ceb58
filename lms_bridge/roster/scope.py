"""Builds the access scope of a person from roles, enrolments and guardianships of today."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

import sqlalchemy as sa

from lms_bridge.core.access import RULES, Grant, Permission, Reach, Role, Scope
from lms_bridge.core.clock import local, now
from lms_bridge.core.database import db
from lms_bridge.roster.models import (
    ClassGroup,
    Enrolment,
    EnrolmentRole,
    Guardianship,
    Organisation,
    Person,
    RoleAssignment,
)


def valid(table: Any, day: date | sa.BindParameter[date]) -> sa.ColumnElement[bool]:
    """The condition that a row with ``valid_from`` / ``valid_to`` holds on ``day``."""
    return sa.and_(table.valid_from <= day, sa.or_(table.valid_to.is_(None), table.valid_to > day))


def today(zone: str = "Asia/Shanghai") -> date:
    """The date on the wall clock of ``zone``."""
    return local(now(), zone).date()


def holders(permission: Permission, paths: Collection[str]) -> set[int]:
    """The people (by id) whose roles of today give them the permission over all of one of the organisations with these
    paths: the same whose scope allows it, found without making the scope of each."""
    above = {int(part) for path in paths for part in path.strip("/").split("/")}
    roles = [role for role, rules in RULES.items() if Reach.SUBTREE in rules.get(permission, ())]
    return set(
        db.session.scalars(
            sa.select(RoleAssignment.person_id).where(
                RoleAssignment.organisation_id.in_(above),
                RoleAssignment.role.in_(roles),
                valid(RoleAssignment, today()),
            )
        )
    )


def is_teacher(person: Person, day: date) -> bool:
    """Whether a person has the role of a teacher anywhere on ``day``."""
    return (
        db.session.scalar(
            sa.select(RoleAssignment.id)
            .where(
                RoleAssignment.person_id == person.id,
                RoleAssignment.role == Role.TEACHER,
                valid(RoleAssignment, day),
            )
            .limit(1)
        )
        is not None
    )


def scope_for(person: Person, day: date | None = None) -> Scope:
    """What ``person`` may reach on ``day`` (default today). Restricted guardianships give nothing."""
    day = day or today()
    session = db.session
    grants = session.execute(
        sa.select(RoleAssignment.role, Organisation.id, Organisation.path)
        .join(Organisation, Organisation.id == RoleAssignment.organisation_id)
        .where(RoleAssignment.person_id == person.id, valid(RoleAssignment, day))
    ).all()
    own = session.execute(
        sa.select(Enrolment.class_id, Enrolment.role, Enrolment.is_primary, ClassGroup.class_type)
        .join(ClassGroup, ClassGroup.id == Enrolment.class_id)
        .where(Enrolment.person_id == person.id, valid(Enrolment, day))
    ).all()
    roles = {role for role, _, _ in grants}
    children: frozenset[int] = frozenset()
    child_classes: frozenset[int] = frozenset()
    if Role.GUARDIAN in roles:
        children = frozenset(
            session.scalars(
                sa.select(Guardianship.student_id).where(
                    Guardianship.guardian_id == person.id,
                    Guardianship.restricted.is_(False),
                    valid(Guardianship, day),
                )
            )
        )
        if children:
            child_classes = frozenset(
                session.scalars(
                    sa.select(Enrolment.class_id).where(
                        Enrolment.person_id.in_(children),
                        Enrolment.role == EnrolmentRole.STUDENT,
                        valid(Enrolment, day),
                    )
                )
            )
    return Scope(
        person_id=person.id,
        person_uid=person.uid,
        grants=tuple(Grant(role, organisation_id, path) for role, organisation_id, path in grants),
        taught_class_ids=frozenset(c for c, role, _, _ in own if role is EnrolmentRole.TEACHER),
        enrolled_class_ids=frozenset(c for c, role, _, _ in own if role is EnrolmentRole.STUDENT),
        child_ids=children,
        child_class_ids=child_classes,
        homeroom_class_ids=frozenset(c for c, role, primary, _ in own if role is EnrolmentRole.TEACHER and primary),
    )
