"""The smallest sets of rules that cannot hold together, for weeks whose impossibility no count explains.

A set is smallest when the week could be timetabled as soon as any one of its rules fell. It is found in three steps:
the lessons of one class or teacher are tried alone, since most causes lie there; else CP-SAT is asked which of its
assumptions (one per rule) it needed for its proof; then rules are taken out, many at a time and in the end one by one,
for as long as what is left stays impossible (the "deletion filter").
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lms_bridge.timetable.solving.all_rules import bounds, rules_of
from lms_bridge.timetable.solving.problem import Problem, Rule, RuleKind, SolverLimits
from lms_bridge.timetable.solving.rules import Bound, Variable, courses_by_class, courses_by_teacher, part_of

if TYPE_CHECKING:
    from ortools.sat.python.cp_model import CpModel, CpSolver, IntVar

MOST_SETS = 8
"""No more conflicts than this are looked for: people correct a few, then solve again."""

ONE_TEST = 1.0
"""Deterministic time for one question whether some rules can hold together; unanswered, the rule under test stays."""

ONE_PART = 0.1
"""The same for the lessons of one class or teacher alone."""


@dataclass(slots=True)
class Explaining:
    """What explaining may still cost: work (deterministic time) and wall clock."""

    limits: SolverLimits
    work: float
    started: float = field(default_factory=time.monotonic)

    def left(self) -> bool:
        """Whether anything more may be asked."""
        return self.work > 0 and self.seconds_left() > 0

    def seconds_left(self) -> float:
        """Wall clock left, in seconds."""
        return self.limits.explain_seconds - (time.monotonic() - self.started)

    def run(self, model: CpModel, work: float) -> tuple[bool, CpSolver]:
        """Whether the model is proved impossible within this work, and the solver that says so."""
        from ortools.sat.python.cp_model import INFEASIBLE

        status, solver = self.answer(model, work)
        return status == INFEASIBLE, solver

    def answer(self, model: CpModel, work: float) -> tuple[int, CpSolver]:
        """How CP-SAT's search within this work ended, and the solver."""
        from ortools.sat.python.cp_model import CpSolver

        solver = CpSolver()
        # With several workers CP-SAT does not say which assumptions it used.
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = self.limits.seed
        solver.parameters.max_deterministic_time = max(0.001, min(work, self.work))
        solver.parameters.max_time_in_seconds = max(0.01, self.seconds_left())
        status = solver.solve(model)
        self.work -= max(solver.response_proto.deterministic_time, 0.0001)
        return int(status), solver


def smallest_conflicts(problem: Problem, limits: SolverLimits, *, proved: bool) -> tuple[tuple[Rule, ...], ...]:
    """Sets of rules that cannot hold together, each in the order of the problem and different from the others.

    First those within the lessons of one class or teacher. If there are none and it is ``proved`` that the problem as
    a whole is impossible, one set of it. Empty where nothing was found, which is no proof of anything. When the effort
    runs out, a set may be larger than it had to be; its rules never hold together.
    """
    effort = Explaining(limits, limits.explain_work)
    found = dict.fromkeys(
        rules
        for part in _parts(problem)
        if effort.left()
        for rules in [_conflict_of(part, rules_of(part), effort, ONE_PART)]
        if rules is not None
    )
    if not found and proved:
        everything = rules_of(problem)
        needed = _needed(problem, everything, effort)
        found[_thinned(problem, needed if needed is not None else everything, effort)] = None
    return tuple(list(found)[:MOST_SETS])


def _parts(problem: Problem) -> Iterable[Problem]:
    """The problems of one teacher's and one class's lessons alone."""
    seen: set[frozenset[str]] = set()
    for groups in (courses_by_teacher(problem), courses_by_class(problem)):
        for courses in groups.values():
            keys = frozenset(course.key for course in courses)
            if keys not in seen:
                seen.add(keys)
                yield part_of(problem, courses)


def _conflict_of(problem: Problem, rules: Sequence[Rule], effort: Explaining, work: float) -> tuple[Rule, ...] | None:
    impossible, _ = effort.run(_model(problem, rules), work)
    return _thinned(problem, rules, effort) if impossible else None


def _needed(problem: Problem, rules: Sequence[Rule], effort: Explaining) -> list[Rule] | None:
    """The rules that CP-SAT used to prove the problem impossible; None if it did not within half of the effort."""
    from ortools.sat.python.cp_model import CpModel

    model = CpModel()
    assumed = {rule: model.new_bool_var(f"{rule.kind} {rule.key}") for rule in rules}
    add_bounds(model, bounds(problem), assumed)
    model.add_assumptions(list(assumed.values()))
    impossible, solver = effort.run(model, effort.work / 2)
    if not impossible:
        return None
    used = set(solver.sufficient_assumptions_for_infeasibility())
    needed = [rule for rule, literal in assumed.items() if literal.index in used]
    # The set that presolve reports is not always enough; an insufficient one is worth nothing.
    enough, _ = effort.run(_model(problem, needed), ONE_TEST)
    return needed if enough else None


def _thinned(problem: Problem, rules: Sequence[Rule], effort: Explaining) -> tuple[Rule, ...]:
    """``rules``, which cannot hold together, without those that this does not depend on."""
    kept = list(rules)
    size = max(1, len(kept) // 2)
    while True:
        start = 0
        while start < len(kept) and effort.left():
            rest = kept[:start] + kept[start + size :]
            impossible, _ = effort.run(_model(problem, rest), ONE_TEST)
            if impossible:
                kept = rest
            else:
                start += size
        if size == 1 or not effort.left():
            return tuple(kept)
        size = max(1, size // 2)


def _model(problem: Problem, rules: Iterable[Rule]) -> CpModel:
    """The model of these rules alone. A course that no rule asks for has no lessons, which breaks no rule."""
    from ortools.sat.python.cp_model import CpModel

    chosen = set(rules)
    model = CpModel()
    add_bounds(model, (bound for bound in bounds(problem) if bound.rule in chosen))
    return model


def add_bounds(
    model: CpModel,
    wanted: Iterable[Bound],
    assumed: dict[Rule, IntVar] | None = None,
    asked: Collection[str] = (),
) -> dict[Variable, IntVar]:
    """Add bounds, with ``assumed`` each only where the literal of its rule holds: the literals of the variables.

    Courses that no bound asks for are left out, but for those in ``asked``.
    """
    wanted = list(wanted)
    left_out = _not_asked_for(wanted).difference(asked)
    grid: dict[Variable, IntVar] = {}

    def literals(variables: Iterable[Variable]) -> list[IntVar]:
        found = []
        for variable in variables:
            if variable[0] not in left_out or len(variable) != 2:
                if variable not in grid:
                    grid[variable] = model.new_bool_var("")
                found.append(grid[variable])
        return found

    for bound in wanted:
        plus, minus = literals(bound.pairs), literals(bound.minus)
        low, high = bound.low, len(plus) if bound.high is None else bound.high
        low = -len(minus) if low is None else low
        if low <= -len(minus) and high >= len(plus):
            continue
        constraint = model.add_linear_constraint(sum(plus) - sum(minus), low, high)
        if assumed is not None:
            constraint.only_enforce_if(assumed[bound.rule])
    return grid


def _not_asked_for(wanted: list[Bound]) -> set[str]:
    """The courses that none of these bounds asks for, not even by the slots of another course."""
    asked: set[str] = set()
    known: set[str] = set()
    for bound in wanted:
        keys = {variable[0] for variable in (*bound.pairs, *bound.minus) if len(variable) == 2}
        known |= keys
        if bound.low is not None and (bound.low > 0 or bound.rule.kind is RuleKind.PARALLEL):
            asked |= keys
    return known - asked
