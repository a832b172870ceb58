"""Microsoft Teams against a server that answers as Graph's documentation says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from lms_bridge_teams import TeamsProvider
from lms_bridge_teams.settings import TeamsSettings

from lms_bridge.core.clock import now
from lms_bridge.core.plugins import (
    AccessRefused,
    Attendee,
    CheckState,
    EvidenceKind,
    MeetingSpec,
    PluginContext,
    PluginError,
    Room,
    RoomRole,
    TemporaryFailure,
)
from tests.contracts.json_api import running
from tests.contracts.teams_server import CLIENT, ORGANISER, SECRET, TENANT, Teams

TEACHER = Attendee("teacher01", "王老师", RoomRole.LEADER, "zh-CN", email="Wang@school.example")
STUDENT = Attendee("person0001", "李华", RoomRole.PARTICIPANT, "zh-CN")


@pytest.fixture
def teams() -> Iterator[Teams]:
    """A tenant whose administrator has done all that the set-up page says."""
    with running(Teams()) as server:
        yield server


def connect(teams: Teams, **more: object) -> TeamsProvider:
    """The provider with the server's settings."""
    values: dict[str, object] = {
        "tenant_id": TENANT, "client_id": CLIENT, "client_secret": SECRET, "organiser": ORGANISER,
        "login_address": teams.url, "graph_address": teams.url,
    }  # fmt: skip
    context = PluginContext(
        "https://lessons.school.example",
        Path("/nowhere"),
        timeout=timedelta(seconds=10),
        networks=(ip_network("127.0.0.0/8"),),
    )
    return TeamsProvider(TeamsSettings(**(values | more)), context)  # type: ignore[arg-type]


@pytest.fixture
def provider(teams: Teams) -> TeamsProvider:
    """The provider."""
    return connect(teams)


def lesson(**more: object) -> MeetingSpec:
    """A lesson that begins in a quarter of an hour."""
    start = now().replace(microsecond=0) + timedelta(minutes=15)
    values: dict[str, object] = {
        "key": "lesson1-1", "lesson_uid": "lesson1", "attempt": 1, "title": "数学 5-1", "starts_at": start,
        "ends_at": start + timedelta(minutes=40), "locale": "zh-CN", "zone": "Asia/Shanghai",
        "lesson_url": "https://lessons.school.example/l/lesson1", "callback_url": "https://lessons.school.example/h",
    }  # fmt: skip
    return MeetingSpec(**(values | more))  # type: ignore[arg-type]


def held(provider: TeamsProvider) -> tuple[MeetingSpec, Room]:
    """A lesson that is over."""
    spec = lesson()
    return replace(spec, ended_at=spec.ends_at), provider.ensure(spec, None)


def test_one_meeting_however_often_it_is_made_and_whatever_answer_was_lost(
    teams: Teams, provider: TeamsProvider
) -> None:
    spec = lesson()
    for method in ("POST", "PATCH"):
        teams.fault("lost", "/v1.0", method=method)
        with pytest.raises(TemporaryFailure):
            provider.ensure(spec, None)
    room = provider.ensure(spec, None)
    assert provider.ensure(spec, None) == room
    assert provider.ensure(spec, room) == room
    assert [*teams.meetings] == [*room.external_ids]
    meeting = teams.meetings[room.external_ids[0]]
    assert meeting["subject"] == "数学 5-1"
    assert meeting["lobbyBypassSettings"] == {"scope": "organization"}
    assert meeting["recordAutomatically"] is False


def test_one_address_for_all_and_only_the_teacher_presents(teams: Teams, provider: TeamsProvider) -> None:
    spec = lesson()
    room = provider.ensure(spec, None)
    student = provider.join_urls(spec, room, [TEACHER, STUDENT])
    assert [*student] == [STUDENT.uid]
    url = provider.join_url(spec, room, TEACHER)
    assert url == student[STUDENT.uid]
    assert teams.enter(url, "wang@school.example")[0] == "presenter"
    assert teams.enter(url, "hua@school.example")[0] == "attendee"
    second = replace(TEACHER, uid="teacher02", email="zhao@school.example")
    provider.join_url(spec, room, second)
    assert {teams.enter(url, mail)[0] for mail in ("wang@school.example", "zhao@school.example")} == {"presenter"}
    changes = teams.times("PATCH", "/v1.0")
    provider.join_url(spec, room, TEACHER)
    assert teams.times("PATCH", "/v1.0") == changes


def test_everybody_presents_where_the_school_says_so(teams: Teams) -> None:
    provider = connect(teams, everyone_presents=True, strangers_wait=False)
    spec = lesson()
    room = provider.ensure(spec, None)
    assert teams.enter(provider.join_url(spec, room, TEACHER))[0] == "presenter"
    assert teams.meetings[room.external_ids[0]]["lobbyBypassSettings"] == {"scope": "everyone"}


def test_a_moved_lesson_is_told_and_a_cancelled_one_is_taken_back(teams: Teams, provider: TeamsProvider) -> None:
    spec = lesson()
    room = provider.ensure(spec, None)
    provider.update(replace(spec, title="物理"), room)
    assert teams.meetings[room.external_ids[0]]["subject"] == "物理"
    begun = replace(spec, starts_at=now() - timedelta(minutes=1))
    provider.end(begun, room)
    assert teams.meetings
    provider.end(spec, room)
    provider.end(spec, room)
    assert not teams.meetings
    assert provider.update(spec, room).external_ids == tuple(teams.meetings)


def test_all_reports_of_the_lesson_count_each_stay_once_page_by_page(teams: Teams, provider: TeamsProvider) -> None:
    teams.page = 2
    spec, room = held(provider)
    key, start = room.external_ids[0], spec.starts_at
    early, late = start + timedelta(minutes=1), start + timedelta(minutes=20)
    for number in range(5):
        teams.stay(key, f"学生{number}", early, late, f"s{number}@school.example" if number else None)
    teams.everybody_left(key, late)
    back = late + timedelta(minutes=5)
    teams.stay(key, "学生3", early, late, "s3@school.example")  # the second report repeats what the first told
    teams.stay(key, "学生3", back, back + timedelta(minutes=10), "s3@school.example")
    teams.everybody_left(key, back + timedelta(minutes=10))
    teams.stay(key, "昨天的人", start - timedelta(days=1), start - timedelta(hours=23))
    teams.sessions[key][-1]["started"] = start - timedelta(days=1)
    teams.everybody_left(key, start - timedelta(hours=23))
    events = {e.event_key: e for e in provider.presence([(spec, room)], {}).events}
    joins = sorted(str(e.identity) for e in events.values() if e.kind is EvidenceKind.JOINED)
    assert joins == sorted(["学生0", *(f"s{n}@school.example" for n in (1, 2, 3, 4)), "s3@school.example"])
    assert len(events) == 12
    assert {e.quality for e in events.values()} == {"reported"}
    assert {e.external_id for e in events.values()} == {key}
    assert {e.at for e in events.values()} == {early, late, back, back + timedelta(minutes=10)}


def test_people_without_times_are_a_gap_and_not_an_absence(teams: Teams, provider: TeamsProvider) -> None:
    spec, room = held(provider)
    key = room.external_ids[0]
    teams.stay(key, "李华", None, None)
    teams.sessions[key][-1]["started"] = spec.starts_at
    teams.everybody_left(key, spec.ends_at)
    report = provider.presence([(spec, room)], {})
    assert not report.events
    assert [(gap.starts_at, gap.ends_at, gap.external_id) for gap in report.gaps] == [
        (spec.starts_at, spec.ends_at, key)
    ]


def test_reports_that_a_failure_interrupts_go_on_where_they_stopped(teams: Teams, provider: TeamsProvider) -> None:
    pairs = []
    for number in (1, 2):
        spec = lesson(key=f"lesson{number}-1")
        room = provider.ensure(spec, None)
        teams.stay(room.external_ids[0], f"学生{number}", spec.starts_at, spec.ends_at)
        teams.everybody_left(room.external_ids[0], spec.ends_at)
        pairs.append((replace(spec, ended_at=spec.ends_at), room))
    teams.faults.clear()
    second = f"/v1.0/users/{ORGANISER}/onlineMeetings/MSo1N2Y5ZGFjYy03MWJm%2B2"
    teams.fault("500", second)
    first = provider.presence(pairs, {})
    after = provider.presence(pairs, first.cursor)
    assert {e.identity for e in first.events} == {"学生1"}
    assert {e.identity for e in after.events} == {"学生2"}
    assert after.cursor == {}


def test_a_next_page_elsewhere_is_not_followed(teams: Teams, provider: TeamsProvider) -> None:
    teams.page, teams.next_host = 1, "http://graph.elsewhere.example"
    spec, room = held(provider)
    for name in ("a", "b"):
        teams.stay(room.external_ids[0], name, spec.starts_at, spec.ends_at)
    teams.everybody_left(room.external_ids[0], spec.ends_at)
    with pytest.raises(PluginError, match=r"elsewhere\.example"):
        provider.presence([(spec, room)], {})


def test_after_too_many_calls_the_app_waits_as_long_as_it_is_told(teams: Teams, provider: TeamsProvider) -> None:
    provider.probe()
    teams.fault("429", "/v1.0", retry_after="60")
    with pytest.raises(TemporaryFailure) as caught:
        provider.probe()
    assert caught.value.retry_after == timedelta(seconds=60)
    asked = len(teams.asked)
    with pytest.raises(TemporaryFailure):
        connect(teams).ensure(lesson(), None)
    assert len(teams.asked) == asked


def test_a_token_is_kept_and_made_anew_once(teams: Teams, provider: TeamsProvider) -> None:
    provider.probe()
    connect(teams).probe()
    assert teams.times("POST", f"/{TENANT}") == 1
    teams.tokens.clear()
    provider.probe()
    assert teams.times("POST", f"/{TENANT}") == 2
    with pytest.raises(AccessRefused, match="AADSTS7000215"):
        connect(teams, client_secret="wrong-secret").probe()


def test_the_check_says_in_words_what_is_missing(teams: Teams) -> None:
    good = connect(teams).check()
    assert CheckState.FAILED not in {one.state for one in good}
    teams.policy = False
    found = next(one for one in connect(teams).check() if one.state is CheckState.FAILED)
    assert f"New-CsApplicationAccessPolicy -Identity LMS-Bridge -AppIds {CLIENT}" in found.remedy
    assert ORGANISER in found.remedy
    teams.permissions.clear()
    found = next(one for one in connect(teams).check() if one.state is CheckState.FAILED)
    assert "OnlineMeetings.ReadWrite.All" in found.remedy
    wrong = connect(teams, client_secret="wrong-secret").check()
    assert [one.state for one in wrong] == [CheckState.FAILED]
    assert SECRET not in repr(connect(teams).settings)
