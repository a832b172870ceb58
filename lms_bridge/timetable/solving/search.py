"""The search for a good timetable: a first one that keeps every rule, then better ones part by part.

A small school is given to CP-SAT whole. For a large one a first timetable is placed lesson by lesson, what found no
place is repaired in small parts, and only if that fails CP-SAT looks for a first timetable by itself; it makes a small
part of one as good as can be quickly when the rest stands still. Large-neighbourhood search sets parts free in turn.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from lms_bridge.timetable.solving.compiled import Compiled, Numbers
from lms_bridge.timetable.solving.effort import Effort, Progress, Stage
from lms_bridge.timetable.solving.least_change import Change
from lms_bridge.timetable.solving.model import State, TimetableModel, whole
from lms_bridge.timetable.solving.parts import Chooser, Part
from lms_bridge.timetable.solving.problem import Problem, Slot
from lms_bridge.timetable.solving.running import at_once, found, infeasible, solved
from lms_bridge.timetable.solving.starting import placed_one_by_one

if TYPE_CHECKING:
    from ortools.sat.python.cp_model import CpSolver

    from lms_bridge.timetable.solving.annealing import Annealing

Placed = dict[str, tuple[Slot, ...]]

SMALL = 1500
"""A problem with no more pairs than this is solved whole, with a proof that the answer is the best."""

LARGE = 20_000
"""From this many pairs on the first timetable is placed lesson by lesson, which is quicker than CP-SAT."""

ANNEALED = 0.6
"""The share of the improvement of a large school that is annealing; the rest is spent on parts."""

SLICE = 2.0
"""About how many seconds one slice of an annealing takes."""

MOST_TOUCHED = 0.5
"""With more of the timetable in force touched than this, a new one is not sought near to it."""

PART_WORK = 0.25
"""Deterministic time for one part; most are proved best in a fraction of it."""

IDLE_PARTS = 3
"""The search ends when this many parts for each class brought nothing."""

MISSING = 100_000
"""The price of a missing period while a first timetable is repaired."""


def _solved_alone(model: TimetableModel, solver: CpSolver) -> int:
    return int(solver.solve(model.cp))


def _slice(annealing: Annealing, begun: float, ended: float, moves: int) -> int:
    annealing.slice(begun, ended, moves)
    return 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """``placed`` is the best timetable found, None where there is none; ``proved`` that it is the best there is."""

    placed: Placed | None
    proved: bool
    bound: int | None = None


class Search:
    """One search; what it found so far is in ``state``."""

    def __init__(self, problem: Problem, effort: Effort) -> None:
        self.problem, self.effort = problem, effort
        self.compiled = Compiled(problem, effort.limits.weights)
        self.state: State | None = None
        self.bound: int | None = None
        self.wanted = sum(course.periods for course in problem.courses)
        effort.latest = self._progress

    def run(self, start: Placed | None = None) -> Outcome:
        """The best timetable within the effort; ``start`` is one that keeps every rule, where there is one."""
        compiled, effort = self.compiled, self.effort
        effort.enter(Stage.FIRST)
        if start is not None:
            self.keep(compiled.values(start))
        elif not self._first():
            return Outcome(None, True)
        if self.state is None:
            return Outcome(None, False)
        effort.enter(Stage.IMPROVING)
        cost = compiled.cost(self.state.values)
        if cost == 0:
            return Outcome(compiled.placed(self.state.values), True, 0)
        if len(compiled.pairs) <= SMALL:
            return self._whole()
        self._improve()
        return Outcome(compiled.placed(self.state.values), False, self.bound)

    def keep(self, values: Numbers) -> None:
        """Make this the timetable that the search goes on from."""
        self.state = State(values, self.compiled.activity(values))

    def _progress(self) -> Progress | None:
        if self.state is None:
            return Progress(self.effort.seconds(), self.effort.stage, 0, self.wanted)
        placed = self.compiled.placed(self.state.values)
        costs = self.compiled.wishes.costs(placed, self.effort.limits.weights)
        count = sum(len(slots) for slots in placed.values())
        return Progress(self.effort.seconds(), self.effort.stage, count, self.wanted, costs, self.bound)

    def _first(self) -> bool:
        """Find a first timetable if the effort allows; False when there is proof that there is none."""
        if self.problem.hint and self.effort.limits.weights.moved and len(self.compiled.pairs) > SMALL:
            change = Change(self.problem, self.effort)
            if change.size() <= MOST_TOUCHED * len(self.compiled.pairs):
                work = self.effort.limits.deterministic_time
                change.run(None if work is None else work / 2)
                self.effort.latest = self._progress
                self.effort.enter(Stage.FIRST)
                if change.impossible:
                    return False
                if change.best is not None:
                    self.keep(self.compiled.values(change.compiled.placed(change.best)))
                    return True
        if len(self.compiled.pairs) >= LARGE and self._repaired():
            return True
        model = whole(self.compiled)
        solver = self.effort.solver(self.effort.limits.deterministic_time)
        # Without the linear relaxation and with little presolve the first timetable comes ten times sooner.
        solver.parameters.linearization_level = 0
        solver.parameters.symmetry_level = 0
        solver.parameters.cp_model_probing_level = 0
        if self.problem.hint:
            model.hint(self.compiled.values(self.problem.hint))
        values, proved = self._solve(model, solver)
        if values is not None:
            self.keep(self.compiled.values(self.compiled.placed(values)))
        return not (values is None and proved)

    def _repaired(self) -> bool:
        """A timetable placed lesson by lesson, and the lessons that found no place fitted in part by part."""
        compiled, effort = self.compiled, self.effort
        values = placed_one_by_one(compiled, effort.limits.seed)
        chooser = Chooser(compiled, effort.limits.seed)
        state = State(values, compiled.activity(values))
        budget = math.inf if effort.limits.deterministic_time is None else effort.limits.deterministic_time / 2
        size = 1
        while budget > 0 and effort.tell() and effort.seconds_left() > 0:
            short = self._short(state)
            if not short:
                self.keep(compiled.values(compiled.placed(state.values)))
                return True
            left = len(short)
            for course in short:
                if budget <= 0 or effort.seconds_left() <= 0:
                    break
                if not self._missing(state, course):
                    continue
                before = effort.used
                state = self._fitted_in(state, chooser.around(course, size))
                budget -= max(effort.used - before, 0.001)
            size = size + 2 if len(self._short(state)) >= left else size
        return False

    def _short(self, state: State) -> list[str]:
        """The courses with fewer lessons than they must have."""
        return [course.key for course in self.problem.courses if self._missing(state, course.key)]

    def _missing(self, state: State, key: str) -> bool:
        course = self.compiled.wishes.courses[key]
        start, end = self.compiled.course_span[key]
        return not course.may_drop and int(state.values[start:end].sum()) < course.periods

    def _fitted_in(self, state: State, part: Part) -> State:
        """The same timetable with fewer periods missing in this part, if that can be. Wishes are not weighed, and
        their helpers no longer fit."""
        compiled = self.compiled
        low = np.minimum(compiled.low, state.activity)
        short = np.flatnonzero(low[: compiled.hard] < compiled.low[: compiled.hard])
        prices = np.zeros_like(compiled.price)
        positions, _ = compiled.row_terms.of(short)
        prices[compiled.row_terms.flat[positions]] = -1
        free = compiled.with_helpers(part.pairs, hard=True)
        model = TimetableModel(compiled, free, state, low=low, rows=np.arange(compiled.hard))
        model.minimise(prices)
        model.hint(state.values)
        solver = self.effort.solver(4 * PART_WORK, workers=1)
        solver.parameters.linearization_level = 0
        values, _ = self._solve(model, solver, state.values)
        return state if values is None else State(values, compiled.activity(values))

    def _whole(self) -> Outcome:
        assert self.state is not None
        model = whole(self.compiled)
        model.minimise()
        model.hint(self.state.values)
        solver = self.effort.solver(self.effort.limits.improve_time)
        values, proved = self._solve(model, solver)
        if values is not None:
            self.keep(values)
            self.bound = self.compiled.constant + round(solver.best_objective_bound)
        return Outcome(self.compiled.placed(self.state.values), values is not None and proved, self.bound)

    def _improve(self) -> None:
        """Make the timetable better part by part until nothing is found any more, or the effort is over; a large one
        is annealed before."""
        effort = self.effort
        chooser = Chooser(self.compiled, effort.limits.seed)
        budget = math.inf if effort.limits.improve_time is None else effort.limits.improve_time
        if len(self.compiled.pairs) >= LARGE:
            budget -= self._anneal(ANNEALED * budget)
        idle, patience = 0, IDLE_PARTS * len(chooser.classes) + 20
        while budget > 0 and idle < patience and effort.tell() and effort.seconds_left() > 0:
            work, gain, parts = self._one_round(chooser, budget)
            budget -= work
            idle = 0 if gain > 0 else idle + parts

    def _anneal(self, budget: float) -> float:
        """Anneal within this work, or within its share of the time where that is not limited: the work done. With
        more workers as many annealings go on at once, and the best counts."""
        # numba takes a second to load, and only large schools need it.
        from lms_bridge.timetable.solving.annealing import MOVES, MOVES_PER_WORK, Annealing

        assert self.state is not None
        effort, seed = self.effort, self.effort.limits.seed
        begun, seconds = effort.seconds(), ANNEALED * effort.seconds_left()
        every = [Annealing(self.compiled, self.state.values, seed + n) for n in range(max(1, effort.limits.workers))]
        left = None if math.isinf(budget) else round(budget * MOVES_PER_WORK)
        done, share = 0, 0.0
        while share < 1 and effort.tell() and effort.seconds_left() > 0:
            moves = MOVES if left is None else min(MOVES, left - done)
            if moves <= 0:
                break
            until = share + SLICE / max(seconds, SLICE) if left is None else (done + moves) / left
            at_once([partial(_slice, one, share, until, moves) for one in every])
            done += moves
            share = (effort.seconds() - begun) / seconds if left is None else until
            if effort.watcher is not None and min(one.best_cost for one in every) < self.compiled.cost(
                self.state.values
            ):
                self.keep(min(every, key=lambda one: one.best_cost).values())
        best = min(every, key=lambda one: one.best_cost)
        if best.best_cost < self.compiled.cost(self.state.values):
            self.keep(best.values())
        effort.used += done * len(every) / MOVES_PER_WORK
        return done * len(every) / MOVES_PER_WORK

    def _one_round(self, chooser: Chooser, budget: float) -> tuple[float, int, int]:
        """One part for each worker, solved at once: the work done, the gain, and the number of parts."""
        assert self.state is not None
        state, tasks = self.state, []
        taken: frozenset[str] = frozenset()
        for _ in range(max(1, self.effort.limits.workers)):
            part = chooser.next(state.values, taken)
            if taken and part.classes & taken:
                break
            taken |= part.classes
            model = TimetableModel(self.compiled, self.compiled.with_helpers(part.pairs), state)
            model.minimise()
            model.hint(state.values)
            tasks.append((part, model, self.effort.solver(min(PART_WORK, budget), workers=1)))
        statuses = at_once([partial(_solved_alone, model, solver) for _, model, solver in tasks])
        work, total = 0.0, 0
        for (part, model, solver), status in zip(tasks, statuses, strict=True):
            done = float(solver.response_proto.deterministic_time) + 0.005
            self.effort.used += done
            work += done
            gain = self._taken_over(model, solver) if found(status) else 0
            total += gain
            chooser.learn(part, gain, done, finished=solved(status))
        return work, total, len(tasks)

    def _taken_over(self, model: TimetableModel, solver: CpSolver) -> int:
        """Put what a part's model found into the timetable, unless it is no better or another part stands in the way:
        what it costs less."""
        assert self.state is not None
        compiled, state = self.compiled, self.state
        delta = model.values(solver) - state.values[model.free]
        gain = -int(compiled.price[model.free] @ delta)
        changed = np.flatnonzero(delta)
        if gain < 0 or not len(changed):
            return 0
        variables, deltas = model.free[changed], delta[changed]
        positions, _ = compiled.variable_rows.of(variables)
        rows = compiled.variable_rows.flat[positions]
        change = np.repeat(
            deltas, compiled.variable_rows.start[variables + 1] - compiled.variable_rows.start[variables]
        )
        activity = state.activity.copy()
        np.add.at(activity, rows, change * compiled.variable_coefficients[positions])
        if bool(((activity[rows] > compiled.high[rows]) | (activity[rows] < compiled.low[rows])).any()):
            return 0
        values = state.values.copy()
        values[variables] += deltas
        self.state = State(values, activity)
        return gain

    def _solve(
        self, model: TimetableModel, solver: CpSolver, base: Numbers | None = None
    ) -> tuple[Numbers | None, bool]:
        """All values with those of the solution, None if there is none; and whether that is proved (the best)."""
        status = self.effort.run(solver, model.cp)
        if not found(status):
            return None, infeasible(status)
        values = np.zeros(len(self.compiled.number), dtype=np.int64) if base is None else base.copy()
        values[model.free] = model.values(solver)
        return values, solved(status)
