"""Rooms at Zoom: a scheduled meeting of one of the host accounts for each lesson, its people registered beforehand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

from lms_bridge.core.plugins import (
    N_,
    Attendee,
    Capacity,
    Check,
    FoundRoom,
    Gap,
    MeetingProvider,
    MeetingSpec,
    NotThere,
    Outgoing,
    PluginContext,
    PluginError,
    PresenceEvent,
    PresenceReport,
    ProviderCapabilities,
    Room,
    RoomRole,
    TemporaryFailure,
    WebhookAnswer,
    now,
)
from lms_bridge_zoom import probe, report, webhook
from lms_bridge_zoom.client import ZoomClient
from lms_bridge_zoom.registrants import Registrants
from lms_bridge_zoom.setting_labels import LABELS
from lms_bridge_zoom.settings import ZoomSettings
from lms_bridge_zoom.sightings import moment

TITLE_LENGTH = 200
SCHEDULED = 2
"""Zoom's number for a meeting with a time."""

BETWEEN_PROBES = timedelta(seconds=60)
DAY = 1440
"""Minutes."""
OVERTIME = timedelta(hours=3)
"""So long after its planned end a meeting may still be going on."""

APPROVED_BY_HAND, NO_REGISTRATION = 1, 2
"""Zoom's numbers for how registrations are approved. By hand, since Zoom shows everybody a form for registering and
would let in whoever fills it in. Those whom we register are approved at once (``auto_approve``), the others never."""


class ZoomProvider(MeetingProvider):
    """Zoom by a server-to-server OAuth app."""

    identifier = "zoom"
    verbose_name = "Zoom"
    Settings: ClassVar[type[ZoomSettings]] = ZoomSettings
    setting_labels = LABELS
    capabilities = ProviderCapabilities(
        local_join_url=False,
        real_time_presence=True,
        report_afterwards=True,
        per_person_link=True,
        host_licences=True,
        server_end=True,
        leader_address_keep=timedelta(seconds=60),
    )

    def __init__(self, settings: ZoomSettings, context: PluginContext) -> None:
        super().__init__(settings, context)
        self._zoom = settings
        self._domain = settings.registrant_domain or urlsplit(context.base_url).hostname or "lms-bridge.invalid"
        seconds = context.timeout.total_seconds()
        self._client = ZoomClient(settings, Outgoing("Zoom", seconds=seconds, networks=context.networks))
        self._registrants = Registrants(self._client, self._domain)

    def hosts(self) -> Sequence[str]:
        """The licensed users; each holds one lesson at a time."""
        return list(dict.fromkeys(self._zoom.hosts))

    def capacity(self) -> Capacity:
        """One room for each host."""
        return Capacity(rooms=len(self.hosts()))

    def check(self) -> Sequence[Check]:
        """The app, its scopes, the hosts, the webhooks."""
        return probe.probe(self._client, self._zoom, self.context.webhook_url, self._domain)

    def ensure(self, meeting: MeetingSpec, room: Room | None) -> Room:
        """A scheduled meeting of the host, found again by the mark in its agenda."""
        if room is not None:
            return self.update(meeting, room)
        host = self._host(meeting)
        found = self._marked(host, meeting)
        if found is None:
            answer = self._client.call("POST", f"users/{quote(host, safe='@')}/meetings", json=self._wish(meeting))
        else:
            answer = self._client.call("GET", f"meetings/{found}")
        return self._room(answer, host)

    def update(self, meeting: MeetingSpec, room: Room) -> Room:
        """Zoom is told of the new time and title. Another host, or a meeting that somebody deleted at Zoom, makes a new
        one, with new addresses."""
        if meeting.host not in (None, room.state["host"]):
            made = self.ensure(meeting, None)
            self.end(meeting, room)
            return made
        wish = self._wish(meeting)
        del wish["settings"], wish["type"]
        try:
            self._client.call("PATCH", f"meetings/{room.state['id']}", json=wish)
        except NotThere:
            return self.ensure(meeting, None)
        return room

    def end(self, meeting: MeetingSpec, room: Room) -> None:
        """Ended for all if it is going on. One that nobody ever entered is taken back, so that its host is free; one
        that is over stays in Zoom's list, because its report hangs on it."""
        meeting_id = str(room.state["id"])
        path = f"meetings/{meeting_id}"
        try:
            if self._client.call("GET", path).get("status") == "started":
                self._client.call("PUT", f"{path}/status", json={"action": "end"})
            elif not report.sessions(self._client, meeting_id):
                self._client.call("DELETE", path, params={"schedule_for_reminder": "false"})
        except NotThere:
            return

    def join_url(self, meeting: MeetingSpec, room: Room, attendee: Attendee) -> str:
        """The leader's is made at this moment, with the host's right in it, and good for two hours; the others' are
        those they were registered with."""
        if attendee.role is RoomRole.LEADER:
            return _address(self._client.call("GET", f"meetings/{room.state['id']}").get("start_url"))
        return self.join_urls(meeting, room, [attendee])[attendee.uid]

    def join_urls(self, meeting: MeetingSpec, room: Room, attendees: Sequence[Attendee]) -> Mapping[str, str]:
        """The addresses of all but leaders, thirty people a call."""
        people = [attendee for attendee in attendees if attendee.role is not RoomRole.LEADER]
        if not room.state["registration"]:
            return {attendee.uid: str(room.secrets["join_url"]) for attendee in people}
        registered = self._registrants.register(str(room.state["id"]), people) if people else {}
        return {uid: one.join_url for uid, one in registered.items()}

    def open_rooms(self) -> Iterable[FoundRoom]:
        """Our meetings in the lists of the hosts, until some time after they were to end."""
        for host in self.hosts():
            for row in self._listed(host):
                key, room_id = self._key_of(row), str(row.get("id"))
                starts_at, minutes = moment(row.get("start_time")), row.get("duration")
                if key is None or starts_at is None or not room_id.isdecimal():
                    continue
                lasts = timedelta(minutes=minutes) if isinstance(minutes, int) and 0 < minutes < DAY else timedelta(0)
                if starts_at + lasts + OVERTIME > now():
                    yield FoundRoom(key, Room((room_id,), {"id": room_id, "host": host, "registration": False}))

    def probe(self) -> None:
        """Zoom answers, and the first host is known to it."""
        self._client.call("GET", f"users/{quote(self.hosts()[0], safe='@')}")

    def presence(self, meetings: Sequence[tuple[MeetingSpec, Room]], cursor: Mapping[str, Any]) -> PresenceReport:
        """The reports of meetings that are over; of those that run, webhooks tell."""
        over = [(meeting, room) for meeting, room in meetings if meeting.ended_at is not None]
        return self._reports(over, cursor) if over else self._running(cursor)

    def _running(self, cursor: Mapping[str, Any]) -> PresenceReport:
        """Asked every few seconds: whether Zoom answers is looked at once a minute. Where no webhooks are set up,
        nothing can be seen, which is not the same as nobody being there."""
        moment_now, last = now(), moment(cursor.get("at"))
        if last is not None and moment_now - last < BETWEEN_PROBES:
            return PresenceReport(cursor=cursor)
        self.probe()
        gaps = []
        if not self._zoom.webhook_secret.get_secret_value():
            since = last if last is not None and moment_now - last < 2 * BETWEEN_PROBES else moment_now - BETWEEN_PROBES
            gaps = [Gap(since, moment_now, "no webhooks")]
        return PresenceReport(gaps=gaps, cursor={"at": moment_now.isoformat()})

    def _reports(self, meetings: Sequence[tuple[MeetingSpec, Room]], cursor: Mapping[str, Any]) -> PresenceReport:
        """Told in pieces where Zoom stops answering in between: ``cursor`` holds which are done, until all are."""
        done: list[str] = [str(one) for one in cursor.get("done", ())]
        events: list[PresenceEvent] = []
        for meeting, room in meetings:
            meeting_id = str(room.state["id"])
            if meeting_id in done:
                continue
            registrants = self._registrants if room.state["registration"] else None
            try:
                events += report.attendance(self._client, registrants, meeting, meeting_id, self._domain)
            except TemporaryFailure:
                if not events:
                    raise
                return PresenceReport(events=events, cursor={"done": done})
            done.append(meeting_id)
        return PresenceReport(events=events)

    def parse_webhook(
        self,
        headers: Mapping[str, str],
        query: Mapping[str, str],
        raw_body: bytes,
        *,
        meeting: MeetingSpec | None = None,
    ) -> WebhookAnswer:
        """Joins, leaves, ends, and Zoom's challenge."""
        return webhook.read(headers, raw_body, self._zoom.webhook_secret.get_secret_value(), self._domain)

    def _host(self, meeting: MeetingSpec) -> str:
        if meeting.host is not None:
            return meeting.host
        if len(self.hosts()) > 1:
            raise PluginError(N_("No Zoom user was chosen to hold the lesson."))
        return self.hosts()[0]

    def _mark(self, key: str) -> str:
        return f"[{self.context.installation}:{key}]"

    def _key_of(self, row: Mapping[str, Any]) -> str | None:
        """Whose meeting it is, by the mark in its agenda; None: none of ours."""
        agenda = str(row.get("agenda") or "")
        start, end = f"[{self.context.installation}:", agenda.find("]")
        return agenda[len(start) : end] if agenda.startswith(start) and end > 0 else None

    def _listed(self, host: str) -> Iterator[dict[str, Any]]:
        return self._client.rows(f"users/{quote(host, safe='@')}/meetings", "meetings", {"type": "scheduled"})

    def _marked(self, host: str, meeting: MeetingSpec) -> str | None:
        """The meeting that an earlier call made whose answer was lost."""
        return next((str(row.get("id")) for row in self._listed(host) if self._key_of(row) == meeting.key), None)

    def _wish(self, meeting: MeetingSpec) -> dict[str, Any]:
        minutes = max(1, -(-(meeting.ends_at - meeting.starts_at) // timedelta(minutes=1)))
        return {
            "topic": meeting.title[:TITLE_LENGTH],
            # The list of meetings shows only the beginning of the agenda.
            "agenda": f"{self._mark(meeting.key)} {meeting.lesson_url}",
            "type": SCHEDULED,
            "start_time": _stamp(meeting.starts_at),
            "duration": minutes,
            "settings": {
                "approval_type": APPROVED_BY_HAND if self._zoom.registration else NO_REGISTRATION,
                "registrants_confirmation_email": False,
                "registrants_email_notification": False,
                "allow_multiple_devices": True,
                "join_before_host": False,
                "waiting_room": False,
                "meeting_authentication": False,
                "mute_upon_entry": True,
            },
        }

    def _room(self, answer: Mapping[str, Any], host: str) -> Room:
        """What is kept. Zoom leaves a wish for registration aside without a word where the plan does not have it, so
        what it answers decides."""
        found = str(answer.get("id", ""))
        if not found.isdigit():
            raise PluginError(N_("Zoom's answer has another form than its documentation says."))
        settings = answer.get("settings")
        approval = settings.get("approval_type") if isinstance(settings, dict) else None
        return Room(
            external_ids=(found,),
            state={"id": found, "host": host, "registration": approval == APPROVED_BY_HAND},
            secrets={"join_url": _address(answer.get("join_url"))},
        )


def _address(url: object) -> str:
    if isinstance(url, str) and url.startswith(("https://", "http://")):
        return url
    raise PluginError(N_("Zoom did not say where the meeting is entered."))


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
