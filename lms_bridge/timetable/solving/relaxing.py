"""What to relax when rules cannot hold together: which one rule, and by how much, makes them possible.

Of each rule in a conflict that people can change, CP-SAT is asked by how little it must give way for the others to
hold. Where that is answered, it is asked whether the whole week can be timetabled then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lms_bridge.core.i18n import N_
from lms_bridge.timetable.solving.all_rules import bounds
from lms_bridge.timetable.solving.problem import Conflict, Problem, Relaxation, Rule, RuleKind, Slot, SolverLimits
from lms_bridge.timetable.solving.rule_words import in_words, number_of, times_of
from lms_bridge.timetable.solving.rules import Bound, Variable
from lms_bridge.timetable.solving.smallest_conflict import Explaining, add_bounds

if TYPE_CHECKING:
    from ortools.sat.python.cp_model import CpModel, CpSolver

MOST_WAYS = 6
"""No more ways out of one conflict than this are named."""

ONE_QUESTION = 0.5
"""Deterministic time for one question."""

WHOLE_WEEK = 5_000
"""Only of weeks with no more courses than this is it asked whether a way out is enough for all of it."""

LIMITS = {
    RuleKind.MAX_PER_DAY: N_("Allow %(name)s up to %(count)s periods a day."),
    RuleKind.ONLINE_PER_DAY: N_("Allow %(name)s up to %(count)s online periods a day."),
    RuleKind.CLASS_PER_DAY: N_("Allow %(name)s up to %(count)s lessons a day."),
    RuleKind.TEACHER_PER_DAY: N_("Let %(name)s teach up to %(count)s lessons a day."),
    RuleKind.ONLINE_RUN: N_("Allow %(name)s up to %(count)s online periods without a break."),
    RuleKind.POOL: N_("Get rooms for %(count)s lessons at once: %(name)s."),
    RuleKind.ROOMS: N_("Get rooms for %(count)s online lessons at once."),
}
"""Rules with one number, which is raised."""

TIMES = {
    RuleKind.TEACHER_UNAVAILABLE: N_("Let %(name)s teach at more times (%(count)s more, for instance %(times)s)."),
    RuleKind.CLASS_UNAVAILABLE: N_("Let %(name)s have lessons at more times (%(count)s more, for instance %(times)s)."),
    RuleKind.TEACHER_BUSY: N_(
        "Let lessons of %(name)s that stay now be moved (%(count)s of them, for instance %(times)s)."
    ),
    RuleKind.CLASS_BUSY: N_(
        "Let lessons of %(name)s that stay now be moved (%(count)s of them, for instance %(times)s)."
    ),
    RuleKind.FORBIDDEN: N_("Allow more times for %(name)s (%(count)s more, for instance %(times)s)."),
    RuleKind.GRID: N_("Add periods to the grid of %(name)s (%(count)s more, for instance %(times)s)."),
}
"""Rules that close slots, some of which are opened."""

WHOLE = {
    RuleKind.FIXED: N_("Let %(name)s leave its times: %(times)s."),
    RuleKind.BLOCKS: N_("Allow other blocks of periods for %(name)s."),
    RuleKind.NOT_SAME_DAY: N_("Allow these on one day: %(names)s."),
    RuleKind.IN_ORDER: N_("Allow these in any order: %(names)s."),
    RuleKind.PARALLEL: N_("Allow these at different times: %(names)s."),
}
"""Rules that hold or do not."""

FEWER = N_("Plan fewer periods of %(name)s (%(count)s fewer), or let another teacher take them.")

FEWER_IN_ALL = N_("Plan fewer periods for %(name)s (%(count)s fewer in all), or give them to somebody else.")

COUNTED = ("teacher", "class", "online", "day", "pool")

ORDER = (*TIMES, *LIMITS, *WHOLE, RuleKind.PERIODS)
"""What is tried first: times and numbers are easier to change than what is taught."""


class Adviser:
    """Finds ways out of the conflicts of one problem within what explaining may cost."""

    def __init__(self, problem: Problem, limits: SolverLimits) -> None:
        self.problem = problem
        self.effort = Explaining(limits, limits.explain_work)
        self.bounds: tuple[Bound, ...] | None = None

    def advice(self, conflict: Conflict) -> tuple[Relaxation, ...]:
        """The ways out of this conflict, those that are enough for the whole week first."""
        rules = set(conflict.rules)
        own = [bound for bound in self._bounds() if bound.rule in rules]
        found: list[Relaxation] = []
        candidates = sorted((r for r in rules if r.kind in ORDER), key=lambda r: (ORDER.index(r.kind), r))
        for rule in candidates:
            if len(found) >= MOST_WAYS or not self.effort.left():
                break
            way = self._way(rule, own)
            if way is not None:
                found.append(replace(way, enough=self._enough(way)))
        found += _fewer_in_all(conflict)
        return tuple(sorted(found, key=lambda way: {True: 0, None: 1, False: 2}[way.enough]))

    def _bounds(self) -> tuple[Bound, ...]:
        if self.bounds is None:
            self.bounds = tuple(bounds(self.problem))
        return self.bounds

    def _way(self, rule: Rule, own: list[Bound]) -> Relaxation | None:
        """How little ``rule`` must give way for all of these bounds to hold; None if it does not help alone."""
        from ortools.sat.python.cp_model import CpModel

        model = CpModel()
        mine = [bound for bound in own if bound.rule == rule]
        others = [bound for bound in own if bound.rule != rule]
        grid = add_bounds(model, [*others, *map(_seen, mine)], asked=(rule.key,))
        slack: Any = 0
        if rule.kind in LIMITS:
            slack = model.new_int_var(0, max(len(bound.pairs) for bound in mine), "")
            for bound in mine:
                model.add(sum(_terms(grid, bound.pairs)) <= (bound.high or 0) + slack)
        elif rule.kind in TIMES:
            slack = sum(literal for bound in mine for literal in _terms(grid, bound.pairs))
        elif rule.kind is RuleKind.PERIODS:
            wanted = max(bound.low or 0 for bound in mine)
            slack = model.new_int_var(0, wanted, "")
            model.add(sum(_terms(grid, mine[0].pairs)) == wanted - slack)
        model.minimize(slack)
        solver = self._solved(model)
        if solver is None:
            return None
        slots = tuple(
            sorted(
                {
                    variable[1]
                    for bound in mine
                    for variable in bound.pairs
                    if rule.kind in TIMES
                    and len(variable) == 2
                    and variable in grid
                    and solver.boolean_value(grid[variable])
                }
            )
        )
        amount = 0 if rule.kind in WHOLE else len(slots) if rule.kind in TIMES else round(solver.objective_value)
        return self._worded(rule, amount, slots)

    def _solved(self, model: CpModel) -> CpSolver | None:
        from ortools.sat.python.cp_model import FEASIBLE, OPTIMAL

        status, solver = self.effort.answer(model, ONE_QUESTION)
        return solver if status in (OPTIMAL, FEASIBLE) else None

    def _worded(self, rule: Rule, amount: int, slots: tuple[Slot, ...]) -> Relaxation | None:
        """The way out in words; None where the rule would not have to give way at all."""
        if amount == 0 and rule.kind not in WHOLE:
            return None
        (words,) = in_words(self.problem, (rule,))
        params = dict(words.params)
        if rule.kind in LIMITS:
            params["count"] = (number_of(self.problem, rule) or 0) + amount
            return Relaxation(rule, amount, LIMITS[rule.kind], params)
        if rule.kind in TIMES:
            params |= {"count": amount, "times": times_of(slots)}
            return Relaxation(rule, amount, TIMES[rule.kind], params, slots)
        if rule.kind is RuleKind.PERIODS:
            return Relaxation(rule, amount, FEWER, params | {"count": amount})
        return Relaxation(rule, 0, WHOLE[rule.kind], params)

    def _enough(self, way: Relaxation) -> bool | None:
        from ortools.sat.python.cp_model import FEASIBLE, INFEASIBLE, OPTIMAL, CpModel

        if len(self.problem.courses) > WHOLE_WEEK or not self.effort.left():
            return None
        model = CpModel()
        add_bounds(model, loosened(self._bounds(), way))
        status, _ = self.effort.answer(model, 2 * ONE_QUESTION)
        return True if status in (OPTIMAL, FEASIBLE) else False if status == INFEASIBLE else None


def loosened(every: Iterable[Bound], way: Relaxation) -> Iterator[Bound]:
    """These bounds with one rule giving way."""
    opened = set(way.slots)
    for bound in every:
        if bound.rule != way.rule:
            yield bound
        elif way.rule.kind in LIMITS and bound.high is not None:
            yield replace(bound, high=bound.high + way.amount)
        elif way.rule.kind is RuleKind.PERIODS:
            yield replace(bound, low=max(0, (bound.low or 0) - way.amount))
        elif way.rule.kind in TIMES:
            yield replace(bound, pairs=tuple(variable for variable in bound.pairs if variable[-1] not in opened))


def _fewer_in_all(conflict: Conflict) -> Iterator[Relaxation]:
    """Of a conflict that was counted: by how many periods somebody has too much."""
    periods = conflict.params.get("periods")
    places = conflict.params.get("places", conflict.params.get("free"))
    if conflict.kind in COUNTED and periods is not None and places is not None:
        params = {"name": conflict.params["name"], "count": periods - places}
        yield Relaxation(conflict.rules[0], periods - places, FEWER_IN_ALL, params)


def _seen(bound: Bound) -> Bound:
    """A bound that holds whatever is chosen; its variables are known to the model all the same."""
    return replace(bound, low=None, high=None)


def _terms(grid: dict[Variable, Any], variables: Iterable[Variable]) -> list[Any]:
    return [grid[variable] for variable in variables if variable in grid]
