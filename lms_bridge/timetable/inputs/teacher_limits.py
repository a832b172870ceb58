"""How many periods a day a teacher may have, and how many there are: at all campuses together."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from lms_bridge.core.database import db
from lms_bridge.timetable.inputs.models import TeacherLimit


def limits_of(person_ids: Collection[int]) -> dict[int, int]:
    """How many periods a day these people may have, where that is limited."""
    return {
        row.person_id: row.periods_per_day
        for row in db.session.scalars(sa.select(TeacherLimit).where(TeacherLimit.person_id.in_(person_ids)))
    }
