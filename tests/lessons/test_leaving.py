"""A video system is switched off: lessons to come get their rooms elsewhere, and what nobody can take is said."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from lms_bridge.core.database import db, transaction
from lms_bridge.lessons import accounts, leaving, meetings
from lms_bridge.lessons.models import MeetingCause, ProviderAccount
from tests import builders
from tests.lessons.support import START, browser, do, press
from tests.lessons.test_failover import World, world

__all__ = ["world"]


def switch_off(world: World) -> str:
    """The administrator switches the first account off; its page then, when the jobs are done."""
    admin = browser(world.app, world.school.a.administrator)
    page = f"/system/video/{world.first.uid}"
    assert press(admin, page, f"{page}/off")[0] == 302
    do(leaving.LEAVE)
    return admin.get(page).get_data(as_text=True)


def test_lessons_to_come_get_a_room_at_the_next_system_and_those_that_nobody_takes_are_told(world: World) -> None:
    world.moment = START - timedelta(hours=2)
    a = world.school.a
    with transaction() as session:
        session.execute(sa.update(ProviderAccount).where(ProviderAccount.plugin == "classroom").values(enabled=False))
        session.merge(a.administrator).language = "en"
        session.merge(world.second).concurrent_rooms = 1
        lesson = session.merge(world.lesson)
        other = builders.lesson(lesson.audience[0].class_group, lesson.subject, session.merge(a.teacher), START)
        ids = [lesson.id, other.id]
        meetings.follow(ids)
        assert {meetings.meeting_of(one).account_id for one in ids} == {world.first.id}  # type: ignore[union-attr]
    page = switch_off(world)
    moved = world.meeting()
    assert (moved.account_id, moved.attempt, moved.cause) == (world.second.id, 2, MeetingCause.OFF)
    assert "1 lesson to come still has its room here" in page
    with transaction():
        second = db.session.get_one(ProviderAccount, world.second.id)
        accounts.change(second, name="West", settings=world.other.settings(), rooms=2, actor=None)
    page = browser(world.app, a.administrator).get(f"/system/video/{world.first.uid}").get_data(as_text=True)
    assert "1 lesson to come is being taken elsewhere" in page
    do(leaving.LEAVE)
    assert {meetings.meeting_of(one).account_id for one in ids} == {world.second.id}  # type: ignore[union-attr]
    world.moment = START
    world.come(a.students[0])
    do(meetings.PROVISION)
    assert f"{world.lesson.uid}-2" in world.other.rooms
    assert not world.hall.rooms


def test_a_lesson_that_is_open_stays_where_it_is(world: World) -> None:
    world.begin(world.school.a.students[0])
    admin = browser(world.app, world.school.a.administrator)
    press(admin, f"/system/video/{world.first.uid}", f"/system/video/{world.first.uid}/off")
    do(leaving.LEAVE)
    assert (world.meeting().account_id, world.meeting().attempt) == (world.first.id, 1)


def test_rooms_at_a_system_that_is_off_and_down_are_ended_as_soon_as_it_answers(world: World) -> None:
    world.moment = START - timedelta(hours=2)
    with transaction():
        meetings.want_now(meetings.wish(world.lesson))
    do(meetings.PROVISION)
    assert world.hall.rooms
    world.hall.stop()
    with transaction() as session:
        first = session.get_one(ProviderAccount, world.first.id)
        first.healthy, first.retry_at = False, world.moment
    switch_off(world)
    assert world.meeting().account_id == world.second.id
    assert do(meetings.END) == 0
    world.hall.start()
    world.moment += timedelta(minutes=5)
    assert do(meetings.END) == 1
    assert not world.hall.rooms
