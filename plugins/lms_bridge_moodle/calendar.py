"""Calendar events of lessons: made in small batches, changed in place by the event form, found again by a marker."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lms_bridge.core.plugins import (
    N_,
    CalendarEvent,
    NotThere,
    PluginError,
    RemoteEvent,
    described,
    marked,
)
from lms_bridge_moodle.answers import NotAllowed
from lms_bridge_moodle.client import MoodleClient, chunks, rows
from lms_bridge_moodle.settings import CancelledEvents, MoodleSettings
from lms_bridge_moodle.texts import name, plain

MAX_BATCH = 50
COURSES_AT_ONCE = 10


class Calendar:
    """The calendar, as the service user whose number is ``user_id`` and whose time zone is ``zone``."""

    def __init__(self, client: MoodleClient, settings: MoodleSettings) -> None:
        self._client, self._settings = client, settings
        self._zone: ZoneInfo | None = None

    def create(self, events: Sequence[CalendarEvent]) -> list[str | None]:
        """Make at most :data:`MAX_BATCH` events. What comes back is counted and told apart by course and marker,
        because Moodle drops what it may not do, and PHP what is too much, without an error."""
        if len(events) > MAX_BATCH:
            raise ValueError(f"{len(events)} events at once")
        answer = self._client.write("core_calendar_create_calendar_events", events=[self._new(e) for e in events])
        made: dict[tuple[str, str], str] = {}
        for row in rows(answer, "events"):
            found = marked(row.get("description"))
            if found is not None:
                made[str(row["courseid"]), found[0]] = str(row["id"])
        if not made and rows(answer, "warnings"):
            raise NotAllowed(
                N_("Moodle made none of %(count)s events: %(text)s"),
                remedy=N_("Allow the service user moodle/calendar:manageentries."),
                count=len(events),
                text=str(rows(answer, "warnings")[0].get("message", ""))[:200],
            )
        return [made.get((event.course_remote_id, event.key)) for event in events]

    def _new(self, event: CalendarEvent) -> dict[str, Any]:
        return {
            "name": name(event.title),
            "description": _description(event),
            "format": 1,
            "courseid": event.course_remote_id,
            "groupid": event.group_remote_id,
            "eventtype": "group" if event.group_remote_id else "course",
            "timestart": int(event.starts_at.timestamp()),
            "timeduration": _seconds(event),
            "visible": self._visible(event),
        }

    def _visible(self, event: CalendarEvent) -> int:
        return int(not (event.cancelled and self._settings.cancelled_events is CancelledEvents.HIDE))

    def update(self, remote_id: str, event: CalendarEvent) -> None:
        """Write all of the event into Moodle's own form, which keeps its number.

        :raises NotThere: it was deleted.
        :raises PluginError: the form refused it, or understood another time.
        """
        answer = self._client.write("core_calendar_submit_create_update_form", formdata=self._form(remote_id, event))
        kept = answer.get("event") if isinstance(answer, dict) else None
        if not isinstance(kept, dict):
            if not self._exists(remote_id, event):
                raise NotThere(N_("The event is no longer in Moodle's calendar."))
            raise PluginError(
                N_("Moodle's calendar form refused the event."),
                remedy=N_(
                    "The lesson may begin before its Moodle course does (start date of the course), or the service "
                    "user may not edit the course's calendar (moodle/calendar:manageentries)."
                ),
            )
        if int(kept.get("timestart") or 0) != _minute(event.starts_at):
            raise PluginError(
                N_("Moodle understood another time than was meant."),
                remedy=N_("Set the time zone of the service user's profile in Moodle to UTC."),
            )

    def _form(self, remote_id: str, event: CalendarEvent) -> str:
        start = event.starts_at.astimezone(self._wall())
        fields: dict[str, object] = {
            "id": remote_id,
            "userid": 0,
            "modulename": "",
            "instance": 0,
            "visible": self._visible(event),
            "eventtype": "group" if event.group_remote_id else "course",
            "groupcourseid" if event.group_remote_id else "courseid": event.course_remote_id,
            "name": name(event.title),
            "location": event.url,
            "duration": 2,
            "timedurationminutes": max(1, _seconds(event) // 60),
            "timestart[day]": start.day,
            "timestart[month]": start.month,
            "timestart[year]": start.year,
            "timestart[hour]": start.hour,
            "timestart[minute]": start.minute,
            "description[text]": _description(event),
            "description[format]": 1,
            "description[itemid]": 0,
            "_qf__core_calendar_local_event_forms_update": 1,
        }
        if event.group_remote_id:
            fields["groupid"] = event.group_remote_id
        return urlencode(fields)

    def _wall(self) -> ZoneInfo:
        """The zone in which the form's times are read: that of the service user's profile."""
        if self._zone is None:
            self._zone = self._read_zone()
        return self._zone

    def _read_zone(self) -> ZoneInfo:
        me = str(self._client.read("core_webservice_get_site_info")["userid"])
        found = rows(self._client.read("core_user_get_users_by_field", field="id", values=[me]))
        said = str(found[0].get("timezone", "")) if found else ""
        try:
            return ZoneInfo(said)
        except (ZoneInfoNotFoundError, ValueError):
            raise PluginError(
                N_("The time zone of the service user in Moodle is not known (%(zone)s)."),
                remedy=N_("Set the time zone of the service user's profile in Moodle to UTC."),
                zone=said or "-",
            ) from None

    def zone(self) -> str:
        """The name of the service user's time zone.

        :raises PluginError: it has none of its own.
        """
        return self._wall().key

    def delete(self, remote_id: str) -> None:
        """Remove one event; one that is gone is gone."""
        try:
            self._client.write("core_calendar_delete_calendar_events", events=[{"eventid": remote_id, "repeat": 0}])
        except NotThere:
            return

    def find(
        self, courses: Sequence[str], since: datetime, until: datetime, groups: Sequence[str] = ()
    ) -> Iterator[RemoteEvent]:
        """Events of these courses and groups that carry a marker, hidden ones too. Asked for both at once, Moodle
        leaves out what is for groups."""
        asked = [{"courseids": some} for some in chunks(courses, COURSES_AT_ONCE)]
        for which in asked + [{"groupids": some} for some in chunks(groups, COURSES_AT_ONCE)]:
            answer = self._events(which, since, until)
            if (refused := _refusal(answer)) is not None:
                raise NotAllowed(
                    N_("Moodle does not show the calendars of the courses: %(text)s"),
                    remedy=N_("Allow the service user moodle/calendar:manageentries."),
                    text=refused,
                )
            for row in rows(answer, "events"):
                found = marked(row.get("description"))
                if found is not None:
                    yield _remote(row, *found)

    def _exists(self, remote_id: str, event: CalendarEvent) -> bool:
        answer = self._events({"eventids": [remote_id], "courseids": [event.course_remote_id]}, None, None)
        return any(str(row["id"]) == remote_id for row in rows(answer, "events"))

    def _events(self, which: Mapping[str, Sequence[str]], since: datetime | None, until: datetime | None) -> Any:
        options = {
            "userevents": 0,
            "siteevents": 0,
            "ignorehidden": 0,
            "timestart": int(since.timestamp()) if since else 0,
            "timeend": int(until.timestamp()) if until else 0,
        }
        return self._client.read("core_calendar_get_calendar_events", events=which, options=options)


def _description(event: CalendarEvent) -> str:
    return described(event.description, event.url, event.key, event.link_text)


def _seconds(event: CalendarEvent) -> int:
    return int((event.ends_at - event.starts_at).total_seconds())


def _minute(moment: datetime) -> int:
    """Seconds since 1970 at the beginning of the minute: the form knows no seconds."""
    return int(moment.timestamp()) // 60 * 60


def _refusal(answer: Any) -> str | None:
    texts = [str(w.get("message", "")) for w in rows(answer, "warnings") if w.get("warningcode") == "nopermissions"]
    # Behind the first sentence Moodle prints where in its code that was.
    return texts[0].partition("#0")[0][:200] if texts else None


def _remote(row: dict[str, Any], key: str, url: str) -> RemoteEvent:
    start = datetime.fromtimestamp(int(row["timestart"]), UTC)
    return RemoteEvent(
        remote_id=str(row["id"]),
        key=key,
        course_remote_id=str(row.get("courseid") or ""),
        title=plain(row.get("name")),
        starts_at=start,
        ends_at=start + timedelta(seconds=int(row.get("timeduration") or 0)),
        visible=bool(row.get("visible", 1)),
        group_remote_id=str(row["groupid"]) if row.get("groupid") else None,
        url=url,
    )
