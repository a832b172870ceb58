"""What ends: rows that hang on what ends, and the limit beyond which a person must confirm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from lms_bridge.core.i18n import N_, gettext
from lms_bridge.core.models import ExternalId
from lms_bridge.roster.models import Enrolment, RoleAssignment
from lms_bridge.roster.oneroster.guardians import GuardianChanges
from lms_bridge.roster.oneroster.plan import Plan, chunked

WHAT = {
    "users": N_("%(removed)s of %(before)s people"),
    "classes": N_("%(removed)s of %(before)s classes"),
    "enrollments": N_("%(removed)s of %(before)s enrolments"),
    "guardians": N_("%(removed)s of %(before)s guardianships"),
}


@dataclass(frozen=True)
class Removal:
    """More of a table would end than the limit allows."""

    table: str
    removed: int
    before: int

    def as_dict(self) -> dict[str, Any]:
        """The removal as plain JSON."""
        return {"table": self.table, "removed": self.removed, "before": self.before}

    def text(self) -> str:
        """``300 of 4000 people``, in the language in force."""
        return gettext(WHAT[self.table], removed=self.removed, before=self.before)


def too_many(plan: Plan, guardians: GuardianChanges, limit: float) -> list[Removal]:
    """The tables given in bulk of which more than ``limit`` (a share) would end."""
    numbers = [
        ("users", plan.known["person"].bulk, plan.known["person"].counts.removed, plan.known["person"].was_in_force()),
        (
            "classes",
            plan.known["class_group"].bulk,
            plan.known["class_group"].counts.removed,
            plan.known["class_group"].was_in_force(),
        ),
        (
            "enrollments",
            plan.known["enrolment"].bulk,
            plan.known["enrolment"].counts.removed,
            plan.known["enrolment"].was_in_force(),
        ),
        ("guardians", plan.known["person"].bulk, guardians.counts.removed, guardians.before),
    ]
    return [Removal(table, gone, before) for table, bulk, gone, before in numbers if bulk and gone > limit * before]


def end_dependants(plan: Plan) -> None:
    """Whoever ends, ends in every class and role; a class that ends, ends with its enrolments (a delta may leave
    them unsaid)."""
    people = plan.ids_of("person", plan.gone["person"])
    classes = plan.ids_of("class_group", plan.gone["class_group"])
    _end(plan, "role_assignment", RoleAssignment, RoleAssignment.person_id, people)
    _end(plan, "enrolment", Enrolment, Enrolment.person_id, people)
    _end(plan, "enrolment", Enrolment, Enrolment.class_id, classes)


def _end(plan: Plan, entity: str, table: Any, column: Any, ids: set[int]) -> None:
    known, gone = plan.known[entity], plan.gone[entity]
    for piece in chunked(sorted(ids)):
        found = plan.connection.scalars(
            sa.select(ExternalId.key)
            .join(table, table.id == ExternalId.entity_id)
            .where(
                ExternalId.entity == entity,
                ExternalId.system == plan.system,
                ExternalId.row_hash.is_not(None),
                column.in_(piece),
            )
        )
        for key in found:
            # A row that the file itself moves to somebody else is no dependant any more.
            if key not in known.named and key not in gone:
                gone.add(key)
                known.active.pop(key, None)
    known.counts.removed = len(gone)
