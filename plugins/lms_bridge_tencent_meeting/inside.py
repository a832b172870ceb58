"""Who is inside running meetings, asked for now and then: what changed since the last look.

https://cloud.tencent.com/document/product/1095/72810
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from lms_bridge.core.plugins import EvidenceKind, PresenceEvent
from lms_bridge_tencent_meeting.client import MeetingClient
from lms_bridge_tencent_meeting.sightings import moment, person, sighting

PAGE = 50
KEPT = ("ms_open_id", "uuid", "open_id", "userid", "pstn_number", "user_name")


def look(
    client: MeetingClient, meeting_id: str, host: str, before: Mapping[str, Any], at: datetime
) -> tuple[list[PresenceEvent], dict[str, Any]]:
    """Joins and leaves since ``before``, which is what the last look returned beside its events; who is gone left at
    some time until now, ``at``."""
    asked = {"operator_id": host, "operator_id_type": "1"}
    rows = {
        person(row): row
        for row in client.numbered(f"meetings/{meeting_id}/real-time-participants", "participants", asked, PAGE)
    }
    events = [
        sighting(
            meeting_id,
            EvidenceKind.JOINED,
            min(moment(row.get("join_time")) or at, at),
            row,
            row.get("customer_data"),
            "measured",
        )
        for key, row in rows.items()
        if key not in before
    ]
    events += [
        sighting(meeting_id, EvidenceKind.LEFT, at, row, row.get("customer_data"), "measured")
        for key, row in before.items()
        if key not in rows
    ]
    kept = {key: {k: row[k] for k in (*KEPT, "customer_data") if row.get(k)} for key, row in rows.items()}
    return events, kept
