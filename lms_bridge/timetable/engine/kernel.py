"""The search: place the most difficult unit, swapping others recursively; where that fails, eject and go on.

This is the "recursive swapping" that FET's documentation describes (algorithm-description.txt, 2011-2019), an
ejection chain: for every slot of a unit the units that would have to leave are found, the slots with the fewest are
tried, and those that left are placed again in the same way down to a limited depth and number of calls. Where no
chain succeeds, the unit is placed in the slot whose occupants have been the least trouble so far (after the guided
ejection search of Nagata and Braysy, 2009), not twice in the same one for a while; the ejected ones come next.
"""

from __future__ import annotations

from lms_bridge.timetable.engine.compiled import inner, outer

from lms_bridge.timetable.engine.arrays import (  # isort: skip
    AVOID, BEST, BEST_ROOM, BEST_START, BUSY, CALLS, CALLS_EACH, CANDIDATES, COST, DEPTH, DIFFICULTY, FOUND,
    FRAME_TRAIL, FRAME_UNIT, FREE, HOLDS, LEAVING, MAX_CONFLICTS, MOST_LEAVING, NARROW, NEXT, NOW, NUMBER, ORDER,
    PICKS, POSITION, RESOURCE, SLOT, START, STARTS, STEPS, TENURE, TODO, TRAIL, TROUBLE, WIDE, WIDE_LEAST, WISHES,
    Board, Ints, State,
)  # fmt: skip
from lms_bridge.timetable.engine.conflicts import evaluate, is_applied
from lms_bridge.timetable.engine.moves import draw, exchange, forget_trail, lift, put, take_back


@inner
def expand(board: Board, state: State, depth: int, unit: int, most: int, narrow: bool) -> None:
    """Fill a frame with the unit's candidate slots, those with the fewest leaving units first.

    The slots are looked at from a random one on; the first that needs nobody to leave is taken at once. Where only
    the best is wanted (``narrow``), no more leaving units are counted for a slot than the best so far has.
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
        if board.starts[i, AVOID] > 0 and is_applied(state, board.starts[i, AVOID]):
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
        if narrow:
            most = min(most, number)
    frame[CANDIDATES] = found


@inner
def hardest_first(board: Board, row: Ints) -> None:
    """Sort the leaving units of a candidate, the most difficult first."""
    for i in range(1, row[NUMBER]):
        unit = row[LEAVING + i]
        place = LEAVING + i
        while place > LEAVING and board.units[row[place - 1], DIFFICULTY] < board.units[unit, DIFFICULTY]:
            row[place] = row[place - 1]
            place -= 1
        row[place] = unit


@inner
def attempt(board: Board, state: State, depth: int, effort: Ints) -> int:
    """Apply the next candidate of a frame: 0 if none is left, 1 if it is placed, 2 if others wait to be placed."""
    frame = state.frames[depth]
    if frame[POSITION] >= frame[CANDIDATES]:
        return 0
    row = state.candidates[depth, state.candidates[depth, frame[POSITION], ORDER]]
    enough = depth >= effort[WIDE] and frame[POSITION] >= effort[NARROW]
    if row[NUMBER] > 0 and (enough or depth + 1 >= effort[DEPTH]):
        return 0
    hardest_first(board, row)
    exchange(board, state, frame[FRAME_UNIT], row[FOUND], row[LEAVING:PICKS], row[NUMBER], row[PICKS:])
    frame[NEXT] = 0
    return 1 if row[NUMBER] == 0 else 2


@inner
def insert(board: Board, state: State, unit: int, effort: Ints, calls: int) -> bool:
    """Place a unit and all that have to leave for it; where that fails nothing has changed."""
    end = state.counters[CALLS] + calls
    depth = 0
    expand(board, state, 0, unit, effort[MOST_LEAVING], False)
    outcome = attempt(board, state, 0, effort)
    while True:
        frame = state.frames[depth]
        if outcome == 2:
            row = state.candidates[depth, state.candidates[depth, frame[POSITION], ORDER]]
            if frame[NEXT] < row[NUMBER] and state.counters[CALLS] < end:
                frame[NEXT] += 1
                depth += 1
                unit = row[LEAVING + frame[NEXT] - 1]
                expand(board, state, depth, unit, effort[MOST_LEAVING], depth >= effort[WIDE])
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


@inner
def force(board: Board, state: State, unit: int, tenure: int) -> bool:
    """Place a unit where its occupants have been the least trouble; they wait on the stack.

    False if it has no slot even when those who hold what it needs are gone: it stays out then.
    """
    expand(board, state, 0, unit, MAX_CONFLICTS, False)
    if state.frames[0, CANDIDATES] == 0:
        state.counters[WISHES] = 0
        expand(board, state, 0, unit, MAX_CONFLICTS, False)
        if state.frames[0, CANDIDATES] == 0:
            clear_rivals(board, state, unit)
            expand(board, state, 0, unit, MAX_CONFLICTS, False)
        state.counters[WISHES] = 1
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


@inner
def push(state: State, unit: int) -> None:
    """Let a unit be the next to be placed."""
    state.todo[state.counters[TODO]] = unit
    state.counters[TODO] += 1


@inner
def keep_best(state: State) -> None:
    """Remember the timetable if fewer units wait than in the best so far."""
    waiting = state.counters[TODO]
    if state.counters[BEST] < 0 or waiting < state.counters[BEST]:
        state.counters[BEST] = waiting
        state.units[:, BEST_START] = state.units[:, START]
        state.rooms[:, BEST_ROOM] = state.rooms[:, NOW]


@inner
def clear_rivals(board: Board, state: State, unit: int) -> None:
    """Take away everybody who holds something that the unit is to hold; they wait on the stack."""
    for i in range(board.units[unit, HOLDS], board.units[unit + 1, HOLDS]):
        for place in range(board.days * board.hours):
            other = state.at[board.holds[i, RESOURCE], place]
            if other >= 0 and not state.units[other, BUSY]:
                lift(board, state, other)
                push(state, other)


@inner
def pin(board: Board, state: State) -> None:
    """Place the units with a single slot first of all and for good, as far as they agree with each other."""
    waiting = 0
    state.counters[WISHES] = 0
    for place in range(state.counters[TODO]):
        unit = state.todo[place]
        if board.units[unit + 1, STARTS] - board.units[unit, STARTS] == 1:
            expand(board, state, 0, unit, MAX_CONFLICTS, False)
            row = state.candidates[0, 0]
            if state.frames[0, CANDIDATES] == 1 and row[NUMBER] == 0:
                put(board, state, unit, row[FOUND], row[PICKS:])
                state.units[unit, BUSY] = 1
                continue
        state.todo[waiting] = unit
        waiting += 1
    state.counters[TODO] = waiting
    state.counters[WISHES] = 1


@outer
def burst(board: Board, state: State, effort: Ints, until: int) -> int:
    """Work on until all is placed (returns 0) or so many calls were made (returns how many units wait)."""
    if state.counters[STEPS] == 0:
        pin(board, state)
        keep_best(state)
    while state.counters[TODO] > 0 and state.counters[CALLS] < until:
        state.counters[TODO] -= 1
        unit = state.todo[state.counters[TODO]]
        state.counters[STEPS] += 1
        # How far to look is left to chance: no single measure suits all schools, and none gets stuck for good.
        effort[WIDE] = effort[WIDE_LEAST] + draw(state, 2)
        if insert(board, state, unit, effort, effort[CALLS_EACH] << draw(state, 3)):
            keep_best(state)
            continue
        state.units[unit, TROUBLE] += 1
        force(board, state, unit, effort[TENURE])
    return state.counters[TODO]
