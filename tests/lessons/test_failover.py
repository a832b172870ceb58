"""When a video system falls over, its lessons go on at the next one; the link stays, nobody is told twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from lms_bridge.core import clock, i18n, jobs
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import Conflict
from lms_bridge.core.models import AuditEntry, Job, OutboxFact
from lms_bridge.core.plugins import EvidenceKind, MeetingProvider, Reply, TemporaryFailure, usable
from lms_bridge.lessons import accounts, breaker, failover, gaps, meetings, operations, stuck, telling, watching
from lms_bridge.lessons.models import CircuitState, Meeting, MeetingCause, MeetingState, ProviderAccount
from lms_bridge.lessons.presence import PAGE, intervals, observations_of, record_evidence
from lms_bridge.lessons.providers import source_of
from lms_bridge.notices import rendering
from lms_bridge.roster.models import Person
from lms_bridge.timetable.models import Lesson
from tests import builders
from tests.builders import SchoolSystem
from tests.lessons.hall import Hall
from tests.lessons.support import START, browser, do, evidence, press, school_at


@dataclass
class World:
    """A campus with two Halls, the first of which is taken first; ``moment`` is the time."""

    app: Flask
    school: SchoolSystem
    hall: Hall
    other: Hall
    first: ProviderAccount
    second: ProviderAccount
    moment: datetime

    @property
    def lesson(self) -> Lesson:
        """The lesson of campus A."""
        return self.school.a.lesson

    @property
    def path(self) -> str:
        """Its permanent link."""
        return f"/l/{self.lesson.uid}"

    def come(self, person: Person) -> FlaskClient:
        """``person`` presses the button; their browser."""
        client = browser(self.app, person)
        assert press(client, self.path, self.path) == (303, f"{self.path}/room")
        return client

    def meeting(self) -> Meeting:
        """The room in force, as stored."""
        db.session.rollback()
        db.session.expire_all()
        found = meetings.meeting_of(self.lesson.id)
        assert found is not None
        return found

    def begin(self, *people: Person) -> list[FlaskClient]:
        """The lesson runs in the first Hall, with ``people`` inside."""
        clients = [self.come(person) for person in people]
        assert do(meetings.PROVISION) == 1
        assert self.meeting().state is MeetingState.READY
        return clients

    def look(self, times: int = 1, seconds: float = 3) -> None:
        """The watch of the first account comes round, each time so many seconds later."""
        for _ in range(times):
            self.moment += timedelta(seconds=seconds)
            with pytest.raises(jobs.RetryAt):
                watching.watch(self.first.id)

    def stand(self, account: ProviderAccount) -> CircuitState:
        """How the account stands, as stored."""
        db.session.refresh(account)
        return account.circuit(self.moment)


@pytest.fixture
def world(app: Flask, hall: Hall, other_hall: Hall) -> Iterator[World]:
    """It is 10 minutes into the lesson."""
    with school_at(10) as school:
        with transaction():
            first, second = (
                builders.provider_account(school.a.campus, "hall", name=name, position=n, settings=one.settings())
                for n, (name, one) in enumerate([("East", hall), ("West", other_hall)], start=1)
            )
        made = World(app, school, hall, other_hall, first, second, START + timedelta(minutes=10))
        with clock.at(lambda: made.moment):
            yield made


def test_a_lesson_leaves_a_system_that_is_down_and_everybody_goes_on_by_the_same_link(world: World) -> None:
    teacher, student = world.begin(world.school.a.teacher, world.school.a.students[0])
    inside = student.get(f"{world.path}/room")
    assert f"{world.hall.url}/enter/" in inside.headers["Refresh"]
    assert inside.headers["Referrer-Policy"] == "no-referrer"
    assert student.get(f"{world.path}/stand").json == {"open": True, "attempt": 1, "ready": True, "uneasy": False}
    world.hall.stop()
    world.look()
    assert student.get(f"{world.path}/stand").json["uneasy"]  # type: ignore[index]
    world.look(2)
    assert world.stand(world.first) is CircuitState.OPEN
    assert do(breaker.MOVE_AWAY) == 1
    moved = world.meeting()
    assert (moved.attempt, moved.account_id, moved.cause) == (2, world.second.id, MeetingCause.FAILOVER)
    # Whoever waits in the room's tab is let in without a click as soon as it is there.
    assert "Refresh" in student.get(f"{world.path}/room").headers
    assert do(meetings.PROVISION) == 1
    assert student.get(f"{world.path}/stand").json == {"open": True, "attempt": 2, "ready": True, "uneasy": False}
    for client in (teacher, student):
        assert f"{world.other.url}/enter/" in client.get(f"{world.path}/room").headers["Refresh"]
    doors = [(e.attempt, e.source) for e in evidence(world.lesson, world.school.a.students[0])]
    assert doors == [(1, "door"), (2, "door")]
    audit = db.session.query(AuditEntry).filter_by(action="meeting.moved").one()
    assert (audit.actor_uid, audit.details["to"]) == (None, world.second.uid)


def test_the_page_that_stays_open_offers_the_new_room(world: World) -> None:
    (student,) = world.begin(world.school.a.students[0])
    page = student.get(world.path)
    assert page.headers["Cross-Origin-Opener-Policy"] == "same-origin-allow-popups"
    assert "Refresh" not in page.headers
    with transaction():
        failover.move_by_decision(world.lesson, 1, world.school.a.teacher)
    do(meetings.PROVISION)
    shown = student.get(world.path).text
    assert "请进入新房间" in shown
    assert 'data-attempt="2"' in shown
    assert 'data-entered="1"' in shown
    student.get(f"{world.path}/room")
    assert "请进入新房间" not in student.get(world.path).text


def test_before_the_lesson_it_moves_as_well_and_nobody_is_told(world: World) -> None:
    world.moment = START - timedelta(minutes=20)
    with transaction():
        meetings.wish(world.lesson)
    world.hall.stop()
    world.look(3)
    do(breaker.MOVE_AWAY)
    assert world.meeting().account_id == world.second.id
    assert db.session.query(OutboxFact).filter_by(kind=failover.MOVED).count() == 0


def test_a_lesson_of_tomorrow_waits_for_the_system_to_come_back(world: World) -> None:
    world.begin(world.school.a.students[0])
    with transaction():
        tomorrow = builders.lesson(
            world.school.a.classes[0], world.school.subject, world.school.a.teacher, START + timedelta(days=1)
        )
        meetings.wish(tomorrow)
    world.hall.stop()
    world.look(3)
    do(breaker.MOVE_AWAY)
    left = meetings.meeting_of(tomorrow.id)
    assert left is not None
    assert (left.attempt, left.account_id) == (1, world.first.id)


def test_the_old_room_is_ended_when_its_system_can_be_reached_again(world: World) -> None:
    world.begin(world.school.a.students[0])
    world.hall.stop()
    world.look(3)
    do(breaker.MOVE_AWAY)
    do(meetings.PROVISION)
    do(meetings.END)
    assert list(world.hall.rooms) == [f"{world.lesson.uid}-1"]
    pauses = []
    for _ in range(7):
        db.session.refresh(world.first)
        assert world.first.retry_at is not None
        pauses.append((world.first.retry_at - world.moment).total_seconds())
        world.moment = world.first.retry_at
        do(breaker.PROBE)
    assert pauses == [5, 10, 20, 40, 80, 120, 120]
    world.hall.start()
    db.session.refresh(world.first)
    assert world.first.retry_at is not None
    world.moment = world.first.retry_at
    do(breaker.PROBE)
    assert world.stand(world.first) is CircuitState.CLOSED
    world.moment += timedelta(seconds=10)
    do(meetings.END)
    assert world.hall.rooms == {}
    assert list(world.other.rooms) == [f"{world.lesson.uid}-2"]
    found = gaps.gaps_between(START, world.moment, sources=[source_of(world.first)])
    assert [gap.reason for gap in found] == ["provider down"]
    # It stays where it is: going back is a person's decision.
    watching.watch(world.first.id)
    do(breaker.MOVE_AWAY)
    assert world.meeting().attempt == 2


def test_two_processes_at_once_make_one_new_attempt(world: World) -> None:
    world.begin(world.school.a.students[0])
    world.hall.stop()
    world.look(3)
    barrier = threading.Barrier(4)

    def move() -> None:
        with world.app.app_context():
            barrier.wait()
            failover.move_by_itself(world.lesson.id, 1)
            db.session.remove()

    threads = [threading.Thread(target=move) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert world.meeting().attempt == 2
    assert db.session.query(Meeting).filter_by(lesson_id=world.lesson.id).count() == 2
    assert db.session.query(OutboxFact).filter_by(kind=failover.MOVED).count() == 1


def test_flapping_is_damped_and_a_lesson_never_returns_by_itself(world: World) -> None:
    world.begin(world.school.a.students[0])
    with transaction():
        third = builders.provider_account(
            world.school.a.campus, "hall", name="South", position=3, settings=world.other.settings()
        )
    failover.move_by_itself(world.lesson.id, 1)
    with pytest.raises(jobs.RetryAt) as later:
        failover.move_by_itself(world.lesson.id, 2)
    assert later.value.moment == world.moment + failover.BETWEEN_MOVES
    world.moment = later.value.moment
    failover.move_by_itself(world.lesson.id, 2)
    assert world.meeting().account_id == third.id
    world.moment += failover.BETWEEN_MOVES
    moved = failover.move_by_itself(world.lesson.id, 3)
    assert moved is not None
    assert moved.account.plugin == "classroom"
    world.moment += failover.BETWEEN_MOVES
    assert failover.move_by_itself(world.lesson.id, 4) is None


def test_a_system_that_fails_just_after_a_person_chose_it_is_left_at_once(world: World) -> None:
    world.begin(world.school.a.students[0])
    with transaction():
        failover.move_by_decision(world.lesson, 1, world.school.a.teacher)
    failover.move_by_itself(world.lesson.id, 2)
    assert (world.meeting().attempt, world.meeting().account.plugin) == (3, "classroom")


def test_the_teacher_moves_the_lesson_and_takes_it_back(world: World) -> None:
    world.begin(world.school.a.students[0])
    teacher = browser(world.app, world.school.a.teacher)
    page = f"/lessons/{world.lesson.uid}"
    assert "West" in teacher.get(page).text
    for _ in range(2):  # pressed twice, it moves once
        press(teacher, page, f"{page}/room/move", attempt="1")
    assert (world.meeting().attempt, world.meeting().account_id) == (2, world.second.id)
    press(teacher, page, f"{page}/room/move", attempt="2", account=world.first.uid)
    assert (world.meeting().attempt, world.meeting().cause) == (3, MeetingCause.PERSON)
    assert world.meeting().account_id == world.first.id
    student = browser(world.app, world.school.a.students[0])
    assert press(student, world.path, f"{page}/room/move", attempt="3")[0] == 404


def test_without_another_system_the_lesson_stays(world: World) -> None:
    world.begin(world.school.a.students[0])
    with transaction():
        world.second.enabled = False
        for account in db.session.query(ProviderAccount).filter_by(plugin="classroom"):
            account.enabled = False
    world.hall.stop()
    world.look(3)
    do(breaker.MOVE_AWAY)
    assert world.meeting().attempt == 1
    with pytest.raises(Conflict), transaction():
        failover.move_by_decision(world.lesson, 1, world.school.a.teacher)


def test_when_the_address_of_a_system_changes_the_rooms_made_ahead_are_made_there(
    world: World, hall_package: type[MeetingProvider], monkeypatch: pytest.MonkeyPatch
) -> None:
    flags = replace(hall_package.capabilities, lazy_create=False, keep_unused=None)
    monkeypatch.setattr(hall_package, "capabilities", flags)
    (student,) = world.begin(world.school.a.students[0])
    with transaction():
        tomorrow = builders.lesson(
            world.school.a.classes[0], world.school.subject, world.school.a.teacher, START + timedelta(days=1)
        )
        meetings.wish(tomorrow)
    do(meetings.PROVISION)
    keys = sorted(f"{lesson.uid}-1" for lesson in (world.lesson, tomorrow))
    calls = world.hall.calls
    with transaction():  # the same server: nothing is to be done
        accounts.change(world.first, name="North", settings=world.hall.settings(), actor=None)
    do(meetings.PROVISION)
    assert (world.hall.calls, world.meeting().state) == (calls, MeetingState.READY)
    with transaction():
        accounts.change(world.first, name="North", settings=world.other.settings(), actor=None)
    assert world.meeting().state is MeetingState.WANTED
    do(meetings.PROVISION)
    assert sorted(world.other.rooms) == keys
    assert f"{world.other.url}/enter/" in student.get(f"{world.path}/room").headers["Refresh"]
    assert (world.meeting().attempt, world.meeting().state) == (1, MeetingState.READY)


def test_a_room_that_somebody_removed_at_the_system_is_made_anew_at_the_next_click(
    world: World, hall_package: type[MeetingProvider], monkeypatch: pytest.MonkeyPatch
) -> None:
    flags = replace(hall_package.capabilities, lazy_create=False, keep_unused=None)
    monkeypatch.setattr(hall_package, "capabilities", flags)
    world.begin(world.school.a.students[0])
    world.hall.rooms.clear()
    world.look(seconds=10)
    client = world.come(world.school.a.students[1])
    assert client.get(f"{world.path}/room").headers["Refresh"] == "2"
    do(meetings.PROVISION)
    (made,) = world.hall.rooms.values()
    assert f"{world.hall.url}/enter/{made['id']}" in client.get(f"{world.path}/room").headers["Refresh"]
    assert (world.meeting().attempt, world.meeting().state) == (1, MeetingState.READY)
    world.look(seconds=10)  # the new one is there: nothing more is to be done
    assert world.meeting().state is MeetingState.READY


def recover(world: World, account: ProviderAccount) -> None:
    """The account's provider answers a probe again; what follows from that is done."""
    with transaction():
        breaker.succeeded(account.id)
    for kind in (breaker.MOVE_AWAY, breaker.OFFER, "lessons.move", meetings.PROVISION):
        do(kind)


@pytest.fixture
def nowhere_else(world: World) -> World:
    """The second system is down at this moment, and there is no third one."""
    with transaction():
        for account in db.session.query(ProviderAccount):
            account.enabled = account.id in (world.first.id, world.second.id)
        world.second.healthy = False
    return world


def test_a_lesson_whose_room_was_refused_goes_to_the_first_other_system_that_recovers(nowhere_else: World) -> None:
    world = nowhere_else
    world.hall.fault = 404
    world.come(world.school.a.students[0])
    do(meetings.PROVISION)
    do("lessons.move")
    assert (world.meeting().attempt, world.meeting().state) == (1, MeetingState.FAILED)
    world.moment += stuck.GATHERED
    do(stuck.TELL)
    told = stuck.gather_stuck(
        world.school.a.administrator, db.session.query(OutboxFact).filter_by(kind=stuck.STUCK).one().cause
    )
    assert told is not None
    assert [(room["system"], room["down"]) for room in told.data["rooms"]] == [("East", False)]
    recover(world, world.second)
    assert (world.meeting().account_id, world.meeting().state) == (world.second.id, MeetingState.READY)


def test_a_lesson_of_a_system_that_stays_down_goes_to_the_first_other_one_that_recovers(nowhere_else: World) -> None:
    world = nowhere_else
    world.begin(world.school.a.students[0])
    world.hall.stop()
    world.look(3)
    do(breaker.MOVE_AWAY)
    assert world.meeting().attempt == 1
    recover(world, world.second)
    assert (world.meeting().account_id, world.meeting().state) == (world.second.id, MeetingState.READY)


def test_a_lesson_with_nowhere_to_go_is_tried_again_where_it_is_when_that_recovers(nowhere_else: World) -> None:
    world = nowhere_else
    world.hall.fault = 404
    world.come(world.school.a.students[0])
    do(meetings.PROVISION)
    do("lessons.move")
    world.hall.fault = 0
    with transaction():
        world.first.healthy = False
    recover(world, world.first)
    assert (world.meeting().attempt, world.meeting().state) == (1, MeetingState.READY)


def test_when_a_system_is_mended_the_rooms_that_it_refused_are_made(world: World) -> None:
    with transaction():
        accounts.change(world.first, name="East", settings=world.hall.settings(secret="old"), actor=None)
    world.come(world.school.a.students[0])
    do(meetings.PROVISION)
    assert world.meeting().state is MeetingState.FAILED
    with transaction():
        accounts.change(world.first, name="East", settings=world.hall.settings(), actor=None)
    do(breaker.PROBE)
    do(meetings.PROVISION)
    assert (world.meeting().attempt, world.meeting().state) == (1, MeetingState.READY)


def test_a_room_that_is_refused_lets_its_lesson_move_alone(world: World) -> None:
    world.hall.fault = 400
    world.come(world.school.a.students[0])
    do(meetings.PROVISION)
    assert world.meeting().state is MeetingState.FAILED
    assert do("lessons.move") == 1
    assert world.meeting().account_id == world.second.id
    assert world.stand(world.first) is CircuitState.CLOSED


def test_a_plugin_that_crashes_is_said_in_words_and_its_lesson_moves(
    world: World, hall_package: type[MeetingProvider], monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(self: MeetingProvider, *args: object) -> None:
        raise KeyError("id") if self.settings.url == world.hall.url else AssertionError

    with monkeypatch.context() as patch:
        patch.setattr(hall_package, "ensure", crash)
        world.come(world.school.a.students[0])
        assert do(meetings.PROVISION) == 1
    left = world.meeting()
    assert left.state is MeetingState.FAILED
    assert "KeyError" in str(left.last_error)
    assert do("lessons.move") == 1
    do(meetings.PROVISION)
    assert (world.meeting().account_id, world.meeting().state) == (world.second.id, MeetingState.READY)


def test_a_busy_system_is_not_down_and_a_refused_account_is_at_once(world: World) -> None:
    world.begin(world.school.a.students[0])
    world.hall.fault = 429
    world.look(5)
    assert world.stand(world.first) is CircuitState.CLOSED
    with transaction():
        meetings.wish(other := builders.lesson(
            world.school.a.classes[1], world.school.subject, world.school.a.other_teacher, START
        ))  # fmt: skip
        meetings.want_now(meetings.wish(other))
    do(meetings.PROVISION)
    waits = db.session.query(Job).filter_by(kind=meetings.PROVISION, state="queued").one()
    assert waits.not_before == world.moment + timedelta(seconds=7)  # as the Hall asked
    world.hall.fault = 403
    world.look(seconds=7)
    assert world.stand(world.first) is CircuitState.OPEN


def test_a_system_in_maintenance_is_down_whenever_it_says_that_it_will_be_back(
    world: World, hall_package: type[MeetingProvider], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.begin(world.school.a.students[0])

    def in_maintenance(*args: object) -> None:
        usable(Reply("Hall", 503, {"retry-after": "120"}, b"", ""))

    monkeypatch.setattr(hall_package, "presence", in_maintenance)
    world.look(3)
    assert world.stand(world.first) is CircuitState.OPEN
    assert do(breaker.MOVE_AWAY) == 1
    assert world.meeting().account_id == world.second.id


def test_a_busy_system_is_left_alone_for_as_long_as_it_says(world: World) -> None:
    world.begin(world.school.a.students[0])
    world.hall.fault, world.hall.busy_seconds = 429, 60
    world.look()
    until, calls = world.moment + timedelta(seconds=60), world.hall.calls
    for seconds in (10, 49):
        world.moment += timedelta(seconds=seconds)
        with pytest.raises(jobs.RetryAt) as later:
            watching.watch(world.first.id)
        assert later.value.moment == until
    assert world.hall.calls == calls
    world.hall.fault = 0
    world.look()
    assert world.hall.calls == calls + 1
    assert world.stand(world.first) is CircuitState.CLOSED


def test_only_those_whose_page_is_closed_are_told_and_once(world: World) -> None:
    teacher, away, here = world.school.a.teacher, *world.school.a.students[:2]
    world.begin(teacher, away, here)
    world.moment += timedelta(minutes=5)
    with transaction():
        record_evidence(world.lesson.id, here.id, EvidenceKind.SEEN, world.moment, PAGE, f"{here.id}:tab:1")
        failover.move_by_decision(world.lesson, 1, teacher)
    cause = f"meeting:{world.meeting().id}"
    guardian = world.school.a.guardians[0]
    assert telling.without_page(cause, 0, 100) == sorted([teacher.id, away.id, guardian.id])
    told = telling.gather_moved(guardian, cause)
    assert told is not None
    assert told.data["child"] == away.display_name
    assert "/j/" in told.data["url"]
    assert telling.gather_moved(here, cause) is None
    frame = {"recipient": guardian, "organisation": world.school.a.campus, "home_url": "", "inbox_url": ""}
    for locale, words in (("en", f"of {away.display_name} goes on in another room"), ("zh-CN", "转到另一个房间继续")):
        with i18n.use_locale(locale):
            message = rendering.render([(telling.KIND, told)], frame)
        assert words in message.text
        assert "failed" not in message.text, "it was the teacher who moved it"
        assert "故障" not in message.text
        assert told.data["url"] in message.text
        assert told.data["url"] in message.html
    with transaction():
        failover.move_by_decision(world.lesson, 2, teacher, world.first)
    assert telling.without_page(cause, 0, 100) == []


def test_presence_in_the_old_room_ends_with_the_move(world: World) -> None:
    student = world.school.a.students[0]
    world.begin(student)
    world.hall.saw(f"{world.lesson.uid}-1", student.uid, "joined", world.moment)
    world.look(seconds=60)
    world.moment += timedelta(minutes=4)
    with transaction():
        failover.move_by_decision(world.lesson, 1, world.school.a.teacher)
    world.moment += timedelta(minutes=10)
    stays = intervals(
        observations_of(world.lesson.id)[student.id], beat_timeout=timedelta(seconds=75), end=world.moment
    )
    assert [stay.length for stay in stays] == [timedelta(minutes=5)]


def test_the_operations_page_is_told_what_happens(world: World) -> None:
    world.begin(world.school.a.students[0])
    with transaction():
        failover.move_by_decision(world.lesson, 1, world.school.a.teacher)
    paths = [world.school.bureau.path]
    (one, *_) = [found for found in operations.lessons_now(paths) if found.lesson.id == world.lesson.id]
    assert one.meeting is not None
    assert one.meeting.attempt == 2
    (move,) = operations.moves(paths)
    assert (move.left, move.to) == (world.first, world.second)
    stands = {found.account.name: found.circuit for found in operations.providers_now([world.school.a.campus.path])}
    assert stands["East"] is CircuitState.CLOSED
    assert operations.moves([world.school.b.campus.path]) == []
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Meeting)) == 2


def test_a_lesson_leaves_a_system_whose_plugin_is_gone_and_nobody_sees_an_error(world: World) -> None:
    (student,) = world.begin(world.school.a.students[0])
    with transaction():
        db.session.get_one(ProviderAccount, world.first.id).plugin = "gone"
    for path in (world.path, f"{world.path}/room", f"{world.path}/stand"):
        assert student.get(path).status_code == 200
    world.look(3)
    do(breaker.MOVE_AWAY)
    assert (world.meeting().attempt, world.meeting().account_id) == (2, world.second.id)
    do(meetings.PROVISION)
    assert f"{world.other.url}/enter/" in student.get(f"{world.path}/room").headers["Refresh"]


def test_settings_that_do_not_fit_any_more_are_no_error_at_the_door(world: World) -> None:
    (student,) = world.begin(world.school.a.students[0])
    with transaction():
        db.session.get_one(ProviderAccount, world.first.id).settings = {"url": world.hall.url}
    room = student.get(f"{world.path}/room")
    assert (room.status_code, "/enter/" in room.text) == (200, False)
    world.look(3)
    do(breaker.MOVE_AWAY)
    assert world.meeting().account_id == world.second.id


def test_three_failures_in_the_same_second_are_one_hiccup(world: World) -> None:
    world.begin(world.school.a.students[0])
    for _ in range(5):
        with transaction():
            breaker.failed(world.first.id, TemporaryFailure("no answer"))
    assert world.stand(world.first) is CircuitState.CLOSED
    world.moment += timedelta(seconds=3)
    with transaction():
        breaker.failed(world.first.id, TemporaryFailure("no answer"))
    assert world.stand(world.first) is CircuitState.OPEN


def test_where_no_system_answers_nobody_is_told_that_it_takes_seconds(world: World) -> None:
    with transaction() as session:
        session.execute(sa.update(ProviderAccount).where(ProviderAccount.id != world.first.id).values(enabled=False))
        session.get_one(ProviderAccount, world.first.id).healthy = False
    student = world.come(world.school.a.students[0])
    for path in (world.path, f"{world.path}/room"):
        page = student.get(path).text
        assert "视频会议系统没有应答" in page
        assert "几秒钟" not in page
