"""From the plain problem to the arrays of the search: flat lists, merged limits, no resource twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from lms_bridge.timetable.engine.arrays import (  # isort: skip
    ADJACENT, AFTER, AFTER_IF_SAME_DAY, BEFORE, BEFORE_IF_SAME_DAY, CHOICE_COLUMNS, COLUMNS, DIFFICULTY, DURATION,
    FOLLOWED_BY, FOLLOWS, HOLDS, HOLD_COLUMNS, MEMBER_COLUMNS, NEEDS, OPEN_COLUMNS, PAIRS, PAIR_COLUMNS, STARTS,
    START_COLUMNS, UNIT_COLUMNS, UNIT_GROUPS, Board, Flags, Ints,
)  # fmt: skip
from lms_bridge.timetable.engine.problem import Hold, Limits, PlacingProblem, Resource

_MIRRORED = {
    BEFORE: AFTER, AFTER: BEFORE, FOLLOWED_BY: FOLLOWS, FOLLOWS: FOLLOWED_BY, ADJACENT: ADJACENT,
    BEFORE_IF_SAME_DAY: AFTER_IF_SAME_DAY, AFTER_IF_SAME_DAY: BEFORE_IF_SAME_DAY,
}  # fmt: skip
_NO_LIMITS = Limits()


def compile_board(problem: PlacingProblem) -> Board:
    """The arrays of a problem. Its rooms keep their resource numbers; other resources may be merged or split."""
    rooms = {room for unit in problem.units for need in unit.needs for room, _ in need.choices}
    holds, resources, limits = _split_limits(problem)
    holds = _merge_alike(holds, resources, limits, rooms)
    units = problem.units
    units = problem.units
    tables: dict[int, Sequence[Sequence[Any]]] = {
        HOLDS: [[(hold.resource, hold.hours, hold.ends) for hold in own] for own in holds],
        STARTS: [unit.starts for unit in units],
        PAIRS: _pairs(problem),
        NEEDS: [unit.needs for unit in units],
        UNIT_GROUPS: _groups_of_units(problem),
    }
    of_units = np.zeros((len(units) + 1, UNIT_COLUMNS), dtype=np.int64)
    for column, lists in tables.items():
        of_units[1:, column] = np.cumsum([len(found) for found in lists])
    of_units[:-1, DURATION] = [unit.duration for unit in units]
    of_units[:-1, DIFFICULTY] = _difficulties(problem, holds)
    needs = [need for unit in units for need in unit.needs]
    ending = {hold.resource for own in holds for hold in own if hold.ends}
    weeks = _hours_of(holds)
    return Board(
        days=problem.days,
        hours=problem.hours,
        needs_most=max((len(unit.needs) for unit in units), default=0),
        units=of_units,
        holds=_table(_flat(tables[HOLDS]), HOLD_COLUMNS),
        starts=_table(_flat(tables[STARTS]), START_COLUMNS),
        pairs=_table(_flat(tables[PAIRS]), PAIR_COLUMNS),
        needs=_pointed([(need.hours, need.none) for need in needs], [need.choices for need in needs]),
        choices=_table(_flat([need.choices for need in needs]), CHOICE_COLUMNS),
        open=np.array(
            [[(bits, _nth_bit(bits, 0), _nth_bit(bits, 1)) for bits in found.open] for found in resources],
            dtype=np.int64,
        ).reshape(-1, problem.days, OPEN_COLUMNS),
        limits=_table([_row(found, weeks.get(n, []), n in ending) for n, found in enumerate(limits)], COLUMNS),
        pauses=np.array(problem.pauses, dtype=np.int64),
        unit_groups=_table(_flat(tables[UNIT_GROUPS]), MEMBER_COLUMNS),
        groups=_pointed(
            [(group.kind, group.most, group.check) for group in problem.groups],
            [group.members for group in problem.groups],
        ),
        group_slots=_selected(problem),
        members=_table(_flat([group.members for group in problem.groups]), MEMBER_COLUMNS),
    )


def _table(rows: Sequence[Sequence[int]], width: int) -> Ints:
    return np.array(rows, dtype=np.int64).reshape(-1, width)


def _flat(lists: Sequence[Sequence[Any]]) -> list[Any]:
    return [item for found in lists for item in found]


def _pointed(rows: Sequence[Sequence[int]], lists: Sequence[Sequence[Any]]) -> Ints:
    """Rows with a first column that points to where the list of each begins; one row more holds the end."""
    width = 1 + (len(rows[0]) if rows else 3)
    table = np.zeros((len(rows) + 1, width), dtype=np.int64)
    table[1:, 0] = np.cumsum([len(found) for found in lists])
    for number, row in enumerate(rows):
        table[number, 1:] = row
    return table


def _groups_of_units(problem: PlacingProblem) -> list[list[tuple[int, int]]]:
    found: list[list[tuple[int, int]]] = [[] for _ in problem.units]
    for number, group in enumerate(problem.groups):
        for unit, hours in group.members:
            found[unit].append((number, hours))
    return found


def _selected(problem: PlacingProblem) -> Flags:
    table = np.zeros((len(problem.groups), problem.days * problem.hours), dtype=np.uint8)
    for number, group in enumerate(problem.groups):
        table[number, sorted(group.slots)] = 1
    return table


def _hours_of(holds: list[list[Hold]]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for own in holds:
        for hold in own:
            found[hold.resource].append(hold.hours)
    return found


def _nth_bit(bits: int, number: int) -> int:
    """The place of a set bit, counted from the lowest; 31 (never set) where there are not so many."""
    places = [place for place in range(31) if bits >> place & 1]
    return places[number] if len(places) > number else 31


def _split_limits(problem: PlacingProblem) -> tuple[list[list[Hold]], list[Resource], list[Limits]]:
    """One set of limits for each resource; what cannot be merged gets a further resource with the same holders."""
    holds = [list(unit.holds) for unit in problem.units]
    resources = list(problem.resources)
    limits: list[Limits] = []
    extra: dict[int, list[int]] = defaultdict(list)
    more: list[tuple[Resource, Limits]] = []
    for number, resource in enumerate(problem.resources):
        sets: list[Limits] = [_NO_LIMITS]
        for found in resource.limits:
            for place, known in enumerate(sets):
                both = known.merged(found)
                if both is not None:
                    sets[place] = both
                    break
            else:
                sets.append(found)
        limits.append(sets[0])
        for found in sets[1:]:
            extra[number].append(len(resources) + len(more))
            more.append((resource, found))
    resources += [resource for resource, _ in more]
    limits += [found for _, found in more]
    for own in holds:
        own += [Hold(copy, hold.hours) for hold in own for copy in extra.get(hold.resource, ())]
    return holds, resources, limits


def _merge_alike(
    holds: list[list[Hold]], resources: list[Resource], limits: list[Limits], rooms: set[int]
) -> list[list[Hold]]:
    """Drop holds of resources that another one with the same (or, without limits, more) holders makes superfluous."""
    holders: dict[int, dict[int, tuple[int, bool]]] = defaultdict(dict)
    for unit, own in enumerate(holds):
        for hold in own:
            holders[hold.resource][unit] = (hold.hours, hold.ends)
    kept: dict[Any, int] = {}
    dropped: set[int] = set()
    for resource, units in holders.items():
        if resource in rooms:
            continue
        limit = limits[resource]
        key = (tuple(sorted(units.items())), limit, tuple(resources[resource].open) if limit != _NO_LIMITS else ())
        if kept.setdefault(key, resource) != resource:
            dropped.add(resource)
    of_unit = [{hold.resource for hold in own} - dropped for own in holds]
    for resource, units in sorted(holders.items(), key=lambda found: len(found[1])):
        if resource in dropped or resource in rooms or limits[resource] != _NO_LIMITS:
            continue
        shared = set.intersection(*(of_unit[unit] for unit in units)) - {resource} - dropped
        for other in shared:
            if all(
                holders[other][unit][0] >= hours and holders[other][unit][1] >= ends
                for unit, (hours, ends) in units.items()
            ):
                dropped.add(resource)
                break
    return [[hold for hold in own if hold.resource not in dropped] for own in holds]


def _row(limits: Limits, hours: list[int], ending: bool) -> list[int]:
    return [
        sum(hours), limits.max_day, limits.min_day, int(limits.empty_ok), limits.gaps_week, limits.gaps_day,
        limits.late, limits.max_days, limits.min_days, limits.span, limits.run, limits.check, len(hours),
        limits.interval, limits.interval_days, int(limits != _NO_LIMITS), int(ending),
    ]  # fmt: skip


def _pairs(problem: PlacingProblem) -> list[list[list[int]]]:
    """The pair rules of each unit, seen from it."""
    found: list[list[list[int]]] = [[] for _ in problem.units]
    for pair in problem.pairs:
        mirrored = _MIRRORED.get(pair.kind, pair.kind)
        found[pair.first].append([pair.kind, pair.second, pair.amount, pair.first_hours, pair.second_hours, pair.check])
        found[pair.second].append([mirrored, pair.first, pair.amount, pair.second_hours, pair.first_hours, pair.check])
    return found


def _difficulties(problem: PlacingProblem, holds: list[list[Hold]]) -> list[int]:
    """For each unit, how many hours of others it competes with and how few starts it has, times its duration."""
    holders: dict[int, list[int]] = defaultdict(list)
    for number, own in enumerate(holds):
        for hold in own:
            holders[hold.resource].append(number)
    slots = problem.days * problem.hours
    result = []
    for number, unit in enumerate(problem.units):
        rivals = {other for hold in holds[number] for other in holders[hold.resource]}
        hours = sum(problem.units[other].duration for other in rivals)
        result.append(unit.duration * hours * slots // max(1, len(unit.starts)))
    return result
