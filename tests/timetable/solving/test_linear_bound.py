"""The linear bound: never above the cheapest answer, and near it where much has to give way."""

from __future__ import annotations

import random

import pytest
from ortools.sat.python.cp_model import OPTIMAL, CpModel, CpSolver

from lms_bridge.timetable.solving.linear_bound import linear_bound


def random_model(seed: int) -> CpModel:
    """Switches and counters under rows of every kind, with costs of both signs."""
    chooser = random.Random(seed)
    model = CpModel()
    switches = [model.new_bool_var("") for _ in range(12)]
    counters = [model.new_int_var(-2, 5, "") for _ in range(3)]
    for _ in range(5):
        model.add_at_most_one(chooser.sample(switches, 4))
    model.add_exactly_one(chooser.sample(switches, 3))
    for _ in range(4):
        terms = [*chooser.sample(switches, 3), chooser.choice(counters)]
        row = sum(chooser.choice((-3, -1, 1, 2)) * term for term in terms)
        model.add_linear_constraint(row, chooser.choice((-9, -4)), chooser.choice((4, 50)))
    model.minimize(sum(chooser.randint(-40, 40) * term for term in (*switches, *counters)))
    return model


def cheapest(model: CpModel) -> int | None:
    """What the cheapest answer costs; None without any."""
    solver = CpSolver()
    return round(solver.objective_value) if solver.solve(model) == OPTIMAL else None


@pytest.mark.parametrize("seed", range(40))
def test_no_answer_costs_less_than_the_bound(seed: int) -> None:
    model = random_model(seed)
    cost = cheapest(model)
    bound = linear_bound(model, 10)
    if cost is None:
        return
    assert bound is not None
    assert bound.cost <= cost
    assert cost - bound.cost <= 60


def test_it_counts_what_has_to_give_way() -> None:
    """Ten lessons in each of five slots with four rooms: six of each slot give way, the smallest ones."""
    model = CpModel()
    stays = {(slot, n): model.new_bool_var("") for slot in range(5) for n in range(1, 11)}
    for slot in range(5):
        model.add(sum(stays[slot, n] for n in range(1, 11)) <= 4)
    model.minimize(sum(-n * one for (_, n), one in stays.items()))
    bound = linear_bound(model, 10)
    assert bound is not None
    assert bound.cost == -5 * (10 + 9 + 8 + 7)
    assert bound.values.sum() == pytest.approx(20, abs=0.1)


def test_the_same_model_gives_the_same_bound() -> None:
    first, second = (linear_bound(random_model(7), 10) for _ in range(2))
    assert first is not None
    assert second is not None
    assert (first.cost, first.values.tolist()) == (second.cost, second.values.tolist())
