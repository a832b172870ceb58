"""A person's lessons of one day as the lesson macros show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from flask import url_for

from lms_bridge.attendance.models import Verdict
from lms_bridge.core.application import current_settings
from lms_bridge.core.clock import local, now
from lms_bridge.core.i18n import get_locale, gettext
from lms_bridge.notices import dates
from lms_bridge.timetable.addresses import lesson_url
from lms_bridge.timetable.glance import GlanceLesson
from lms_bridge.timetable.models import Lesson, LessonMode, LessonStatus
from lms_bridge.timetable.units.unit_titles import unit_titles
from lms_bridge.web.attendance_words import BADGES, WORDS

LOOK_AHEAD = timedelta(days=14)
WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Day:
    """What is next, the lessons of the day (today, or the next day that has any), and those of the rest of a week."""

    day: date
    next: dict[str, Any] | None = None
    lessons: list[dict[str, Any]] = field(default_factory=list)
    later: list[tuple[date, list[dict[str, Any]]]] = field(default_factory=list)


def bounds(zone: str) -> tuple[datetime, datetime]:
    """From the start of today in ``zone`` to the end of what a home page looks ahead."""
    start = datetime.combine(local(now(), zone).date(), time(), ZoneInfo(zone))
    return start, start + LOOK_AHEAD


def arrange(
    lessons: Sequence[Lesson], zone: str, *, of_teacher: bool = False, verdicts: Mapping[int, Verdict] | None = None
) -> Day:
    """``lessons`` (in order of start) as a day; who is named is the class for a teacher, else the teachers.

    ``verdicts``, by lesson id, are shown with the lessons that are over.
    """
    moment, titles = now(), unit_titles(lessons)
    shown = [_row(lesson, titles.get(lesson.id, ""), moment, of_teacher=of_teacher) for lesson in lessons]
    for lesson, row in zip(lessons, shown, strict=True):
        if verdicts and lesson.id in verdicts and row["room"] == "over":
            row["verdict"] = (gettext(WORDS[verdicts[lesson.id]]), *BADGES[verdicts[lesson.id]])
    coming = [
        row for lesson, row in zip(lessons, shown, strict=True)
        if lesson.ends_at > moment and lesson.status is LessonStatus.SCHEDULED
    ]  # fmt: skip
    today = local(moment, zone).date()
    days = sorted({row["day"] for row in shown if row["day"] >= today})
    day = today if today in days else days[0] if days else today
    of_day = {one: [row for row in shown if row["day"] == one] for one in days if one < today + WEEK}
    later = [(one, rows) for one, rows in of_day.items() if one > day]
    return Day(day, coming[0] if coming else None, [row for row in shown if row["day"] == day], later)


def _row(lesson: Lesson, unit: str, moment: datetime, *, of_teacher: bool) -> dict[str, Any]:
    locale, starts = get_locale(), local(lesson.starts_at, lesson.zone)
    people = [t.person.display_name for t in lesson.teachers]
    classes = [a.class_group.title for a in lesson.audience]
    return {
        "day": starts.date(),
        "subject": lesson.subject.label(locale),
        "when": dates.say_slot(starts.date(), lesson.period_number, starts.time(), locale),
        "who": ", ".join(classes if of_teacher else people),
        "unit": unit,
        "url": lesson_url(lesson),
        "room": room_word(lesson, moment),
        "starts_at": lesson.starts_at,
        "seconds": max(0, int((lesson.starts_at - moment).total_seconds())),
        "start": starts.strftime("%H:%M"),
        "end": local(lesson.ends_at, lesson.zone).strftime("%H:%M"),
        "attendance_url": url_for("attendance.lesson", uid=lesson.uid)
        if of_teacher and room_word(lesson, moment) in ("open", "over")
        else None,
        "current": lesson.starts_at <= moment < lesson.ends_at,
    }


def room_word(lesson: Lesson | GlanceLesson, moment: datetime) -> str:
    """The state of the lesson's room as the macros name it: open, soon, planned, over, cancelled, in_person."""
    if lesson.status is LessonStatus.CANCELLED:
        return "cancelled"
    if lesson.ends_at <= moment:
        return "over"
    if lesson.mode is LessonMode.IN_PERSON:
        return "in_person"
    if lesson.starts_at <= moment:
        return "open"
    opens = lesson.starts_at - timedelta(minutes=current_settings().door_opens_minutes)
    return "soon" if opens <= moment else "planned"
