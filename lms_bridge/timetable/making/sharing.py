"""Which campuses share teachers or online rooms in a week, so that it is better to solve them together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import sqlalchemy as sa

from lms_bridge.calendar.days import monday_of, online_days
from lms_bridge.core.database import db
from lms_bridge.core.errors import InputError
from lms_bridge.core.i18n import N_
from lms_bridge.roster.models import ClassGroup, Enrolment, EnrolmentRole, Organisation, OrganisationKind, Term
from lms_bridge.timetable.inputs.models import Arrangement, ArrangementTeacher
from lms_bridge.timetable.weeks.capacity import rooms_of


@dataclass(frozen=True)
class Sharing:
    """A campus that shares ``teachers`` (their number) or ``rooms`` with another one in a week."""

    campus: Organisation
    teachers: int
    rooms: bool


def sharing_with(campus: Organisation, week: str, among: Sequence[Organisation]) -> list[Sharing]:
    """The campuses of ``among`` that share a teacher with this one in a week (``2026-W48``), or the rooms of an account
    whose rooms are counted while both are online.

    :raises InputError: it is no week.
    """
    monday = monday_of(week)
    sunday = monday + timedelta(days=6)
    others = [other for other in among if other.id != campus.id]
    teachers = _shared_teachers(campus, [other.id for other in others], monday, sunday)
    own = _accounts(campus, monday, sunday)
    found = [
        Sharing(other, teachers[other.id], bool(own and own & _accounts(other, monday, sunday))) for other in others
    ]
    return [one for one in found if one.teachers or one.rooms]


def with_all_that_share(
    campuses: Sequence[Organisation], week: str, among: Sequence[Organisation]
) -> list[Organisation]:
    """These campuses, and those of ``among`` that share with one of them, or with one that does."""
    found = list(campuses)
    for campus in found:
        known = {one.id for one in found}
        found += [one.campus for one in sharing_with(campus, week, [c for c in among if c.id not in known])]
    return found


def campuses_below(group: Organisation) -> list[Organisation]:
    """The campuses of an education group (or of the bureau), in order of their codes.

    :raises InputError: it has none.
    """
    found = all_campuses(Organisation.path.startswith(group.path, autoescape=True))
    if not found:
        raise InputError(
            N_("“%(code)s” has no campuses."), remedy=N_("Give the code of an education group."), code=group.code
        )
    return found


def group_by_code(code: str) -> Organisation:
    """The education group (or the bureau) with this code.

    :raises InputError: none; says which there are.
    """
    kinds = (OrganisationKind.GROUP, OrganisationKind.BUREAU)
    rows = db.session.scalars(sa.select(Organisation).where(Organisation.kind.in_(kinds)).order_by(Organisation.code))
    groups = {row.code: row for row in rows}
    if code.strip() not in groups:
        raise InputError(
            N_("There is no education group with the code “%(code)s”."),
            remedy=N_("Known groups: %(known)s."),
            code=code,
            known=", ".join(groups) or "-",
        )
    return groups[code.strip()]


def all_campuses(*where: sa.ColumnElement[bool]) -> list[Organisation]:
    """The campuses of the roster of today, in order of their codes."""
    return list(
        db.session.scalars(
            sa.select(Organisation)
            .where(Organisation.kind == OrganisationKind.CAMPUS, Organisation.valid_to.is_(None), *where)
            .order_by(Organisation.code)
        )
    )


def _shared_teachers(campus: Organisation, others: Sequence[int], first: date, last: date) -> Counter[int]:
    """By campus id, how many teachers of the campus teach there too between two days (both included)."""
    enrolled = (
        sa.select(ClassGroup.campus_id, Enrolment.person_id)
        .join(ClassGroup, ClassGroup.id == Enrolment.class_id)
        .join(Term, Term.id == ClassGroup.term_id)
        .where(
            Enrolment.role == EnrolmentRole.TEACHER,
            Enrolment.valid_from <= last,
            sa.or_(Enrolment.valid_to.is_(None), Enrolment.valid_to > first),
            sa.or_(ClassGroup.valid_to.is_(None), ClassGroup.valid_to > first),
            Term.starts_on <= last,
            Term.ends_on >= first,
        )
    )
    arranged = (
        sa.select(Arrangement.campus_id, ArrangementTeacher.person_id)
        .join(Arrangement, Arrangement.id == ArrangementTeacher.arrangement_id)
        .join(Term, Term.id == Arrangement.term_id)
        .where(Term.starts_on <= last, Term.ends_on >= first)
    )
    here = {
        person_id
        for query, column in ((enrolled, ClassGroup.campus_id), (arranged, Arrangement.campus_id))
        for _, person_id in db.session.execute(query.where(column == campus.id))
    }
    there = {
        (campus_id, person_id)
        for query, column, person in (
            (enrolled, ClassGroup.campus_id, Enrolment.person_id),
            (arranged, Arrangement.campus_id, ArrangementTeacher.person_id),
        )
        for campus_id, person_id in db.session.execute(query.where(column.in_(others), person.in_(here)))
    }
    return Counter(campus_id for campus_id, _ in there)


def _accounts(campus: Organisation, first: date, last: date) -> frozenset[int]:
    """The accounts whose rooms are counted for a campus that is online on some of these days."""
    spans = online_days(campus, first, last)
    if not spans.campus and not spans.classes:
        return frozenset()
    start, end = (datetime.combine(day, time(), UTC) for day in (first, last + timedelta(days=1)))
    rooms = rooms_of([campus], start, end)
    return rooms.accounts if rooms is not None else frozenset()
