"""Background jobs of the exchange with LMSs. Thin: see ``runs``."""

from __future__ import annotations

from lms_bridge.core import jobs
from lms_bridge.core.database import transaction
from lms_bridge.sync import members, removal, runs, scores


@jobs.job(runs.PUSH, max_attempts=12)
def push(account_id: str) -> None:
    """Send what waits for one LMS account."""
    runs.push(int(account_id))


@jobs.job(runs.WISH, max_attempts=5)
def wish(account_id: str) -> None:
    """See which events one LMS account's lessons need by now."""
    runs.wish(int(account_id))


@jobs.job(runs.RUN, max_attempts=5)
def run(run_id: str) -> None:
    """Carry out one run."""
    runs.carry_out(int(run_id))


@jobs.job(removal.LEAVE, max_attempts=12)
def leave(account_id: str) -> None:
    """Remove one LMS account."""
    removal.carry_out(int(account_id))


@jobs.job(runs.NIGHT, daily_at=18)
def night(day: str) -> None:
    """The nightly runs of every account (2 o'clock in China)."""
    runs.start_night()


@jobs.job("sync.members", daily_at=18)
def all_members(day: str) -> None:
    """The members of every course of LTI platforms, matched before they come."""
    with transaction():
        members.ask_for()


@jobs.job(members.OF_COURSE, max_attempts=5)
def members_of_course(course_id: str) -> None:
    """The members of one course."""
    members.read(int(course_id))


@jobs.job(members.TRY_COURSE, max_attempts=5)
def try_members_of_course(course_id: str) -> None:
    """The members of one course, of which nothing is kept but the counts."""
    members.read(int(course_id), dry_run=True)


@jobs.job("sync.scores", daily_at=19)
def all_scores(day: str) -> None:
    """Attendance into the gradebooks of LTI platforms that want it."""
    scores.start_all()


@jobs.job(scores.OF_COURSE, max_attempts=5)
def scores_of_course(course_id: str) -> None:
    """The scores of one course."""
    scores.send(int(course_id))
