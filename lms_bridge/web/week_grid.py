"""A week of lessons as the macro ``week_grid`` wants it: periods as rows, days as columns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any

import sqlalchemy as sa
from flask import url_for

from lms_bridge.calendar.days import days_of_week, iso_week, monday_of, shift_week
from lms_bridge.core.clock import local, now
from lms_bridge.core.database import db
from lms_bridge.core.i18n import get_locale, gettext
from lms_bridge.notices.dates import say_day, say_period, say_time, say_weekday
from lms_bridge.roster.models import Organisation
from lms_bridge.timetable.models import ChangeKind, ChangeSet, ChangeState, Lesson, LessonChange, LessonStatus
from lms_bridge.timetable.rooms import room_states
from lms_bridge.timetable.snapshots import from_json
from lms_bridge.timetable.units.unit_titles import unit_titles
from lms_bridge.timetable.weeks.slots import wall_clock
from lms_bridge.web.timetable_parts import lesson_title, slot_words

LONG_PAUSE = timedelta(minutes=45)

Times = Mapping[int, tuple[time, time]]
"""By number of the period, when it begins and ends (campus wall clock)."""


@dataclass(frozen=True)
class Span:
    """The ISO week that a page shows, in a zone."""

    week: str
    zone: str

    @property
    def monday(self) -> date:
        """Its first day."""
        return monday_of(self.week)

    def bounds(self) -> tuple[Any, Any]:
        """Its beginning and end (excluded), aware UTC."""
        after = self.monday + timedelta(days=7)
        return wall_clock(self.monday, time(0), self.zone), wall_clock(after, time(0), self.zone)

    def label(self) -> str:
        """Its first and last day in words."""
        return f"{say_day(self.monday, get_locale())} – {say_day(self.monday + timedelta(days=6), get_locale())}"

    def neighbours(self) -> dict[str, str]:
        """The weeks before and after it, and the present one."""
        present = iso_week(local(now(), self.zone).date())
        return {"previous": shift_week(self.week, -1), "next": shift_week(self.week, 1), "present": present}


def grid(
    lessons: Sequence[Lesson],
    span: Span,
    campus: Organisation | None,
    *,
    caption: str,
    who: Callable[[Lesson], str],
    url: Callable[[Lesson], str | None],
    periods: Times | None = None,
    movable: Callable[[Lesson], bool] = lambda lesson: False,
    conflicts: Callable[[Lesson], list[str]] = lambda lesson: [],
) -> dict[str, Any]:
    """The context of the macro. ``periods`` are rows to show even when nothing happens in them; ``who`` says what
    stands under the subject of a lesson; ``movable``, whether the person who looks may move it (those that are still
    to come); ``conflicts``, what is wrong with it, in a word each."""
    days = _days(lessons, span, campus)
    titles, rooms, moved = unit_titles(lessons), room_states(lessons), moved_from(lessons)
    cells: defaultdict[tuple[Any, date], list[dict[str, Any]]] = defaultdict(list)
    rows: dict[Any, tuple[time, time]] = dict(periods or {})
    for lesson in lessons:
        start, end = local(lesson.starts_at, lesson.zone), local(lesson.ends_at, lesson.zone)
        key = lesson.period_number if lesson.period_number is not None else (start.time(), end.time())
        known = rows.setdefault(key, (start.time(), end.time()))
        other_time = known != (start.time(), end.time())
        cells[key, start.date()].append(
            {
                "subject": lesson.subject.label(get_locale()),
                "who": who(lesson),
                "url": url(lesson),
                "slots_url": _slots_url(lesson, span) if movable(lesson) and _to_come(lesson) else None,
                "name": f"{lesson_title(lesson)}, {slot_words(lesson)}",
                "conflicts": conflicts(lesson),
                "room": rooms[lesson.id],
                "moved_from": moved.get(lesson.id) if rooms[lesson.id] != "cancelled" else None,
                "note": " · ".join(
                    part
                    for part in (f"{start:%H:%M}–{end:%H:%M}" if other_time else "", titles.get(lesson.id, ""))
                    if part
                ),
            }
        )
    return {
        "caption": caption,
        "days": [day_column(day, span.zone, note) for day, note in days],
        "rows": list(_rows(rows, cells, [day for day, _ in days])),
        "now": local(now(), span.zone).time(),
        "movable": any(lesson["slots_url"] for cell in cells.values() for lesson in cell),
    }


def _to_come(lesson: Lesson) -> bool:
    return lesson.status is LessonStatus.SCHEDULED and lesson.starts_at > now()


def _slots_url(lesson: Lesson, span: Span) -> str:
    return url_for("timetable.moving.slots", uid=lesson.uid, week=span.week)


def moved_from(lessons: Iterable[Lesson]) -> dict[int, str]:
    """By lesson id, where a lesson that was moved by the last change of its time stood before."""
    by_id = {lesson.id: lesson for lesson in lessons if lesson.sequence}
    found: dict[int, str] = {}
    for change in db.session.scalars(
        sa.select(LessonChange)
        .join(ChangeSet)
        .where(
            LessonChange.lesson_id.in_(by_id),
            LessonChange.kind == ChangeKind.MOVED,
            ChangeSet.state == ChangeState.APPLIED,
            ChangeSet.cause_ref.is_(None) | ~ChangeSet.cause_ref.startswith("undo:"),
        )
        .order_by(ChangeSet.applied_at, ChangeSet.id)
    ):
        before = from_json(change.before) if change.before else None
        lesson = by_id[change.lesson_id or 0]
        if before is None or before.starts_at == lesson.starts_at:
            found.pop(lesson.id, None)
            continue
        there = before.starts_local
        place = say_period(before.period_number, get_locale()) or say_time(there.time())
        same_week = iso_week(there.date()) == iso_week(local(lesson.starts_at, lesson.zone).date())
        day = say_weekday(there.date(), get_locale()) if same_week else say_day(there.date(), get_locale())
        found[lesson.id] = f"{day} {place}"
    return found


def _days(lessons: Sequence[Lesson], span: Span, campus: Organisation | None) -> list[tuple[date, str]]:
    """Monday to Friday, and the weekend where there is school or a lesson; with the names of days off."""
    held: set[date] = set()
    notes: dict[date, str] = {}
    if campus is not None:
        days, off = days_of_week(campus, span.week)
        held = {day.day for day in days}
        english = get_locale() == "en"
        notes = {day.day: ((day.name_en or day.name) if english else day.name) or gettext("No school") for day in off}
    held |= {local(lesson.starts_at, lesson.zone).date() for lesson in lessons}
    week = [span.monday + timedelta(days=n) for n in range(7)]
    return [(day, notes.get(day, "")) for day in week if day.weekday() < 5 or day in held]


def day_column(day: date, zone: str, note: str) -> dict[str, Any]:
    """The head of a day's column; ``note``: the name of a day off."""
    locale = get_locale()
    text = f"{day.month}/{day.day}" if locale != "en" else say_day(day, locale).split(" ", 1)[1]
    today = local(now(), zone).date()
    return {
        "label": say_weekday(day, locale),
        "date": text,
        "today": day == today,
        "note": note,
        "iso": day.isoformat(),
    }


def _rows(
    rows: Mapping[Any, tuple[time, time]],
    cells: Mapping[tuple[Any, date], list[dict[str, Any]]],
    days: Sequence[date],
) -> Iterable[dict[str, Any]]:
    last: time | None = None
    for key, (start, end) in sorted(rows.items(), key=lambda item: item[1]):
        if last is not None and _minutes(start) - _minutes(last) >= LONG_PAUSE.total_seconds() / 60:
            yield {"pause": gettext("Midday break"), "start": last, "end": start, "cells": [[] for _ in days]}
        yield {
            "number": key if isinstance(key, int) else "",
            "start": start,
            "end": end,
            "cells": [cells.get((key, day), []) for day in days],
        }
        last = end


def _minutes(at: time) -> int:
    return at.hour * 60 + at.minute
