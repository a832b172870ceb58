"""Cases, their causes and proposals in words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

from lms_bridge.core.clock import local
from lms_bridge.core.database import db
from lms_bridge.core.i18n import N_, get_locale, gettext, ngettext
from lms_bridge.notices.dates import say_day, say_period, say_slot
from lms_bridge.plans.models import TeachingPlan
from lms_bridge.roster.models import Person
from lms_bridge.timetable.cases.models import CaseProposal, CaseState, ChangeCase, TeacherAbsence
from lms_bridge.timetable.cases.ways import WAY_NAMES
from lms_bridge.timetable.cases.whole_week import CAMPUS, CLASSES
from lms_bridge.timetable.models import ChangeCause, ChangeKind, ChangeSet, ChangeState, Lesson
from lms_bridge.web.change_words import ChangeWords

CASE_STATES = {
    CaseState.OPEN: N_("To be decided"),
    CaseState.DECIDED: N_("Decided"),
    CaseState.CLOSED: N_("Nothing is changed"),
    CaseState.WITHDRAWN: N_("Withdrawn"),
}
CASE_BADGES = {
    CaseState.OPEN: "warn",
    CaseState.DECIDED: "good",
    CaseState.CLOSED: "plain",
    CaseState.WITHDRAWN: "plain",
}


def case_title(case: ChangeCase) -> str:
    """What happened, in one line."""
    where = case.class_group.title if case.class_group is not None else case.campus.label(get_locale())
    match case.cause:
        case ChangeCause.TEACHER_ABSENCE if case.absence is not None:
            return gettext("%(person)s is absent", person=case.absence.person.display_name)
        case ChangeCause.CLOSURE if case.details.get("online"):
            return gettext("%(who)s is taught online", who=where)
        case ChangeCause.CLOSURE:
            return gettext("%(who)s is at school again", who=where)
        case ChangeCause.PROVIDER_FAILURE:
            rooms = int(case.details.get("rooms", 0))
            if rooms == 0:
                return gettext("No online room can be opened")
            return ngettext("Only %(n)s online room at once", "Only %(n)s online rooms at once", rooms)
        case ChangeCause.DAY_LOST:
            return gettext("No school on %(day)s", day=say_day(case.first_day, get_locale()))
        case ChangeCause.PLAN_CHANGED:
            plan = db.session.get(TeachingPlan, case.details.get("plan"))
            return gettext("The plan “%(plan)s” was changed", plan=plan.title if plan is not None else "–")
    author = case.author.display_name if case.author is not None else "–"
    return gettext("%(person)s asks for a lesson to move", person=author)


def case_when(case: ChangeCase) -> str:
    """On which days, and in which periods."""
    if case.cause is ChangeCause.REQUEST and case.lesson is not None:
        return lesson_words(case.lesson)
    text = days(case.first_day, case.last_day)
    if case.absence is not None and case.absence.periods:
        return f"{text} · {periods(case.absence)}"
    return text


def days(first: date, last: date) -> str:
    """One day, or from when to when."""
    locale = get_locale()
    return say_day(first, locale) if first == last else f"{say_day(first, locale)} – {say_day(last, locale)}"


def periods(absence: TeacherAbsence) -> str:
    """The periods of an absence; "all day" where none are named."""
    if not absence.periods:
        return gettext("all day")
    return gettext(", ").join(say_period(number, get_locale()) for number in absence.periods)


def lesson_words(lesson: Lesson) -> str:
    """Class, subject and time of a lesson."""
    start = local(lesson.starts_at, lesson.zone)
    classes = ", ".join(sorted(a.class_group.title for a in lesson.audience))
    slot = say_slot(start.date(), lesson.period_number, start.time(), get_locale())
    return f"{classes} {lesson.subject.label(get_locale())} · {slot}"


def wish(case: ChangeCase) -> str:
    """The period that somebody asks for; empty where they have none in mind."""
    day, period = case.details.get("day"), case.details.get("period")
    if case.cause is not ChangeCause.REQUEST or day is None:
        return ""
    return f"{say_day(date.fromisoformat(day), get_locale())} {say_period(period, get_locale())}"


def way_name(way: str) -> str:
    """What a way to settle a case is called; empty for none."""
    return gettext(WAY_NAMES.get(way, way)) if way else ""


def proposal_words(proposal: CaseProposal) -> dict[str, Any]:
    """A proposal as its card shows it."""
    figures: Mapping[str, Any] = proposal.figures
    return {
        "uid": proposal.change_set.uid,
        "position": proposal.position,
        "way": way_name(proposal.way),
        "figures": figures,
        "what": _what(figures),
        "proved": _proof(figures),
        "state": proposal.change_set.state,
        "open": proposal.change_set.state is ChangeState.PROPOSED,
    }


def _what(figures: Mapping[str, Any]) -> list[str]:
    """How many lessons change in which way; a lesson that is made up for counts once."""
    kinds = dict(figures.get("kinds", {}))
    made_up = int(figures.get("made_up", 0))
    kinds["cancelled"] = kinds.get("cancelled", 0) - made_up
    kinds["added"] = kinds.get("added", 0) - made_up
    n = {kind: int(kinds.get(kind, 0)) for kind in ("teacher", "moved", "mode", "added", "cancelled", "unit")}
    given = n["teacher"]
    words = (
        (given, ngettext("%(n)s lesson with another teacher", "%(n)s lessons with another teacher", given)),
        (n["moved"], ngettext("%(n)s lesson moves", "%(n)s lessons move", n["moved"])),
        (n["mode"], ngettext("%(n)s lesson changes its place", "%(n)s lessons change their place", n["mode"])),
        (made_up, ngettext("%(n)s lesson made up for later", "%(n)s lessons made up for later", made_up)),
        (n["added"], ngettext("%(n)s new lesson", "%(n)s new lessons", n["added"])),
        (n["cancelled"], ngettext("%(n)s lesson lost", "%(n)s lessons lost", n["cancelled"])),
        (n["unit"], ngettext("%(n)s lesson with another unit", "%(n)s lessons with another unit", n["unit"])),
    )
    return [text for count, text in words if count > 0]


def _proof(figures: Mapping[str, Any]) -> str:
    if figures.get("proved") == CAMPUS:
        return gettext("Proved: no smaller change exists")
    if figures.get("proved") == CLASSES:
        return gettext("Proved smallest for the classes concerned")
    gap = figures.get("gap")
    if gap is None:
        return ""
    # Rounded up: "at most" must stay true.
    percent = math.ceil(100 * float(gap))
    if figures.get("reach") == CLASSES:
        return gettext("At most %(gap)s%% from the smallest for the classes concerned", gap=percent)
    return gettext("At most %(gap)s%% from the smallest possible", gap=percent)


def by_class(change_set: ChangeSet) -> list[dict[str, Any]]:
    """The lessons of a change set before and after, one table for each class, in order of time."""
    wording = ChangeWords(change_set)
    tables: dict[str, list[dict[str, Any]]] = {}
    for change in sorted((c for c in change_set.changes if c.kind is not ChangeKind.UNIT), key=wording.time):
        tables.setdefault(wording.classes(change), []).append(wording.row(change, with_class=False))
    return [{"title": title, "rows": rows} for title, rows in sorted(tables.items())]


def meanwhile_words(row: ChangeSet) -> dict[str, Any]:
    """A change that came between, for the notice."""
    author = db.session.get(Person, row.author_id) if row.author_id is not None else None
    return {
        "uid": row.uid,
        "cause": row.cause,
        "reason": row.reason,
        "who": author.display_name if author is not None else "LMS Bridge",
        "when": row.applied_at,
        "tables": by_class(row),
    }
