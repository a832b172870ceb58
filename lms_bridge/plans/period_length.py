"""How long a period is at a class's campus, for plans that give amounts by the clock."""

from __future__ import annotations

from collections import Counter

from lms_bridge.calendar.grids import grid_for
from lms_bridge.plans.reading.amounts import USUAL_MINUTES
from lms_bridge.roster.models import ClassGroup
from lms_bridge.roster.scope import today


def period_minutes(group: ClassGroup) -> int:
    """The usual length of a period at school for the class's grade; 45 minutes where the campus has no period grid."""
    grid = grid_for(group.campus, group.grade, online=False, day=today())
    if grid is None or not grid.periods:
        return USUAL_MINUTES
    return Counter(period.minutes for period in grid.periods).most_common(1)[0][0]
