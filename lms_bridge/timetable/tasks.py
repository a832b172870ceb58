"""Background jobs of the timetable."""

from __future__ import annotations

from lms_bridge.core import jobs
from lms_bridge.timetable.cases import runs as case_runs
from lms_bridge.timetable.cases.opening import COMPUTE
from lms_bridge.timetable.making import runs


@jobs.job(runs.SOLVE, max_attempts=3)
def solve(run_id: str) -> None:
    """Solve the week of one run."""
    runs.carry_out(int(run_id))


@jobs.job(COMPUTE, max_attempts=3)
def work_out(case_id: str) -> None:
    """Work out what can be done about one case."""
    case_runs.work_out_case(int(case_id))
