"""Who is inside running meetings, asked for now and then: what changed since the last look.

https://cloud.tencent.com/document/product/1095/72810
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from lms_bridge.core.plugins import EvidenceKind, PresenceEvent
from lms_bridge_tencent_meeting.client import MeetingClient
from lms_bridge_tencent_meeting.sightings import Seen, moment, seen, sighting

PAGE = 50


def look(
    client: MeetingClient, meeting_id: str, host: str, before: Mapping[str, Any], at: datetime
) -> tuple[list[PresenceEvent], dict[str, Any]]:
    """Joins and leaves since ``before``, which is what the last look returned beside its events; who is gone left at
    some time until now, ``at``."""
    asked = {"operator_id": host, "operator_id_type": "1"}
    path = f"meetings/{meeting_id}/real-time-participants"
    events: list[PresenceEvent] = []
    inside: dict[str, Any] = {}
    for row in client.numbered(path, "participants", asked, PAGE):
        who = seen(row, row.get("customer_data"), encoded=True)
        inside[who.key] = [who.uid, who.name]
        if who.key not in before:
            joined = min(moment(row.get("join_time")) or at, at)
            events.append(sighting(meeting_id, EvidenceKind.JOINED, joined, who, "measured"))
    for key, (uid, name) in before.items():
        if key not in inside:
            events.append(sighting(meeting_id, EvidenceKind.LEFT, at, Seen(key, uid, name), "measured"))
    return events, inside
