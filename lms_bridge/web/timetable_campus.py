"""A whole campus: one day with every lesson, or its whole week on one sheet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from flask import render_template, request, url_for

from lms_bridge.calendar.days import days_of_week
from lms_bridge.core.access import Permission, Scope, Target
from lms_bridge.core.clock import local
from lms_bridge.core.i18n import get_locale, gettext
from lms_bridge.notices.dates import say_day, say_weekday
from lms_bridge.roster.classes import class_order
from lms_bridge.roster.models import Organisation
from lms_bridge.timetable.changing.week_conflicts import Found, conflicts_of
from lms_bridge.timetable.models import Lesson, LessonMode, LessonStatus
from lms_bridge.timetable.queries import lessons_between
from lms_bridge.timetable.rooms import room_states
from lms_bridge.web import timetable_documents
from lms_bridge.web.subject_letters import letters_of
from lms_bridge.web.timetable_parts import (
    campus_asked,
    choices,
    conflict_words,
    day_asked,
    door,
    just_done,
    labels_of,
    lesson_page,
    slot_words,
    teachers_of,
    week_asked,
    week_kept,
    week_url,
)
from lms_bridge.web.week_grid import Span


def page(scope: Scope) -> str:
    """The campus asked for: ``view=week`` on one sheet, else a day."""
    campus = campus_asked(scope)
    span = Span(week_asked(campus.zone), campus.zone)
    teaching, _ = days_of_week(campus, span.week)
    days = [day.day for day in teaching]
    whole = request.args.get("view") == "week"
    shown = None if whole else day_asked(days, campus.zone)
    lessons = [
        lesson
        for lesson in lessons_between(*span.bounds(), campus_ids=[campus.id])
        if whole or _day_of(lesson) == shown
    ]
    writes = scope.allows(Permission.TIMETABLE_WRITE, Target(campus.path))
    first, last = (shown, shown) if shown is not None else (span.monday, span.monday + timedelta(days=6))
    conflicts = conflicts_of(campus, lessons, first, last) if writes else {}
    url = lesson_page if writes else door
    query = {"campus": campus.code} | ({"view": "week"} if whole else {})
    context: dict[str, Any] = {"sheet": _sheet(lessons, conflicts, url) if whole else None}
    if not whole:
        context["columns"], context["rows"] = _day_table(lessons, conflicts, url)
    return render_template(
        "timetable/campus.html",
        campus=campus,
        document_url=timetable_documents.url_of_campus(scope, campus),
        span=span,
        near=span.neighbours(),
        query=query,
        days=_tabs(campus, span, days, shown, whole=whole),
        shown=shown,
        whole=whole,
        school=bool(days),
        conflicts=conflict_words(conflicts, lessons),
        done=just_done(scope),
        writes=writes,
        **context,
        **choices(scope, campus),
    )


def _day_of(lesson: Lesson) -> date:
    return local(lesson.starts_at, lesson.zone).date()


def _tabs(
    campus: Organisation, span: Span, days: Sequence[date], shown: date | None, *, whole: bool
) -> list[dict[str, Any]]:
    tabs = [
        {
            "label": say_day(day, get_locale()),
            "url": url_for("timetable.week", campus=campus.code, week=span.week, day=day.isoformat()),
            "current": day == shown,
        }
        for day in days
    ]
    sheet = url_for("timetable.week", campus=campus.code, week=span.week, view="week")
    return [*tabs, {"label": gettext("Whole week"), "url": sheet, "current": whole}] if days else []


def _day_table(
    lessons: Sequence[Lesson], conflicts: Found, url: Callable[[Lesson], str]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A day of a campus: classes as rows, periods as columns."""
    rooms = room_states(lessons)
    held = [lesson for lesson in lessons if lesson.status is LessonStatus.SCHEDULED]
    periods = sorted({lesson.period_number or 0 for lesson in held})
    columns: list[dict[str, Any]] = [{"key": "group", "label": gettext("Class"), "head": True}]
    columns += [{"key": f"p{n}", "label": str(n) if n else gettext("Other times")} for n in periods]
    by_class: dict[int, dict[str, Any]] = {}
    for lesson in held:
        for part in lesson.audience:
            row = by_class.setdefault(
                part.class_id,
                {
                    "group": {
                        "text": part.class_group.title,
                        "url": week_url({"class": part.class_group.uid} | week_kept()),
                    },
                    "order": class_order(part.class_group),
                }
                | {f"p{n}": [] for n in periods},
            )
            row[f"p{lesson.period_number or 0}"].append(
                {
                    "subject": lesson.subject.label(get_locale()),
                    "who": teachers_of(lesson),
                    "url": url(lesson),
                    "room": rooms[lesson.id],
                    "conflicts": labels_of(conflicts, lesson),
                }
            )
    return columns, sorted(by_class.values(), key=lambda row: row["order"])


def _sheet(lessons: Sequence[Lesson], conflicts: Found, url: Callable[[Lesson], str]) -> dict[str, Any]:
    """The week of a campus on one sheet: classes as rows, the periods of the days as columns, subjects as letters."""
    letters = letters_of([lesson.subject for lesson in lessons])
    columns = sorted({(_day_of(lesson), lesson.period_number or 0) for lesson in lessons})
    by_class: dict[int, dict[str, Any]] = {}
    for lesson in lessons:
        for part in lesson.audience:
            row = by_class.setdefault(
                part.class_id,
                {
                    "title": part.class_group.title,
                    "url": week_url({"class": part.class_group.uid} | week_kept()),
                    "order": class_order(part.class_group),
                    "cells": {column: [] for column in columns},
                },
            )
            cell = _cell(lesson, letters, conflicts, url)
            row["cells"][_day_of(lesson), lesson.period_number or 0].append(cell)
    days: dict[date, int] = {}
    for day, _ in columns:
        days[day] = days.get(day, 0) + 1
    starts = {column for n, column in enumerate(columns) if n == 0 or columns[n - 1][0] != column[0]}
    subjects = {lesson.subject.id: lesson.subject for lesson in lessons}
    return {
        "days": [(f"{say_weekday(day, get_locale())} {day.month}/{day.day}", count) for day, count in days.items()],
        "columns": [(column, column[1] or "*", column in starts) for column in columns],
        "rows": sorted(by_class.values(), key=lambda row: row["order"]),
        "at_school": any(lesson.mode is LessonMode.IN_PERSON for lesson in lessons),
        "letters": sorted(
            (letters[key], name)
            for key, name in ((key, subject.label(get_locale())) for key, subject in subjects.items())
            if letters[key] != name
        ),
    }


def _cell(lesson: Lesson, letters: Mapping[int, str], conflicts: Found, url: Callable[[Lesson], str]) -> dict[str, Any]:
    parts = [lesson.subject.label(get_locale()), teachers_of(lesson), slot_words(lesson)]
    return {
        "letters": letters[lesson.subject_id],
        "name": ", ".join(part for part in parts if part),
        "url": url(lesson),
        "in_person": lesson.mode is LessonMode.IN_PERSON,
        "conflicts": labels_of(conflicts, lesson),
    }
