"""The campuses that a person may choose from on a page."""

from __future__ import annotations

import sqlalchemy as sa

from lms_bridge.core.access import Permission, Scope
from lms_bridge.core.database import db
from lms_bridge.roster.models import Organisation, OrganisationKind


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
