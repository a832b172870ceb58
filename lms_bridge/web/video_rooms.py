"""The calendar of capacity: how much of a video system's account is booked in a week, hour by hour, by which lessons,
and which of them found no room."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import sqlalchemy as sa
from apiflask import APIBlueprint
from flask import render_template, request, url_for

from lms_bridge.core.application import current_settings
from lms_bridge.core.clock import local, now
from lms_bridge.core.database import db
from lms_bridge.core.i18n import get_locale, gettext, ngettext
from lms_bridge.lessons import capacity
from lms_bridge.lessons.bookings import Booking, Limit, Peak, peak
from lms_bridge.notices.dates import say_date, say_day, say_time
from lms_bridge.roster.models import Organisation
from lms_bridge.timetable.models import Lesson
from lms_bridge.timetable.queries import WITH_PARTS
from lms_bridge.timetable.weeks.slots import wall_clock
from lms_bridge.web.session import signed_in_required
from lms_bridge.web.timetable_parts import lesson_title, slot_words, teachers_of, week_asked
from lms_bridge.web.video_accounts import administered_account
from lms_bridge.web.video_words import name_of
from lms_bridge.web.week_grid import Span, day_column

blueprint = APIBlueprint("video_rooms", __name__, url_prefix="/system/video", enable_openapi=False)

LISTED = 100
"""So many lessons of one moment, and so many without a room, are listed."""


@dataclass(frozen=True, order=True)
class Hour:
    """One hour of a day on the wall clock of the page."""

    day: date
    hour: int

    def bounds(self, zone: str) -> tuple[datetime, datetime]:
        """Its beginning and end (excluded), aware UTC."""
        start = wall_clock(self.day, time(self.hour), zone)
        return start, start + timedelta(hours=1)

    def __str__(self) -> str:
        return f"{self.day.isoformat()}T{self.hour:02}"


@blueprint.get("/<uid>/rooms")
@signed_in_required
def week(uid: str) -> str:
    """A week of an account; ``at`` in the address is the hour whose lessons are listed, else the fullest one."""
    account = administered_account(uid)
    place = db.session.get_one(Organisation, account.organisation_id)
    span, limit = Span(week_asked(place.zone), place.zone), capacity.limit_of(account)
    start, end = span.bounds()
    bookings = [one for one in capacity.booked(account, start, end) if one.within(start, end)]
    hours = _hours(bookings, span)
    shown = _asked(hours) or max(hours, key=lambda at: hours[at].count, default=None)
    here = [one for one in bookings if one.at(hours[shown].starts_at)] if shown is not None else []
    roomless = [one for one in bookings if one.roomless]
    lessons = _lessons({one.lesson_id for one in [*here[:LISTED], *roomless[:LISTED]]})
    settings = current_settings()
    return render_template(
        "video/rooms.html",
        account=account,
        name=name_of(account),
        place=place,
        span=span,
        near=span.neighbours(),
        limit=limit,
        limit_words=_limit_words(limit),
        grid=_grid(hours, shown, limit, span, uid) if hours else None,
        peak=_peak(hours[shown], limit, place.zone) if shown is not None else None,
        lessons=[_row(one, lessons[one.lesson_id]) for one in here[:LISTED]],
        unlisted=max(0, len(here) - LISTED),
        roomless=[_row(one, lessons[one.lesson_id]) for one in roomless[:LISTED]],
        roomless_count=len(roomless),
        door=(settings.door_opens_minutes, settings.door_closes_minutes),
    )


def _hours(bookings: Iterable[Booking], span: Span) -> dict[Hour, Peak]:
    """The peaks of all hours from the first to the last in which something is booked, of the days from Monday to Friday
    and those of the weekend on which something is."""
    by_day: defaultdict[date, list[Booking]] = defaultdict(list)
    days = [span.monday + timedelta(days=number) for number in range(7)]
    for one in bookings:
        first, last = local(one.starts_at, span.zone).date(), local(one.ends_at - _MOMENT, span.zone).date()
        for day in days:
            if first <= day <= last:
                by_day[day].append(one)
    found: dict[Hour, Peak] = {}
    for day in by_day:
        for hour in range(24):
            start, end = Hour(day, hour).bounds(span.zone)
            if any(one.within(start, end) for one in by_day[day]):
                found[Hour(day, hour)] = peak(by_day[day], start, end)
    if not found:
        return {}
    first_hour, last_hour = min(at.hour for at in found), max(at.hour for at in found)
    everywhere = [
        Hour(day, hour)
        for day in days
        if day.weekday() < 5 or day in by_day
        for hour in range(first_hour, last_hour + 1)
    ]
    return {at: found.get(at) or Peak(0, *at.bounds(span.zone)) for at in everywhere}


_MOMENT = timedelta(microseconds=1)


def _asked(hours: dict[Hour, Peak]) -> Hour | None:
    wanted = request.args.get("at", "")
    return next((at for at in hours if str(at) == wanted), None)


def _lessons(ids: Iterable[int]) -> dict[int, Lesson]:
    rows = db.session.scalars(sa.select(Lesson).where(Lesson.id.in_(list(ids))).options(*WITH_PARTS))
    return {row.id: row for row in rows}


def _grid(hours: dict[Hour, Peak], shown: Hour | None, limit: Limit, span: Span, uid: str) -> dict[str, Any]:
    days = sorted({at.day for at in hours})
    chosen = shown.day if shown is not None and "at" in request.args else None
    present = local(now(), span.zone).date()
    opened = next((day for day in (chosen, present, shown.day if shown else None) if day in days), days[0])
    return {
        "days": [
            day_column(day, span.zone, "")
            | {"opened": day == opened, "worst": _state([hours[at].count for at in hours if at.day == day], limit)}
            for day in days
        ],
        "rows": [
            {
                "start": f"{hour}:00",
                "end": f"{hour + 1}:00",
                "cells": [_cell(Hour(day, hour), hours[Hour(day, hour)], shown, limit, span, uid) for day in days],
            }
            for hour in sorted({at.hour for at in hours})
        ],
    }


def _cell(at: Hour, found: Peak, shown: Hour | None, limit: Limit, span: Span, uid: str) -> dict[str, Any]:
    return {
        "count": found.count,
        "words": _count(found.count, limit),
        "state": _state([found.count], limit),
        "name": f"{say_day(at.day, get_locale())} {at.hour}:00–{at.hour + 1}:00",
        "url": url_for(".week", uid=uid, week=span.week, at=str(at), _anchor="who"),
        "shown": at == shown,
    }


def _state(counts: Sequence[int], limit: Limit) -> tuple[str, str] | None:
    """The kind of badge and the word for the largest of these numbers; None: there is something left."""
    held = max(counts, default=0)
    if limit.over(held):
        return "bad", ngettext("%(n)s too many", "%(n)s too many", limit.over(held))
    return ("warn", gettext("full")) if held and limit.full(held) else None


def _count(held: int, limit: Limit) -> str:
    return gettext("%(done)s of %(all)s", done=held, all=limit.count) if limit.count is not None else str(held)


def _limit_words(limit: Limit) -> str:
    if limit.count is None:
        return gettext("No limit is known.")
    if limit.hosts:
        return ngettext("%(n)s host leads one lesson at a time.", "%(n)s hosts lead one lesson each at a time.",
                        limit.count)  # fmt: skip
    return ngettext("%(n)s room at once.", "%(n)s rooms at once.", limit.count)


def _peak(found: Peak, limit: Limit, zone: str) -> dict[str, Any]:
    starts = say_date(found.starts_at, zone, get_locale(), with_time=True)
    return {
        "when": f"{starts}–{say_time(found.ends_at, zone)}",
        "words": _count(found.count, limit),
        "state": _state([found.count], limit),
        "count": found.count,
    }


def _row(one: Booking, lesson: Lesson) -> dict[str, Any]:
    return {
        "title": lesson_title(lesson),
        "url": url_for("lessons.lesson", uid=lesson.uid),
        "when": f"{slot_words(lesson)}–{say_time(lesson.ends_at, lesson.zone)}",
        "teacher": teachers_of(lesson),
        "campus": lesson.campus.label(get_locale()),
        "host": one.host or "",
        "roomless": one.roomless,
        "row_kind": "bad" if one.roomless else None,
    }
