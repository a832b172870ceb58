"""Rooms at Tencent Meeting: a scheduled meeting of one of the host accounts for each lesson, with an address for each
person that carries a mark by which they are known again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from lms_bridge.core.plugins import (
    N_,
    Attendee,
    Capacity,
    Check,
    EvidenceKind,
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
from lms_bridge_tencent_meeting import events, inside, probe
from lms_bridge_tencent_meeting.client import TOO_MANY_ADDRESSES, MeetingClient, TencentRefusal
from lms_bridge_tencent_meeting.setting_labels import LABELS
from lms_bridge_tencent_meeting.settings import TencentMeetingSettings
from lms_bridge_tencent_meeting.sightings import moment, seen, sighting
from lms_bridge_tencent_meeting.signing import customer_data

TITLE_LENGTH = 80
COMPUTER = 1
"""Tencent's number for a client; asked for everywhere, and of no meaning here."""

BETWEEN_LOOKS = timedelta(seconds=60)
NEVER = datetime.fromtimestamp(0, UTC)
AROUND = timedelta(hours=12)
PAGE = 100
CANCELLED_BY_US = 1


class TencentMeetingProvider(MeetingProvider):
    """Tencent Meeting by an application of the enterprise."""

    identifier = "tencent_meeting"
    verbose_name = "腾讯会议 (Tencent Meeting)"
    Settings: ClassVar[type[TencentMeetingSettings]] = TencentMeetingSettings
    setting_labels = LABELS
    capabilities = ProviderCapabilities(
        local_join_url=False,
        real_time_presence=True,
        report_afterwards=True,
        per_person_link=True,
        host_licences=True,
        server_end=True,
    )

    def __init__(self, settings: TencentMeetingSettings, context: PluginContext) -> None:
        super().__init__(settings, context)
        self._tencent = settings
        seconds = context.timeout.total_seconds()
        self._client = MeetingClient(settings, Outgoing("Tencent Meeting", seconds=seconds, networks=context.networks))

    def hosts(self) -> Sequence[str]:
        """The users in whose name lessons are held; each holds one at a time."""
        return list(dict.fromkeys(self._tencent.hosts))

    def host_realm(self) -> str:
        """Another enterprise may use the same ``userid``."""
        return self._tencent.app_id

    def capacity(self) -> Capacity:
        """One room for each host."""
        return Capacity(rooms=len(self.hosts()))

    def check(self) -> Sequence[Check]:
        """The signature, the hosts, the events."""
        return probe.probe(self._client, self._tencent, self.hosts(), self.context.webhook_url)

    def probe(self) -> None:
        """Tencent Meeting answers, takes the signature, and knows the first host."""
        probe.look_at(self._client, self.hosts()[0])

    def ensure(self, meeting: MeetingSpec, room: Room | None) -> Room:
        """A scheduled meeting of the host, found again by the mark at the end of its title."""
        if room is not None:
            return self.update(meeting, room)
        host = self._host(meeting)
        found = self._marked(host, meeting)
        if found is None:
            wish = self._wish(meeting, host) | {
                "type": 0,
                "settings": {
                    "mute_enable_type_join": 1,
                    # The host account may be nobody who ever comes.
                    "allow_in_before_host": True,
                    "auto_in_waiting_room": False,
                    "allow_multi_device": True,
                    "auto_record_type": "none",
                },
            }
            answer = self._client.call("POST", "meetings", body=wish)
            rows = answer.get("meeting_info_list")
            found = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else {}
        meeting_id, url = str(found.get("meeting_id", "")), found.get("join_url")
        if not meeting_id.isdecimal() or not isinstance(url, str) or not url.startswith(("https://", "http://")):
            raise PluginError(N_("Tencent Meeting did not say where the meeting is entered."))
        return Room((meeting_id,), {"id": meeting_id, "host": host}, {"join_url": url})

    def update(self, meeting: MeetingSpec, room: Room) -> Room:
        """Tencent Meeting is told of the new time and title. Another host, or a meeting that somebody cancelled there,
        makes a new one, with new addresses."""
        host = str(room.state["host"])
        if meeting.host not in (None, host):
            made = self.ensure(meeting, None)
            self.end(meeting, room)
            return made
        try:
            self._client.tell("PUT", f"meetings/{room.state['id']}", self._wish(meeting, host))
        except NotThere:
            return self.ensure(meeting, None)
        return room

    def end(self, meeting: MeetingSpec, room: Room) -> None:
        """Ended for all, and closed to those who would come back, if it is going on; taken back if nobody ever came."""
        path, host = f"meetings/{room.state['id']}", str(room.state["host"])
        try:
            state = self._state(path, host)
            if state == "MEETING_STATE_STARTED":
                who = {"operator_id": host, "operator_id_type": 1, "instanceid": COMPUTER}
                how = {"reason_code": CANCELLED_BY_US, "force_dismiss_meeting": 1, "retrieve_code": 1}
                self._client.tell("POST", f"{path}/dismiss", who | how)
            elif state in ("MEETING_STATE_INIT", "MEETING_STATE_NULL"):
                who = {"userid": host, "instanceid": COMPUTER}
                self._client.tell("POST", f"{path}/cancel", who | {"reason_code": CANCELLED_BY_US})
        except NotThere:
            return

    def join_url(self, meeting: MeetingSpec, room: Room, attendee: Attendee) -> str:
        """The person's own address. Where teachers are known by their mail address, a leader is made host first."""
        if attendee.role is RoomRole.LEADER and attendee.email and self._tencent.teachers_by_mail:
            wish = self._wish(meeting, str(room.state["host"])) | {"hosts": [{"userid": attendee.email}]}
            self._client.tell("PUT", f"meetings/{room.state['id']}", wish)
        return self._addresses(room, [attendee])[attendee.uid]

    def join_urls(self, meeting: MeetingSpec, room: Room, attendees: Sequence[Attendee]) -> Mapping[str, str]:
        """The addresses of all but leaders, who get theirs at the click."""
        return self._addresses(room, [one for one in attendees if one.role is not RoomRole.LEADER])

    def presence(self, meetings: Sequence[tuple[MeetingSpec, Room]], cursor: Mapping[str, Any]) -> PresenceReport:
        """Running meetings are looked into once a minute (events tell sooner); of those that are over the lists of all
        who came are read."""
        over = [(meeting, room) for meeting, room in meetings if meeting.ended_at is not None]
        return self._afterwards(over, cursor) if over else self._running([room for _, room in meetings], cursor)

    def parse_webhook(
        self,
        headers: Mapping[str, str],
        query: Mapping[str, str],
        raw_body: bytes,
        *,
        meeting: MeetingSpec | None = None,
    ) -> WebhookAnswer:
        """Joins, leaves, ends, and the question whether the address is ours."""
        return events.read(headers, query, raw_body, self._tencent)

    def _running(self, rooms: Sequence[Room], cursor: Mapping[str, Any]) -> PresenceReport:
        """Each room is looked into once a minute, the one that waits longest first, so that a limit in between leaves
        none out for good. One that Tencent Meeting refuses to show, while all else is well, is a gap and asked for
        again at the next look. ``cursor`` holds for each when it was looked into, and who was inside."""
        at = now()
        known = {str(room.state["id"]): cursor.get(str(room.state["id"])) or {} for room in rooms}
        hosts = {str(room.state["id"]): str(room.state["host"]) for room in rooms}
        last = {key: moment(one.get("at")) or NEVER for key, one in known.items()}
        told: list[PresenceEvent] = []
        gaps: list[Gap] = []
        for key in sorted((key for key in known if at - last[key] >= BETWEEN_LOOKS), key=lambda key: last[key]):
            try:
                found, inside_now = inside.look(self._client, key, hosts[key], known[key].get("inside") or {}, at)
            except NotThere:
                found, inside_now = [], {}
            except TemporaryFailure:
                if at not in last.values():
                    raise
                break
            except TencentRefusal:
                gaps.append(Gap(max(last[key], at - BETWEEN_LOOKS), at, "refused", key))
                continue
            told += found
            known[key], last[key] = {"at": int(at.timestamp()), "inside": inside_now}, at
        if gaps and at not in last.values():
            self.probe()  # where that is refused as well, it is not the rooms
        return PresenceReport(events=told, gaps=tuple(gaps), cursor=known)

    def _afterwards(self, meetings: Sequence[tuple[MeetingSpec, Room]], cursor: Mapping[str, Any]) -> PresenceReport:
        """Told in pieces where Tencent stops answering in between: ``cursor`` holds which are done, until all are."""
        done: list[str] = [str(one) for one in cursor.get("done", ())]
        told: list[PresenceEvent] = []
        for _, room in meetings:
            meeting_id = str(room.state["id"])
            if meeting_id in done:
                continue
            path, asked = f"meetings/{meeting_id}/participants", {"userid": str(room.state["host"])}
            try:
                for row in self._client.positioned(path, "participants", asked, PAGE):
                    who = seen(row, row.get("customer_data"), encoded=True)
                    for kind, key in ((EvidenceKind.JOINED, "join_time"), (EvidenceKind.LEFT, "left_time")):
                        at = moment(row.get(key))
                        if at is not None:
                            told.append(sighting(meeting_id, kind, at, who, "reported"))
            except NotThere:
                pass
            except TemporaryFailure:
                if not told and not done:
                    raise
                return PresenceReport(events=told, cursor={"done": done})
            done.append(meeting_id)
        return PresenceReport(events=told)

    def _addresses(self, room: Room, attendees: Sequence[Attendee]) -> dict[str, str]:
        """Personal addresses: those that exist are read first, so that a lost answer makes no second one. Tencent gives
        at most 300 for a meeting; whoever comes after that has the common address and is known by name."""
        meeting_id = str(room.state["id"])
        operator: dict[str, Any] = {"operator_id": str(room.state["host"]), "operator_id_type": 1}
        known: dict[str, str] = {}
        if attendees:
            params = {key: str(value) for key, value in operator.items()}
            answer = self._client.call("GET", f"meetings/{meeting_id}/customer-short-url", params=params)
            known = _short_urls(answer.get("meeting_short_url_customer_data"))
        found: dict[str, str] = {}
        for attendee in attendees:
            mark = customer_data(attendee.uid)
            if mark not in known:
                wish = operator | {"meeting_id": meeting_id, "customer_data": mark}
                try:
                    answer = self._client.call("POST", "meetings/customer-short-url", body=wish)
                except TencentRefusal as refusal:
                    if refusal.number != TOO_MANY_ADDRESSES:
                        raise
                    found[attendee.uid] = str(room.secrets["join_url"])
                    continue
                known |= _short_urls(answer.get("meeting_short_url_customer_data"))
            if mark not in known:
                raise PluginError(N_("Tencent Meeting did not say where the meeting is entered."))
            found[attendee.uid] = known[mark]
        return found

    def _state(self, path: str, host: str) -> str:
        rows = self._client.call("GET", path, params={"userid": host, "instanceid": str(COMPUTER)}).get(
            "meeting_info_list"
        )
        row = rows[0] if isinstance(rows, list) and rows else None
        return str(row.get("status", "")) if isinstance(row, dict) else ""

    def _host(self, meeting: MeetingSpec) -> str:
        if meeting.host is not None:
            return meeting.host
        if len(self.hosts()) > 1:
            raise PluginError(N_("No user of Tencent Meeting was chosen to hold the lesson."))
        return self.hosts()[0]

    def _title(self, meeting: MeetingSpec) -> str:
        """The title with a mark: there is no other field that lists of meetings bring back."""
        digest = hashlib.sha256(f"{self.context.installation}:{meeting.key}".encode()).hexdigest()
        return f"{meeting.title[:TITLE_LENGTH]} [{digest[:10]}]"

    def _marked(self, host: str, meeting: MeetingSpec) -> dict[str, Any] | None:
        """The meeting that an earlier call made whose answer was lost."""
        mark = self._title(meeting)[-12:]
        for row in self._client.meetings(host, int((meeting.starts_at - AROUND).timestamp())):
            if str(row.get("subject", "")).endswith(mark):
                return row
            starts_at = moment(row.get("start_time"))
            if starts_at is not None and starts_at > meeting.starts_at + AROUND:
                return None
        return None

    def _wish(self, meeting: MeetingSpec, host: str) -> dict[str, Any]:
        return {
            "userid": host,
            "instanceid": COMPUTER,
            "subject": self._title(meeting),
            # As text: Tencent Meeting refuses numbers here.
            "start_time": str(int(meeting.starts_at.timestamp())),
            "end_time": str(int(meeting.ends_at.timestamp())),
        }


def _short_urls(found: Any) -> dict[str, str]:
    """Addresses by the mark that they carry; one object, or a list of them."""
    rows = [found] if isinstance(found, dict) else found
    return {
        str(row.get("customer_data")): str(row["meeting_short_url"])
        for row in (rows if isinstance(rows, list) else ())
        if isinstance(row, dict) and str(row.get("meeting_short_url", "")).startswith(("https://", "http://"))
    }
