"""Zoom against a server that answers as Zoom's documentation says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from lms_bridge_zoom import ZoomProvider
from lms_bridge_zoom.settings import ZoomSettings

from lms_bridge.core.clock import now
from lms_bridge.core.plugins import (
    AccessRefused,
    Attendee,
    CheckState,
    EvidenceKind,
    MeetingSpec,
    PluginContext,
    PluginError,
    PresenceReport,
    RoomRole,
    TemporaryFailure,
    WebhookRefused,
)
from tests.contracts.json_api import running
from tests.contracts.zoom_server import ACCOUNT, CLIENT, SECRET, WEBHOOK_SECRET, Zoom, challenge, proof, signed

HOST = "host1@school.example"
DOMAIN = "lessons.school.example"


@pytest.fixture
def zoom() -> Iterator[Zoom]:
    """A Zoom account with two licensed users."""
    with running(Zoom()) as server:
        server.user(HOST)
        server.user("host2@school.example")
        yield server


def connect(zoom: Zoom, base_url: str = f"https://{DOMAIN}", **more: object) -> ZoomProvider:
    """The provider with the server's settings."""
    values: dict[str, object] = {
        "account_id": ACCOUNT, "client_id": CLIENT, "client_secret": SECRET, "webhook_secret": WEBHOOK_SECRET,
        "hosts": [HOST, "host2@school.example"], "address": zoom.url,
    }  # fmt: skip
    context = PluginContext(
        base_url,
        Path("/nowhere"),
        timeout=timedelta(seconds=10),
        webhook_url=f"https://{DOMAIN}/hooks/providers/x",
        networks=(ip_network("127.0.0.0/8"),),
    )
    return ZoomProvider(ZoomSettings(**(values | more)), context)  # type: ignore[arg-type]


@pytest.fixture
def provider(zoom: Zoom) -> ZoomProvider:
    """The provider."""
    return connect(zoom)


def lesson(**more: object) -> MeetingSpec:
    """A lesson that begins in a quarter of an hour."""
    start = now().replace(microsecond=0) + timedelta(minutes=15)
    values: dict[str, object] = {
        "key": "lesson1-1", "lesson_uid": "lesson1", "attempt": 1, "title": "数学 5-1", "starts_at": start,
        "ends_at": start + timedelta(minutes=40), "locale": "zh-CN", "zone": "Asia/Shanghai",
        "lesson_url": f"https://{DOMAIN}/l/lesson1", "callback_url": f"https://{DOMAIN}/hooks/meetings/t", "host": HOST,
    }  # fmt: skip
    return MeetingSpec(**(values | more))  # type: ignore[arg-type]


def student(number: int) -> Attendee:
    """A student."""
    return Attendee(f"person{number:04}", f"李华 {number}", RoomRole.PARTICIPANT, "zh-CN")


TEACHER = Attendee("teacher01", "王老师", RoomRole.LEADER, "zh-CN")


def told(provider: ZoomProvider, body: dict[str, object]) -> PresenceReport:
    """What a webhook of Zoom says."""
    headers, raw = signed(body)
    return provider.parse_webhook(headers, {}, raw).report


def test_one_meeting_however_often_it_is_made_and_whatever_answer_was_lost(zoom: Zoom, provider: ZoomProvider) -> None:
    spec = lesson()
    zoom.fault("lost", "/v2/users", method="POST")
    with pytest.raises(TemporaryFailure):
        provider.ensure(spec, None)
    room = provider.ensure(spec, None)
    assert provider.ensure(spec, None) == room
    assert provider.ensure(spec, room) == room
    assert list(zoom.meetings) == [*room.external_ids]
    meeting = zoom.meetings[room.external_ids[0]]
    assert (meeting["topic"], meeting["host_email"], meeting["duration"]) == ("数学 5-1", HOST, 40)
    assert not meeting["settings"]["join_before_host"]


def test_each_person_has_an_address_of_their_own_thirty_are_registered_at_a_time(
    zoom: Zoom, provider: ZoomProvider
) -> None:
    spec = lesson()
    room = provider.ensure(spec, None)
    students = [student(n) for n in range(70)]
    urls = provider.join_urls(spec, room, [TEACHER, *students])
    assert TEACHER.uid not in urls
    assert len(set(urls.values())) == 70
    assert zoom.enter(urls["person0042"]) == (f"person0042@{DOMAIN}", room.external_ids[0])
    assert zoom.times("POST", "/v2/meetings") == 3
    late = student(99)
    assert zoom.enter(provider.join_url(spec, room, late))[0] == f"person0099@{DOMAIN}"
    assert provider.join_urls(spec, room, students) == urls
    assert zoom.times("POST", "/v2/meetings") == 4


def test_people_registered_before_an_answer_was_lost_are_not_registered_twice(
    zoom: Zoom, provider: ZoomProvider
) -> None:
    spec = lesson()
    room = provider.ensure(spec, None)
    zoom.fault("lost", "/v2/meetings", method="POST")
    with pytest.raises(TemporaryFailure):
        provider.join_urls(spec, room, [student(1), student(2)])
    provider.join_urls(spec, room, [student(1), student(2)])
    assert zoom.times("POST", "/v2/meetings") == 1


def test_the_teacher_enters_as_host_by_an_address_made_at_the_click(zoom: Zoom, provider: ZoomProvider) -> None:
    spec = lesson()
    room = provider.ensure(spec, None)
    first, second = (provider.join_url(spec, room, TEACHER) for _ in range(2))
    assert first != second
    assert zoom.enter(second) == ("host", room.external_ids[0])
    assert "zak" not in json.dumps([dict(room.state), dict(room.secrets)])
    assert provider.capabilities.leader_address_keep is not None


def test_where_the_plan_has_no_registration_all_enter_by_the_shared_address(zoom: Zoom, provider: ZoomProvider) -> None:
    zoom.registration = False
    spec = lesson()
    room = provider.ensure(spec, None)
    urls = provider.join_urls(spec, room, [student(1), student(2)])
    assert len(set(urls.values())) == 1
    url = urls["person0001"]
    event = told(provider, zoom.join(url, "李华 1")).events[0]
    assert (event.attendee_uid, event.identity) == (None, "李华 1")
    zoom.finish(room.external_ids[0])
    found = provider.presence([(replace(spec, ended_at=now()), room)], {}).events
    assert {e.identity for e in found} == {"李华 1"}


def test_whoever_registers_by_themselves_is_not_let_in(zoom: Zoom, provider: ZoomProvider) -> None:
    spec = lesson()
    room = provider.ensure(spec, None)
    assert not zoom.fill_in_form(room.external_ids[0], "somebody@else.example")
    url = provider.join_urls(spec, room, [student(1)])["person0001"]
    assert told(provider, zoom.join(url)).events[0].attendee_uid == "person0001"


def test_a_moved_lesson_is_told_and_another_host_gets_a_new_meeting(zoom: Zoom, provider: ZoomProvider) -> None:
    spec = lesson()
    room = provider.ensure(spec, None)
    later = spec.starts_at + timedelta(days=1)
    provider.update(replace(spec, title="物理", starts_at=later, ends_at=later + timedelta(minutes=45)), room)
    meeting = zoom.meetings[room.external_ids[0]]
    assert (meeting["topic"], meeting["duration"]) == ("物理", 45)
    assert meeting["settings"]["approval_type"] == 1
    moved = provider.update(replace(spec, host="host2@school.example"), room)
    assert provider.update(replace(spec, host="host2@school.example"), room) == moved
    assert [one["host_email"] for one in zoom.meetings.values()] == ["host2@school.example"]


def test_ending_closes_a_running_meeting_and_takes_back_one_that_never_began(
    zoom: Zoom, provider: ZoomProvider
) -> None:
    spec, unused = lesson(), lesson(key="lesson2-1")
    room, free = provider.ensure(spec, None), provider.ensure(unused, None)
    zoom.join(provider.join_url(spec, room, TEACHER))
    provider.end(spec, room)
    provider.end(spec, room)
    provider.end(unused, free)
    provider.end(unused, free)
    assert zoom.sessions[room.external_ids[0]][0]["ended"]
    assert [*zoom.meetings] == [*room.external_ids]  # the report hangs on it


def test_a_person_is_seen_at_once_by_webhook_and_counted_once_with_the_report(
    zoom: Zoom, provider: ZoomProvider
) -> None:
    spec = lesson()
    room = provider.ensure(spec, None)
    url = provider.join_urls(spec, room, [student(1)])["person0001"]
    host = provider.join_url(spec, room, TEACHER)
    start = now().replace(microsecond=0)
    seen = [
        told(provider, zoom.join(host, at=start)),
        told(provider, zoom.join(url, at=start)),
        told(provider, zoom.leave(url, at=start + timedelta(minutes=10))),
    ]
    events = [event for report in seen for event in report.events]
    assert [(e.attendee_uid, e.kind) for e in events[1:]] == [
        ("person0001", EvidenceKind.JOINED),
        ("person0001", EvidenceKind.LEFT),
    ]
    assert {e.external_id for e in events} == {room.external_ids[0]}
    ended = told(provider, zoom.finish(room.external_ids[0], at=start + timedelta(minutes=40)))
    assert ended.ended == [(room.external_ids[0], start + timedelta(minutes=40))]
    over = replace(spec, ended_at=now())
    reported = [e for e in provider.presence([(over, room)], {}).events if e.attendee_uid == "person0001"]
    assert {e.event_key for e in reported} == {e.event_key for e in events[1:]}
    assert {e.quality for e in reported} == {"reported"}


def test_reports_are_read_page_by_page_over_all_sessions_of_the_lesson(zoom: Zoom, provider: ZoomProvider) -> None:
    zoom.page = 2
    spec = lesson()
    room = provider.ensure(spec, None)
    students = [student(n) for n in range(5)]
    urls = provider.join_urls(spec, room, students)
    for url in urls.values():
        zoom.join(url)
    zoom.finish(room.external_ids[0])
    zoom.join(urls["person0003"])
    zoom.finish(room.external_ids[0])
    events = provider.presence([(replace(spec, ended_at=now()), room)], {}).events
    joins = [e.attendee_uid for e in events if e.kind is EvidenceKind.JOINED]
    assert sorted(map(str, joins)) == sorted([*urls, "person0003"])
    assert len({e.event_key for e in events}) == len(events) == 12


def test_reports_that_a_limit_interrupts_go_on_where_they_stopped(zoom: Zoom, provider: ZoomProvider) -> None:
    pairs = []
    for number in (1, 2):
        spec = lesson(key=f"lesson{number}-1")
        room = provider.ensure(spec, None)
        zoom.join(provider.join_urls(spec, room, [student(number)])[f"person{number:04}"])
        zoom.finish(room.external_ids[0])
        pairs.append((replace(spec, ended_at=now()), room))
    zoom.fault("500", f"/v2/past_meetings/{pairs[1][1].external_ids[0]}")
    first = provider.presence(pairs, {})
    second = provider.presence(pairs, first.cursor)
    assert {e.attendee_uid for e in first.events} == {"person0001"}
    assert {e.attendee_uid for e in second.events} == {"person0002"}
    assert second.cursor == {}


def test_without_webhooks_running_lessons_are_unseen_not_empty(zoom: Zoom) -> None:
    blind = connect(zoom, webhook_secret="")
    spec = lesson()
    pair = (spec, blind.ensure(spec, None))
    report = blind.presence([pair], {})
    assert len(report.gaps) == 1
    assert not blind.presence([pair], report.cursor).gaps
    assert not connect(zoom).presence([pair], {}).gaps


def test_the_challenge_is_answered(provider: ZoomProvider) -> None:
    headers, raw = signed(challenge("qgg8vlvZRS6UYooatFL8Aw"))
    answer = provider.parse_webhook(headers, {}, raw)
    assert (answer.status, answer.media_type) == (200, "application/json")
    expected = {"plainToken": "qgg8vlvZRS6UYooatFL8Aw", "encryptedToken": proof("qgg8vlvZRS6UYooatFL8Aw")}
    assert json.loads(answer.body) == expected


BODY = {"event": "meeting.ended", "event_ts": 1, "payload": {"object": {"id": 1, "end_time": "2026-12-01T00:00:00Z"}}}
SIGNED = {
    "forged": lambda: signed(BODY, secret="another"),
    "changed": lambda: (signed(BODY)[0], signed(BODY | {"x": 1})[1]),
    "stale": lambda: signed(BODY, at=now() - timedelta(hours=2)),
    "from the future": lambda: signed(BODY, at=now() + timedelta(hours=1)),
    "no headers": lambda: ({}, signed(BODY)[1]),
    "odd stamp": lambda: (signed(BODY)[0] | {"x-zm-request-timestamp": "١٢٣"}, signed(BODY)[1]),
    "cut off": lambda: signed(json.dumps(BODY).encode()[:-5]),
    "another encoding": lambda: signed(json.dumps(BODY).encode("utf-16")[:-1]),
    "no object": lambda: signed({"event": "meeting.participant_joined", "payload": []}),
    "no JSON object": lambda: signed(b"[1]"),
    "odd id": lambda: signed(BODY | {"payload": {"object": {"id": "../1"}}}),
    "odd time": lambda: signed({"event": "meeting.ended", "event_ts": 10**400, "payload": {"object": {"id": 1}}}),
    "huge": lambda: signed(b" " * (1024 * 1024 + 1)),
}


@pytest.mark.parametrize("kind", SIGNED)
def test_a_webhook_that_is_not_right_is_refused(provider: ZoomProvider, kind: str) -> None:
    headers, raw = SIGNED[kind]()  # type: ignore[no-untyped-call]
    with pytest.raises(WebhookRefused) as caught:
        provider.parse_webhook(headers, {}, raw)
    assert caught.value.answer_status in (400, 401, 413)


def test_webhooks_are_refused_where_no_secret_is_set(zoom: Zoom) -> None:
    headers, raw = signed(BODY, secret="")
    with pytest.raises(WebhookRefused):
        connect(zoom, webhook_secret="").parse_webhook(headers, {}, raw)


@pytest.mark.parametrize("number", [True, False])
def test_a_meeting_number_may_be_text_or_number(provider: ZoomProvider, number: bool) -> None:
    body = BODY | {"payload": {"object": {"id": 93 if number else "93", "end_time": "2026-12-01T00:00:00Z"}}}
    assert told(provider, body).ended[0][0] == "93"


def test_a_meeting_that_somebody_deletes_has_ended(provider: ZoomProvider) -> None:
    thing = {"id": 93, "start_time": "2026-12-01T00:00:00Z"}
    body = {"event": "meeting.deleted", "event_ts": 1764547200000, "payload": {"object": thing}}
    assert told(provider, body).ended == [("93", datetime(2025, 12, 1, tzinfo=UTC))]


def test_events_of_other_kinds_are_taken_and_left_aside(provider: ZoomProvider) -> None:
    assert told(provider, BODY | {"event": "meeting.participant_jbh_joined"}) == PresenceReport()


def test_after_too_many_calls_the_whole_account_waits(zoom: Zoom, provider: ZoomProvider) -> None:
    provider.probe()
    zoom.fault("429", "/v2", retry_after="60")
    with pytest.raises(TemporaryFailure) as caught:
        provider.probe()
    assert caught.value.retry_after == timedelta(seconds=60)
    asked = len(zoom.asked)
    with pytest.raises(TemporaryFailure) as caught:
        connect(zoom).ensure(lesson(), None)
    assert caught.value.retry_after is not None
    assert len(zoom.asked) == asked


def test_a_daily_limit_names_the_moment_of_its_end(zoom: Zoom, provider: ZoomProvider) -> None:
    end = (now() + timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M:%SZ")
    zoom.fault("429", "/v2", retry_after=end)
    with pytest.raises(TemporaryFailure) as caught:
        provider.probe()
    assert caught.value.retry_after is not None
    assert timedelta(hours=2, minutes=59) < caught.value.retry_after <= timedelta(hours=3)


def test_a_token_is_kept_and_made_anew_once_when_it_is_revoked(zoom: Zoom, provider: ZoomProvider) -> None:
    provider.probe()
    connect(zoom).probe()
    assert zoom.times("POST", "/oauth/token") == 1
    zoom.revoke()
    provider.probe()
    assert zoom.times("POST", "/oauth/token") == 2


def test_a_wrong_secret_is_told_and_not_tried_again(zoom: Zoom) -> None:
    with pytest.raises(AccessRefused):
        connect(zoom, client_secret="wrong").probe()
    assert len(zoom.asked) == 1


def test_tokens_are_not_taken_to_another_server(zoom: Zoom, provider: ZoomProvider) -> None:
    zoom.api_url = "http://api.elsewhere.example"
    with pytest.raises(PluginError, match=r"elsewhere\.example"):
        provider.probe()


def test_a_meeting_that_somebody_deleted_is_made_anew(zoom: Zoom, provider: ZoomProvider) -> None:
    spec = lesson()
    room = provider.ensure(spec, None)
    zoom.meetings.clear()
    provider.end(spec, room)
    anew = provider.update(spec, room)
    assert [*zoom.meetings] == [*anew.external_ids] != [*room.external_ids]


def test_rooms_that_nobody_needs_are_found_by_their_mark(zoom: Zoom, provider: ZoomProvider) -> None:
    spec = lesson()
    room = provider.ensure(spec, None)
    zoom.meetings["5"] = zoom.meetings[room.external_ids[0]] | {"id": 5, "agenda": "Staff meeting"}
    found = list(provider.open_rooms())
    assert [(one.key, one.room.external_ids) for one in found] == [(spec.key, room.external_ids)]
    provider.end(spec, found[0].room)
    assert list(zoom.meetings) == ["5"]


def test_the_check_says_in_words_what_is_missing(zoom: Zoom) -> None:
    good = connect(zoom).check()
    assert {one.state for one in good} == {CheckState.OK, CheckState.UNTRIED}
    zoom.scopes = zoom.scopes.replace("meeting:update:status:admin ", "").replace("report:read:list_", "")
    zoom.user("free@school.example", type=1)
    bad = connect(zoom, hosts=[HOST, "free@school.example", "gone@school.example"], webhook_secret="").check()
    states = {one.title: one.state for one in bad}
    assert states["May end and delete meetings"] is CheckState.FAILED
    assert states["May fetch reports of who was there"] is CheckState.WARNING
    assert states["Host free@school.example"] is CheckState.WARNING
    assert states["Host gone@school.example"] is CheckState.FAILED
    assert states["Event subscription"] is CheckState.WARNING
    lacking = next(one for one in bad if one.title == "May end and delete meetings")
    assert "meeting:update:status:admin" in lacking.detail
    assert connect(zoom, client_secret="wrong").check()[0].state is CheckState.FAILED
    nameless = {one.title: one.state for one in connect(zoom, base_url="http://127.0.0.1:8000").check()}
    assert nameless["People are registered at"] is CheckState.FAILED
    zoom.scopes = "meeting:write:admin meeting:read:admin user:read:admin report:read:admin"
    assert CheckState.FAILED not in {one.state for one in connect(zoom).check()}


def test_no_secret_is_shown(zoom: Zoom, provider: ZoomProvider) -> None:
    assert SECRET not in repr(provider.settings)
    assert WEBHOOK_SECRET not in repr(provider.settings)
