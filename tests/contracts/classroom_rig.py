"""The built-in classroom has no server: its rooms are pages of LMS Bridge, which tests/web looks at."""

from __future__ import annotations

from collections.abc import Sequence

from lms_bridge_classroom import ClassroomProvider, ClassroomSettings

from lms_bridge.core.plugins import MeetingProvider, Network
from tests.contracts.meetings import LOOPBACK, Rig, context


class ClassroomRig(Rig):
    """The provider alone."""

    name = "classroom"
    faults = frozenset()
    enters = webhooks = False

    def provider(self, *, url: str | None = None, networks: Sequence[Network] = LOOPBACK) -> MeetingProvider:
        return ClassroomProvider(ClassroomSettings(), context(networks))  # type: ignore[call-arg]
