"""Tencent Meeting against a server that answers as its documentation says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from lms_bridge_tencent_meeting import TencentMeetingProvider
from lms_bridge_tencent_meeting.settings import TencentMeetingSettings
from lms_bridge_tencent_meeting.signing import event_signature, request_signature

from lms_bridge.core.clock import now
from lms_bridge.core.plugins import (
    AccessRefused,
    Attendee,
    CheckState,
    EvidenceKind,
    MeetingSpec,
    NotThere,
    PluginContext,
    PluginError,
    PresenceReport,
    RoomRole,
    TemporaryFailure,
    WebhookRefused,
)
from tests.contracts.json_api import Answer, running
from tests.contracts.tencent_meeting_server import (
    AES,
    APP,
    ID,
    KEY,
    SDK,
    TOKEN,
    TencentMeeting,
    error,
    question,
    sent,
    signed_headers,
)

TEACHER = Attendee("teacher01", "王老师", RoomRole.LEADER, "zh-CN", email="wang@school.example")


@pytest.fixture
def tencent() -> Iterator[TencentMeeting]:
    """An enterprise with two users who hold lessons."""
    with running(TencentMeeting()) as server:
        server.users |= {"lesson01", "lesson02"}
        yield server


def connect(tencent: TencentMeeting, **more: object) -> TencentMeetingProvider:
    """The provider with the server's settings."""
    values: dict[str, object] = {
        "app_id": APP, "sdk_id": SDK, "secret_id": ID, "secret_key": KEY, "event_token": TOKEN, "event_key": AES,
        "hosts": ["lesson01", "lesson02"], "teachers_by_mail": True, "address": tencent.url,
    }  # fmt: skip
    context = PluginContext(
        "https://lessons.school.example",
        Path("/nowhere"),
        timeout=timedelta(seconds=10),
        networks=(ip_network("127.0.0.0/8"),),
    )
    return TencentMeetingProvider(TencentMeetingSettings(**(values | more)), context)  # type: ignore[arg-type]


@pytest.fixture
def provider(tencent: TencentMeeting) -> TencentMeetingProvider:
    """The provider."""
    return connect(tencent)


def lesson(**more: object) -> MeetingSpec:
    """A lesson that begins in a quarter of an hour."""
    start = now().replace(microsecond=0) + timedelta(minutes=15)
    values: dict[str, object] = {
        "key": "lesson1-1", "lesson_uid": "lesson1", "attempt": 1, "title": "数学 5-1", "starts_at": start,
        "ends_at": start + timedelta(minutes=40), "locale": "zh-CN", "zone": "Asia/Shanghai", "host": "lesson01",
        "lesson_url": "https://lessons.school.example/l/lesson1", "callback_url": "https://lessons.school.example/h",
    }  # fmt: skip
    return MeetingSpec(**(values | more))  # type: ignore[arg-type]


def student(number: int) -> Attendee:
    """A student."""
    return Attendee(f"person{number:04}", f"李华 {number}", RoomRole.PARTICIPANT, "zh-CN")


def told(provider: TencentMeetingProvider, body: dict[str, object]) -> PresenceReport:
    """What an event of Tencent says."""
    headers, raw = sent(body)
    answer = provider.parse_webhook(headers, {}, raw)
    assert answer.body == b"successfully received callback"
    return answer.report


def test_the_signature_is_that_of_the_hexadecimal_text() -> None:
    made = request_signature("GET", "AKID", "secret", "1", "1600000000", "/v1/meetings?userid=a", b"")
    assert made == "MzczMmM1YTZjNWU1YjQ0NTVlYjkwM2IxNGZjNmY4MmRmYzYyMjM0N2EzMGE0YjA2NjRjNWJhZDk2MjNiNDRlZQ=="
    assert event_signature("b", "1", "c", "a") == event_signature("a", "b", "c", "1")


def test_one_meeting_however_often_it_is_made_and_whatever_answer_was_lost(
    tencent: TencentMeeting, provider: TencentMeetingProvider
) -> None:
    spec = lesson()
    tencent.list_size = 2
    for number in range(5):  # other lessons stand before ours, three of them at the same time
        early = spec.starts_at - timedelta(hours=1 if number < 3 else 0)
        provider.ensure(lesson(key=f"other{number}-1", starts_at=early, ends_at=early + timedelta(minutes=40)), None)
    tencent.fault("lost", "/v1/meetings", method="POST")
    with pytest.raises(TemporaryFailure):
        provider.ensure(spec, None)
    room = provider.ensure(spec, None)
    assert provider.ensure(spec, None) == room
    assert provider.ensure(spec, room) == room
    assert len(tencent.meetings) == 6
    meeting = tencent.meetings[room.external_ids[0]]
    assert meeting["subject"].startswith("数学 5-1 [")
    assert meeting["start_time"] == str(int(spec.starts_at.timestamp()))


def test_each_person_has_an_address_of_their_own(tencent: TencentMeeting, provider: TencentMeetingProvider) -> None:
    spec = lesson()
    room = provider.ensure(spec, None)
    students = [student(n) for n in range(3)]
    tencent.fault("lost", "/v1/meetings/customer", method="POST")
    with pytest.raises(TemporaryFailure):
        provider.join_urls(spec, room, students)
    urls = provider.join_urls(spec, room, [TEACHER, *students])
    assert [*urls] == [one.uid for one in students]
    assert len(set(urls.values())) == len(tencent.addresses[room.external_ids[0]]) == 3
    assert provider.join_url(spec, room, students[1]) == urls["person0001"]


def test_the_teacher_becomes_host_by_their_mail_address(
    tencent: TencentMeeting, provider: TencentMeetingProvider
) -> None:
    spec = lesson()
    room = provider.ensure(spec, None)
    url = provider.join_url(spec, room, TEACHER)
    assert tencent.enter(url, "wang@school.example")[2] == "host"
    assert tencent.enter(url, "zhao@school.example")[2] == "member"


def test_who_comes_when_personal_addresses_are_used_up_has_the_common_one(
    tencent: TencentMeeting, provider: TencentMeetingProvider
) -> None:
    tencent.most_addresses = 1
    spec = lesson()
    room = provider.ensure(spec, None)
    urls = provider.join_urls(spec, room, [student(1), student(2)])
    assert urls["person0002"] == room.secrets["join_url"] != urls["person0001"]
    event = told(provider, tencent.join(urls["person0002"], "李华 2")).events[0]
    assert (event.attendee_uid, event.identity) == (None, "李华 2")


def test_a_moved_lesson_is_told_and_another_host_gets_a_new_meeting(
    tencent: TencentMeeting, provider: TencentMeetingProvider
) -> None:
    spec = lesson()
    room = provider.ensure(spec, None)
    later = spec.starts_at + timedelta(days=1)
    provider.update(replace(spec, title="物理", starts_at=later, ends_at=later + timedelta(minutes=40)), room)
    assert tencent.meetings[room.external_ids[0]]["start_time"] == str(int(later.timestamp()))
    moved = provider.update(replace(spec, host="lesson02"), room)
    assert provider.update(replace(spec, host="lesson02"), room) == moved
    assert [one["userid"] for one in tencent.meetings.values()] == ["lesson02"]
    tencent.meetings.clear()
    assert provider.update(replace(spec, host="lesson02"), moved).external_ids == tuple(tencent.meetings)
    with pytest.raises(PluginError, match="chosen"):
        provider.ensure(lesson(key="lesson2-1", host=None), None)


def test_ending_closes_a_running_meeting_and_takes_back_one_that_never_began(
    tencent: TencentMeeting, provider: TencentMeetingProvider
) -> None:
    spec, unused = lesson(), lesson(key="lesson2-1")
    room, free = provider.ensure(spec, None), provider.ensure(unused, None)
    url = provider.join_url(spec, room, student(1))
    tencent.join(url, "李华 1")
    provider.end(spec, room)
    with pytest.raises(PermissionError):
        tencent.enter(url)
    provider.end(spec, room)
    for _ in range(2):
        provider.end(unused, free)
    assert free.external_ids[0] not in tencent.meetings


def test_a_person_is_seen_at_once_by_event_and_counted_once_with_the_lists(
    tencent: TencentMeeting, provider: TencentMeetingProvider
) -> None:
    spec = lesson()
    room = provider.ensure(spec, None)
    url = provider.join_url(spec, room, student(1))
    start = now().replace(microsecond=0)
    events = [
        *told(provider, tencent.join(url, "华华", at=start)).events,
        *told(provider, tencent.leave(url, "华华", at=start + timedelta(minutes=10))).events,
    ]
    assert [(e.attendee_uid, e.kind) for e in events] == [
        ("person0001", EvidenceKind.JOINED),
        ("person0001", EvidenceKind.LEFT),
    ]
    assert {e.external_id for e in events} == {room.external_ids[0]}
    reported = provider.presence([(replace(spec, ended_at=now()), room)], {}).events
    assert {e.event_key for e in reported} == {e.event_key for e in events}
    tencent.marks_in_lists = False
    named = provider.presence([(replace(spec, ended_at=now()), room)], {}).events
    assert {(e.attendee_uid, e.identity) for e in named} == {(None, "华华")}
    assert not {e.event_key for e in named} & {e.event_key for e in events}


def test_those_inside_are_looked_at_once_a_minute_page_by_page(
    tencent: TencentMeeting, provider: TencentMeetingProvider
) -> None:
    spec = lesson()
    room = provider.ensure(spec, None)
    common = str(room.secrets["join_url"])
    for number in range(120):
        tencent.join(common, f"学生{number}")
    first = provider.presence([(spec, room)], {})
    assert len({e.identity for e in first.events}) == 120
    asked = len(tencent.asked)
    assert provider.presence([(spec, room)], first.cursor) == PresenceReport([], cursor=first.cursor)
    assert len(tencent.asked) == asked
    tencent.leave(common, "学生7")
    tencent.join(common, "学生120")
    stored = json.loads(json.dumps(first.cursor))
    later = {key: {**one, "at": int(now().timestamp()) - 61} for key, one in stored.items()}
    second = provider.presence([(spec, room)], later)
    assert sorted((e.kind.value, str(e.identity)) for e in second.events) == [("joined", "学生120"), ("left", "学生7")]


def test_a_limit_between_two_rooms_leaves_none_out_for_good(
    tencent: TencentMeeting, provider: TencentMeetingProvider
) -> None:
    pairs = []
    for number in (1, 2):
        spec = lesson(key=f"lesson{number}-1", host=f"lesson0{number}")
        room = provider.ensure(spec, None)
        tencent.join(str(room.secrets["join_url"]), f"学生{number}")
        pairs.append((spec, room))
    tencent.fault("429", f"/v1/meetings/{pairs[1][1].external_ids[0]}/real-time")
    first = provider.presence(pairs, {})
    second = provider.presence(pairs, first.cursor)
    assert [e.identity for e in first.events] == ["学生1"]
    assert [e.identity for e in second.events] == ["学生2"]
    tencent.fault("429", "/v1")
    with pytest.raises(TemporaryFailure):
        provider.presence(pairs, {})


def test_a_room_that_is_refused_is_a_gap_and_keeps_no_other_from_being_seen(
    tencent: TencentMeeting, provider: TencentMeetingProvider
) -> None:
    pairs = []
    for number in (1, 2):
        spec = lesson(key=f"lesson{number}-1", host=f"lesson0{number}")
        room = provider.ensure(spec, None)
        tencent.join(str(room.secrets["join_url"]), f"学生{number}")
        pairs.append((spec, room))
    (refused,) = pairs[0][1].external_ids
    tencent.meetings[refused]["userid"] = "somebody else"
    for asked, seen in ((pairs, ["学生2"]), (pairs[:1], [])):
        report = provider.presence(asked, {})
        assert [event.identity for event in report.events] == seen
        (gap,) = report.gaps
        assert gap.external_id == refused
        assert timedelta(0) < gap.ends_at - gap.starts_at <= timedelta(seconds=60)
    tencent.users.clear()
    with pytest.raises(PluginError):  # it is not the room alone
        provider.presence(pairs[:1], {})
    tencent.meetings[refused]["userid"] = "lesson01"
    assert [event.identity for event in provider.presence(pairs[:1], report.cursor).events] == ["学生1"]


def test_all_who_came_are_read_afterwards_page_by_page_and_go_on_after_a_failure(
    tencent: TencentMeeting, provider: TencentMeetingProvider
) -> None:
    pairs = []
    for number in (1, 2):
        spec = lesson(key=f"lesson{number}-1", host=f"lesson0{number}")
        room = provider.ensure(spec, None)
        for who in range(3):
            tencent.join(str(room.secrets["join_url"]), f"学生{number}{who}")
        provider.end(spec, room)
        pairs.append((replace(spec, ended_at=now()), room))
    tencent.list_size = 2
    tencent.fault("500", f"/v1/meetings/{pairs[1][1].external_ids[0]}/participants")
    first = provider.presence(pairs, {})
    second = provider.presence(pairs, first.cursor)
    assert {e.identity for e in first.events} == {"学生10", "学生11", "学生12"}
    assert {e.identity for e in second.events} == {"学生20", "学生21", "学生22"}
    assert second.cursor == {}


@pytest.mark.parametrize("twice", [False, True])
def test_the_question_whether_the_address_is_ours_is_answered_in_plain(
    provider: TencentMeetingProvider, twice: bool
) -> None:
    headers, query = question("7a4d1c", twice=twice)
    answer = provider.parse_webhook(headers, query, b"")
    assert (answer.status, answer.body) == (200, b"7a4d1c")
    with pytest.raises(WebhookRefused):
        provider.parse_webhook(headers | {"signature": "0" * 40}, query, b"")


def test_events_may_come_unencrypted(tencent: TencentMeeting) -> None:
    at = datetime(2026, 12, 1, tzinfo=UTC)
    headers, raw = sent(tencent.ended("93", 0, at), key="")
    assert connect(tencent, event_key="").parse_webhook(headers, {}, raw).report.ended == [("93", at)]


def test_an_empty_room_is_no_end(tencent: TencentMeeting, provider: TencentMeetingProvider) -> None:
    at = datetime(2026, 12, 1, tzinfo=UTC)
    assert [bool(told(provider, tencent.ended("93", how, at)).ended) for how in range(4)] == [True, True, False, False]
    assert told(provider, {"event": "meeting.updated", "payload": [{}]}) == PresenceReport()


END: dict[str, object] = {"event": "meeting.end", "payload": [{"operate_time": 1, "meeting_info": {"meeting_id": "1"}}]}
SENT = {
    "forged": lambda: sent(END, token="another"),
    "of another body": lambda: (sent(END)[0], sent({"event": "meeting.start", "payload": []})[1]),
    "stale": lambda: sent(END, at=now() - timedelta(hours=3)),
    "from the future": lambda: sent(END, at=now() + timedelta(hours=3)),
    "no headers": lambda: ({}, sent(END)[1]),
    "of another key": lambda: sent(END, key=AES[::-1]),
    "unencrypted": lambda: sent(END, key=""),
    "cut off": lambda: sent(json.dumps(END).encode()[:-9]),
    "another encoding": lambda: sent('{"event":"数学'.encode("gb18030")),
    "no payload": lambda: sent({"event": "meeting.end"}),
    "odd id": lambda: sent(json.dumps(END).replace('"meeting_id": "1"', '"meeting_id": "x"').encode()),
    "no Base64": lambda: (signed_headers("§"), json.dumps({"data": "§"}).encode()),
    "a surrogate": lambda: (signed_headers("a"), b'{"data": "\\ud800"}'),
    "nothing": lambda: ({}, b""),
}  # fmt: skip


@pytest.mark.parametrize("kind", SENT)
def test_an_event_that_is_not_right_is_refused(provider: TencentMeetingProvider, kind: str) -> None:
    headers, raw = SENT[kind]()  # type: ignore[no-untyped-call]
    with pytest.raises(WebhookRefused) as caught:
        provider.parse_webhook(headers, {}, raw)
    assert caught.value.answer_status in (400, 401)


def test_events_are_refused_where_no_token_is_set(tencent: TencentMeeting) -> None:
    headers, raw = sent(END, token="")
    with pytest.raises(WebhookRefused):
        connect(tencent, event_token="").parse_webhook(headers, {}, raw)


def test_a_call_taken_for_a_repeated_one_is_made_once_more(
    tencent: TencentMeeting, provider: TencentMeetingProvider
) -> None:
    refusals = [error(400, 190301, "请求重放错误")]
    honest = tencent.answer
    tencent.answer = lambda asked: refusals.pop() if refusals else honest(asked)  # type: ignore[method-assign]
    provider.probe()
    assert len({one.headers["x-tc-nonce"] for one in tencent.asked}) == 2


ERRORS = [
    (error(500, 190310, "每分钟总接口调用次数超过限制。"), TemporaryFailure),
    (error(500, 41, "网络错误，请稍后重试。"), TemporaryFailure),
    (error(500, 960000, "网络错误，请稍后重试。"), TemporaryFailure),
    (error(500, 9042, "无权限进行该操作"), PluginError),
    (error(400, 190004, "参数非法"), PluginError),
    (error(400, 190457, "会议不存在"), NotThere),
    (error(400, 190303, "鉴权错误"), AccessRefused),
    (error(200, 190001, "存在未注册的用户。"), PluginError),
]


@pytest.mark.parametrize(("answer", "kind"), ERRORS)
def test_the_number_of_an_error_decides_what_it_is(
    tencent: TencentMeeting, provider: TencentMeetingProvider, answer: Answer, kind: type[PluginError]
) -> None:
    tencent.answer = lambda asked: answer  # type: ignore[method-assign]
    with pytest.raises(PluginError) as caught:
        provider.probe()
    assert type(caught.value) is kind or (kind is PluginError and not isinstance(caught.value, TemporaryFailure))
    assert caught.value.text()


def test_the_check_says_in_words_what_is_missing(tencent: TencentMeeting) -> None:
    good = connect(tencent).check()
    assert {one.state for one in good} == {CheckState.OK, CheckState.UNTRIED}
    bad = connect(tencent, hosts=["lesson01", "nobody"], event_token="", teachers_by_mail=False).check()
    states = {one.title: one.state for one in bad}
    assert states["Host nobody"] is CheckState.FAILED
    assert states["Event subscription"] is CheckState.WARNING
    assert states["Teachers lead the meeting"] is CheckState.WARNING
    wrong = connect(tencent, secret_key="wrong-secret").check()
    assert wrong[0].state is CheckState.FAILED
    assert "SecretKey" in wrong[0].remedy
    shown = repr(connect(tencent).settings)
    assert not any(secret in shown for secret in (KEY, TOKEN, AES))
