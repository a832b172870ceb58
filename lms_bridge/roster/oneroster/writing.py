"""What all writers of an import share: numbers made real, external identifiers, and rows that end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

from lms_bridge.core.bulk import Inserter, reserve_ids, stored_moment
from lms_bridge.core.clock import now
from lms_bridge.core.database import Base
from lms_bridge.core.models import ExternalId
from lms_bridge.roster.models import (
    ClassGroup,
    Course,
    Enrolment,
    Guardianship,
    Organisation,
    Person,
    RoleAssignment,
    Term,
)
from lms_bridge.roster.oneroster.plan import Plan, chunked

TABLES: dict[str, type[Base]] = {
    "organisation": Organisation,
    "term": Term,
    "course": Course,
    "class_group": ClassGroup,
    "person": Person,
    "role_assignment": RoleAssignment,
    "enrolment": Enrolment,
    "guardianship": Guardianship,
}


class Writer:
    """Writes one plan. ``ids`` holds, for each entity, the row ids of what was new (number -1 has the first)."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.connection = plan.connection
        self.ids: dict[str, Sequence[int]] = {
            entity: reserve_ids(plan.connection, TABLES[entity], known.fresh) for entity, known in plan.known.items()
        }
        self._new_ids = Inserter(plan.connection, ExternalId, "entity entity_id system key row_hash created_at")
        self._moment = stored_moment(plan.connection, now())
        self._total = sum(spool.count for name, spool in plan.spools.items() if name != "agents")
        self._done = 0

    def real(self, entity: str) -> Callable[[int], int]:
        """A function from a plan's number of an ``entity`` to the row id."""
        fresh = self.ids[entity]
        return lambda number: number if number > 0 else fresh[-number - 1]

    def name_new(self, entity: str, rows: Iterable[tuple[int, str, int]]) -> None:
        """Insert external identifiers: (row id, key, hash)."""
        system, moment = self.plan.system, self._moment
        # In the order of the index, which a database writes several times as quickly as in any other.
        ordered = sorted(rows, key=itemgetter(1))
        self._new_ids.insert([(entity, row_id, system, key, row_hash, moment) for row_id, key, row_hash in ordered])

    def name_again(self, entity: str, rows: Iterable[tuple[int, str, int]]) -> None:
        """Update external identifiers that are there: (row id, key, hash)."""
        table = ExternalId.__table__.c
        statement = (
            sa.update(ExternalId.__table__)  # type: ignore[arg-type]
            .where(table.entity == entity, table.system == self.plan.system, table.key == sa.bindparam("b_key"))
            .values(entity_id=sa.bindparam("b_id"), row_hash=sa.bindparam("b_hash"))
        )
        values = [{"b_id": row_id, "b_key": key, "b_hash": row_hash} for row_id, key, row_hash in rows]
        if values:
            self.connection.execute(statement, values)

    def end_rows(self, table: type[Base], ids: Iterable[int], day: date) -> None:
        """Set ``valid_to`` of those rows of ``ids`` that hold on ``day`` or later."""
        columns: Any = table.__table__.c
        for piece in chunked(sorted(ids)):
            self.connection.execute(
                sa.update(table.__table__)  # type: ignore[arg-type]
                .where(columns.id.in_(piece), sa.or_(columns.valid_to.is_(None), columns.valid_to > day))
                .values(valid_to=day)
            )

    def end_all(self) -> None:
        """End what the file ends, and remember that the roster says nothing of it any more."""
        columns = ExternalId.__table__.c
        for entity, gone in self.plan.gone.items():
            # What still goes by another sourcedId (a bureau that got a new one) stays.
            standing = set(self.plan.known[entity].active.values()) if gone else set()
            self.end_rows(TABLES[entity], self.plan.ids_of(entity, gone) - standing, self.plan.day)
            keys = sorted(gone)
            for start in range(0, len(keys), 500):
                self.connection.execute(
                    sa.update(ExternalId.__table__)  # type: ignore[arg-type]
                    .where(
                        columns.entity == entity,
                        columns.system == self.plan.system,
                        columns.key.in_(keys[start : start + 500]),
                    )
                    .values(row_hash=None)
                )

    def told(self, rows: int) -> None:
        """Tell the progress that so many more rows were written."""
        self._done += rows
        if self.plan.progress is not None:
            self.plan.progress("write", self._done, self._total)
