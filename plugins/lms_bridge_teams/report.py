"""Who was there, from Teams' attendance reports: all of the lesson's time, put together.

Teams writes a report each time the last person has left; whoever comes back opens another one. Names and times that
stand in two of them count once.
https://learn.microsoft.com/en-us/graph/api/meetingattendancereport-list
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from lms_bridge.core.plugins import EvidenceKind, Gap, MeetingSpec, PresenceEvent
from lms_bridge_teams.client import GraphClient

AROUND = timedelta(hours=3)
"""So long before and after a lesson a session counts as the lesson's."""


def attendance(client: GraphClient, meeting: MeetingSpec, path: str, meeting_id: str) -> Iterator[PresenceEvent | Gap]:
    """All joins and leaves; nothing while Teams has no report yet. Where a report names people without times, its
    session is a gap: somebody was there, and nobody knows when. So is one whose report cannot be asked for."""
    for report in client.rows(f"{path}/attendanceReports"):
        begin, end = moment(report.get("meetingStartDateTime")), moment(report.get("meetingEndDateTime"))
        if begin is None or not meeting.starts_at - AROUND <= begin <= meeting.ends_at + AROUND:
            continue
        key = report.get("id")
        records = client.rows(f"{path}/attendanceReports/{quote(str(key))}/attendanceRecords") if key else ()
        lacking = not key
        for record in records:
            events = list(_events(record, meeting_id))
            lacking = lacking or not events
            yield from events
        if lacking:
            yield Gap(begin, end or meeting.ends_at, "no times in report", meeting_id)


def _events(record: Mapping[str, Any], meeting_id: str) -> Iterator[PresenceEvent]:
    who = _identity(record)
    if who is None:
        return
    identity, key = who
    intervals = record.get("attendanceIntervals")
    for interval in intervals if isinstance(intervals, list) else ():
        if not isinstance(interval, dict):
            continue
        joined, left = moment(interval.get("joinDateTime")), moment(interval.get("leaveDateTime"))
        if joined is None or left is None:
            continue
        for kind, at in ((EvidenceKind.JOINED, joined), (EvidenceKind.LEFT, left)):
            # Not of the report: the same stay may be told by two.
            mark = hashlib.sha256(f"{meeting_id}\n{key}".encode("utf-8", "replace")).hexdigest()[:40]
            yield PresenceEvent(
                event_key=f"{mark}:{kind.value}:{int(at.timestamp() * 1000)}",
                external_id=meeting_id,
                kind=kind,
                at=at,
                identity=identity,
                quality="reported",
            )


def _identity(record: Mapping[str, Any]) -> tuple[str, str] | None:
    """By what a person is to be matched (mail address before name), and what tells them from namesakes."""
    found = record.get("identity")
    identity: Mapping[str, Any] = found if isinstance(found, dict) else {}
    mail, name = record.get("emailAddress"), identity.get("displayName")
    shown = str(mail or name or "").strip()[:255]
    return (shown, str(identity.get("id") or record.get("id") or shown)) if shown else None


def moment(value: object) -> datetime | None:
    """Graph's ``2021-10-05T04:38:23.945Z`` as aware UTC; None: it is no time."""
    try:
        found = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
