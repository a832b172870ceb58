"""What bbb-webhooks sends: signed forms with one or several events.

Webhooks make exact what polls see: the moment at which somebody came or went is told as a sign of their presence, and
only polls say that they are inside. So a webhook that is lost, doubled or late leaves nobody inside for ever.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from lms_bridge.core.plugins import N_, EvidenceKind, PresenceEvent, PresenceReport, WebhookAnswer
from lms_bridge_bigbluebutton.rooms import key_of, moment
from lms_bridge_bigbluebutton.settings import Server
from lms_bridge_bigbluebutton.signing import bearer, proves, refused

EVENTS = ("meeting-ended", "user-joined", "user-left")
"""What is asked for. Chat and passwords of rooms are in others, and nobody here needs them."""
MAX_BYTES = 1024 * 1024


def read(
    servers: Iterable[Server],
    registered: str,
    base_url: str,
    headers: Mapping[str, str],
    query: Mapping[str, str],
    raw_body: bytes,
) -> WebhookAnswer:
    """What a webhook tells of our rooms. ``registered`` is the address that bbb-webhooks was given.

    :raises WebhookRefused: it is not signed by a server of ours, or not readable.
    """
    if len(raw_body) > MAX_BYTES:
        raise refused(N_("The webhook is longer than any of BigBlueButton."), 413)
    if not _genuine(servers, registered, headers, query, raw_body):
        # Not 401: bbb-webhooks takes that as a success, and while a secret is being changed the event would be lost.
        raise refused(N_("The webhook has no signature of a server of this account."), 503)
    events: list[PresenceEvent] = []
    ended: list[tuple[str, datetime]] = []
    for event in _events(raw_body):
        _take(event, base_url, events, ended)
    return WebhookAnswer(PresenceReport(events=events, ended=ended))


def _genuine(
    servers: Iterable[Server], registered: str, headers: Mapping[str, str], query: Mapping[str, str], raw_body: bytes
) -> bool:
    proof = query.get("checksum", "")
    if proof:
        # Over the address as it was registered, the body as it came, and the secret.
        return any(proves(proof, server.secret, registered, raw_body) for server in servers)
    # With auth2_0 set, bbb-webhooks sends the secret itself.
    said = bearer(headers).encode("utf-8", "replace")
    return any(hmac.compare_digest(said, server.secret.encode()) for server in servers)


def _events(raw_body: bytes) -> Iterator[dict[str, Any]]:
    try:
        form = dict(parse_qsl(raw_body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20))
        content = json.loads(form["event"])
    except (ValueError, KeyError, RecursionError):
        # bbb-webhooks takes 401 as done. What is signed and not readable is not so the next time either, and an address
        # that keeps failing is forgotten.
        raise refused(N_("The webhook is not readable."), 401) from None
    # The code sends a list, the documentation shows a single event.
    for event in content if isinstance(content, list) else [content]:
        if isinstance(event, dict):
            yield event


def _take(
    event: Mapping[str, Any], base_url: str, events: list[PresenceEvent], ended: list[tuple[str, datetime]]
) -> None:
    try:
        data = event["data"]
        kind, at = data["id"], moment(data["event"]["ts"])
        meeting = data["attributes"]["meeting"]
        name, internal = meeting["external-meeting-id"], meeting["internal-meeting-id"]
        if not (isinstance(name, str) and isinstance(internal, str)) or key_of(base_url, name) is None:
            return  # of somebody else's room on the same server
        if kind == "meeting-ended":
            ended.append((name, at))
        elif kind in EVENTS:
            user = data["attributes"]["user"]
            person, visit = user["external-user-id"], user["internal-user-id"]
            if isinstance(person, str) and person and isinstance(visit, str):
                key = f"{internal}:{visit}:{kind}:{data['event']['ts']}"
                events.append(PresenceEvent(key, name, EvidenceKind.SEEN, at, attendee_uid=person))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return  # an event of another form; the others of the same webhook are not lost with it
