"""Administrators see what happens in online rooms, and move lessons by their own decision."""

from __future__ import annotations

import pytest
from flask import Flask

from lms_bridge.core.database import transaction
from lms_bridge.lessons import breaker, meetings
from lms_bridge.lessons.models import CircuitState
from tests.lessons.hall import Hall
from tests.lessons.support import browser, do, press
from tests.lessons.test_failover import World, world

__all__ = ["world"]

NOW = "/system/video/now"


@pytest.fixture
def begun(world: World) -> str:
    """The lesson is in the first Hall; its campus's administrator reads English."""
    with transaction():
        world.school.a.administrator.language = "en"
    world.begin(world.school.a.students[0])
    return NOW


def test_a_failure_is_seen_with_its_cause_and_the_way_back_is_a_decision(world: World, begun: str) -> None:
    admin = browser(world.app, world.school.a.administrator)
    assert "No lesson moved today" in admin.get(begun).get_data(as_text=True)
    world.hall.stop()
    world.look(3)
    assert do(breaker.MOVE_AWAY) == 1
    assert do(meetings.PROVISION) == 1
    text = admin.get(begun).get_data(as_text=True)
    assert "by itself: the video system failed" in text
    assert "does not answer" in text
    assert "Back to East" in text
    world.hall.start()
    assert press(admin, begun, f"/system/video/{world.first.uid}/ask")[0] == 302
    do(breaker.PROBE)
    assert world.stand(world.first) is CircuitState.CLOSED
    assert world.meeting().account_id == world.second.id, "nothing goes back by itself"
    move = f"/system/video/lessons/{world.lesson.uid}/move"
    for _ in range(2):  # pressed twice
        press(admin, begun, move, attempt="2", account=world.first.uid)
    assert (world.meeting().attempt, world.meeting().account_id) == (3, world.first.id)
    assert world.school.a.administrator.display_name in admin.get(begun).get_data(as_text=True)


def test_a_lesson_is_moved_to_the_next_system_by_its_own_administrator_alone(
    world: World, begun: str, app: Flask, other_hall: Hall
) -> None:
    move = f"/system/video/lessons/{world.lesson.uid}/move"
    other = browser(app, world.school.b.administrator)
    assert press(other, begun, move, attempt="1")[0] == 404
    assert press(other, begun, f"/system/video/{world.first.uid}/ask")[0] == 404
    assert world.lesson.subject.label("en") + " 5-1" not in other.get(begun).get_data(as_text=True)
    press(browser(app, world.school.a.administrator), begun, move, attempt="1")
    assert world.meeting().account_id == world.second.id
