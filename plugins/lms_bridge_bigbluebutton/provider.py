"""The provider: what LMS Bridge needs of BigBlueButton, behind the interface of meeting providers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar

from pydantic import BaseModel

from lms_bridge.core.plugins import (
    N_,
    Attendee,
    Capacity,
    Check,
    FoundRoom,
    MeetingProvider,
    MeetingSpec,
    NotThere,
    PluginContext,
    PluginError,
    PresenceReport,
    ProviderCapabilities,
    Recording,
    Room,
    RoomRole,
    TemporaryFailure,
    WebhookAnswer,
    now,
)
from lms_bridge_bigbluebutton import callbacks, webhooks
from lms_bridge_bigbluebutton.client import Client, Cluster, Refused
from lms_bridge_bigbluebutton.polling import poll
from lms_bridge_bigbluebutton.probe import probe
from lms_bridge_bigbluebutton.recordings import recordings
from lms_bridge_bigbluebutton.rooms import EXPECTED, FoundMeeting, found, key_of, name_of
from lms_bridge_bigbluebutton.setting_labels import LABELS
from lms_bridge_bigbluebutton.settings import Algorithm, BigBlueButtonSettings, Server
from lms_bridge_bigbluebutton.signing import signed

KEPT_UNUSED = timedelta(minutes=30)
"""How long the server keeps a room that nobody entered (by itself it would be 5 minutes): whoever clicked may still be
looking for their headset."""
KEPT_EMPTY = timedelta(minutes=10)
"""How long the server keeps a room that the last one left (by itself it would be 1 minute)."""
ENDED_NAME = timedelta(seconds=20)
"""When to try again to make a room whose predecessor was just ended by somebody inside."""
TITLE_LENGTH = 64


class BigBlueButtonProvider(MeetingProvider):
    """Rooms on one or several servers, made when the first person stands at the door. Which server has a room is kept
    in its state."""

    identifier = "bigbluebutton"
    verbose_name = "BigBlueButton"
    Settings: ClassVar[type[BaseModel]] = BigBlueButtonSettings
    setting_labels = LABELS
    setting_choices: ClassVar[Mapping[str, str]] = {one.value: one.value for one in Algorithm}
    capabilities = ProviderCapabilities(
        lazy_create=True,
        keep_unused=KEPT_UNUSED,
        local_join_url=True,
        real_time_presence=True,
        per_person_link=True,
        server_end=True,
        recordings=True,
    )

    def __init__(self, settings: BaseModel, context: PluginContext) -> None:
        super().__init__(settings, context)
        assert isinstance(settings, BigBlueButtonSettings)
        self._settings = settings
        self._cluster = Cluster(settings, context)

    # --- rooms -------------------------------------------------------------------------------------------------------

    def ensure(self, meeting: MeetingSpec, room: Room | None) -> Room:
        """One server is asked to make the room, which finds one of the same name. Of several, the one that has it, or
        the one with most space; those that do not answer are passed over."""
        name = room.external_ids[0] if room is not None else name_of(self.context.base_url, meeting.key)
        if len(self._cluster.servers) == 1:
            (server,) = self._cluster.servers
        else:
            server, known = self._chosen(name, meeting.expected)
            if known is not None:
                return _room(server, known)
        with self._cluster.client(server) as client:
            try:
                made = found(client.call("create", self._wanted(meeting, name)))
            except Refused as refusal:
                if refusal.key != "idNotUnique":
                    raise
                # Made before with other words in its title: the same room all the same.
                made = found(client.call("getMeetingInfo", {"meetingID": name}))
        if made.over:
            ended = TemporaryFailure(N_("Somebody ended the room a moment ago; it can be opened anew shortly."))
            ended.retry_after = ENDED_NAME
            raise ended
        return _room(server, made)

    def _chosen(self, name: str, expected: int) -> tuple[Server, FoundMeeting | None]:
        """The server for the room ``name``, and the room if it is there already."""
        loads: list[tuple[bool, float, int, Server]] = []
        for number, (server, rooms) in enumerate(self._cluster.meetings().items()):
            for one in rooms:
                if one.meeting_id == name and not one.over:
                    return server, one
            running = [one for one in rooms if not one.over]
            people = sum(one.expected for one in running)
            limits = self._settings
            full = (limits.max_rooms is not None and len(running) >= limits.max_rooms) or (
                limits.max_people is not None and people + expected > limits.max_people
            )
            loads.append((full, people + len(running) / 1000, number, server))
        return min(loads)[-1], None

    def _wanted(self, meeting: MeetingSpec, name: str) -> dict[str, str]:
        title = "".join(c for c in meeting.title if c.isprintable())[:TITLE_LENGTH].strip()
        wanted = {
            "name": title if len(title) > 1 else name[:TITLE_LENGTH],
            "meetingID": name,
            "meetingExpireIfNoUserJoinedInMinutes": str(KEPT_UNUSED // timedelta(minutes=1)),
            "meetingExpireWhenLastUserLeftInMinutes": str(KEPT_EMPTY // timedelta(minutes=1)),
            "guestPolicy": "ALWAYS_ACCEPT",
            "muteOnStart": "true",
            "logoutURL": meeting.lesson_url,
            "loginURL": meeting.lesson_url,
            "meetingKeepEvents": "true",
            "record": "true" if self._settings.record else "false",
            "meta_endCallbackUrl": meeting.callback_url,
            "meta_analytics-callback-url": meeting.callback_url,
            f"meta_{EXPECTED}": str(meeting.expected),
        }
        if self._settings.record:
            wanted |= {
                "autoStartRecording": "false",
                "allowStartStopRecording": "true",
                "notifyRecordingIsOn": "true",
            }
        return wanted

    def join_url(self, meeting: MeetingSpec, room: Room, attendee: Attendee) -> str:
        """Signed here. With the time at which the room was made, so that it opens no later room of the same name."""
        server = self._server_of(room)
        person = {
            "fullName": attendee.display_name,
            "meetingID": room.external_ids[0],
            "role": "MODERATOR" if attendee.role is RoomRole.LEADER else "VIEWER",
            "userID": attendee.uid,
            "createTime": str(room.state["create_time"]),
            "userdata-bbb_override_default_locale": attendee.locale,
            "errorRedirectUrl": meeting.lesson_url,
        }
        if attendee.role is RoomRole.OBSERVER:
            person["excludeFromDashboard"] = "true"
        return signed(server.url, "join", person, server.secret, self._settings.algorithm.value)

    def end(self, meeting: MeetingSpec, room: Room) -> None:
        """Ends it for everybody inside; a room that is gone already, or whose server is, needs no end."""
        server = self._cluster.server(room.state.get("server"))
        if server is None:
            return
        with self._cluster.client(server) as client:
            try:
                client.call("end", {"meetingID": room.external_ids[0]})
            except NotThere:
                return

    def open_rooms(self) -> Iterable[FoundRoom]:
        """Rooms whose name carries the mark of this installation, on all servers that answer.

        :raises PluginError: none does.
        """
        for server, rooms in self._cluster.meetings().items():
            for one in rooms:
                key = key_of(self.context.base_url, one.meeting_id)
                if key is not None and not one.over:
                    yield FoundRoom(key, _room(server, one))

    def _server_of(self, room: Room) -> Server:
        server = self._cluster.server(room.state.get("server"))
        if server is None:
            raise PluginError(
                N_("The room is on a server that is no longer in the settings: %(address)s."),
                remedy=N_("Add the server again, or have the lesson moved to another room."),
                address=str(room.state.get("server", "-")),
            )
        return server

    # --- who is there ------------------------------------------------------------------------------------------------

    def presence(self, meetings: Sequence[tuple[MeetingSpec, Room]], cursor: Mapping[str, Any]) -> PresenceReport:
        """One question to each server that has some of the rooms. Webhooks are asked for on the way."""
        return poll(self._cluster, meetings, cursor, now(), self._register)

    def _register(self, client: Client) -> None:
        """Ask bbb-webhooks to tell us; asked twice, it tells once. A server without it is polled alone."""
        if not self.context.webhook_url:
            return
        hook = {"callbackURL": self.context.webhook_url, "eventID": ",".join(webhooks.EVENTS), "getRaw": "false"}
        try:
            client.call("hooks/create", hook)
        except PluginError:
            return

    def parse_webhook(
        self,
        headers: Mapping[str, str],
        query: Mapping[str, str],
        raw_body: bytes,
        *,
        meeting: MeetingSpec | None = None,
    ) -> WebhookAnswer:
        servers, base_url = self._cluster.servers, self.context.base_url
        if meeting is not None:
            return callbacks.read(servers, name_of(base_url, meeting.key), headers, raw_body)
        return webhooks.read(servers, self.context.webhook_url, base_url, headers, query, raw_body)

    # --- the servers -------------------------------------------------------------------------------------------------

    def capacity(self) -> Capacity:
        """Of all servers that answer together.

        :raises PluginError: none does.
        """
        known = self._cluster.meetings()
        running = [one for rooms in known.values() for one in rooms if not one.over]
        limits = self._settings
        return Capacity(
            rooms=limits.max_rooms * len(known) if limits.max_rooms is not None else None,
            people=limits.max_people * len(known) if limits.max_people is not None else None,
            rooms_in_use=len(running),
            people_in_use=sum(one.count for one in running),
        )

    def recordings(self, meetings: Sequence[tuple[MeetingSpec, Room]]) -> Iterable[Recording]:
        """Asked of the servers that had the rooms."""
        for server in self._cluster.servers:
            names = [room.external_ids[0] for _, room in meetings if room.state.get("server") == server.url]
            if names:
                with self._cluster.client(server) as client:
                    yield from recordings(client, names)

    def check(self) -> Sequence[Check]:
        points: list[Check] = []
        for server in self._cluster.servers:
            with self._cluster.client(server) as client:
                points += probe(client, self._settings, self.context)
        return points


def _room(server: Server, made: FoundMeeting) -> Room:
    state = {"server": server.url, "create_time": made.create_time, "internal_id": made.internal_id}
    return Room((made.meeting_id,), state)
