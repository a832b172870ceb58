"""A worker may be killed at any moment, whatever keeps the wake-up calls: no job is lost."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from lms_bridge.core import jobs
from lms_bridge.core.database import db, transaction
from lms_bridge.core.models import ExternalId, Job, JobState
from lms_bridge.core.settings import Settings
from lms_bridge.web.app import create_app
from tests.conftest import make_settings
from tests.core.noting_worker import KIND
from tests.processes import environment, kill, run_command, started

WORKER = ["tests.core.noting_worker"]
THREADS = 3  # two of the job engine, and the sweeper
WAIT_SECONDS = 120


def make_installation(tmp_path: Path, request: pytest.FixtureRequest, store: str) -> Settings:
    """An installation with tables: database and job store in SQLite, both in PostgreSQL, or SQLite with Redis."""
    url = request.getfixturevalue("postgresql_url") if store == "postgresql" else ""
    job_store = {"sqlite": "", "postgresql": url, "redis": store == "redis" and request.getfixturevalue("redis_url")}
    if store != "postgresql":
        (tmp_path / "lms-bridge.sqlite").write_bytes(request.getfixturevalue("empty_database").read_bytes())
    return make_settings(
        tmp_path, database_url=url, job_store_url=job_store[store], job_lease_seconds=5.0, sweep_seconds=0.3
    )


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("postgresql", marks=pytest.mark.postgresql),
        pytest.param("redis", marks=pytest.mark.redis),
    ]
)
def installation(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """The application of an installation with each of the three job stores."""
    app = create_app(make_installation(tmp_path, request, request.param))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def count(query: sa.Select[tuple[int]]) -> int:
    """The number that ``query`` finds now."""
    number = db.session.scalar(query) or 0
    db.session.rollback()
    return number


def done() -> int:
    """How many rows the jobs have written."""
    return count(sa.select(sa.func.count()).select_from(ExternalId))


def open_jobs() -> int:
    """How many jobs are not done."""
    return count(sa.select(sa.func.count()).select_from(Job).where(Job.kind == KIND, Job.state != JobState.DONE))


def wait_until(reached: Callable[[], bool], log: Path) -> None:
    """Wait for the worker to come so far; fail with its log when it does not."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not reached():
        if time.monotonic() > deadline:
            pytest.fail(f"{done()} done, {open_jobs()} open:\n{log.read_text(encoding='utf-8')[-3000:]}")
        time.sleep(0.01)


@pytest.mark.slow
def test_a_worker_that_is_killed_in_the_middle_of_jobs_loses_none(
    installation: Flask, tmp_path: Path, soak: bool
) -> None:
    kills, jobs_each = (10, 200) if soak else (2, 60)
    total = (kills + 1) * jobs_each
    with transaction():
        for number in range(total):
            jobs.enqueue(KIND, str(number))
    notes, log = tmp_path / "notes", tmp_path / "worker.log"
    variables = environment(installation.extensions["lms_bridge"], NOTES=str(notes))
    for round_number in range(1, kills + 1):
        with started(WORKER, variables, log) as worker:
            wait_until(lambda n=round_number: done() >= n * jobs_each, log)  # type: ignore[misc]
            kill(worker)
    with started(WORKER, variables, log):
        wait_until(lambda: open_jobs() == 0, log)
    assert done() == total
    runs = Counter(notes.read_text(encoding="ascii").split())
    assert len(runs) == total
    repeated = sum(times - 1 for times in runs.values())
    assert repeated <= kills * THREADS, "only what was in hand at a kill may be repeated"


def test_a_worker_that_is_asked_to_end_finishes_what_it_has_in_hand(app: Flask, tmp_path: Path) -> None:
    with transaction():
        for number in range(50):
            jobs.enqueue(KIND, str(number))
    notes, log = tmp_path / "notes", tmp_path / "worker.log"
    with started(WORKER, environment(app.extensions["lms_bridge"], NOTES=str(notes)), log) as worker:
        wait_until(lambda: done() >= 5, log)
        worker.terminate()
        assert worker.wait(30) == 0, log.read_text(encoding="utf-8")
    assert count(sa.select(sa.func.count()).select_from(Job).where(Job.state == JobState.RUNNING)) == 0
    assert done() == len(notes.read_text(encoding="ascii").split())


def test_the_commands_start_as_their_own_processes(app: Flask) -> None:
    assert "lms-bridge" in run_command(["--version"], app.extensions["lms_bridge"], fresh=True)
