"""Teachers' working times, absences and limits: stated, listed and taken back."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from lms_bridge.calendar.grids import MAX_PERIODS_PER_DAY
from lms_bridge.core import audit
from lms_bridge.core.access import Role
from lms_bridge.core.database import db
from lms_bridge.core.errors import BadInputs, BridgeError, InputError
from lms_bridge.core.i18n import N_
from lms_bridge.roster.models import Organisation, Person, RoleAssignment
from lms_bridge.roster.scope import today, valid
from lms_bridge.timetable.cases.absences import report_absence, withdraw_absence
from lms_bridge.timetable.cases.models import TeacherAbsence
from lms_bridge.timetable.inputs.models import TeacherLimit
from lms_bridge.timetable.inputs.teacher_limits import limits_of as limits_of
from lms_bridge.timetable.models import Unavailability

REASON_LENGTH = 255


@dataclass(frozen=True, slots=True)
class Absent:
    """When somebody cannot teach. Weekly: ``weekdays`` (0 is Monday), from ``first_day`` to ``last_day`` or for good.
    Absence: no weekdays, and ``first_day`` to ``last_day`` (included; the same day if none). ``periods``: only these;
    none: the whole day."""

    weekdays: frozenset[int] = frozenset()
    periods: frozenset[int] = frozenset()
    first_day: date | None = None
    last_day: date | None = None
    reason: str = ""


def teachers_of(campus: Organisation) -> list[Person]:
    """Who has the role of a teacher at a campus today or later, by name."""
    rows = db.session.scalars(
        sa.select(Person)
        .join(RoleAssignment, RoleAssignment.person_id == Person.id)
        .where(
            RoleAssignment.organisation_id == campus.id,
            RoleAssignment.role == Role.TEACHER,
            sa.or_(RoleAssignment.valid_to.is_(None), RoleAssignment.valid_to > today(campus.zone)),
        )
        .distinct()
    )
    return sorted(rows, key=lambda person: (person.display_name, person.id))


def campuses_of(person_ids: Collection[int]) -> dict[int, list[Organisation]]:
    """At which campuses these people teach today; those with two or more are shared between them."""
    found: dict[int, list[Organisation]] = {}
    for person_id, campus in db.session.execute(
        sa.select(RoleAssignment.person_id, Organisation)
        .join(Organisation, Organisation.id == RoleAssignment.organisation_id)
        .where(
            RoleAssignment.person_id.in_(person_ids),
            RoleAssignment.role == Role.TEACHER,
            valid(RoleAssignment, today()),
        )
        .order_by(Organisation.code)
    ):
        if campus not in found.setdefault(person_id, []):
            found[person_id].append(campus)
    return found


def add_absence(campus: Organisation, person: Person, wanted: Absent, *, actor: Person | None) -> list[Unavailability]:
    """State when a teacher of the campus cannot teach: every week, or on days. An absence of days is reported like any
    other (:func:`lms_bridge.timetable.cases.absences.report_absence`): the lessons that it hits wait to be decided.
    Lessons that are published stay until somebody changes them.

    :raises BadInputs: everything that is missing or wrong.
    """
    problems = _problems(campus, person, wanted)
    if problems:
        raise BadInputs(problems)
    if not wanted.weekdays and wanted.first_day is not None:
        absence = report_absence(
            person, wanted.first_day, wanted.last_day or wanted.first_day, periods=wanted.periods,
            reason=wanted.reason, actor=actor,
        )  # fmt: skip
        return list(db.session.scalars(sa.select(Unavailability).filter_by(absence_id=absence.id)))
    last = wanted.last_day if wanted.weekdays else wanted.last_day or wanted.first_day
    weekdays: list[int | None] = [*sorted(wanted.weekdays)] or [None]
    periods: list[int | None] = [*sorted(wanted.periods)] or [None]
    rows = [
        Unavailability(
            person_id=person.id,
            weekday=weekday,
            period_number=period,
            first_day=wanted.first_day,
            last_day=last,
            reason=wanted.reason.strip(),
        )
        for weekday in weekdays
        for period in periods
    ]
    db.session.add_all(rows)
    db.session.flush()
    _record("timetable.absence_added", campus, person, actor, rows=len(rows))
    return rows


def remove_absence(campus: Organisation, row: Unavailability, *, actor: Person | None) -> None:
    """Take a time back in which somebody could not teach; of a reported absence all of it.

    :raises Conflict: the absence was withdrawn already.
    """
    person = db.session.get_one(Person, row.person_id)
    if row.absence_id is not None:
        withdraw_absence(db.session.get_one(TeacherAbsence, row.absence_id), actor=actor)
        return
    db.session.delete(row)
    db.session.flush()
    _record("timetable.absence_removed", campus, person, actor)


def absences_of(person_ids: Collection[int], day: date) -> list[Unavailability]:
    """The times in which these people cannot teach, reported absences too, but for those that are over on ``day``."""
    return list(
        db.session.scalars(
            sa.select(Unavailability)
            .where(
                Unavailability.person_id.in_(person_ids),
                sa.or_(Unavailability.last_day.is_(None), Unavailability.last_day >= day),
            )
            .order_by(Unavailability.person_id, Unavailability.first_day, Unavailability.weekday, Unavailability.id)
        )
    )


def set_limit(campus: Organisation, person: Person, periods_per_day: int | None, *, actor: Person | None) -> None:
    """Say how many periods a teacher may have in a day, at all campuses together; None: no limit.

    :raises BadInputs: not a teacher of the campus, or a number that cannot be right.
    """
    problems = _not_of(campus, person)
    if periods_per_day is not None and not 1 <= periods_per_day <= MAX_PERIODS_PER_DAY:
        problems.append(
            InputError(
                N_("%(count)s periods a day cannot be right."),
                remedy=N_("Give 1 to %(most)s periods."),
                count=periods_per_day,
                most=MAX_PERIODS_PER_DAY,
            )
        )
    if problems:
        raise BadInputs(problems)
    row = db.session.scalar(sa.select(TeacherLimit).filter_by(person_id=person.id))
    if periods_per_day is None:
        if row is not None:
            db.session.delete(row)
    elif row is None:
        db.session.add(TeacherLimit(person_id=person.id, periods_per_day=periods_per_day))
    else:
        row.periods_per_day = periods_per_day
    db.session.flush()
    _record("timetable.teacher_limit", campus, person, actor, periods_per_day=periods_per_day)


def _not_of(campus: Organisation, person: Person) -> list[BridgeError]:
    if any(campus.id == other.id for other in campuses_of([person.id]).get(person.id, [])):
        return []
    return [
        InputError(
            N_("%(person)s does not teach at campus %(campus)s."),
            remedy=N_("Choose a teacher of the campus, or enter the role in the roster first."),
            person=person.display_name,
            campus=campus.code,
        )
    ]


def _problems(campus: Organisation, person: Person, wanted: Absent) -> list[BridgeError]:
    found = _not_of(campus, person)
    if not wanted.weekdays and wanted.first_day is None:
        found.append(
            InputError(
                N_("It is not said when the teacher cannot teach."),
                remedy=N_("Choose weekdays, or give the first day of the absence."),
            )
        )
    if any(not 0 <= day <= 6 for day in wanted.weekdays):
        found.append(InputError(N_("This is not a weekday."), remedy=N_("Choose from the list.")))
    if any(not 1 <= period <= MAX_PERIODS_PER_DAY for period in wanted.periods):
        found.append(
            InputError(
                N_("A period cannot be right."),
                remedy=N_("Write numbers of periods from 1 to %(most)s, such as 1, 2."),
                most=MAX_PERIODS_PER_DAY,
            )
        )
    if wanted.first_day and wanted.last_day and wanted.last_day < wanted.first_day:
        found.append(InputError(N_("The last day lies before the first."), remedy=N_("Correct one of the two dates.")))
    if len(wanted.reason.strip()) > REASON_LENGTH:
        found.append(InputError(N_("The reason is too long."), remedy=N_("Say it in fewer words.")))
    return found


def _record(action: str, campus: Organisation, person: Person, actor: Person | None, **details: object) -> None:
    audit.record(
        action,
        "person",
        person.uid,
        actor_uid=actor.uid if actor else None,
        organisation_id=campus.id,
        **details,
    )
