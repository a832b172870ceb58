"""How many people a change set touches: what is shown before it is applied."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from lms_bridge.core.database import db
from lms_bridge.roster.models import Enrolment, EnrolmentRole, Guardianship
from lms_bridge.roster.scope import today, valid
from lms_bridge.timetable.models import ChangeKind, ChangeSet
from lms_bridge.timetable.snapshots import from_json


@dataclass(frozen=True)
class Touched:
    """People whose lessons a change set touches; guardians only where they may receive messages."""

    students: int
    guardians: int
    teachers: int
    classes: int

    @property
    def people(self) -> int:
        """All of them; somebody who is guardian and teacher counts twice."""
        return self.students + self.guardians + self.teachers


def touched_by(change_set: ChangeSet) -> Touched:
    """Count them: students of the classes on the days of the lessons (before and after), and so on. Lessons of which
    only the plan unit changes do not count, since nobody is told of that."""
    days: defaultdict[int, set[date]] = defaultdict(set)
    teachers: set[int] = set()
    for change in change_set.changes:
        if change.kind is ChangeKind.UNIT:
            continue
        for state in (from_json(data) for data in (change.before, change.after) if data):
            teachers |= state.teacher_ids
            for class_id in state.class_ids:
                days[class_id].add(state.starts_local.date())
    rows = db.session.execute(
        sa.select(Enrolment.person_id, Enrolment.class_id, Enrolment.valid_from, Enrolment.valid_to).where(
            Enrolment.class_id.in_(days), Enrolment.role == EnrolmentRole.STUDENT
        )
    )
    students = {
        person_id
        for person_id, class_id, first, end in rows
        if any(first <= day and (end is None or end > day) for day in days[class_id])
    }
    guardians = db.session.scalar(
        sa.select(sa.func.count(sa.distinct(Guardianship.guardian_id))).where(
            Guardianship.student_id.in_(students),
            Guardianship.may_receive.is_(True),
            Guardianship.restricted.is_(False),
            valid(Guardianship, today()),
        )
    )
    return Touched(len(students), guardians or 0, len(teachers), len(days))
