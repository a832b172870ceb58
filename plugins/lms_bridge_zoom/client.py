"""Speaks Zoom's REST API: a token for the whole account, JSON, lists page by page, limits kept.

https://developers.zoom.us/docs/internal-apps/s2s-oauth/ (token), https://developers.zoom.us/docs/api/rest/rate-limits/,
https://developers.zoom.us/docs/api/rest/error-handling/
"""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from lms_bridge.core.plugins import (
    N_,
    AccessRefused,
    NotThere,
    Outgoing,
    PluginError,
    Reply,
    TemporaryFailure,
    json_of,
    now,
    retry_after,
    usable,
)
from lms_bridge_zoom.settings import ZoomSettings

PAGE_SIZE = 300
"""The most that Zoom gives on one page."""

MAX_PAGES = 1000
LONGEST = 86_400
"""For no more seconds than these is a token kept, however long it is said to be good."""
MARGIN = timedelta(minutes=2)
"""A token is not used in the last minutes of its life."""

LIMIT_PAUSE = timedelta(seconds=10)
"""After a refusal for too many calls that does not say for how long."""

GONE = {3001}
NO_SCOPE = 4711
NO_TOKEN = 124


@dataclass(frozen=True)
class Token:
    """A token of the account: where it is good (each region has an address of its own), until when, and for what."""

    value: str
    base: str
    until: datetime
    scopes: frozenset[str]


# An object lives for one job, but tokens are good for an hour, and limits count for the whole account.
_lock = threading.Lock()
_tokens: dict[str, Token] = {}
_paused: dict[str, datetime] = {}


class ZoomClient:
    """One connection to one Zoom account. Not for several threads."""

    def __init__(self, settings: ZoomSettings, outgoing: Outgoing) -> None:
        self._settings, self._outgoing = settings, outgoing
        self._address = settings.address.rstrip("/")
        secret = settings.client_secret.get_secret_value()
        parts = "\n".join((self._address, settings.account_id, settings.client_id, secret))
        self._key = hashlib.sha256(parts.encode()).hexdigest()

    def token(self, *, fresh: bool = False) -> Token:
        """The account's token; a new one if none is known or ``fresh`` (scopes are fixed when a token is made).

        :raises TemporaryFailure: no answer now.
        :raises AccessRefused: the app is not let in.
        """
        known = _tokens.get(self._key)
        if known is not None and not fresh and known.until - MARGIN > now():
            return known
        made = self._new_token()
        with _lock:
            _tokens[self._key] = made
        return made

    def read(self, path: str, params: Mapping[str, str] | None = None) -> dict[str, Any]:
        """One object.

        :raises TemporaryFailure: no answer now, or the account's limit is reached.
        :raises AccessRefused: the app is not let in.
        :raises NotThere: there is none.
        :raises PluginError: refused for good.
        """
        return self.call("GET", path, params=params)

    def rows(self, path: str, name: str, params: Mapping[str, str] | None = None) -> Iterator[dict[str, Any]]:
        """The objects of the list ``name``, page by page to its end; errors as :meth:`read`."""
        asked = {**(params or {}), "page_size": str(PAGE_SIZE)}
        seen: set[str] = set()
        while True:
            answer = self.read(path, asked)
            found = answer.get(name)
            if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
                raise _other_form()
            yield from found
            after = answer.get("next_page_token")
            if not after:
                return
            if not isinstance(after, str) or after in seen or len(seen) >= MAX_PAGES:
                raise PluginError(N_("Zoom gives the same page again and again."))
            seen.add(after)
            asked["next_page_token"] = after

    def call(
        self, method: str, path: str, *, params: Mapping[str, str] | None = None, json: Any = None
    ) -> dict[str, Any]:
        """The answer to one call ({} where Zoom answers nothing). After a :class:`TemporaryFailure` it is not known
        whether something was changed; errors as :meth:`read`."""
        self._wait_for_limit()
        token = self.token()
        reply = self._send(method, path, token, params, json)
        if reply.status == 401 or (reply.status == 400 and _code(reply) == NO_TOKEN):
            # Somebody made the app's secret anew, or the token was revoked: one new one, and no third try.
            reply = self._send(method, path, self.token(fresh=True), params, json)
        return self._understood(reply)

    def _send(self, method: str, path: str, token: Token, params: Mapping[str, str] | None, json: Any) -> Reply:
        headers = {"Authorization": f"Bearer {token.value}", "Accept": "application/json"}
        return self._outgoing.send(method, f"{token.base}/v2/{path}", headers=headers, params=params, json=json)

    def _new_token(self) -> Token:
        settings = self._settings
        pair = f"{settings.client_id}:{settings.client_secret.get_secret_value()}"
        reply = self._outgoing.send(
            "POST",
            f"{self._address}/oauth/token",
            headers={"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"},
            data={"grant_type": "account_credentials", "account_id": settings.account_id},
        )
        if reply.status in (400, 401, 403):
            raise AccessRefused(
                N_("Zoom does not let LMS Bridge in: %(text)s"),
                remedy=N_("Compare account ID, client ID and client secret with the app's, and see that it is active."),
                text=_token_refusal(reply),
            )
        if reply.status != 200:
            self._understood(reply)
        answer = _object(reply)
        value, seconds = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(value, str) or not isinstance(seconds, int) or isinstance(seconds, bool):
            raise _other_form()
        scopes = str(answer.get("scope", "")).replace(",", " ").split()
        return Token(
            value,
            self._base(answer.get("api_url")),
            now() + timedelta(seconds=min(max(seconds, 0), LONGEST)),
            frozenset(scopes),
        )

    def _base(self, api_url: object) -> str:
        """The address for calls: the one the token was made for, if it belongs to Zoom as we know it."""
        home = urlsplit(self._address)
        if not api_url:
            return f"{home.scheme}://api.{home.netloc}"
        found = urlsplit(str(api_url))
        name, known = found.hostname or "", home.hostname or ""
        if found.scheme != home.scheme or (name != known and not name.endswith(f".{known}")):
            raise PluginError(
                N_("Zoom names a server that is not its own: %(host)s."), host=(found.netloc or str(api_url))[:100]
            )
        return f"{found.scheme}://{found.netloc}"

    def _wait_for_limit(self) -> None:
        until = _paused.get(self._key)
        if until is not None and until > now():
            raise _busy(until - now())

    def _understood(self, reply: Reply) -> dict[str, Any]:
        """The JSON of an answer, or the error that it stands for."""
        if reply.status == 204:
            return {}
        if 200 <= reply.status < 300:
            return _object(reply)
        if reply.status == 429:
            said = retry_after(reply)
            pause = _until(reply) or LIMIT_PAUSE if said is None else said
            with _lock:
                _paused[self._key] = now() + pause
            raise _busy(pause)
        usable(reply)
        code, text = _code(reply), _message(reply)
        if code == NO_SCOPE:
            raise PluginError(
                N_("The Zoom app lacks a permission: %(text)s"),
                remedy=N_("Add the scope to the app in the Zoom App Marketplace; the check lists what is needed."),
                text=text,
            )
        if reply.status == 401:
            raise AccessRefused(
                N_("Zoom does not let LMS Bridge in: %(text)s"),
                remedy=N_("Compare account ID, client ID and client secret with the app's, and see that it is active."),
                text=text,
            )
        if reply.status == 404 or code in GONE:
            raise NotThere(N_("Zoom knows it no more: %(text)s"), text=text)
        raise PluginError(N_("Zoom refused: %(text)s (HTTP %(status)s)"), text=text, status=reply.status)


def _busy(pause: timedelta) -> TemporaryFailure:
    busy = TemporaryFailure(N_("Zoom has had too many questions from this account for now."))
    busy.retry_after = pause
    return busy


def _object(reply: Reply) -> dict[str, Any]:
    answer = json_of(reply)
    if answer is None:
        raise TemporaryFailure(N_("Zoom gave an empty answer."))
    if not isinstance(answer, dict):
        raise _other_form()
    return answer


def _other_form() -> PluginError:
    return PluginError(N_("Zoom's answer has another form than its documentation says."))


def _until(reply: Reply) -> timedelta | None:
    """Zoom names the end of a daily limit as a moment in ISO 8601, which HTTP does not know."""
    try:
        moment = datetime.fromisoformat(reply.headers.get("retry-after", "").strip().replace("Z", "+00:00"))
    except ValueError:
        return None
    pause = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now()
    return min(max(pause, LIMIT_PAUSE), timedelta(days=1))


def _said(reply: Reply) -> dict[str, Any]:
    try:
        answer = json_of(reply)
    except PluginError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _code(reply: Reply) -> int | None:
    code = _said(reply).get("code")
    return code if isinstance(code, int) else None


def _message(reply: Reply) -> str:
    """What Zoom says: ``{"code": 300, "message": ..., "errors": [{"field": ..., "message": ...}]}``."""
    said = _said(reply)
    errors = said.get("errors")
    fields = [
        f"{one.get('field', '')}: {one.get('message', '')}"
        for one in (errors if isinstance(errors, list) else [])
        if isinstance(one, dict)
    ]
    return "; ".join([str(said.get("message") or ""), *fields]).strip("; ")[:300] or "-"


def _token_refusal(reply: Reply) -> str:
    said = _said(reply)
    return str(said.get("reason") or said.get("error_description") or said.get("error") or "-")[:200]
