"""Which classes a course of an LMS stands for."""

from __future__ import annotations

import sqlalchemy as sa

from lms_bridge.core.database import db
from lms_bridge.core.models import ExternalId
from lms_bridge.roster.lms_identity import ROSTERS
from lms_bridge.roster.models import ClassGroup, Organisation


def classes_of(key: str) -> list[int]:
    """The ids of the classes that a course of an LMS stands for, by the identifier that it carries: that of the
    imported roster, ``CAMPUS/CLASS`` (our codes), or our own uid; with ``:SUBJECT`` behind it, too."""
    if not key:
        return []
    names = {key, key.rpartition(":")[0] or key}
    code = Organisation.code + "/" + ClassGroup.code
    return list(
        db.session.scalars(
            sa.select(ExternalId.entity_id)
            .where(ExternalId.entity == "class_group", ExternalId.key.in_(names), ExternalId.system.like(ROSTERS))
            .union(
                sa.select(ClassGroup.id)
                .join(Organisation, Organisation.id == ClassGroup.campus_id)
                .where(ClassGroup.valid_to.is_(None), sa.or_(code.in_(names), ClassGroup.uid.in_(names)))
            )
        )
    )
