"""Weeks that are written once for several rows below each other, without merging the cells."""

from __future__ import annotations

from dataclasses import replace

from lms_bridge.core.i18n import N_
from lms_bridge.plans.reading.grid import Grid, Row
from lms_bridge.plans.reading.notes import Notes
from lms_bridge.plans.units import UnitDraft

# No week holds more units than this; where only the first row names a week, the others are left open.
_MOST = 8


def fill_weeks(
    units: list[UnitDraft], empty: list[tuple[int, Row]], first: int, notes: Notes, grid: Grid
) -> list[UnitDraft]:
    """``units`` with the week of the row above where a unit names none and no week lies between; marked as assumed.

    ``empty`` are the positions and rows of those without a week; ``first`` is the first unit of the table.
    """
    units = list(units)
    missing = dict(empty)
    for index, row in empty:
        above = units[index - 1] if index > first else None
        if above is None or above.week_from is None or above.week_to is None:
            continue
        following = next((u.week_from for i, u in enumerate(units[index + 1 :], index + 1) if i not in missing), None)
        run = sum(1 for i in range(index, first, -1) if i in missing)
        if run > _MOST or (following is not None and following > above.week_to + 1):
            notes.warn(
                N_("The week of this unit was left open: it may be that of the row above or a later one."), grid, row
            )
            continue
        units[index] = replace(
            units[index],
            week_from=above.week_from,
            week_to=above.week_to,
            assumed=(*units[index].assumed, "week_from", "week_to"),
        )
    return units
