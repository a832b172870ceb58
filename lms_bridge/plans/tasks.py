"""Background jobs of plans."""

from __future__ import annotations

from lms_bridge.core import jobs
from lms_bridge.core.database import transaction
from lms_bridge.plans import batches, reminders


@jobs.job(reminders.REMIND)
def remind(subject: str) -> None:
    """Remind the teachers whose plan is missing."""
    with transaction():
        reminders.remind(subject)


@jobs.job(batches.WORK)
def work_batch(subject: str) -> None:
    """Read the files of a batch."""
    batches.carry_out(int(subject))


@jobs.job("plans.batch.expire", daily_at=3)
def forget_old_batches(day: str) -> None:
    """Forget the reports of batches that are long done."""
    with transaction():
        batches.forget_old()
