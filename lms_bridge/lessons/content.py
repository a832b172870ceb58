"""What a lesson teaches, as its people see it: the units of the plan with objectives and homework."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from lms_bridge.core.database import db
from lms_bridge.plans.models import PlanUnit, PlanVersion, VersionState
from lms_bridge.timetable.models import Lesson


@dataclass(frozen=True)
class UnitView:
    """One unit as shown in a lesson; ``period`` of ``periods`` says how far into it the lesson is. ``classes`` names
    the classes that learn it, where a lesson has several."""

    title: str
    period: int
    periods: int
    objectives: str
    content: str
    homework: str
    classes: tuple[str, ...]


def units_of(lesson: Lesson) -> list[UnitView]:
    """The units that ``lesson`` teaches, each once, from the newest approved version of its plan that has it (else
    the newest at all)."""
    if not lesson.units:
        return []
    rows = db.session.execute(
        sa.select(PlanVersion.plan_id, PlanUnit)
        .join(PlanUnit, PlanUnit.version_id == PlanVersion.id)
        .where(
            PlanVersion.plan_id.in_({u.plan_id for u in lesson.units}),
            PlanUnit.key.in_({u.unit_key for u in lesson.units}),
        )
        # The last row of a unit wins.
        .order_by(sa.case((PlanVersion.state == VersionState.APPROVED, 1), else_=0), PlanVersion.number)
    )
    newest = {(plan_id, unit.key): unit for plan_id, unit in rows}
    titles = {a.class_id: a.class_group.title for a in lesson.audience}
    classes: dict[tuple[int, str, int], list[str]] = {}
    for taught in lesson.units:
        classes.setdefault((taught.plan_id, taught.unit_key, taught.ordinal), []).append(
            titles.get(taught.class_id, "")
        )
    return [
        UnitView(
            title=unit.title,
            period=min(ordinal, unit.periods),
            periods=unit.periods,
            objectives=unit.objectives,
            content=unit.content,
            homework=unit.homework,
            classes=tuple(sorted(names)) if len(classes) > 1 else (),
        )
        for (plan_id, key, ordinal), names in classes.items()
        if (unit := newest.get((plan_id, key))) is not None
    ]
