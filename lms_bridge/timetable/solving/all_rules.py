"""All hard rules of a timetable problem together."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from lms_bridge.timetable.solving.problem import Problem, Rule
from lms_bridge.timetable.solving.rules import Bound, sum_bounds
from lms_bridge.timetable.solving.shape_rules import shape_bounds


def bounds(problem: Problem) -> Iterator[Bound]:
    """Every hard rule of ``problem`` as bounds, in a fixed order; bounds that cannot be broken are left out."""
    return (bound for bound in chain(sum_bounds(problem), shape_bounds(problem)) if bound.breakable())


def rules_of(problem: Problem) -> tuple[Rule, ...]:
    """The rules that restrict anything in ``problem``, each once."""
    return tuple(dict.fromkeys(bound.rule for bound in bounds(problem)))
