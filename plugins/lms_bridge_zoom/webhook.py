"""Zoom's webhooks: proof that they come from Zoom, the challenge that Zoom repeats every three days, joins and leaves,
ends and deletions.

https://developers.zoom.us/docs/api/webhooks/
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from lms_bridge.core.plugins import N_, EvidenceKind, PresenceEvent, PresenceReport, WebhookAnswer, WebhookRefused, now
from lms_bridge_zoom.sightings import moment, sighting

MAX_AGE = timedelta(minutes=90)
"""Zoom repeats what was not taken after 5, 20 and 60 minutes more; whether with a new time stamp is not documented.
What is told twice within that time counts once, since its event key is the same."""

MAX_AHEAD = timedelta(minutes=5)

KINDS = {
    "meeting.participant_joined": (EvidenceKind.JOINED, "join_time"),
    "meeting.participant_left": (EvidenceKind.LEFT, "leave_time"),
}


def read(headers: Mapping[str, str], raw_body: bytes, secret: str, domain: str) -> WebhookAnswer:
    """Verify and read one webhook.

    :raises WebhookRefused: it is not Zoom's, too old, or not readable.
    """
    _verify(headers, raw_body, secret)
    try:
        body = json.loads(raw_body)
        event, payload = body["event"], body["payload"]
        if event == "endpoint.url_validation":
            return _validation(str(payload["plainToken"]), secret)
        thing = payload["object"] if isinstance(event, str) and event.startswith("meeting.") else {}
        return WebhookAnswer(_report(event, body, thing, domain), status=204)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, OSError, RecursionError):
        raise _unreadable() from None


def signature(secret: str, stamp: str, raw_body: bytes) -> str:
    """What Zoom writes into ``x-zm-signature``."""
    return "v0=" + hmac.new(secret.encode(), b"v0:" + stamp.encode() + b":" + raw_body, hashlib.sha256).hexdigest()


def _verify(headers: Mapping[str, str], raw_body: bytes, secret: str) -> None:
    if not secret:
        raise WebhookRefused(
            N_("Zoom's webhooks are not set up."), remedy=N_("Enter the secret token of the event subscription.")
        )
    stamp, given = headers.get("x-zm-request-timestamp", ""), headers.get("x-zm-signature", "")
    expected = signature(secret, stamp, raw_body) if stamp.isascii() and stamp.isdigit() and len(stamp) < 14 else ""
    if not expected or not hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace")):
        raise WebhookRefused(
            N_("A webhook in the name of Zoom is not signed with the secret token."),
            remedy=N_("Compare the secret token with the one of the event subscription."),
        )
    # Seconds by the documentation; milliseconds are told of by some, and cannot be mistaken for seconds.
    seconds = int(stamp) / 1000 if len(stamp) > 11 else int(stamp)
    age = now() - datetime.fromtimestamp(seconds, UTC)
    if age > MAX_AGE or -age > MAX_AHEAD:
        raise WebhookRefused(
            N_("A webhook of Zoom is %(minutes)s minutes old."),
            remedy=N_("See that this server's clock is right."),
            minutes=round(age.total_seconds() / 60),
        )


def _validation(plain: str, secret: str) -> WebhookAnswer:
    proof = hmac.new(secret.encode(), plain.encode(), hashlib.sha256).hexdigest()
    answer = json.dumps({"plainToken": plain, "encryptedToken": proof}).encode()
    return WebhookAnswer(body=answer, media_type="application/json")


def _report(event: str, body: Mapping[str, Any], thing: Mapping[str, Any], domain: str) -> PresenceReport:
    if event == "meeting.ended":
        at = moment(thing.get("end_time")) or datetime.fromtimestamp(body["event_ts"] / 1000, UTC)
        return PresenceReport(ended=[(_meeting_id(thing), at)])
    if event == "meeting.deleted":
        return PresenceReport(ended=[(_meeting_id(thing), datetime.fromtimestamp(body["event_ts"] / 1000, UTC))])
    if event not in KINDS:
        return PresenceReport()
    return PresenceReport(events=[_seen(event, body, thing, domain)])


def _seen(event: str, body: Mapping[str, Any], thing: Mapping[str, Any], domain: str) -> PresenceEvent:
    kind, when = KINDS[event]
    who = thing["participant"]
    if not isinstance(who, dict):
        raise TypeError
    at = moment(who.get(when)) or datetime.fromtimestamp(body["event_ts"] / 1000, UTC)
    return sighting(_meeting_id(thing), str(thing["uuid"]), kind, at, who, domain, {}, "measured")


def _meeting_id(thing: Mapping[str, Any]) -> str:
    """Zoom writes it as a number in some events and as a text in others."""
    found = str(thing["id"])
    if not found.isdigit():
        raise ValueError
    return found


def _unreadable() -> WebhookRefused:
    refusal = WebhookRefused(N_("A webhook of Zoom has another form than its documentation says."))
    refusal.answer_status = 400
    return refusal
