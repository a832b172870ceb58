"""Rules about a set of units and selected slots: how many of the slots they use, how many are there at once."""

from __future__ import annotations

from lms_bridge.timetable.engine.compiled import inner

from lms_bridge.timetable.engine.arrays import (  # isort: skip
    BUSY, COUNT, FREE, GROUP_CHECK, GROUP_KIND, MARK, MAX_SLOTS_USED, MEMBER, MEMBERS, MEMBER_HOURS, MOST, STAMP,
    START, SURE, UNIT_GROUPS, WISHES, Board, Ints, State,
)  # fmt: skip
from lms_bridge.timetable.engine.moves import draw


@inner
def groups(board: Board, state: State, unit: int, slot: int, leaving: Ints, number: int, most: int) -> int:
    """The units that must leave for the slot groups of a unit are added; the new number, or -1."""
    for i in range(board.units[unit, UNIT_GROUPS], board.units[unit + 1, UNIT_GROUPS]):
        group = board.unit_groups[i, MEMBER]
        chance = board.groups[group, GROUP_CHECK]
        if chance < SURE and (state.counters[WISHES] == 0 or draw(state, SURE) >= chance):
            continue
        end = slot + board.unit_groups[i, MEMBER_HOURS]
        while True:
            count_members(board, state, group, unit)
            emptied = crowded(board, state, group, slot, end)
            if emptied == FREE:
                break
            number = leave_slot(board, state, group, unit, emptied, leaving, number, most)
            if number < 0:
                return -1
    return number


@inner
def count_members(board: Board, state: State, group: int, unit: int) -> None:
    """Count the units of a group in each slot, without the unit itself and those that leave."""
    stamp = state.counters[STAMP]
    state.scratch[COUNT, :] = 0
    for m in range(board.groups[group, MEMBERS], board.groups[group + 1, MEMBERS]):
        other = board.members[m, MEMBER]
        start = state.units[other, START]
        if start == FREE or other == unit or state.units[other, MARK] == stamp:
            continue
        for place in range(start, start + board.members[m, MEMBER_HOURS]):
            state.scratch[COUNT, place] += 1


@inner
def crowded(board: Board, state: State, group: int, slot: int, end: int) -> int:
    """A slot that some units of the group must leave if one more comes to ``slot`` to ``end``; FREE if none."""
    most = board.groups[group, MOST]
    if board.groups[group, GROUP_KIND] != MAX_SLOTS_USED:
        for place in range(slot, end):
            if board.group_slots[group, place] and state.scratch[COUNT, place] + 1 > most:
                return place
        return FREE
    used, best, ties = 0, FREE, 0
    for place in range(board.days * board.hours):
        if not board.group_slots[group, place]:
            continue
        if slot <= place < end:
            used += 1
        elif state.scratch[COUNT, place] > 0:
            used += 1
            if best != FREE and state.scratch[COUNT, place] > state.scratch[COUNT, best]:
                continue
            ties = 1 if best == FREE or state.scratch[COUNT, place] < state.scratch[COUNT, best] else ties + 1
            if ties == 1 or draw(state, ties) == 0:
                best = place
    return best if used > most else FREE


@inner
def leave_slot(
    board: Board, state: State, group: int, unit: int, place: int, leaving: Ints, number: int, most: int
) -> int:
    """The group's units leave a slot: all of them where slots are counted, else one by chance."""
    stamp = state.counters[STAMP]
    everyone = board.groups[group, GROUP_KIND] == MAX_SLOTS_USED
    chosen, seen, before = FREE, 0, number
    for m in range(board.groups[group, MEMBERS], board.groups[group + 1, MEMBERS]):
        other = board.members[m, MEMBER]
        start = state.units[other, START]
        if start == FREE or other == unit or state.units[other, MARK] == stamp:
            continue
        if not start <= place < start + board.members[m, MEMBER_HOURS]:
            continue
        if state.units[other, BUSY]:
            if everyone:
                return -1
            continue
        if not everyone:
            seen += 1
            if draw(state, seen) == 0:
                chosen = other
            continue
        if number >= most:
            return -1
        state.units[other, MARK] = stamp
        leaving[number] = other
        number += 1
    if chosen != FREE and number < most:
        state.units[chosen, MARK] = stamp
        leaving[number] = chosen
        number += 1
    return number if number > before else -1
