"""Whom a change disturbs: students, teachers and families, each counted once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from lms_bridge.core.database import db
from lms_bridge.roster.models import Enrolment, EnrolmentRole, Guardianship
from lms_bridge.roster.scope import today, valid
from lms_bridge.timetable.snapshots import LessonState


@dataclass(frozen=True, slots=True)
class Disturbed:
    """People by what they are. A family is what hangs together by guardians: siblings, and everybody who may receive
    messages about them."""

    students: frozenset[int] = frozenset()
    teachers: frozenset[int] = frozenset()
    families: frozenset[int] = frozenset()
    classes: frozenset[int] = frozenset()

    @property
    def people(self) -> int:
        """What proposals are ranked by: students, teachers and families, each once."""
        return len(self.students) + len(self.teachers) + len(self.families)


class PeopleBook:
    """Who belongs to which class on which day, and to which family; read once for all proposals of a case."""

    def __init__(self, class_ids: Collection[int]) -> None:
        self._members: defaultdict[int, list[tuple[int, date, date | None]]] = defaultdict(list)
        for person_id, class_id, first, end in db.session.execute(
            sa.select(Enrolment.person_id, Enrolment.class_id, Enrolment.valid_from, Enrolment.valid_to).where(
                Enrolment.class_id.in_(class_ids), Enrolment.role == EnrolmentRole.STUDENT
            )
        ):
            self._members[class_id].append((person_id, first, end))
        students = {member[0] for members in self._members.values() for member in members}
        self.family = families_of(guardians_by_student(students))

    def sizes(self, day: date) -> dict[int, int]:
        """How many students each class has on a day."""
        return {
            class_id: sum(first <= day and (end is None or end > day) for _, first, end in members)
            for class_id, members in self._members.items()
        }

    def disturbed(self, states: Iterable[LessonState]) -> Disturbed:
        """Everybody whom lessons concern that were or would be so (give the states before and after alike)."""
        days: defaultdict[int, set[date]] = defaultdict(set)
        teachers: set[int] = set()
        for state in states:
            teachers |= state.teacher_ids
            for class_id in state.class_ids:
                days[class_id].add(state.starts_local.date())
        students = {
            person_id
            for class_id, own in days.items()
            for person_id, first, end in self._members[class_id]
            if any(first <= day and (end is None or end > day) for day in own)
        }
        return Disturbed(
            frozenset(students),
            frozenset(teachers),
            frozenset(self.family[s] for s in students if s in self.family),
            frozenset(days),
        )


def guardians_by_student(student_ids: Collection[int]) -> dict[int, list[int]]:
    """Guardians (ids, in order of position) who may receive messages about each student today."""
    found: defaultdict[int, list[int]] = defaultdict(list)
    for student_id, guardian_id in db.session.execute(
        sa.select(Guardianship.student_id, Guardianship.guardian_id)
        .where(
            Guardianship.student_id.in_(student_ids),
            Guardianship.may_receive.is_(True),
            Guardianship.restricted.is_(False),
            valid(Guardianship, today()),
        )
        .order_by(Guardianship.position, Guardianship.id)
    ):
        found[student_id].append(guardian_id)
    return dict(found)


def families_of(guardians: Mapping[int, Collection[int]]) -> dict[int, int]:
    """By student the number of their family (the lowest student id in it); students who share a guardian, directly or
    through siblings, are one family."""
    family: dict[int, int] = {}
    first_child: dict[int, int] = {}

    def root(student: int) -> int:
        while family[student] != student:
            student = family[student]
        return student

    for student in sorted(guardians):
        family[student] = student
        for guardian in guardians[student]:
            known = first_child.setdefault(guardian, student)
            one, other = sorted((root(known), root(student)))
            family[other] = one
    return {student: root(student) for student in family}
