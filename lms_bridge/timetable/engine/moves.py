"""Placing and taking away units, with a trail that takes everything back."""

from __future__ import annotations

from lms_bridge.timetable.engine.compiled import inner

from lms_bridge.timetable.engine.arrays import (  # isort: skip
    BUSY, FREE, HOLDS, HOURS, NEEDS, NEED_HOURS, NOW, RANDOM, RESOURCE, START, TRAIL, TRAIL_ROOMS, TRAIL_START,
    TRAIL_UNIT, Board, Ints, State,
)  # fmt: skip


@inner
def draw(state: State, below: int) -> int:
    """A random whole number from 0 to ``below - 1`` (xorshift of 32 bits, the same on every machine)."""
    x = state.counters[RANDOM]
    x ^= (x << 13) & 0xFFFFFFFF
    x ^= x >> 17
    x ^= (x << 5) & 0xFFFFFFFF
    state.counters[RANDOM] = x
    return (x >> 3) % below


@inner
def take(board: Board, state: State, unit: int, resource: int, slot: int, hours: int) -> None:
    """Write a unit into a resource's week."""
    day, hour = slot // board.hours, slot % board.hours
    for place in range(slot, slot + hours):
        state.at[resource, place] = unit
    state.week[resource, day] |= ((1 << hours) - 1) << hour
    state.week[resource, board.days] += 1


@inner
def free(board: Board, state: State, resource: int, slot: int, hours: int) -> None:
    """Take a unit out of a resource's week."""
    day, hour = slot // board.hours, slot % board.hours
    for place in range(slot, slot + hours):
        state.at[resource, place] = FREE
    state.week[resource, day] &= ~(((1 << hours) - 1) << hour)
    state.week[resource, board.days] -= 1


@inner
def put(board: Board, state: State, unit: int, slot: int, rooms: Ints) -> None:
    """Place a unit that is not placed; everything it needs must be free."""
    state.units[unit, START] = slot
    for i in range(board.units[unit, HOLDS], board.units[unit + 1, HOLDS]):
        take(board, state, unit, board.holds[i, RESOURCE], slot, board.holds[i, HOURS])
    for n in range(board.units[unit, NEEDS], board.units[unit + 1, NEEDS]):
        room = rooms[n - board.units[unit, NEEDS]]
        state.rooms[n, NOW] = room
        if room >= 0:
            take(board, state, unit, room, slot, board.needs[n, NEED_HOURS])


@inner
def lift(board: Board, state: State, unit: int) -> None:
    """Take a placed unit away."""
    slot = state.units[unit, START]
    state.units[unit, START] = FREE
    for i in range(board.units[unit, HOLDS], board.units[unit + 1, HOLDS]):
        free(board, state, board.holds[i, RESOURCE], slot, board.holds[i, HOURS])
    for n in range(board.units[unit, NEEDS], board.units[unit + 1, NEEDS]):
        if state.rooms[n, NOW] >= 0:
            free(board, state, state.rooms[n, NOW], slot, board.needs[n, NEED_HOURS])
            state.rooms[n, NOW] = FREE


@inner
def exchange(board: Board, state: State, unit: int, slot: int, leaving: Ints, number: int, rooms: Ints) -> None:
    """Take the leaving units away, place the unit, and note both on the trail."""
    for i in range(number):
        other = leaving[i]
        at = state.counters[TRAIL]
        state.trail[at, TRAIL_UNIT] = other
        state.trail[at, TRAIL_START] = state.units[other, START]
        for n in range(board.units[other, NEEDS], board.units[other + 1, NEEDS]):
            state.trail[at, TRAIL_ROOMS + n - board.units[other, NEEDS]] = state.rooms[n, NOW]
        state.counters[TRAIL] = at + 1
        lift(board, state, other)
    at = state.counters[TRAIL]
    state.trail[at, TRAIL_UNIT] = unit
    state.trail[at, TRAIL_START] = FREE
    state.counters[TRAIL] = at + 1
    put(board, state, unit, slot, rooms)
    state.units[unit, BUSY] = 1


@inner
def take_back(board: Board, state: State, mark: int) -> None:
    """Undo all exchanges back to a mark on the trail."""
    while state.counters[TRAIL] > mark:
        state.counters[TRAIL] -= 1
        at = state.counters[TRAIL]
        unit = state.trail[at, TRAIL_UNIT]
        if state.trail[at, TRAIL_START] == FREE:
            lift(board, state, unit)
            state.units[unit, BUSY] = 0
        else:
            put(board, state, unit, state.trail[at, TRAIL_START], state.trail[at, TRAIL_ROOMS:])


@inner
def forget_trail(state: State) -> None:
    """Keep what was done; every unit may move again."""
    for at in range(state.counters[TRAIL]):
        state.units[state.trail[at, TRAIL_UNIT], BUSY] = 0
    state.counters[TRAIL] = 0
