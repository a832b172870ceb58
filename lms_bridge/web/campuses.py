"""The campuses that a person may choose from on a page."""

from __future__ import annotations

import re

import sqlalchemy as sa

from lms_bridge.core.access import Permission, Scope
from lms_bridge.core.database import db
from lms_bridge.roster.models import ClassGroup, Organisation, OrganisationKind


def campuses_within(scope: Scope, permission: Permission) -> list[Organisation]:
    """The campuses that the permission covers whole, in order of their codes."""
    below = [Organisation.path.startswith(path, autoescape=True) for path in scope.paths(permission)]
    return list(
        db.session.scalars(
            sa.select(Organisation)
            .where(
                Organisation.kind == OrganisationKind.CAMPUS,
                Organisation.valid_to.is_(None),
                sa.or_(sa.false(), *below),
            )
            .order_by(Organisation.code)
        )
    )


def class_order(group: ClassGroup) -> tuple[int, str, list[tuple[int, str]]]:
    """Sorts classes as a school lists them: by grade, then by the numbers in their codes ("5-2" before "5-10")."""
    number = re.search(r"\d+", group.grade)
    parts = [(int(part), "") if part.isdigit() else (0, part) for part in re.split(r"(\d+)", group.code)]
    return (int(number[0]) if number else 0, group.grade if number is None else "", parts)
