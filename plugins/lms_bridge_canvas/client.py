"""Speaks Canvas's REST API: JSON over a connection that is kept, lists page by page along the Link header.

https://canvas.instructure.com/doc/api/ (Basics: pagination, throttling, SIS IDs, OAuth2)
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from lms_bridge.core.plugins import N_, AccessRefused, NotThere, PluginError, TemporaryFailure, unreachable
from lms_bridge_canvas.settings import CanvasSettings

PER_PAGE = 100
"""The most that Canvas gives on one page."""

MAX_PAGES = 10_000
MAX_ANSWER = 16 * 1024 * 1024
CONNECT_SECONDS = 10.0
CHUNK = 64 * 1024

LOW_WATER = 100.0
"""Canvas refuses once ``X-Rate-Limit-Remaining`` is used up (700 at first, refilled all the time); below this we slow
down by :data:`PAUSE` seconds a call, so that it does not come to that."""

PAUSE = 1.0
RATE_PAUSE = timedelta(seconds=30)
MAX_PAUSE = timedelta(hours=1)


class NotAllowed(PluginError):
    """The token may not do this; it is the administrator of Canvas who can allow it."""

    code = "not_allowed"


class CanvasClient:
    """One connection to one Canvas. Not for several threads. ``pause`` waits so many seconds."""

    def __init__(self, settings: CanvasSettings, pause: Callable[[float], None] = time.sleep) -> None:
        self._url = settings.url.rstrip("/")
        self._seconds, self._pause = settings.timeout, pause
        self._low = False
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy or netrc of the environment must not see the token
        self._session.verify = str(settings.ca_file) if settings.ca_file else True
        self._session.headers["Authorization"] = f"Bearer {settings.token.get_secret_value()}"
        # Numbers as text: ids of Canvas are longer than JavaScript's numbers.
        self._session.headers["Accept"] = "application/json+canvas-string-ids"
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(pool_connections=1, pool_maxsize=1, max_retries=0))

    def close(self) -> None:
        """Give the connection back."""
        self._session.close()

    def read(self, path: str, parameters: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """One object; asked for again once when the kept connection broke.

        :raises TemporaryFailure: no answer now.
        :raises AccessRefused: the token is not let in.
        :raises NotThere: there is none.
        :raises PluginError: refused for good.
        """
        return _object(self._reading(f"{self._url}/api/v1/{path}", parameters)[0])

    def pages(self, path: str, parameters: Mapping[str, Any] | None = None) -> Iterator[dict[str, Any]]:
        """The objects of a list, page by page to its end.

        :raises PluginError: as :meth:`read`; also when a next page is named that lies elsewhere or comes again.
        """
        address: str | None = f"{self._url}/api/v1/{path}"
        asked: Mapping[str, Any] | None = dict(parameters or {}, per_page=PER_PAGE)
        seen: set[str] = set()
        while address is not None:
            answer, response = self._reading(address, asked)
            yield from _objects(answer)
            # The address of the next page is Canvas's own affair, and is not put together here.
            address, asked = response.links.get("next", {}).get("url"), None
            if address is None:
                return
            if urlsplit(address)[:2] != urlsplit(self._url)[:2]:
                raise PluginError(
                    N_("Canvas names another server for the next page: %(host)s."),
                    remedy=N_("Set the address of Canvas to the one that it calls itself by."),
                    host=urlsplit(address).netloc[:100],
                )
            if address in seen or len(seen) >= MAX_PAGES:
                raise PluginError(N_("Canvas gives the same page again and again."))
            seen.add(address)

    def write(self, method: str, path: str, parameters: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The answer to a call that changes something. Whoever gets a :class:`TemporaryFailure` does not know whether
        it was done.

        :raises TemporaryFailure: no answer.
        :raises AccessRefused, NotThere, PluginError: as :meth:`read`.
        """
        try:
            return _object(self._call(method, f"{self._url}/api/v1/{path}", json=parameters)[0])
        except _Broken as error:
            raise error.failure from None

    def _reading(self, address: str, parameters: Mapping[str, Any] | None) -> tuple[Any, requests.Response]:
        try:
            return self._call("GET", address, params=parameters)
        except _Broken:
            pass
        try:
            return self._call("GET", address, params=parameters)
        except _Broken as error:
            raise error.failure from None

    def _call(self, method: str, address: str, **content: Any) -> tuple[Any, requests.Response]:
        if self._low:
            self._pause(PAUSE)
        end = time.monotonic() + self._seconds
        try:
            with self._session.request(
                method,
                address,
                timeout=(min(CONNECT_SECONDS, self._seconds), self._seconds),
                allow_redirects=False,
                stream=True,
                **content,
            ) as response:
                body = _content(response, end)
        except (requests.Timeout, _TooSlow) as error:
            raise unreachable("Canvas", error, seconds=self._seconds, late=True) from None
        except requests.exceptions.SSLError as error:
            raise unreachable("Canvas", error, seconds=self._seconds) from None
        except requests.RequestException as error:
            raise _Broken(unreachable("Canvas", error, seconds=self._seconds)) from None
        except OSError as error:  # requests says so of a certificate file that is not there
            raise PluginError(
                N_("The certificate authority's file cannot be read: %(reason)s"),
                remedy=N_("Correct LMS_BRIDGE_CANVAS_CA_FILE."),
                reason=str(error)[:200],
            ) from None
        self._low = _remaining(response) < LOW_WATER
        return _understood(response, body), response


class _Broken(Exception):
    """The connection broke before the answer was whole; ``failure`` says how."""

    def __init__(self, failure: TemporaryFailure) -> None:
        super().__init__(failure)
        self.failure = failure


class _TooSlow(Exception):
    """The answer drips in for longer than it may."""


def _content(response: requests.Response, end: float) -> bytes:
    parts, size = [], 0
    for part in response.iter_content(CHUNK):
        size += len(part)
        if size > MAX_ANSWER:
            raise PluginError(N_("Canvas's answer is larger than %(size)s MB."), size=MAX_ANSWER // 1024**2)
        if time.monotonic() > end:
            raise _TooSlow
        parts.append(part)
    return b"".join(parts)


def _remaining(response: requests.Response) -> float:
    try:
        return float(response.headers["X-Rate-Limit-Remaining"])
    except (KeyError, ValueError):
        return LOW_WATER


def _understood(response: requests.Response, body: bytes) -> Any:
    """The JSON of an answer, or the error that it stands for."""
    status = response.status_code
    try:
        answer = json.loads(body) if body else None
    except ValueError:
        answer = ...
    if 200 <= status < 300:
        if answer is ...:
            raise TemporaryFailure(
                N_("Canvas answered with a web page instead of data."),
                remedy=N_("Look at the address of Canvas, and at what stands between (proxy, firewall, sign-in page)."),
            )
        return answer
    if 300 <= status < 400:
        # A followed request could take the token where nobody said it should go.
        target = urlsplit(response.headers.get("Location", ""))
        raise PluginError(
            N_("Canvas sends LMS Bridge on to %(address)s."),
            remedy=N_("Set the address of Canvas to the one that it calls itself by."),
            address=f"{target.scheme}://{target.netloc}"[:200],
        )
    said = _message(answer)
    if status == 429 or (status == 403 and b"rate limit exceeded" in body[:200].lower()):
        busy = TemporaryFailure(N_("Canvas has had too many questions from this token for now."))
        busy.retry_after = _pause(response.headers.get("Retry-After")) or RATE_PAUSE
        raise busy
    if status == 401 and "WWW-Authenticate" in response.headers:
        raise AccessRefused(
            N_("Canvas does not let LMS Bridge in: %(text)s"),
            remedy=N_("Make a new access token for the service user (docs/canvas.md)."),
            text=said,
        )
    if status in (401, 403):
        # Canvas says so itself: a 401 without WWW-Authenticate is about this one thing, not about the token.
        raise NotAllowed(
            N_("Canvas does not allow it: %(text)s"),
            remedy=N_('"lms-bridge sync check" lists what the role of the service user lacks.'),
            text=said,
        )
    if status == 404 and answer is not ...:
        raise NotThere(N_("Canvas knows it no more: %(text)s"), text=said)
    if status >= 500:
        down = TemporaryFailure(N_("Canvas answered with HTTP status %(status)s."), status=status)
        down.retry_after = _pause(response.headers.get("Retry-After"))
        raise down
    raise PluginError(N_("Canvas refused: %(text)s (HTTP %(status)s)"), text=said, status=status)


def _message(answer: Any) -> str:
    """What Canvas says in one of its forms: ``{"errors": [{"message": ...}]}``, or by field."""
    errors = answer.get("errors", answer.get("message")) if isinstance(answer, dict) else None
    if isinstance(errors, dict):
        errors = [one for some in errors.values() for one in (some if isinstance(some, list) else [some])]
    texts = [
        str(one.get("message", "")) if isinstance(one, dict) else str(one)
        for one in (errors if isinstance(errors, list) else [errors])
        if one
    ]
    return "; ".join(texts)[:300] or "-"


def _pause(header: str | None) -> timedelta | None:
    return min(timedelta(seconds=int(header)), MAX_PAUSE) if header and header.isdigit() else None


def _object(answer: Any) -> dict[str, Any]:
    if isinstance(answer, dict):
        return answer
    raise PluginError(N_("Canvas's answer has another form than its documentation says."))


def _objects(answer: Any) -> list[dict[str, Any]]:
    if isinstance(answer, list) and all(isinstance(row, dict) for row in answer):
        return answer
    raise PluginError(N_("Canvas's answer has another form than its documentation says."))
