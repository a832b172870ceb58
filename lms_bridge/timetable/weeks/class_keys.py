"""The solver's keys of classes: of whole classes, of their named parts, and of students whom two classes share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date
from itertools import combinations, product

import sqlalchemy as sa

from lms_bridge.core.database import db
from lms_bridge.core.i18n import gettext
from lms_bridge.roster.models import ClassGroup, Enrolment, EnrolmentRole


def class_key(class_id: int, part: str = "") -> str:
    """The solver's key of a class, or of a named part of it."""
    return f"c{class_id}/{part}" if part else f"c{class_id}"


def teacher_key(person_id: int) -> str:
    """The solver's key of a teacher."""
    return f"t{person_id}"


def students_by_class(class_ids: Collection[int], first: date, last: date) -> dict[int, set[int]]:
    """By person id, the classes (of these) of each student enrolled on some day of a span (both included)."""
    found: defaultdict[int, set[int]] = defaultdict(set)
    for person_id, class_id in db.session.execute(
        sa.select(Enrolment.person_id, Enrolment.class_id).where(
            Enrolment.class_id.in_(class_ids),
            Enrolment.role == EnrolmentRole.STUDENT,
            Enrolment.valid_from <= last,
            sa.or_(Enrolment.valid_to.is_(None), Enrolment.valid_to > first),
        )
    ):
        found[person_id].add(class_id)
    return found


class ClassKeys:
    """Which keys a lesson of a class names, so that nobody is in two lessons at once.

    A lesson of a whole class names the class and each of its parts; one of a part names that part alone. Classes with
    students in common (a homeroom and a teaching group) must not have lessons at once: each such pair becomes a class
    of its own for the solver, which the lessons of both belong to.
    """

    def __init__(
        self,
        classes: Mapping[int, ClassGroup],
        parts: Mapping[int, Collection[str]],
        students: Mapping[int, Collection[int]],
    ) -> None:
        self._classes = classes
        self._parts = {class_id: sorted(names) for class_id, names in parts.items()}
        self._shared: defaultdict[str, list[str]] = defaultdict(list)
        self._of_pairs: dict[str, tuple[int, int]] = {}
        self.names = {class_key(g.id): g.title for g in classes.values()}
        for class_id, names in self._parts.items():
            self.names |= {class_key(class_id, part): f"{classes[class_id].title} {part}" for part in names}
        pairs = {pair for own in students.values() for pair in combinations(sorted(own), 2)}
        for pair in sorted(pairs):
            self._share(*pair)

    def _share(self, one: int, two: int) -> None:
        name = gettext("students of %(one)s and %(two)s", one=self._classes[one].title, two=self._classes[two].title)
        for part, other in product(self._parts.get(one) or [""], self._parts.get(two) or [""]):
            key = f"both{one}{'/' if part else ''}{part}:{two}{'/' if other else ''}{other}"
            self.names[key] = name
            self._of_pairs[key] = (one, two)
            self._shared[class_key(one, part)].append(key)
            self._shared[class_key(two, other)].append(key)

    def own(self, class_id: int, part: str = "") -> tuple[str, ...]:
        """The keys of a class (or part) by itself."""
        if part:
            return (class_key(class_id, part),)
        return (class_key(class_id), *(class_key(class_id, name) for name in self._parts.get(class_id, ())))

    def of(self, class_id: int, part: str = "") -> tuple[str, ...]:
        """The keys that a lesson of a class (or part) names."""
        own = self.own(class_id, part)
        return (*own, *dict.fromkeys(key for mine in own for key in self._shared.get(mine, ())))

    def limits(self, by_class: Mapping[int, int]) -> dict[str, int]:
        """A limit of each class (by id) as one of all its keys; those of two classes have the lower one."""
        found = {key: limit for class_id, limit in by_class.items() for key in self.own(class_id)}
        for key, pair in self._of_pairs.items():
            both = [by_class[class_id] for class_id in pair if class_id in by_class]
            if both:
                found[key] = min(both)
        return found
