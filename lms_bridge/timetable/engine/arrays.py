"""The compiled form of a problem: flat typed arrays that the kernel reads and writes.

A *slot* is ``day * hours + hour``. A *unit* is one or more activities that start together; it *holds* resources
(teachers, smallest students sets, rooms that leave no choice) for some hours from its start. A list per unit, such
as its holds, is stored flat with a pointer array: the entries of unit ``u`` are ``ptr[u]`` to ``ptr[u + 1]``.
Probabilities are whole numbers out of :data:`SURE`, so that every machine draws the same.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Grid = NDArray[np.int32]
Flags = NDArray[np.uint8]

SURE = 10_000
"""The probability that stands for certainty: a hard rule."""
FREE = -1
"""No unit in this slot, no room chosen, not placed."""
UNLIMITED = 1_000
"""A limit that no week reaches."""

MAX_DEPTH = 16
"""The most levels of swapping that the kernel has room for."""
MAX_CONFLICTS = 64
"""The most units that may have to leave for one placement."""

# Columns of Board.units; those up to UNIT_GROUPS point into the list of that name, the next row holds the end.
(HOLDS, STARTS, PAIRS, NEEDS, UNIT_GROUPS, DURATION, DIFFICULTY, UNIT_COLUMNS) = range(8)
# Columns of the lists of a unit.
RESOURCE, HOURS, ENDS, HOLD_COLUMNS = range(4)
SLOT, AVOID, START_COLUMNS = range(3)
CHOICES, NEED_HOURS, NONE, NEED_COLUMNS = range(4)
ROOM, ROOM_AVOID, CHOICE_COLUMNS = range(3)
KIND, OTHER, AMOUNT, OWN_HOURS, OTHER_HOURS, WEIGHT, PAIR_COLUMNS = range(7)
# Columns of the slot groups and of their members.
MEMBERS, GROUP_KIND, MOST, GROUP_CHECK, GROUP_COLUMNS = range(5)
MEMBER, MEMBER_HOURS, MEMBER_COLUMNS = range(3)

# What Board.open knows of a resource's day.
OPEN, FIRST, SECOND, OPEN_COLUMNS = range(4)

# Columns of Board.limits.
(WEEK, MAX_DAY, MIN_DAY, EMPTY_OK, GAPS_WEEK, GAPS_DAY, LATE, MAX_DAYS, MIN_DAYS, SPAN, RUN, CHECK, UNITS, INTERVAL,
 INTERVAL_DAYS, LIMITED, ENDING, COLUMNS) = range(18)  # fmt: skip

# Kinds of pairs.
(MIN_DAYS_APART, SAME_START, SAME_DAY, SAME_HOUR, MIN_GAP, BEFORE, AFTER, FOLLOWED_BY, FOLLOWS, ADJACENT,
 MAX_DAYS_APART, BEFORE_IF_SAME_DAY, AFTER_IF_SAME_DAY, BLOCK_OF_THREE, NO_OVERLAP,
 ADJACENT_ON_SAME_DAY) = range(16)  # fmt: skip

# Kinds of slot groups.
MAX_SLOTS_USED, MAX_AT_ONCE = range(2)

# Columns of State.units and State.rooms.
START, MARK, BUSY, TROUBLE, BEST_START, STATE_COLUMNS = range(6)
NOW, BEST_ROOM, ROOM_COLUMNS = range(3)
# Places of State.counters.
STAMP, TRAIL, TODO, CALLS, STEPS, RANDOM, BEST, WISHES, COUNTERS = range(9)
# Rows of State.scratch.
COUNT, DAYS, TRIAL, SCRATCH_ROWS = range(4)
# Columns of the trail, of frames and of candidates; rooms follow the trail, leaving units and rooms the candidates.
TRAIL_UNIT, TRAIL_START, TRAIL_ROOMS = range(3)
FRAME_UNIT, CANDIDATES, POSITION, NEXT, FRAME_TRAIL, FRAME_COLUMNS = range(6)
FOUND, COST, NUMBER, ORDER, LEAVING = range(5)
PICKS = LEAVING + MAX_CONFLICTS

# Places of the effort array.
DEPTH, CALLS_EACH, MOST_LEAVING, TENURE, WIDE, NARROW, WIDE_LEAST, EFFORT_COLUMNS = range(8)


class Board(NamedTuple):
    """What does not change during the search."""

    days: int
    hours: int
    needs_most: int
    units: Ints  # [unit + 1, UNIT_COLUMNS]
    holds: Ints  # [hold, HOLD_COLUMNS]; ENDS: whether the resource's day must end with the unit
    starts: Ints  # [start, START_COLUMNS]; AVOID: probability that it is refused
    pairs: Ints  # [pair, PAIR_COLUMNS]
    needs: Ints  # [need + 1, NEED_COLUMNS]; NONE: probability that "no room" is refused
    choices: Ints  # [choice, CHOICE_COLUMNS]
    open: Ints  # [resource, day, OPEN_COLUMNS]; bits of the open hours, the first and second of them
    limits: Ints  # [resource, COLUMNS]
    pauses: Ints  # [day] bits of the hours in which nobody has lessons
    unit_groups: Ints  # [.., MEMBER_COLUMNS] group and hours for each slot group of a unit
    groups: Ints  # [group + 1, GROUP_COLUMNS]
    group_slots: Flags  # [group, slot]
    members: Ints  # [member, MEMBER_COLUMNS]


class State(NamedTuple):
    """What the search changes."""

    units: Ints  # [unit, STATE_COLUMNS]: start, stamp, whether it must stay, trouble so far, start in the best
    at: Grid  # [resource, slot] unit or FREE
    week: Ints  # [resource, day] bits of the hours taken; after the days the number of units placed
    rooms: Ints  # [need, ROOM_COLUMNS] resource or FREE
    tabu: Ints  # [unit, slot] step until which this forced placement is not repeated
    todo: Ints  # stack of units that wait
    counters: Ints  # [COUNTERS]
    scratch: Ints  # [SCRATCH_ROWS, slot]
    trail: Ints  # [entry, TRAIL_ROOMS + needs_most]
    frames: Ints  # [depth, FRAME_COLUMNS]
    candidates: Ints  # [depth, slot, PICKS + needs_most]


def new_state(board: Board, seed: int) -> State:
    """An empty timetable of a problem, with its own stream of random numbers."""
    units, slots = len(board.units) - 1, board.days * board.hours
    needs = len(board.needs) - 1

    def ints(*shape: int, value: int = 0) -> Any:
        return np.full(shape, value, dtype=np.int64)

    state = State(
        units=ints(units, STATE_COLUMNS),
        at=np.full((len(board.limits), slots), FREE, dtype=np.int32),
        week=ints(len(board.limits), board.days + 1),
        rooms=ints(needs, ROOM_COLUMNS, value=FREE),
        tabu=ints(units, slots),
        todo=ints(units),
        counters=ints(COUNTERS),
        scratch=ints(SCRATCH_ROWS, max(slots, board.days)),
        trail=ints(units * 4 + 64, TRAIL_ROOMS + board.needs_most),
        frames=ints(MAX_DEPTH, FRAME_COLUMNS),
        candidates=ints(MAX_DEPTH, slots, PICKS + max(1, board.needs_most)),
    )
    state.units[:, START] = state.units[:, BEST_START] = FREE
    state.units[:, TROUBLE] = 1
    state.counters[RANDOM] = (seed * 2_654_435_761 + 88_172_645) % 4_294_967_291 or 1
    state.counters[BEST] = -1
    state.counters[WISHES] = 1
    return state
