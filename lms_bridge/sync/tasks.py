"""Background jobs of the exchange with LMSs. Thin: see ``runs``."""

from __future__ import annotations

from lms_bridge.core import jobs
from lms_bridge.sync import runs


@jobs.job(runs.PUSH, max_attempts=12)
def push(account_id: str) -> None:
    """Send what waits for one LMS account."""
    runs.push(int(account_id))


@jobs.job(runs.RUN, max_attempts=5)
def run(run_id: str) -> None:
    """Carry out one run."""
    runs.carry_out(int(run_id))


@jobs.job(runs.NIGHT, daily_at=18)
def night(day: str) -> None:
    """The nightly runs of every account (2 o'clock in China)."""
    runs.start_night()
