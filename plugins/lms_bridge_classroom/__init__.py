"""The built-in classroom as a meeting provider: a thin adapter, since its room is a page of LMS Bridge itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import BaseModel, Field

from lms_bridge.core.i18n import gettext
from lms_bridge.core.plugins import (
    Attendee,
    Check,
    CheckState,
    MeetingProvider,
    MeetingSpec,
    ProviderCapabilities,
    Room,
)

__all__ = ["ClassroomProvider", "ClassroomSettings"]


class ClassroomSettings(BaseModel):
    """Settings of the built-in classroom."""

    max_people: int = Field(200, ge=2, le=2000, description="How many people one classroom takes.")


class ClassroomProvider(MeetingProvider):
    """Rooms served by LMS Bridge: nothing to make, nothing to end, presence by the page's own heartbeat."""

    identifier = "classroom"
    verbose_name = "LMS Bridge Classroom"
    Settings = ClassroomSettings
    capabilities: ClassVar[ProviderCapabilities] = ProviderCapabilities(
        real_time_presence=True, heartbeat=True, embeddable=True
    )

    def ensure(self, meeting: MeetingSpec, room: Room | None) -> Room:
        """The room is there as soon as the lesson is."""
        return room or Room(external_ids=(meeting.key,))

    def join_url(self, meeting: MeetingSpec, room: Room, attendee: Attendee) -> str:
        """The room's page; who enters is known from the door, not from the address."""
        return f"{self.context.base_url}/room/{meeting.lesson_uid}"

    def check(self) -> Sequence[Check]:
        """Always ready."""
        return [Check(self.verbose_name, CheckState.OK, gettext("built in"))]
