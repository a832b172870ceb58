"""What requests name by code or uid: a campus, a class, a lesson, a person. What is not within the caller's reach is
not found."""

from __future__ import annotations

import sqlalchemy as sa

from lms_bridge.api.callers import require
from lms_bridge.core.access import Permission, Scope, Target
from lms_bridge.core.database import db
from lms_bridge.core.errors import InputError, NotFound
from lms_bridge.core.i18n import N_
from lms_bridge.plans.lookup import class_by_code
from lms_bridge.roster.models import ClassGroup, Organisation, OrganisationKind, Person
from lms_bridge.timetable.models import Lesson
from lms_bridge.timetable.queries import lesson_by_uid


def campus_within(scope: Scope, permission: Permission, code: str) -> Organisation:
    """The campus with this code, if the permission covers it whole."""
    found = db.session.scalar(sa.select(Organisation).filter_by(code=code.strip(), kind=OrganisationKind.CAMPUS))
    if found is None:
        raise NotFound()
    scope.require(permission, Target(found.path))
    return found


def campus_to_plan(code: str, *besides: Permission) -> Organisation:
    """The campus with this code, if the caller writes its timetable and has the permissions ``besides``."""
    campus = campus_within(require(Permission.TIMETABLE_WRITE), Permission.TIMETABLE_WRITE, code)
    for permission in besides:
        require(permission, Target(campus.path))
    return campus


def class_of(campus: Organisation, code: str) -> ClassGroup:
    """The class of the campus with this code (with or without the campus before it) in the running term.

    :raises InputError: there is none.
    """
    group = class_by_code(code if "/" in code else f"{campus.code}/{code}")
    if group.campus_id != campus.id:
        raise InputError(N_("This class is not one of the campus."), remedy=N_("Choose one from the list."))
    return group


def lesson_to_change(uid: str) -> Lesson:
    """The lesson with this uid, for those who write the timetable of its campus."""
    row = lesson_by_uid(uid)
    if row is None:
        raise NotFound()
    require(Permission.TIMETABLE_WRITE, Target(row.campus.path))
    return row


def teacher_named(uid: str) -> Person:
    """The person with this uid, for those who write a timetable.

    :raises InputError: there is nobody.
    """
    require(Permission.TIMETABLE_WRITE)
    person = db.session.scalar(sa.select(Person).where(Person.uid == uid))
    if person is None:
        raise InputError(N_("There is no such teacher."), remedy=N_("Name the uid of a teacher."))
    return person
