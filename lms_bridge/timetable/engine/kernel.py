"""The search: place the most difficult unit, swapping others recursively; where that fails, eject and go on.

This is the "recursive swapping" that FET's documentation describes (algorithm-description.txt, 2011-2019), an
ejection chain: for every slot of a unit the units that would have to leave are found, the slots with the fewest are
tried, and those that left are placed again in the same way down to a limited depth and number of calls. Where no
chain succeeds, the unit is placed in the slot whose occupants have been the least trouble so far (after the guided
ejection search of Nagata and Braysy, 2009), not twice in the same one for a while; the ejected ones come next.
"""

from __future__ import annotations

from numba import njit

from lms_bridge.timetable.engine.arrays import (
    AVOID, BEST, BEST_ROOM, BEST_START, BUSY, CALLS, CALLS_EACH, CANDIDATES, COST, DEPTH, DIFFICULTY, FOUND,
    FRAME_TRAIL, FRAME_UNIT, FREE, LEAVING, MAX_CONFLICTS, MOST_LEAVING, NARROW, NEXT, NOW, NUMBER, ORDER, PICKS,
    POSITION, SLOT, START, STARTS, STEPS, SURE, TENURE, TODO, TRAIL, TROUBLE, WIDE, Board, Ints, State,
)  # fmt: skip
from lms_bridge.timetable.engine.conflicts import evaluate
from lms_bridge.timetable.engine.moves import draw, exchange, forget_trail, lift, take_back

@njit(cache=True)
def expand(board: Board, state: State, depth: int, unit: int, most: int, soft: bool) -> None:
    """Fill a frame with the unit's candidate slots, those with the fewest leaving units first.

    The slots are looked at from a random one on; the first that needs nobody to leave is taken at once.
    """
    state.counters[CALLS] += 1
    frame = state.frames[depth]
    frame[FRAME_UNIT] = unit
    frame[POSITION] = 0
    frame[FRAME_TRAIL] = state.counters[TRAIL]
    rows = state.candidates[depth]
    first = board.units[unit, STARTS]
    count = board.units[unit + 1, STARTS] - first
    found = 0
    offset = draw(state, count) if count > 0 else 0
    for k in range(count):
        i = first + (offset + k) % count
        if soft and board.starts[i, AVOID] > 0 and draw(state, SURE) < board.starts[i, AVOID]:
            continue
        row = rows[found]
        number = evaluate(board, state, unit, board.starts[i, SLOT], row[LEAVING:PICKS], row[PICKS:], most)
        if number < 0:
            continue
        cost = 0
        for q in range(number):
            cost += 64 + min(64, state.units[row[LEAVING + q], TROUBLE])
        row[FOUND] = board.starts[i, SLOT]
        row[NUMBER] = number
        row[COST] = cost
        place = found
        while place > 0 and rows[rows[place - 1, ORDER], COST] > cost:
            rows[place, ORDER] = rows[place - 1, ORDER]
            place -= 1
        rows[place, ORDER] = found
        found += 1
        if number == 0:
            break
    frame[CANDIDATES] = found


@njit(cache=True)
def hardest_first(board: Board, row: Ints) -> None:
    """Sort the leaving units of a candidate, the most difficult first."""
    for i in range(1, row[NUMBER]):
        unit = row[LEAVING + i]
        place = LEAVING + i
        while place > LEAVING and board.units[row[place - 1], DIFFICULTY] < board.units[unit, DIFFICULTY]:
            row[place] = row[place - 1]
            place -= 1
        row[place] = unit


@njit(cache=True)
def attempt(board: Board, state: State, depth: int, effort: Ints) -> int:
    """Apply the next candidate of a frame: 0 if none is left, 1 if it is placed, 2 if others wait to be placed."""
    frame = state.frames[depth]
    if frame[POSITION] >= frame[CANDIDATES]:
        return 0
    row = state.candidates[depth, state.candidates[depth, frame[POSITION], ORDER]]
    if row[NUMBER] > 0 and (depth + 1 >= effort[DEPTH] or (depth >= effort[WIDE] and frame[POSITION] >= effort[NARROW])):
        return 0
    hardest_first(board, row)
    exchange(board, state, frame[FRAME_UNIT], row[FOUND], row[LEAVING:PICKS], row[NUMBER], row[PICKS:])
    frame[NEXT] = 0
    return 1 if row[NUMBER] == 0 else 2


@njit(cache=True)
def insert(board: Board, state: State, unit: int, effort: Ints, calls: int) -> bool:
    """Place a unit and all that have to leave for it; where that fails nothing has changed."""
    end = state.counters[CALLS] + calls
    depth = 0
    expand(board, state, 0, unit, effort[MOST_LEAVING], True)
    outcome = attempt(board, state, 0, effort)
    while True:
        frame = state.frames[depth]
        if outcome == 2:
            row = state.candidates[depth, state.candidates[depth, frame[POSITION], ORDER]]
            if frame[NEXT] < row[NUMBER] and state.counters[CALLS] < end:
                frame[NEXT] += 1
                depth += 1
                expand(board, state, depth, row[LEAVING + frame[NEXT] - 1], effort[MOST_LEAVING], True)
                outcome = attempt(board, state, depth, effort)
                continue
            outcome = 1 if frame[NEXT] >= row[NUMBER] else 0
        if outcome == 1:
            if depth == 0:
                forget_trail(state)
                return True
            depth -= 1
            outcome = 2
            continue
        if depth == 0 or state.counters[CALLS] >= end:
            take_back(board, state, 0)
            return False
        depth -= 1
        frame = state.frames[depth]
        take_back(board, state, frame[FRAME_TRAIL])
        frame[POSITION] += 1
        outcome = attempt(board, state, depth, effort)


@njit(cache=True)
def force(board: Board, state: State, unit: int, tenure: int) -> bool:
    """Place a unit where its occupants have been the least trouble; they wait on the stack. False if it has no slot."""
    expand(board, state, 0, unit, MAX_CONFLICTS, True)
    if state.frames[0, CANDIDATES] == 0:
        expand(board, state, 0, unit, MAX_CONFLICTS, False)
    step = state.counters[STEPS]
    best, best_cost, ties = FREE, 0, 0
    for candidate in range(state.frames[0, CANDIDATES]):
        row = state.candidates[0, candidate]
        cost = 0
        for q in range(row[NUMBER]):
            cost += state.units[row[LEAVING + q], TROUBLE]
        if state.tabu[unit, row[FOUND]] > step:
            cost += 1 << 20
        if best != FREE and cost > best_cost:
            continue
        ties = 1 if best == FREE or cost < best_cost else ties + 1
        if ties == 1 or draw(state, ties) == 0:
            best, best_cost = candidate, cost
    if best == FREE:
        return False
    row = state.candidates[0, best]
    hardest_first(board, row)
    state.tabu[unit, row[FOUND]] = step + tenure + draw(state, tenure)
    exchange(board, state, unit, row[FOUND], row[LEAVING:PICKS], row[NUMBER], row[PICKS:])
    forget_trail(state)
    for q in range(row[NUMBER] - 1, -1, -1):
        push(state, row[LEAVING + q])
    return True


@njit(cache=True)
def push(state: State, unit: int) -> None:
    """Let a unit be the next to be placed."""
    state.todo[state.counters[TODO]] = unit
    state.counters[TODO] += 1


@njit(cache=True)
def keep_best(state: State) -> None:
    """Remember the timetable if fewer units wait than in the best so far."""
    waiting = state.counters[TODO]
    if state.counters[BEST] < 0 or waiting < state.counters[BEST]:
        state.counters[BEST] = waiting
        state.units[:, BEST_START] = state.units[:, START]
        state.rooms[:, BEST_ROOM] = state.rooms[:, NOW]


@njit(cache=True)
def shake(board: Board, state: State, share: int) -> None:
    """Take away each placed unit with a chance of 1 in ``share``."""
    for unit in range(len(state.units)):
        if state.units[unit, START] != FREE and not state.units[unit, BUSY] and draw(state, share) == 0:
            lift(board, state, unit)
            push(state, unit)


@njit(cache=True)
def burst(board: Board, state: State, effort: Ints, until: int) -> int:
    """Work on until all is placed (returns 0) or so many calls were made (returns how many units wait)."""
    while state.counters[TODO] > 0 and state.counters[CALLS] < until:
        state.counters[TODO] -= 1
        unit = state.todo[state.counters[TODO]]
        state.counters[STEPS] += 1
        if insert(board, state, unit, effort, effort[CALLS_EACH]):
            keep_best(state)
            continue
        state.units[unit, TROUBLE] += 1
        if not force(board, state, unit, effort[TENURE]):
            shake(board, state, 4)
            push(state, unit)
    return state.counters[TODO]
