"""Facts that the timetable announces to the packages above it, within the transaction of the change."""

from __future__ import annotations

from dataclasses import dataclass

from lms_bridge.core.events import Event


@dataclass(frozen=True)
class LessonsChanged(Event):
    """These lessons were added, moved, cancelled or restored, or got other teachers or another mode."""

    change_set_id: int
    lesson_ids: tuple[int, ...]
