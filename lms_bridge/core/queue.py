"""The job engine: Huey over SQLite, PostgreSQL or Redis, which wakes workers for the durable rows of core.jobs.

The worker is one process (Huey installs signal handlers and so needs a main thread) with threads; beside them a
sweeper thread runs what no wake-up call came for, without using the queue at all.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Flask
from huey import Huey, PostgresHuey, RedisHuey, SqliteHuey

from lms_bridge.core import jobs
from lms_bridge.core.application import end_of_start
from lms_bridge.core.clock import now
from lms_bridge.core.settings import Settings

log = logging.getLogger(__name__)


Beside = Callable[[Flask, threading.Event], None]

_beside: dict[str, Beside] = {}


def beside(name: str, run: Beside) -> None:
    """Have ``run(app, stopping)`` run in a thread of every worker process until ``stopping`` is set: for what must
    be held open longer than a job may last."""
    _beside[name] = run


def make_huey(settings: Settings) -> Huey:
    """The engine for ``settings.job_store_url``; results are not kept, since the rows hold them."""
    url = settings.effective_job_store_url()
    options: dict[str, Any] = {"results": False, "utc": True}
    if url.startswith("redis"):
        return RedisHuey("lms-bridge", url=url, **options)
    if url.startswith("postgresql"):
        return PostgresHuey("lms-bridge", dsn=url.replace("postgresql+psycopg://", "postgresql://"), **options)
    return SqliteHuey("lms-bridge", filename=url.removeprefix("sqlite:///"), **options)


def init_app(app: Flask, settings: Settings) -> None:
    """Connect jobs of this application with the engine (``app.extensions["huey"]``)."""
    huey = make_huey(settings)

    @huey.task(name="run_job")  # type: ignore[untyped-decorator]
    def run_job(job_id: int) -> None:
        with app.app_context():
            jobs.run(job_id)

    def wake(job_id: int, when: datetime | None) -> None:
        try:
            if when is not None and when > now():
                run_job.schedule((job_id,), eta=when)
            else:
                run_job(job_id)
        except Exception:
            # The row is committed and the sweeper finds it; a store that is down must not fail the operation.
            log.warning("the job store did not take a wake-up call", exc_info=True)

    jobs.configure(lease_seconds=settings.job_lease_seconds, wake=wake)
    app.extensions["huey"] = huey


def run_worker(app: Flask, settings: Settings) -> None:
    """Run jobs until told to stop: SIGTERM lets the jobs in hand end, SIGINT (Ctrl+C) does not wait for them; they
    are done again when their leases end."""
    stop = threading.Event()

    def sweep() -> None:
        while not stop.wait(settings.sweep_seconds):
            try:
                with app.app_context():
                    jobs.schedule_daily()
                    jobs.run_due(limit=200, stopping=stop.is_set)
            except Exception:
                log.exception("the sweep failed; it is tried again")

    sweeper = threading.Thread(target=sweep, name="sweeper", daemon=True)
    sweeper.start()
    others = [threading.Thread(target=run, args=(app, stop), name=name, daemon=True) for name, run in _beside.items()]
    for thread in others:
        thread.start()
    huey: Huey = app.extensions["huey"]
    consumer = huey.create_consumer(
        workers=settings.worker_threads,
        worker_type="thread",
        periodic=False,
        initial_delay=0.05,
        max_delay=0.5,
        graceful_signal="TERM",
    )
    end_of_start()
    try:
        consumer.run()
    finally:
        stop.set()
        for thread in (sweeper, *others):
            thread.join(timeout=settings.job_lease_seconds)
