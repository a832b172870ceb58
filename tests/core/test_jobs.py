"""Jobs are rows: done once, retried, taken over, and never two waiting for the same thing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from lms_bridge.core import clock, jobs
from lms_bridge.core.database import db, transaction
from lms_bridge.core.kept_problems import said
from lms_bridge.core.models import Job, JobState


@pytest.fixture
def handled() -> Iterator[list[str]]:
    """Subjects that the job kind ``test.note`` was run for; ``bad`` fails."""
    seen: list[str] = []

    def note(subject: str) -> None:
        seen.append(subject)
        if subject == "bad":
            raise RuntimeError("the outside system is down")

    jobs._kinds["test.note"] = jobs.Kind("test.note", note, max_attempts=3, backoff=10)
    yield seen
    del jobs._kinds["test.note"]


def test_a_committed_job_is_done_and_a_rolled_back_one_never_existed(app: Flask, handled: list[str]) -> None:
    with transaction():
        jobs.enqueue("test.note", "kept")
    with pytest.raises(ValueError, match="oops"), transaction():
        jobs.enqueue("test.note", "lost")
        raise ValueError("oops")
    assert jobs.run_due() == 1
    assert handled == ["kept"]


def test_two_wishes_for_the_same_work_wait_as_one(app: Flask, handled: list[str]) -> None:
    for _ in range(2):
        with transaction():
            jobs.enqueue("test.note", "same")
    jobs.run_due()
    assert handled == ["same"]


def test_a_failing_job_is_retried_later_and_dead_after_its_last_attempt(app: Flask, handled: list[str]) -> None:
    with transaction():
        jobs.enqueue("test.note", "bad")
    moment = clock.now()
    for _ in range(5):
        with clock.at(moment):
            jobs.run_due()
        moment += timedelta(minutes=5)
    job = db.session.scalars(sa.select(Job)).one()
    assert handled == ["bad"] * 3
    assert job.state is JobState.DEAD
    assert "the outside system is down" in said(job.last_error)


def test_a_job_whose_worker_was_killed_is_taken_over_when_its_lease_ends(app: Flask, handled: list[str]) -> None:
    with transaction():
        jobs.enqueue("test.note", "orphan")
    job_id = db.session.scalars(sa.select(Job.id)).one()
    assert jobs.claim(job_id) is not None
    assert jobs.run_due() == 0
    with clock.at(clock.now() + timedelta(minutes=2)):
        assert jobs.run_due() == 1
    assert handled == ["orphan"]


def test_a_job_that_is_not_due_yet_waits(app: Flask, handled: list[str]) -> None:
    with transaction():
        jobs.enqueue("test.note", "later", not_before=clock.now() + timedelta(hours=1))
    assert jobs.run_due() == 0
    with clock.at(clock.now() + timedelta(hours=2)):
        assert jobs.run_due() == 1


def test_a_job_that_comes_again_by_itself_is_not_put_off_by_a_later_wish_for_the_same(app: Flask) -> None:
    moment = clock.now()

    def again(subject: str) -> None:
        with transaction():
            jobs.enqueue("test.again", subject, not_before=moment + timedelta(days=1))
        raise jobs.RetryAt(moment + timedelta(seconds=10))

    jobs._kinds["test.again"] = jobs.Kind("test.again", again, max_attempts=3, backoff=10)
    try:
        with transaction():
            jobs.enqueue("test.again", "look")
        jobs.run_due()
    finally:
        del jobs._kinds["test.again"]
    waiting = db.session.scalars(sa.select(Job).filter_by(state=JobState.QUEUED)).one()
    assert waiting.not_before == moment + timedelta(seconds=10)
