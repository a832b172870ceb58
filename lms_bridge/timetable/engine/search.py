"""Running the kernel in bounded bursts: progress, a time limit, cancelling, and the best timetable so far."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lms_bridge.timetable.engine.arrays import (  # isort: skip
    BEST, BEST_ROOM, BEST_START, CALLS, DIFFICULTY, FREE, NOW, START, STEPS, TODO, Board, Ints, State, new_state,
)  # fmt: skip
from lms_bridge.timetable.engine.compiling import compile_board
from lms_bridge.timetable.engine.problem import PlacingProblem

BURST_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Effort:
    """How the search works.

    ``depth`` levels of swapping, of which on ``wide`` (or one more, by chance) all slots are tried and on the others
    the ``narrow`` best; ``calls_per_unit`` (up to four times as many, by chance) times the units for one chain;
    ``most`` units that may have to leave for one; ``tenure`` steps (up to twice as many) until the same forced
    placement is tried again.
    """

    depth: int = 14
    calls_per_unit: float = 0.4
    most: int = 10
    tenure: int = 40
    wide: int = 2
    narrow: int = 1

    def array(self, units: int) -> Ints:
        """The same as the kernel takes it."""
        calls = max(50, int(self.calls_per_unit * units))
        places = [self.depth, calls, self.most, self.tenure, self.wide, self.narrow, self.wide]
        return np.array(places, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the search is: units placed of all, seconds since it began, placements tried."""

    placed: int
    units: int
    seconds: float
    tries: int


@dataclass(frozen=True, slots=True)
class Placing:
    """The best timetable found: a slot for each unit and a room for each need (-1: none), and what it took.

    ``waiting`` are the units without a slot; ``impossible`` those of them for which there is none at all.
    """

    starts: tuple[int, ...]
    rooms: tuple[int, ...]
    waiting: tuple[int, ...]
    impossible: frozenset[int]
    seconds: float
    tries: int


def place(
    problem: PlacingProblem,
    *,
    seed: int = 1,
    seconds: float = 120.0,
    calls: int | None = None,
    effort: Effort | None = None,
    progress: Callable[[Progress], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Placing:
    """Place the units of a problem until all are placed, the seconds or the calls are used up, or it is cancelled.

    The same seed gives the same answer whenever the end is not brought about by the clock.
    """
    from lms_bridge.timetable.engine.kernel import burst

    began = time.monotonic()
    effort = effort or Effort()
    board = compile_board(problem)
    state = new_state(board, seed)
    units = len(board.units) - 1
    fill_stack(board, state)
    works = effort.array(units)
    step = 200
    while state.counters[TODO] > 0:
        before, left = time.monotonic(), int(state.counters[TODO])
        until = int(state.counters[CALLS]) + step
        if calls is not None:
            until = min(until, calls)
        burst(board, state, works, until)
        now = time.monotonic()
        if progress is not None:
            progress(Progress(units - left, units, now - began, int(state.counters[CALLS])))
        if now - began >= seconds or (cancelled is not None and cancelled()):
            break
        if calls is not None and state.counters[CALLS] >= calls:
            break
        step = int(min(4 * step, max(50, step * BURST_SECONDS / max(1e-3, now - before))))
    return _result(state, time.monotonic() - began)


def fill_stack(board: Board, state: State) -> None:
    """All units wait, the most difficult on top."""
    order = np.argsort(board.units[:-1, DIFFICULTY], kind="stable")
    state.todo[: len(order)] = order
    state.counters[TODO] = len(order)


def _result(state: State, seconds: float) -> Placing:
    done = state.counters[TODO] == 0
    now = done or state.counters[BEST] < 0
    starts = state.units[:, START if now else BEST_START]
    rooms = state.rooms[:, NOW if now else BEST_ROOM]
    stacked = {int(unit) for unit in state.todo[: state.counters[TODO]]}
    return Placing(
        starts=tuple(int(slot) for slot in starts),
        rooms=tuple(int(room) for room in rooms),
        waiting=tuple(int(unit) for unit in np.flatnonzero(starts == FREE)),
        impossible=frozenset(
            int(unit) for unit in np.flatnonzero(state.units[:, START] == FREE) if int(unit) not in stacked
        ),
        seconds=seconds,
        tries=int(state.counters[STEPS]),
    )
