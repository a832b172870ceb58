"""When the door of a lesson stands open, and whether the lesson needs a room at all."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

import sqlalchemy as sa

from lms_bridge.core.application import current_settings
from lms_bridge.core.clock import now
from lms_bridge.lessons.gateway import Window
from lms_bridge.timetable.models import Lesson, LessonMode, LessonStatus


class Times(Protocol):
    """A lesson, or as much of it as decides when its door stands open."""

    @property
    def starts_at(self) -> datetime: ...

    @property
    def ends_at(self) -> datetime: ...


class Held(Times, Protocol):
    """Also, how and whether it is held."""

    @property
    def mode(self) -> LessonMode: ...

    @property
    def status(self) -> LessonStatus: ...


def opens_at(lesson: Times) -> datetime:
    """When the lesson's door opens (UTC)."""
    return span_of(lesson.starts_at, lesson.ends_at)[0]


def closes_at(lesson: Times) -> datetime:
    """When the lesson's door closes (UTC)."""
    return span_of(lesson.starts_at, lesson.ends_at)[1]


def span_of(starts_at: datetime, ends_at: datetime) -> tuple[datetime, datetime]:
    """When the door of a lesson at these times opens and when it closes (UTC)."""
    settings = current_settings()
    return (
        starts_at - timedelta(minutes=settings.door_opens_minutes),
        ends_at + timedelta(minutes=settings.door_closes_minutes),
    )


def window_of(lesson: Held) -> Window:
    """When and whether ``lesson`` can be entered."""
    return Window(
        opens_at=opens_at(lesson),
        closes_at=closes_at(lesson),
        online=lesson.mode is LessonMode.ONLINE,
        cancelled=lesson.status is LessonStatus.CANCELLED,
    )


def needs_room(lesson: Lesson) -> bool:
    """Whether the lesson takes place online and its door is not closed for good."""
    return lesson.mode is LessonMode.ONLINE and lesson.status is LessonStatus.SCHEDULED and closes_at(lesson) > now()


def standing_open(moment: datetime) -> tuple[datetime, datetime]:
    """Lessons whose door is open at ``moment`` start at the first of these times or before, and end after the second
    (UTC)."""
    settings = current_settings()
    return (
        moment + timedelta(minutes=settings.door_opens_minutes),
        moment - timedelta(minutes=settings.door_closes_minutes),
    )


def open_between(start: datetime, end: datetime) -> sa.ColumnElement[bool]:
    """The condition on lessons whose door is open at some moment of ``[start, end)``."""
    return sa.and_(Lesson.starts_at < standing_open(end)[0], Lesson.ends_at > standing_open(start)[1])


def held_online() -> sa.ColumnElement[bool]:
    """The condition on lessons that take place, in a room."""
    return sa.and_(Lesson.status == LessonStatus.SCHEDULED, Lesson.mode == LessonMode.ONLINE)
