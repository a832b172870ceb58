"""Wishes about families: siblings who share a device, and teachers whose young children are taught at home."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from datetime import date
from itertools import combinations

import sqlalchemy as sa

from lms_bridge.calendar.limits import default_limits
from lms_bridge.core.database import db
from lms_bridge.roster.models import Enrolment, EnrolmentRole, Guardianship, Household, HouseholdMember
from lms_bridge.roster.scope import valid

FAMILY = 2
"""What one family's clash costs."""

YOUNG_CHILD = 4
"""What it costs when a teacher has a lesson while an own young child has one."""

MOST_PAIRS = 200
"""More pairs of classes than these, by the number of their families, are left out: they cost time and decide little."""


def shared_devices(students: Mapping[int, Collection[int]], day: date) -> dict[tuple[int, int], int]:
    """Pairs of classes (ids, the lower first) with the number of families in which siblings of both share a device.

    ``students`` are the classes of each student. A household whose devices are not known counts as one with a single
    device.
    """
    households: defaultdict[int, set[int]] = defaultdict(set)
    devices: dict[int, int] = {}
    rows = db.session.execute(
        sa.select(HouseholdMember.household_id, HouseholdMember.person_id, Household.devices)
        .join(Household, Household.id == HouseholdMember.household_id)
        .where(HouseholdMember.person_id.in_(students), valid(HouseholdMember, day))
    )
    for household_id, person_id, count in rows:
        households[household_id].add(person_id)
        devices[household_id] = count if count is not None else 1
    found: Counter[tuple[int, int]] = Counter()
    for household_id, children in households.items():
        if len(children) > devices[household_id]:
            found.update(_pairs(children, students))
    return dict(sorted(found.most_common(MOST_PAIRS)))


def _pairs(children: Collection[int], students: Mapping[int, Collection[int]]) -> set[tuple[int, int]]:
    return {
        (min(one, other), max(one, other))
        for first, second in combinations(sorted(children), 2)
        for one in students[first]
        for other in students[second]
        if one != other
    }


def young_children(teacher_ids: Collection[int], grade_of: Mapping[int, str], day: date) -> list[tuple[int, int]]:
    """Teachers with the classes of their own children in the lowest primary grades, who need an adult beside them."""
    rows = db.session.execute(
        sa.select(Guardianship.guardian_id, Enrolment.class_id)
        .join(Enrolment, Enrolment.person_id == Guardianship.student_id)
        .where(
            Guardianship.guardian_id.in_(teacher_ids),
            Guardianship.restricted.is_(False),
            valid(Guardianship, day),
            Enrolment.role == EnrolmentRole.STUDENT,
            Enrolment.class_id.in_(grade_of),
            valid(Enrolment, day),
        )
    )
    return sorted({(person_id, class_id) for person_id, class_id in rows if is_young(grade_of[class_id])})


def is_young(grade: str) -> bool:
    """Whether children of a grade are too young to be alone in a lesson at home: those without written homework."""
    return default_limits(grade).homework_minutes_per_day == 0
