"""Background jobs of the timetable."""

from __future__ import annotations

from lms_bridge.core import jobs
from lms_bridge.timetable import runs


@jobs.job(runs.SOLVE, max_attempts=3)
def solve(run_id: str) -> None:
    """Solve the week of one run."""
    runs.carry_out(int(run_id))
