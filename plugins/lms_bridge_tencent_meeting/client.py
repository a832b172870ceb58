"""Speaks Tencent Meeting's REST API: signed requests, its errors in words, its two ways of giving lists.

https://cloud.tencent.com/document/product/1095/42413 and the pages of the single calls
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

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
from lms_bridge_tencent_meeting.settings import TencentMeetingSettings
from lms_bridge_tencent_meeting.signing import request_signature

MAX_PAGES = 500
PAUSE = timedelta(seconds=60)
"""Calls are counted by the minute."""

REPLAYED = 190301
WRONG_SIGNATURE = 190303
NO_PERMISSION = {9042, 500014}
UNKNOWN_USER = 190001
NO_SUCH_MEETING = 190457
TOO_MANY_CALLS = 190310
PASSING = {41, 960000, 13001, 202002}
"""Tencent's "network error, try again later" and the like; some come with HTTP status 500, as refusals do."""

TOO_MANY_ADDRESSES = 202005


class TencentRefusal(PluginError):
    """Tencent Meeting refused for good, with a number (``number``)."""

    code = "tencent_refusal"
    number = 0


class MeetingClient:
    """One connection to one enterprise. Not for several threads."""

    def __init__(self, settings: TencentMeetingSettings, outgoing: Outgoing) -> None:
        self._settings, self._outgoing = settings, outgoing
        self._address = settings.address.rstrip("/")

    def call(
        self, method: str, path: str, *, params: Mapping[str, str] | None = None, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """The answer to one call. After a :class:`TemporaryFailure` it is not known whether something was changed.

        :raises TemporaryFailure: no answer now, or too many calls.
        :raises AccessRefused: the application is not let in.
        :raises NotThere: there is no such meeting.
        :raises TencentRefusal: refused for good.
        """
        answer = self._answer(method, path, params, body)
        if answer is None:
            raise TemporaryFailure(N_("Tencent Meeting gave an empty answer."))
        return answer

    def tell(self, method: str, path: str, body: Mapping[str, Any]) -> None:
        """One call to which Tencent has nothing to say; errors as :meth:`call`."""
        self._answer(method, path, None, body)

    def _answer(
        self, method: str, path: str, params: Mapping[str, str] | None, body: Mapping[str, Any] | None
    ) -> dict[str, Any] | None:
        target = f"/v1/{path}" + (f"?{urlencode(params)}" if params else "")
        content = json.dumps(body, ensure_ascii=False).encode() if body is not None else b""
        reply = self._send(method, target, content)
        if _number(reply) == REPLAYED:
            # Nonce and time were used by chance; each attempt has others.
            reply = self._send(method, target, content)
        return _understood(reply)

    def numbered(self, path: str, name: str, params: Mapping[str, str], size: int) -> Iterator[dict[str, Any]]:
        """The objects of a list that has numbered pages of ``size`` (``page``, ``total_page``)."""
        for page in range(1, MAX_PAGES):
            answer = self.call("GET", path, params={**params, "page": str(page), "page_size": str(size)})
            yield from _rows(answer, name)
            if page >= _whole(answer.get("total_page")):
                return
        raise _endless()

    def positioned(self, path: str, name: str, params: Mapping[str, str], size: int) -> Iterator[dict[str, Any]]:
        """The objects of a list that goes on from a position (``pos``, ``has_remaining``, ``next_pos``)."""
        position = 0
        for _ in range(MAX_PAGES):
            answer = self.call("GET", path, params={**params, "pos": str(position), "size": str(size)})
            yield from _rows(answer, name)
            if answer.get("has_remaining") is not True:
                return
            after = _whole(answer.get("next_pos"))
            if after <= position:
                break
            position = after
        raise _endless()

    def meetings(self, user: str, since: int) -> Iterator[dict[str, Any]]:
        """The user's coming and running meetings that begin at ``since`` (seconds) or later, each once."""
        position, cursor = str(since), "0"
        seen: set[str] = set()
        for _ in range(MAX_PAGES):
            asked = {"userid": user, "instanceid": "1", "pos": position, "cursory": cursor}
            answer = self.call("GET", "meetings", params=asked)
            fresh = [row for row in _rows(answer, "meeting_info_list") if str(row.get("meeting_id")) not in seen]
            seen |= {str(row.get("meeting_id")) for row in fresh}
            yield from fresh
            if not _whole(answer.get("remaining")):
                return
            if not fresh:
                break
            position, cursor = str(answer.get("next_pos")), str(answer.get("next_cursory"))
        raise _endless()

    def _send(self, method: str, target: str, content: bytes) -> Reply:
        settings = self._settings
        nonce, stamp = str(secrets.randbelow(2**31 - 1) + 1), str(int(now().timestamp()))
        key = settings.secret_key.get_secret_value()
        headers = {
            "Content-Type": "application/json",
            "AppId": settings.app_id,
            "X-TC-Key": settings.secret_id,
            "X-TC-Nonce": nonce,
            "X-TC-Timestamp": stamp,
            "X-TC-Signature": request_signature(method, settings.secret_id, key, nonce, stamp, target, content),
            "X-TC-Registered": "1",
        }
        if settings.sdk_id:
            headers["SdkId"] = settings.sdk_id
        return self._outgoing.send(method, self._address + target, headers=headers, data=content or None)


def _understood(reply: Reply) -> dict[str, Any] | None:
    """The JSON of an answer (None: there is none), or the error that it stands for. The number of an error says more
    than HTTP's status, which is 500 for lasting refusals, too."""
    number = _number(reply)
    if number:
        raise _error(number, _message(reply), reply)
    if reply.status == 429:
        raise _busy(reply)
    usable(reply)
    if reply.status == 404:
        raise NotThere(N_("Tencent Meeting knows it no more: %(text)s"), text=_message(reply))
    if not 200 <= reply.status < 300:
        raise PluginError(N_("Tencent Meeting refused (HTTP %(status)s)."), status=reply.status)
    answer = json_of(reply)
    if answer is not None and not isinstance(answer, dict):
        raise _other_form()
    return answer


def _error(number: int, text: str, reply: Reply) -> PluginError:
    if number == TOO_MANY_CALLS:
        return _busy(reply)
    if number in PASSING:
        return TemporaryFailure(
            N_("Tencent Meeting has a failure of its own: %(text)s (%(number)s)"), text=text, number=number
        )
    if number == REPLAYED:
        return TemporaryFailure(N_("Tencent Meeting took a call for a repeated one."))
    if number == WRONG_SIGNATURE or reply.status == 401:
        return AccessRefused(
            N_("Tencent Meeting refuses the signature: %(text)s (%(number)s)"),
            remedy=N_("Compare AppId, SdkId, SecretId and SecretKey; see that this server's clock is right."),
            text=text,
            number=number,
        )
    if number == NO_SUCH_MEETING:
        return NotThere(N_("Tencent Meeting knows it no more: %(text)s"), text=text)
    remedy = None
    if number in NO_PERMISSION:
        remedy = N_("Give the application the permissions that docs/providers/tencent-meeting.md lists.")
    if number == UNKNOWN_USER:
        remedy = N_("See that the userid of the hosts is that of users of the enterprise.")
    refusal = TencentRefusal(
        N_("Tencent Meeting refused: %(text)s (%(number)s)"), remedy=remedy, text=text, number=number
    )
    refusal.number = number
    return refusal


def _busy(reply: Reply) -> TemporaryFailure:
    busy = TemporaryFailure(N_("Tencent Meeting has had too many calls for now."))
    pause = retry_after(reply)
    busy.retry_after = PAUSE if pause is None else pause
    return busy


def _said(reply: Reply) -> dict[str, Any]:
    try:
        answer = json_of(reply)
    except PluginError:
        return {}
    error = answer.get("error_info") if isinstance(answer, dict) else None
    return error if isinstance(error, dict) else {}


def _number(reply: Reply) -> int:
    said = _said(reply)
    return _whole(said.get("error_code")) or _whole(said.get("new_error_code"))


def _message(reply: Reply) -> str:
    return str(_said(reply).get("message") or "-")[:300]


def _whole(value: Any) -> int:
    """Numbers come as numbers in some answers and as text in others."""
    return int(value) if isinstance(value, int | str) and str(value).isdecimal() else 0


def _rows(answer: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    found = answer.get(name)
    if found is None:  # an empty list is left out
        return []
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise _other_form()
    return found


def _other_form() -> PluginError:
    return PluginError(N_("Tencent Meeting's answer has another form than its documentation says."))


def _endless() -> PluginError:
    return PluginError(N_("Tencent Meeting gives the same page again and again."))
