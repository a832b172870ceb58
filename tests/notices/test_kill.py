"""Whatever is killed whenever: every message arrives, and only one in flight at a kill can arrive twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from lms_bridge.core import outbox
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.models import Job, OutboxFact
from lms_bridge.core.settings import Settings
from lms_bridge.notices.models import Delivery, DeliveryState
from lms_bridge.roster.models import ContactKind, ContactPoint, ContactState, Person
from tests.notices.kill_worker import KIND
from tests.notices.smtp_server import smtp_server

MESSAGES = 2000
KILLS = 10
THREADS = 2
SENDERS = THREADS + 1
"""The worker's threads and its sweeper can all be sending."""
LEASE_SECONDS = 20
"""So long that no worker, however slow its machine, loses a lease that it holds; a dead one's are ended by the test."""


def environment(settings: Settings, port: int) -> dict[str, str]:
    """What the worker is told: the same installation, leases, a mail server on loopback."""
    return os.environ | {
        "LMS_BRIDGE_ENVIRONMENT": "test",
        "LMS_BRIDGE_SECRET_KEY": settings.secret_key.get_secret_value(),
        "LMS_BRIDGE_DATA_DIR": str(settings.data_dir),
        "LMS_BRIDGE_DATABASE_URL": settings.database_url,
        "LMS_BRIDGE_BASE_URL": settings.base_url,
        "LMS_BRIDGE_LOG_LEVEL": "ERROR",
        "LMS_BRIDGE_WORKER_THREADS": str(THREADS),
        "LMS_BRIDGE_JOB_LEASE_SECONDS": str(LEASE_SECONDS),
        "LMS_BRIDGE_SWEEP_SECONDS": "0.2",
        "LMS_BRIDGE_SMTP_HOST": "127.0.0.1",
        "LMS_BRIDGE_SMTP_PORT": str(port),
        "LMS_BRIDGE_SMTP_SECURITY": "none",
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }


def write_facts() -> None:
    """One fact about each of 2,000 people with an address: the rows that ``outbox.publish`` writes, all at once. No
    wake-up call is made for them, as if the job store had lost them."""
    with transaction() as session:
        people = [Person(family_name="陈", given_name=f"小{n}", language="en") for n in range(MESSAGES)]
        session.add_all(people)
        session.flush()
        session.add_all(
            ContactPoint(
                person_id=p.id, kind=ContactKind.EMAIL, address=f"p{p.id}@example.org", state=ContactState.GOOD
            )
            for p in people
        )
        facts = [OutboxFact(kind=KIND, cause=f"person:{person.id}") for person in people]
        session.add_all(facts)
        session.flush()
        session.add_all(Job(kind=outbox.EXPAND, subject=str(fact.id), not_before=now()) for fact in facts)


@contextmanager
def workers(settings: Settings, port: int) -> Iterator[Callable[[], int]]:
    """A function that starts a worker and gives its pid; those left at the end are ended."""
    launcher = subprocess.Popen(
        [sys.executable, "-m", "tests.notices.kill_worker"],
        env=environment(settings, port),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    pids: list[int] = []

    def start() -> int:
        asked, said = launcher.stdin, launcher.stdout
        assert asked is not None
        assert said is not None
        asked.write("start\n")
        asked.flush()
        pids.append(int(said.readline()))
        return pids[-1]

    try:
        yield start
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        launcher.communicate(timeout=10)


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 300) -> None:
    """Look every few milliseconds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited in vain: {what}"
        time.sleep(0.005)


def has_ended(pid: int) -> bool:
    """Whether there is no such process any more."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def let_leases_run_out() -> None:
    """As if so much time had passed since the worker died."""
    with transaction() as session:
        for table in (Job, Delivery):
            session.execute(sa.update(table).where(table.lease_until.is_not(None)).values(lease_until=now()))


def unfinished() -> int:
    """Messages of which the database does not know yet that they were sent."""
    sent = db.session.scalar(sa.select(sa.func.count()).where(Delivery.state == DeliveryState.SENT))
    db.session.rollback()
    return MESSAGES - (sent or 0)


@pytest.mark.timeout(600)
def test_ten_kills_while_2000_messages_are_sent_lose_nothing_and_repeat_only_what_was_in_flight(
    app: Flask, settings: Settings
) -> None:
    write_facts()
    chance = random.Random(20261124)
    moments = sorted(chance.sample(range(20, MESSAGES - 50), KILLS))
    kills: list[float] = []
    with smtp_server() as server, workers(settings, server.port) as start:
        for moment in moments:
            pid = start()
            wait_until(lambda at=moment: len(server.received) >= at, f"{moment} messages")  # type: ignore[misc]
            time.sleep(chance.uniform(0, 0.02))
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda pid=pid: has_ended(pid) and not server.open, "the end of the worker")  # type: ignore[misc]
            kills.append(time.monotonic())
            let_leases_run_out()
        start()
        wait_until(lambda: unfinished() == 0, "all messages sent")
        received = list(server.received)

    copies = Counter(message.recipient for message in received)
    ids = defaultdict(set)
    for message in received:
        ids[message.recipient].add(message.message_id)
    assert len(copies) == MESSAGES
    assert all(len(found) == 1 for found in ids.values())
    repeated = [recipient for recipient, count in copies.items() if count > 1]
    assert len(repeated) <= KILLS * SENDERS
    # A repeat is one that was accepted just before a kill, by a sender that had no time to write it down.
    for recipient in repeated:
        first = min(message.at for message in received if message.recipient == recipient)
        assert any(first <= kill for kill in kills)
    assert db.session.scalar(sa.select(sa.func.count()).where(OutboxFact.expanded_at.is_(None))) == 0
