"""What providers send by themselves arrives once, however and whenever it comes; what is forged arrives not at all."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from lms_bridge.core import clock
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.plugins import EvidenceKind
from lms_bridge.lessons import gaps, meetings, providers, webhooks
from lms_bridge.lessons.models import HeldEvent, Meeting, MeetingState, PresenceEvidence, ProviderAccount, RoomEnd
from lms_bridge.lessons.presence import intervals, observations_of
from lms_bridge.roster.models import Person
from lms_bridge.timetable.models import Lesson
from lms_bridge.web.video_words import stand_of
from tests import builders
from tests.builders import SchoolSystem
from tests.lessons.hall import Hall, sign
from tests.lessons.support import START, do, evidence, school_at


@dataclass
class World:
    """A lesson that runs in a room of the Hall."""

    school: SchoolSystem
    hall: Hall
    account: ProviderAccount
    client: FlaskClient

    @property
    def lesson(self) -> Lesson:
        """The lesson."""
        return self.school.a.lesson

    @property
    def student(self) -> Person:
        """One who is expected."""
        return self.school.a.students[0]

    @property
    def key(self) -> str:
        """The room's key."""
        return f"{self.lesson.uid}-1"

    def make_room(self) -> Meeting:
        """The first click came, and the job is done."""
        with transaction():
            meetings.want_now(meetings.wish(self.lesson))
        do(meetings.PROVISION)
        meeting = meetings.meeting_of(self.lesson.id)
        assert meeting is not None
        assert meeting.state is MeetingState.READY
        return meeting

    def event(self, kind: str, minutes: float = 0, **more: Any) -> dict[str, Any]:
        """Something that the Hall saw of the student, some minutes into the lesson."""
        return self.hall.saw(self.key, self.student.uid, kind, START + timedelta(minutes=minutes), **more)

    def tell(self, *events: dict[str, Any], **more: Any) -> TestResponse:
        """The Hall's webhook with these events."""
        body = json.dumps({"events": events} | more).encode()
        return self.send(body, {"X-Hall-Signature": sign(body)})

    def send(self, body: bytes, headers: dict[str, str] | None = None, path: str = "") -> TestResponse:
        """Anything, sent to the account's address."""
        address = f"/hooks/providers/{self.account.hook_token}{path}"
        return self.client.post(address, data=body, headers=headers or {})

    def seen(self) -> list[tuple[EvidenceKind, float]]:
        """What is known of the student from the Hall: kind and minutes into the lesson."""
        return [
            (one.kind, (one.at - START).total_seconds() / 60)
            for one in evidence(self.lesson, self.student)
            if one.source.startswith("provider:")
        ]


@pytest.fixture
def world(app: Flask, hall: Hall) -> Iterator[World]:
    """It is 10 minutes into the lesson."""
    with school_at(10) as school:
        with transaction():
            account = builders.provider_account(school.a.campus, "hall", settings=hall.settings())
        yield World(school, hall, account, app.test_client())


def test_who_came_and_went_is_known_once_however_often_and_in_whatever_order_it_is_told(world: World) -> None:
    world.make_room()
    came, went = world.event("joined", 1), world.event("left", 6)
    assert world.tell(went).data == b"thanks"
    for _ in range(3):
        assert world.tell(came, went).status_code == 200
    assert world.seen() == [(EvidenceKind.JOINED, 1), (EvidenceKind.LEFT, 6)]


def test_a_webhook_that_is_faster_than_the_answer_to_the_call_that_made_the_room_is_not_lost(world: World) -> None:
    world.hall.rooms[world.key] = {"key": world.key, "id": "early", "events": [], "mark": "http://bridge.test"}
    assert world.tell(world.event("joined", 2), ended=[]).status_code == 200
    assert world.seen() == []
    assert db.session.query(HeldEvent).count() == 1
    world.make_room()
    assert world.seen() == [(EvidenceKind.JOINED, 2)]
    assert db.session.query(HeldEvent).count() == 0


def test_what_is_told_after_the_lesson_counts_for_it(world: World) -> None:
    world.make_room()
    event = world.event("joined", 3)
    with clock.at(START + timedelta(days=1)):
        assert world.tell(event).status_code == 200
    assert world.seen() == [(EvidenceKind.JOINED, 3)]


def test_what_a_wrong_clock_tells_counts_once_at_the_moment_it_arrives(world: World) -> None:
    world.make_room()
    ahead, far, behind = (world.event("joined", minutes) for minutes in (16, 600, -6000))
    for _ in range(2):
        assert world.tell(ahead, far, behind).status_code == 200
    assert world.seen() == [(EvidenceKind.JOINED, 10)] * 3
    assert {one.quality for one in evidence(world.lesson, world.student) if one.source != "door"} == {"received"}
    db.session.refresh(world.account)
    assert world.account.clock_off == 6
    assert "快 6 分钟" in stand_of(world.account, "Asia/Shanghai").detail
    room = world.hall.rooms[world.key]["id"]
    ended = [{"room": room, "at": (START + timedelta(minutes=26)).isoformat()}]
    for minute in (20, 22):
        with clock.at(START + timedelta(minutes=minute)):
            world.tell(world.event("left", 26), ended=ended)
    assert [one.at for one in db.session.query(RoomEnd)] == [START + timedelta(minutes=20)]
    with clock.at(now() + timedelta(days=2)):
        assert "快 6 分钟" not in stand_of(world.account, "Asia/Shanghai").detail


def test_what_a_wrong_clock_tells_of_a_room_that_is_not_known_yet_is_not_lost_either(world: World) -> None:
    world.hall.rooms[world.key] = {"key": world.key, "id": "early", "events": [], "mark": "http://bridge.test"}
    world.tell(world.event("joined", 16))
    with clock.at(START + timedelta(minutes=12)):
        world.make_room()
    assert world.seen() == [(EvidenceKind.JOINED, 10)]


def test_what_a_wrong_clock_tells_when_the_lesson_is_over_leaves_a_gap(world: World) -> None:
    world.make_room()
    with clock.at(START + timedelta(hours=2)):
        world.tell(world.event("joined", 200))
    assert [gap.reason for gap in gaps.gaps_between(START, now(), lesson_id=world.lesson.id)] == ["wrong clock"]


def test_who_leaves_after_the_lesson_was_moved_to_another_day_has_left(world: World) -> None:
    world.make_room()
    world.tell(world.event("joined", 5))
    with transaction():
        world.lesson.starts_at += timedelta(days=4)
        world.lesson.ends_at += timedelta(days=4)
    with clock.at(START + timedelta(minutes=25)):
        world.tell(world.event("left", 20))
    assert world.seen() == [(EvidenceKind.JOINED, 5), (EvidenceKind.LEFT, 20)]


@pytest.mark.parametrize("body", [b"", b"\xff\xfe\x00", b'{"events": [', b'{"events": [{"id": 1}]}', b"[]"])
def test_what_is_genuine_but_unreadable_stores_nothing(world: World, body: bytes) -> None:
    world.make_room()
    assert world.send(body, {"X-Hall-Signature": sign(body)}).status_code == 401
    assert world.seen() == []


@pytest.mark.parametrize(
    "odd", [{"at": "2026-11-25T10:15:00"}, {"at": "0001-01-01T00:00:00+08:00"}, {"id": 7}, {"id": "\ud800"},
            {"room": 8}, {"who": ["x"]}, {"name": "a\x00b", "who": ""}]
)  # fmt: skip
def test_what_is_genuine_but_cannot_be_stored_is_refused_and_costs_nothing_else(
    world: World, odd: dict[str, Any]
) -> None:
    world.make_room()
    event = world.event("joined", 1) | odd
    assert world.tell(event).status_code == 400
    assert world.tell(event, world.event("left", 5)).status_code == 200
    assert world.seen() == [(EvidenceKind.LEFT, 5)]


def test_a_plugin_that_falls_over_a_webhook_refuses_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fall(*args: object, **more: object) -> None:
        raise AttributeError

    monkeypatch.setattr(type(providers.provider_for(world.account)), "parse_webhook", fall)
    assert world.tell().status_code == 400


def test_a_forged_webhook_is_refused_and_noted_without_what_it_said(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.make_room()
    webhooks._logged.clear()
    body = json.dumps({"events": [world.event("joined", 1)]}).encode()
    caplog.set_level(logging.WARNING)
    for _ in range(5):
        answer = world.send(body, {"X-Hall-Signature": "0" * 64})
        assert (answer.status_code, answer.data) == (401, b"")
    assert world.seen() == []
    lines = [record.getMessage() for record in caplog.records if "webhook" in record.getMessage()]
    assert len(lines) == 1
    assert world.account.hook_token not in lines[0]
    assert world.student.uid not in lines[0]
    db.session.refresh(world.account)
    assert world.account.hook_refused_at == now()
    assert world.account.hook_at is None


def test_ten_megabytes_are_refused_unread(world: World) -> None:
    body = b"x" * (10 * 1024 * 1024)
    assert world.send(body, {"X-Hall-Signature": sign(body)}).status_code == 413


def test_ten_megabytes_in_pieces_of_no_said_length_are_refused_too(world: World) -> None:
    for size, status in ((webhooks.MOST_BYTES, 401), (webhooks.MOST_BYTES + 1, 413), (10 * 1024 * 1024, 413)):
        body = b"x" * size
        answer = world.client.post(
            f"/hooks/providers/{world.account.hook_token}",
            input_stream=io.BytesIO(body),
            headers={"X-Hall-Signature": sign(body), "Transfer-Encoding": "chunked"},
            environ_overrides={"wsgi.input_terminated": True},
        )
        assert answer.status_code == status


def test_an_unknown_address_is_nobodys(world: World) -> None:
    assert world.client.post("/hooks/providers/nobody", data=b"").status_code == 404
    assert world.client.get("/hooks/meetings/nobody").status_code == 404


def test_a_meeting_has_an_address_of_its_own_and_more_may_stand_behind_the_accounts(world: World) -> None:
    meeting = world.make_room()
    body = json.dumps({"events": [world.event("joined", 1)]}).encode()
    answer = world.client.post(
        f"/hooks/meetings/{meeting.callback_token}", data=body, headers={"X-Hall-Signature": sign(body)}
    )
    assert answer.status_code == 200
    body = json.dumps({"events": [world.event("left", 2)]}).encode()
    assert world.send(body, {"X-Hall-Signature": sign(body)}, "/events/occupant/left").status_code == 200
    assert world.seen() == [(EvidenceKind.JOINED, 1), (EvidenceKind.LEFT, 2)]


def test_names_and_addresses_are_matched_where_only_one_person_fits(world: World) -> None:
    with transaction():
        twin = builders.person(family_name=world.student.family_name, given_name=world.student.given_name)
        builders.enrol(twin, world.school.a.classes[0])
        builders.contact(world.school.a.students[1], "pupil@example.org")
    world.make_room()
    at = START + timedelta(minutes=1)
    for name in (world.student.display_name, f" {twin.display_name}　（2） ", "PUPIL@example.org", "iPhone"):
        world.tell(world.hall.saw(world.key, "", "joined", at, name=name))
    rows = db.session.query(PresenceEvidence).filter_by(lesson_id=world.lesson.id).order_by(PresenceEvidence.id).all()
    assert [row.person_id for row in rows] == [None, twin.id, world.school.a.students[1].id, None]
    assert rows[3].identity == "iPhone"


def test_when_the_room_ends_everybody_left_and_it_is_made_anew_for_who_comes_back(world: World) -> None:
    meeting = world.make_room()
    room = world.hall.rooms[world.key]["id"]
    world.tell(ended=[{"room": room, "at": (START + timedelta(minutes=5)).isoformat()}])
    db.session.refresh(meeting)
    assert meeting.state is MeetingState.READY  # that was an older room's end, told late
    with clock.at(START + timedelta(minutes=20)):
        ended = [{"room": room, "at": (START + timedelta(minutes=15)).isoformat()}]
        world.tell(world.event("joined", 11), ended=ended)
        world.tell(ended=ended)
        assert db.session.query(RoomEnd).count() == 2
        db.session.refresh(meeting)
        assert meeting.state is MeetingState.WANTED
        stays = intervals(
            observations_of(world.lesson.id)[world.student.id], beat_timeout=timedelta(seconds=75), end=now()
        )
        assert [stay.length for stay in stays] == [timedelta(minutes=4)]
        world.hall.rooms.clear()
        world.make_room()
        assert world.hall.made == [world.key, world.key]
