"""The classroom's side of the contract. Its tables and pages belong to LMS Bridge; this adapter only says where
the room of a lesson is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from lms_bridge.core.plugins import (
    N_,
    Attendee,
    Capacity,
    Check,
    CheckState,
    MeetingProvider,
    MeetingSpec,
    PresenceReport,
    ProviderCapabilities,
    Room,
    gettext,
)
from lms_bridge_classroom.settings import ClassroomSettings


class ClassroomProvider(MeetingProvider):
    """A room is the page ``/room/<lesson>``; it exists as long as the lesson does, and sees for itself who is there."""

    identifier = "classroom"
    verbose_name = N_("LMS Bridge Classroom")
    Settings: ClassVar[type[ClassroomSettings]] = ClassroomSettings
    capabilities = ProviderCapabilities(
        local_join_url=True,
        real_time_presence=True,
        per_person_link=True,
        server_end=True,
        heartbeat=True,
        embeddable=True,
    )

    def ensure(self, meeting: MeetingSpec, room: Room | None) -> Room:
        """The page is always there; the room's name is the key of the meeting."""
        return room or Room(external_ids=(meeting.key,))

    def join_url(self, meeting: MeetingSpec, room: Room, attendee: Attendee) -> str:
        """The same for all: who enters is known from the session that the door opened."""
        return f"{self.context.base_url}/room/{meeting.lesson_uid}"

    def presence(self, meetings: Sequence[tuple[MeetingSpec, Room]], cursor: Mapping[str, Any]) -> PresenceReport:
        """Nothing to ask for: the room's own page reports who is there."""
        return PresenceReport(cursor=cursor)

    def capacity(self) -> Capacity:
        """Rooms are pages and have no limit; people have one, as the settings say."""
        assert isinstance(self.settings, ClassroomSettings)
        return Capacity(people=self.settings.max_people)

    def check(self) -> Sequence[Check]:
        """The classroom needs nothing but the address at which people reach LMS Bridge."""
        address = self.context.base_url
        title = gettext("Address of the classroom")
        if address.startswith("https://"):
            return [Check(title, CheckState.OK, address)]
        return [
            Check(
                title,
                CheckState.WARNING,
                gettext("%(address)s is not encrypted.", address=address),
                gettext("Set LMS_BRIDGE_BASE_URL to an address that begins with https://."),
            )
        ]
