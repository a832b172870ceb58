"""Which periods of a plan belong into which teaching week: pure rules, no database.

A plan becomes a line of steps (a step is the n-th period of a unit) cut into teaching weeks. Units with weeks are
spread over their weeks; units without weeks fill the weeks between their neighbours evenly, which for a plan without
any weeks is its usual pace. "Evenly" counts teaching days, so that a week with a holiday gets less.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate, pairwise
from typing import NamedTuple

from lms_bridge.calendar.days import TeachingWeek, monday_of


class Step(NamedTuple):
    """The ``ordinal``-th period (from 1) of the plan unit ``unit_key``."""

    unit_key: str
    ordinal: int


@dataclass(frozen=True, slots=True)
class UnitWeeks:
    """One unit as the pace sees it: its periods, and the teaching weeks (from 1, both included) it was planned for."""

    key: str
    periods: int
    first_week: int | None = None
    last_week: int | None = None

    def steps(self) -> list[Step]:
        """Its periods in order."""
        return [Step(self.key, n) for n in range(1, self.periods + 1)]


@dataclass
class _Stretch:
    steps: list[Step]
    first: int | None
    last: int | None


def plan_weeks(units: Sequence[UnitWeeks], days: Sequence[int]) -> list[list[Step]]:
    """The steps of each teaching week. ``units`` in the order of the plan; ``days`` are the teaching days of each
    week of the term. Weeks outside the term count as its first or last one."""
    weeks: list[list[Step]] = [[] for _ in days]
    if not days:
        return weeks
    for stretch in _placed(_stretches(units, len(days)), len(days)):
        assert stretch.first is not None
        assert stretch.last is not None
        shares = spread(len(stretch.steps), days[stretch.first - 1 : stretch.last])
        position = 0
        for number, share in enumerate(shares, stretch.first - 1):
            weeks[number] += stretch.steps[position : position + share]
            position += share
    return weeks


def spread(count: int, weights: Sequence[int]) -> list[int]:
    """``count`` things shared out in proportion to ``weights``, in whole numbers that sum to ``count``.

    Without any weight everything falls to the last share.
    """
    total = sum(weights)
    if not total:
        return [0] * (len(weights) - 1) + [count]
    marks = [0, *((2 * count * part + total) // (2 * total) for part in accumulate(weights))]
    return [after - before for before, after in pairwise(marks)]


def weeks_of(
    week_from: int | None, week_to: int | None, date_from: date | None, date_to: date | None,
    weeks: Sequence[TeachingWeek],
) -> tuple[int | None, int | None]:  # fmt: skip
    """The teaching weeks of a unit: as its plan numbers them, or those that its dates touch."""
    if week_from is not None:
        return week_from, week_to or week_from
    if date_from is None:
        return None, None
    last = date_to or date_from
    touched = [
        week.number
        for week in weeks
        if monday_of(week.iso) <= last and monday_of(week.iso) + timedelta(days=6) >= date_from
    ]
    if touched:
        return touched[0], touched[-1]
    before = bool(weeks) and date_from < monday_of(weeks[0].iso)
    return (1, 1) if before else (len(weeks), len(weeks))


def _stretches(units: Iterable[UnitWeeks], last_week: int) -> list[_Stretch]:
    """Units with weeks one by one; neighbours without weeks together."""
    found: list[_Stretch] = []
    for unit in units:
        if unit.first_week is not None:
            first = min(max(unit.first_week, 1), last_week)
            last = min(max(unit.last_week or unit.first_week, first), last_week)
            found.append(_Stretch(unit.steps(), first, last))
        elif found and found[-1].first is None:
            found[-1].steps += unit.steps()
        else:
            found.append(_Stretch(unit.steps(), None, None))
    return found


def _placed(stretches: list[_Stretch], last_week: int) -> list[_Stretch]:
    """Gives the stretches without weeks those between their neighbours' (at least one week)."""
    known_before = 0
    for position, stretch in enumerate(stretches):
        if stretch.first is None:
            following = next((s.first for s in stretches[position + 1 :] if s.first is not None), last_week + 1)
            stretch.first = min(known_before + 1, last_week)
            stretch.last = max(stretch.first, following - 1)
        else:
            known_before = max(known_before, stretch.last or 0)
    return stretches
