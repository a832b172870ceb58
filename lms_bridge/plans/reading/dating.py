"""The dates of a unit, as far as their year is known."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from lms_bridge.core.i18n import N_
from lms_bridge.plans.reading.problems import CellProblem
from lms_bridge.plans.reading.when import Calendar, When, resolve
from lms_bridge.plans.units import UnitDraft


def dated(unit: UnitDraft, when: When, calendar: Calendar | None) -> UnitDraft | None:
    """``unit`` with the dates of ``when``; marked as assumed where the term gave the year, None where nothing does.

    Raises ``CellProblem`` where the dates stand in disorder.
    """
    if when.day_from is None or when.day_to is None:
        return unit
    start, end = resolve(when.day_from, calendar), resolve(when.day_to, calendar)
    if start is None or end is None:
        return None
    if end < start:
        raise CellProblem(
            N_("The first date is after the last one."),
            N_("Write the dates as 2026-09-01 or as a range such as 9.1-9.5."),
        )
    assumed = (*unit.assumed, "date_from", "date_to") if when.day_from.year is None else unit.assumed
    if when.begins and start == end:
        # A school week ends on the fifth day; a unit of several weeks with the last of them.
        weeks = (unit.week_to or 0) - (unit.week_from or 0)
        end += timedelta(days=4 + 7 * weeks)
        assumed = tuple(dict.fromkeys((*assumed, "date_to")))
    return replace(unit, date_from=start, date_to=end, assumed=assumed)
