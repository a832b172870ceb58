"""Who was there, from Zoom's reports after a meeting: all its sessions in the lesson's time, page by page.

https://developers.zoom.us/docs/api/meetings/ (past meeting instances, meeting participants report)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from urllib.parse import quote

from lms_bridge.core.plugins import EvidenceKind, MeetingSpec, NotThere, PresenceEvent
from lms_bridge_zoom.client import ZoomClient
from lms_bridge_zoom.registrants import Registrants
from lms_bridge_zoom.sightings import moment, sighting

EARLY = timedelta(hours=1)
"""So long before a lesson a session counts as the lesson's."""

LATE = timedelta(hours=3)


def attendance(
    client: ZoomClient, registrants: Registrants | None, meeting: MeetingSpec, meeting_id: str, domain: str
) -> Iterator[PresenceEvent]:
    """All joins and leaves of the lesson; nothing while Zoom has no report yet.

    A host who leaves and starts again opens a new session with a uuid of its own.
    """
    uuids = sorted(
        {
            uuid
            for uuid, began in sessions(client, meeting_id)
            if meeting.starts_at - EARLY <= began <= meeting.ends_at + LATE
        }
    )
    by_registrant: Mapping[str, str] = {}
    if uuids and registrants is not None:
        # The report leaves the mail address of people outside of the account empty; the registration's id stays.
        by_registrant = {one.registrant_id: one.uid for one in registrants.known(meeting_id).values()}
    for uuid in uuids:
        yield from _session(client, meeting_id, uuid, domain, by_registrant)


def sessions(client: ZoomClient, meeting_id: str) -> list[tuple[str, datetime]]:
    """The sessions of a meeting that are over: uuid and beginning."""
    try:
        found = client.read(f"past_meetings/{meeting_id}/instances").get("meetings")
    except NotThere:
        return []
    rows = [row for row in (found if isinstance(found, list) else ()) if isinstance(row, dict) and row.get("uuid")]
    return [(str(row["uuid"]), at) for row in rows if (at := moment(row.get("start_time"))) is not None]


def _session(
    client: ZoomClient, meeting_id: str, uuid: str, domain: str, by_registrant: Mapping[str, str]
) -> Iterator[PresenceEvent]:
    path = f"report/meetings/{path_part(uuid)}/participants"
    try:
        for row in client.rows(path, "participants", {"include_fields": "registrant_id"}):
            if row.get("status") == "in_waiting_room":
                continue
            for kind, key in ((EvidenceKind.JOINED, "join_time"), (EvidenceKind.LEFT, "leave_time")):
                at = moment(row.get(key))
                if at is not None:
                    yield sighting(meeting_id, uuid, kind, at, row, domain, by_registrant, "reported")
    except NotThere:
        return


def path_part(uuid: str) -> str:
    """A session's uuid in an address: one that begins with ``/`` or has ``//`` in it must be encoded twice."""
    once = quote(uuid, safe="")
    return quote(once, safe="") if uuid.startswith("/") or "//" in uuid else once
