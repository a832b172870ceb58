"""The timetable solver: a plain problem in, a plain answer out; knows no database and says why there is no answer."""

from __future__ import annotations

from collections.abc import Callable

from lms_bridge.timetable.solving.conflicts import counted, explained, searched
from lms_bridge.timetable.solving.effort import Effort, Stage, Watcher
from lms_bridge.timetable.solving.least_change import Change, improved_within
from lms_bridge.timetable.solving.problem import Placement, Problem, Solution, SolverLimits, Status, Weights
from lms_bridge.timetable.solving.search import Outcome, Placed, Search
from lms_bridge.timetable.solving.wishes import Wishes

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
    return answer(problem, outcome.placed, outcome, effort, limits.weights)


def smallest_change(
    problem: Problem,
    limits: SolverLimits = DEFAULT_LIMITS,
    progress: Watcher | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Solution:
    """The timetable that keeps every rule and is nearest to the one in force (``problem.hint``).

    Nothing but moved and missing lessons is weighed (``Weights.moved``, which counts people, and ``Weights.dropped``);
    among equally small changes the other wishes decide, where there is time. ``Solution.bound`` and ``gap`` say how
    small a change must be at least; OPTIMAL is proved the smallest. ``limits.deterministic_time`` bounds the work on
    the change, ``limits.improve_time`` that on the other wishes. What moved:
    :func:`lms_bridge.timetable.solving.difference.differences`.

    :raises ValueError: a moved lesson costs nothing.
    """
    if limits.weights.moved <= 0:
        raise ValueError("the weight of a moved lesson must be above 0")
    effort = Effort(limits, progress, cancelled)
    effort.enter(Stage.READING)
    conflicts = counted(problem)
    if not conflicts:
        change = Change(problem, effort)
        change.run(limits.deterministic_time)
        if change.best is not None:
            placed = improved_within(problem, change, effort)
            proved = change.cost is not None and change.cost <= change.bound
            return answer(problem, placed, Outcome(placed, proved, change.bound), effort, change.compiled.weights)
        if not change.impossible:
            return Solution(Status.UNKNOWN, seconds=effort.seconds(), bound=change.bound)
        effort.enter(Stage.EXPLAINING)
        conflicts = searched(problem, limits, proved=True)
    conflicts = explained(problem, conflicts, limits)
    return Solution(Status.INFEASIBLE, conflicts=conflicts, seconds=effort.seconds())


def answer(problem: Problem, placed: Placed, outcome: Outcome, effort: Effort, weights: Weights) -> Solution:
    """The solution with this timetable, its costs counted anew."""
    costs = Wishes(problem).costs(placed, weights)
    total = sum(costs.values())
    bound = total if outcome.proved else outcome.bound
    return Solution(
        Status.OPTIMAL if outcome.proved else Status.FEASIBLE,
        tuple(sorted(Placement(key, slot) for key, slots in placed.items() for slot in slots)),
        costs,
        seconds=effort.seconds(),
        bound=bound,
    )
