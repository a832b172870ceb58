"""The timetable solver: a plain problem in, a plain answer out; knows no database and says why there is no answer."""

from __future__ import annotations

from collections.abc import Callable

from lms_bridge.timetable.conflicts import counted, explained, searched
from lms_bridge.timetable.effort import Effort, Stage, Watcher
from lms_bridge.timetable.problem import Placement, Problem, Solution, SolverLimits, Status
from lms_bridge.timetable.search import Outcome, Placed, Search
from lms_bridge.timetable.wishes import Wishes

DEFAULT_LIMITS = SolverLimits()


def solve(
    problem: Problem,
    limits: SolverLimits = DEFAULT_LIMITS,
    progress: Watcher | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Solution:
    """Place every period of every course, or say which rules cannot hold together.

    The same problem, seed and work limits give the same answer on every machine fast enough to end within
    ``limits.seconds``. ``progress`` is told about twice a second, in the calling thread; when it returns False, or
    ``cancelled`` returns True, the best timetable found so far is the answer (UNKNOWN if there is none yet).
    """
    effort = Effort(limits, progress, cancelled)
    effort.enter(Stage.READING)
    conflicts = counted(problem)
    if conflicts:
        effort.enter(Stage.EXPLAINING)
        conflicts = explained(problem, conflicts, limits)
        return Solution(Status.INFEASIBLE, conflicts=conflicts, seconds=effort.seconds())
    outcome = Search(problem, effort).run()
    if outcome.placed is None:
        if effort.stopped:
            return Solution(Status.UNKNOWN, seconds=effort.seconds())
        # A search that ran out may have missed what is plain in the lessons of one class or teacher.
        effort.enter(Stage.EXPLAINING)
        conflicts = explained(problem, searched(problem, limits, proved=outcome.proved), limits)
        status = Status.INFEASIBLE if conflicts else Status.UNKNOWN
        return Solution(status, conflicts=conflicts, seconds=effort.seconds())
    effort.tell(now=True)
    return answer(problem, outcome.placed, outcome, effort)


def answer(problem: Problem, placed: Placed, outcome: Outcome, effort: Effort) -> Solution:
    """The solution with this timetable, its costs counted anew."""
    wishes = Wishes(problem)
    costs = wishes.costs(placed, effort.limits.weights)
    total = sum(costs.values())
    bound = total if outcome.proved else outcome.bound
    return Solution(
        Status.OPTIMAL if outcome.proved else Status.FEASIBLE,
        tuple(sorted(Placement(key, slot) for key, slots in placed.items() for slot in slots)),
        costs,
        seconds=effort.seconds(),
        bound=bound,
    )
