"""A small education group on the way of a large one: placed lesson by lesson, annealed, improved part by part."""

from __future__ import annotations

from functools import cache

import pytest

from benchmarks.school_group import Shape, education_group, licences_halved, teacher_away
from lms_bridge.timetable.solving import least_change, search
from lms_bridge.timetable.solving.checker import broken_rules
from lms_bridge.timetable.solving.difference import differences
from lms_bridge.timetable.solving.effort import Progress, Stage
from lms_bridge.timetable.solving.problem import Problem, Solution, SolverLimits, Status, Weights
from lms_bridge.timetable.solving.solver import smallest_change, solve

SHAPE = Shape(campuses=2, classes=8, teachers=20, licences=8, siblings=4)


@pytest.fixture(autouse=True)
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even a small group is large here."""
    monkeypatch.setattr(search, "LARGE", 100)
    monkeypatch.setattr(search, "SMALL", 50)
    monkeypatch.setattr(least_change, "BY_DAYS", 50)


@cache
def group() -> Problem:
    """Eight classes at two campuses; each has licences for all of its classes but one at a time or so."""
    return education_group(1, SHAPE)


@cache
def week(improve: float = 0.4) -> Solution:
    """Its timetable."""
    return solve(group(), SolverLimits(seconds=100, improve_time=improve))


def test_a_group_gets_a_timetable_that_keeps_every_rule_and_gets_better_with_more_work() -> None:
    assert week().found
    assert broken_rules(group(), week().placements) == []
    assert len(week().placements) == 8 * 30
    first = solve(group(), SolverLimits(seconds=100, improve_time=0))
    assert broken_rules(group(), first.placements) == []
    assert sum(week().costs.values()) < sum(first.costs.values())


def test_the_same_seed_and_work_give_the_same_timetable_of_a_group() -> None:
    again = solve(group(), SolverLimits(seconds=100, improve_time=0.4))
    assert again.placements == week().placements


def test_progress_is_told_and_a_search_can_be_stopped_with_the_best_found_so_far() -> None:
    seen: list[Progress] = []

    def watch(progress: Progress) -> bool:
        seen.append(progress)
        return progress.stage is not Stage.IMPROVING

    solution = solve(group(), SolverLimits(seconds=100, improve_time=None), watch)
    assert solution.status is Status.FEASIBLE
    assert [progress.stage for progress in seen] == [Stage.READING, Stage.FIRST, Stage.IMPROVING]
    assert seen[-1].placed == seen[-1].wanted == 240
    assert sum(seen[-1].costs.values()) == sum(solution.costs.values())
    stopped = solve(group(), SolverLimits(seconds=100), cancelled=lambda: True)
    assert stopped.status in (Status.FEASIBLE, Status.UNKNOWN)


@pytest.mark.parametrize("broken", [teacher_away, licences_halved])
def test_what_breaks_is_mended_with_the_proved_smallest_change(broken: object) -> None:
    assert callable(broken)
    problem: Problem = broken(group(), week().slots_by_course())
    change = smallest_change(problem, SolverLimits(seconds=100, weights=Weights(moved=1), workers=2))
    assert change.found
    assert broken_rules(problem, change.placements) == []
    assert change.gap is not None
    assert change.gap <= 0.05
    moved = differences(problem, change)
    assert len(moved) > 0
    assert sum(one.people for one in moved) == change.costs["moved"]
    assert 10_000 * sum(one.missing for one in moved) == change.costs["dropped"]


def test_a_timetable_in_force_that_breaks_nothing_stays_as_it_is() -> None:
    problem = licences_halved(group(), week().slots_by_course())
    unbroken = Problem(group().slots, group().courses, group().unavailable, pools=group().pools, hint=problem.hint)
    change = smallest_change(unbroken)
    assert change.status is Status.OPTIMAL
    assert change.placements == week().placements
