"""The Galene plugin against a loopback server that speaks as Galene does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from lms_bridge_galene import GaleneProvider, GaleneSettings, connection, observing

from lms_bridge.core.plugins import (
    Attendee,
    CheckState,
    EvidenceKind,
    MeetingSpec,
    Observer,
    PluginContext,
    PresenceReport,
    Room,
    RoomRole,
    TemporaryFailure,
)
from tests.contracts.galene_server import ADMIN, SECRET, Galene, Refused, galene_server

START = datetime(2030, 9, 2, 0, 0, tzinfo=UTC)
MEETING = MeetingSpec(
    key="l4-1", lesson_uid="l4", attempt=1, title="数学 7A", starts_at=START, ends_at=START + timedelta(minutes=45),
    locale="zh_CN", zone="Asia/Shanghai", lesson_url="https://bridge.test/l/l4", callback_url="https://bridge.test/h/x",
)  # fmt: skip
GROUP = "lms-bridge/l4-1"
TEACHER = Attendee("T1", "王老师", RoomRole.LEADER, "zh_CN")
LI = Attendee("S1", "李华", RoomRole.PARTICIPANT, "zh_CN")
NAMESAKE = Attendee("S2", "李华", RoomRole.PARTICIPANT, "zh_CN")
GUEST = Attendee("G1", "Support", RoomRole.OBSERVER, "en")


@pytest.fixture
def galene() -> Iterator[Galene]:
    with galene_server() as server:
        yield server


@pytest.fixture
def provider(galene: Galene, tmp_path: Path) -> GaleneProvider:
    return provider_for(galene, tmp_path)


def provider_for(galene: Galene, folder: Path, **settings: Any) -> GaleneProvider:
    context = PluginContext("https://bridge.test", folder, timedelta(seconds=10), networks=(ip_network("127.0.0.0/8"),))
    return GaleneProvider(
        GaleneSettings(**{"url": galene.url, "username": ADMIN, "secret": SECRET} | settings), context
    )


def test_a_changed_title_leaves_what_an_administrator_set(galene: Galene, provider: GaleneProvider) -> None:
    room = provider.ensure(MEETING, None)
    galene.groups[GROUP]["max-clients"] = 60
    galene.tags[GROUP] = '"changed"'
    provider.update(replace(MEETING, title="物理 7A"), room)
    assert galene.groups[GROUP]["displayName"] == "物理 7A"
    assert galene.groups[GROUP]["max-clients"] == 60


def test_a_change_that_crosses_another_is_made_on_top_of_it(galene: Galene, provider: GaleneProvider) -> None:
    room = provider.ensure(MEETING, None)
    galene.crossing = [GROUP]
    provider.update(replace(MEETING, title="物理 7A"), room)
    assert galene.groups[GROUP]["displayName"] == "物理 7A"
    assert galene.groups[GROUP]["description"] == "set by somebody else"


def test_who_has_no_token_is_sent_to_the_lesson(galene: Galene, provider: GaleneProvider) -> None:
    provider.ensure(MEETING, None)
    assert galene.groups[GROUP]["authPortal"] == MEETING.lesson_url


def test_permissions_are_written_out_for_each_role(galene: Galene, provider: GaleneProvider) -> None:
    room = provider.ensure(MEETING, None)

    def allowed(who: Attendee) -> set[str]:
        permissions = galene.open(provider.join_url(MEETING, room, who)).permissions
        assert not [p for p in permissions if who.uid in p], "classmates would read the person's id"
        return {p for p in permissions if not p.startswith("lms-bridge:")}

    assert allowed(TEACHER) == {"op", "present", "message", "caption"}
    assert allowed(LI) == {"present", "message"}
    assert allowed(GUEST) == set()


def test_only_where_it_is_set_may_a_teacher_record_and_invite(galene: Galene, tmp_path: Path) -> None:
    provider = provider_for(galene, tmp_path, recording=True, invitations=True)
    room = provider.ensure(MEETING, None)
    assert {"record", "token"} <= set(galene.open(provider.join_url(MEETING, room, TEACHER)).permissions)
    assert not {"record", "token"} & set(galene.open(provider.join_url(MEETING, room, LI)).permissions)


def test_a_name_that_reads_like_a_path_comes_in(galene: Galene, provider: GaleneProvider) -> None:
    room = provider.ensure(MEETING, None)
    for name in ("7A / Li\\Hua", "//x", "..", "."):
        galene.open(provider.join_url(MEETING, room, replace(LI, display_name=name)))


def test_one_lesson_s_address_opens_no_other(galene: Galene, provider: GaleneProvider) -> None:
    room = provider.ensure(MEETING, None)
    other = provider.ensure(replace(MEETING, key="l5-1"), None)
    token = provider.join_url(MEETING, room, LI).partition("?")[2]
    with pytest.raises(Refused):
        galene.open(provider.join_url(MEETING, other, LI).partition("?")[0] + "?" + token)


def test_the_end_puts_everybody_out_and_lets_nobody_back(galene: Galene, provider: GaleneProvider) -> None:
    room = provider.ensure(MEETING, None)
    inside = [galene.open(provider.join_url(MEETING, room, who)) for who in (TEACHER, LI)]
    provider.end(MEETING, room)
    assert all(peer.kicked for peer in inside)
    assert GROUP not in galene.groups
    with pytest.raises(Refused):
        galene.open(provider.join_url(MEETING, room, LI))


def test_an_end_that_broke_off_is_finished_by_the_next(galene: Galene, provider: GaleneProvider) -> None:
    room = provider.ensure(MEETING, None)
    peer = galene.open(provider.join_url(MEETING, room, LI))
    galene.mute = True
    connection_seconds, connection.ENTER_SECONDS = connection.ENTER_SECONDS, 0.3
    try:
        with pytest.raises(TemporaryFailure):
            provider.end(MEETING, room)
    finally:
        connection.ENTER_SECONDS = connection_seconds
    galene.mute = False
    with pytest.raises(Refused):  # the half that was done keeps people from coming back
        galene.open(provider.join_url(MEETING, room, LI))
    provider.end(MEETING, room)
    assert peer.kicked
    assert GROUP not in galene.groups


def test_a_room_that_nobody_needs_is_found_and_ended_without_its_key(galene: Galene, provider: GaleneProvider) -> None:
    room = provider.ensure(MEETING, None)
    peer = galene.open(provider.join_url(MEETING, room, LI))
    galene.groups["physics-club"] = {}
    (found,) = provider.open_rooms()
    assert found.key == MEETING.key
    provider.end(MEETING, found.room)
    assert peer.kicked
    assert list(galene.groups) == ["physics-club"]


def test_the_check_says_what_is_wrong(galene: Galene, tmp_path: Path) -> None:
    def failed(provider: GaleneProvider) -> str:
        return " ".join(f"{c.detail} {c.remedy}" for c in provider.check() if c.state is CheckState.FAILED)

    assert failed(provider_for(galene, tmp_path)) == ""
    assert galene.groups == {}
    assert "name and secret" in failed(provider_for(galene, tmp_path, secret="something else"))
    assert failed(provider_for(galene, tmp_path, username="")) == "", "a bearer token is taken too"
    galene.writable = False
    assert "writableGroups" in failed(provider_for(galene, tmp_path))


# --- the observer -----------------------------------------------------------------------------------------------------


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observing, "LOOK", timedelta(seconds=0.15))
    monkeypatch.setattr(observing, "PAUSES", (0.05,))
    monkeypatch.setattr(observing, "SHORT", timedelta(0))


def told(observer: Observer, until: int, seconds: float = 10) -> PresenceReport:
    """What the observer tells, until there are so many events."""
    reports: list[PresenceReport] = []
    end = time.monotonic() + seconds
    while sum(len(r.events) for r in reports) < until and time.monotonic() < end:
        reports.append(observer.read(0.2))
    return PresenceReport(
        events=[event for r in reports for event in r.events],
        gaps=[gap for r in reports for gap in r.gaps],
        cursor=reports[-1].cursor,
    )


def short(report: PresenceReport) -> list[tuple[str | None, EvidenceKind]]:
    return [(event.attendee_uid, event.kind) for event in report.events]


@pytest.fixture
def room(provider: GaleneProvider) -> Room:
    return provider.ensure(MEETING, None)


@pytest.fixture
def observer(provider: GaleneProvider, room: Room, quick: None) -> Iterator[Observer]:
    observer = provider.observer({})
    observer.watch([(MEETING, room)])
    yield observer
    observer.close()


def entered(galene: Galene, number: int = 1) -> None:
    """Wait until so many are in the group."""
    end = time.monotonic() + 10
    while len(galene.peers.get(GROUP, ())) < number:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_who_comes_and_goes_is_told_by_person_even_among_namesakes(
    galene: Galene, provider: GaleneProvider, room: Room, observer: Observer
) -> None:
    entered(galene)
    peers = [galene.open(provider.join_url(MEETING, room, who)) for who in (LI, NAMESAKE)]
    report = told(observer, 2)
    assert short(report) == [("S1", EvidenceKind.JOINED), ("S2", EvidenceKind.JOINED)]
    assert {event.identity for event in report.events} == {"李华"}
    assert {event.external_id for event in report.events} == set(room.external_ids)
    galene.dismiss(peers[1])
    assert short(told(observer, 1)) == [("S2", EvidenceKind.LEFT)]


def test_opening_the_page_is_not_coming_in(
    galene: Galene, provider: GaleneProvider, room: Room, observer: Observer
) -> None:
    entered(galene)
    galene.dismiss(galene.open(provider.join_url(MEETING, room, LI)))
    galene.open(provider.join_url(MEETING, room, TEACHER))
    assert short(told(observer, 1)) == [("T1", EvidenceKind.JOINED)]


def test_a_broken_connection_is_a_gap_and_nobody_is_counted_twice(
    galene: Galene, provider: GaleneProvider, room: Room, observer: Observer, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered(galene)
    stays, goes = [galene.open(provider.join_url(MEETING, room, who)) for who in (TEACHER, LI)]
    told(observer, 2)
    monkeypatch.setattr(observing, "PAUSES", (0.3,))
    galene.cut()
    galene.dismiss(goes)
    galene.open(provider.join_url(MEETING, room, NAMESAKE))
    report = told(observer, 3)
    assert sorted(short(report), key=str) == sorted(
        [("S1", EvidenceKind.LEFT), ("T1", EvidenceKind.SEEN), ("S2", EvidenceKind.JOINED)], key=str
    )
    (gap,) = report.gaps
    assert gap.external_id == room.external_ids[0]
    assert timedelta(0) < gap.ends_at - gap.starts_at < timedelta(seconds=10)
    assert stays.id in galene.peers[GROUP]


def test_the_next_observer_goes_on_where_the_last_was_killed(
    galene: Galene, provider: GaleneProvider, room: Room, observer: Observer
) -> None:
    entered(galene)
    goes, _ = [galene.open(provider.join_url(MEETING, room, who)) for who in (LI, TEACHER)]
    first = told(observer, 2)
    galene.dismiss(goes)
    second = provider.observer(first.cursor)
    second.watch([(MEETING, room)])
    try:
        assert sorted(short(told(second, 2)), key=str) == [("S1", EvidenceKind.LEFT), ("T1", EvidenceKind.SEEN)]
    finally:
        second.close()
    assert [event.event_key for event in first.events if event.attendee_uid == "T1"] != []


def test_two_observers_tell_one_coming_under_one_key(
    galene: Galene, provider: GaleneProvider, room: Room, observer: Observer
) -> None:
    second = provider.observer({})
    second.watch([(MEETING, room)])
    try:
        entered(galene, 2)
        galene.open(provider.join_url(MEETING, room, LI))
        keys = [[event.event_key for event in told(one, 1).events] for one in (observer, second)]
        assert keys[0] == keys[1]
    finally:
        second.close()


def test_a_locked_room_is_a_gap_until_it_is_open(
    galene: Galene, provider: GaleneProvider, room: Room, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observing, "PIECE", timedelta(0))
    galene.locked = {GROUP}
    observer = provider.observer({})
    observer.watch([(MEETING, room)])
    try:
        assert observer.read(0.1).gaps
        galene.locked = set()
        entered(galene)
        galene.open(provider.join_url(MEETING, room, LI))
        assert short(told(observer, 1)) == [("S1", EvidenceKind.JOINED)]
    finally:
        observer.close()


def test_a_group_that_somebody_removed_is_told_as_ended_once(
    galene: Galene, provider: GaleneProvider, room: Room, observer: Observer
) -> None:
    entered(galene)
    del galene.groups[GROUP], galene.tags[GROUP]
    galene.cut()
    end = time.monotonic() + 10
    ended: list[tuple[str, datetime]] = []
    while not ended and time.monotonic() < end:
        ended += observer.read(0.2).ended
    ended += observer.read(0.5).ended
    assert [key for key, _ in ended] == list(room.external_ids)
    provider.ensure(MEETING, room)
    entered(galene)
    galene.open(provider.join_url(MEETING, room, LI))
    assert short(told(observer, 1)) == [("S1", EvidenceKind.JOINED)]


def test_a_room_that_is_no_longer_named_is_left(galene: Galene, observer: Observer) -> None:
    entered(galene)
    observer.watch([])
    end = time.monotonic() + 10
    while galene.peers.get(GROUP):
        assert time.monotonic() < end
        time.sleep(0.01)
    assert observer.read(0).cursor == {"inside": {}}


def test_the_observer_may_do_nothing_and_is_seen_under_its_name(galene: Galene, observer: Observer) -> None:
    entered(galene)
    (peer,) = galene.peers[GROUP].values()
    assert peer.name == "Attendance"
    assert not {"op", "present", "message"} & set(peer.permissions)


def test_a_room_that_was_made_anew_is_entered_with_its_new_key(
    galene: Galene, provider: GaleneProvider, room: Room, observer: Observer
) -> None:
    entered(galene)
    provider.end(MEETING, room)
    again = provider.ensure(MEETING, None)
    assert again.secrets != room.secrets
    observer.watch([(MEETING, again)])
    galene.cut()
    galene.open(provider.join_url(MEETING, again, LI))
    assert short(told(observer, 1)) == [("S1", EvidenceKind.JOINED)]
