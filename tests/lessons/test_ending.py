"""Lessons end here however their video system stands; it is told of that until it knows, and the room is ended once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from lms_bridge.core.database import db, transaction
from lms_bridge.core.models import Job, JobState
from lms_bridge.core.plugins import MeetingProvider, MeetingSpec, PluginError, PresenceReport, Room, TemporaryFailure
from lms_bridge.lessons import (
    accounts,
    breaker,
    classroom,
    meetings,
    orphans,
    provisioning,
    recordings,
    room_leases,
    watching,
)
from lms_bridge.lessons.models import Meeting, MeetingState, ProviderAccount, RaisedHand
from lms_bridge.timetable.models import Lesson, LessonStatus
from tests.lessons.support import START, do
from tests.lessons.test_rooms import World, world

__all__ = ["world"]

END_AT = START + timedelta(minutes=55)
"""When the door of the lesson closes."""


@pytest.fixture
def over(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The lesson is over: a hand was still up, reports and recordings follow."""

    def report(
        self: MeetingProvider, pairs: Sequence[tuple[MeetingSpec, Room]], cursor: Mapping[str, Any]
    ) -> PresenceReport:
        return PresenceReport()

    world.able(report_afterwards=True, recordings=True)
    monkeypatch.setattr(world.cls, "presence", report)
    world.begin()
    with transaction():
        classroom.raise_hand(world.lesson, world.student)
    world.moment = END_AT
    return world


def ended_as_it_should(world: World) -> None:
    """All that hangs on the end is there, once, and counted from when the lesson was over."""
    meeting = world.meeting(world.lesson)
    assert (meeting.state, meeting.ended_at, meeting.reports) == (MeetingState.ENDED, END_AT, 0)
    assert meeting.report_at == END_AT + watching.REPORT_AFTER[0]
    for kind in (watching.REPORTS, recordings.LIST):
        assert db.session.query(Job).filter_by(kind=kind, subject=str(world.account.id)).count() == 1
    assert [hand.lowered_at for hand in db.session.query(RaisedHand)] == [END_AT]


def test_a_lesson_is_over_although_its_system_never_takes_note_of_that(
    over: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = []

    def end(self: MeetingProvider, meeting: MeetingSpec, room: Room) -> None:
        told.append(over.moment)
        raise TemporaryFailure("no answer")

    with monkeypatch.context() as patch:
        patch.setattr(over.cls, "end", end)
        patch.setattr(breaker, "FAILURES_UNTIL_OPEN", 1000)
        do(meetings.END)
        ended_as_it_should(over)
        while (job := db.session.query(Job).filter_by(kind=meetings.END, state=JobState.QUEUED).first()) is not None:
            over.moment = max(over.moment, job.not_before)
            do(meetings.END)
            db.session.expire_all()
    assert len(told) == 12
    ended_as_it_should(over)
    assert list(over.hall.rooms) == [over.key]
    # Nobody asks for that end any more: whoever looks for rooms that nobody needs finds it.
    assert orphans.end_orphans(over.account.id) == 1
    assert over.hall.rooms == {}
    ended_as_it_should(over)


def test_a_lesson_is_over_while_its_system_is_down(over: World) -> None:
    with transaction():
        account = db.session.get_one(ProviderAccount, over.account.id)
        account.healthy, account.retry_at = False, over.moment + timedelta(hours=1)
    assert do(meetings.END) == 0
    ended_as_it_should(over)
    with transaction():
        db.session.get_one(ProviderAccount, over.account.id).healthy = True
    over.moment += timedelta(hours=1)
    assert do(meetings.END) == 1
    assert over.hall.rooms == {}
    ended_as_it_should(over)


@pytest.mark.parametrize(
    ("place", "call"),
    [
        (watching, "plan_report"),
        (room_leases, "take"),
        (MeetingProvider, "end"),
        (provisioning, "_told"),
    ],
)
def test_whoever_is_killed_while_a_lesson_ends_leaves_nothing_undone_and_nothing_doubled(
    over: World, monkeypatch: pytest.MonkeyPatch, place: object, call: str
) -> None:
    def killed(*args: object, **more: object) -> None:
        raise KeyboardInterrupt

    (meeting_id,) = db.session.scalars(sa.select(Meeting.id).filter_by(lesson_id=over.lesson.id))
    with monkeypatch.context() as patch:
        patch.setattr(over.cls if place is MeetingProvider else place, call, killed)
        with pytest.raises(KeyboardInterrupt):
            provisioning.end(meeting_id)
    over.moment += timedelta(minutes=2)
    with transaction():
        # Nobody was told before the end was stored.
        told = db.session.get_one(Meeting, meeting_id).state is MeetingState.ENDED
        assert told or over.key in over.hall.rooms
        over.moment = END_AT if not told else over.moment
    for _ in range(2):
        calls = over.hall.calls
        provisioning.end(meeting_id)
        ended_as_it_should(over)
    assert over.hall.rooms == {}
    assert over.hall.calls == calls  # what is done is not said again


def test_a_room_that_was_being_made_when_its_lesson_was_cancelled_is_ended(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction():
        meetings.want_now(meetings.wish(world.lesson))
    ensure = world.cls.ensure

    def cancelled_meanwhile(self: MeetingProvider, meeting: MeetingSpec, room: Room | None) -> Room:
        made = ensure(self, meeting, room)
        with transaction():
            db.session.get_one(Lesson, world.lesson.id).status = LessonStatus.CANCELLED
            meetings.follow([world.lesson.id])
        do(meetings.END)
        return made

    with monkeypatch.context() as patch:
        patch.setattr(world.cls, "ensure", cancelled_meanwhile)
        do(meetings.PROVISION)
    assert world.meeting(world.lesson).state is MeetingState.ENDED
    assert list(world.hall.rooms) == [world.key]
    do(meetings.END)
    assert world.hall.rooms == {}


def test_a_host_is_free_when_the_system_knows_that_the_lesson_is_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction():
        settings = world.hall.settings(hosts=["ann", "bob"])
        accounts.change(world.account, name="Hall", settings=settings, actor=None)
    world.begin()
    with transaction():
        db.session.get_one(Lesson, world.lesson.id).status = LessonStatus.CANCELLED
        meetings.follow([world.lesson.id])
    world.hall.fault = 500
    do(meetings.END)
    assert world.meeting(world.lesson).state is MeetingState.ENDED
    assert world.meeting(world.another(10)).host == "bob"
    world.hall.fault = 0
    world.moment += timedelta(minutes=2)
    assert do(meetings.END) == 1
    assert world.meeting(world.another(11)).host == "ann"


def test_a_host_is_free_although_the_system_was_never_told_and_names_the_room_no_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction():
        accounts.change(world.account, name="Hall", settings=world.hall.settings(hosts=["ann", "bob"]), actor=None)
    world.begin()
    with transaction():
        db.session.get_one(Lesson, world.lesson.id).status = LessonStatus.CANCELLED
        meetings.follow([world.lesson.id])
    world.hall.fault = 500
    with monkeypatch.context() as patch:
        patch.setattr(breaker, "FAILURES_UNTIL_OPEN", 1000)
        while (job := db.session.query(Job).filter_by(kind=meetings.END, state=JobState.QUEUED).first()) is not None:
            world.moment = max(world.moment, job.not_before)
            do(meetings.END)
            db.session.expire_all()
    world.hall.fault = 0
    world.hall.rooms.clear()  # ended there by hand
    assert orphans.end_orphans(world.account.id) == 0
    assert do(meetings.END) == 1
    assert not world.meeting(world.lesson).closing
    assert orphans.end_orphans(world.account.id) == 0
    assert do(meetings.END) == 0


def test_a_system_that_lets_nobody_in_is_told_of_the_end_later(world: World) -> None:
    world.begin()
    world.hall.fault = 401
    with transaction():
        db.session.get_one(Lesson, world.lesson.id).status = LessonStatus.CANCELLED
        meetings.follow([world.lesson.id])
    do(meetings.END)
    assert (world.meeting(world.lesson).state, world.meeting(world.lesson).closing) == (MeetingState.ENDED, True)
    world.hall.fault = 0
    with transaction():
        breaker.succeeded(world.account.id)
    world.moment += timedelta(hours=1)
    assert do(meetings.END) == 1
    assert (world.meeting(world.lesson).closing, world.hall.rooms) == (False, {})


def test_a_room_that_cannot_be_ended_keeps_no_other_from_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    lessons = [world.another(0), world.another(0)]
    with transaction():
        for one in lessons:
            meetings.want_now(meetings.wish(one))
    do(meetings.PROVISION)
    stuck, _ = world.hall.rooms
    with transaction():
        for one in lessons:
            meetings.wish(one).state = MeetingState.ENDED
    real = world.cls.end

    def end(self: MeetingProvider, meeting: MeetingSpec, room: Room) -> None:
        if meeting.key == stuck:
            raise PluginError("refused for good")
        real(self, meeting, room)

    monkeypatch.setattr(world.cls, "end", end)
    with pytest.raises(PluginError):
        orphans.end_orphans(world.account.id)
    assert list(world.hall.rooms) == [stuck]
    assert db.session.get_one(ProviderAccount, world.account.id).healthy
