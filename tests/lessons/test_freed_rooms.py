"""A lesson for which all rooms or hosts were taken gets one as soon as one is free."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from lms_bridge.core.database import db, transaction
from lms_bridge.lessons import accounts, failover, meetings
from lms_bridge.lessons.models import Meeting, MeetingState, ProviderAccount
from lms_bridge.timetable.models import Lesson, LessonStatus
from tests import builders
from tests.lessons.support import START, browser, do, press
from tests.lessons.test_failover import World, world

__all__ = ["world"]


def another(world: World, starts_at: datetime = START) -> Lesson:
    """A lesson beside the first one; committed."""
    with transaction():
        return builders.lesson(world.school.a.classes[1], world.school.subject, world.school.a.other_teacher, starts_at)


def meeting(lesson: Lesson) -> Meeting:
    """Its room in force, as stored."""
    db.session.rollback()
    db.session.expire_all()
    found = meetings.meeting_of(lesson.id)
    assert found is not None
    return found


def cancel(lesson: Lesson) -> None:
    """It does not take place; what follows from that is done."""
    do(meetings.FREED)
    with transaction():
        db.session.get_one(Lesson, lesson.id).status = LessonStatus.CANCELLED
        meetings.follow([lesson.id])
    for kind in (meetings.END, meetings.FREED, meetings.PROVISION):
        do(kind)


def one_host(world: World) -> None:
    """Only the first system is there, with one host."""
    accounts.switch(db.session.get_one(ProviderAccount, world.second.id), on=False, actor=None)
    account = db.session.get_one(ProviderAccount, world.first.id)
    accounts.change(account, name="East", settings=world.hall.settings(hosts=["ann"]), actor=None)


def two_of_one_host(world: World) -> tuple[Lesson, Lesson]:
    """Two lessons at the same time, of which one has the only host."""
    with transaction():
        one_host(world)
    first, waits = (another(world, START + timedelta(days=3)) for _ in range(2))
    with transaction():
        meetings.follow([first.id, waits.id])
    return first, waits


@pytest.fixture
def alone(world: World) -> World:
    """There is no third system."""
    with transaction():
        for account in db.session.query(ProviderAccount):
            account.enabled = account.id in (world.first.id, world.second.id)
    return world


def test_a_lesson_with_nowhere_to_go_takes_the_room_that_another_one_leaves(alone: World) -> None:
    world, other = alone, another(alone)
    with transaction():
        second = db.session.get_one(ProviderAccount, world.second.id)
        accounts.change(second, name="West", settings=world.other.settings(), rooms=1, actor=None)
        failover.move_by_decision(other, meetings.wish(other).attempt, world.school.a.teacher, second)
    do(meetings.PROVISION)
    world.hall.fault = 404
    world.come(world.school.a.students[0])
    do(meetings.PROVISION)
    do("lessons.move")
    assert (world.meeting().attempt, world.meeting().state) == (1, MeetingState.FAILED)
    # Over here; but its room may still be open there.
    world.other.fault = 500
    cancel(other)
    assert world.meeting().attempt == 1
    world.other.fault = 0
    world.moment += timedelta(minutes=1)
    for kind in (meetings.END, meetings.FREED, meetings.PROVISION):
        do(kind)
    assert (world.meeting().account_id, world.meeting().state) == (world.second.id, MeetingState.READY)
    assert list(world.other.rooms) == [f"{world.lesson.uid}-2"]


@pytest.mark.parametrize("days", [0, 3])
def test_a_lesson_that_found_no_host_gets_the_one_that_another_one_gives_back(alone: World, days: int) -> None:
    world = alone
    first, waits = (another(world, START + timedelta(days=days)) for _ in range(2))
    with transaction():
        one_host(world)
        meetings.wish(first)
        meetings.want_now(meetings.wish(waits))
    do(meetings.PROVISION)
    assert (meeting(waits).state, meeting(waits).host) == (MeetingState.FAILED, None)
    cancel(first)
    assert (meeting(waits).host, meeting(waits).attempt, meeting(waits).last_error) == ("ann", 1, None)
    assert meeting(waits).state is (MeetingState.WANTED if days else MeetingState.READY)


def test_a_lesson_that_found_no_host_anywhere_gets_one_at_the_account_where_one_is_free(alone: World) -> None:
    world = alone
    first, second, waits = (another(world, START + timedelta(days=3)) for _ in range(3))
    with transaction():
        for account_id, hall, host in ((world.first.id, world.hall, "ann"), (world.second.id, world.other, "bob")):
            account = db.session.get_one(ProviderAccount, account_id)
            accounts.change(account, name=host, settings=hall.settings(hosts=[host]), actor=None)
        for one in (first, second, waits):
            meetings.wish(one)
    assert [meeting(one).host for one in (first, second, waits)] == ["ann", "bob", None]
    cancel(second)
    assert (meeting(waits).host, meeting(waits).account_id) == ("bob", world.second.id)
    assert meeting(waits).state is MeetingState.WANTED


def test_a_lesson_that_found_no_host_and_is_put_off_has_a_room_again(alone: World) -> None:
    world = alone
    _, waits = two_of_one_host(world)
    assert meeting(waits).state is MeetingState.FAILED
    with transaction():
        lesson = db.session.get_one(Lesson, waits.id)
        lesson.starts_at, lesson.ends_at = lesson.starts_at + timedelta(hours=3), lesson.ends_at + timedelta(hours=3)
        meetings.follow([waits.id])
    assert (meeting(waits).state, meeting(waits).host) == (MeetingState.WANTED, "ann")


def test_a_lesson_that_found_no_host_gets_the_one_of_a_lesson_that_is_moved_to_another_time(alone: World) -> None:
    world = alone
    first, waits = two_of_one_host(world)
    do(meetings.FREED)
    assert meeting(waits).state is MeetingState.FAILED
    with transaction():
        lesson = db.session.get_one(Lesson, first.id)
        lesson.starts_at, lesson.ends_at = lesson.starts_at + timedelta(hours=3), lesson.ends_at + timedelta(hours=3)
        meetings.follow([first.id])
    do(meetings.FREED)
    assert (meeting(waits).state, meeting(waits).host) == (MeetingState.WANTED, "ann")


def test_who_tries_again_without_a_free_host_is_told_so_and_waits_for_the_first_one(alone: World) -> None:
    world = alone
    with transaction():
        one_host(world)
    first, waits = another(world), another(world)
    with transaction():
        meetings.follow([first.id, waits.id])
    address = f"/lessons/{waits.uid}"
    status, _ = press(browser(world.app, world.school.a.other_teacher), address, f"{address}/room/again")
    assert status == 409
    do(meetings.PROVISION)
    assert (meeting(waits).state, meeting(waits).host) == (MeetingState.FAILED, None)
    cancel(first)
    assert meeting(waits).host == "ann"


def test_a_lesson_that_found_no_host_has_one_when_an_administrator_adds_one(alone: World) -> None:
    world, settings = alone, alone.hall.settings
    with transaction():
        accounts.switch(db.session.get_one(ProviderAccount, world.second.id), on=False, actor=None)
        account = db.session.get_one(ProviderAccount, world.first.id)
        accounts.change(account, name="East", settings=settings(hosts=["ann"]), actor=None)
    first, waits = (another(world, START + timedelta(days=3)) for _ in range(2))
    with transaction():
        meetings.follow([first.id, waits.id])
    do(meetings.FREED)
    with transaction():
        accounts.add(world.school.a.campus, "hall", name="North", settings=settings(hosts=["bob"]), actor=None)
    assert meeting(waits).state is MeetingState.FAILED
    do(meetings.FREED)
    assert (meeting(waits).state, meeting(waits).host) == (MeetingState.WANTED, "bob")
