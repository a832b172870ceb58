"""CP-SAT models of a compiled timetable problem, whole or in part: one boolean per (course, slot), not one per lesson.

The lessons of a course in a week are alike, so a weekly sum per course removes their symmetry; this form was measured
to be five to ten times faster than a variable per lesson or intervals.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lms_bridge.timetable.solving.compiled import OPEN_END, Compiled, Numbers

if TYPE_CHECKING:
    from ortools.sat.python.cp_model import CpModel, CpSolver, IntVar


@dataclass(slots=True)
class State:
    """A timetable in numbers: the value of each variable and the sum of each row."""

    values: Numbers
    activity: Numbers


class TimetableModel:
    """A model in which the variables ``free`` may change. All others stay as they are in ``state``.

    With ``relaxed`` the others are left out instead, as if each took whatever value suits every row best: the best
    answer then costs no more than that of the whole problem, which makes it a bound. ``rows`` limits the rows looked
    at (None: every row in which a free variable is); ``low`` takes the place of the problem's lower bounds.
    """

    def __init__(
        self,
        compiled: Compiled,
        free: Numbers,
        state: State,
        *,
        relaxed: bool = False,
        rows: Numbers | None = None,
        low: Numbers | None = None,
    ) -> None:
        from ortools.sat.python.cp_model import CpModel

        self.compiled = compiled
        self.free = free
        self.cp: CpModel = CpModel()
        self.literals: dict[int, IntVar] = {}
        upper = compiled.upper[free].tolist()
        for number, most in zip(free.tolist(), upper, strict=True):
            self.literals[number] = self.cp.new_bool_var("") if most == 1 else self.cp.new_int_var(0, most, "")
        self.low = compiled.low if low is None else low
        self._add_rows(state, relaxed, rows)

    def minimise(self, prices: Numbers | None = None) -> None:
        """Minimise what the free variables cost; ``prices`` by variable number, those of the problem unless given."""
        from ortools.sat.python.cp_model import LinearExpr

        of_all = self.compiled.price if prices is None else prices
        priced = [(n, p) for n, p in zip(self.free.tolist(), of_all[self.free].tolist(), strict=True) if p]
        self.cp.minimize(LinearExpr.weighted_sum([self.literals[n] for n, _ in priced], [p for _, p in priced]))

    def hint(self, values: Numbers) -> None:
        """Start the search at these values."""
        for number, value in zip(self.free.tolist(), values[self.free].tolist(), strict=True):
            self.cp.add_hint(self.literals[number], value)

    def values(self, solver: CpSolver) -> Numbers:
        """The values of the free variables in the solution, in the order of ``free``."""
        solution = solver.response_proto.solution
        return np.array([solution[literal.index] for literal in self.literals.values()], dtype=np.int64)

    def _add_rows(self, state: State, relaxed: bool, rows: Numbers | None) -> None:
        """Cut the rows of the free variables out of all, and move what does not change to their bounds."""
        compiled = self.compiled
        positions, variables = compiled.variable_rows.of(self.free)
        of_row, coefficients = compiled.variable_rows.flat[positions], compiled.variable_coefficients[positions]
        if rows is not None:
            wanted = np.isin(of_row, rows)
            of_row, coefficients, variables = of_row[wanted], coefficients[wanted], variables[wanted]
        order = np.argsort(of_row, kind="stable")
        of_row, coefficients, variables = of_row[order], coefficients[order], variables[order]
        numbers, starts = np.unique(of_row, return_index=True)
        if relaxed:
            low, high = self._relaxed_bounds(numbers, coefficients, variables, starts)
        else:
            moving = np.add.reduceat(coefficients * state.values[variables], starts) if len(starts) else starts
            fixed = state.activity[numbers] - moving
            low, high = self.low[numbers] - fixed, compiled.high[numbers] - fixed
        uppers = compiled.upper[variables] * coefficients
        most = np.add.reduceat(np.maximum(uppers, 0), starts) if len(starts) else starts
        least = np.add.reduceat(np.minimum(uppers, 0), starts) if len(starts) else starts
        ends = np.append(starts[1:], len(variables))
        binding = (most > high) | (least < low)
        plain = np.minimum.reduceat(coefficients, starts) > 0 if len(starts) else starts
        single = np.maximum.reduceat(compiled.upper[variables], starts) == 1 if len(starts) else starts
        self._impossible(low, high, least, most)
        for row in np.flatnonzero(binding).tolist():
            part = slice(int(starts[row]), int(ends[row]))
            terms = [self.literals[number] for number in variables[part].tolist()]
            self._add(
                terms,
                None if plain[row] else coefficients[part].tolist(),
                max(int(low[row]), int(least[row])),
                min(int(high[row]), int(most[row])),
                bool(single[row]),
            )

    def _relaxed_bounds(
        self, numbers: Numbers, coefficients: Numbers, variables: Numbers, starts: Numbers
    ) -> tuple[Numbers, Numbers]:
        """The bounds of rows from which the other variables are left out, each taken at its best for either side."""
        compiled = self.compiled
        positions, owners = compiled.row_terms.of(numbers)
        terms = compiled.row_coefficients[positions] * compiled.upper[compiled.row_terms.flat[positions]]
        place = np.searchsorted(numbers, owners)
        own = coefficients * compiled.upper[variables]
        own_place = np.repeat(np.arange(len(numbers)), np.diff(np.append(starts, len(variables))))

        def others(sign: int) -> Numbers:
            every = np.bincount(place, np.maximum(sign * terms, 0), len(numbers))
            mine = np.bincount(own_place, np.maximum(sign * own, 0), len(numbers))
            rest: Numbers = np.rint(every - mine).astype(np.int64)
            return rest

        return self.low[numbers] - others(1), compiled.high[numbers] + others(-1)

    def _impossible(self, low: Numbers, high: Numbers, least: Numbers, most: Numbers) -> None:
        if bool(((low > most) | (high < least)).any()):
            self.cp.add_bool_or([])

    def _add(self, terms: list[IntVar], coefficients: list[int] | None, low: int, high: int, single: bool) -> None:
        from ortools.sat.python.cp_model import LinearExpr

        if coefficients is not None:
            self.cp.add_linear_constraint(LinearExpr.weighted_sum(terms, coefficients), low, high)
        elif single and high == 1 and low <= 0:
            self.cp.add_at_most_one(terms)
        elif single and high == 1 and low == 1:
            self.cp.add_exactly_one(terms)
        else:
            self.cp.add_linear_constraint(LinearExpr.sum(terms), low, high)


def whole(compiled: Compiled) -> TimetableModel:
    """The model of the whole problem."""
    everything = np.arange(len(compiled.number))
    empty = State(np.zeros(len(compiled.number), dtype=np.int64), np.zeros(len(compiled.low), dtype=np.int64))
    model = TimetableModel(compiled, everything, empty)
    # A rule that asks for a lesson of a course that has no open slot left has no terms at all.
    if bool(((np.diff(compiled.row_terms.start) == 0) & (compiled.low > 0) & (compiled.low < OPEN_END)).any()):
        model.cp.add_bool_or([])
    return model
