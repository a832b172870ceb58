"""What the pages of the timetable share: the week in the address, whose lessons can be chosen, names and links."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa
from flask import request, url_for

from lms_bridge.calendar.days import iso_week, monday_of
from lms_bridge.core.access import Permission, Role, Scope, Target
from lms_bridge.core.clock import local, now
from lms_bridge.core.database import db
from lms_bridge.core.errors import BridgeError, NotFound
from lms_bridge.core.i18n import N_, get_locale, gettext
from lms_bridge.notices.dates import say_slot
from lms_bridge.roster.classes import class_order
from lms_bridge.roster.models import ClassGroup, Organisation, Person, RoleAssignment, Term
from lms_bridge.roster.scope import today, valid
from lms_bridge.timetable.changing import changes
from lms_bridge.timetable.changing.week_conflicts import ConflictKind, Found
from lms_bridge.timetable.models import ChangeState, Lesson
from lms_bridge.web.campuses import campuses_within
from lms_bridge.web.change_words import ChangeWords

CONFLICT_WORDS = {
    ConflictKind.TWICE: N_("Two at once"),
    ConflictKind.NO_SCHOOL: N_("No school this day"),
    ConflictKind.ABSENT: N_("Teacher away"),
    ConflictKind.ONLINE_LIMIT: N_("Too much online"),
    ConflictKind.OFF_GRID: N_("Outside the periods"),
}


def campus_asked(scope: Scope, permission: Permission = Permission.TIMETABLE_READ) -> Organisation:
    """The campus in the address, else the first within reach."""
    code = request.args.get("campus")
    within = campuses_within(scope, permission)
    found = next((campus for campus in within if code is None or campus.code == code), None)
    if found is None:
        raise NotFound()
    return found


def week_asked(zone: str) -> str:
    """The ISO week in the address, else the present one."""
    asked = request.args.get("week")
    return iso_week(monday_of(asked)) if asked else iso_week(local(now(), zone).date())


def day_asked(days: Sequence[date], zone: str) -> date | None:
    """The day asked for, else today, else the first school day of the week."""
    wanted = request.args.get("day", "")
    found = next((day for day in days if day.isoformat() == wanted), None)
    present = local(now(), zone).date()
    return found or (present if present in days else next(iter(days), None))


def week_kept() -> dict[str, str]:
    """The week of the address, to go on with."""
    return {"week": request.args["week"]} if "week" in request.args else {}


def week_url(query: dict[str, str]) -> str:
    """The address of the week's page with a query; "class" is no name for an argument of ``url_for``."""
    return f"{url_for('timetable.week')}?{urlencode(query)}"


def lesson_page(lesson: Lesson) -> str:
    """Where a lesson is changed."""
    return url_for("timetable.changes.lesson", uid=lesson.uid)


def door(lesson: Lesson) -> str:
    """Where a lesson is entered."""
    return f"{request.script_root}/l/{lesson.uid}"


def teachers_of(lesson: Lesson) -> str:
    """The names of those who teach it."""
    return ", ".join(t.person.display_name for t in sorted(lesson.teachers, key=lambda t: t.id))


def classes_of(lesson: Lesson) -> str:
    """The titles of its classes."""
    return ", ".join(
        f"{a.class_group.title} {a.part}".strip() for a in sorted(lesson.audience, key=lambda a: a.class_id)
    )


def lesson_title(lesson: Lesson) -> str:
    """What people call it: ``5-1 Mathematics``."""
    return f"{classes_of(lesson)} {lesson.subject.label(get_locale())}".strip()


def slot_words(lesson: Lesson) -> str:
    """When it is: ``Wed 25 Nov, period 3, 10:10``."""
    start = local(lesson.starts_at, lesson.zone)
    return say_slot(start.date(), lesson.period_number, start.time(), get_locale())


def in_words(problem: BridgeError) -> str:
    """What speaks against something and what helps, in one text."""
    return f"{problem.text()} {problem.remedy_text()}".strip()


def conflict_words(found: Found, lessons: Sequence[Lesson]) -> list[dict[str, Any]]:
    """All that is wrong with the lessons of a page, as a list under it."""
    return [
        {
            "title": lesson_title(lesson),
            "when": slot_words(lesson),
            "url": lesson_page(lesson),
            "kind": gettext(CONFLICT_WORDS[conflict.kind]),
            "text": conflict.problem.text(),
            "remedy": conflict.problem.remedy_text(),
        }
        for lesson in lessons
        for conflict in found.get(lesson.id, ())
    ]


def labels_of(found: Found, lesson: Lesson) -> list[str]:
    """In one word each, what is wrong with a lesson."""
    return list(dict.fromkeys(gettext(CONFLICT_WORDS[conflict.kind]) for conflict in found.get(lesson.id, ())))


def choices(scope: Scope, campus: Organisation | None) -> dict[str, Any]:
    """The classes, teachers and campuses that somebody with a whole campus in reach can choose from."""
    campuses = campuses_within(scope, Permission.TIMETABLE_READ)
    if campus is None or campus.id not in {c.id for c in campuses}:
        return {"campuses": [], "classes": [], "teachers": []}
    day = today(campus.zone)
    classes = db.session.scalars(
        sa.select(ClassGroup)
        .join(Term, Term.id == ClassGroup.term_id)
        .where(ClassGroup.campus_id == campus.id, ClassGroup.valid_to.is_(None), Term.ends_on >= day)
    )
    teachers = db.session.scalars(
        sa.select(Person)
        .join(RoleAssignment, RoleAssignment.person_id == Person.id)
        .where(
            RoleAssignment.organisation_id == campus.id,
            RoleAssignment.role == Role.TEACHER,
            valid(RoleAssignment, day),
        )
    )
    return {
        "campuses": [(c.code, c.label(get_locale())) for c in campuses],
        "classes": [(c.uid, c.title) for c in sorted(classes, key=class_order)],
        "teachers": sorted({(p.uid, p.display_name) for p in teachers}, key=lambda pair: pair[1]),
    }


def just_done(scope: Scope) -> dict[str, Any] | None:
    """The change that brought the person back to this page (``done`` in the address), to be undone from here."""
    row = changes.change_set_by_uid(request.args["done"]) if "done" in request.args else None
    if row is None or row.state is not ChangeState.APPLIED:
        return None
    words = ChangeWords(row)
    if not scope.allows(Permission.TIMETABLE_WRITE, Target(words.campus.path)):
        return None
    back = {key: value for key, value in request.args.items() if key != "done"}
    return {
        "uid": row.uid,
        "rows": [words.row(change) for change in sorted(words.told(row), key=words.order)][:3],
        "next": week_url(back),
        "undoable": changes.undoable(row),
    }
