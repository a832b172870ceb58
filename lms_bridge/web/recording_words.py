"""Recordings of a lesson in the words of the pages that show them."""

from __future__ import annotations

from dataclasses import dataclass

from lms_bridge.lessons import recordings
from lms_bridge.notices.dates import say_day, say_span
from lms_bridge.timetable.models import Lesson


@dataclass(frozen=True)
class RecordingWords:
    """One recording: when it was taken, the last day on which it can be watched. Its address is on no page."""

    uid: str
    when: str
    minutes: int
    last_day: str
    hidden: bool


def recordings_shown(lesson: Lesson, locale: str, *, hidden: bool = False) -> list[RecordingWords]:
    """What can be watched of ``lesson``; with ``hidden`` also what was hidden."""
    return [
        RecordingWords(
            uid=one.uid,
            when=say_span(one.starts_at, one.ends_at, lesson.zone, locale),
            minutes=max(1, round((one.ends_at - one.starts_at).total_seconds() / 60)),
            last_day=say_day(one.last_day, locale),
            hidden=one.hidden_at is not None,
        )
        for one in recordings.recordings_of(lesson, hidden=hidden)
    ]
