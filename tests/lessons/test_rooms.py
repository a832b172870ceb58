"""Rooms at providers: one however many come, hosts never twice, presence by polls and observers, orphans ended."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from lms_bridge.core import clock, jobs
from lms_bridge.core.database import db, transaction
from lms_bridge.core.models import Job
from lms_bridge.core.plugins import (
    Attendee,
    EvidenceKind,
    Gap,
    MeetingProvider,
    MeetingSpec,
    Observer,
    PluginError,
    PresenceEvent,
    PresenceReport,
    Room,
)
from lms_bridge.lessons import (
    accounts,
    breaker,
    capacity,
    entering,
    failover,
    meetings,
    observing,
    orphans,
    provisioning,
    recordings,
    watching,
)
from lms_bridge.lessons.models import Meeting, MeetingState, ProviderAccount, RoomAddress, SourceGap
from lms_bridge.lessons.providers import accounts_for
from lms_bridge.roster.models import Organisation, Person
from lms_bridge.timetable.models import Lesson, LessonStatus
from lms_bridge.web.plugin_checks import check_account
from tests import builders
from tests.builders import SchoolSystem
from tests.lessons.hall import Hall
from tests.lessons.support import START, browser, do, evidence, press, school_at

ARRIVALS = 500


@dataclass
class World:
    """A campus whose lessons take place in a Hall; ``moment`` is the time."""

    app: Flask
    school: SchoolSystem
    hall: Hall
    cls: type[MeetingProvider]
    account: ProviderAccount
    moment: datetime

    @property
    def lesson(self) -> Lesson:
        """The lesson of campus A."""
        return self.school.a.lesson

    @property
    def student(self) -> Person:
        """One who is expected."""
        return self.school.a.students[0]

    @property
    def key(self) -> str:
        """The key of the lesson's first room."""
        return f"{self.lesson.uid}-1"

    def able(self, **flags: Any) -> None:
        """The provider can other things than it says."""
        self.cls.capabilities = replace(self.cls.capabilities, **flags)

    def another(self, minutes: float) -> Lesson:
        """Another lesson, so many minutes after the first one begins; committed, with a room wished for."""
        with transaction():
            made = builders.lesson(
                self.school.a.classes[1], self.school.subject, self.school.a.other_teacher,
                START + timedelta(minutes=minutes),
            )  # fmt: skip
            meetings.wish(made)
        return made

    def begin(self) -> Meeting:
        """The first one came and the room is made."""
        with transaction():
            meetings.want_now(meetings.wish(self.lesson))
        do(meetings.PROVISION)
        return self.meeting(self.lesson)

    def meeting(self, lesson: Lesson) -> Meeting:
        """The room in force, as stored."""
        db.session.rollback()
        db.session.expire_all()
        found = meetings.meeting_of(lesson.id)
        assert found is not None
        return found

    def look(self, seconds: float = 10) -> None:
        """The watch comes round so many seconds later."""
        self.moment += timedelta(seconds=seconds)
        with pytest.raises(jobs.RetryAt):
            watching.watch(self.account.id)


@pytest.fixture
def world(app: Flask, hall: Hall, hall_package: type[MeetingProvider]) -> Iterator[World]:
    """It is 5 minutes into the lesson."""
    with school_at(5) as school:
        with transaction():
            account = accounts.add(school.a.campus, "hall", name="Hall", settings=hall.settings(), actor=None)
        made = World(app, school, hall, hall_package, account, START + timedelta(minutes=5))
        with clock.at(lambda: made.moment):
            yield made


def together(app: Flask, work: Sequence[Callable[[], object]]) -> None:
    """Do all at once, each in a thread with a context of its own."""
    barrier = threading.Barrier(len(work))

    def run(one: Callable[[], object]) -> None:
        with app.app_context():
            barrier.wait()
            one()
            db.session.remove()

    threads = [threading.Thread(target=run, args=(one,)) for one in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_hundreds_who_arrive_in_the_same_second_make_one_room(world: World) -> None:
    with transaction():
        people = [builders.person() for _ in range(ARRIVALS)]
        for one in people:
            builders.enrol(one, world.school.a.classes[0])
    uid, ids = world.lesson.uid, [one.id for one in people]

    def come(mine: Sequence[int]) -> None:
        for person_id in mine:
            lesson, person = entering.lesson_of(uid), db.session.get_one(Person, person_id)
            seen = entering.look(lesson, person)
            with transaction():
                entering.record_entry(seen)
        do(meetings.PROVISION)

    together(world.app, [lambda n=n: come(ids[n::8]) for n in range(8)])
    assert world.meeting(world.lesson).state is MeetingState.READY
    assert world.hall.made == [world.key]
    assert len(evidence(world.lesson)) == ARRIVALS


def test_a_host_leads_one_room_at_a_time_from_the_opening_of_the_door_to_its_closing(world: World) -> None:
    with transaction():
        settings = world.hall.settings(hosts=["ann", "bob"])
        accounts.change(world.account, name="Hall", settings=settings, actor=None)
        meetings.wish(world.lesson)
    assert world.account.concurrent_rooms == 2
    # 10:10 to 10:50, with the door from 10:00 to 10:55: the next one's opens at 10:50.
    second, third = world.another(50), world.another(66)
    hosts = [world.meeting(one).host for one in (world.lesson, second, third)]
    assert hosts == ["ann", "bob", "ann"]
    full = world.another(20)
    assert world.meeting(full).account.plugin == "classroom"


def test_a_host_whom_two_accounts_name_leads_one_room_at_a_time(world: World) -> None:
    with transaction():
        accounts.change(
            world.account, name="Hall", settings=world.hall.settings(hosts=["Ann@school.example"]), actor=None
        )
        both = world.hall.settings(hosts=["ann@school.example", "bob@school.example"])
        second = accounts.add(world.school.bureau, "hall", name="Bureau's", settings=both, actor=None)
        meetings.wish(world.lesson)
        world.school.b.lesson.starts_at, world.school.b.lesson.ends_at = world.lesson.starts_at, world.lesson.ends_at
        accounts.order(world.school.bureau, [second.uid, *_others(second)], actor=None)
        meetings.wish(world.school.b.lesson)
    assert world.meeting(world.lesson).host == "Ann@school.example"
    assert world.meeting(world.school.b.lesson).host == "bob@school.example"
    for other in _others(second):
        with transaction():
            accounts.switch(accounts.account_named(other), on=False, actor=None)
    rooms = capacity.rooms([world.school.a.campus], START, START + timedelta(hours=1))
    assert rooms is not None
    assert rooms.limit == 2


def _others(account: ProviderAccount) -> list[str]:
    own = db.session.get_one(Organisation, account.organisation_id)
    return [one.uid for one in accounts.listed(own) if one is not account]


def test_two_processes_never_take_the_same_host(world: World) -> None:
    names = [f"host-{n}" for n in range(6)]
    with transaction():
        accounts.change(world.account, name="Hall", settings=world.hall.settings(hosts=names), actor=None)
        lessons = [
            builders.lesson(world.school.a.classes[1], world.school.subject, world.school.a.other_teacher, START)
            for _ in names
        ]
    ids = [one.id for one in lessons]

    def wish(lesson_id: int) -> None:
        with transaction():
            meetings.wish(db.session.get_one(Lesson, lesson_id))

    together(world.app, [lambda one=one: wish(one) for one in ids])
    assert sorted(world.meeting(one).host or "" for one in lessons) == names


def test_a_cancelled_lesson_gives_its_host_back_and_a_moved_one_finds_another(world: World) -> None:
    with transaction():
        settings = world.hall.settings(hosts=["ann", "bob"])
        accounts.change(world.account, name="Hall", settings=settings, actor=None)
        meetings.wish(world.lesson)
    later = world.another(300)
    assert [world.meeting(one).host for one in (world.lesson, later)] == ["ann", "ann"]
    with transaction():
        later = db.session.get_one(Lesson, later.id)
        later.starts_at, later.ends_at = START, START + timedelta(minutes=40)
        meetings.follow([later.id])
    assert world.meeting(later).host == "bob"
    with transaction():
        db.session.get_one(Lesson, world.lesson.id).status = LessonStatus.CANCELLED
        meetings.follow([world.lesson.id])
    do(meetings.END)
    assert world.meeting(world.another(10)).host == "ann"


def test_one_call_for_all_rooms_of_an_account_shows_who_is_there(world: World) -> None:
    world.begin()
    other = world.another(-5)
    with transaction():
        meetings.want_now(world.meeting(other))
    do(meetings.PROVISION)
    for key in (world.key, f"{other.uid}-1"):
        world.hall.saw(key, world.student.uid, "joined", world.moment)
    before = world.hall.calls
    world.look()
    world.look()
    assert world.hall.calls == before + 2
    assert [e.kind for e in evidence(world.lesson, world.student)] == [EvidenceKind.JOINED]
    assert len(evidence(other, world.student)) == 1


def test_while_no_worker_looked_nothing_is_known(world: World) -> None:
    world.begin()
    world.look()
    asleep = world.moment
    world.look(600)
    (gap,) = db.session.query(SourceGap).filter(SourceGap.source.startswith("provider:")).all()
    assert (gap.starts_at, gap.ends_at, gap.reason) == (asleep, world.moment, "not asked")


def test_reports_are_fetched_several_times_after_the_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[float, list[str]]] = []

    def report(
        self: MeetingProvider, pairs: Sequence[tuple[MeetingSpec, Room]], cursor: Mapping[str, Any]
    ) -> PresenceReport:
        assert all(spec.ended_at is not None for spec, _ in pairs)
        asked.append(((world.moment - ended).total_seconds() / 60, [spec.key for spec, _ in pairs]))
        left = [
            PresenceEvent("report-1", room.external_ids[0], EvidenceKind.LEFT, ended, world.student.uid)
            for _, room in pairs
        ]
        return PresenceReport(events=left, cursor={"page": cursor.get("page", 0) + 1})

    world.able(report_afterwards=True, real_time_presence=False)
    monkeypatch.setattr(world.cls, "presence", report)
    world.begin()
    world.moment = ended = START + timedelta(minutes=56)
    do(meetings.END)
    while (job := db.session.query(Job).filter_by(kind=watching.REPORTS, state="queued").one_or_none()) is not None:
        world.moment = job.not_before
        do(watching.REPORTS)
        db.session.expire_all()
    assert asked == [(minutes, [world.key]) for minutes in (2, 10, 30, 120, 720)]
    assert [e.kind for e in evidence(world.lesson, world.student)] == [EvidenceKind.LEFT]
    assert world.account.cursor["ended"] == {"page": 5}


def test_a_report_that_is_refused_is_the_matter_of_its_lesson_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def report(
        self: MeetingProvider, pairs: Sequence[tuple[MeetingSpec, Room]], cursor: Mapping[str, Any]
    ) -> PresenceReport:
        if any(spec.key == world.key for spec, _ in pairs):
            raise PluginError("The organiser has changed.")
        ids = [room.external_ids[0] for _, room in pairs]
        return PresenceReport(
            events=[PresenceEvent(f"{one} left", one, EvidenceKind.LEFT, ended, world.student.uid) for one in ids]
        )

    world.able(report_afterwards=True, real_time_presence=False)
    monkeypatch.setattr(world.cls, "presence", report)
    world.begin()
    others = [world.another(minutes) for minutes in (0, 1, 2)]
    for other in others:
        with transaction():
            meetings.want_now(world.meeting(other))
    do(meetings.PROVISION)
    world.moment = ended = START + timedelta(minutes=60)
    do(meetings.END)
    for _ in range(30):
        job = db.session.query(Job).filter_by(kind=watching.REPORTS, state="queued").one_or_none()
        if job is None:
            break
        world.moment = max(world.moment, job.not_before)
        do(watching.REPORTS)
        db.session.expire_all()
    assert [len(evidence(other, world.student)) for other in others] == [1, 1, 1]
    assert (world.account.healthy, world.account.failures) == (True, 0)
    # It was asked for as often as any other; then nobody can know any more who was there.
    assert world.moment <= ended + timedelta(hours=13)
    found = db.session.query(SourceGap).filter_by(reason="report refused").one()
    assert (found.lesson_id, found.starts_at, found.ends_at) == (world.lesson.id, START, ended)


class Watcher(Observer):
    """Sees the student come in the first room, says so once, and stops its runner after that."""

    def __init__(self, world: World, cursor: Mapping[str, Any]) -> None:
        self.world, self.cursor, self.rooms = world, cursor, []

    def watch(self, meetings: Sequence[tuple[MeetingSpec, Room]]) -> None:
        """Note the rooms."""
        self.rooms = [room.external_ids[0] for _, room in meetings]

    def read(self, seconds: float) -> PresenceReport:
        """The student is there."""
        came = PresenceEvent("visit-1", self.rooms[0], EvidenceKind.JOINED, self.world.moment, self.world.student.uid)
        gap = Gap(self.world.moment - timedelta(seconds=30), self.world.moment, "observer", self.rooms[0])
        return PresenceReport(events=[came], gaps=[gap], cursor={"inside": ["visit-1"]})

    def close(self) -> PresenceReport:
        """Goes on from what it was told."""
        return PresenceReport(cursor=self.cursor | {"inside": ["visit-1"]})


def test_one_process_holds_the_observer_and_the_next_goes_on_from_its_cursor(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[dict[str, Any]] = []

    def observer(self: MeetingProvider, cursor: Mapping[str, Any]) -> Observer:
        given.append(dict(cursor))
        return Watcher(world, cursor)

    world.able(needs_observer=True)
    monkeypatch.setattr(world.cls, "observer", observer, raising=False)
    world.begin()
    assert observing.wanting() == [world.account.id]
    turns = iter([False, True])
    observing.observe(world.account.id, lambda: next(turns))
    assert [e.kind for e in evidence(world.lesson, world.student)] == [EvidenceKind.JOINED]
    db.session.refresh(world.account)
    assert world.account.observer_owner is None
    # Another process dies while it holds the lease: the next takes it when that is over, and knows what it missed.
    with transaction():
        world.account.observer_owner, world.account.observer_until = "dead", world.moment + observing.LEASE
    assert observing.wanting() == []
    assert not observing.take(world.account.id)
    lost = world.moment
    world.moment += timedelta(minutes=2)
    assert observing.wanting() == [world.account.id]
    turns = iter([True])
    observing.observe(world.account.id, lambda: next(turns))
    assert given == [{}, {"inside": ["visit-1"]}]
    gaps = [(g.starts_at, g.ends_at) for g in db.session.query(SourceGap).filter_by(reason="observer", lesson_id=None)]
    assert (lost, world.moment) in gaps


def test_addresses_are_fetched_together_beforehand_and_who_came_late_gets_one_at_the_click(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[int] = []

    def join_urls(
        self: MeetingProvider, meeting: MeetingSpec, room: Room, attendees: Sequence[Attendee]
    ) -> Mapping[str, str]:
        batches.append(len(attendees))
        return {one.uid: self.join_url(meeting, room, one) for one in attendees}

    world.able(local_join_url=False, leader_address_keep=timedelta(seconds=60))
    monkeypatch.setattr(world.cls, "join_urls", join_urls)
    world.begin()
    do(provisioning.ADDRESSES)
    assert batches == [2]
    path = f"/l/{world.lesson.uid}"
    student, teacher = browser(world.app, world.student), browser(world.app, world.school.a.teacher)
    press(student, path, path)
    assert f"{world.hall.url}/enter/" in student.get(f"{path}/room").headers["Refresh"]
    press(teacher, path, path)
    assert teacher.get(f"{path}/room").headers["Refresh"] == "2"
    assert do(entering.ADDRESS) == 1
    assert "role=leader" in teacher.get(f"{path}/room").headers["Refresh"]
    # It opens the host's account: once used, it is forgotten.
    assert db.session.query(RoomAddress).filter_by(person_id=world.school.a.teacher.id).count() == 0


def test_rooms_that_nobody_needs_are_ended_and_those_of_others_are_left_alone(world: World) -> None:
    world.begin()
    moved = world.another(0)
    with transaction():
        row = world.meeting(moved)
        row.state = MeetingState.ENDED
    mark = {"mark": "http://bridge.test", "events": []}
    world.hall.rooms[f"{moved.uid}-1"] = {"key": f"{moved.uid}-1", "id": "lost"} | mark
    world.hall.rooms["somebody-1"] = {"key": "somebody-1", "id": "theirs"} | mark
    world.hall.rooms[f"{moved.uid}-2"] = {"key": f"{moved.uid}-2", "id": "copy", "mark": "http://other", "events": []}
    assert orphans.end_orphans(world.account.id) == 1
    assert sorted(world.hall.rooms) == sorted([world.key, "somebody-1", f"{moved.uid}-2"])


def test_a_second_account_of_the_same_server_leaves_the_rooms_of_the_first_alone(world: World) -> None:
    world.begin()
    with transaction():
        second = accounts.add(
            world.school.bureau, "hall", name="Hall of the bureau", settings=world.hall.settings(), actor=None
        )
    assert orphans.end_orphans(second.id) == 0
    assert sorted(world.hall.rooms) == [world.key]
    # The lesson moves to the second account: now the first one's room is needed no more, whoever finds it.
    with transaction():
        lesson = db.session.get_one(Lesson, world.lesson.id)
        failover.move_by_decision(lesson, 1, world.school.a.teacher, second)
    do(meetings.PROVISION)
    assert orphans.end_orphans(second.id) == 1
    assert sorted(world.hall.rooms) == [f"{world.lesson.uid}-2"]


@pytest.mark.parametrize("call", ["join_urls", "join_url", "end", "open_rooms", "probe", "recordings"])
def test_whatever_a_plugin_raises_counts_as_a_failure_of_its_account(
    world: World, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    world.able(local_join_url=False, recordings=True)
    meeting = world.begin()

    def crash(*args: object) -> None:
        raise KeyError("id")

    with monkeypatch.context() as patch:
        patch.setattr(world.cls, call, crash)
        match call:
            case "join_urls":
                provisioning.fetch_addresses(meeting.id)
            case "join_url":
                provisioning.fetch_address(meeting.id, world.student.id)
            case "open_rooms":
                with pytest.raises(PluginError):
                    orphans.end_orphans(world.account.id)
            case "probe":
                with transaction():
                    world.account.healthy = False
                with pytest.raises(jobs.RetryAt):
                    breaker.probe(world.account.id)
            case "end" | "recordings":
                world.moment = START + timedelta(minutes=56)
                do(meetings.END)
                if call == "recordings":
                    world.moment += recordings.FIRST
                    do(recordings.LIST)
    db.session.expire_all()
    assert "KeyError" in str(world.account.last_error)
    assert world.meeting(world.lesson).busy_until is None


def test_a_provider_answer_that_was_lost_still_makes_one_room(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with transaction():
        meetings.want_now(meetings.wish(world.lesson))

    def killed(*args: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(provisioning, "keep_room", killed)
        with pytest.raises(KeyboardInterrupt):
            provisioning.provision(world.meeting(world.lesson).id)
    assert world.hall.made == [world.key]
    world.moment += timedelta(minutes=2)
    provisioning.provision(world.meeting(world.lesson).id)
    assert world.meeting(world.lesson).state is MeetingState.READY
    assert world.hall.made == [world.key]


def test_accounts_are_put_in_order_and_their_secrets_stay_in_the_dark(world: World) -> None:
    campus = world.school.a.campus
    with transaction():
        second = accounts.add(campus, "hall", name="Second", settings=world.hall.settings(), actor=None, rooms=3)
        accounts.order(campus, [second.uid, world.account.uid], actor=world.school.a.administrator)
    assert accounts_for(campus)[:2] == [second, world.account]
    assert [check.state.value for check in check_account(second)] == ["ok"]
    assert second.hook_token in check_account(second)[0].detail
    with db.engine.connect() as connection:
        stored = connection.exec_driver_sql("SELECT settings FROM provider_account").scalars().all()
    assert not any("secret of the Hall" in str(one) for one in stored)
    with transaction():
        accounts.switch(second, on=False, actor=None)
    assert second not in accounts_for(campus)
