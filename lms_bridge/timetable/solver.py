"""The timetable solver: a plain problem in, a plain answer out; knows no database and says why there is no answer."""

from __future__ import annotations

import time

from lms_bridge.timetable.conflicts import counted, searched
from lms_bridge.timetable.model import ModelBuilder
from lms_bridge.timetable.problem import Placement, Problem, Solution, SolverLimits, Status
from lms_bridge.timetable.search import Effort, search

DEFAULT_LIMITS = SolverLimits()


def solve(problem: Problem, limits: SolverLimits = DEFAULT_LIMITS) -> Solution:
    """Place every period of every course, or say which rules cannot hold together.

    The same problem, seed and work limits give the same answer on every machine fast enough to end within
    ``limits.seconds``.
    """
    started = time.monotonic()
    conflicts = counted(problem)
    if conflicts:
        return Solution(Status.INFEASIBLE, conflicts=conflicts, seconds=time.monotonic() - started)
    outcome = search(problem, Effort(limits))
    if outcome.placed is None:
        # A search that ran out may have missed what is plain in the lessons of one class or teacher.
        conflicts = searched(problem, limits, proved=outcome.proved)
        status = Status.INFEASIBLE if conflicts else Status.UNKNOWN
        return Solution(status, conflicts=conflicts, seconds=time.monotonic() - started)
    seconds = time.monotonic() - started
    placements = sorted(Placement(key, slot) for key, slots in outcome.placed.items() for slot in slots)
    costs = ModelBuilder(problem).wishes.costs(outcome.placed, limits.weights)
    status = Status.OPTIMAL if outcome.proved else Status.FEASIBLE
    return Solution(status, tuple(placements), dict(costs), seconds=seconds)
