"""Speaks Moodle's REST protocol: one function a call, over a connection that is kept."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import quote_plus, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import default_headers

from lms_bridge.core.plugins import N_, AccessRefused, PluginError, TemporaryFailure, unreachable
from lms_bridge_moodle.answers import error_of, of_text
from lms_bridge_moodle.settings import MoodleSettings

MAX_VARIABLES = 900
"""PHP drops silently what is over ``max_input_vars``, of which 1000 is the default (the token must fit in too)."""

MAX_ANSWER = 64 * 1024 * 1024
CONNECT_SECONDS = 10.0
CHUNK = 64 * 1024
MAX_PAUSE = timedelta(hours=1)


class NoAnswer(TemporaryFailure):
    """Nothing came back: whether Moodle did what it was asked for is not known."""


class MoodleClient:
    """One connection to one Moodle. Not for several threads."""

    def __init__(self, settings: MoodleSettings) -> None:
        self._token = settings.token.get_secret_value()
        self._url = settings.url.rstrip("/")
        self._seconds = settings.timeout
        self._verify = str(settings.ca_file) if settings.ca_file else True
        # No session: every call is the same request with another body, and a proxy, a netrc of the environment or a
        # redirect must not see the token.
        self._adapter = HTTPAdapter(pool_connections=1, pool_maxsize=1, max_retries=0)
        headers = {**default_headers(), "Content-Type": "application/x-www-form-urlencoded"}
        self._request = requests.Request("POST", f"{self._url}/webservice/rest/server.php", headers).prepare()
        self.calls = 0

    def close(self) -> None:
        """Give the connection back."""
        self._adapter.close()

    def read(self, function: str, **parameters: Any) -> Any:
        """The answer of a function that changes nothing; asked again once when the kept connection broke.

        :raises TemporaryFailure: no answer now.
        :raises AccessRefused: the token is not let in.
        :raises PluginError: refused for good.
        """
        try:
            return self._call(function, parameters)
        except _Broken:
            return self.write(function, **parameters)

    def write(self, function: str, **parameters: Any) -> Any:
        """The answer of a function that changes something. Whoever gets a :class:`TemporaryFailure` does not know
        whether it was done.

        :raises TemporaryFailure: no answer.
        :raises AccessRefused: the token is not let in.
        :raises PluginError: refused for good.
        """
        try:
            return self._call(function, parameters)
        except _Broken as error:
            raise error.failure from None

    def _call(self, function: str, parameters: Mapping[str, Any]) -> Any:
        # The token comes first: what PHP cuts off is at the end.
        body = [("wstoken", self._token), ("wsfunction", function), ("moodlewsrestformat", "json")]
        body += flat(parameters)
        if len(body) > MAX_VARIABLES:
            raise ValueError(f"{function}: {len(body)} variables in one call, Moodle may drop those over 1000")
        self.calls += 1
        end = time.monotonic() + self._seconds
        try:
            with self._answer(_form(body)) as response:
                return self._understood(function, response, _content(response, end))
        except (requests.Timeout, _TooSlow) as error:
            raise unreachable("Moodle", error, seconds=self._seconds, late=True, kind=NoAnswer) from None
        except requests.exceptions.SSLError as error:
            raise unreachable("Moodle", error, seconds=self._seconds) from None
        except requests.RequestException as error:
            raise _Broken(unreachable("Moodle", error, seconds=self._seconds, kind=NoAnswer)) from None
        except OSError as error:  # requests says so of a certificate file that is not there
            raise PluginError(
                N_("The certificate authority's file cannot be read: %(reason)s"),
                remedy=N_("Correct LMS_BRIDGE_MOODLE_CA_FILE."),
                reason=str(error)[:200],
            ) from None

    def _answer(self, form: str) -> requests.Response:
        request = self._request.copy()
        request.prepare_body(form.encode("ascii"), None)
        timeout = (min(CONNECT_SECONDS, self._seconds), self._seconds)
        return self._adapter.send(request, stream=True, timeout=timeout, verify=self._verify)

    def _understood(self, function: str, response: requests.Response, content: bytes) -> Any:
        status = response.status_code
        if status in (301, 302, 303, 307, 308):
            # A followed POST would lose its body, and the token would go where nobody said it should.
            target = urlsplit(response.headers.get("Location", ""))
            raise PluginError(
                N_("Moodle sends LMS Bridge on to %(address)s."),
                remedy=N_("Set the address of Moodle to the one that its site administration shows (wwwroot)."),
                address=f"{target.scheme}://{target.netloc}{target.path}"[:200],
            )
        text = content.decode("utf-8", "replace").lstrip("\ufeff \r\n\t")
        if status == 403 and not text.startswith("{"):
            raise AccessRefused(
                N_("Moodle's web services are switched off, or something before Moodle refuses LMS Bridge."),
                remedy=N_("Switch on web services and the REST protocol in Moodle's site administration."),
            )
        if status == 404:
            raise PluginError(
                N_("There is no Moodle at %(address)s."), remedy=N_("Correct the address of Moodle."), address=self._url
            )
        if status >= 400 and not text.startswith("{"):
            failure = of_text(function, status, text[:4000])
            if isinstance(failure, TemporaryFailure):
                failure.retry_after = _pause(response.headers.get("Retry-After"))
            raise failure
        try:
            answer = json.loads(text) if text else None
        except ValueError:
            raise of_text(function, status, text[:4000]) from None
        if isinstance(answer, dict) and ("exception" in answer or "errorcode" in answer):
            raise error_of(function, answer)
        return answer


class _Broken(Exception):
    """The connection broke before the answer was whole; ``failure`` says how."""

    def __init__(self, failure: TemporaryFailure) -> None:
        super().__init__(failure)
        self.failure = failure


class _TooSlow(Exception):
    """The answer drips in for longer than it may."""


def _form(pairs: Iterable[tuple[str, str]]) -> str:
    """The body of a form. The names are our own, so that only their brackets need a sign in place of them, and many
    values are numbers; a library that looks at every character takes twice as long for fifty events."""
    return "&".join(
        [
            f"{name.replace('[', '%5B').replace(']', '%5D')}"
            f"={value if value.isascii() and value.isalnum() else quote_plus(value)}"
            for name, value in pairs
        ]
    )


def _content(response: requests.Response, end: float) -> bytes:
    parts, size = [], 0
    for part in response.iter_content(CHUNK):
        size += len(part)
        if size > MAX_ANSWER:
            raise PluginError(N_("Moodle's answer is larger than %(size)s MB."), size=MAX_ANSWER // 1024**2)
        if time.monotonic() > end:
            raise _TooSlow
        parts.append(part)
    return b"".join(parts)


def _pause(header: str | None) -> timedelta | None:
    return min(timedelta(seconds=int(header)), MAX_PAUSE) if header and header.isdigit() else None


def flat(value: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """``{"a": [{"b": 1}]}`` as PHP wants it: ``a[0][b]=1``. None is left out."""
    if isinstance(value, str):
        yield prefix, value
    elif isinstance(value, bool):
        yield prefix, str(int(value))
    elif isinstance(value, int):
        yield prefix, str(value)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            name = f"{prefix}[{key}]" if prefix else str(key)
            if isinstance(inner, str):  # most are, and need no round of their own
                yield name, inner
            else:
                yield from flat(inner, name)
    elif isinstance(value, Sequence):
        for number, inner in enumerate(value):
            yield from flat(inner, f"{prefix}[{number}]")
    elif value is not None:
        yield prefix, str(value)


def chunks(values: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """``values`` in lists of at most ``size``."""
    chunk: list[Any] = []
    for value in values:
        chunk.append(value)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def rows(answer: Any, key: str | None = None) -> list[dict[str, Any]]:
    """The list of objects in an answer (under ``key``); null is an empty one.

    :raises PluginError: it is something else.
    """
    found = answer.get(key) if key is not None and isinstance(answer, dict) else answer
    if found is None:
        return []
    if isinstance(found, list) and all(isinstance(row, dict) for row in found):
        return found
    raise PluginError(N_("Moodle's answer has another form than Moodle 4.5 gives it."))
