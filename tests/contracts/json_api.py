"""A real HTTP server on loopback for providers that speak JSON: what it answers is its subclass's affair; how it
misbehaves when a test wants it to is here."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

GIVEN_UP = 30.0
"""Nobody waits for so many seconds."""
PAGE = "<html><body>Please sign in to the network</body></html>"


@dataclass(frozen=True)
class Asked:
    """One request. ``path`` is as it was sent, not decoded; names of headers are in lower case."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    target: str

    @property
    def json(self) -> Any:
        """The body as JSON; {} for none."""
        return json.loads(self.body) if self.body else {}


@dataclass(frozen=True)
class Answer:
    """What is answered: ``content`` is JSON unless it is text."""

    status: int = 200
    content: Any = None
    headers: dict[str, str] = field(default_factory=dict)


NEVER = Answer(0)
"""No answer, as long as the other side waits."""


@dataclass(frozen=True)
class Twist:
    """A true answer but for this: ``before`` happens first, and ``form`` makes something else of its text."""

    before: Callable[[], None] = lambda: None
    form: Callable[[str], str] = lambda said: said


@dataclass
class Fault:
    """What is answered instead, ``times`` times, to requests of ``method`` (any if empty) whose path begins so and has
    ``about`` in it, when ``after`` others of them were answered well."""

    kind: str
    path: str = ""
    method: str = ""
    times: int = 1
    after: int = 0
    about: str = ""
    twist: Twist | None = None
    retry_after: str | None = "7"


class JsonApi:
    """The server's state. Subclasses say what is true in :meth:`answer`."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[Asked] = []
        self.faults: list[Fault] = []
        self.lock = threading.Lock()

    def answer(self, asked: Asked) -> Answer:
        """What the original would answer; called by one thread at a time."""
        raise NotImplementedError

    def fault(self, kind: str, path: str = "", **more: Any) -> None:
        """Misbehave the next time: ``slow`` (says nothing until the other side gives up), ``empty``, ``html``, ``429``,
        ``500``, ``redirect``, ``lost`` (does what was asked, and the answer never comes)."""
        self.faults.append(Fault(kind, path, **more))

    def times(self, method: str, path: str) -> int:
        """How often something was asked."""
        return sum(one.method == method and one.path.startswith(path) for one in self.asked)

    def _fault_for(self, asked: Asked) -> Fault | None:
        for fault in self.faults:
            meant = asked.path.startswith(fault.path) and fault.about in unquote(unquote(asked.path))
            if meant and fault.method in ("", asked.method) and fault.times > 0:
                if fault.kind == "empty" and self.says_nothing(asked):
                    continue
                if fault.after > 0:
                    fault.after -= 1
                    continue
                fault.times -= 1
                return fault
        return None

    def says_nothing(self, asked: Asked) -> bool:
        """Whether an empty answer with status 200 is the true one."""
        return False

    def respond(self, asked: Asked) -> Answer | None:
        """The answer, true or not; None: the connection breaks."""
        with self.lock:
            self.asked.append(asked)
            fault = self._fault_for(asked)
            if fault is not None and fault.twist is not None:
                fault.twist.before()
                answer = self.answer(asked)
                return replace(answer, content=fault.twist.form(text(answer.content)))
            answer = self.answer(asked) if fault is None or fault.kind == "lost" else Answer()
        if fault is None:
            return answer
        if fault.kind == "lost":
            return None
        if fault.kind == "slow":
            return NEVER
        if fault.kind == "429":
            return Answer(429, {}, {} if fault.retry_after is None else {"Retry-After": fault.retry_after})
        return {
            "empty": Answer(200, ""),
            "html": Answer(200, PAGE, {"Content-Type": "text/html"}),
            "500": Answer(500, PAGE, {"Content-Type": "text/html"}),
            "redirect": Answer(302, "", {"Location": "http://elsewhere.example/"}),
        }[fault.kind]


def text(content: Any) -> str:
    """The content of an answer as it is sent."""
    if content is None or isinstance(content, str):
        return content or ""
    return json.dumps(content)


def wait_until_given_up(connection: socket.socket) -> None:
    """Return when the other side has closed its end."""
    connection.settimeout(GIVEN_UP)
    with suppress(OSError):
        connection.recv(1)


def _handler(api: JsonApi) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def carry_out(self) -> None:
            """Answer one request."""
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            query = dict(parse_qsl(parts.query, keep_blank_values=True))
            answer = api.respond(Asked(self.command, parts.path, query, headers, body, self.path))
            if answer is NEVER:
                wait_until_given_up(self.connection)
                answer = None
            if answer is None:
                self.close_connection = True
                with suppress(OSError):  # the other side was first
                    self.connection.shutdown(2)
                return
            sent = text(answer.content).encode()
            self.send_response(answer.status)
            for name, value in ({"Content-Type": "application/json"} | answer.headers).items():
                self.send_header(name, value)
            if answer.status != 204:
                self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            if answer.status != 204:
                self.wfile.write(sent)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = carry_out  # noqa: N815

        def log_request(self, code: object = "-", size: object = "-") -> None:
            pass

        def handle(self) -> None:
            with suppress(OSError):  # the client gave up, as a slow answer makes it
                super().handle()

    return Handler


Api = TypeVar("Api", bound=JsonApi)


@contextmanager
def running(api: Api, *, ends_within: float = 0.02) -> Iterator[Api]:
    """``api`` on a free port of loopback. So many seconds may its end take; the fewer, the more often it looks."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(api))
    server.daemon_threads = True
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=ends_within), daemon=True)
    thread.start()
    api.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
