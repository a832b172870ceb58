"""Lessons of a week as plain rows, for commands and programs."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

import sqlalchemy as sa

from lms_bridge.calendar.days import iso_week, monday_of
from lms_bridge.core.clock import local
from lms_bridge.core.database import db
from lms_bridge.core.errors import InputError
from lms_bridge.core.i18n import N_, get_locale
from lms_bridge.roster.models import ClassGroup, Organisation
from lms_bridge.roster.scope import today
from lms_bridge.timetable.making.scheduling import campus_by_code
from lms_bridge.timetable.models import Lesson
from lms_bridge.timetable.queries import lessons_between
from lms_bridge.timetable.rooms import room_states
from lms_bridge.timetable.units.unit_titles import unit_titles
from lms_bridge.timetable.weeks.slots import wall_clock

COLUMNS = (
    "uid",
    "date",
    "period",
    "start",
    "end",
    "campus",
    "subject",
    "classes",
    "teachers",
    "unit",
    "mode",
    "status",
    "room",
)
"""The keys of a row, in the order in which they are shown."""


def list_lessons(
    *, campus_code: str | None = None, class_code: str | None = None, week: str | None = None
) -> list[dict[str, Any]]:
    """The lessons of an ISO week (default: this week) at a campus (default: all), of one class (default: all), in
    order of time. Dates and times are the campus's wall clock; cancelled lessons are listed too.

    :raises InputError: unknown campus or class, or no such week.
    """
    campus = campus_by_code(campus_code) if campus_code else None
    zone = campus.zone if campus is not None else _zone()
    monday = monday_of(week or iso_week(today(zone)))
    lessons = lessons_between(
        wall_clock(monday, time(0), zone),
        wall_clock(monday + timedelta(days=7), time(0), zone),
        class_ids=_class_ids(class_code, campus) if class_code else None,
        campus_ids=[campus.id] if campus is not None else None,
        with_cancelled=True,
    )
    units, rooms = unit_titles(lessons), room_states(lessons)
    return [_row(lesson, units.get(lesson.id), rooms[lesson.id]) for lesson in lessons]


def _row(lesson: Lesson, unit: str | None, room: str) -> dict[str, Any]:
    start, end = local(lesson.starts_at, lesson.zone), local(lesson.ends_at, lesson.zone)
    return {
        "uid": lesson.uid,
        "date": start.date().isoformat(),
        "period": lesson.period_number,
        "start": f"{start:%H:%M}",
        "end": f"{end:%H:%M}",
        "campus": lesson.campus.code,
        "subject": lesson.subject.label(get_locale()),
        "classes": ", ".join(
            f"{a.class_group.title} {a.part}".strip() for a in sorted(lesson.audience, key=lambda a: a.class_id)
        ),
        "teachers": ", ".join(t.person.display_name for t in sorted(lesson.teachers, key=lambda t: t.person_id)),
        "unit": unit,
        "mode": lesson.mode.value,
        "status": lesson.status.value,
        "room": room,
    }


def _zone() -> str:
    """The zone by which "this week" is meant where no campus is named: the bureau's."""
    top = db.session.scalar(sa.select(Organisation).where(Organisation.parent_id.is_(None)).limit(1))
    return top.zone if top is not None else "UTC"


def _class_ids(code: str, campus: Organisation | None) -> list[int]:
    query = sa.select(ClassGroup.id).where(ClassGroup.code == code.strip())
    if campus is not None:
        query = query.where(ClassGroup.campus_id == campus.id)
    found = list(db.session.scalars(query))
    if not found:
        known = db.session.scalars(
            sa.select(ClassGroup.code)
            .where(ClassGroup.valid_to.is_(None), *([ClassGroup.campus_id == campus.id] if campus is not None else []))
            .distinct()
            .order_by(ClassGroup.code)
            .limit(20)
        )
        raise InputError(
            N_("There is no class with the code “%(code)s”."),
            remedy=N_("Known are: %(known)s. Codes come from the roster."),
            code=code,
            known=", ".join(known) or "-",
        )
    return found
