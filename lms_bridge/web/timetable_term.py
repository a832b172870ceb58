"""The term of a campus: its weeks with their lessons and the pace of the plans, and the load of its teachers."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import render_template, request, url_for

from lms_bridge.calendar.days import iso_week, monday_of, terms_of
from lms_bridge.core.access import Permission
from lms_bridge.core.i18n import get_locale, gettext, ngettext
from lms_bridge.notices.dates import say_day
from lms_bridge.roster.models import Term
from lms_bridge.roster.scope import today
from lms_bridge.timetable.reports.term_overview import TermOverview, WeekRow, term_overview
from lms_bridge.web.campuses import campuses_within
from lms_bridge.web.session import require, signed_in_required
from lms_bridge.web.timetable_parts import campus_asked, week_url

blueprint = APIBlueprint("term", __name__, enable_openapi=False)


@blueprint.get("/term")
@signed_in_required
def overview() -> str:
    """The term asked for, else the running one (else the next, else the last) of a campus."""
    scope = require(Permission.TIMETABLE_READ)
    campus = campus_asked(scope)
    terms = terms_of(campus)
    term = _term(terms, campus.zone)
    found = term_overview(campus, term) if term is not None else None
    present = iso_week(today(campus.zone))
    return render_template(
        "timetable/term.html",
        campus=campus,
        campuses=[(c.code, c.label(get_locale())) for c in campuses_within(scope, Permission.TIMETABLE_READ)],
        terms=[(t.code, t.title) for t in terms],
        term=term,
        found=found,
        totals=_totals(found) if found is not None else None,
        weeks=[_week(week, campus.code, present) for week in found.weeks] if found is not None else [],
        teachers=[
            {
                "name": {"text": load.person.display_name, "url": week_url({"teacher": load.person.uid})},
                "lessons": load.lessons,
                "average": f"{load.average:.1f}",
                "fullest": load.fullest,
                "online": load.online,
                "for_others": load.for_others or "–",
            }
            for load in (found.teachers if found is not None else ())
        ],
    )


def _term(terms: list[Term], zone: str) -> Term | None:
    asked = next((term for term in terms if term.code == request.args.get("term")), None)
    day = today(zone)
    running = [term for term in terms if term.starts_on <= day <= term.ends_on]
    coming = [term for term in terms if term.starts_on > day]
    return asked or next(iter(running), None) or next(iter(coming), None) or next(reversed(terms), None)


def _totals(found: TermOverview) -> dict[str, int]:
    lessons = sum(week.lessons for week in found.weeks)
    online = sum(week.online for week in found.weeks)
    return {
        "lessons": lessons,
        "online": round(100 * online / lessons) if lessons else 0,
        "cancelled": sum(week.cancelled for week in found.weeks),
        "substituted": sum(week.substituted for week in found.weeks),
    }


def _week(week: WeekRow, campus: str, present: str) -> dict[str, Any]:
    monday = say_day(monday_of(week.iso), get_locale())
    return {
        "week": {
            "text": gettext("Week %(number)s, from %(day)s", number=week.number, day=monday),
            "url": url_for("timetable.week", campus=campus, week=week.iso, view="week"),
            "now": week.iso == present,
        },
        "notes": _notes(week),
        "lessons": week.lessons,
        "online": f"{week.online_share}\N{NO-BREAK SPACE}%" if week.online_share is not None else "",
        "cancelled": week.cancelled,
        "substituted": week.substituted,
        "pace": _pace(week),
        "row_kind": "warn" if week.pace is not None and week.pace.behind else "",
    }


def _notes(week: WeekRow) -> list[tuple[str, str]]:
    """What is special about its days: holidays, days online; shape and words."""
    english = get_locale() == "en"
    notes = []
    if not week.days:
        notes.append(("ring", gettext("No school")))
    for off in week.off:
        name = (off.name_en or off.name) if english else (off.name or off.name_en)
        notes.append(("ring", f"{say_day(off.day, get_locale())} {name}".strip()))
    if week.online_days:
        notes.append(
            ("info", ngettext("%(n)s day online", "%(n)s days online", week.online_days)
             if week.online_days < week.days else gettext("The whole week online"))
        )  # fmt: skip
    if week.lessons and not week.published:
        notes.append(("half", gettext("Not published")))
    return notes


def _pace(week: WeekRow) -> list[tuple[str, str]]:
    """How far the plans are, in shape and words."""
    if week.pace is None:
        return []
    found = []
    if week.pace.behind:
        text = ngettext("%(n)s period behind", "%(n)s periods behind", week.pace.behind)
        courses = ngettext("in %(n)s course", "in %(n)s courses", week.pace.courses_behind)
        found.append(("alert", f"{text} {courses}"))
    if week.pace.ahead:
        found.append(("next", ngettext("%(n)s period ahead", "%(n)s periods ahead", week.pace.ahead)))
    return found or [("check", gettext("as planned"))]
