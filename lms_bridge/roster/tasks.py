"""Background jobs of the roster."""

from __future__ import annotations

from lms_bridge.core import jobs
from lms_bridge.roster import uploads


@jobs.job(uploads.CHECK, max_attempts=5)
def check_upload(upload_id: str) -> None:
    """Look through one uploaded file."""
    uploads.check(int(upload_id))


@jobs.job(uploads.IMPORT, max_attempts=5)
def import_upload(upload_id: str) -> None:
    """Import one confirmed file."""
    uploads.carry_out(int(upload_id))


@jobs.job("roster.upload.expire", daily_at=3)
def forget_old_uploads(day: str) -> None:
    """Forget what is long done."""
    uploads.forget_old()
