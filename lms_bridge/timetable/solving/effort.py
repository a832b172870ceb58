"""What a search may cost, what of that is used up, and the ear for people who watch it or want it to end.

Work is CP-SAT's deterministic time, so that the same limits give the same answer everywhere; wall clock and people may
cut a search short at any moment, and the best timetable found by then is the answer.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from lms_bridge.timetable.solving.problem import SolverLimits
from lms_bridge.timetable.solving.running import at_once

if TYPE_CHECKING:
    from ortools.sat.python.cp_model import CpModel, CpSolver

TELL_EVERY = 0.5
"""Seconds between two reports to a person who watches."""


class Stage(StrEnum):
    """What a search is at."""

    READING = "reading"
    FIRST = "first"
    CHANGING = "changing"
    IMPROVING = "improving"
    EXPLAINING = "explaining"


@dataclass(frozen=True, slots=True)
class Progress:
    """How a search stands: wall clock in seconds, the stage, ``placed`` of ``wanted`` periods in the best timetable so
    far, what each wish costs in it, and a ``bound`` that no timetable costs less than (None: none is known)."""

    seconds: float
    stage: Stage
    placed: int = 0
    wanted: int = 0
    costs: Mapping[str, int] = field(default_factory=dict)
    bound: int | None = None


Watcher = Callable[[Progress], bool | None]
"""Is told of progress, in the thread that called the solver; False ends the search with the best found so far."""


@dataclass(slots=True)
class Effort:
    """The limits, and what of them is used up: work (deterministic time) and wall clock, whichever ends first."""

    limits: SolverLimits
    watcher: Watcher | None = None
    cancelled: Callable[[], bool] | None = None
    started: float = field(default_factory=time.monotonic)
    stopped: bool = False
    used: float = 0.0
    stage: Stage = Stage.READING
    told: float = 0.0
    latest: Callable[[], Progress | None] = field(default=lambda: None)

    def seconds(self) -> float:
        """Wall clock spent, in seconds."""
        return time.monotonic() - self.started

    def seconds_left(self) -> float:
        """Wall clock left, in seconds; none once somebody has stopped the search."""
        return 0.0 if self.stopped else self.limits.seconds - self.seconds()

    def tell(self, *, now: bool = False) -> bool:
        """Tell the watcher, at most twice a second unless ``now``; whether the search is to go on."""
        if not self.stopped and (now or self.seconds() - self.told >= TELL_EVERY):
            self.told = self.seconds()
            if self.cancelled is not None and self.cancelled():
                self.stopped = True
            if self.watcher is not None:
                found = self.latest() or Progress(self.seconds(), self.stage)
                self.stopped = self.watcher(found) is False or self.stopped
        return not self.stopped

    def enter(self, stage: Stage) -> None:
        """A new stage begins."""
        self.stage = stage
        self.tell(now=True)

    def solver(self, work: float | None, *, workers: int | None = None, seconds: float | None = None) -> CpSolver:
        """A solver that may do this much work in the time that is left (and in ``seconds``, where given)."""
        from ortools.sat.python.cp_model import CpSolver

        solver = CpSolver()
        solver.parameters.num_workers = self.limits.workers if workers is None else workers
        solver.parameters.random_seed = self.limits.seed
        left = self.seconds_left() if seconds is None else min(seconds, self.seconds_left())
        solver.parameters.max_time_in_seconds = max(0.01, left)
        if work is not None:
            solver.parameters.max_deterministic_time = max(0.0001, work)
        return solver

    def run(self, solver: CpSolver, model: CpModel) -> int:
        """Solve while somebody watches: the status as CP-SAT numbers it."""
        return self.watched([lambda: int(solver.solve(model))], [solver])[0]

    def watched(self, tasks: Sequence[Callable[[], int]], solvers: Sequence[CpSolver]) -> list[int]:
        """Do these tasks, each the run of one of these solvers, at the same time (one after the other with one
        worker) while somebody watches: their results."""
        abreast = [tasks] if self.limits.workers > 1 else [[task] for task in tasks]
        results: list[int] = []
        for some in abreast:
            if self.watcher is None and self.cancelled is None:
                results += at_once(some)
            else:
                results += self._listening(some, solvers)
        self.used += sum(float(solver.response_proto.deterministic_time) for solver in solvers)
        return results

    def _listening(self, tasks: Sequence[Callable[[], int]], solvers: Sequence[CpSolver]) -> list[int]:
        done: list[list[int]] = []
        thread = threading.Thread(target=lambda: done.append(at_once(tasks)), daemon=True)
        thread.start()
        while thread.is_alive():
            thread.join(TELL_EVERY)
            if thread.is_alive() and not self.tell():
                for solver in solvers:
                    solver.stop_search()
        if not done:
            raise RuntimeError("a solver thread ended without a result")
        return done[0]
