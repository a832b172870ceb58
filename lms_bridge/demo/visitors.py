"""Goes to lessons as students and teachers do: over HTTP, through the door, into the room's page, with its beats."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

import requests
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from lms_bridge.core.errors import ConfigurationError
from lms_bridge.core.i18n import N_
from lms_bridge.core.ids import new_uid

_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
TIMEOUT = 30


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: the walk has its own words."""


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """``app`` on a free port of this machine; its address without a slash at the end."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Visitor:
    """One person with a browser of their own. ``door`` is the path of a personal or common link."""

    address: str
    door: str
    lesson_uid: str

    def __post_init__(self) -> None:
        self.browser = requests.Session()
        self.browser.trust_env = False
        self.session = new_uid()
        self.beats = 0

    def sign_in(self, token: str) -> None:
        """By a sign-in link: open it and press its button."""
        self._press(f"/sign-in/link/{token}")

    def enter(self) -> None:
        """Open the link, press the button, and come into the room.

        :raises ConfigurationError: the door did not lead there; says where it led.
        """
        answer = self._press(self.door)
        if not answer.url.startswith(f"{self.address}/room/"):
            raise ConfigurationError(N_("The door did not open: %(where)s."), where=answer.url)

    def beat(self, ago: list[float], kind: str = "seen") -> None:
        """Signs of life as the room's page sends them; ``ago``: how many seconds old each is."""
        beats = [{"n": self.beats + n, "kind": kind, "ago": seconds} for n, seconds in enumerate(ago)]
        self.beats += len(beats)
        answer = self.browser.post(
            f"{self.address}/room/{self.lesson_uid}/beat",
            json={"session": self.session, "beats": beats},
            timeout=TIMEOUT,
        )
        answer.raise_for_status()

    def ask(self, text: str) -> None:
        """A question on the room's board."""
        page = self.browser.get(f"{self.address}/room/{self.lesson_uid}", timeout=TIMEOUT)
        answer = self.browser.post(
            f"{self.address}/room/{self.lesson_uid}/questions",
            data={"csrf_token": _token(page), "client_key": new_uid(), "text": text},
            timeout=TIMEOUT,
        )
        answer.raise_for_status()

    def _press(self, path: str) -> requests.Response:
        page = self.browser.get(self.address + path, timeout=TIMEOUT)
        if page.status_code != HTTPStatus.OK:
            raise ConfigurationError(N_("The door did not open: %(where)s."), where=f"{path} {page.status_code}")
        answer = self.browser.post(
            self.address + path, data={"csrf_token": _token(page)}, allow_redirects=False, timeout=TIMEOUT
        )
        while answer.is_redirect:
            # Links are written with the public address, at which nobody serves yet.
            parts = urlsplit(answer.headers["Location"])
            answer = self.browser.get(self.address + parts.path, allow_redirects=False, timeout=TIMEOUT)
        return answer


def _token(page: requests.Response) -> str:
    found = _TOKEN.search(page.text)
    if found is None:
        raise ConfigurationError(N_("The door did not open: %(where)s."), where=page.url)
    return found[1]
