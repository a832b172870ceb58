"""The calendar of capacity: an administrator sees when a video system is full, who is there, and who found no room."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from lms_bridge.core import clock
from lms_bridge.core.database import db, transaction
from lms_bridge.lessons import meetings
from lms_bridge.lessons.models import ProviderAccount
from lms_bridge.roster.models import ClassGroup, Person, Subject
from lms_bridge.timetable.models import Lesson
from tests import builders
from tests.builders import SchoolSystem, small_system
from tests.web.test_plans import signed_in
from tests.web.test_timetable_moving import statements

NOW = datetime(2026, 11, 25, 1, 0, tzinfo=UTC)
"""Wednesday 9:00 in Shanghai."""
TEN = NOW + timedelta(hours=1, minutes=10)
"""10:10, an hour later."""


@dataclass
class World:
    """A campus, its administrator's browser, and an account that its lessons take."""

    school: SchoolSystem
    account: ProviderAccount
    client: FlaskClient
    parts: tuple[tuple[Any, int], ...]
    """Class, subject and teacher of the lessons, by table and id."""

    def book(self, *times: datetime) -> list[Lesson]:
        """Online lessons of 40 minutes at these times."""
        with transaction():
            group, math, teacher = (db.session.get_one(table, key) for table, key in self.parts)
            made = [builders.lesson(group, math, teacher, at) for at in times]
            meetings.follow(one.id for one in made)
        return made

    def page(self, **query: str) -> str:
        """The page in plain words."""
        answer = self.client.get(f"/system/video/{self.account.uid}/rooms", query_string=query)
        assert answer.status_code == 200
        text = re.sub(r"<svg.*?</svg>|<style.*?</style>", "", answer.get_data(as_text=True), flags=re.S)
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split())


@pytest.fixture
def world(app: Flask) -> Iterator[World]:
    """Nothing is booked, and there is no other video system."""
    with clock.at(NOW):
        school = small_system()
        with transaction():
            school.a.administrator.language = "en"
            db.session.execute(sa.update(ProviderAccount).values(enabled=False))
            account = builders.provider_account(school.a.campus, name="Our rooms")
        a = school.a
        parts = (ClassGroup, a.classes[0].id), (Subject, a.lesson.subject_id), (Person, a.teacher.id)
        yield World(school, account, signed_in(app, a.administrator), parts)


def rooms(world: World, count: int | None, hosts: list[str] | None = None) -> None:
    """So many rooms, or these hosts."""
    with transaction() as session:
        session.add(world.account)
        world.account.concurrent_rooms, world.account.hosts = count, hosts or []


def test_rooms_are_booked_up_to_the_limit_and_one_more(world: World) -> None:
    rooms(world, 2)
    assert "Nothing is booked in this week" in world.page()
    world.book(TEN)
    assert "1 of 2 , Wed 25 Nov 10:00–11:00" in world.page()
    world.book(TEN + timedelta(minutes=20), TEN + timedelta(minutes=40))  # the third begins when the first ends
    page = world.page()
    assert "2 of 2 , Wed 25 Nov 10:00–11:00 full" in page
    assert "Wed 25 Nov, 10:30–10:50" in page, "the fullest time"
    assert page.count("5-1 Mathematics") == 2
    one_more = world.book(TEN + timedelta(minutes=25))[0]
    page = world.page()
    assert "3 of 2 , Wed 25 Nov 10:00–11:00 1 too many" in page
    assert f"/lessons/{one_more.uid}" in world.client.get(f"/system/video/{world.account.uid}/rooms").get_data(True)
    assert "10:35–10:50" in page
    assert "11:00–11:10" in world.page(at="2026-11-25T11")
    assert "Nothing is booked in this week" in world.page(week="2026-W49")


def test_lessons_that_find_no_host_are_named(world: World) -> None:
    rooms(world, 2, ["one@school.test", "two@school.test"])
    # The doors of lessons one after the other are open at the same time, so that each needs a host of its own.
    world.book(TEN, TEN, TEN + timedelta(minutes=45))
    page = world.page()
    assert "1 lesson without a room" in page
    assert "3 of 2 , Wed 25 Nov 10:00–11:00 1 too many" in page
    assert "one@school.test" in page
    with transaction():
        world.school.a.administrator.language = "zh-CN"
    page = world.page()
    assert "1 节课没有房间" in page
    assert "超出 1" in page
    found = re.search(
        r'href="(/lessons/[^"]+)"', world.client.get(f"/system/video/{world.account.uid}/rooms").get_data(True)
    )
    assert found is not None
    assert "这节课的时间没有空闲的主持人账号。" in world.client.get(found[1]).get_data(as_text=True)


def test_what_is_over_can_still_be_looked_at_and_more_lessons_need_no_more_statements(world: World) -> None:
    rooms(world, 2)
    world.book(TEN)
    with transaction():
        meeting = meetings.meeting_of(world.book(TEN)[0].id)
        assert meeting is not None
        meeting.state, meeting.ended_at = meetings.MeetingState.ENDED, TEN + timedelta(minutes=30)
    assert "2 of 2 , Wed 25 Nov 10:00–11:00 full" in world.page()
    path = f"/system/video/{world.account.uid}/rooms"
    before = statements(world.client, path)
    world.book(*[TEN + timedelta(days=day) for day in range(3) for _ in range(3)])
    assert statements(world.client, path) == before
    assert before <= 20
