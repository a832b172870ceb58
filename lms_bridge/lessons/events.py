"""Facts that lessons announce to the packages above them, within the transaction of the change."""

from __future__ import annotations

from dataclasses import dataclass

from lms_bridge.core.events import Event


@dataclass(frozen=True)
class EvidenceRecorded(Event):
    """Something new was seen of this person in this lesson (once for a batch)."""

    lesson_id: int
    person_id: int
