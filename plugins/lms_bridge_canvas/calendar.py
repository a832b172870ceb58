"""Calendar events of lessons: made one by one (Canvas has no batch), changed in place, found again by a marker."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from lms_bridge.core.plugins import N_, CalendarEvent, NotThere, PluginError, RemoteEvent, described, marked
from lms_bridge_canvas.client import CanvasClient

COURSES_AT_ONCE = 10
"""So many calendars Canvas takes in one question; of more it silently looks at the first."""

COURSE = "course_"


class Calendar:
    """The calendars of courses."""

    def __init__(self, client: CanvasClient) -> None:
        self._client = client

    def create(self, event: CalendarEvent) -> str:
        """Make one event; its number."""
        return str(self._client.write("POST", "calendar_events", _form(event))["id"])

    def update(self, remote_id: str, event: CalendarEvent) -> None:
        """Write all of the event; it keeps its number.

        :raises NotThere: it was deleted.
        """
        kept = self._client.write("PUT", f"calendar_events/{remote_id}", _form(event))
        if kept.get("workflow_state") == "deleted":
            raise NotThere(N_("The event is no longer in Canvas's calendar."))

    def delete(self, remote_id: str) -> None:
        """Remove one event; one that is gone is gone."""
        try:
            self._client.write("DELETE", f"calendar_events/{remote_id}")
        except NotThere:
            return

    def find(self, courses: Sequence[str], since: datetime, until: datetime) -> Iterator[RemoteEvent]:
        """Events of these courses that carry a marker."""
        for start in range(0, len(courses), COURSES_AT_ONCE):
            asked = {
                "type": "event",
                "context_codes[]": [COURSE + number for number in courses[start : start + COURSES_AT_ONCE]],
                "start_date": _said(since),
                "end_date": _said(until),
            }
            for row in self._client.pages("calendar_events", asked):
                found = marked(row.get("description"))
                if found is not None and row.get("workflow_state") != "deleted":
                    yield _remote(row, *found)


def _form(event: CalendarEvent) -> dict[str, Any]:
    return {
        "calendar_event": {
            "context_code": COURSE + event.course_remote_id,
            "title": event.title[:255],
            "description": described(event.description, event.url, event.key, event.link_text),
            "start_at": _said(event.starts_at),
            "end_at": _said(event.ends_at),
        }
    }


def _said(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _remote(row: dict[str, Any], key: str, url: str) -> RemoteEvent:
    try:
        starts_at = datetime.fromisoformat(row["start_at"])
        ends_at = datetime.fromisoformat(row.get("end_at") or row["start_at"])
    except (KeyError, TypeError, ValueError):
        raise PluginError(N_("Canvas's answer has another form than its documentation says.")) from None
    return RemoteEvent(
        remote_id=str(row["id"]),
        key=key,
        course_remote_id=str(row.get("context_code") or "").removeprefix(COURSE),
        title=str(row.get("title") or ""),
        starts_at=starts_at.astimezone(UTC),
        ends_at=ends_at.astimezone(UTC),
        visible=not row.get("hidden"),
        url=url,
    )
