"""The school days of a campus: its country's holidays and make-up workdays, the days that it and the organisations
above it set themselves, its terms, and the days on which it or a class of it is taught online."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import sqlalchemy as sa

from lms_bridge.calendar.limits import ancestor_ids
from lms_bridge.calendar.models import CalendarDay, DayKind, OnlineSpan
from lms_bridge.core.database import db
from lms_bridge.core.errors import InputError
from lms_bridge.core.i18n import N_
from lms_bridge.roster.models import Organisation, Term
from lms_bridge.roster.scope import today

_ISO_WEEK = re.compile(r"(\d{4})-?W(\d{2})", re.IGNORECASE)
_SUBSTITUTED = re.compile(r"substituted from (\d{2})/(\d{2})/(\d{4})")


@dataclass(frozen=True, slots=True, order=True)
class TeachingDay:
    """A day on which school is held; ``weekday`` (0 is Monday) is the one whose timetable it follows."""

    day: date
    weekday: int


@dataclass(frozen=True, slots=True)
class TeachingWeek:
    """A week of a term; ``number`` counts the term's weeks from 1, ``iso`` is its ISO 8601 name (``2026-W48``)."""

    number: int
    iso: str
    days: tuple[TeachingDay, ...]


@dataclass(frozen=True, slots=True)
class DayOff:
    """A day without school that would be one, with its name (empty where none is known)."""

    day: date
    name: str = ""
    name_en: str = ""


FIRST_YEAR, LAST_YEAR = 1990, 2199
"""No school calendar reaches beyond these years; what does is a slip of the pen, and no arithmetic with it is safe."""


def check_day(day: date) -> date:
    """The day, if a school calendar can have it.

    :raises InputError: it is centuries away.
    """
    if FIRST_YEAR <= day.year <= LAST_YEAR:
        return day
    raise InputError(
        N_("%(day)s is too far away for a school calendar."),
        remedy=N_("Choose a day in the years %(first)s to %(last)s."),
        day=day.isoformat()[:10],
        first=FIRST_YEAR,
        last=LAST_YEAR,
    )


def written_day(text: str) -> date:
    """The day written ``2026-11-23``.

    :raises ValueError: it is not written like that.
    :raises InputError: it is centuries away.
    """
    return check_day(date.fromisoformat(text))


def iso_week(day: date) -> str:
    """The ISO 8601 week of a day: ``2026-W48``."""
    year, number, _ = day.isocalendar()
    return f"{year:04}-W{number:02}"


def monday_of(week: str) -> date:
    """The Monday of an ISO week written ``2026-W48``.

    :raises InputError: it is no such week, or centuries away.
    """
    found = _ISO_WEEK.fullmatch(week.strip())
    try:
        if found is None:
            raise ValueError(week)
        return check_day(date.fromisocalendar(int(found[1]), int(found[2]), 1))
    except ValueError:
        raise InputError(
            N_("“%(week)s” is not a week."),
            remedy=N_("Write the year and the number of the week, as in %(example)s."),
            week=week,
            example="2026-W48",
        ) from None


def shift_week(week: str, by: int) -> str:
    """The ISO week that comes ``by`` weeks later (earlier, if negative)."""
    return iso_week(monday_of(week) + timedelta(weeks=by))


def school_days(
    first: date, last: date, own: Mapping[date, CalendarDay], country: str | None
) -> tuple[list[TeachingDay], list[DayOff]]:
    """The school days from ``first`` to ``last`` (both included), and the weekdays that are off.

    What the school says of a day (``own``) goes before the country's calendar, and that before "Monday to Friday".
    """
    days: list[TeachingDay] = []
    off: list[DayOff] = []
    for n in range((last - first).days + 1):
        day = first + timedelta(days=n)
        holidays, workdays = country_days(country, day.year)
        said = own.get(day)
        if said is not None and said.kind is DayKind.HOLIDAY:
            off.append(DayOff(day, said.name, said.name_en))
        elif said is not None:
            days.append(TeachingDay(day, said.as_weekday if said.as_weekday is not None else day.weekday()))
        elif day in workdays:
            days.append(TeachingDay(day, workdays[day]))
        elif day in holidays:
            off.append(DayOff(day, holidays[day][0], holidays[day][1]))
        elif day.weekday() < 5:
            days.append(TeachingDay(day, day.weekday()))
    return days, off


@lru_cache(maxsize=64)
def country_days(country: str | None, year: int) -> tuple[dict[date, tuple[str, str]], dict[date, int]]:
    """A country's days off (with their names in Chinese and English) and its weekend workdays, each with the weekday
    that it stands in for, by the package ``holidays``; nothing for a country that it does not know."""
    import holidays

    if country is None or country not in holidays.list_supported_countries():
        return {}, {}
    # A day off in January may be worked for in December before, so the neighbouring years count too.
    years = range(year - 1, year + 2)
    english = holidays.country_holidays(country, years=years, language="en_US")
    try:
        local = holidays.country_holidays(country, years=years, language="zh_CN")
        local_names = dict(local.items())
    except NotImplementedError:
        local_names = {}
    off = {day: (local_names.get(day, name), name) for day, name in english.items() if day.year == year}
    stands_for = {}
    for day, name in english.items():
        # "Day off (substituted from 01/04/2026)": Sunday 4 January is worked in place of this day.
        found = _SUBSTITUTED.search(name)
        if found:
            stands_for[date(int(found[3]), int(found[1]), int(found[2]))] = day.weekday()
    workdays = {day for day in english.weekend_workdays if day.year == year}
    return off, {day: stands_for.get(day, day.weekday()) for day in workdays}


def own_days(campus: Organisation, first: date, last: date) -> dict[date, CalendarDay]:
    """What the campus, or else the nearest organisation above it, says of days in this span."""
    chain = ancestor_ids(campus)
    rows = db.session.scalars(
        sa.select(CalendarDay).where(
            CalendarDay.organisation_id.in_(chain), CalendarDay.day >= first, CalendarDay.day <= last
        )
    )
    found: dict[date, CalendarDay] = {}
    for row in sorted(rows, key=lambda r: chain.index(r.organisation_id), reverse=True):
        found[row.day] = row
    return found


def days_of_week(campus: Organisation, week: str) -> tuple[list[TeachingDay], list[DayOff]]:
    """The school days of a campus in an ISO week, and the weekdays off, whether or not a term runs."""
    monday = monday_of(week)
    sunday = monday + timedelta(days=6)
    return school_days(monday, sunday, own_days(campus, monday, sunday), campus.country)


def terms_of(campus: Organisation) -> list[Term]:
    """The terms of a campus and of the organisations above it, in order of time, the nearest organisation's first
    where two begin on one day."""
    chain = ancestor_ids(campus)
    rows = db.session.scalars(sa.select(Term).where(Term.organisation_id.in_(chain), Term.valid_to.is_(None)))
    return sorted(rows, key=lambda t: (t.starts_on, chain.index(t.organisation_id), t.id))


def term_in_hand(campus: Organisation) -> Term | None:
    """The campus's term of today, else the next one; the shorter where a year and a semester both cover it."""
    day = today(campus.zone)
    terms = [term for term in terms_of(campus) if term.ends_on >= day]
    return min(terms, key=lambda t: (max(t.starts_on, day), (t.ends_on - t.starts_on).days), default=None)


def term_of_week(campus: Organisation, week: str) -> Term:
    """The term that an ISO week belongs to at a campus: the one with most of its days; the shorter where a year and a
    semester both cover it.

    :raises InputError: the week lies outside every term; says which terms there are.
    """
    monday = monday_of(week)
    sunday = monday + timedelta(days=6)
    terms = terms_of(campus)
    held = [term for term in terms if term.starts_on <= sunday and term.ends_on >= monday]
    if not held:
        raise InputError(
            N_("Week %(week)s (from %(monday)s) lies outside the terms of campus %(campus)s."),
            remedy=N_("Choose a week within a term: %(terms)s. Terms come from the roster."),
            week=week,
            monday=monday.isoformat(),
            campus=campus.code,
            terms="; ".join(f"{t.title} {t.starts_on}–{t.ends_on}" for t in terms) or "-",
        )
    return min(
        held,
        key=lambda t: (
            -(min(t.ends_on, sunday) - max(t.starts_on, monday)).days,
            (t.ends_on - t.starts_on).days,
            t.id,
        ),
    )


def teaching_weeks(campus: Organisation, term: Term) -> list[TeachingWeek]:
    """All weeks of a term, numbered from 1 as teachers' plans number them: the first is the one with the first day of
    the term. A week that is all holiday keeps its number and has no days."""
    own = own_days(campus, term.starts_on, term.ends_on)
    days, _ = school_days(term.starts_on, term.ends_on, own, campus.country)
    weeks: list[TeachingWeek] = []
    monday = term.starts_on - timedelta(days=term.starts_on.weekday())
    while monday <= term.ends_on:
        inside = tuple(d for d in days if monday <= d.day < monday + timedelta(days=7))
        weeks.append(TeachingWeek(len(weeks) + 1, iso_week(monday), inside))
        monday += timedelta(days=7)
    return weeks


@dataclass(frozen=True, slots=True)
class OnlineDays:
    """Which days are online: for everybody, and for single classes besides."""

    campus: Sequence[OnlineSpan]
    classes: Mapping[int, Sequence[OnlineSpan]]

    def is_online(self, class_id: int, day: date) -> bool:
        """Whether the class is taught online on ``day``."""
        spans = [*self.campus, *self.classes.get(class_id, ())]
        return any(s.first_day <= day and (s.last_day is None or s.last_day >= day) for s in spans)


def online_days(campus: Organisation, first: date, last: date) -> OnlineDays:
    """The online days of a campus and its classes in a span of days (both included)."""
    rows: Iterable[OnlineSpan] = db.session.scalars(
        sa.select(OnlineSpan)
        .where(
            OnlineSpan.organisation_id.in_(ancestor_ids(campus)),
            OnlineSpan.first_day <= last,
            sa.or_(OnlineSpan.last_day.is_(None), OnlineSpan.last_day >= first),
        )
        .order_by(OnlineSpan.id)
    )
    whole: list[OnlineSpan] = []
    by_class: dict[int, list[OnlineSpan]] = {}
    for row in rows:
        if row.class_id is None:
            whole.append(row)
        else:
            by_class.setdefault(row.class_id, []).append(row)
    return OnlineDays(whole, by_class)
