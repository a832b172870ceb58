"""Which scheduled lessons a changed plan would touch.

Lessons belong to the timetable, which stands above the plans: it registers how they are found.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from lms_bridge.plans.differences import Differences, UnitChange, between
from lms_bridge.plans.lookup import approved_version
from lms_bridge.plans.models import PlanVersion, TeachingPlan, VersionState


@dataclass(frozen=True)
class AffectedLesson:
    """A lesson to come that teaches a unit of the plan. ``starts_at`` and ``ends_at`` are aware; ``zone`` is that of
    its campus."""

    uid: str
    url: str
    starts_at: datetime
    ends_at: datetime
    zone: str
    period_number: int | None
    class_title: str
    unit_key: str


Query = Callable[[int, Collection[str]], Sequence[AffectedLesson]]

_query: Query | None = None


def register(query: Query) -> None:
    """``query(plan_id, unit_keys)`` gives the lessons to come that teach these units of the plan, in their order."""
    global _query
    _query = query


def affected_lessons(plan_id: int, changed_unit_keys: Collection[str]) -> list[AffectedLesson]:
    """The lessons to come that teach one of the units; none where there is no timetable."""
    if _query is None or not changed_unit_keys:
        return []
    return list(_query(plan_id, changed_unit_keys))


@dataclass(frozen=True)
class Effect:
    """What putting ``version`` in force would do to the timetable made of the version that is ``in_force``."""

    in_force: PlanVersion
    version: PlanVersion
    differences: Differences
    lessons: tuple[AffectedLesson, ...]

    def change_of(self, lesson: AffectedLesson) -> UnitChange:
        """What became of the unit that a lesson teaches."""
        return next(unit for unit in self.differences.units if unit.key == lesson.unit_key)


def effect(plan: TeachingPlan, version: PlanVersion | None = None) -> Effect | None:
    """What approving ``version`` (default: the newest) would touch; None where no version is in force, or it is not
    one that could still be approved."""
    version = version or plan.versions[-1]
    in_force = approved_version(plan)
    waiting = version.state in (VersionState.DRAFT, VersionState.SUBMITTED, VersionState.RETURNED)
    if in_force is None or not waiting:
        return None
    differences = between(in_force, version)
    return Effect(in_force, version, differences, tuple(affected_lessons(plan.id, differences.changed_keys)))
