"""A join or leave that Tencent Meeting tells of, in the same words whether an event, the list of those inside, or the
list afterwards tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lms_bridge.core.plugins import EvidenceKind, PresenceEvent
from lms_bridge_tencent_meeting.signing import decoded_name, uid_in

IDS = ("ms_open_id", "uuid", "open_id", "userid", "pstn_number")
"""What Tencent calls a person, the best first: ``ms_open_id`` is theirs in this one meeting."""


@dataclass(frozen=True)
class Seen:
    """Somebody in a meeting: what tells them from others there, whose address they came by, and the name they show."""

    key: str
    uid: str | None
    name: str | None


def seen(row: Mapping[str, Any], mark: Any, *, encoded: bool) -> Seen:
    """The person of a row; ``mark`` is that of the personal address, if it came along; ``encoded`` says that names
    come in Base64, as lists have them and events do not."""
    name = str(row.get("user_name") or "")
    name = (decoded_name(name) if encoded else name)[:255]
    key = next((str(row[one]) for one in IDS if row.get(one)), name or "-")
    return Seen(key[:40], uid_in(mark), name or None)


def sighting(meeting_id: str, kind: EvidenceKind, at: datetime, who: Seen, quality: str) -> PresenceEvent:
    """The event. Its key does not say how we came to hear of it; but somebody whom only one way can name is told by
    each."""
    known = "" if who.uid is not None else ":?"
    return PresenceEvent(
        event_key=f"{meeting_id}:{who.key}:{kind.value}:{int(at.timestamp())}{known}",
        external_id=meeting_id,
        kind=kind,
        at=at,
        attendee_uid=who.uid,
        identity=who.name,
        quality=quality,
    )


def moment(value: Any, *, milliseconds: bool = False) -> datetime | None:
    """A time in seconds (or milliseconds) since 1970, as a number or as text; None: it is none."""
    if not isinstance(value, int | str) or isinstance(value, bool) or not str(value).isdecimal():
        return None
    try:
        seconds = int(value) / 1000 if milliseconds else int(value)
        return datetime.fromtimestamp(seconds, UTC) if seconds else None
    except (OverflowError, OSError, ValueError):
        return None
