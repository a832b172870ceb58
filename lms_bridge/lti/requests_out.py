"""Requests to platforms: always with time limits, a bounded answer and no redirects; refusals in our own words."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests

from lms_bridge.core.i18n import N_
from lms_bridge.lti.errors import PlatformRefused, PlatformSilent

CONNECT_SECONDS = 3.0
READ_SECONDS = 10.0
IN_A_PAGE_SECONDS = 4.0
"""Where the protocol makes a person wait for the platform (its keys, a registration), this is how long at most."""
MAX_BYTES = 4 * 1024 * 1024
AGENT = "LMS-Bridge-LTI"


@dataclass(frozen=True)
class Answer:
    """An answer with success: its JSON and its headers, whose names are in lower case."""

    body: Any
    headers: Mapping[str, str]


class BoundedSession(requests.Session):
    """A session whose every request is bounded in time and size, and goes where it was sent: a redirect could hand
    our assertion to somebody else."""

    def __init__(self, seconds: float = READ_SECONDS) -> None:
        super().__init__()
        self.headers["User-Agent"] = AGENT
        self.trust_env = False
        self._seconds = seconds

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kw: Any) -> requests.Response:
        """As requests does it, with the limits. The whole body is read here, under the same deadline.

        :raises PlatformSilent: no connection, no answer in time, too much of an answer, or a redirect.
        """
        kw.setdefault("timeout", (min(CONNECT_SECONDS, self._seconds), self._seconds))
        kw["allow_redirects"], kw["stream"] = False, True
        address = url.decode() if isinstance(url, bytes) else url
        try:
            host = urlsplit(address).netloc
        except ValueError:
            host = address[:100]
        deadline = time.monotonic() + self._seconds + CONNECT_SECONDS
        try:
            answer = super().request(method, url, *args, **kw)
            content = b""
            for part in answer.iter_content(64 * 1024):
                content += part
                if len(content) > MAX_BYTES or time.monotonic() > deadline:
                    answer.close()
                    raise PlatformSilent(N_("%(host)s sends more than we read, or too slowly."), host=host)
        except (requests.RequestException, ValueError) as error:
            raise PlatformSilent(
                N_("%(host)s did not answer (%(reason)s)."), host=host, reason=type(error).__name__,
                remedy=N_("See whether this server reaches that address, and whether its certificate is in order."),
            ) from None  # fmt: skip
        answer._content = content
        if answer.is_redirect:
            raise PlatformSilent(
                N_("%(host)s sends us to another address."), host=host,
                remedy=N_("Enter the address that it redirects to."),
            )  # fmt: skip
        return answer


def ask(
    method: str, url: str, *, seconds: float = READ_SECONDS, headers: Mapping[str, str] | None = None, **body: Any
) -> Answer:
    """The JSON that ``url`` answers.

    :raises PlatformSilent: nothing usable came (time, size, redirect, a page instead of JSON, a failure of its own).
    :raises PlatformRefused: it answered with 4xx.
    """
    with BoundedSession(seconds) as session:
        answer = session.request(method, url, headers=dict(headers or {}), **body)
    return understood(answer)


def understood(answer: requests.Response) -> Answer:
    """``answer`` if it is a success and JSON; its text is never repeated, since it may quote what we sent.

    :raises PlatformSilent, PlatformRefused: as for :func:`ask`.
    """
    host = urlsplit(answer.url).netloc
    if answer.status_code >= 500 or answer.status_code == 429:
        raise PlatformSilent(
            N_("%(host)s has a failure of its own (%(status)s)."), host=host, status=answer.status_code
        )
    try:
        body = json.loads(answer.content) if answer.content else None
    except (ValueError, RecursionError):
        body = ...
    if not 200 <= answer.status_code < 300:
        why = body.get("error") if isinstance(body, dict) else None
        raise PlatformRefused(
            N_("%(host)s refuses (%(status)s %(why)s)."), host=host, status=answer.status_code,
            why=str(why)[:80] if why else "", remedy=N_("See docs/lti.md for what the LMS must allow."),
        )  # fmt: skip
    if body is ...:
        raise PlatformSilent(
            N_("%(host)s answers with a page instead of data."), host=host,
            remedy=N_("See whether the address is right and the LMS is not in maintenance."),
        )  # fmt: skip
    return Answer(body, {name.lower(): value for name, value in answer.headers.items()})
