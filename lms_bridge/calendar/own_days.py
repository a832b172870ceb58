"""What an organisation's own calendar says of days: set and taken back, checked before anything is stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import sqlalchemy as sa

from lms_bridge.calendar.days import country_days
from lms_bridge.calendar.limits import ancestor_ids
from lms_bridge.calendar.models import CalendarDay, DayKind
from lms_bridge.core import audit
from lms_bridge.core.database import db
from lms_bridge.core.errors import BadInputs, BridgeError, InputError, NotFound
from lms_bridge.core.i18n import N_
from lms_bridge.roster.models import Organisation, Person, Term

MOST_DAYS = 200
"""More days at once are a slip of the pen."""
NAME_LENGTH = 120


def set_days(
    organisation: Organisation,
    first: date,
    last: date | None = None,
    *,
    kind: DayKind,
    as_weekday: int | None = None,
    name: str = "",
    name_en: str = "",
    actor: Person | None,
) -> list[CalendarDay]:
    """Say that an organisation (and those below it) has no school on these days (``last`` included), or that a day is
    a school day that follows the timetable of ``as_weekday`` (0 is Monday). What was said of a day before is replaced.

    :raises BadInputs: everything that cannot be right.
    """
    last = last or first
    problems = _problems(first, last, kind, as_weekday, name, name_en)
    if problems:
        raise BadInputs(problems)
    rows = []
    for n in range((last - first).days + 1):
        day = first + timedelta(days=n)
        row = db.session.scalar(sa.select(CalendarDay).filter_by(organisation_id=organisation.id, day=day))
        row = row or CalendarDay(organisation_id=organisation.id, day=day)
        row.kind, row.as_weekday = kind, as_weekday if kind is DayKind.MAKE_UP else None
        row.name, row.name_en = name.strip(), name_en.strip()
        db.session.add(row)
        rows.append(row)
    db.session.flush()
    _record("calendar.days_set", organisation, actor, first=first.isoformat(), days=len(rows), kind=kind.value)
    return rows


def remove_day(organisation: Organisation, row: CalendarDay, *, actor: Person | None) -> None:
    """Take back what was said of a day: the organisation above or the country's calendar counts again."""
    _record("calendar.day_removed", organisation, actor, first=row.day.isoformat())
    db.session.delete(row)
    db.session.flush()


def stated_days(campus: Organisation, first: date, last: date) -> Sequence[CalendarDay]:
    """What the campus and the organisations above it say of days in a span, in order of time."""
    return list(
        db.session.scalars(
            sa.select(CalendarDay)
            .where(
                CalendarDay.organisation_id.in_(ancestor_ids(campus)),
                CalendarDay.day >= first,
                CalendarDay.day <= last,
            )
            .order_by(CalendarDay.day, CalendarDay.organisation_id)
        )
    )


def own_day(organisation: Organisation, number: int) -> CalendarDay:
    """What an organisation itself said of a day, by its number.

    :raises NotFound: it said no such thing.
    """
    row = db.session.get(CalendarDay, number)
    if row is None or row.organisation_id != organisation.id:
        raise NotFound()
    return row


@dataclass(frozen=True, slots=True)
class Departure:
    """A day that is not as its weekday: ``off``, or a school day that follows ``weekday`` (0 is Monday; None: its own).
    ``own`` is who said so, None the country; ``removable``: the campus itself did."""

    day: date
    off: bool
    name: str = ""
    name_en: str = ""
    weekday: int | None = None
    own: CalendarDay | None = None
    removable: bool = False


def departures(campus: Organisation, term: Term) -> list[Departure]:
    """The days of a term that depart from Monday to Friday: the country's, where nobody said otherwise, and those that
    the campus and the organisations above it set."""
    own = [
        Departure(
            row.day, row.kind is DayKind.HOLIDAY, row.name, row.name_en, row.as_weekday, row,
            row.organisation_id == campus.id,
        )
        for row in stated_days(campus, term.starts_on, term.ends_on)
    ]  # fmt: skip
    said = {row.day for row in own}
    country: list[Departure] = []
    for year in range(term.starts_on.year, term.ends_on.year + 1):
        off, workdays = country_days(campus.country, year)
        country += [Departure(day, True, name, name_en) for day, (name, name_en) in off.items()]
        country += [Departure(day, False, weekday=weekday) for day, weekday in workdays.items()]
    held = [row for row in country if term.starts_on <= row.day <= term.ends_on and row.day not in said]
    return sorted([*held, *own], key=lambda row: row.day)


def _problems(
    first: date, last: date, kind: DayKind, as_weekday: int | None, name: str, name_en: str
) -> list[BridgeError]:
    found: list[BridgeError] = []
    if last < first:
        found.append(InputError(N_("The last day lies before the first."), remedy=N_("Correct one of the two dates.")))
    elif (last - first).days >= MOST_DAYS:
        found.append(
            InputError(
                N_("%(count)s days at once are too many."),
                remedy=N_("Give at most %(most)s days; correct the dates."),
                count=(last - first).days + 1,
                most=MOST_DAYS,
            )
        )
    if kind is DayKind.MAKE_UP and as_weekday is not None and not 0 <= as_weekday <= 6:
        found.append(InputError(N_("This is not a weekday."), remedy=N_("Choose from the list.")))
    if kind is DayKind.MAKE_UP and last != first:
        found.append(
            InputError(
                N_("A make-up day is one day."),
                remedy=N_("Leave the last day empty, and set each make-up day by itself."),
            )
        )
    if max(len(name.strip()), len(name_en.strip())) > NAME_LENGTH:
        found.append(InputError(N_("The name of the day is too long."), remedy=N_("Say it in fewer words.")))
    return found


def _record(action: str, organisation: Organisation, actor: Person | None, **details: object) -> None:
    audit.record(
        action,
        "organisation",
        organisation.uid,
        actor_uid=actor.uid if actor else None,
        organisation_id=organisation.id,
        **details,
    )
