"""The linear relaxation of a CP-SAT model: a bound that costs seconds where CP-SAT's own would take minutes.

PDLP comes near the cheapest fractional solution quickly but not exactly, so its word is not taken for the cost: the
prices it finds for the rows are. Whatever such prices are, what every variable costs at least once they are charged is
a bound (Lagrangian relaxation), and with good prices it is the bound of the linear relaxation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from ortools.sat.python.cp_model import CpModel

BEYOND = 1e9
"""Bounds of rows further out than this do not bind."""

PARAMETERS = (
    "num_threads: 1 termination_criteria {{ simple_optimality_criteria "
    "{{ eps_optimal_relative: {0} eps_optimal_absolute: {0} }} }}"
)
EXACT = 1e-5
"""How exact the fractional solution is to be, as a share of its cost."""

ROUNDING = 1e-9
"""What the sums of floats may be wrong, as a share of what was added up."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LinearBound:
    """``cost``: no solution of the model costs less; ``values``: of each variable in a fractional solution that is
    nearly the cheapest."""

    cost: int
    values: Floats


@dataclass(slots=True)
class _Rows:
    """The rows of a model: term k is ``coefficients[k]`` times variable ``variables[k]`` in row ``owners[k]``."""

    variables: list[int]
    coefficients: list[float]
    owners: list[int]
    low: list[float]
    high: list[float]

    def add(self, variables: list[int], coefficients: list[float], low: float, high: float) -> None:
        self.owners += [len(self.low)] * len(variables)
        self.variables += variables
        self.coefficients += coefficients
        self.low.append(low if low > -BEYOND else -math.inf)
        self.high.append(high if high < BEYOND else math.inf)


def linear_bound(model: CpModel, seconds: float) -> LinearBound | None:
    """The bound of a model of linear rows, "at most one" and "exactly one", whose costs are whole numbers. None when
    ``seconds`` of wall clock were not enough. The same model gives the same answer (one thread, no chance)."""
    from ortools.linear_solver.python import model_builder

    rows = _rows(model)
    domains = [list(variable.domain) for variable in model.proto.variables]
    least = np.array([domain[0] for domain in domains], dtype=np.float64)
    most = np.array([domain[-1] for domain in domains], dtype=np.float64)
    objective = model.proto.objective
    prices = np.zeros(len(domains))
    prices[list(objective.vars)] = [float(price) for price in objective.coeffs]

    linear = model_builder.Model()  # type: ignore[no-untyped-call]
    variables = [linear.new_num_var(low, high, "") for low, high in zip(least.tolist(), most.tolist(), strict=True)]
    ends = np.searchsorted(rows.owners, np.arange(len(rows.low) + 1)).tolist()
    constraints = []
    for row, (low, high) in enumerate(zip(rows.low, rows.high, strict=True)):
        part = slice(ends[row], ends[row + 1])
        terms = [variables[number] for number in rows.variables[part]]
        summed = model_builder.LinearExpr.weighted_sum(terms, rows.coefficients[part])
        constraints.append(linear.add_linear_constraint(summed, low, high))
    linear.minimize(model_builder.LinearExpr.weighted_sum(variables, prices.tolist()))
    solver = model_builder.Solver("PDLP")
    solver.set_solver_specific_parameters(PARAMETERS.format(EXACT))
    solver.set_time_limit_in_seconds(max(0.1, seconds))
    if solver.solve(linear) != model_builder.SolveStatus.OPTIMAL:
        return None
    charged = np.array([solver.dual_value(constraint) for constraint in constraints])
    values = np.array([solver.value(variable) for variable in variables])
    return LinearBound(_at_least(rows, charged, prices, least, most), values)


def _rows(model: CpModel) -> _Rows:
    rows = _Rows([], [], [], [], [])
    for constraint in model.proto.constraints:
        if constraint.has_at_most_one():
            of = list(constraint.at_most_one.literals)
            rows.add(of, [1.0] * len(of), -math.inf, 1.0)
        elif constraint.has_exactly_one():
            of = list(constraint.exactly_one.literals)
            rows.add(of, [1.0] * len(of), 1.0, 1.0)
        elif constraint.has_linear():
            row = constraint.linear
            low, *_, high = list(row.domain)
            rows.add(list(row.vars), [float(one) for one in row.coeffs], float(low), float(high))
        # A row that is left out makes the bound lower, never wrong.
    return rows


def _at_least(rows: _Rows, charged: Floats, prices: Floats, least: Floats, most: Floats) -> int:
    """What any solution costs at least, by these prices of the rows: those that every row and every variable pays when
    it chooses its own best."""
    low, high = np.array(rows.low), np.array(rows.high)
    # A price can only be charged at an end that the row has.
    charged = np.where((charged > 0) & np.isinf(low), 0.0, charged)
    charged = np.where((charged < 0) & np.isinf(high), 0.0, charged)
    of_rows = charged * np.where(charged > 0, np.where(np.isinf(low), 0.0, low), np.where(np.isinf(high), 0.0, high))
    paid = np.array(rows.coefficients) * charged[np.array(rows.owners, dtype=np.int64)]
    reduced = prices - np.bincount(np.array(rows.variables, dtype=np.int64), paid, len(prices))
    of_variables = np.minimum(reduced * least, reduced * most)
    unsure = ROUNDING * float(np.abs(of_rows).sum() + np.abs(of_variables).sum() + np.abs(paid).sum())
    return math.ceil(float(of_rows.sum() + of_variables.sum()) - unsure)
