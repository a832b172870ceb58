"""The search for a good timetable: a first one that keeps every rule, then better ones part by part.

CP-SAT finds a first timetable quickly when it has no wishes to weigh, and makes a small part of one as good as can be
quickly when the rest stands still; on a whole school with all wishes it does neither. So: first the rules alone (or
with the wish to keep the timetable in force), then large-neighbourhood search, in which a few classes or one day are
set free in turn. Measured on 24 classes with 30 periods in 35 slots: 0.6 s to the first timetable.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lms_bridge.timetable.model import ModelBuilder, Part, TimetableModel
from lms_bridge.timetable.problem import Problem, Slot, SolverLimits, Weights
from lms_bridge.timetable.wishes import Slots

if TYPE_CHECKING:
    from ortools.sat.python.cp_model import CpSolver

Placed = dict[str, tuple[Slot, ...]]

SMALL = 1500
"""A problem with no more booleans than this is solved whole, with a proof that the answer is the best."""

PART_EFFORT = 0.15
"""Deterministic time for one part; a part of one to three classes is usually proved best in a fifth of it."""


@dataclass(slots=True)
class Effort:
    """The limits, and what of them is used up: work (deterministic time) and wall clock, whichever ends first."""

    limits: SolverLimits
    started: float = field(default_factory=time.monotonic)

    def seconds_left(self) -> float:
        """Wall clock left, in seconds."""
        return self.limits.seconds - (time.monotonic() - self.started)

    def solver(self, work: float | None) -> CpSolver:
        """A solver that may do this much work in the time that is left."""
        from ortools.sat.python.cp_model import CpSolver

        solver = CpSolver()
        solver.parameters.num_workers = self.limits.workers
        solver.parameters.random_seed = self.limits.seed
        solver.parameters.max_time_in_seconds = max(0.01, self.seconds_left())
        if work is not None:
            solver.parameters.max_deterministic_time = work
        return solver


@dataclass(frozen=True, slots=True)
class Outcome:
    """``placed`` is the best timetable found, None where there is none; ``proved`` that it is the best there is."""

    placed: Placed | None
    proved: bool


def search(problem: Problem, effort: Effort) -> Outcome:
    """The best timetable within the effort; ``Outcome(None, True)`` when it is proved that there is none."""
    builder = ModelBuilder(problem)
    first = _first(builder, effort)
    if first.placed is None:
        return first
    if not any(builder.wishes.costs(first.placed, effort.limits.weights).values()):
        return Outcome(first.placed, True)
    if sum(len(slots) for slots in builder.open.values()) <= SMALL:
        whole = builder.build()
        whole.minimise(effort.limits.weights)
        outcome = _run(whole, effort.solver(effort.limits.improve_time), first.placed)
        return outcome if outcome.placed is not None else Outcome(first.placed, False)
    return Outcome(_improved(builder, effort, first.placed), False)


def _first(builder: ModelBuilder, effort: Effort) -> Outcome:
    """A timetable that keeps the rules; near the one in force if there is one."""
    model = builder.build()
    work = effort.limits.deterministic_time
    if builder.problem.hint and effort.limits.weights.moved:
        near = builder.build()
        near.minimise(Weights(moved=1, same_day=0, uneven=0, gap=0, late=0))
        outcome = _run(near, effort.solver(None if work is None else work / 3), builder.problem.hint)
        if outcome.placed is not None or outcome.proved:
            return outcome
    solver = effort.solver(work)
    # Without the linear relaxation and with little presolve the first timetable comes ten times sooner.
    solver.parameters.linearization_level = 0
    solver.parameters.symmetry_level = 0
    solver.parameters.cp_model_probing_level = 0
    return _run(model, solver, builder.problem.hint)


def _improved(builder: ModelBuilder, effort: Effort, placed: Placed) -> Placed:
    """``placed`` made better part by part until every part in a round stays as it is, or the effort is over."""
    weights = effort.limits.weights
    cost = sum(builder.wishes.costs(placed, weights).values())
    work = math.inf if effort.limits.improve_time is None else effort.limits.improve_time
    chooser = random.Random(effort.limits.seed)
    for size in (1, 1, 2, 3, 3, 4, 4, 4):
        improved = False
        for courses, days in _parts(builder, chooser, size):
            if work <= 0 or effort.seconds_left() <= 0:
                return placed
            model = builder.build(Part(courses, days, placed))
            model.minimise(weights)
            solver = effort.solver(min(PART_EFFORT * size, work))
            outcome = _run(model, solver, placed)
            work -= solver.response_proto.deterministic_time
            if outcome.placed is None:
                continue
            found = sum(builder.wishes.costs(outcome.placed, weights).values())
            improved = improved or found < cost
            if found <= cost:
                placed, cost = outcome.placed, found
        if not improved and size == 4:
            break
    return placed


def _parts(builder: ModelBuilder, chooser: random.Random, size: int) -> Iterator[tuple[frozenset[str], frozenset[int]]]:
    """The parts of one round: every class once, together with others that share its teachers."""
    every_day = frozenset(slot.day for slot in builder.problem.slots)
    waiting = list(builder.wishes.by_class)
    chooser.shuffle(waiting)
    teachers = {
        key: {teacher for course in courses for teacher in course.teachers}
        for key, courses in builder.wishes.by_class.items()
    }
    while waiting:
        first = waiting.pop()
        waiting.sort(key=lambda key: len(teachers[key] & teachers[first]))
        classes = [first, *(waiting.pop() for _ in range(min(size - 1, len(waiting))))]
        chooser.shuffle(waiting)
        yield frozenset(course.key for key in classes for course in builder.wishes.by_class[key]), every_day


def _run(model: TimetableModel, solver: CpSolver, start: Slots) -> Outcome:
    from ortools.sat.python import cp_model

    model.hint(start)
    status = solver.solve(model.cp)
    if status == cp_model.INFEASIBLE:
        return Outcome(None, True)
    if status in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return Outcome(model.placed(solver), status == cp_model.OPTIMAL)
    return Outcome(None, False)
