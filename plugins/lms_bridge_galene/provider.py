"""The provider: a group of Galene for each room, a signed token for each person, an observer for presence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

from pydantic import BaseModel

from lms_bridge.core.plugins import (
    Attendee,
    Capacity,
    Check,
    FoundRoom,
    MeetingProvider,
    MeetingSpec,
    Observer,
    Outgoing,
    PluginContext,
    ProviderCapabilities,
    Room,
    RoomRole,
    now,
    unreachable,
)
from lms_bridge_galene import tokens
from lms_bridge_galene.api import Description, GaleneApi
from lms_bridge_galene.closing import put_everybody_out
from lms_bridge_galene.connection import Client, Connection
from lms_bridge_galene.observing import GaleneObserver
from lms_bridge_galene.probe import probe
from lms_bridge_galene.setting_labels import LABELS
from lms_bridge_galene.settings import GaleneSettings

GRACE = timedelta(minutes=30)
"""A token is good for so long after the end of the lesson, or from now on where the lesson goes on longer."""


class GaleneProvider(MeetingProvider):
    """Galene by its administrative interface and its client protocol."""

    identifier = "galene"
    verbose_name = "Galene"
    Settings: ClassVar[type[BaseModel]] = GaleneSettings
    setting_labels = LABELS
    capabilities = ProviderCapabilities(
        local_join_url=True,
        real_time_presence=True,
        per_person_link=True,
        server_end=True,
        needs_observer=True,
    )

    def __init__(self, settings: BaseModel, context: PluginContext) -> None:
        super().__init__(settings, context)
        assert isinstance(settings, GaleneSettings)
        self._settings = settings
        self._seconds = context.timeout.total_seconds()
        self._outgoing = Outgoing(
            "Galene",
            seconds=self._seconds,
            networks=context.networks,
            ca_file=settings.ca_file,
        )
        self._api = GaleneApi(settings, self._outgoing)

    def ensure(self, meeting: MeetingSpec, room: Room | None) -> Room:
        """A group and a key that is its own: what was signed for one lesson is good for no other."""
        group = self._group(meeting.key)
        key = str(room.secrets["key"]) if room is not None and "key" in room.secrets else tokens.new_key()
        self._api.put_group(group, lambda found: _described(found, meeting))
        self._api.put_keys(group, tokens.key_set(key))
        return Room(external_ids=(group,), state={"group": group}, secrets={"key": key})

    def update(self, meeting: MeetingSpec, room: Room) -> Room:
        """Only the title is kept there; tokens carry the times."""
        return self.ensure(meeting, room)

    def join_url(self, meeting: MeetingSpec, room: Room, attendee: Attendee) -> str:
        key = str(room.secrets["key"])
        permissions = [*tokens.PERMISSIONS[attendee.role], tokens.marked(key, attendee.uid)]
        if attendee.role is RoomRole.LEADER:
            permissions += ["record"] if self._settings.recording else []
            permissions += ["token"] if self._settings.invitations else []
        token = self._token(meeting, room, attendee.display_name, permissions)
        return f"{self._audience(room)}?token={token}"

    def end(self, meeting: MeetingSpec, room: Room) -> None:
        """The group is emptied, then taken away. Galene leaves people in a group that is gone, so they are put out
        first; a new key sees to it that none of them comes back in between."""
        group = room.external_ids[0]
        key = tokens.new_key()
        if self._api.put_keys(group, tokens.key_set(key)):
            closing = Room(room.external_ids, room.state, {"key": key})
            token = self._token(meeting, closing, self._settings.observer_name, (*tokens.OPERATOR, tokens.OURS))
            put_everybody_out(lambda: self._connect(group, token))
        self._api.delete_group(group)

    def open_rooms(self) -> Iterable[FoundRoom]:
        prefix = f"{self._settings.folder}/"
        for group in self._api.groups():
            if group.startswith(prefix):
                yield FoundRoom(group.removeprefix(prefix), Room((group,), {"group": group}))

    def observer(self, cursor: Mapping[str, Any]) -> Observer:
        return GaleneObserver(self._enter, _whom, cursor)

    def capacity(self) -> Capacity:
        people = self._api.people()
        return Capacity(
            people=self._settings.max_people,
            rooms_in_use=sum(1 for number in people.values() if number),
            people_in_use=sum(people.values()),
        )

    def check(self) -> Sequence[Check]:
        return probe(self._settings, self._api, self._try_group)

    def _enter(self, meeting: MeetingSpec, room: Room) -> Connection:
        """The observer's way in: seen by all under its name, allowed nothing."""
        group = room.external_ids[0]
        return self._connect(group, self._token(meeting, room, self._settings.observer_name, (tokens.OURS,)))

    def _try_group(self, group: str) -> None:
        """Make a group, go in as the observer does, and take it away again.

        :raises PluginError: one of it does not work.
        """
        key = tokens.new_key()
        self._api.put_group(group, lambda found: found | {"displayName": "LMS Bridge"})
        try:
            self._api.put_keys(group, tokens.key_set(key))
            room = Room((group,), {"group": group}, {"key": key})
            token = tokens.sign(key, self._audience(room), self._settings.observer_name, (tokens.OURS,), now() + GRACE)
            self._connect(group, token).close()
        finally:
            self._api.delete_group(group)

    def _connect(self, group: str, token: str) -> Connection:
        address = urlsplit(self._settings.url.rstrip("/"))
        secure, host = address.scheme == "https", address.hostname or ""
        raw = self._outgoing.connect(host, address.port or (443 if secure else 80))
        try:
            if secure:
                raw = self._outgoing.tls().wrap_socket(raw, server_hostname=host)
            url = address._replace(scheme="wss" if secure else "ws", path=f"{address.path}/ws").geturl()
            return Connection(raw, url, group, token)
        except OSError as error:
            raw.close()
            raise unreachable("Galene", error, seconds=self._seconds) from None

    def _token(self, meeting: MeetingSpec, room: Room, name: str, permissions: Sequence[str]) -> str:
        expires = max(meeting.ends_at, now()) + GRACE
        return tokens.sign(
            str(room.secrets["key"]), self._audience(room), tokens.shown_name(name), permissions, expires
        )

    def _audience(self, room: Room) -> str:
        return f"{self._settings.url.rstrip('/')}/group/{quote(room.external_ids[0])}/"

    def _group(self, key: str) -> str:
        return f"{self._settings.folder}/{key}"


def _described(found: Description, meeting: MeetingSpec) -> Description:
    """The group as it must be, on top of what an administrator may have set in it. Who comes without a token (the page
    forgets it when it is loaded again) is sent to the lesson's own page, which gives them a new one."""
    return found | {
        "displayName": meeting.title,
        "authPortal": meeting.lesson_url,
        "public": False,
        "allow-anonymous": False,
    }


def _whom(room: Room, client: Client) -> str | None:
    return tokens.person_of(str(room.secrets["key"]), client.permissions)
