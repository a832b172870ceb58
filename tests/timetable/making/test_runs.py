"""Solving in the background is watched, and ended with the best found."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from lms_bridge.core import clock, jobs
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import Conflict
from lms_bridge.timetable.making import runs, scheduling
from lms_bridge.timetable.models import RunState, SolveRun
from lms_bridge.timetable.solving.cost_words import WORDS, itemised
from lms_bridge.timetable.solving.effort import Progress, Stage, Watcher
from lms_bridge.timetable.solving.problem import Problem, Solution, SolverLimits, Status
from lms_bridge.timetable.solving.solver import solve
from lms_bridge.timetable.solving.wishes import NAMES
from tests.builders import SchoolSystem
from tests.timetable.school import FRIDAY, WEEK, school_with_plans


@pytest.fixture
def school(app: Flask) -> Iterator[SchoolSystem]:
    with clock.at(FRIDAY):
        yield school_with_plans()


@pytest.fixture
def run(school: SchoolSystem) -> SolveRun:
    with transaction():
        return runs.start([school.a.campus], WEEK, actor=school.a.administrator)


def now_in_database(row: SolveRun) -> SolveRun:
    db.session.rollback()
    db.session.refresh(row)
    return row


Solver = Callable[[Problem, SolverLimits, Watcher | None], Solution]


def watched(monkeypatch: pytest.MonkeyPatch, during: Callable[[], None], *, finds: bool) -> list[bool | None]:
    """The solver, which reports twice: before and after ``during`` happens; what its watcher answered. It finds a
    timetable, or (``finds`` false) gives up when it is told to end."""
    answers: list[bool | None] = []

    def stand_in(problem: Problem, limits: SolverLimits, progress: Watcher | None = None) -> Solution:
        assert progress is not None
        answers.append(progress(Progress(1.5, Stage.FIRST, 2, 8, {"gap": 10})))
        during()
        answers.append(progress(Progress(2.5, Stage.IMPROVING, 8, 8, {"gap": 5, "late": 4}, bound=3)))
        return solve(problem, limits) if finds or answers[-1] else Solution(Status.UNKNOWN, seconds=2.5)

    monkeypatch.setattr(scheduling, "solve", stand_in)
    monkeypatch.setattr(runs, "WRITE_EVERY", 0.0)
    return answers


def test_progress_is_written_while_the_solver_works(run: SolveRun, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, object]] = []
    answers = watched(monkeypatch, lambda: seen.append(now_in_database(run).progress), finds=True)
    jobs.run_due()
    assert answers == [True, True]
    assert seen == [{"stage": "first", "seconds": 1.5, "placed": 2, "wanted": 8, "costs": {"gap": 10}, "bound": None}]
    assert now_in_database(run).state is RunState.DONE
    assert run.parts[0].change_set_id is not None


@pytest.mark.parametrize("finds", [True, False])
def test_a_run_that_is_ended_keeps_the_best_found(
    school: SchoolSystem, run: SolveRun, monkeypatch: pytest.MonkeyPatch, finds: bool
) -> None:
    def stop() -> None:
        with transaction():
            runs.cancel(run, school.a.administrator)

    answers = watched(monkeypatch, stop, finds=finds)
    jobs.run_due()
    assert answers == [True, False]
    assert now_in_database(run).state is (RunState.DONE if finds else RunState.REFUSED)
    assert (run.parts[0].change_set_id is not None) == finds
    if not finds:
        assert run.result["message"] == f"Solving week {WEEK} was stopped before there was a timetable."
    with pytest.raises(Conflict), transaction():
        runs.cancel(run, school.a.administrator)


def test_a_run_that_is_ended_before_its_turn_is_never_solved(
    school: SchoolSystem, run: SolveRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction():
        runs.cancel(run, school.a.administrator)
        runs.cancel(run, school.a.administrator)
    monkeypatch.setattr(scheduling, "solve", None)
    jobs.run_due()
    assert now_in_database(run).state is RunState.REFUSED
    assert run.result["message"] == f"Solving week {WEEK} was stopped before it began."


def test_every_wish_has_words_and_is_counted() -> None:
    assert set(WORDS) == set(NAMES)
    items = itemised({"late": 4, "gap": 15, "moved": 0})
    assert [(item.name, item.count, item.cost) for item in items] == [("gap", 3, 15), ("late", 4, 4)]
    assert items[0].words == "Free periods of a class before its last lesson of the day"
