"""The plugin's webhooks against a real bbb-webhooks: registered by the plugin, told by Redis as BigBlueButton tells it,
and read by the plugin into who came, who went and that the room ended.

Only with ``LMS_BRIDGE_LIVE_BBB_WEBHOOKS_URL``, ``..._SECRET`` and ``..._REDIS``, never in CI;
docs/providers/bigbluebutton.md says how to start one on loopback. BigBlueButton itself is not needed: its rooms are
those of tests/contracts/bigbluebutton_server.py, which passes calls for hooks on as its web server does. What was seen
is printed (``-s``).
"""

from __future__ import annotations

import json
import os
import queue
import secrets
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import redis
import requests
from lms_bridge_bigbluebutton import BigBlueButtonProvider, BigBlueButtonSettings

from lms_bridge.core.clock import now
from lms_bridge.core.plugins import EvidenceKind, MeetingSpec, PresenceReport, Room, WebhookRefused
from tests.contracts.bigbluebutton_server import BigBlueButton
from tests.contracts.json_api import Answer, Asked, running
from tests.contracts.meetings import attendee, context, lesson

URL, SECRET, REDIS = (os.environ.get(f"LMS_BRIDGE_LIVE_BBB_WEBHOOKS_{name}", "") for name in ("URL", "SECRET", "REDIS"))
CHANNEL = "from-akka-apps-redis-channel"
RIGHT = timedelta(seconds=5)
BY_LENGTH = {40: "sha1", 64: "sha256", 96: "sha384", 128: "sha512"}

pytestmark = [
    pytest.mark.skipif(
        not (URL and SECRET and REDIS),
        reason="LMS_BRIDGE_LIVE_BBB_WEBHOOKS_URL, _SECRET and _REDIS name no bbb-webhooks",
    ),
    pytest.mark.timeout(60),
]

LI, WANG = attendee(number=7), attendee(number=8)


def report(line: str) -> None:
    """Print one line of what was seen."""
    sys.stdout.write(line + "\n")


class WebServer(BigBlueButton):
    """BigBlueButton's rooms, with the real bbb-webhooks behind ``/hooks``."""

    def answer(self, asked: Asked) -> Answer:
        if not asked.path.startswith("/bigbluebutton/api/hooks/"):
            return super().answer(asked)
        passed_on = requests.get(f"{URL.rstrip('/')}{asked.target.removeprefix('/bigbluebutton')}", timeout=10)
        return Answer(passed_on.status_code, passed_on.text, {"Content-Type": "text/xml"})


class Receiver:
    """Where webhooks arrive. Each is read by the plugin, and answered as LMS Bridge answers it."""

    def __init__(self) -> None:
        self.url = ""
        self.provider: BigBlueButtonProvider | None = None
        self.refuse = 0
        """So many of the next are answered 503, as while a secret is being changed."""
        self.told: queue.SimpleQueue[PresenceReport] = queue.SimpleQueue()
        self.answers: list[str] = []

    def take(self, target: str, headers: dict[str, str], body: bytes) -> int:
        """The status that bbb-webhooks is answered."""
        query = dict(parse_qsl(urlsplit(target).query))
        proof = BY_LENGTH.get(len(query.get("checksum", "")), "the secret itself")
        assert self.provider is not None
        if self.refuse:
            self.refuse -= 1
            self.answers.append(f"{proof}: 503")
            return 503
        try:
            answer = self.provider.parse_webhook(headers, query, body)
        except WebhookRefused as refused:
            self.answers.append(f"{proof}: refused, {refused}")
            return refused.answer_status
        self.answers.append(f"{proof}: {answer.status}")
        self.told.put(answer.report)
        return answer.status

    def until(self, events: int, ended: int = 0) -> PresenceReport:
        """What was told since the last time, when it is at least so much."""
        found = PresenceReport()
        end = time.monotonic() + 15
        while len(found.events) < events or len(found.ended) < ended:
            try:
                one = self.told.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"only {found} came; answered: {self.answers}") from None
            found = PresenceReport([*found.events, *one.events], [*found.ended, *one.ended])
        return found

    def quiet(self, seconds: float = 1) -> None:
        """Nothing more is told of our rooms."""
        time.sleep(seconds)
        while not self.told.empty():
            one = self.told.get()
            assert [*one.events, *one.ended] == []


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A real server on loopback."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status = receiver.take(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_request(self, code: object = "-", size: object = "-") -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/hooks/providers/{secrets.token_hex(8)}"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Apps:
    """Publishes in Redis what BigBlueButton's akka-apps do of one meeting (bbb-webhooks, example/events)."""

    def __init__(self, connection: Any, internal_id: str) -> None:
        self._connection, self._internal_id = connection, internal_id

    def _publish(self, name: str, header: dict[str, Any], body: dict[str, Any]) -> None:
        routing = {"msgType": "BROADCAST_TO_MEETING", "meetingId": self._internal_id}
        envelope = {"name": name, "routing": routing, "timestamp": int(time.time() * 1000)}
        message = {"envelope": envelope, "core": {"header": {"name": name} | header, "body": body}}
        assert self._connection.publish(CHANNEL, json.dumps(message)), "nobody listens at this Redis"
        time.sleep(0.2)  # bbb-webhooks maps names by what came before, and has them in Redis only a moment later

    def created(self, external_id: str) -> None:
        """There is a meeting."""
        props = {
            "meetingProp": {"name": "数学 5-1", "extId": external_id, "intId": self._internal_id, "isBreakout": False},
            "breakoutProps": {"parentId": "bbb-none"},
            "durationProps": {"duration": 0, "createdTime": int(time.time() * 1000), "createdDate": "x"},
            "password": {"moderatorPass": "mp", "viewerPass": "ap"},
            "recordProp": {"record": False},
            "voiceProp": {"voiceConf": "70000", "dialNumber": "1"},
            "usersProp": {"maxUsers": 0},
            "metadataProp": {"metadata": {}},
        }
        self._publish("MeetingCreatedEvtMsg", {}, {"props": props})

    def joined(self, internal_user: str, user_id: str, name: str) -> None:
        """Somebody is in."""
        header = {"meetingId": self._internal_id, "userId": internal_user}
        body = {"intId": internal_user, "extId": user_id, "name": name, "role": "VIEWER", "guest": False}
        self._publish("UserJoinedMeetingEvtMsg", header, body | {"presenter": False})

    def left(self, internal_user: str) -> None:
        """They are out again."""
        header = {"meetingId": self._internal_id, "userId": internal_user}
        self._publish("UserLeftMeetingEvtMsg", header, {"intId": internal_user})

    def ended(self) -> None:
        """The meeting is over."""
        self._publish("MeetingDestroyedEvtMsg", {"meetingId": self._internal_id}, {"meetingId": self._internal_id})


@pytest.fixture
def connection() -> Iterator[Any]:
    """The Redis of bbb-webhooks."""
    with redis.Redis.from_url(REDIS) as connection:
        yield connection


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Our end, with the plugin set up as for an account whose webhooks arrive there."""
    with receiving() as receiver, running(WebServer(SECRET)) as server:
        settings = BigBlueButtonSettings.model_validate({"url": f"{server.url}/bigbluebutton", "secret": SECRET})
        receiver.provider = BigBlueButtonProvider(settings, replace(context(), webhook_url=receiver.url))
        yield receiver


@pytest.fixture
def meeting() -> MeetingSpec:
    """A lesson whose room no earlier run has made."""
    return replace(lesson(), key=f"live{secrets.token_hex(5)}-1")


def test_a_lesson(receiver: Receiver, meeting: MeetingSpec, connection: Any) -> None:
    provider = receiver.provider
    assert provider is not None
    room = provider.ensure(meeting, None)
    for _ in range(2):  # asked for twice, each event comes once
        provider.presence([(meeting, room)], {})
    apps = Apps(connection, str(room.state["internal_id"]))
    began = now()
    apps.created(room.external_ids[0])
    apps.joined("w_1", LI.uid, LI.display_name)
    apps.joined("w_2", WANG.uid, "王 & <b> 07")
    apps.left("w_1")
    check(receiver.until(3), room, [LI.uid, WANG.uid, LI.uid], began)
    apps.ended()
    last = receiver.until(1, ended=1)
    check(last, room, [WANG.uid], began)
    ((name, at),) = last.ended
    assert name == room.external_ids[0]
    assert abs(at - now()) < RIGHT
    receiver.quiet()
    report(f"a lesson: {receiver.answers}")


def check(told: PresenceReport, room: Room, people: list[str], began: datetime) -> None:
    """These people were seen in the room, in this order, each at the right time."""
    assert [event.attendee_uid for event in told.events] == people
    assert {event.external_id for event in told.events} == set(room.external_ids)
    assert {event.kind for event in told.events} == {EvidenceKind.SEEN}
    assert all(began - RIGHT < event.at < now() + RIGHT for event in told.events)
    assert len({event.event_key for event in told.events}) == len(people)


def test_what_we_could_not_take_comes_again_and_others_rooms_are_not_ours(
    receiver: Receiver, meeting: MeetingSpec, connection: Any
) -> None:
    provider = receiver.provider
    assert provider is not None
    room = provider.ensure(meeting, None)
    provider.presence([(meeting, room)], {})
    apps, others = Apps(connection, str(room.state["internal_id"])), Apps(connection, f"other-{secrets.token_hex(8)}")
    began = now()
    apps.created(room.external_ids[0])
    receiver.quiet()
    receiver.refuse = 2
    apps.joined("w_1", LI.uid, LI.display_name)
    check(receiver.until(1), room, [LI.uid], began)
    others.created(f"greenlight-{secrets.token_hex(4)}")
    others.joined("w_9", "somebody", "Somebody")
    receiver.quiet()
    report(f"503 twice, then somebody else's room: {receiver.answers}")
