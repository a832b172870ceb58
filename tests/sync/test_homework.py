"""Homework from a Moodle: what is set, what was handed in, only what changed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from lms_bridge.core.clock import at, now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.kept_problems import said
from lms_bridge.supervision.homework import open_of
from lms_bridge.supervision.models import Homework, HomeworkAnswer, HomeworkState
from lms_bridge.sync import parts
from lms_bridge.sync.models import MappingState, RunKind
from tests.sync.conftest import World

ANSWERS = "mod_assign_get_submissions"


@pytest.fixture
def desk(world: World) -> World:
    """Class 5-1 has one assignment, due in two days, to which student 11 has handed something in."""
    with transaction():
        parts.choose(world.account, {"reads_homework": True}, actor_uid=None)
    world.run(RunKind.ROSTER)
    world.moodle.assignments = {2: [assignment(1)], 3: []}
    world.moodle.submissions = {1: [answer(11, "submitted"), answer(999, "submitted")]}
    return world


def assignment(number: int, **more: Any) -> dict[str, Any]:
    """An assignment as Moodle lists it."""
    due = int((now() + timedelta(days=2)).timestamp())
    return {"id": number, "cmid": 40 + number, "name": f"Fractions &amp; {number}", "duedate": due} | more


def answer(who: int, state: str, **more: Any) -> dict[str, Any]:
    """What somebody did, a minute ago."""
    moment = int((now() - timedelta(minutes=1)).timestamp())
    return {"userid": who, "status": state, "attemptnumber": 0, "timemodified": moment} | more


def titles(world: World, student: int) -> list[str]:
    """What a student finds on their list."""
    return [row.title for row in open_of(world.system.a.students[student].id, "UTC")]


def test_homework_is_due_until_it_was_handed_in(desk: World) -> None:
    result = desk.run(RunKind.HOMEWORK).result
    assert (result["homework_new"], result["answers"], result["answers_unknown"]) == (1, 1, 1)
    row = db.session.scalars(sa.select(Homework)).one()
    assert (row.title, row.class_id) == ("Fractions & 1", desk.system.a.classes[0].id)
    assert row.url == f"{desk.moodle.url}/mod/assign/view.php?id=41"
    assert (titles(desk, 0), titles(desk, 1)) == ([], ["Fractions & 1"])
    desk.moodle.submissions[1] = [answer(11, "reopened", attemptnumber=1)]
    desk.run(RunKind.HOMEWORK)
    assert titles(desk, 0) == ["Fractions & 1"]
    assert db.session.scalars(sa.select(HomeworkAnswer.state)).all() == [HomeworkState.RETURNED]


def test_a_second_run_asks_for_changes_only_and_writes_nothing(desk: World) -> None:
    desk.run(RunKind.HOMEWORK)
    with at(now() + timedelta(days=1)):
        result = desk.run(RunKind.HOMEWORK).result
        assert (result["homework_new"], result["homework_changed"], result["answers"]) == (0, 0, 0)
        first, second = (int(call["since"]) for call in desk.moodle.calls(ANSWERS))
        assert first == 0 < second
        with transaction():  # somebody is recognised only now: what they did before is read all the same
            desk.mappings("person")[0].changed_at = now() + timedelta(minutes=1)
        desk.run(RunKind.HOMEWORK)
    assert int(desk.moodle.calls(ANSWERS)[-1]["since"]) == 0


def test_what_is_changed_or_gone_there_is_so_here(desk: World) -> None:
    desk.run(RunKind.HOMEWORK)
    desk.moodle.assignments[2] = [assignment(1, name="Decimals"), assignment(2)]
    assert desk.run(RunKind.HOMEWORK, dry_run=True).result["homework_new"] == 1
    assert titles(desk, 1) == ["Fractions & 1"]
    result = desk.run(RunKind.HOMEWORK).result
    assert (result["homework_new"], result["homework_changed"]) == (1, 1)
    assert titles(desk, 1) == ["Decimals", "Fractions & 2"]
    desk.moodle.assignments[2] = []
    assert desk.run(RunKind.HOMEWORK).result["homework_withdrawn"] == 2
    assert titles(desk, 1) == []
    assert len(desk.mappings("assignment", MappingState.GONE)) == 2


def test_a_course_whose_homework_may_not_be_seen_is_named_and_keeps_what_it_had(desk: World) -> None:
    desk.run(RunKind.HOMEWORK)
    del desk.moodle.assignments[2]
    desk.moodle.assignments[3] = [assignment(7)]
    run = desk.run(RunKind.HOMEWORK)
    assert "mod/assign:view" in said(run.problems[0])
    assert (run.result["homework_new"], run.result["homework_withdrawn"]) == (1, 0)
    assert titles(desk, 1) == ["Fractions & 1"]
