"""The Hall of ``docs/plugins.md``: a small video system on loopback, and its provider installed as a package."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

ROOT = Path(__file__).parents[2]
SECRET = "the secret of the Hall"


def sign(data: bytes) -> str:
    """The Hall's signature."""
    return hmac.new(SECRET.encode(), data, hashlib.sha256).hexdigest()


class Hall:
    """The state of one Hall. ``down`` closes its ears, ``fault`` is the status that it answers with instead;
    with 429 it wants to be left alone for ``busy_seconds``."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.host = host
        self.rooms: dict[str, dict[str, Any]] = {}
        self.made: list[str] = []
        self.entered: list[tuple[str, str, str]] = []
        self.referers: list[str] = []
        self.calls = 0
        self.fault = 0
        self.busy_seconds = 7
        self.lock = threading.Lock()
        self.port = 0
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://{self.host}:{self.port}"

    def settings(self, **more: Any) -> dict[str, Any]:
        """Settings of an account here."""
        return {"url": self.url, "secret": SECRET} | more

    def start(self) -> None:
        """Listen; at the same address again after :meth:`stop`."""
        hall = self

        class Handler(_Handler):
            place = hall

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        """Nobody listens any more: connections are refused."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def saw(self, key: str, who: str, kind: str, at: datetime, name: str = "") -> dict[str, Any]:
        """Something happened in a room, as the Hall tells it."""
        room = self.rooms[key]
        event = {
            "id": f"{room['id']}-{len(room['events'])}",
            "room": room["id"],
            "who": who or None,
            "name": name or None,
            "kind": kind,
            "at": at.isoformat(),
        }
        room["events"].append(event)
        return event


class _Handler(BaseHTTPRequestHandler):
    place: Hall
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: Any) -> None:
        """Silent."""

    def _answer(self, status: int, data: Any, media_type: str = "application/json") -> None:
        body = data.encode() if isinstance(data, str) else json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        if status == 429:
            self.send_header("Retry-After", str(self.place.busy_seconds))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def _called(self) -> bytes | None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with self.place.lock:
            self.place.calls += 1
        if self.place.fault:
            self._answer(self.place.fault, {})
            return None
        if not hmac.compare_digest(self.headers.get("X-Hall-Signature", ""), sign(body)):
            self._answer(401, {})
            return None
        return body

    def do_PUT(self) -> None:
        """Make a room, or find it."""
        body = self._called()
        if body is None:
            return
        key = self.path.rpartition("/")[2]
        with self.place.lock:
            if key not in self.place.rooms:
                self.place.made.append(key)
                number = len(self.place.made)
                self.place.rooms[key] = {"key": key, "id": f"r{number}-{key}", "events": []} | json.loads(body)
            self._answer(200, self.place.rooms[key])

    def do_DELETE(self) -> None:
        """End a room; also one that is gone."""
        if self._called() is None:
            return
        with self.place.lock:
            self.place.rooms.pop(self.path.rpartition("/")[2], None)
        self._answer(200, {})

    def do_GET(self) -> None:
        """All rooms; or a person comes in."""
        parts = urlsplit(self.path)
        if not parts.path.startswith("/enter/"):
            if self._called() is not None:
                with self.place.lock:
                    self._answer(200, list(self.place.rooms.values()))
            return
        room = parts.path.rpartition("/")[2]
        given = {name: values[0] for name, values in parse_qs(parts.query).items()}
        proof = given.pop("sign", "")
        there = any(one["id"] == room for one in self.place.rooms.values())
        if not there or not hmac.compare_digest(proof, sign((room + urlencode(given)).encode())):
            self._answer(403, "<h1>No entry</h1>", "text/html")
            return
        with self.place.lock:
            self.place.entered.append((room, given["who"], given["role"]))
            self.place.referers.append(self.headers.get("Referer", ""))
        self._answer(200, f"<title>Hall</title><h1 id='in'>{room}</h1><p>{given['name']}</p>", "text/html")


@contextmanager
def running(host: str = "127.0.0.1") -> Iterator[Hall]:
    """A Hall that listens, called by one of the names of this machine."""
    hall = Hall(host)
    hall.start()
    try:
        yield hall
    finally:
        hall.stop()


def install(folder: Path) -> None:
    """The example of the documentation as an installed distribution in ``folder``, in the form that pip leaves."""
    page = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
    metadata = folder / "hall_rooms-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: hall-rooms\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[lms_bridge.meeting_providers]\nhall = hall:HallProvider\n")
    (folder / "hall.py").write_text(page.split("```python\n")[1].split("```")[0], encoding="utf-8")
