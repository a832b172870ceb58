"""The plugin's tokens and events against a real Prosody with the plugins of Jitsi Meet and of its community.

Only with ``LMS_BRIDGE_LIVE_JITSI_URL`` and the variables below, never in CI; docs/providers/jitsi.md says how to set up
such a Prosody on loopback. There is no Jicofo and no media: the test makes the rooms as Jicofo would, and people come
into them by BOSH as browsers do. What Prosody sends of them is caught at ``..._EVENTS_PORT``.
"""

from __future__ import annotations

import base64
import os
import queue
import random
import re
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from xml.etree.ElementTree import Element

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from defusedxml.ElementTree import fromstring
from lms_bridge_jitsi import JitsiProvider, JitsiSettings, tokens

from lms_bridge.core.clock import now
from lms_bridge.core.plugins import (
    Attendee,
    CheckState,
    EvidenceKind,
    MeetingSpec,
    PluginContext,
    PresenceEvent,
    RoomRole,
)


def variable(name: str, otherwise: str = "") -> str:
    return os.environ.get(f"LMS_BRIDGE_LIVE_JITSI_{name}", otherwise)


URL = variable("URL")
APP_ID, SECRET, DOMAIN = variable("APP_ID", "bridge"), variable("SECRET"), variable("DOMAIN", "meet.test")
FOCUS, FOCUS_PASSWORD = variable("FOCUS", "focus@auth.meet.test"), variable("FOCUS_PASSWORD")
EVENTS_PORT, EVENTS_TOKEN = int(variable("EVENTS_PORT", "15282")), variable("EVENTS_TOKEN")
KEYS_DOMAIN, KEYS_PORT = variable("KEYS_DOMAIN", "keys.test"), int(variable("KEYS_PORT", "15281"))

pytestmark = [
    pytest.mark.skipif(not (URL and SECRET), reason="LMS_BRIDGE_LIVE_JITSI_URL and _SECRET name no Prosody"),
    pytest.mark.timeout(120),
]

MUC = "{http://jabber.org/protocol/muc#user}"
CLIENT = "{jabber:client}"
TEACHER = Attendee("01HTEACHER", "王老师", RoomRole.LEADER, "zh_CN")
STUDENT = Attendee("01HSTUDENT", "Li Hua (2)", RoomRole.PARTICIPANT, "zh_CN")
GUEST = Attendee("01HGUEST", "Support", RoomRole.OBSERVER, "en")


def settings(**changes: object) -> JitsiSettings:
    known = {"url": URL, "app_id": APP_ID, "secret": SECRET, "xmpp_domain": DOMAIN, "events_token": EVENTS_TOKEN}
    return JitsiSettings.model_validate(known | changes)


def provider(**changes: object) -> JitsiProvider:
    context = PluginContext("http://127.0.0.1:5000", Path("/nowhere"), networks=(ip_network("127.0.0.0/8"),))
    return JitsiProvider(settings(**changes), context)


@pytest.fixture
def meeting() -> MeetingSpec:
    starts = now()
    return MeetingSpec(
        key=f"lesson{secrets.token_hex(4)}-1", lesson_uid="lesson", attempt=1, title="Mathematics 7A",
        starts_at=starts, ends_at=starts + timedelta(hours=1), locale="en", zone="Asia/Shanghai",
        lesson_url="http://127.0.0.1:5000/l/lesson", callback_url="http://127.0.0.1:5000/hooks/x",
    )  # fmt: skip


class Refused(Exception):
    """Prosody does not let somebody in."""


class Browser:
    """Somebody at Prosody, by BOSH (XEP-0206)."""

    def __init__(self, domain: str, auth: str, **asked: str) -> None:
        self._rid, self._sid = random.randrange(2**40), ""
        self._waiting: list[Element] = []
        opened = self._say(f' to="{domain}" wait="2" hold="1" ver="1.6" xmpp:version="1.0"', **asked)
        self._sid = opened.attrib["sid"]
        self._say("", auth)
        answer = self._next(lambda e: e.tag.endswith(("}success", "}failure")))
        if answer.tag.endswith("}failure"):
            raise Refused("".join(answer.itertext()))
        self._say(f' to="{domain}" xmpp:restart="true"')
        self._say(
            "", '<iq xmlns="jabber:client" type="set" id="b"><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"/></iq>'
        )
        self._next(lambda e: e.get("id") == "b")

    @classmethod
    def with_link(cls, link: str, room: str | None = None) -> Browser:
        """Somebody who opens the address of a room."""
        parts = urlsplit(link)
        return cls(
            DOMAIN,
            '<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="ANONYMOUS"/>',
            room=room or parts.path[1:],
            token=parse_qs(parts.query)["jwt"][0],
        )

    @classmethod
    def focus(cls) -> Browser:
        """Who makes rooms, as Jicofo does."""
        name, _, domain = FOCUS.partition("@")
        told = base64.b64encode(f"\0{name}\0{FOCUS_PASSWORD}".encode()).decode()
        return cls(domain, f'<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="PLAIN">{told}</auth>')

    def join(self, room: str, nick: str, component: str = "conference") -> tuple[str, str]:
        """Affiliation and role in the room.

        :raises Refused: not let in.
        """
        self._to = f"{room}@{component}.{DOMAIN}/{nick}"
        self._say(
            "",
            f'<presence xmlns="jabber:client" to="{self._to}"><x xmlns="http://jabber.org/protocol/muc"/></presence>',
        )
        answer = self._next(lambda e: e.tag == f"{CLIENT}presence" and e.get("from") == self._to)
        if answer.get("type") == "error":
            raise Refused("".join(answer.itertext()))
        item = answer.find(f"{MUC}x/{MUC}item")
        assert item is not None
        return item.attrib["affiliation"], item.attrib["role"]

    def leave(self) -> None:
        """Leave the room."""
        self._say("", f'<presence xmlns="jabber:client" to="{self._to}" type="unavailable"/>')

    def breakout(self) -> str:
        """As a moderator, make a breakout room; its name."""
        wish = '<breakout_rooms type="features/breakout-rooms/add" subject="A"/>'
        self._say("", f'<message xmlns="jabber:client" to="breakout.{DOMAIN}">{wish}</message>')
        told = self._next(lambda e: f"@breakout.{DOMAIN}" in "".join(e.itertext()))
        found = re.search(rf"([0-9a-f-]{{36}})@breakout\.{re.escape(DOMAIN)}", "".join(told.itertext()))
        assert found is not None
        return found[1]

    def close(self) -> None:
        """Close the window."""
        self._say(' type="terminate"')

    def _next(self, fits: object) -> Element:
        end = time.monotonic() + 15
        while time.monotonic() < end:
            for one in self._waiting:
                if fits(one):  # type: ignore[operator]
                    self._waiting.remove(one)
                    return one
            self._say("")
        raise AssertionError("Prosody did not answer")

    def _say(self, attributes: str, content: str = "", **asked: str) -> Element:
        self._rid += 1
        sid = f' sid="{self._sid}"' if self._sid else ""
        body = (
            f'<body rid="{self._rid}" xmlns="http://jabber.org/protocol/httpbind" xmlns:xmpp="urn:xmpp:xbosh"'
            f' content="text/xml; charset=utf-8"{sid}{attributes}>{content}</body>'
        )
        reply = requests.post(f"{URL}/http-bind", params=asked, data=body.encode(), timeout=20)
        reply.raise_for_status()
        root: Element = fromstring(reply.content)
        self._waiting += list(root)
        return root


@pytest.fixture
def events() -> Iterator[queue.SimpleQueue[tuple[dict[str, str], bytes]]]:
    """What Prosody sends: headers in lower case, and body."""
    caught: queue.SimpleQueue[tuple[dict[str, str], bytes]] = queue.SimpleQueue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            caught.put(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_request(self, code: object = "-", size: object = "-") -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", EVENTS_PORT), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield caught
    server.shutdown()
    server.server_close()


def told(caught: queue.SimpleQueue[tuple[dict[str, str], bytes]], room: str, seconds: float = 4) -> list[PresenceEvent]:
    """What the plugin reads of ``room`` in all that Prosody sends within ``seconds``."""
    found: list[PresenceEvent] = []
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        try:
            headers, body = caught.get(timeout=left)
        except queue.Empty:
            break
        found += [e for e in provider().parse_webhook(headers, {}, body).report.events if e.external_id == room]
    return found


def test_the_check_says_in_words_what_prosody_says() -> None:
    assert [c for c in provider().check() if c.state is CheckState.FAILED] == []

    def failed(**changes: object) -> str:
        return " ".join(c.detail for c in provider(**changes).check() if c.state is CheckState.FAILED)

    assert "wrong secret or wrong algorithm" in failed(secret="another secret of the right length!")
    assert "wrong algorithm" in failed(algorithm="HS512", secret="x" * 64)
    assert "Name of the application" in failed(app_id="somebody")
    assert "Audience" in failed(audience="somebody")
    assert "no domain" in failed(xmpp_domain="nobody.test")


def test_only_good_tokens_open_only_their_room_with_only_their_rights(meeting: MeetingSpec) -> None:
    jitsi = provider()
    room = jitsi.ensure(meeting, None)
    name = room.external_ids[0]
    other = jitsi.ensure(replace(meeting, key=f"{meeting.key}-x"), None).external_ids[0]
    links = {who.uid: jitsi.join_url(meeting, room, who) for who in (TEACHER, STUDENT, GUEST)}
    focus = [Browser.focus(), Browser.focus()]
    for one, its in zip(focus, (name, other), strict=True):
        one.join(its, "focus")

    # The student is the first to come, and is no moderator for it.
    inside = Browser.with_link(links[STUDENT.uid])
    assert inside.join(name, "a") == ("member", "participant")
    assert Browser.with_link(links[TEACHER.uid]).join(name, "b") == ("owner", "moderator")
    assert Browser.with_link(links[GUEST.uid]).join(name, "c") == ("member", "participant")

    with pytest.raises(Refused, match="match"):
        Browser.with_link(links[STUDENT.uid], other).join(other, "d")
    head, body, signature = parse_qs(urlsplit(links[STUDENT.uid]).query)["jwt"][0].split(".")
    teacher = parse_qs(urlsplit(links[TEACHER.uid]).query)["jwt"][0].split(".")[1]
    gone = tokens.sign(settings(), name, tokens.person(STUDENT), now() - timedelta(seconds=5))
    for forged in (f"{head}.{teacher}.{signature}", f"{head}.{body}.{signature[:-6]}AAAAAA", f"{head}.{body}.", gone):
        with pytest.raises(Refused):
            Browser.with_link(f"{URL}/{name}?jwt={forged}")
    for one in focus:
        one.close()


def test_a_key_of_two_halves_is_fetched_by_its_name() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    key_id = f"bridge/{secrets.token_hex(4)}"

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path == f"/{tokens.key_file(key_id)}"
            self.send_response(200 if found else 404)
            self.send_header("Content-Length", str(len(public) if found else 0))
            self.end_headers()
            if found:
                self.wfile.write(public)

        def log_request(self, code: object = "-", size: object = "-") -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", KEYS_PORT), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        known = {"algorithm": "RS256", "xmpp_domain": KEYS_DOMAIN, "secret": private.replace("\n", " ")}
        assert [c for c in provider(key_id=key_id, **known).check() if c.state is CheckState.FAILED] == []
        (failed,) = [c for c in provider(key_id="nobody", **known).check() if c.state is CheckState.FAILED]
        assert "does not find the public key" in failed.detail
        assert tokens.key_file("nobody") in failed.remedy
    finally:
        server.shutdown()
        server.server_close()


def test_prosody_tells_who_came_and_went(
    meeting: MeetingSpec, events: queue.SimpleQueue[tuple[dict[str, str], bytes]]
) -> None:
    jitsi = provider()
    room = jitsi.ensure(meeting, None)
    name = room.external_ids[0]
    focus = Browser.focus()
    focus.join(name, "focus")
    came = now()
    student = Browser.with_link(jitsi.join_url(meeting, room, STUDENT))
    student.join(name, "a")
    first = told(events, name)
    assert [(e.attendee_uid, e.kind, e.external_id) for e in first] == [(STUDENT.uid, EvidenceKind.JOINED, name)]
    assert abs(first[0].at - came) <= timedelta(seconds=5)
    # Into a breakout room, and from there out of all: one stay, as far as the lesson is concerned.
    teacher = Browser.with_link(jitsi.join_url(meeting, room, TEACHER))
    teacher.join(name, "t")
    breakout = teacher.breakout()
    focus_there = Browser.focus()
    focus_there.join(breakout, "focus", "breakout")
    student.leave()
    student.join(breakout, "a", "breakout")
    moved = [e for e in told(events, name) if e.attendee_uid == STUDENT.uid]
    assert sorted(e.kind for e in moved) == [EvidenceKind.JOINED, EvidenceKind.LEFT]
    assert abs(moved[0].at - moved[1].at) <= timedelta(seconds=1)

    went = now()
    student.close()
    second = told(events, name)
    assert [(e.attendee_uid, e.kind) for e in second] == [(STUDENT.uid, EvidenceKind.LEFT)]
    assert abs(second[0].at - went) <= timedelta(seconds=5)
    teacher.close()
    for one in (focus_there, focus):
        one.close()
    rest = [e for e in told(events, name, seconds=8) if e.attendee_uid == STUDENT.uid]
    assert {e.event_key for e in rest} <= {e.event_key for e in (*first, *moved, *second)}, "told again, it is the same"
