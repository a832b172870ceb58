"""Running solvers side by side, and what the ends of their searches mean."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence


def at_once(tasks: Sequence[Callable[[], int]]) -> list[int]:
    """The results of these tasks, done in threads at the same time; CP-SAT lets other threads run."""
    results = [0] * len(tasks)

    def work(number: int) -> None:
        results[number] = tasks[number]()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(1, len(tasks))]
    for thread in threads:
        thread.start()
    if tasks:
        work(0)
    for thread in threads:
        thread.join()
    return results


def found(status: int) -> bool:
    """Whether a solver that ended so has a solution."""
    from ortools.sat.python.cp_model import FEASIBLE, OPTIMAL

    return status in (int(OPTIMAL), int(FEASIBLE))


def solved(status: int) -> bool:
    """Whether its solution is proved to be the best."""
    from ortools.sat.python.cp_model import OPTIMAL

    return status == int(OPTIMAL)


def infeasible(status: int) -> bool:
    """Whether it proved that there is none."""
    from ortools.sat.python.cp_model import INFEASIBLE

    return status == int(INFEASIBLE)
