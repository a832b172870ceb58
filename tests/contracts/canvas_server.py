"""A loopback server that answers as Canvas's documentation says: courses, people and calendar events kept in memory,
lists in pages with a Link header, and faults on demand.

https://developerdocs.instructure.com/services/canvas (Basics: pagination, throttling, object ids, OAuth2;
Courses, Users, Enrollments, Calendar Events)
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

TOKEN = "7~0123456789abcdef"
MISSING = {"errors": [{"message": "The specified resource does not exist."}]}
UNAUTHORIZED = {
    "status": "unauthorized",
    "errors": [{"message": "user not authorized to perform that action"}],
}
PERMISSIONS = (
    "read_course_list",
    "read_roster",
    "read_sis",
    "manage_calendar",
    "manage_courses_add",
    "manage_students",
)


@dataclass
class Fault:
    """What is answered once instead of the truth. ``after``: what was asked for is done all the same."""

    status: int = 200
    body: str = ""
    content_type: str = "application/json; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    after: bool = False
    drop: bool = False
    seconds: float = 0.0


RATE_LIMIT = Fault(403, "403 Forbidden (Rate Limit Exceeded)\n", "text/html", {"X-Rate-Limit-Remaining": "0.0"})


class Canvas:
    """What the server holds, and what it was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.page = 100
        """So many objects stand on a page at most, whatever is asked for."""
        self.remaining = 700.0
        self.next_page_host = ""
        self.courses: list[dict[str, Any]] = []
        self.users: dict[str, list[dict[str, Any]]] = {}
        self.events: dict[str, dict[str, Any]] = {}
        self.enrolled: list[tuple[str, dict[str, Any]]] = []
        self.denied: set[str] = set()
        """Permissions that the role of the token's user lacks."""
        self.faults: defaultdict[str, list[Fault]] = defaultdict(list)
        """By method and first part of the path: ``POST calendar_events``."""
        self.asked: list[tuple[str, str, dict[str, Any]]] = []
        self._number = 1000
        self._lock = threading.Lock()

    def course(self, number: int, name: str, key: str | None) -> None:
        """A course that is open, and has nobody in it yet."""
        self.courses.append(
            {"id": str(number), "name": name, "course_code": name, "sis_course_id": key, "workflow_state": "available"}
        )
        self.users[str(number)] = []

    def times(self, method: str, begins: str) -> int:
        """How often something was asked."""
        return sum(m == method and path.startswith(begins) for m, path, _ in self.asked)

    def number(self) -> str:
        """A number that nothing has yet."""
        self._number += 1
        return str(self._number)

    def answer(self, method: str, path: str, asked: dict[str, Any]) -> tuple[int, Any]:
        """Status and content of the answer."""
        with self._lock:
            for (verb, form), found in ROUTES.items():
                match = re.fullmatch(form, path)
                if verb == method and match:
                    return found(self, asked, *match.groups())
            return 404, MISSING

    # --- what may be asked ---------------------------------------------------------------------------------------

    def self_(self, asked: dict[str, Any]) -> tuple[int, Any]:
        return 200, {"id": "1", "name": "LMS Bridge"}

    def account(self, asked: dict[str, Any], number: str) -> tuple[int, Any]:
        return 200, {"id": "1", "name": "School", "workflow_state": "active"}

    def permissions(self, asked: dict[str, Any], number: str) -> tuple[int, Any]:
        return 200, {name: name in PERMISSIONS and name not in self.denied for name in asked["permissions[]"]}

    def list_courses(self, asked: dict[str, Any], number: str) -> tuple[int, Any]:
        hidden = {"sis_course_id"} if "read_sis" in self.denied else set()
        return 200, [{k: v for k, v in course.items() if k not in hidden} for course in self.courses]

    def make_course(self, asked: dict[str, Any], number: str) -> tuple[int, Any]:
        self.course(int(self.number()), asked["course"]["name"], asked["course"]["sis_course_id"])
        return 200, self.courses[-1]

    def one_course(self, asked: dict[str, Any], key: str) -> tuple[int, Any]:
        found = [course for course in self.courses if course["sis_course_id"] == bytes.fromhex(key).decode()]
        return (200, found[0]) if found else (404, MISSING)

    def members(self, asked: dict[str, Any], course: str) -> tuple[int, Any]:
        with_enrolments = "enrollments" in asked.get("include[]", ())
        people = self.users.get(course)
        if people is None:
            return 404, MISSING
        return 200, [{k: v for k, v in p.items() if k != "enrollments" or with_enrolments} for p in people]

    def enrol(self, asked: dict[str, Any], course: str) -> tuple[int, Any]:
        self.enrolled.append((course, asked["enrollment"]))
        return 200, {"id": self.number()}

    def one_user(self, asked: dict[str, Any], key: str) -> tuple[int, Any]:
        people = [person for some in self.users.values() for person in some]
        found = [person for person in people if person["sis_user_id"] == bytes.fromhex(key).decode()]
        return (200, found[0]) if found else (404, MISSING)

    def list_events(self, asked: dict[str, Any]) -> tuple[int, Any]:
        since, until = (datetime.fromisoformat(asked[name][0]) for name in ("start_date", "end_date"))
        codes = asked["context_codes[]"][:10]  # of more Canvas looks at the first ten only
        return 200, [
            event
            for event in self.events.values()
            if event["context_code"] in codes and since <= datetime.fromisoformat(event["start_at"]) <= until
        ]

    def make_event(self, asked: dict[str, Any]) -> tuple[int, Any]:
        sent = asked["calendar_event"]
        if sent["context_code"].removeprefix("course_") not in {course["id"] for course in self.courses}:
            return 404, MISSING
        if "manage_calendar" in self.denied:
            return 401, UNAUTHORIZED
        number = self.number()
        self.events[number] = sent | {"id": number, "workflow_state": "active", "hidden": False}
        return 201, self.events[number]

    def change_event(self, asked: dict[str, Any], number: str) -> tuple[int, Any]:
        if number not in self.events:
            return 404, MISSING
        self.events[number] |= asked["calendar_event"]
        return 200, self.events[number]

    def remove_event(self, asked: dict[str, Any], number: str) -> tuple[int, Any]:
        event = self.events.pop(number, None)
        return (200, event | {"workflow_state": "deleted"}) if event else (404, MISSING)


ROUTES: dict[tuple[str, str], Any] = {
    ("GET", "users/self"): Canvas.self_,
    ("GET", r"accounts/(self|\d+)"): Canvas.account,
    ("GET", r"accounts/(self|\d+)/permissions"): Canvas.permissions,
    ("GET", r"accounts/(self|\d+)/courses"): Canvas.list_courses,
    ("POST", r"accounts/(self|\d+)/courses"): Canvas.make_course,
    ("GET", r"courses/hex:sis_course_id:([0-9a-f]+)"): Canvas.one_course,
    ("GET", r"courses/(\d+)/users"): Canvas.members,
    ("POST", r"courses/(\d+)/enrollments"): Canvas.enrol,
    ("GET", r"users/hex:sis_user_id:([0-9a-f]+)"): Canvas.one_user,
    ("GET", "calendar_events"): Canvas.list_events,
    ("POST", "calendar_events"): Canvas.make_event,
    ("PUT", r"calendar_events/(\d+)"): Canvas.change_event,
    ("DELETE", r"calendar_events/(\d+)"): Canvas.remove_event,
}


def handler(canvas: Canvas) -> type[BaseHTTPRequestHandler]:
    """The server's way of answering."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self.carry_out()

        def do_POST(self) -> None:
            self.carry_out()

        def do_PUT(self) -> None:
            self.carry_out()

        def do_DELETE(self) -> None:
            self.carry_out()

        def carry_out(self) -> None:
            """Answer one request."""
            parts = urlsplit(self.path)
            path = unquote(parts.path).removeprefix("/api/v1/")
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked: dict[str, Any] = json.loads(body) if body else parse_qs(parts.query)
            canvas.asked.append((self.command, path, asked))
            waiting = canvas.faults[f"{self.command} {path.split('/')[0]}"]
            fault = waiting.pop(0) if waiting else None
            if fault is None:
                self.truth(path, asked)
                return
            if fault.after:
                canvas.answer(self.command, path, asked)
            time.sleep(fault.seconds)
            if fault.drop:
                self.close_connection = True
                self.connection.shutdown(2)
                return
            self.say(fault.status, fault.body, {"Content-Type": fault.content_type} | fault.headers)

        def truth(self, path: str, asked: dict[str, Any]) -> None:
            """What Canvas would say."""
            headers = {"Content-Type": "application/json", "X-Rate-Limit-Remaining": str(canvas.remaining)}
            if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                headers["WWW-Authenticate"] = 'Bearer realm="canvas-lms"'
                self.say(401, json.dumps({"errors": [{"message": "Invalid access token."}]}), headers)
                return
            status, answer = canvas.answer(self.command, path, asked)
            if isinstance(answer, list):
                size = min(canvas.page, int(asked.get("per_page", ["10"])[0]))
                page = int(asked.get("page", ["1"])[0])
                if len(answer) > page * size:
                    query = urlencode(asked | {"page": page + 1}, doseq=True)
                    host = canvas.next_page_host or canvas.url
                    headers["Link"] = f'<{host}/api/v1/{path}?{query}>; rel="next"'
                answer = answer[(page - 1) * size : page * size]
            self.say(status, json.dumps(answer), headers)

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


@contextmanager
def canvas_server() -> Iterator[Canvas]:
    """A running server on loopback."""
    canvas = Canvas()
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(canvas))
    server.daemon_threads = True
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True)
    thread.start()
    canvas.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield canvas
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def user(number: int, *, role: str = "StudentEnrollment", **more: Any) -> dict[str, Any]:
    """A person of a course as Canvas lists them."""
    return {
        "id": str(number),
        "name": f"小{number} 王",
        "sortable_name": f"王, 小{number}",
        "sis_user_id": f"S{number}",
        "login_id": f"user{number}",
        "email": f"user{number}@example.test",
        "enrollments": [{"type": role, "enrollment_state": "active"}],
    } | more
