"""Dates as people say them, always with the weekday, on the wall clock of the place they belong to.

``周三 11月25日 第3节 10:10`` and ``Wed 25 Nov, period 3, 10:10``. The year is said when it is not the present one.
"""

from __future__ import annotations

from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from lms_bridge.core.clock import now

_WEEKDAYS = {
    "zh-CN": ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def say_weekday(day: date, locale: str) -> str:
    """The short name of the day of the week."""
    return _WEEKDAYS["en" if locale == "en" else "zh-CN"][day.weekday()]


def say_day(day: date, locale: str) -> str:
    """A calendar day without a time: ``周三 11月25日``, ``Wed 25 Nov``."""
    other_year = day.year != now().year
    if locale == "en":
        return f"{say_weekday(day, locale)} {day.day} {_MONTHS[day.month - 1]}{f' {day.year}' if other_year else ''}"
    return f"{say_weekday(day, locale)} {f'{day.year}年' if other_year else ''}{day.month}月{day.day}日"


def say_time(moment: datetime | time, zone: str | None = None) -> str:
    """``10:10`` on the wall clock of ``zone``; a plain :class:`~datetime.time` is on its wall clock already."""
    if isinstance(moment, datetime):
        if moment.tzinfo is None or zone is None:
            raise ValueError("a moment is said in a zone")
        moment = moment.astimezone(ZoneInfo(zone)).time()
    return f"{moment.hour}:{moment.minute:02d}"


def say_date(moment: datetime, zone: str, locale: str, *, with_time: bool = False) -> str:
    """The day of an aware ``moment`` in ``zone``, with the time of day if wanted: ``周三 11月25日 10:10``."""
    there = moment.astimezone(ZoneInfo(zone))
    text = say_day(there.date(), locale)
    if not with_time:
        return text
    return f"{text}, {say_time(there.time())}" if locale == "en" else f"{text} {say_time(there.time())}"


def say_period(period: int | None, locale: str) -> str:
    """``第3节``, ``period 3``; empty for a lesson outside the period grid."""
    if period is None:
        return ""
    return f"period {period}" if locale == "en" else f"第{period}节"


def say_slot(day: date, period: int | None, at: time, locale: str) -> str:
    """Day, period and the time at which it begins, on the campus's wall clock: ``周三 11月25日 第3节 10:10``."""
    parts = [part for part in (say_day(day, locale), say_period(period, locale), say_time(at)) if part]
    return (", " if locale == "en" else " ").join(parts)


def say_span(start: datetime, end: datetime, zone: str, locale: str) -> str:
    """From when to when: ``周三 11月25日 10:10–10:55``; the second day is named only if it is another one."""
    first, last = (moment.astimezone(ZoneInfo(zone)) for moment in (start, end))
    begin = say_date(start, zone, locale, with_time=True)
    if first.date() == last.date():
        return f"{begin}–{say_time(last.time())}"
    return f"{begin} – {say_date(end, zone, locale, with_time=True)}"
