"""A join or leave that Tencent Meeting tells of, in the same words whether an event, the list of those inside, or the
list afterwards tells it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from lms_bridge.core.plugins import EvidenceKind, PresenceEvent
from lms_bridge_tencent_meeting.signing import name_in, uid_in

WHO = ("ms_open_id", "uuid", "open_id", "userid", "pstn_number")
"""What Tencent calls a person, the best first: ``ms_open_id`` is theirs in this one meeting."""


def sighting(
    meeting_id: str, kind: EvidenceKind, at: datetime, who: Mapping[str, Any], marked: Any, quality: str
) -> PresenceEvent:
    """The event for one row; ``marked`` is the mark of the personal address, if it came along."""
    uid = uid_in(marked)
    name = name_in(who.get("user_name"))
    known = "" if uid is not None else ":?"
    return PresenceEvent(
        event_key=f"{meeting_id}:{person(who)[:40]}:{kind.value}:{int(at.timestamp())}{known}",
        external_id=meeting_id,
        kind=kind,
        at=at,
        attendee_uid=uid,
        identity=name[:255] if name else None,
        quality=quality,
    )


def person(who: Mapping[str, Any]) -> str:
    """What tells a person from others in a meeting."""
    return next((str(who[key]) for key in WHO if who.get(key)), str(who.get("user_name") or "-"))


def moment(value: Any, *, milliseconds: bool = False) -> datetime | None:
    """A time in seconds (or milliseconds) since 1970, as a number or as text; None: it is none."""
    if not isinstance(value, int | str) or isinstance(value, bool) or not str(value).isdecimal():
        return None
    try:
        seconds = int(value) / 1000 if milliseconds else int(value)
        return datetime.fromtimestamp(seconds, UTC) if seconds else None
    except (OverflowError, OSError, ValueError):
        return None
