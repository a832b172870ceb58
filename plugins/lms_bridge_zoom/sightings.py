"""A join or leave that Zoom tells of, in the same words whether a webhook tells it or the report afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from lms_bridge.core.plugins import EvidenceKind, PresenceEvent
from lms_bridge_zoom.registrants import uid_of

NAMES = ("user_name", "name")
MAILS = ("email", "user_email")
STAYS = ("user_id", "participant_user_id", "participant_uuid", "id")
"""What Zoom calls one stay of one person, the best first: ``user_id`` is new for each join, the others are the
person's (where Zoom knows them)."""


def sighting(
    meeting_id: str,
    uuid: str,
    kind: EvidenceKind,
    at: datetime,
    who: Mapping[str, Any],
    domain: str,
    by_registrant: Mapping[str, str],
    quality: str,
) -> PresenceEvent:
    """The event for one row. ``by_registrant`` are uids by Zoom's ids of registrations, as far as they are known.

    The key does not say how we came to hear of it, so that a webhook and the report do not count twice; but somebody
    whom only the report can name is told again, by name.
    """
    uid = next((uid for key in MAILS if (uid := uid_of(who.get(key), domain))), None)
    uid = uid or by_registrant.get(str(who.get("registrant_id") or ""))
    shown = next((str(who[key]) for key in (*MAILS, *NAMES) if who.get(key)), None)
    stay = next((str(who[key]) for key in STAYS if who.get(key)), shown or "-")
    known = "" if uid is not None else ":?"
    return PresenceEvent(
        event_key=f"{uuid}:{stay[:40]}:{kind.value}:{int(at.timestamp())}{known}",
        external_id=meeting_id,
        kind=kind,
        at=at,
        attendee_uid=uid,
        identity=shown[:255] if shown else None,
        quality=quality,
    )


def moment(value: object) -> datetime | None:
    """Zoom's ``2026-12-01T00:30:00Z`` as aware UTC; None: it is no time."""
    try:
        found = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
