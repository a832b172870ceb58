"""Facts that attendance announces to the packages above it, within the transaction of the change."""

from __future__ import annotations

from dataclasses import dataclass

from lms_bridge.core.events import Event


@dataclass(frozen=True)
class AttendanceDecided(Event):
    """Verdicts of a lesson that is over are final, or one of them is another than before."""

    lesson_id: int
