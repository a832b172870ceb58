"""The provider: a room is a name that nobody guesses, opened by a signed token; Prosody tells who is inside."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import ClassVar
from urllib.parse import quote, urlencode

from pydantic import BaseModel

from lms_bridge.core.plugins import (
    Attendee,
    Check,
    MeetingProvider,
    MeetingSpec,
    Outgoing,
    PluginContext,
    PresenceReport,
    ProviderCapabilities,
    Room,
    RoomRole,
    WebhookAnswer,
    now,
)
from lms_bridge_jitsi import events, tokens
from lms_bridge_jitsi.door import Door
from lms_bridge_jitsi.probe import probe
from lms_bridge_jitsi.setting_labels import CHOICES, LABELS
from lms_bridge_jitsi.settings import JitsiSettings

GRACE = timedelta(minutes=30)
"""A token is good for so long after the end of the lesson, or from now on where the lesson goes on longer. It is looked
at when somebody comes in; nobody is put out when it expires."""


class JitsiProvider(MeetingProvider):
    """Jitsi Meet with JWT. A room exists while somebody is in it: it is neither made nor ended from outside."""

    identifier = "jitsi"
    verbose_name = "Jitsi Meet"
    Settings: ClassVar[type[BaseModel]] = JitsiSettings
    setting_labels = LABELS
    setting_choices = CHOICES
    capabilities = ProviderCapabilities(local_join_url=True, real_time_presence=True, per_person_link=True)

    def __init__(self, settings: BaseModel, context: PluginContext) -> None:
        super().__init__(settings, context)
        assert isinstance(settings, JitsiSettings)
        self._settings = settings
        self._outgoing = Outgoing(
            "Jitsi", seconds=context.timeout.total_seconds(), networks=context.networks, ca_file=settings.ca_file
        )
        self._door = Door(settings, self._outgoing)

    def ensure(self, meeting: MeetingSpec, room: Room | None) -> Room:
        """Nothing to make: the name follows from the meeting's key and our secret."""
        return room or Room(external_ids=(tokens.room_name(self._settings, meeting.key),))

    def join_url(self, meeting: MeetingSpec, room: Room, attendee: Attendee) -> str:
        name = room.external_ids[0]
        token = tokens.sign(self._settings, name, tokens.person(attendee), max(meeting.ends_at, now()) + GRACE)
        path = "/".join(quote(part) for part in (self._settings.tenant, name) if part)
        query = urlencode({"jwt": token, "lang": attendee.locale.replace("_", "-")})
        return f"{self._settings.url.rstrip('/')}/{path}?{query}#{self._page(meeting, attendee)}"

    def parse_webhook(
        self,
        headers: Mapping[str, str],
        query: Mapping[str, str],
        raw_body: bytes,
        *,
        meeting: MeetingSpec | None = None,
    ) -> WebhookAnswer:
        token = self._settings.events_token
        events.genuine(headers, token.get_secret_value() if token is not None else None)
        return WebhookAnswer(PresenceReport(events=events.read(raw_body)))

    def probe(self) -> None:
        self._door.look()

    def check(self) -> Sequence[Check]:
        return probe(self._settings, self._door, self.context)

    def _page(self, meeting: MeetingSpec, attendee: Attendee) -> str:
        """How Jitsi's page is set, for convenience only: whoever opens it can change this part."""
        leads = attendee.role is RoomRole.LEADER
        settings: dict[str, object] = {
            "config.localSubject": meeting.title,
            "config.prejoinConfig.enabled": self._settings.prejoin,
            "config.readOnlyName": True,
            "config.disableDeepLinking": True,
            "config.disableInviteFunctions": True,
            "config.startWithAudioMuted": self._settings.muted and not leads,
            "config.startWithVideoMuted": attendee.role is RoomRole.OBSERVER,
        }
        if not leads:
            # Where a teacher has opened a lobby, nobody has to find the button.
            settings["config.lobby.autoKnock"] = True
        return "&".join(f"{name}={quote(json.dumps(value, ensure_ascii=False))}" for name, value in settings.items())
