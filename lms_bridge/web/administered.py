"""The organisations whose systems the signed-in person administers, for forms that ask "for which organisation?"."""

from __future__ import annotations

import sqlalchemy as sa

from lms_bridge.core.access import Permission
from lms_bridge.core.database import db
from lms_bridge.core.errors import NotFound
from lms_bridge.roster.models import Organisation
from lms_bridge.web.session import current_scope


def organisations() -> list[Organisation]:
    """All of them, those above before those below."""
    below = [Organisation.path.startswith(p, autoescape=True) for p in current_scope().paths(Permission.SYSTEM)]
    query = sa.select(Organisation).where(sa.or_(sa.false(), *below), Organisation.valid_to.is_(None))
    return list(db.session.scalars(query.order_by(Organisation.path)))


def organisation(uid: str) -> Organisation:
    """The one with this uid.

    :raises NotFound: there is none, or the person does not administer it.
    """
    found = next((row for row in organisations() if row.uid == uid), None)
    if found is None:
        raise NotFound()
    return found
