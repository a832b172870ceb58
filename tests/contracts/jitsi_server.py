"""A loopback server that looks at tokens as Prosody does with the plugins of Jitsi Meet, and tells who comes and goes
as its component event_sync does.

Written from resources/prosody-plugins (luajwtjitsi, token/util, mod_token_verification, mod_token_affiliation),
jitsi-contrib/prosody-plugins event_sync, XEP-0124 and XEP-0206, and from what a real Prosody 0.12 was seen to answer.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import jwt
from defusedxml.ElementTree import fromstring

from lms_bridge.core.clock import now
from tests.contracts.json_api import Twist, wait_until_given_up

SECRET = "the secret of the bridge, 32 bytes"
EVENTS_TOKEN = "event-sync-token-0123456789"
DOMAIN = "meet.test"
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
OWNERS = ("owner", "moderator", "teacher")

FAULTS: dict[str, tuple[int, str, str, dict[str, str]]] = {
    "empty": (200, "", "text/xml", {}),
    "html": (200, "<html><body><p>Sign in first</body></html>", "text/html", {}),
    "429": (429, "too many requests\n", "text/plain", {"Retry-After": "7"}),
    "500": (502, "bad gateway\n", "text/plain", {}),
    "redirect": (302, "", "text/plain", {"Location": "http://127.0.0.1:9/elsewhere"}),
}


class Refused(Exception):
    """Prosody does not let somebody in."""


@dataclass(eq=False)
class Occupant:
    """Somebody in a room."""

    jid: str
    room: str
    user: dict[str, Any]
    joined_at: int
    moderator: bool


class Jitsi:
    """What the server holds, and what it has told."""

    def __init__(self) -> None:
        self.url = ""
        self.app_id, self.audiences, self.algorithm = "bridge", ["jitsi"], "HS256"
        self.secret = SECRET
        self.keys: dict[str, bytes] = {}
        """Public keys by their names, for RS256."""
        self.allow_empty_token = False
        self.token_affiliation = True
        self.tenant = ""
        self.faults: list[str | Twist] = []
        """One for each of the next requests, "" for one that is answered well."""
        self.asked = 0
        self.told: list[dict[str, Any]] = []
        """What event_sync has sent."""
        self._number = 0
        self.inside: dict[str, Occupant] = {}

    # --- tokens --------------------------------------------------------------------------------------------------

    def verify(self, token: str) -> dict[str, Any]:
        """The claims of a token, in the order in which luajwtjitsi and token/util look at it.

        :raises Refused: it is not good.
        """
        parts = [part for part in token.split(".") if part]
        if len(parts) != 3:
            raise Refused("Invalid token")
        try:
            header = jwt.get_unverified_header(token)
            claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
        except jwt.InvalidTokenError:
            raise Refused("Invalid body") from None
        key: Any = self.secret
        if self.algorithm.startswith("RS"):
            if "kid" not in header:
                raise Refused("'kid' claim is missing")
            key = self.keys.get(header["kid"])
            if key is None:
                raise Refused("could not obtain public key")
        if header.get("typ") != "JWT" or header.get("alg") != self.algorithm:
            raise Refused("Invalid or incorrect alg")
        try:
            jwt.decode(token, key, algorithms=[self.algorithm], options={"verify_exp": False, "verify_aud": False})
        except jwt.InvalidTokenError:
            raise Refused("Invalid signature") from None
        if "exp" in claims and time.time() >= claims["exp"]:
            raise Refused(f"Not acceptable by exp ({time.time() - claims['exp']:.1f} sec since expired)")
        if claims.get("iss") != self.app_id:
            raise Refused("invalid 'iss' claim")
        if claims.get("aud") not in self.audiences:
            raise Refused("invalid 'aud' claim")
        for name in ("room", "sub"):
            if name not in claims:
                raise Refused(f"{name} claim is missing")
        for value in claims.get("context", {}).get("user", {}).values():
            assert isinstance(value, str), "the clients of Jitsi fail on a value that is no string"
        return claims

    def open(self, url: str) -> Occupant:
        """What a browser does with an address: in, or :class:`Refused`."""
        parts = urlsplit(url)
        if not url.startswith(f"{self.url}/"):
            raise Refused("not an address of this server")
        tenant, _, room = unquote(parts.path)[1:].lower().rpartition("/")
        if tenant != self.tenant:
            raise Refused("no such tenant")
        token = parse_qs(parts.query).get("jwt", [""])[0]
        user: dict[str, Any] = {}
        if token or not self.allow_empty_token:
            claims = self.verify(token)
            if claims["room"] not in ("*", room) or claims["sub"] not in ("*", tenant or DOMAIN):
                raise Refused("Room does not match the room from token")
            user = claims.get("context", {}).get("user", {})
        owner = user.get("affiliation") in OWNERS or user.get("moderator") in (True, "true")
        self._number += 1
        jid = f"{self._number}@{DOMAIN}/abc"
        occupant = Occupant(jid, room, user, int(now().timestamp()), owner or not self.token_affiliation)
        self.inside[jid] = occupant
        self.tell("muc-occupant-joined", occupant)
        return occupant

    def leave(self, occupant: Occupant) -> None:
        """Somebody closes the window."""
        del self.inside[occupant.jid]
        self.tell("muc-occupant-left", occupant)

    # --- event_sync ----------------------------------------------------------------------------------------------

    def tell(self, name: str, occupant: Occupant, breakout: str | None = None) -> dict[str, Any]:
        """One event of one person, as event_sync sends it."""
        event = self.head(name, occupant.room, breakout) | {"active_occupants_count": len(self.inside)}
        event["occupant"] = self.occupant(occupant, left=name == "muc-occupant-left")
        self.told.append(event)
        return event

    def head(self, name: str, room: str, breakout: str | None = None) -> dict[str, Any]:
        """What all events have."""
        node = f"[{self.tenant}]{room}" if self.tenant else room
        event: dict[str, Any] = {"event_name": name, "is_breakout": breakout is not None}
        event |= {"room_name": node, "room_jid": f"{node}@conference.{DOMAIN}"}
        return event | ({"breakout_room_id": breakout} if breakout is not None else {})

    def occupant(self, occupant: Occupant, *, left: bool) -> dict[str, Any]:
        """A person in an event."""
        said = {name: occupant.user[name] for name in ("name", "id", "email") if name in occupant.user}
        said |= {"occupant_jid": occupant.jid, "joined_at": occupant.joined_at}
        return said | ({"left_at": int(now().timestamp())} if left else {})


@dataclass
class Session:
    """A BOSH session: where it wants to, and with which token."""

    token: str | None
    ended: bool = False
    number: int = field(default=0)


def handler(jitsi: Jitsi) -> type[BaseHTTPRequestHandler]:
    """The server's way of answering."""
    sessions: dict[str, Session] = {}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self.carry_out("")

        def do_POST(self) -> None:
            self.carry_out(self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode())

        def carry_out(self, body: str) -> None:
            """Answer one request."""
            parts = urlsplit(self.path)
            jitsi.asked += 1
            fault = jitsi.faults.pop(0) if jitsi.faults else ""
            twist = fault if isinstance(fault, Twist) else Twist()
            if isinstance(fault, str) and fault in FAULTS:
                status, content, media, headers = FAULTS[fault]
                self.say(status, content, {"Content-Type": media} | headers)
            elif fault == "slow":
                self.close_connection = True
                wait_until_given_up(self.connection)
            elif parts.path != "/http-bind":
                self.say(404, "<html>not found</html>", {"Content-Type": "text/html"})
            elif not body:
                self.say(200, "<html>It works! Now point your BOSH client to this URL.</html>", {})
            else:
                said = self.bosh(parts.query, body)
                if fault == "lost":
                    self.close_connection = True
                    self.connection.shutdown(2)
                    return
                self.say(200, twist.form(said), {"Content-Type": "text/xml; charset=utf-8"})

        def bosh(self, query: str, body: str) -> str:
            """The answer to one body element."""
            asked = fromstring(body)
            sid = asked.get("sid")
            space = 'xmlns="http://jabber.org/protocol/httpbind"'
            if sid is None:
                if asked.get("to") != DOMAIN:
                    return f'<body {space} type="terminate" condition="improper-addressing"/>'
                sid = f"s{len(sessions)}"
                sessions[sid] = Session(parse_qs(query).get("token", [None])[0])
                features = f'<mechanisms xmlns="{SASL}"><mechanism>ANONYMOUS</mechanism></mechanisms>'
                streams = 'xmlns:stream="http://etherx.jabber.org/streams"'
                return f'<body {space} {streams} sid="{sid}"><stream:features>{features}</stream:features></body>'
            session = sessions.get(sid)
            if session is None:
                return f'<body {space} type="terminate" condition="item-not-found"/>'
            if session.ended or asked.get("type") == "terminate":
                session.ended = True
                return f'<body {space} type="terminate"/>'
            try:
                if session.token is not None:
                    jitsi.verify(session.token)
                elif not jitsi.allow_empty_token:
                    raise Refused("token required")
            except Refused as refused:
                text = f"<not-allowed/><text>{refused}</text>"
                return f'<body {space}><failure xmlns="{SASL}">{text}</failure></body>'
            return f'<body {space}><success xmlns="{SASL}"/></body>'

        def say(self, status: int, body: str, headers: dict[str, str]) -> None:
            """Write one answer."""
            content = body.encode()
            self.send_response(status)
            for name, value in (headers | {"Content-Length": str(len(content))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_request(self, code: object = "-", size: object = "-") -> None:
            pass

    return Handler


class Server(ThreadingHTTPServer):
    """Says nothing of clients that did not wait for their answer."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


@contextmanager
def jitsi_server() -> Iterator[Jitsi]:
    """A running server on loopback."""
    jitsi = Jitsi()
    server = Server(("127.0.0.1", 0), handler(jitsi))
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.001), daemon=True)
    thread.start()
    jitsi.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield jitsi
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def body(event: dict[str, Any]) -> bytes:
    """An event as Lua's JSON writes it."""
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
