"""A video system that takes its time makes one room all the same."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from lms_bridge.core import jobs
from lms_bridge.core.database import db, transaction
from lms_bridge.core.plugins import FoundRoom, MeetingProvider, MeetingSpec, Room
from lms_bridge.lessons import breaker, meetings, provisioning, room_leases
from lms_bridge.lessons.models import Meeting, MeetingState, ProviderAccount
from tests.lessons.support import do
from tests.lessons.test_rooms import World, world

__all__ = ["world"]


class Lists:
    """A system that finds rooms by a mark in its list, as Zoom does: who looks too early makes a second one."""

    def __init__(self) -> None:
        self.rooms: list[tuple[str, Room]] = []
        self.meanwhile = lambda: None
        """What happens between the look at the list and the making."""

    def ensure(self, provider: MeetingProvider, meeting: MeetingSpec, room: Room | None) -> Room:
        """Look for the mark, then make the room."""
        found = next((made for key, made in self.rooms if key == meeting.key), None)
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        if found is None:
            found = Room((f"room-{len(self.rooms) + 1}",), {"id": f"room-{len(self.rooms) + 1}"})
            self.rooms.append((meeting.key, found))
        return found

    def end(self, provider: MeetingProvider, meeting: MeetingSpec, room: Room) -> None:
        """End this very room."""
        self.rooms = [one for one in self.rooms if one[1].external_ids != room.external_ids]

    def open_rooms(self, provider: MeetingProvider) -> Iterator[FoundRoom]:
        """All of them."""
        return (FoundRoom(key, room) for key, room in list(self.rooms))


@pytest.fixture
def lists(world: World, monkeypatch: pytest.MonkeyPatch) -> Lists:
    """The Hall is such a system; somebody wants to come in."""
    made = Lists()
    monkeypatch.setattr(world.cls, "ensure", lambda self, *args: made.ensure(self, *args))
    monkeypatch.setattr(world.cls, "end", lambda self, *args: made.end(self, *args))
    monkeypatch.setattr(world.cls, "open_rooms", lambda self: made.open_rooms(self))
    with transaction():
        meetings.want_now(meetings.wish(world.lesson))
    return made


def own_room(world: World) -> tuple[str, ...]:
    """Where the lesson is."""
    room = meetings.room_of(world.meeting(world.lesson))
    assert room is not None
    return room.external_ids


def test_however_long_a_system_takes_nobody_else_makes_the_room(
    world: World, lists: Lists, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room_leases, "RENEW_SECONDS", 0.01)
    meeting_id, refused = world.meeting(world.lesson).id, []

    def takes_minutes() -> None:
        for _ in range(4):
            world.moment += timedelta(seconds=40)
            for _ in range(500):
                time.sleep(0.01)
                until = db.session.get_one(Meeting, meeting_id, populate_existing=True).busy_until
                db.session.rollback()
                if until is not None and until > world.moment + timedelta(seconds=50):
                    break
            with pytest.raises(jobs.RetryAt):
                provisioning.provision(meeting_id)
            refused.append(world.moment)

    lists.meanwhile = takes_minutes
    do(meetings.PROVISION)
    assert len(refused) == 4
    assert len(lists.rooms) == 1
    assert world.meeting(world.lesson).state is MeetingState.READY
    assert not [one for one in threading.enumerate() if one.name == "room-lease"]


def test_who_stood_still_while_another_made_the_room_changes_nothing_and_its_room_is_ended(
    world: World, lists: Lists
) -> None:
    meeting_id = world.meeting(world.lesson).id

    def stands_still() -> None:
        world.moment += timedelta(minutes=2)
        provisioning.provision(meeting_id)

    lists.meanwhile = stands_still
    do(meetings.PROVISION)
    assert [room.external_ids for _, room in lists.rooms] == [("room-1",), ("room-2",)]
    assert (own_room(world), world.meeting(world.lesson).state) == (("room-1",), MeetingState.READY)
    world.moment += timedelta(minutes=2)
    do(meetings.PROVISION)
    do(breaker.ORPHANS)
    assert [room.external_ids for _, room in lists.rooms] == [("room-1",)]
    assert own_room(world) == ("room-1",)


def test_who_stood_still_alone_finds_its_room_again(world: World, lists: Lists) -> None:
    def stands_still() -> None:
        world.moment += timedelta(minutes=2)

    lists.meanwhile = stands_still
    do(meetings.PROVISION)
    do(meetings.PROVISION)
    assert (own_room(world), world.meeting(world.lesson).state) == (("room-1",), MeetingState.READY)
    world.moment += timedelta(minutes=2)
    do(breaker.ORPHANS)
    assert len(lists.rooms) == 1


def test_a_second_room_with_the_same_mark_is_ended_by_whoever_finds_it(world: World, lists: Lists) -> None:
    do(meetings.PROVISION)
    without_a_name = Room(())
    lists.rooms += [(world.key, Room(("room-2",), {"id": "room-2"})), (world.key, without_a_name)]
    with transaction():
        jobs.enqueue(breaker.ORPHANS, str(world.account.id))
    do(breaker.ORPHANS)
    assert [room.external_ids for _, room in lists.rooms] == [("room-1",), ()]
    assert db.session.get_one(ProviderAccount, world.account.id).failures == 0
