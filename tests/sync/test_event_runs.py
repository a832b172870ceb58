"""Runs that send events: the first leave while other lessons are still looked at, each once, and none is forgotten."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from lms_bridge_moodle import MoodleConnector

from lms_bridge.core import jobs
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.sync import reconcile, runs
from lms_bridge.sync.models import MappingState, RunKind, SyncMapping, SyncState
from tests.contracts.moodle_server import Fault, sample
from tests.sync.conftest import World
from tests.sync.test_sync import CREATE, FORM


@pytest.fixture(autouse=True)
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lessons are looked at one by one."""
    monkeypatch.setattr(reconcile, "CHUNK", 1)


def test_a_run_looks_at_all_lessons_although_the_lms_falls_silent_at_the_first(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.lessons(30)
    world.run(RunKind.ROSTER)
    world.moodle.faults[CREATE] = [Fault("", 503)] * 40
    assert world.run(RunKind.EVENTS).state is SyncState.WAITING
    count = sa.select(sa.func.count()).select_from(SyncMapping).filter_by(kind="event")
    assert db.session.scalar(count) == 31  # and the lesson that begins in five minutes
    assert not world.moodle.events
    world.moodle.faults[CREATE] = []
    with transaction():
        db.session.execute(sa.update(SyncMapping).values(next_try=now()))
    run = world.run(RunKind.EVENTS)
    assert (run.state, run.progress) == (SyncState.DONE, {"done": 31, "of": 31})
    assert len(world.moodle.events) == 31


def test_lessons_are_looked_at_while_the_first_events_are_on_their_way(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    lessons = world.lessons(3)
    world.run(RunKind.ROSTER)
    seen: list[int] = []
    follow = reconcile.follow

    def noticed(ids: Sequence[int]) -> int:
        seen.append(len(world.moodle.calls(CREATE)))
        return follow(ids)

    monkeypatch.setattr(reconcile, "follow", noticed)
    run = world.run(RunKind.EVENTS)
    assert run.result["created"] == len(lessons) + 1
    assert seen[0] == 0
    assert len(seen) == len(lessons) + 1
    assert len(world.moodle.calls(CREATE)) > 1  # the first was not sent together with the last


def test_what_waits_already_when_a_run_begins_is_sent_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.run(RunKind.ROSTER)
    lessons = world.lessons(6)
    runs.wish(world.account.id)
    run = world.run(RunKind.EVENTS)
    assert (run.result["created"], run.result["updated"]) == (7, 0)  # with the lesson that begins in five minutes
    world.change(lessons, days=30)
    world.moodle.faults[FORM] = [Fault.saying(sample("err_no_capability"))] * 2
    run = world.run(RunKind.EVENTS)
    assert (run.result["updated"], run.result["failed"]) == (4, 2)
    assert len(world.moodle.calls(FORM)) == 6


def test_all_lessons_are_looked_at_although_sending_ends_with_an_error_of_ours(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.lessons(30)
    world.run(RunKind.ROSTER)
    monkeypatch.setattr(MoodleConnector, "create_events", lambda self, events: events[99])
    run = world.run(RunKind.EVENTS)
    assert run.state is SyncState.REFUSED
    assert db.session.scalar(sa.select(sa.func.count()).select_from(SyncMapping).filter_by(kind="event")) == 31


def test_nothing_is_held_in_the_database_while_an_answer_is_waited_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.lessons(30)
    world.run(RunKind.ROSTER)
    world.moodle.delay = 0.05
    held: list[bool] = []
    result = Future.result

    def waited(future: Future[Any], timeout: float | None = None) -> Any:
        held.append(db.session.registry.has() and db.session().in_transaction())
        return result(future, timeout)

    monkeypatch.setattr(Future, "result", waited)
    assert world.run(RunKind.EVENTS).result["created"] == 31
    assert held
    assert not any(held)


def test_what_was_lost_before_a_run_is_found_by_it_however_late_its_lesson_is_looked_at(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    lessons = world.lessons(2)
    world.run(RunKind.ROSTER)
    jobs.run_due()
    last = lessons[-1].id
    with transaction():
        of_last = sa.update(SyncMapping).filter_by(kind="event", entity_id=last)
        lost = {"state": MappingState.SENDING, "remote_id": None, "next_try": now() + timedelta(days=1)}
        db.session.execute(of_last.values(lost))
    made = len(world.moodle.calls(CREATE))
    run = world.run(RunKind.EVENTS)
    assert (run.state, run.result["found_again"]) == (SyncState.DONE, 1)
    assert last in {row.entity_id for row in world.mappings("event")}
    assert len(world.moodle.calls(CREATE)) == made
