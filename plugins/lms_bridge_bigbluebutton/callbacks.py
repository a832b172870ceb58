"""What BigBlueButton itself sends to the address of one meeting: its end, and the report of who was there."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import jwt

from lms_bridge.core.plugins import (
    N_,
    EvidenceKind,
    PresenceEvent,
    PresenceReport,
    WebhookAnswer,
)
from lms_bridge_bigbluebutton.settings import Server
from lms_bridge_bigbluebutton.signing import bearer, refused

log = logging.getLogger(__name__)

MAX_BYTES = 2 * 1024 * 1024


def read(servers: Iterable[Server], name: str, headers: Mapping[str, str], raw_body: bytes) -> WebhookAnswer:
    """The report of the room ``name`` (POST), or the hint that it may have ended (GET, without a body).

    The hint is not signed: it proves nothing but that its sender knows the meeting's secret address, so nothing
    follows from it but a look. The report is signed by a token that does not cover it: who knows the address and saw
    a token could send another, so it is believed only for this room, and only as ``reported``.

    :raises WebhookRefused: the report's token is none of a server of this account, or it is not readable.
    """
    if not raw_body:
        return WebhookAnswer(look=True)
    if len(raw_body) > MAX_BYTES:
        raise refused(N_("The webhook is longer than any of BigBlueButton."), 413)
    if not any(_genuine(bearer(headers), server.secret) for server in servers):
        raise refused(N_("The webhook has no signature of a server of this account."), 401)
    try:
        content = json.loads(raw_body)
        if content["meeting_id"] != name:
            raise refused(N_("The report is of another room."), 400)
        return WebhookAnswer(_report(name, content["internal_meeting_id"], content["data"]))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        raise refused(N_("The webhook is not readable."), 400) from None


def _genuine(token: str, secret: str) -> bool:
    # HMAC fills a short key up with zeros itself; done here, nobody is warned of the length that BigBlueButton chose.
    key = secret.encode().ljust(64, b"\0")
    try:
        jwt.decode(token, key, algorithms=["HS512"], options={"require": ["exp"]})
    except jwt.InvalidTokenError:
        return False
    return True


def _report(name: str, internal: str, data: Mapping[str, Any]) -> PresenceReport:
    finish = _time(data["finish"])
    events: list[PresenceEvent] = []
    for attendee in data["attendees"]:
        try:
            user = attendee["ext_user_id"]
            joins = sorted(_time(one) for one in attendee["joins"] if one)
            leaves = sorted(_time(one) for one in attendee["leaves"] if one)
        except (KeyError, TypeError, ValueError, AttributeError):
            log.warning("the report of room %s has a line that cannot be read", name)
            continue  # the report is sent once only: the others' lines count all the same
        if not isinstance(user, str) or not user:
            continue
        # Its own durations are not used: they are 0 where a leave is missing, and count a second device twice. Whoever
        # has no leave stayed to the end.
        leaves += [finish] * (len(joins) - len(leaves))
        for kind, times in ((EvidenceKind.JOINED, joins), (EvidenceKind.LEFT, leaves[: len(joins)])):
            for number, at in enumerate(times):
                key = f"{internal}:{user}:report:{number}:{kind}"
                events.append(PresenceEvent(key, name, kind, at, attendee_uid=user, quality="reported"))
    return PresenceReport(events=events, ended=[(name, finish)])


def _time(said: str) -> datetime:
    at = datetime.fromisoformat(said)
    if at.tzinfo is None:
        raise ValueError(said)
    return at
