"""Units whose weeks or dates lie outside the term: read as they stand, and named."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from lms_bridge.core.errors import Place
from lms_bridge.core.i18n import N_
from lms_bridge.plans.reading.when import Calendar
from lms_bridge.plans.units import UnitDraft, Warning_


def outside(units: Sequence[UnitDraft], calendar: Calendar | None, name: str) -> list[Warning_]:
    """A warning for units after the last week of the term, and one for those on days before or after it; the first of
    each is named. Nothing where the term is not known."""
    if calendar is None:
        return []
    monday = calendar.start - timedelta(days=calendar.start.weekday())
    last = (calendar.end - monday).days // 7 + 1
    late = [unit for unit in units if (unit.week_to or unit.week_from or 0) > last]
    elsewhere = [unit for unit in units if _is_outside(unit.date_from, calendar) or _is_outside(unit.date_to, calendar)]
    found = []
    if late:
        message = N_("%(count)s units lie after the last week of the term (%(last)s), the first of them “%(title)s”.")
        found.append(
            Warning_(message, _place(late[0], name), {"count": len(late), "last": last, "title": late[0].title})
        )
    if elsewhere:
        message = N_(
            "%(count)s units have dates outside the term (%(first)s – %(last)s), the first of them “%(title)s”. Look "
            "whether day and month were meant the other way round."
        )
        params = {
            "count": len(elsewhere), "first": calendar.start.isoformat(), "last": calendar.end.isoformat(),
            "title": elsewhere[0].title,
        }  # fmt: skip
        found.append(Warning_(message, _place(elsewhere[0], name), params))
    return found


def _is_outside(day: date | None, calendar: Calendar) -> bool:
    """Whether a day lies outside the term's weeks; a school week goes on to its Sunday."""
    if day is None:
        return False
    first = calendar.start - timedelta(days=calendar.start.weekday())
    last = calendar.end + timedelta(days=6 - calendar.end.weekday())
    return not first <= day <= last


def _place(unit: UnitDraft, name: str) -> Place:
    return Place(file=name, table=unit.provenance.get("table"), row=unit.provenance.get("row"))
