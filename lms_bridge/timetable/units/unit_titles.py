"""The titles of the plan units that lessons teach."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sqlalchemy as sa

from lms_bridge.core.database import db
from lms_bridge.plans.models import PlanUnit, PlanVersion
from lms_bridge.timetable.models import Lesson


def unit_titles(lessons: Iterable[Lesson]) -> dict[int, str]:
    """By lesson id the titles of its units, each once; lessons without a unit are left out. A unit is called as in
    the newest version of its plan that has it."""
    lessons = list(lessons)
    keys = {unit.unit_key for lesson in lessons for unit in lesson.units}
    plans = {unit.plan_id for lesson in lessons for unit in lesson.units}
    titles: Mapping[tuple[int, str], str] = {
        (plan_id, key): title
        for plan_id, key, title in db.session.execute(
            sa.select(PlanVersion.plan_id, PlanUnit.key, PlanUnit.title)
            .join(PlanVersion, PlanVersion.id == PlanUnit.version_id)
            .where(PlanVersion.plan_id.in_(plans), PlanUnit.key.in_(keys))
            .order_by(PlanVersion.number)
        )
    }
    found = {}
    for lesson in lessons:
        named = [titles[u.plan_id, u.unit_key] for u in lesson.units if (u.plan_id, u.unit_key) in titles]
        if named:
            found[lesson.id] = "; ".join(dict.fromkeys(named))
    return found
