"""Who must hear of a change set: students of its lessons, their guardians, and its teachers, page by page.

Pages go by person id, so that a fan-out to a hundred thousand people holds a few hundred of them at a time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from typing import Any

import sqlalchemy as sa

from lms_bridge.core.database import db
from lms_bridge.roster.models import Enrolment, EnrolmentRole, Guardianship
from lms_bridge.roster.scope import today, valid
from lms_bridge.timetable.models import ChangeKind, ChangeSet, ChangeState, LessonChange
from lms_bridge.timetable.snapshots import from_json

ClassDays = Mapping[int, frozenset[date]]


def change_set_of(cause: str) -> ChangeSet | None:
    """The change set that a cause (``change_set:17``) names."""
    table, _, number = cause.partition(":")
    if table != "change_set" or not number.isdigit():
        raise ValueError(f"not a change set: {cause!r}")
    return db.session.get(ChangeSet, int(number))


def people_touched(cause: str, after_person_id: int, limit: int) -> list[int]:
    """The audience of ``timetable.changed``: ids above ``after_person_id``, ascending, at most ``limit``."""
    change_set = change_set_of(cause)
    if change_set is None or change_set.state is not ChangeState.APPLIED:
        return []
    return would_touch(change_set.id, after_person_id, limit)


def would_touch(change_set_id: int, after_person_id: int, limit: int) -> list[int]:
    """The people whom a change set concerns, in force or only proposed; pages as :func:`people_touched` has them."""
    days, teachers = _touched(change_set_id)
    found = {person_id for person_id in teachers if person_id > after_person_id}
    found |= _students(days, after_person_id, limit)
    found |= _guardians(days, after_person_id, limit)
    return sorted(found)[:limit]


def _touched(change_set_id: int) -> tuple[ClassDays, set[int]]:
    """On which days which classes are touched, and the teachers; before and after alike."""
    days: defaultdict[int, set[date]] = defaultdict(set)
    teachers: set[int] = set()
    rows = db.session.execute(
        sa.select(LessonChange.before, LessonChange.after).where(
            LessonChange.change_set_id == change_set_id, LessonChange.kind != ChangeKind.UNIT
        )
    )
    for pair in rows:
        for state in (from_json(data) for data in pair if data):
            teachers |= state.teacher_ids
            for class_id in state.class_ids:
                days[class_id].add(state.starts_local.date())
    return {class_id: frozenset(found) for class_id, found in days.items()}, teachers


def _students(days: ClassDays, after: int, limit: int) -> set[int]:
    query = sa.select(Enrolment.person_id, Enrolment.class_id, Enrolment.valid_from, Enrolment.valid_to)
    return _page(query, Enrolment.person_id, days, after, limit)


def _guardians(days: ClassDays, after: int, limit: int) -> set[int]:
    """Those who may receive messages today; the rule of ``queries.guardians_of`` as a join, for any number."""
    query = (
        sa.select(Guardianship.guardian_id, Enrolment.class_id, Enrolment.valid_from, Enrolment.valid_to)
        .join(Guardianship, Guardianship.student_id == Enrolment.person_id)
        .where(Guardianship.may_receive.is_(True), Guardianship.restricted.is_(False), valid(Guardianship, today()))
    )
    return _page(query, Guardianship.guardian_id, days, after, limit)


def _page(query: sa.Select[*tuple[Any, ...]], person_id: Any, days: ClassDays, after: int, limit: int) -> set[int]:
    """The ``limit`` lowest ids above ``after`` whose enrolment holds on a touched day of its class."""
    found: set[int] = set()
    if not days:
        return found
    query = query.where(Enrolment.class_id.in_(days), Enrolment.role == EnrolmentRole.STUDENT)
    # One person has several rows: one for each class and child.
    size = 4 * limit + 1000
    while len(found) < limit:
        rows = db.session.execute(query.where(person_id > after).order_by(person_id).limit(size)).all()
        complete = len(rows) < size
        if not complete:
            # The last person's rows may go on behind the limit; that person comes with the next page, whole.
            rows = [row for row in rows if row[0] != rows[-1][0]]
        for who, class_id, first, end in rows:
            if any(first <= day and (end is None or end > day) for day in days[class_id]):
                found.add(who)
        if complete or not rows:
            break
        after = rows[-1][0]
    return set(sorted(found)[:limit])
