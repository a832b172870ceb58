"""Speaks Microsoft Graph as an application: a token of the tenant, JSON, lists along ``@odata.nextLink``.

https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-client-creds-grant-flow,
https://learn.microsoft.com/en-us/graph/errors, https://learn.microsoft.com/en-us/graph/throttling
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
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
from lms_bridge_teams.settings import TeamsSettings

MAX_PAGES = 1000
LONGEST = 86_400
"""For no more seconds than these is a token kept, however long it is said to be good."""
MARGIN = timedelta(minutes=2)
"""A token is not used in the last minutes of its life."""

LIMIT_PAUSE = timedelta(seconds=10)
"""After a refusal for too many calls that does not say for how long."""

NO_POLICY = re.compile(r"access policy|not allowed to perform operations on the user", re.IGNORECASE)


class BadRequest(PluginError):
    """Graph does not understand what it was asked."""

    code = "bad_request"


class NoPolicy(PluginError):
    """No application access policy lets the app act for the organiser."""

    code = "no_access_policy"


@dataclass(frozen=True)
class Token:
    """A token of the tenant, and until when it is good."""

    value: str
    until: datetime


# An object lives for one job, but tokens are good for an hour, and limits count for the app.
_lock = threading.Lock()
_tokens: dict[str, Token] = {}
_paused: dict[str, datetime] = {}


class GraphClient:
    """One connection to Microsoft Graph for one tenant. Not for several threads."""

    def __init__(self, settings: TeamsSettings, outgoing: Outgoing) -> None:
        self._settings, self._outgoing = settings, outgoing
        self._graph = settings.graph_address.rstrip("/")
        secret = settings.client_secret.get_secret_value()
        parts = "\n".join((settings.login_address, self._graph, settings.tenant_id, settings.client_id, secret))
        self._key = hashlib.sha256(parts.encode()).hexdigest()

    def token(self, *, fresh: bool = False) -> Token:
        """The tenant's token; a new one if none is known or ``fresh``.

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

    def rows(self, path: str) -> Iterator[dict[str, Any]]:
        """The objects of a list, page by page to its end; errors as :meth:`call`.

        :raises PluginError: also when a next page is named that lies elsewhere or comes again.
        """
        address: str | None = f"{self._graph}/v1.0/{path}"
        seen: set[str] = set()
        while address is not None:
            answer = self._fetched("GET", address)
            found = answer.get("value")
            if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
                raise _other_form()
            yield from found
            seen.add(address)
            after = answer.get("@odata.nextLink")
            address = str(after) if after else None
            if address is not None and urlsplit(address)[:2] != urlsplit(self._graph)[:2]:
                # Following it would hand the token to whoever answers there.
                raise PluginError(
                    N_("Microsoft Graph names another server for the next page: %(host)s."),
                    host=urlsplit(address).netloc[:100],
                )
            if address in seen or len(seen) >= MAX_PAGES:
                raise PluginError(N_("Microsoft Graph gives the same page again and again."))

    def call(
        self, method: str, path: str, *, params: Mapping[str, str] | None = None, json: Any = None
    ) -> dict[str, Any]:
        """The answer to one call ({} where Graph answers nothing). After a :class:`TemporaryFailure` it is not known
        whether something was changed.

        :raises TemporaryFailure: no answer now, or a limit is reached.
        :raises AccessRefused: the app is not let in.
        :raises NoPolicy: the app may not act for the organiser.
        :raises NotThere: there is none.
        :raises PluginError: refused for good.
        """
        return self._fetched(method, f"{self._graph}/v1.0/{path}", params, json)

    def _fetched(
        self, method: str, address: str, params: Mapping[str, str] | None = None, json: Any = None
    ) -> dict[str, Any]:
        until = _paused.get(self._key)
        if until is not None and until > now():
            raise _busy(until - now())
        reply = self._send(method, address, self.token(), params, json)
        if reply.status == 401:
            # Revoked or rolled over: one new one, and no third try.
            reply = self._send(method, address, self.token(fresh=True), params, json)
        return self._understood(reply)

    def _send(self, method: str, address: str, token: Token, params: Mapping[str, str] | None, json: Any) -> Reply:
        headers = {"Authorization": f"Bearer {token.value}", "Accept": "application/json"}
        return self._outgoing.send(method, address, headers=headers, params=params, json=json)

    def _new_token(self) -> Token:
        settings = self._settings
        reply = self._outgoing.send(
            "POST",
            f"{settings.login_address.rstrip('/')}/{settings.tenant_id}/oauth2/v2.0/token",
            data={
                "grant_type": "client_credentials",
                "client_id": settings.client_id,
                "client_secret": settings.client_secret.get_secret_value(),
                "scope": f"{self._graph}/.default",
            },
        )
        if reply.status in (400, 401, 403):
            said = _said(reply)
            raise AccessRefused(
                N_("Microsoft does not let LMS Bridge in: %(text)s"),
                remedy=N_("Compare tenant, application and secret with the app registration; secrets expire."),
                text=str(said.get("error_description") or said.get("error") or "-").split("\r\n")[0][:300],
            )
        answer = self._understood(reply)
        value, seconds = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(value, str) or not isinstance(seconds, int) or isinstance(seconds, bool):
            raise _other_form()
        return Token(value, now() + timedelta(seconds=min(max(seconds, 0), LONGEST)))

    def _understood(self, reply: Reply) -> dict[str, Any]:
        """The JSON of an answer, or the error that it stands for."""
        if reply.status == 204:
            return {}
        if 200 <= reply.status < 300:
            answer = json_of(reply)
            if answer is None:
                raise TemporaryFailure(N_("Microsoft gave an empty answer."))
            if not isinstance(answer, dict):
                raise _other_form()
            return answer
        if reply.status == 429:
            said = retry_after(reply)
            pause = LIMIT_PAUSE if said is None else said
            with _lock:
                _paused[self._key] = now() + pause
            raise _busy(pause)
        usable(reply)
        text = _message(reply)
        if reply.status == 401:
            raise AccessRefused(
                N_("Microsoft does not let LMS Bridge in: %(text)s"),
                remedy=N_("Compare tenant, application and secret with the app registration; secrets expire."),
                text=text,
            )
        if reply.status == 403 and NO_POLICY.search(text):
            raise NoPolicy(
                N_("No application access policy lets the app act for the organiser: %(text)s"),
                remedy=N_(
                    "In Teams PowerShell: New-CsApplicationAccessPolicy -Identity LMS-Bridge -AppIds %(app)s; "
                    "Grant-CsApplicationAccessPolicy -PolicyName LMS-Bridge -Identity %(organiser)s. "
                    "It takes up to half an hour to work."
                ),
                text=text,
                app=self._settings.client_id,
                organiser=self._settings.organiser,
            )
        if reply.status == 403:
            raise PluginError(
                N_("The app lacks a permission: %(text)s"),
                remedy=N_(
                    "Give the app registration the application permissions OnlineMeetings.ReadWrite.All and "
                    "OnlineMeetingArtifact.Read.All, and grant admin consent."
                ),
                text=text,
            )
        if reply.status == 404:
            raise NotThere(N_("Microsoft knows it no more: %(text)s"), text=text)
        refusal = BadRequest if reply.status == 400 else PluginError
        raise refusal(N_("Microsoft refused: %(text)s (HTTP %(status)s)"), text=text, status=reply.status)


def _busy(pause: timedelta) -> TemporaryFailure:
    busy = TemporaryFailure(N_("Microsoft has had too many questions from this app for now."))
    busy.retry_after = pause
    return busy


def _other_form() -> PluginError:
    return PluginError(N_("Microsoft's answer has another form than its documentation says."))


def _said(reply: Reply) -> dict[str, Any]:
    try:
        answer = json_of(reply)
    except PluginError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _message(reply: Reply) -> str:
    """What Graph says: ``{"error": {"code": ..., "message": ..., "innerError": {...}}}``."""
    error = _said(reply).get("error")
    if not isinstance(error, dict):
        return "-"
    return ": ".join(str(error[key]) for key in ("code", "message") if error.get(key))[:400] or "-"
