"""The page of the teachers of a campus: working times, absences, and how many periods a day."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from flask import request
from werkzeug.wrappers import Response

from lms_bridge.core.database import db
from lms_bridge.core.errors import BridgeError, InputError, NotFound
from lms_bridge.core.i18n import N_, get_locale, gettext
from lms_bridge.notices.dates import say_day
from lms_bridge.roster.models import Organisation, Person
from lms_bridge.roster.scope import today
from lms_bridge.timetable.cases import teacher_times
from lms_bridge.timetable.models import Unavailability
from lms_bridge.timetable.solving.problem import WEEKDAYS
from lms_bridge.web.session import current_person, signed_in_required
from lms_bridge.web.timetable_inputs import blueprint, campus_of, carried_out, day_of, number_of, page


@dataclass(frozen=True)
class Row:
    """A teacher with what limits them: at which other campuses, how many periods a day, when not at all."""

    person: Person
    elsewhere: str
    limit: int | None
    absences: list[Unavailability]


@blueprint.get("/<code>/teachers")
@signed_in_required
def teachers(code: str) -> str:
    """The teachers with their times, and the forms that state them."""
    return _page(campus_of(code))


@blueprint.post("/<code>/teachers/absence")
@signed_in_required
def teachers_absence(code: str) -> Response | tuple[str, int]:
    """State when a teacher cannot teach."""
    campus = campus_of(code)
    return carried_out(
        lambda: teacher_times.add_absence(campus, _teacher(campus), _absent(), actor=current_person()),
        gettext(
            "Noted. Weeks that are solved from now on keep to it. Published lessons stay; those that an absence of "
            "days hits wait under “To decide”."
        ),
        "teachers",
        campus,
        lambda problems: _page(campus, problems),
    )


@blueprint.post("/<code>/teachers/absence/<int:number>/remove")
@signed_in_required
def teachers_remove_absence(code: str, number: int) -> Response | tuple[str, int]:
    """Take a time back."""
    campus = campus_of(code)
    row = db.session.get(Unavailability, number)
    if row is None or row.person_id not in {person.id for person in teacher_times.teachers_of(campus)}:
        raise NotFound()
    return carried_out(
        lambda: teacher_times.remove_absence(campus, row, actor=current_person()),
        gettext("Removed."),
        "teachers",
        campus,
        lambda problems: _page(campus, problems),
    )


@blueprint.post("/<code>/teachers/limit")
@signed_in_required
def teachers_limit(code: str) -> Response | tuple[str, int]:
    """Say how many periods a day a teacher may have."""
    campus = campus_of(code)
    return carried_out(
        lambda: teacher_times.set_limit(campus, _teacher(campus), number_of("limit"), actor=current_person()),
        gettext("Set. It holds from the next week that is solved."),
        "teachers",
        campus,
        lambda problems: _page(campus, problems),
    )


def _page(campus: Organisation, problems: Sequence[BridgeError] = ()) -> str:
    people = teacher_times.teachers_of(campus)
    ids = [person.id for person in people]
    limits, shared = teacher_times.limits_of(ids), teacher_times.campuses_of(ids)
    absences: dict[int, list[Unavailability]] = {}
    for absence in teacher_times.absences_of(ids, today(campus.zone)):
        absences.setdefault(absence.person_id, []).append(absence)
    rows = [
        Row(
            person,
            gettext(", ").join(c.label(get_locale()) for c in shared.get(person.id, []) if c.id != campus.id),
            limits.get(person.id),
            absences.get(person.id, []),
        )
        for person in people
    ]
    return page(
        "teachers",
        campus,
        problems,
        rows=[row for row in rows if row.elsewhere or row.limit or row.absences],
        others=sum(1 for row in rows if not (row.elsewhere or row.limit or row.absences)),
        teachers=[(person.uid, person.display_name) for person in people],
        weekdays=[(str(n), gettext(name)) for n, name in enumerate(WEEKDAYS)],
        when=when_of,
    )


def when_of(row: Unavailability) -> str:
    """A time in which somebody cannot teach, in words: "every Monday, period 3", "Wed 25 Nov – Fri 27 Nov"."""
    parts = []
    if row.weekday is not None:
        parts.append(gettext("every %(day)s", day=gettext(WEEKDAYS[row.weekday])))
    if row.period_number is not None:
        parts.append(gettext("period %(period)s", period=row.period_number))
    first, last = (say_day(d, get_locale()) if d is not None else "" for d in (row.first_day, row.last_day))
    if first and last and row.first_day != row.last_day:
        parts.append(f"{first} – {last}")
    elif first and last:
        parts.append(first)
    elif first:
        parts.append(gettext("from %(day)s", day=first))
    elif last:
        parts.append(gettext("until %(day)s", day=last))
    return gettext(", ").join(parts)


def _teacher(campus: Organisation) -> Person:
    uid = request.form.get("teacher", "")
    person = next((p for p in teacher_times.teachers_of(campus) if p.uid == uid), None)
    if person is None:
        raise InputError(N_("No teacher was chosen."), remedy=N_("Choose one from the list."))
    return person


def _absent() -> teacher_times.Absent:
    """The time of the form.

    :raises InputError: periods that cannot be read.
    """
    typed = request.form.get("periods", "")
    parts = [part for part in re.split(r"[\s,，、;]+", typed) if part]
    if not all(part.isdigit() for part in parts):
        raise InputError(
            N_("The periods cannot be read."), remedy=N_("Write their numbers, as in 1, 2; or nothing for whole days.")
        )
    return teacher_times.Absent(
        weekdays=frozenset(int(day) for day in request.form.getlist("weekdays") if day.isdigit()),
        periods=frozenset(int(part) for part in parts),
        first_day=day_of("first_day"),
        last_day=day_of("last_day"),
        reason=request.form.get("reason", ""),
    )
