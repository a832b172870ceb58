"""BigBlueButton's own traps, beyond what all providers share: hashes, rooms that vanish, several servers, what polls,
webhooks and reports say of the same people, and the check in words."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from lms_bridge_bigbluebutton import BigBlueButtonProvider, BigBlueButtonSettings
from lms_bridge_bigbluebutton.rooms import key_of, name_of
from lms_bridge_bigbluebutton.signing import checksum
from pydantic import ValidationError

from lms_bridge.core.plugins import (
    AccessRefused,
    Check,
    CheckState,
    EvidenceKind,
    MeetingProvider,
    MeetingSpec,
    PluginError,
    PresenceReport,
    Room,
    RoomRole,
    TemporaryFailure,
    WebhookRefused,
)
from tests.contracts.bigbluebutton_rig import BigBlueButtonRig
from tests.contracts.bigbluebutton_server import SECRET, BigBlueButton, Inside
from tests.contracts.json_api import running
from tests.contracts.meetings import BASE, PATIENCE, WEBHOOK_URL, Webhook, attendee, context, lesson

SECOND = "4f3c9d1e-second"
J, L, S = EvidenceKind.JOINED, EvidenceKind.LEFT, EvidenceKind.SEEN


@pytest.fixture
def rig() -> Iterator[BigBlueButtonRig]:
    """One server and the plugin at it."""
    made = BigBlueButtonRig()
    yield made
    made.close()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """The time that polls see: the last element."""
    times = [datetime(2026, 12, 1, 0, 30, tzinfo=UTC)]
    monkeypatch.setattr("lms_bridge_bigbluebutton.provider.now", lambda: times[-1])
    return times


def later(clock: list[datetime], seconds: float) -> datetime:
    """Time passes."""
    clock.append(clock[-1] + timedelta(seconds=seconds))
    return clock[-1]


# --- signatures ------------------------------------------------------------------------------------------------------


def test_the_checksum_is_that_of_the_documentation() -> None:
    query = "name=Test+Meeting&meetingID=abc123&attendeePW=111222&moderatorPW=333444"
    assert checksum("sha1", "create", query, SECRET) == "1fcbb0c4fc1f039f73aa6d697d2db9ba7f803f17"


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha384", "sha512"])
def test_each_hash_that_a_server_may_be_set_to(rig: BigBlueButtonRig, algorithm: str) -> None:
    rig.server.algorithms = {algorithm}
    provider, spec = rig.provider(algorithm=algorithm), lesson()
    room = provider.ensure(spec, None)
    assert rig.enter(provider.join_url(spec, room, attendee())) is not None
    rig.server.hook_algorithm = algorithm
    (came, _) = rig.sent(spec, room, attendee())
    assert provider.parse_webhook(came.headers, came.query, came.body).report.events


def said(points: list[Check]) -> str:
    """The first point that failed, with what to do."""
    bad = next(point for point in points if point.state is CheckState.FAILED)
    return f"{bad.detail} {bad.remedy}"


def test_the_check_tells_a_wrong_secret_from_a_wrong_algorithm(rig: BigBlueButtonRig) -> None:
    assert "the secret is wrong" in said(list(rig.provider(secret="something else").check()))
    rig.server.algorithms = {"sha512"}
    assert "Choose sha512" in said(list(rig.provider().check()))
    rig.server.algorithms = {"sha1", "sha256"}
    first, *others = rig.provider().check()
    assert first.detail.startswith("3.0.19 answers")
    assert [point.state for point in others] == [CheckState.WARNING, CheckState.UNTRIED]  # http, and bbb-webhooks
    rig.server.has_webhooks = False
    assert "Install the package bbb-webhooks" in list(rig.provider().check())[-1].remedy
    with pytest.raises(AccessRefused, match="wrong secret or wrong algorithm"):
        rig.provider(secret="something else").ensure(lesson(), None)


def test_no_secret_and_no_personal_address_is_shown(rig: BigBlueButtonRig) -> None:
    provider = rig.provider(secret="something else")
    with pytest.raises(PluginError) as refusal:
        provider.ensure(lesson(), None)
    shown = f"{refusal.value!r} {refusal.value} {provider.settings!r} {provider.settings.model_dump()!r}"
    assert "something else" not in shown
    assert isinstance(provider.settings, BigBlueButtonSettings)
    assert "something else" not in repr(provider.settings.servers())


def test_what_people_paste_as_the_address_is_understood() -> None:
    for url in ("https://b.example", "https://b.example/", "https://b.example/bigbluebutton/api/"):
        settings = BigBlueButtonSettings(url=url, secret=SECRET)  # type: ignore[arg-type]
        assert [server.url for server in settings.servers()] == ["https://b.example/bigbluebutton"]


def test_secrets_of_further_servers_are_one_for_each_or_none() -> None:
    values = {"url": "https://a.example", "secret": SECRET, "more_urls": ["https://b.example", "https://c.example"]}
    assert [s.secret for s in BigBlueButtonSettings(**values).servers()] == [SECRET] * 3  # type: ignore[arg-type]
    two = BigBlueButtonSettings(**values, more_secrets="second third")  # type: ignore[arg-type]
    assert [s.secret for s in two.servers()] == [SECRET, "second", "third"]
    with pytest.raises(ValidationError, match="as many secrets as there are further servers"):
        BigBlueButtonSettings(**values, more_secrets="second")  # type: ignore[arg-type]


# --- rooms -----------------------------------------------------------------------------------------------------------


def test_a_room_that_vanished_unused_is_made_anew_and_old_addresses_do_not_open_it(rig: BigBlueButtonRig) -> None:
    provider, spec = rig.provider(), lesson()
    room = provider.ensure(spec, None)
    old = provider.join_url(spec, room, attendee())
    rig.server.expire()
    assert provider.presence([(spec, room)], {}).ended[0][0] == room.external_ids[0]
    again = provider.ensure(spec, room)
    assert again.external_ids == room.external_ids
    assert again != room
    assert rig.enter(old) is None
    assert rig.enter(provider.join_url(spec, again, attendee())) is not None


def test_a_renamed_lesson_finds_the_room_that_was_made_before(rig: BigBlueButtonRig) -> None:
    room = rig.provider().ensure(lesson(), None)
    assert rig.provider().ensure(replace(lesson(), title="English"), None) == room
    assert len(rig.rooms()) == 1


def test_a_room_that_somebody_inside_ended_is_not_given_out(rig: BigBlueButtonRig) -> None:
    room = rig.provider().ensure(lesson(), None)
    rig.server.meetings[room.external_ids[0]].forcibly_ended = True
    with pytest.raises(TemporaryFailure, match="opened anew") as wait:
        rig.provider().ensure(lesson(), room)
    assert wait.value.retry_after


@pytest.mark.parametrize("title", ["", "x", "  ", "数学\n\x00 5-1", "很长" * 100, "<b>&\"'"])
def test_any_title_of_a_lesson_makes_a_room(rig: BigBlueButtonRig, title: str) -> None:
    assert rig.provider().ensure(replace(lesson(), title=title), None)


def test_what_a_room_is_asked_for(rig: BigBlueButtonRig) -> None:
    spec = lesson()
    room = rig.provider(record=True).ensure(spec, None)
    wanted = rig.server.meetings[room.external_ids[0]].wanted
    assert wanted["meta_endCallbackUrl"] == wanted["meta_analytics-callback-url"] == spec.callback_url
    assert wanted["logoutURL"] == spec.lesson_url
    assert (wanted["meetingKeepEvents"], wanted["notifyRecordingIsOn"], wanted["autoStartRecording"]) == (
        "true", "true", "false"
    )  # fmt: skip


def test_an_address_is_computed_without_asking_and_says_no_more_than_needed(rig: BigBlueButtonRig) -> None:
    provider, spec = rig.provider(), lesson()
    room = provider.ensure(spec, None)
    asked = len(rig.server.asked)
    query = parse_qs(urlsplit(provider.join_url(spec, room, attendee(RoomRole.LEADER))).query)
    assert len(rig.server.asked) == asked
    assert query["role"] == ["MODERATOR"]
    assert query["userID"] == ["01k7person7"]
    assert query["createTime"] == [str(room.state["create_time"])]
    assert "@" not in str(query)


def test_the_mark_in_a_rooms_name_tells_ours_from_others(rig: BigBlueButtonRig) -> None:
    spec = lesson()
    room = rig.provider().ensure(spec, None)
    assert key_of(BASE, room.external_ids[0]) == spec.key
    assert key_of("https://other.test", room.external_ids[0]) is None
    stranger = replace(context(seconds=PATIENCE), base_url="https://other.test")
    settings = BigBlueButtonSettings(url=rig.server.url, secret=SECRET)  # type: ignore[arg-type]
    BigBlueButtonProvider(settings, stranger).ensure(replace(spec, key="foreign-1"), None)
    (found,) = rig.provider().open_rooms()
    assert (found.key, found.room) == (spec.key, room)


# --- several servers -------------------------------------------------------------------------------------------------


class Servers:
    """Two servers of one account; the second has a secret of its own."""

    def __init__(self, stack: ExitStack) -> None:
        self.one = stack.enter_context(running(BigBlueButton()))
        self.two = stack.enter_context(running(BigBlueButton(secret=SECOND)))

    def provider(self, **settings: object) -> MeetingProvider:
        """The plugin with both."""
        values = {
            "url": self.one.url, "secret": SECRET, "more_urls": [self.two.url], "more_secrets": SECOND
        } | settings  # fmt: skip
        return BigBlueButtonProvider(BigBlueButtonSettings(**values), context(seconds=PATIENCE))  # type: ignore[arg-type]

    def down(self, server: BigBlueButton, times: int = 1000) -> None:
        """A server breaks every connection without doing anything."""
        server.fault("500", times=times)


@pytest.fixture
def servers() -> Iterator[Servers]:
    """Two servers."""
    with ExitStack() as stack:
        yield Servers(stack)


def test_rooms_are_shared_out_by_the_people_expected_and_stay_where_they_are(servers: Servers) -> None:
    sizes = [30, 20, 5, 5]  # 30 to the first, 20 and then 5 to the second, which has less by then
    rooms = []
    for number, expected in enumerate(sizes):
        spec = replace(lesson(), key=f"lesson{number}-1", expected=expected)
        rooms.append(servers.provider().ensure(spec, None))
        assert servers.provider().ensure(spec, None) == rooms[-1]  # a lost answer makes no second one elsewhere
    assert [len(servers.one.meetings), len(servers.two.meetings)] == [1, 3]
    use = servers.provider(max_rooms=10).capacity()
    assert (use.rooms, use.rooms_in_use) == (20, 4)


def test_a_full_server_is_chosen_last(servers: Servers) -> None:
    for number in range(3):
        spec = replace(lesson(), key=f"lesson{number}-1", expected=0 if number else 500)
        servers.provider(max_rooms=1).ensure(spec, None)
    assert [len(servers.one.meetings), len(servers.two.meetings)] == [1, 2]


def test_a_dead_server_is_passed_over_and_its_rooms_are_made_anew_at_another(servers: Servers) -> None:
    provider, spec = servers.provider(), lesson()
    room = provider.ensure(spec, None)
    servers.down(servers.one)
    cursor: Mapping[str, object] = {}
    ended: list[str] = []
    for _ in range(3):
        assert ended == []  # one silence is no end
        report = provider.presence([(spec, room)], cursor)
        ended, cursor = [name for name, _ in report.ended], json.loads(json.dumps(report.cursor))
    assert ended == [room.external_ids[0]]
    moved = servers.provider().ensure(spec, room)
    assert moved.external_ids == room.external_ids
    assert list(servers.two.meetings) == list(room.external_ids)
    assert provider.join_url(spec, moved, attendee()).startswith(servers.two.url)


def test_an_account_of_which_no_server_answers_is_down(servers: Servers) -> None:
    provider, spec = servers.provider(), lesson()
    room = provider.ensure(spec, None)
    servers.down(servers.one)
    servers.down(servers.two)
    for call in (lambda: provider.presence([(spec, room)], {}), provider.probe, lambda: provider.ensure(spec, room)):
        with pytest.raises(TemporaryFailure):
            call()


def test_a_server_that_left_the_settings_loses_its_rooms(servers: Servers) -> None:
    spec = lesson()
    room = servers.provider().ensure(spec, None)
    alone = {"url": servers.two.url, "secret": SECOND, "more_urls": [], "more_secrets": ""}
    provider = servers.provider(**alone)
    with pytest.raises(PluginError, match="no longer in the settings"):
        provider.join_url(spec, room, attendee())
    assert [name for name, _ in provider.presence([(spec, room)], {}).ended] == list(room.external_ids)
    provider.end(spec, room)
    assert provider.ensure(spec, room).state["server"].startswith(servers.two.url)


# --- who is there ----------------------------------------------------------------------------------------------------


def test_polls_tell_who_came_and_went_once_each(rig: BigBlueButtonRig, clock: list[datetime]) -> None:
    provider, spec = rig.provider(), lesson()
    room = provider.ensure(spec, None)
    url = provider.join_url(spec, room, attendee())
    running_now = [(spec, room)]
    told: list[tuple[EvidenceKind, datetime]] = []
    keys: list[str] = []

    def look() -> PresenceReport:
        report = rig.observe(provider, running_now)
        told.extend((event.kind, event.at) for event in report.events)
        keys.extend(event.event_key for event in report.events)
        return report

    start = clock[0]
    look()
    first, second = rig.enter(url), rig.enter(url)  # two devices of one person
    assert first is not None
    assert second is not None
    later(clock, 10)
    look()
    rig.leave(first)
    later(clock, 10)
    look()
    rig.leave(second)
    later(clock, 10)
    look()
    assert told == [(J, start + timedelta(seconds=10)), (L, start + timedelta(seconds=20))]
    rig.enter(url)
    later(clock, 10)
    look()
    assert told[2:] == [(J, start + timedelta(seconds=40))]
    assert len(set(keys)) == len(keys) == 3


def test_a_look_whose_answer_was_not_stored_tells_the_same_again(rig: BigBlueButtonRig, clock: list[datetime]) -> None:
    provider, spec = rig.provider(), lesson()
    room = provider.ensure(spec, None)
    rig.enter(provider.join_url(spec, room, attendee()))
    first = provider.presence([(spec, room)], {})
    later(clock, 10)
    again = provider.presence([(spec, room)], {})
    assert [e.event_key for e in first.events] == [e.event_key for e in again.events]


def test_a_time_without_looks_is_a_gap_and_no_presence_is_guessed_into_it(
    rig: BigBlueButtonRig, clock: list[datetime]
) -> None:
    provider, spec = rig.provider(), lesson()
    room = provider.ensure(spec, None)
    entered = rig.enter(provider.join_url(spec, room, attendee()))
    assert entered is not None
    seen = clock[-1]
    rig.observe(provider, [(spec, room)])
    rig.server.fault("500")
    later(clock, 100)
    with pytest.raises(TemporaryFailure):
        rig.observe(provider, [(spec, room)])
    rig.leave(entered)
    back = later(clock, 100)
    report = rig.observe(provider, [(spec, room)])
    assert [(event.kind, event.at) for event in report.events] == [(L, seen)]
    assert [(gap.starts_at, gap.ends_at, gap.external_id) for gap in report.gaps] == [
        (seen, back, room.external_ids[0])
    ]


def test_all_rooms_of_a_server_are_seen_by_one_question(rig: BigBlueButtonRig, clock: list[datetime]) -> None:
    provider = rig.provider()
    specs = [replace(lesson(), key=f"lesson{number}-1") for number in range(5)]
    rooms = [(spec, provider.ensure(spec, None)) for spec in specs]
    for spec, room in rooms:
        rig.enter(provider.join_url(spec, room, attendee()))  # one attendee: one element, not a list
    rig.server.asked.clear()
    report = rig.observe(provider, rooms)
    assert {event.external_id for event in report.events} == {room.external_ids[0] for _, room in rooms}
    assert rig.server.times("GET", "/bigbluebutton/api/getMeetings") == 1


def test_webhooks_are_asked_for_again_every_five_minutes(rig: BigBlueButtonRig, clock: list[datetime]) -> None:
    provider, spec = rig.provider(), lesson()
    room = provider.ensure(spec, None)
    for _ in range(4):
        rig.observe(provider, [(spec, room)])
        later(clock, 10)
    assert rig.server.times("GET", "/bigbluebutton/api/hooks/create") == 1
    (hook,) = rig.server.hooks.values()
    assert (hook["callbackURL"], hook["eventID"]) == (WEBHOOK_URL, "meeting-ended,user-joined,user-left")
    rig.server.hooks.clear()  # bbb-webhooks gave up on us
    later(clock, 300)
    rig.observe(provider, [(spec, room)])
    assert list(rig.server.hooks) == [WEBHOOK_URL]
    rig.server.has_webhooks = False
    later(clock, 300)
    assert rig.observe(provider, [(spec, room)]).ended == []  # a server without them is polled all the same


# --- webhooks and callbacks ------------------------------------------------------------------------------------------


def read(rig: BigBlueButtonRig, webhook: Webhook) -> PresenceReport:
    """What a webhook tells."""
    answer = rig.provider().parse_webhook(webhook.headers, webhook.query, webhook.body, meeting=webhook.meeting)
    return answer.report


def test_a_webhook_makes_a_moment_exact_and_leaves_nobody_inside(rig: BigBlueButtonRig) -> None:
    room = rig.provider().ensure(lesson(), None)
    moment = datetime(2026, 12, 1, 0, 31, 2, 500000, tzinfo=UTC)
    came, went = rig.sent(lesson(), room, attendee(), at=moment)
    events = [*read(rig, came).events, *read(rig, went).events]
    assert [(event.kind, event.at, event.attendee_uid) for event in events] == [(S, moment, "01k7person7")] * 2


def test_the_end_of_a_room_and_several_events_in_one_webhook(rig: BigBlueButtonRig) -> None:
    room = rig.provider().ensure(lesson(), None)
    meeting = rig.server.meetings[room.external_ids[0]]
    person = Inside("w_1", "01k7person7", "李华", "VIEWER", False)
    good = [
        rig.server.event("user-joined", meeting, person, 1.8e9),
        rig.server.event("meeting-ended", meeting, at=1.8e9),
    ]
    broken: list[object] = [7, {}, {"data": {"id": "user-joined", "event": {"ts": "x"}}}, {"data": None}]
    report = read(rig, rig.signed(rig.server.form([*broken, *good, *broken])))
    assert len(report.events) == 1
    assert report.ended == [(room.external_ids[0], datetime.fromtimestamp(1.8e9, UTC))]


def test_a_single_event_as_the_documentation_shows_it(rig: BigBlueButtonRig) -> None:
    room = rig.provider().ensure(lesson(), None)
    meeting = rig.server.meetings[room.external_ids[0]]
    body = rig.server.form([rig.server.event("meeting-ended", meeting)]).replace(b"%5B", b"").replace(b"%5D", b"")
    assert read(rig, rig.signed(body)).ended


def test_rooms_of_others_on_the_same_server_are_none_of_our_business(rig: BigBlueButtonRig) -> None:
    room = rig.provider().ensure(lesson(), None)
    meeting = rig.server.meetings[room.external_ids[0]]
    meeting.wanted["meetingID"] = "greenlight-abc"
    person = Inside("w_1", "7", "Somebody else", "VIEWER", False)
    report = read(rig, rig.signed(rig.server.form([rig.server.event("user-joined", meeting, person)])))
    assert (list(report.events), list(report.ended)) == ([], [])


def test_a_webhook_that_carries_the_secret_itself(rig: BigBlueButtonRig) -> None:
    came, _ = rig.sent(lesson(), rig.provider().ensure(lesson(), None), attendee())
    assert read(rig, replace(came, query={}, headers={"authorization": f"Bearer {SECRET}"})).events


def test_what_bbb_webhooks_makes_of_our_answers(rig: BigBlueButtonRig) -> None:
    came, _ = rig.sent(lesson(), rig.provider().ensure(lesson(), None), attendee())
    with pytest.raises(WebhookRefused) as unproved:
        read(rig, replace(came, query={"checksum": "0" * 40}))
    assert unproved.value.answer_status == 503  # it comes again: a secret may just be changing
    with pytest.raises(WebhookRefused) as unreadable:
        read(rig, rig.signed(b"event=%7B"))
    assert unreadable.value.answer_status == 401  # taken as done: the next time it would be no better


def report_of(spec: MeetingSpec, room: Room, **changes: object) -> dict[str, object]:
    """A report as the analytics callback sends it."""
    attendees = [
        {"ext_user_id": "01k7person7", "name": "李华", "moderator": False, "duration": 0,
         "joins": ["2026-12-01T00:30:00.000+00:00", "2026-12-01T00:40:00.000+00:00"],
         "leaves": ["2026-12-01T00:35:00.000+00:00"]},
    ]  # fmt: skip
    data = {"finish": "2026-12-01T01:10:00.000+00:00", "start": "2026-12-01T00:29:00.000+00:00",
            "attendees": attendees, "metadata": {}, "duration": 2460}  # fmt: skip
    return {"version": "1.0", "meeting_id": room.external_ids[0], "internal_meeting_id": "ab-1", "data": data} | changes


def analytics(spec: MeetingSpec, content: object, secret: str = SECRET, **claims: object) -> Webhook:
    """The callback with a token as BigBlueButton's script makes it."""
    claims = {"exp": datetime.now(UTC) + timedelta(hours=24)} | claims
    with warnings.catch_warnings(action="ignore"):  # of the secret's length
        token = jwt.encode(claims, secret, algorithm="HS512")
    return Webhook(json.dumps(content).encode(), {"authorization": f"Bearer {token}"}, meeting=spec)


def test_the_report_after_the_end_tells_all_joins_and_closes_those_left_open(rig: BigBlueButtonRig) -> None:
    spec = lesson()
    room = rig.provider().ensure(spec, None)
    report = read(rig, analytics(spec, report_of(spec, room)))
    told = [(event.kind, event.at.strftime("%H:%M"), event.quality) for event in report.events]
    assert told == [
        (J, "00:30", "reported"), (J, "00:40", "reported"), (L, "00:35", "reported"), (L, "01:10", "reported"),
    ]  # fmt: skip
    assert report.ended == [(room.external_ids[0], datetime(2026, 12, 1, 1, 10, tzinfo=UTC))]
    assert [e.event_key for e in read(rig, analytics(spec, report_of(spec, room))).events] == [
        e.event_key for e in report.events
    ]


@pytest.mark.parametrize(
    "odd", [
        {}, None, {"ext_user_id": None, "joins": [], "leaves": []},
        {"ext_user_id": "x", "joins": ["soon"], "leaves": []}, {"ext_user_id": "y", "joins": None, "leaves": None},
    ]
)  # fmt: skip
def test_a_line_of_the_report_that_cannot_be_read_costs_nobody_else_theirs(rig: BigBlueButtonRig, odd: object) -> None:
    spec = lesson()
    room = rig.provider().ensure(spec, None)
    content: Any = report_of(spec, room)
    content["data"]["attendees"] += [odd, {
        "ext_user_id": "01k7person8", "name": "王芳", "moderator": False, "duration": 0,
        "joins": ["2026-12-01T00:31:00.000+00:00", None], "leaves": [None],
    }]  # fmt: skip
    report = read(rig, analytics(spec, content))
    told = [(e.attendee_uid, e.kind, e.at.strftime("%H:%M")) for e in report.events if e.attendee_uid != "01k7person7"]
    assert told == [("01k7person8", J, "00:31"), ("01k7person8", L, "01:10")]
    assert len(report.events) == 6


def test_a_report_that_is_not_the_servers_is_refused(rig: BigBlueButtonRig) -> None:
    spec = lesson()
    room = rig.provider().ensure(spec, None)
    content = report_of(spec, room)
    wrong = [
        replace(analytics(spec, content), headers={}),
        analytics(spec, content, secret="another secret"),
        analytics(spec, content, exp=datetime.now(UTC) - timedelta(minutes=1)),
        analytics(spec, report_of(spec, room, meeting_id="another-room")),
        analytics(spec, report_of(spec, room, data={"attendees": []})),
        analytics(spec, []),
        replace(analytics(spec, content), body=b"\xff"),
    ]
    for webhook in wrong:
        with pytest.raises(WebhookRefused):
            read(rig, webhook)


def test_the_unsigned_end_is_a_hint_to_look_and_no_more(rig: BigBlueButtonRig) -> None:
    answer = rig.provider().parse_webhook({}, {"recordingmarks": "false"}, b"", meeting=lesson())
    assert answer.look
    assert (list(answer.report.events), list(answer.report.ended)) == ([], [])


def test_published_recordings_are_listed(rig: BigBlueButtonRig) -> None:
    spec = lesson()
    room = rig.provider().ensure(spec, None)
    row = {"recordID": "r1", "meetingID": room.external_ids[0], "name": "Maths", "published": "true",
           "url": "https://b.example/playback/r1"}  # fmt: skip
    rig.server.recordings = [row, row | {"recordID": "r2", "published": "false"}, row | {"url": "javascript:alert(1)"}]
    (recording,) = rig.provider().recordings([(spec, room)])
    assert (recording.recording_id, recording.url) == ("r1", "https://b.example/playback/r1")
    assert recording.external_id == name_of(BASE, spec.key)
