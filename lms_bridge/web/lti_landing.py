"""The page that an LMS shows in its frame: what is next and how to enter, today, and the rest of the week. Light on
purpose: hundreds open it in the minute before a lesson."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import groupby
from typing import Any

from flask import get_template_attribute, render_template, url_for
from markupsafe import Markup

from lms_bridge.core.clock import local, now
from lms_bridge.core.i18n import get_locale
from lms_bridge.notices import dates
from lms_bridge.roster.course_classes import classes_of
from lms_bridge.roster.models import Person
from lms_bridge.roster.somebody import Somebody
from lms_bridge.supervision.homework import open_of
from lms_bridge.supervision.models import Homework
from lms_bridge.timetable.glance import GlanceLesson, lessons_at_a_glance
from lms_bridge.timetable.models import LessonStatus
from lms_bridge.web.day import room_word
from lms_bridge.web.home import DEFAULT_ZONE

BEHIND = timedelta(hours=18)
AHEAD = timedelta(days=7)
LOOK_AGAIN_SECONDS = 300
SPREAD_SECONDS = 30


@dataclass(frozen=True)
class Shown:
    """What the page of a person shows. ``course``: only the lessons of the LMS's course with this key;
    ``lesson_uid``: the lesson that the activity is about comes first; ``plan``: with the ``homework`` that a student
    still has to hand in."""

    person: Person | Somebody
    moment: datetime
    zone: str
    lessons: list[GlanceLesson]
    homework: list[Homework]
    course: str
    lesson_uid: str
    plan: bool


def look_up(person: Person | Somebody, *, course: str = "", lesson_uid: str = "", plan: bool = False) -> Shown:
    """What the page of ``person`` shows now, from the database; see :class:`Shown`."""
    moment = now()
    lessons = lessons_at_a_glance(person.id, moment - BEHIND, moment + AHEAD, class_ids=classes_of(course))
    zone = person.zone or (lessons[0].zone if lessons else DEFAULT_ZONE)
    homework = open_of(person.id, zone) if plan else []
    return Shown(person, moment, zone, lessons, homework, course, lesson_uid, plan)


def page(shown: Shown, *, ticket: str = "") -> str:
    """The page; with a ``ticket`` it stands in a frame, and every way out opens a window. Asks nothing any more."""
    moment, lessons = shown.moment, shown.lessons
    days = [(day, list(rows)) for day, rows in groupby(lessons, lambda lesson: _day(lesson, lesson.starts_at))]
    today = [row for day, rows in days for row in rows if day == _day(row, moment)]
    later = [
        (day, [_shown(row, moment) for row in rows])
        for day, rows in days
        if rows[0] not in today and rows[-1].ends_at > moment
    ]
    first = next((row for row in lessons if row.uid == shown.lesson_uid), None) or _next(lessons, moment)
    address = "" if ticket else url_for("lti.landing", course=shown.course or None, plan=1 if shown.plan else None)
    return render_template(
        "lti/landing.html",
        ticket=ticket,
        address=address,
        again=_look_again(first, moment),
        sign=_sign,
        next=_first(first, moment) if first is not None else None,
        today=[_shown(row, moment) for row in today],
        later=later,
        teaches=any(row.teaches for row in lessons),
        homework=shown.homework,
        zone=shown.zone,
    )


def _look_again(first: GlanceLesson | None, moment: datetime) -> int:
    """After how many seconds the page in a frame is loaded again: soon after the beginning of the next lesson, else now
    and then, since lessons move. Never at once: a running lesson began before. And not in the same second for everybody
    who has the lesson before them."""
    left = int((first.starts_at - moment).total_seconds()) + 1 if first is not None else 0
    return (min(left, LOOK_AGAIN_SECONDS) if left > 0 else LOOK_AGAIN_SECONDS) + secrets.randbelow(SPREAD_SECONDS)


def _next(lessons: list[GlanceLesson], moment: datetime) -> GlanceLesson | None:
    coming = (row for row in lessons if row.ends_at > moment and row.status is LessonStatus.SCHEDULED)
    return next(coming, None)


def _day(lesson: GlanceLesson, moment: datetime) -> Any:
    return local(moment, lesson.zone).date()


def _first(lesson: GlanceLesson, moment: datetime) -> dict[str, Any]:
    starts = local(lesson.starts_at, lesson.zone)
    return _shown(lesson, moment) | {
        "when": dates.say_slot(starts.date(), lesson.period, starts.time(), get_locale()),
        "starts_at": lesson.starts_at,
        "seconds": max(0, int((lesson.starts_at - moment).total_seconds())),
        "door": url_for("door.door", uid=lesson.uid),
    }


def _sign(state: str) -> Markup:
    """The shape and word of a room's state, drawn once for each language: a page has dozens of them."""
    return _drawn(state, get_locale())


@cache
def _drawn(state: str, locale: str) -> Markup:
    return Markup(get_template_attribute("macros/shapes.html", "room_state")(state))  # noqa: S704 - our own macro


def _shown(lesson: GlanceLesson, moment: datetime) -> dict[str, Any]:
    starts, state = local(lesson.starts_at, lesson.zone), room_word(lesson, moment)
    return {
        "subject": lesson.subject_in(get_locale()),
        "start": starts.strftime("%H:%M"),
        "end": local(lesson.ends_at, lesson.zone).strftime("%H:%M"),
        "who": ", ".join(lesson.names),
        "room": state,
        "teaches": lesson.teaches,
        "door": url_for("door.door", uid=lesson.uid) if state in ("open", "soon") else None,
        "attendance": url_for("attendance.lesson", uid=lesson.uid)
        if lesson.teaches and state in ("open", "over")
        else None,
        "change": url_for("absences.move_form", lesson=lesson.uid)
        if lesson.teaches and state in ("planned", "soon")
        else None,
    }
