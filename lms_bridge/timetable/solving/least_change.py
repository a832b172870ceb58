"""The smallest change of a timetable in force after something broke, with a proof of how small it is at least.

Most of a school has nothing to do with what broke. So only the courses that are touched are modelled whole; of every
other lesson the model only knows whether it stays or gives way, at the price of moving it but without need of another
place. That is less than the truth asks, so the cheapest answer is a bound below every real change. When in it no other
lesson gives way, it is a real change, and proved the smallest; otherwise those that gave way are modelled whole too.
Beside each such bound, the same courses are planned anew with all others held fast, which gives a real change.

A change that touches very much gets its first bound from the linear relaxation of that model, in a second or two.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from lms_bridge.timetable.solving.compiled import Compiled, Numbers
from lms_bridge.timetable.solving.effort import Effort, Progress, Stage
from lms_bridge.timetable.solving.linear_bound import linear_bound
from lms_bridge.timetable.solving.model import State, TimetableModel
from lms_bridge.timetable.solving.problem import Problem, Slot, Weights
from lms_bridge.timetable.solving.running import found, infeasible
from lms_bridge.timetable.solving.starting import placed_near

if TYPE_CHECKING:
    from ortools.sat.python.cp_model import CpSolver

ROUNDS = 40
"""More often than this no courses are added; the answer stands with the bound reached."""

NOTHING = Weights(moved=0, same_day=0, uneven=0, gap=0, late=0, preferred=0, apart=0, dropped=0)

IMPROVING_TAKES = 8.0
"""With less wall clock left than this, in seconds, the other wishes of the lessons that move are not looked at."""

BY_DAYS = 5_000
"""A change that touches more pairs than this gets a linear bound first, and is made smaller day by day."""

LINEAR_ROUNDS, LINEAR_SECONDS = 4, 20.0
"""Most linear relaxations of one change, and wall clock for one of them."""

NEARLY = 0.01
"""A lesson gives way in a fractional solution when this much of it does."""

FIRST_WORK, WORK_OF_PAIR, LONGER = 1.0, 0.0003, 1.5
"""Deterministic time for one question of the first round: so much, and so much for each pair; by how much longer the
next round may think."""


class Change:
    """The search for the smallest change of ``problem.hint``. Nothing is weighed but moved and missing lessons.

    ``best``: the values of the best change found; ``bound``: none costs less; ``impossible``: proved that there is
    none at all; ``touched``: the courses that are modelled whole.
    """

    def __init__(self, problem: Problem, effort: Effort) -> None:
        weights = effort.limits.weights
        self.effort = effort
        self.compiled = Compiled(problem, replace(NOTHING, moved=weights.moved, dropped=weights.dropped))
        values = self.compiled.values(problem.hint)
        self.state = State(values, self.compiled.activity(values))
        self.touched = touched(self.compiled, self.state)
        self.best: Numbers | None = None
        self.bound = 0
        self.impossible = False
        self.work = math.inf

    @property
    def cost(self) -> int | None:
        """What the best change costs."""
        return None if self.best is None else self.compiled.cost(self.best)

    def size(self) -> int:
        """How many pairs would be modelled whole at first."""
        return len(self.compiled.pairs_of(sorted(self.touched)))

    def run(self, work: float | None) -> None:
        """Search until the best change is proved the smallest or this much work (deterministic time) is done."""
        self.work = math.inf if work is None else work
        self.effort.latest = self.progress
        self.effort.enter(Stage.CHANGING)
        if self._hopeless():
            self.impossible = True
        elif not self.touched:
            self.best = self.state.values
            self.bound = self.compiled.cost(self.best)
        else:
            self._plain_change()
            if self.best is not None and self.size() >= BY_DAYS:
                self._linear_bounds()
                self._day_by_day()
        for number in range(ROUNDS):
            if self._finished() or self.work <= 0 or self.effort.seconds_left() <= 0 or not self.effort.tell():
                return
            self._round(number)

    def progress(self) -> Progress:
        """How the search stands, for people."""
        wishes, weights = self.compiled.wishes, self.compiled.weights
        wanted = sum(course.periods for course in wishes.courses.values())
        if self.best is None:
            return Progress(self.effort.seconds(), self.effort.stage, 0, wanted, {}, self.bound)
        placed = self.compiled.placed(self.best)
        count = sum(len(slots) for slots in placed.values())
        costs = wishes.costs(placed, weights)
        return Progress(self.effort.seconds(), self.effort.stage, count, wanted, costs, self.bound)

    def _round(self, number: int) -> None:
        """Ask for the bound and for a real change with the courses touched so far, and add those that gave way."""
        relaxed = _Relaxed(self.compiled, self.state, self.touched, self._start())
        if self.effort.limits.workers > 1:
            held = self._held(self._start())
            solvers = [self._solver(number), self._solver(number)]
            statuses = self._solved([relaxed.model, held], solvers)
            self._take(held, solvers[1], statuses[1])
            self._learn(relaxed, solvers[0], statuses[0])
            return
        solvers = [self._solver(number)]
        (status,) = self._solved([relaxed.model], solvers)
        start = self._learn(relaxed, solvers[0], status)
        if not self._finished():
            held = self._held(self._start() if start is None else start)
            solvers = [self._solver(number)]
            self._take(held, solvers[0], self._solved([held], solvers)[0])

    def _hopeless(self) -> bool:
        """Whether a rule asks for a lesson where every slot is closed to it."""
        empty = np.diff(self.compiled.row_terms.start) == 0
        return bool((empty & (self.compiled.low > 0)).any())

    def _finished(self) -> bool:
        return self.impossible or (self.cost is not None and self.cost <= self.bound)

    def _solver(self, number: int) -> CpSolver:
        """A solver for one question of this round: later rounds may think longer, and larger models."""
        pairs = len(self.compiled.pairs_of(sorted(self.touched)))
        return self.effort.solver(min(self.work, (FIRST_WORK + pairs * WORK_OF_PAIR) * LONGER**number), workers=1)

    def _solved(self, models: list[TimetableModel], solvers: list[CpSolver]) -> list[int]:
        tasks = [partial(_status, model, solver) for model, solver in zip(models, solvers, strict=True)]
        statuses = self.effort.watched(tasks, solvers)
        self.work -= sum(float(solver.response_proto.deterministic_time) + 0.001 for solver in solvers)
        return statuses

    def _learn(self, relaxed: _Relaxed, solver: CpSolver, status: int) -> Numbers | None:
        """What follows from the bound's model; the values of its solution to start from, if it has one."""
        if infeasible(status):
            self.impossible = True
            return None
        self.bound = max(self.bound, relaxed.bound(solver))
        if not found(status):
            if self.best is None:
                self.touched |= self._wider()
            return None
        values = self.state.values.copy()
        values[relaxed.own] = relaxed.values(solver)
        moved = relaxed.given_way(relaxed.model.values(solver))
        if not moved:
            # Nothing else gave way: this is a real change, unless a rule between courses was left out.
            broken = self._in_broken_rows(values)
            if broken is None:
                self._better(values)
                return values
            moved = broken
        self.touched |= moved or self._wider()
        return values

    def _in_broken_rows(self, values: Numbers) -> set[str] | None:
        """The courses in rows that these values break; None if they break none."""
        compiled, activity = self.compiled, self.compiled.activity(values)
        rows = np.flatnonzero((activity > compiled.high) | (activity < compiled.low))
        if not len(rows):
            return None
        positions, _ = compiled.row_terms.of(rows)
        return {_course(compiled, number) for number in compiled.row_terms.flat[positions].tolist()}

    def _held(self, start: Numbers) -> TimetableModel:
        """The model of the touched courses with all others held fast, begun at ``start``."""
        free = self.compiled.with_helpers(self.compiled.pairs_of(sorted(self.touched)))
        model = TimetableModel(self.compiled, free, self.state)
        model.minimise()
        model.hint(start)
        return model

    def _start(self) -> Numbers:
        return self.state.values if self.best is None else self.best

    def _plain_change(self) -> None:
        """A change to begin with: what can stay does, the rest is placed lesson by lesson."""
        values = placed_near(self.compiled, self.state.values, self.effort.limits.seed)
        if self._in_broken_rows(values) is None:
            self._better(values)
            different = np.flatnonzero(values != self.state.values)
            self.touched |= {_course(self.compiled, number) for number in different.tolist()}

    def _linear_bounds(self) -> None:
        """The bound of the linear relaxation, again and again with the courses that gave way in it modelled whole."""
        for _ in range(LINEAR_ROUNDS):
            if self._finished() or not self.effort.tell() or self.effort.seconds_left() <= 0:
                return
            relaxed = _Relaxed(self.compiled, self.state, self.touched, self._start())
            cheapest = linear_bound(relaxed.model.cp, min(LINEAR_SECONDS, self.effort.seconds_left()))
            if cheapest is None:
                return
            self.bound = max(self.bound, relaxed.base + cheapest.cost)
            given_way = relaxed.given_way(np.array(cheapest.values))
            if not given_way:
                return
            self.touched |= given_way

    def _day_by_day(self) -> None:
        """Make a large first change smaller one day at a time, then by two days at once; that is quick, since few
        lessons need another day."""
        assert self.best is not None
        compiled = self.compiled
        keys = sorted(self.touched)
        all_days = sorted({slot.day for slot in compiled.problem.slots})
        for days in (*combinations(all_days, 1), *combinations(all_days, 2)):
            if self._finished():
                return
            pairs = compiled.pairs_of(keys, days)
            state = State(self.best, compiled.activity(self.best))
            if not len(pairs) or self.work <= 0 or not self.effort.tell() or self.effort.seconds_left() <= 0:
                continue
            model = TimetableModel(compiled, compiled.with_helpers(pairs), state)
            model.minimise()
            model.hint(self.best)
            solver = self.effort.solver(min(self.work, FIRST_WORK + len(pairs) * WORK_OF_PAIR), workers=1)
            (status,) = self._solved([model], [solver])
            if found(status):
                values = self.best.copy()
                values[model.free] = model.values(solver)
                self._better(values)

    def _take(self, model: TimetableModel, solver: CpSolver, status: int) -> None:
        if found(status):
            values = self.state.values.copy()
            values[model.free] = model.values(solver)
            self._better(values)

    def _better(self, values: Numbers) -> None:
        if self.best is None or self.compiled.cost(values) < self.compiled.cost(self.best):
            self.best = values

    def _wider(self) -> set[str]:
        """The other courses of the classes and teachers touched so far."""
        courses = [self.compiled.wishes.courses[key] for key in self.touched]
        people = {key for course in courses for key in (*course.classes, *course.teachers)}
        return {
            course.key
            for course in self.compiled.problem.courses
            if people.intersection(course.classes) or people.intersection(course.teachers)
        }


def improved_within(problem: Problem, change: Change, effort: Effort) -> dict[str, tuple[Slot, ...]]:
    """The best change, or one that costs as little and pleases more: the lessons that move choose their new slots by
    the other wishes too."""
    assert change.best is not None
    placed = change.compiled.placed(change.best)
    moved = sorted(key for key, slots in placed.items() if set(slots) != set(problem.hint.get(key, ())))
    if not moved or effort.seconds_left() <= IMPROVING_TAKES or effort.limits.improve_time == 0:
        return placed
    weights = effort.limits.weights
    compiled = Compiled(problem, replace(weights, moved=0, dropped=0))
    values = compiled.values(placed)
    pairs = compiled.pairs_of(moved)
    model = TimetableModel(compiled, compiled.with_helpers(pairs), State(values, compiled.activity(values)))
    model.minimise()
    model.hint(values)
    # Of each course as many lessons stay, and as many are placed, as in the change that was found.
    for key in moved:
        kept = [
            model.literals[n]
            for n in compiled.pairs_of([key]).tolist()
            if compiled.pairs[n][1] in problem.hint.get(key, ())
        ]
        every = [model.literals[n] for n in compiled.pairs_of([key]).tolist()]
        staying = len(set(placed[key]).intersection(problem.hint.get(key, ())))
        model.cp.add(sum(kept) >= staying)
        model.cp.add(sum(every) >= len(placed[key]))
    solver = effort.solver(effort.limits.improve_time, workers=1)
    if found(effort.run(solver, model.cp)):
        values[model.free] = model.values(solver)
    return compiled.placed(values)


def _status(model: TimetableModel, solver: CpSolver) -> int:
    return int(solver.solve(model.cp))


class _Relaxed:
    """The model of the touched courses in which all other lessons may give way."""

    def __init__(self, compiled: Compiled, state: State, courses: set[str], start: Numbers) -> None:
        self.compiled, self.state = compiled, state
        self.own = compiled.with_helpers(compiled.pairs_of(sorted(courses)))
        positions, _ = compiled.variable_rows.of(self.own)
        over = (state.activity > compiled.high) | (state.activity < compiled.low)
        rows = np.union1d(compiled.variable_rows.flat[positions], np.flatnonzero(over))
        terms, _ = compiled.row_terms.of(rows)
        inside = np.unique(compiled.row_terms.flat[terms])
        staying = inside[(inside < len(compiled.pairs)) & (state.values[inside] > 0)]
        self.others = np.setdiff1d(staying, self.own)
        self.prices = compiled.price.copy()
        courses_of = [compiled.wishes.courses[compiled.pairs[number][0]] for number in self.others.tolist()]
        self.prices[self.others] = [-compiled.weights.moved * course.people for course in courses_of]
        fast = state.values.copy()
        fast[self.own] = 0
        self.base = compiled.constant + int(compiled.price @ fast) - int(self.prices[self.others].sum())
        self.model = TimetableModel(compiled, np.concatenate([self.own, self.others]), state, relaxed=True, rows=rows)
        self.model.minimise(self.prices)
        self.model.hint(start)

    def bound(self, solver: CpSolver) -> int:
        """No change costs less."""
        return self.base + int(np.ceil(solver.best_objective_bound - 1e-6))

    def given_way(self, values: np.ndarray) -> set[str]:
        """The other courses of which a lesson, or a part of one, gave way in a solution of the model."""
        left = values[len(self.own) :] < 1 - NEARLY
        return {self.compiled.pairs[number][0] for number in self.others[left].tolist()}

    def values(self, solver: CpSolver) -> Numbers:
        """The values of the touched courses' variables in the solution."""
        return self.model.values(solver)[: len(self.own)]


def touched(compiled: Compiled, state: State) -> set[str]:
    """The courses that cannot all stay as they are in ``state``: those with a lesson in a row that is over its bound
    or with too few, those that could have a lesson more, and all that take the same slots as one of them."""
    over = np.flatnonzero(state.activity[: compiled.hard] > compiled.high[: compiled.hard])
    positions, _ = compiled.row_terms.of(over)
    terms = compiled.row_terms.flat[positions]
    numbers = set(terms[state.values[terms] > 0].tolist())
    short = np.flatnonzero(state.activity[: compiled.hard] < compiled.low[: compiled.hard])
    positions, _ = compiled.row_terms.of(short)
    numbers |= set(compiled.row_terms.flat[positions].tolist())
    keys = {_course(compiled, number) for number in numbers}
    for course in compiled.problem.courses:
        start, end = compiled.course_span[course.key]
        there = int(state.values[start:end].sum()) if course.may_drop else end - start
        if there < course.periods:
            keys.add(course.key)
    for group in compiled.problem.parallel:
        if keys.intersection(group):
            keys |= {key for key in group if key in compiled.course_span}
    return keys


def _course(compiled: Compiled, number: int) -> str:
    """The course that a variable belongs to."""
    if number < len(compiled.pairs):
        return compiled.pairs[number][0]
    return compiled.helpers[number - len(compiled.pairs)].name[1]
