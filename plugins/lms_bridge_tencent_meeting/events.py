"""Tencent Meeting's events: proof that they come from it, the question whether the address is ours, joins and leaves.

https://cloud.tencent.com/document/product/1095/51608, .../51620 (joined), .../51622 (left), .../51619 (end)
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote

from lms_bridge.core.plugins import N_, EvidenceKind, PresenceEvent, PresenceReport, WebhookAnswer, WebhookRefused, now
from lms_bridge_tencent_meeting.settings import TencentMeetingSettings
from lms_bridge_tencent_meeting.sightings import moment, seen, sighting
from lms_bridge_tencent_meeting.signing import event_signature, plain_text

TAKEN = b"successfully received callback"

MAX_AGE = timedelta(hours=2)
"""How often and how late events are repeated is not documented. What is told twice counts once."""

KINDS = {"meeting.participant-joined": EvidenceKind.JOINED, "meeting.participant-left": EvidenceKind.LEFT}


def read(
    headers: Mapping[str, str], query: Mapping[str, str], raw_body: bytes, settings: TencentMeetingSettings
) -> WebhookAnswer:
    """Verify and read one event (POST), or answer whether the address is ours (GET with ``check_str``).

    :raises WebhookRefused: it is not Tencent's, too old, or not readable.
    """
    token, key = settings.event_token.get_secret_value(), settings.event_key.get_secret_value()
    if not token:
        raise WebhookRefused(
            N_("Tencent Meeting's events are not set up."), remedy=N_("Enter the token of the event subscription.")
        )
    try:
        question = not raw_body and "check_str" in query
        data = query["check_str"] if question else str(json.loads(raw_body)["data"])
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _unreadable() from None
    data = _verified(headers, data, token)
    try:
        content = plain_text(data, key)
        if question:
            return WebhookAnswer(body=content)
        return WebhookAnswer(_report(json.loads(content)), body=TAKEN)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise _unreadable() from None


def _verified(headers: Mapping[str, str], data: str, token: str) -> str:
    """``data`` as it was signed: with percent signs or without (the documentation asks for decoding once more), and
    with the plus signs that decoding makes spaces of."""
    stamp, nonce = headers.get("timestamp", ""), headers.get("nonce", "")
    given = headers.get("signature", "").encode("utf-8", "replace")
    for candidate in (data, unquote(data), data.replace(" ", "+")):
        try:
            expected = event_signature(token, stamp, nonce, candidate)
        except UnicodeEncodeError:
            break
        if stamp and nonce and hmac.compare_digest(expected.encode(), given):
            _not_too_old(stamp)
            return candidate
    raise WebhookRefused(
        N_("An event in the name of Tencent Meeting is not signed with the token."),
        remedy=N_("Compare the token with the one of the event subscription."),
    )


def _not_too_old(stamp: str) -> None:
    at = moment(stamp, milliseconds=len(stamp) > 11)
    age = now() - at if at is not None else None
    if age is None or abs(age) > MAX_AGE:
        raise WebhookRefused(
            N_("An event of Tencent Meeting is %(minutes)s minutes old."),
            remedy=N_("See that this server's clock is right."),
            minutes=round(age.total_seconds() / 60) if age is not None else "?",
        )


def _report(body: Mapping[str, Any]) -> PresenceReport:
    """What an event tells. Those of other kinds are taken, so that they are not sent again."""
    event, events, ended = body["event"], list[PresenceEvent](), list[tuple[str, datetime]]()
    if event not in KINDS and event != "meeting.end":
        return PresenceReport()
    for one in body["payload"]:
        info = one["meeting_info"]
        at = moment(one["operate_time"], milliseconds=True)
        meeting_id = str(info["meeting_id"])
        if at is None or not meeting_id.isdecimal():
            raise ValueError
        if event in KINDS:
            marked = (one.get("extend_info") or {}).get("customer_data")
            who = seen(one["operator"], marked, encoded=False)
            events.append(sighting(meeting_id, KINDS[event], at, who, "measured"))
        elif one.get("meeting_end_type") in (0, 1):
            # The other two say only that nobody is inside, which is no end while the lesson runs.
            ended.append((meeting_id, at))
    return PresenceReport(events=events, ended=ended)


def _unreadable() -> WebhookRefused:
    refusal = WebhookRefused(N_("An event of Tencent Meeting has another form than its documentation says."))
    refusal.answer_status = 400
    return refusal
