"""What Prosody's component event_sync tells: who came into a room and who left it.

It is a plugin of the community (jitsi-contrib/prosody-plugins, event_sync). Its requests carry a fixed token and no
signature, its events no id; times are whole seconds. Who goes into a breakout room leaves the main room and comes into
the other in the same second; both are told with the name of the main room, and so they are one stay here.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from lms_bridge.core.plugins import N_, EvidenceKind, PresenceEvent, WebhookRefused

MAX_BODY = 4 * 1024 * 1024
EARLIEST, LATEST = datetime(2020, 1, 1, tzinfo=UTC).timestamp(), datetime(2200, 1, 1, tzinfo=UTC).timestamp()


def genuine(headers: Mapping[str, str], token: str | None) -> None:
    """Nothing, if the request carries the token.

    :raises WebhookRefused: it does not, or no token is set.
    """
    said = headers.get("authorization", "")
    if not token or not hmac.compare_digest(said.encode("utf-8", "replace"), f"Bearer {token}".encode()):
        raise WebhookRefused(N_("The event does not carry the token of event_sync."))


def read(raw_body: bytes) -> list[PresenceEvent]:
    """The observations of one request; told again, they have the same keys.

    :raises WebhookRefused: it is not readable.
    """
    try:
        if len(raw_body) > MAX_BODY:
            raise ValueError("too long")
        event = json.loads(raw_body)
        if not isinstance(event, dict):
            raise TypeError("not an object")
        return list(_observations(event))
    except (ValueError, TypeError, KeyError, RecursionError):
        refusal = WebhookRefused(N_("The event cannot be read."))
        refusal.answer_status = 400
        raise refusal from None


def _observations(event: dict[str, Any]) -> Iterator[PresenceEvent]:
    name = _text(event, "event_name")
    if name == "muc-occupant-joined":
        yield from _seen(event, event["occupant"], EvidenceKind.JOINED, "joined_at")
    elif name == "muc-occupant-left":
        yield from _seen(event, event["occupant"], EvidenceKind.LEFT, "left_at")
    elif name == "muc-room-destroyed":
        # All who ever were in it: what of this was told before has the same keys, what was lost is told now.
        for occupant in _list(event.get("all_occupants", [])):
            yield from _seen(event, occupant, EvidenceKind.JOINED, "joined_at")
            left = {"left_at": event["destroyed_at"]} | {k: v for k, v in occupant.items() if v is not None}
            yield from _seen(event, left, EvidenceKind.LEFT, "left_at")


def _seen(event: dict[str, Any], occupant: Any, kind: EvidenceKind, when: str) -> Iterator[PresenceEvent]:
    if not isinstance(occupant, dict):
        raise TypeError("not an object")
    room = _text(event, "room_name").rpartition("]")[2]
    uid, shown = (occupant.get(name) or None for name in ("id", "name"))
    if uid is None and shown is None:  # a recorder, or somebody without a token
        return
    # The coming is the same in each telling of one stay; a stay has one leaving, whatever time is told for it.
    stay = [_text(event, "room_jid"), event.get("breakout_room_id"), _text(occupant, "occupant_jid")]
    stay += [_moment(occupant["joined_at"]).isoformat(), kind.value]
    yield PresenceEvent(
        event_key=hashlib.sha256(json.dumps(stay).encode()).hexdigest()[:48],
        external_id=room,
        kind=kind,
        at=_moment(occupant[when]),
        attendee_uid=str(uid)[:200] if uid is not None else None,
        identity=str(shown)[:200] if shown is not None else None,
    )


def _moment(seconds: Any) -> datetime:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not EARLIEST <= seconds <= LATEST:
        raise ValueError("not a time")
    return datetime.fromtimestamp(seconds, UTC)


def _text(content: dict[str, Any], name: str) -> str:
    value = content[name]
    if not isinstance(value, str) or not value:
        raise TypeError(f"{name} is no text")
    value.encode()  # a lone surrogate could not be stored
    return value


def _list(content: Any) -> list[dict[str, Any]]:
    # Lua writes a table without entries as an object.
    if content == {}:
        return []
    if not isinstance(content, list) or not all(isinstance(one, dict) for one in content):
        raise TypeError("not a list of objects")
    return content
