"""A loopback server that speaks as Galene does: groups under entity tags, keys, and the client protocol on a WebSocket.

Written from galene-api.md, galene-protocol.md and what Galene 1.2 was seen to answer (token/jwt.go, group/group.go):
a token's permissions are taken word for word, everybody is told who comes and goes, people stay in a group that is
taken away, and nobody comes in who would make two clients of one id.
"""

from __future__ import annotations

import base64
import hashlib
import json
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

import jwt

from tests.contracts.json_api import Twist, wait_until_given_up

ADMIN, SECRET = "bridge", "galene-peer-secret"
MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
LEEWAY = 5
NOT_FOUND = "<!DOCTYPE html><html><h1>Page not found!</h1></html>"

FAULTS: dict[str, tuple[int, str, str, dict[str, str]]] = {
    "empty": (200, "", "application/json", {}),
    "html": (200, "<html><body>Sign in first</body></html>", "text/html", {}),
    "429": (429, "too many requests\n", "text/plain", {"Retry-After": "7"}),
    "500": (500, "internal server error\n", "text/plain", {}),
    "redirect": (302, "", "text/plain", {"Location": "http://127.0.0.1:9/elsewhere"}),
}
"""What is answered instead of the truth; ``slow`` and ``lost`` (done, but the answer does not arrive) besides."""


class Refused(Exception):
    """Galene does not let somebody in."""


@dataclass(eq=False)
class Peer:
    """Somebody in a group: a WebSocket, or (without one) a browser that the test plays."""

    id: str
    name: str = ""
    permissions: list[str] = field(default_factory=list)
    group: str = ""
    socket: Any = None
    kicked: bool = False

    def say(self, **message: Any) -> None:
        """Send one message."""
        if self.socket is not None:
            self.socket.say(json.dumps(message))


class Galene:
    """What the server holds, and what it was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.groups: dict[str, dict[str, Any]] = {}
        self.keys: dict[str, list[dict[str, Any]]] = {}
        self.tags: dict[str, str] = {}
        self.peers: dict[str, dict[str, Peer]] = {}
        self.writable = True
        self.locked: set[str] = set()
        self.faults: list[str | Twist] = []
        """One for each of the next requests, "" for one that is answered well."""
        self.socket_faults: list[str] = []
        """One for each of the next WebSockets, "" for one that is well: a fault of :data:`FAULTS`, ``silent`` (not so
        much as an upgrade), ``mute`` (upgraded, then nothing), ``lost`` (broken off at once), ``gone`` (well, but all
        groups have just been taken away), or text that is said to it."""
        self.asked: list[tuple[str, str]] = []
        self.crossing: list[str] = []
        """Groups that somebody else changes between the next reading and the writing after it."""
        self.mute = False
        """The WebSocket takes everything and says nothing."""
        self.cut_at_kick = False
        """The next time that somebody is to be put out, the connection breaks instead."""
        self.lock = threading.RLock()
        self._number = 0

    # --- administration ------------------------------------------------------------------------------------------

    def administer(self, method: str, path: str, headers: Any, body: bytes) -> tuple[int, str, dict[str, str]]:
        """Status, content and headers of the answer."""
        pair = base64.b64encode(f"{ADMIN}:{SECRET}".encode()).decode()
        if headers.get("Authorization") not in (f"Basic {pair}", f"Bearer {SECRET}"):
            return 401, "Haha!\n", {"Www-Authenticate": 'basic realm="/galene-api/"'}
        with self.lock:
            if path == ".stats":
                rows = [{"name": name, "clients": [{"id": p} for p in peers]} for name, peers in self.peers.items()]
                return 200, json.dumps(rows or None), {}
            if path == ".groups/":
                return 200, json.dumps(sorted(self.groups) or None), {}
            if not path.startswith(".groups/"):
                return 404, NOT_FOUND, {}
            name, _, kind = path.removeprefix(".groups/").partition("/.")
            if kind == "keys":
                return self._keys(method, name, headers, body)
            return self._group(method, name, headers, body)

    def _keys(self, method: str, name: str, headers: Any, body: bytes) -> tuple[int, str, dict[str, str]]:
        if headers.get("Content-Type") != "application/jwk-set+json":
            return 415, "unsupported content type\n", {}
        if name not in self.groups:
            return 404, NOT_FOUND, {}
        self.keys[name] = json.loads(body)["keys"]
        return 204, "", {}

    def _group(self, method: str, name: str, headers: Any, body: bytes) -> tuple[int, str, dict[str, str]]:
        tag = self.tags.get(name, "")
        if method == "GET":
            if name not in self.groups:
                return 404, NOT_FOUND, {}
            answer = json.dumps(self.groups[name])
            if name in self.crossing:
                self.crossing.remove(name)
                self._write(name, self.groups[name] | {"description": "set by somebody else"})
            return 200, answer, {"Etag": tag}
        if headers.get("If-Match") and headers["If-Match"] != tag:
            return 412, "", {}
        if headers.get("If-None-Match") == "*" and tag:
            return 412, "", {}
        if method == "DELETE":
            if name not in self.groups:
                return 404, NOT_FOUND, {}
            del self.groups[name], self.tags[name]
            self.keys.pop(name, None)
            return 204, "", {}
        if headers.get("Content-Type") != "application/json":
            return 415, "unsupported content type\n", {}
        if not self.writable:
            return 401, "not authorised\n", {}
        self._write(name, json.loads(body))
        return (204 if tag else 201), "", {}

    def _write(self, name: str, description: dict[str, Any]) -> None:
        self._number += 1
        self.groups[name] = description
        self.tags[name] = f'"24-{self._number}"'

    # --- people --------------------------------------------------------------------------------------------------

    def admit(self, peer: Peer, group: str, token: str) -> None:
        """Let somebody in and tell everybody.

        :raises Refused: the token is not good, or the group is not open to it.
        """
        with self.lock:
            if group not in self.groups:
                raise Refused("group does not exist")
            peer.name, peer.permissions = self._claims(group, token)
            if "op" not in peer.permissions and group in self.locked:
                raise Refused("this group is locked")
            inside = self.peers.setdefault(group, {})
            if peer.id in inside:
                raise Refused("duplicate client id")
            others = list(inside.values())
            inside[peer.id] = peer
            peer.group = group
            peer.say(type="joined", kind="join", group=group, username=peer.name, permissions=peer.permissions)
            peer.say(**_user("add", peer))
            for other in others:
                peer.say(**_user("add", other))
                other.say(**_user("add", peer))

    def dismiss(self, peer: Peer) -> None:
        """Somebody leaves."""
        with self.lock:
            if self.peers.get(peer.group, {}).pop(peer.id, None) is None:
                return
            for other in list(self.peers[peer.group].values()):
                other.say(**_user("delete", peer))
            if not self.peers[peer.group]:
                del self.peers[peer.group]

    def open(self, url: str, peer_id: str | None = None) -> Peer:
        """What a browser does with an address: in, or :class:`Refused`."""
        parts = urlsplit(url)
        if not url.startswith(f"{self.url}/group/") or not parts.path.endswith("/"):
            raise Refused("not an address of this server")
        self._number += 1
        peer = Peer(peer_id or f"browser{self._number}")
        self.admit(peer, unquote(parts.path)[len("/group/") : -1], parts.query.removeprefix("token="))
        return peer

    def take(self, peer: Peer, message: dict[str, Any]) -> None:
        """One message of a WebSocket."""
        kind = message.get("type")
        if kind == "handshake":
            peer.id = message["id"]
            if not self.mute:
                peer.say(type="handshake", version=["2"])
        elif kind == "join":
            try:
                self.admit(peer, message["group"], message["token"])
            except Refused as refused:
                peer.say(type="joined", kind="fail", group=message["group"], value=str(refused))
        elif kind == "ping" and not self.mute:
            peer.say(type="pong")
        elif kind == "useraction" and message["kind"] == "kick" and "op" in peer.permissions:
            if self.cut_at_kick:
                self.cut_at_kick = False
                peer.socket.end()
                return
            other = self.peers.get(peer.group, {}).get(message["dest"])
            if other is not None:
                other.kicked = True
                other.say(type="usermessage", kind="kicked", value=message.get("value"))
                self.dismiss(other)
                if other.socket is not None:
                    other.socket.end()

    def babble(self, text: str) -> None:
        """Say something to all WebSockets."""
        with self.lock:
            for peer in [p for peers in self.peers.values() for p in peers.values() if p.socket is not None]:
                peer.socket.say(text)

    def cut(self) -> None:
        """Break all WebSockets, as a network does."""
        with self.lock:
            for peer in [p for peers in self.peers.values() for p in peers.values() if p.socket is not None]:
                peer.socket.end()

    def _claims(self, group: str, token: str) -> tuple[str, list[str]]:
        try:
            kid = jwt.get_unverified_header(token).get("kid")
            (key,) = [k for k in self.keys.get(group, []) if k.get("kid") == kid]
            secret = base64.urlsafe_b64decode(key["k"] + "==")
            assert key["kty"] == "oct"
            assert len(secret) == {"HS256": 32, "HS384": 48, "HS512": 64}[key["alg"]]
            claims = jwt.decode(
                token,
                secret,
                algorithms=[key["alg"]],
                leeway=LEEWAY,
                options={"require": ["exp"], "verify_aud": False, "verify_iat": True},
            )
        except (jwt.InvalidTokenError, ValueError):
            raise Refused("not authorised") from None
        audience = claims.get("aud", "")
        if urlsplit(audience).path != f"/group/{group}/":
            raise Refused("not authorised")
        name = claims.get("sub", "")
        if "\\" in name or name.startswith("/") or "//" in name or name.strip(".") != name.strip():
            raise Refused("not authorised")
        return name, list(claims.get("permissions") or [])


def _user(kind: str, peer: Peer) -> dict[str, Any]:
    message: dict[str, Any] = {"type": "user", "kind": kind, "id": peer.id, "username": peer.name}
    return message | ({"permissions": peer.permissions} if kind == "add" and peer.permissions else {})


class Socket:
    """The server's end of a WebSocket (RFC 6455): text in one frame, close, ping."""

    def __init__(self, connection: Any, reader: Any) -> None:
        self._connection, self._reader = connection, reader
        self._lock = threading.Lock()

    def say(self, text: str, opcode: int = 1) -> None:
        """Send one frame."""
        content = text.encode()
        length = bytes([len(content)]) if len(content) < 126 else b"\x7e" + struct.pack(">H", len(content))
        with self._lock, suppress(OSError):
            self._connection.sendall(bytes([0x80 | opcode]) + length + content)

    def end(self) -> None:
        """Break the connection."""
        with suppress(OSError):
            self._connection.shutdown(2)

    def messages(self) -> Iterator[str]:
        """What the client says, until it closes."""
        while head := self._reader.read(2):
            opcode, length = head[0] & 0x0F, head[1] & 0x7F
            assert head[1] & 0x80, "a client must mask"
            if length == 126:
                (length,) = struct.unpack(">H", self._reader.read(2))
            mask = self._reader.read(4)
            content = bytes(b ^ mask[i % 4] for i, b in enumerate(self._reader.read(length)))
            if opcode == 8:
                self.say("", 8)
                return
            if opcode == 1:
                yield content.decode()


def handler(galene: Galene) -> type[BaseHTTPRequestHandler]:
    """The server's way of answering."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self.carry_out()

        def do_PUT(self) -> None:
            self.carry_out()

        def do_DELETE(self) -> None:
            self.carry_out()

        def carry_out(self) -> None:
            """Answer one request."""
            path = unquote(urlsplit(self.path).path)
            if path == "/ws" and self.headers.get("Upgrade", "").lower() == "websocket":
                self.websocket()
                return
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            galene.asked.append((self.command, path))
            fault = galene.faults.pop(0) if galene.faults else ""
            twist = fault if isinstance(fault, Twist) else Twist()
            if isinstance(fault, str) and fault in FAULTS:
                status, content, media, headers = FAULTS[fault]
                self.say(status, content, {"Content-Type": media} | headers)
                return
            if fault == "slow":
                self.close_connection = True
                wait_until_given_up(self.connection)
                return
            twist.before()
            if not path.startswith("/galene-api/v0/"):
                answer = (404, NOT_FOUND, {})
            else:
                answer = galene.administer(self.command, path.removeprefix("/galene-api/v0/"), self.headers, body)
            if fault == "lost":
                self.close_connection = True
                self.connection.shutdown(2)
                return
            status, content, headers = answer
            self.say(status, twist.form(content) if content else content, headers)

        def websocket(self) -> None:
            """A client of a group."""
            self.close_connection = True
            fault = galene.socket_faults.pop(0) if galene.socket_faults else ""
            if fault in FAULTS:
                status, content, media, headers = FAULTS[fault]
                self.say(status, content, {"Content-Type": media} | headers)
                return
            if fault == "silent":
                wait_until_given_up(self.connection)
                return
            if fault == "gone":
                fault = ""
                galene.groups.clear()
                galene.tags.clear()
            key = self.headers["Sec-WebSocket-Key"]
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            accept = hashlib.sha1((key + MAGIC).encode()).digest()
            self.send_header("Sec-WebSocket-Accept", base64.b64encode(accept).decode())
            self.end_headers()
            peer = Peer("", socket=Socket(self.connection, self.rfile))
            if fault:
                if fault not in ("mute", "lost"):
                    peer.socket.say(fault)
                for _ in peer.socket.messages() if fault != "lost" else ():
                    pass
                return
            try:
                for text in peer.socket.messages():
                    galene.take(peer, json.loads(text))
            except OSError:
                pass
            finally:
                galene.dismiss(peer)

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
def galene_server() -> Iterator[Galene]:
    """A running server on loopback."""
    galene = Galene()
    server = Server(("127.0.0.1", 0), handler(galene))
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.001), daemon=True)
    thread.start()
    galene.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield galene
    finally:
        galene.cut()
        server.shutdown()
        server.server_close()
        thread.join()
