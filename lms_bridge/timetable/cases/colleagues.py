"""The teachers who may stand in at a campus: its own, and those of the other campuses of its group."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import sqlalchemy as sa

from lms_bridge.calendar.days import monday_of
from lms_bridge.core.access import Role
from lms_bridge.core.database import db
from lms_bridge.core.i18n import get_locale
from lms_bridge.roster.models import (
    ClassGroup,
    Enrolment,
    EnrolmentRole,
    Organisation,
    OrganisationKind,
    Person,
    RoleAssignment,
)
from lms_bridge.roster.scope import valid
from lms_bridge.timetable.cases.loads import Load, loads


@dataclass(frozen=True, slots=True)
class Colleague:
    """A teacher with what a choice is made by. ``same_campus``: holds the role at the campus itself; ``campus`` is
    the name of the campus where they hold it, in the language in force."""

    person_id: int
    name: str
    same_campus: bool
    campus: str
    subjects: frozenset[int]
    classes: frozenset[int]
    load: Load


def colleagues(campus: Organisation, week: str) -> dict[int, Colleague]:
    """By person id, the teachers of the campus and of its group on the Monday of an ISO week."""
    day = monday_of(week)
    rows = db.session.execute(
        sa.select(Person, Organisation)
        .join(RoleAssignment, RoleAssignment.person_id == Person.id)
        .join(Organisation, Organisation.id == RoleAssignment.organisation_id)
        .where(
            RoleAssignment.role == Role.TEACHER,
            Organisation.kind == OrganisationKind.CAMPUS,
            sa.or_(Organisation.id == campus.id, *_siblings(campus)),
            Person.valid_to.is_(None),
            valid(RoleAssignment, day),
        )
        .order_by(Organisation.id != campus.id, Organisation.id, Person.id)
    ).all()
    people: dict[int, tuple[Person, Organisation]] = {}
    for person, organisation in rows:
        people.setdefault(person.id, (person, organisation))
    subjects, classes = _taught(list(people))
    load = loads(campus, list(people), week)
    return {
        person_id: Colleague(
            person_id,
            person.display_name,
            organisation.id == campus.id,
            organisation.label(get_locale()),
            frozenset(subjects[person_id]),
            frozenset(classes[person_id]),
            load[person_id],
        )
        for person_id, (person, organisation) in people.items()
    }


def _siblings(campus: Organisation) -> list[sa.ColumnElement[bool]]:
    """The campuses below the same education group; a campus right below the bureau has none."""
    parent = campus.parent
    if parent is None or parent.kind is not OrganisationKind.GROUP:
        return []
    return [Organisation.path.startswith(parent.path, autoescape=True)]


def _taught(person_ids: list[int]) -> tuple[defaultdict[int, set[int]], defaultdict[int, set[int]]]:
    """By person the subjects that they teach somewhere, and their classes."""
    subjects: defaultdict[int, set[int]] = defaultdict(set)
    classes: defaultdict[int, set[int]] = defaultdict(set)
    rows = db.session.execute(
        sa.select(Enrolment.person_id, Enrolment.class_id, Enrolment.subject_id, ClassGroup.subject_id)
        .join(ClassGroup, ClassGroup.id == Enrolment.class_id)
        .where(Enrolment.person_id.in_(person_ids), Enrolment.role == EnrolmentRole.TEACHER)
    )
    for person_id, class_id, own, of_class in rows:
        classes[person_id].add(class_id)
        subject_id = own if own is not None else of_class
        if subject_id is not None:
            subjects[person_id].add(subject_id)
    return subjects, classes
