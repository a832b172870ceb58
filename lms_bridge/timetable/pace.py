"""Which periods of a plan belong into which teaching week: pure rules, no database.

A plan becomes a line of steps (a step is the n-th period of a unit) cut into teaching weeks. Units with weeks are
spread over their weeks; units without weeks fill the weeks between their neighbours evenly, which for a plan without
any weeks is its usual pace. "Evenly" counts teaching days, so that a week with a holiday gets less.

What was planned and what was taught differ once lessons are lost. Units keep their order then: a week takes as many
steps as the plan gives it, and these are the first ones that have not been taught yet.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import NamedTuple


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


@dataclass(slots=True)
class Record:
    """What is known of one timetabled week: the steps that its lessons teach (those that take place), and all that
    any lesson of it was ever meant to teach, cancelled ones too."""

    taught: list[Step] = field(default_factory=list)
    known: list[Step] = field(default_factory=list)


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


def untaught(weeks: Sequence[Collection[Step]], week: int, recorded: Mapping[int, Record]) -> list[Step]:
    """The steps that are not taught before teaching week ``week`` (from 1), in order.

    ``recorded`` has an entry for each timetabled week (an empty one where no lesson is of this plan). Weeks without a
    timetable are taken to have followed the plan; so is what stands before the first known step of a week that
    follows one without a timetable.
    """
    line = [step for steps in weeks for step in steps]
    places = {step: place for place, step in enumerate(line)}
    done = {step for number, steps in enumerate(weeks[: week - 1], 1) if number not in recorded for step in steps}
    for number, record in recorded.items():
        if number < week:
            done.update(record.taught)
        if number <= week and number - 1 not in recorded:
            begun = min((places[step] for step in record.known if step in places), default=0)
            done.update(line[:begun])
    return [step for step in line if step not in done]


def steps_of_week(
    weeks: Sequence[Collection[Step]],
    week: int,
    recorded: Mapping[int, Record],
    share: tuple[int, int] = (1, 1),
) -> list[Step]:
    """What teaching week ``week`` teaches: as many steps as planned for it, the first that are not taught yet.

    ``share`` is the part (numerator, denominator) of the week that is timetabled; when school goes online on a
    Wednesday, what was planned for Monday and Tuesday is taken to have been taught.
    """
    planned = len(weeks[week - 1])
    part, whole = share
    count = (2 * planned * part + whole) // (2 * whole) if whole else 0
    # The part of this week that was taught before the timetable began is skipped only once: when lessons of the week
    # are known already, ``untaught`` finds it from them.
    known = recorded.get(week)
    skipped = 0 if known is not None and known.known else planned - count
    return untaught(weeks, week, recorded)[skipped : skipped + count]


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
