"""In one word how the room of a lesson stands; the package of lessons says it where it knows more than the clock."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from typing import Literal

from lms_bridge.core.clock import now
from lms_bridge.timetable.models import Lesson, LessonMode, LessonStatus

RoomState = Literal["open", "soon", "planned", "over", "cancelled", "in_person", "problem"]
RoomStates = Callable[[Collection[Lesson]], Mapping[int, RoomState]]

SOON = timedelta(minutes=15)

_known: RoomStates | None = None


def register_room_states(states: RoomStates) -> None:
    """``states(lessons)`` gives, by lesson id, the states of the rooms that it knows of."""
    global _known
    _known = states


def room_states(lessons: Collection[Lesson]) -> dict[int, RoomState]:
    """The state of each lesson's room: by the clock, and better where ``lessons`` knows it."""
    found = {lesson.id: _by_clock(lesson) for lesson in lessons}
    if _known is not None:
        open_questions = [x for x in lessons if found[x.id] in ("open", "soon", "planned")]
        found.update(_known(open_questions))
    return found


def _by_clock(lesson: Lesson) -> RoomState:
    moment = now()
    if lesson.status is LessonStatus.CANCELLED:
        return "cancelled"
    if lesson.mode is LessonMode.IN_PERSON:
        return "in_person"
    if lesson.ends_at <= moment:
        return "over"
    if lesson.starts_at <= moment:
        return "open"
    return "soon" if lesson.starts_at - moment <= SOON else "planned"
