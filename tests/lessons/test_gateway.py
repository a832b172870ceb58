"""The rule of the door as a table: who, when, and what becomes of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lms_bridge.core.errors import NotFound
from lms_bridge.lessons.gateway import Decision, DoorState, Part, Visitor, Window, decide

OPENS = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
CLOSES = datetime(2026, 11, 25, 3, 5, tzinfo=UTC)
ONLINE = Window(OPENS, CLOSES)
MOMENT = timedelta(microseconds=1)

TEACHER = Visitor(teaches=True)
STUDENT = Visitor(expected=True)
GUARDIAN = Visitor(child_ids=(7,))
OBSERVER = Visitor(may_observe=True)


@pytest.mark.parametrize(
    ("visitor", "part", "enters"),
    [
        (TEACHER, Part.LEADER, True),
        (STUDENT, Part.STUDENT, True),
        (GUARDIAN, Part.GUARDIAN, False),
        (OBSERVER, Part.OBSERVER, True),
        (Visitor(teaches=True, child_ids=(7,)), Part.LEADER, True),
        (Visitor(child_ids=(7,), may_observe=True), Part.OBSERVER, True),
    ],
)
def test_who_comes_in_through_an_open_door(visitor: Visitor, part: Part, enters: bool) -> None:
    decision = decide(visitor, ONLINE, OPENS)
    assert decision == Decision(part, DoorState.OPEN)
    assert decision.may_enter is enters


@pytest.mark.parametrize(
    ("moment", "state"),
    [
        (OPENS - MOMENT, DoorState.WAITING),
        (OPENS, DoorState.OPEN),
        (CLOSES - MOMENT, DoorState.OPEN),
        (CLOSES, DoorState.OVER),
        (CLOSES + timedelta(days=30), DoorState.OVER),
    ],
)
def test_the_door_is_open_from_its_opening_until_just_before_its_end(moment: datetime, state: DoorState) -> None:
    for visitor in (TEACHER, STUDENT, OBSERVER):
        decision = decide(visitor, ONLINE, moment)
        assert decision.state is state
        assert decision.may_enter is (state is DoorState.OPEN)


@pytest.mark.parametrize("moment", [OPENS - timedelta(hours=1), OPENS, CLOSES])
def test_nobody_enters_a_cancelled_lesson(moment: datetime) -> None:
    decision = decide(STUDENT, Window(OPENS, CLOSES, cancelled=True), moment)
    assert decision.state is DoorState.CANCELLED
    assert not decision.may_enter


def test_nobody_enters_a_lesson_that_takes_place_at_school() -> None:
    decision = decide(TEACHER, Window(OPENS, CLOSES, online=False), OPENS)
    assert decision.state is DoorState.IN_PERSON
    assert not decision.may_enter


@pytest.mark.parametrize("moment", [OPENS - timedelta(hours=1), OPENS, CLOSES])
def test_a_lesson_of_others_is_not_there_at_any_time(moment: datetime) -> None:
    with pytest.raises(NotFound):
        decide(Visitor(), ONLINE, moment)
