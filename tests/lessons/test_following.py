"""A video system is added, or the order changes: lessons to come stay where they are until somebody says otherwise."""

from __future__ import annotations

from datetime import timedelta

from lms_bridge.core.database import db, transaction
from lms_bridge.core.models import AuditEntry
from lms_bridge.lessons import accounts, failover, following, meetings
from lms_bridge.lessons.models import MeetingCause
from tests import builders
from tests.lessons.support import START, browser, do, press
from tests.lessons.test_failover import World, world

__all__ = ["world"]

PAGE = "/system/video/"


def test_lessons_to_come_go_over_to_the_first_system_when_somebody_says_so(world: World) -> None:
    world.moment = START - timedelta(hours=2)
    a = world.school.a
    with transaction() as session:
        session.merge(a.administrator).language = "en"
        lesson = session.merge(world.lesson)
        decided, full = (
            builders.lesson(lesson.audience[0].class_group, lesson.subject, session.merge(a.teacher), START)
            for _ in range(2)
        )
        ids = [lesson.id, decided.id, full.id]
        meetings.follow(ids)
        first, second = session.merge(world.first), session.merge(world.second)
        failover.move_by_decision(decided, 1, session.merge(a.teacher), second)
        order = [one.uid for one in accounts.listed(a.campus)]
        accounts.order(a.campus, [second.uid, *(uid for uid in order if uid != second.uid)], actor=None)
        second.concurrent_rooms = 2
    admin = browser(world.app, a.administrator)
    page = admin.get(PAGE).text
    assert "2 lessons to come have their rooms at another one." in page
    assert "Take them to West" in page
    do(following.FOLLOW)
    assert meetings.meeting_of(lesson.id).account_id == first.id, "nobody has said so yet"  # type: ignore[union-attr]
    assert press(admin, PAGE, f"{PAGE}campuses/{a.campus.uid}/follow")[0] == 302
    do(following.FOLLOW)
    now_at = {one: meetings.meeting_of(one) for one in ids}
    assert [(m.account_id, m.cause) for m in now_at.values() if m is not None] == [
        (second.id, MeetingCause.ORDER), (second.id, MeetingCause.PERSON), (first.id, MeetingCause.WISHED),
    ]  # fmt: skip
    assert "1 lesson to come has its room at another one." in admin.get(PAGE).text
    do(following.FOLLOW)
    assert world.meeting().attempt == 2, "again is harmless"
    assert db.session.query(AuditEntry).filter_by(action="provider.order_followed").count() == 1


def test_where_a_lesson_was_before_it_began_is_no_place_that_it_has_fled_from(world: World) -> None:
    world.moment = START - timedelta(hours=2)
    a = world.school.a
    with transaction():
        meetings.follow([world.lesson.id])
        accounts.order(a.campus, [world.second.uid, *(
            one.uid for one in accounts.listed(a.campus) if one.uid != world.second.uid
        )], actor=None)  # fmt: skip
        following.ask(a.campus, actor=a.administrator)
    do(following.FOLLOW)
    world.moment = START
    assert world.meeting().account_id == world.second.id
    moved = failover.move_by_itself(world.lesson.id, 2)
    assert moved is not None
    assert moved.account_id == world.first.id


def test_somebody_elses_campus_is_left_alone(world: World) -> None:
    admin, other = browser(world.app, world.school.a.administrator), world.school.b.campus
    assert press(admin, PAGE, f"{PAGE}campuses/{other.uid}/follow")[0] in (403, 404)
    assert db.session.query(AuditEntry).filter_by(action="provider.order_followed").count() == 0
