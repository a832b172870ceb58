"""The audit log: one entry for each operation, written in its transaction."""

from __future__ import annotations

import functools
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from lms_bridge.core import database
from lms_bridge.core.clock import now
from lms_bridge.core.models import AuditEntry
from lms_bridge.core.ready import Ready

FIELDS = ("at", "actor_uid", "action", "entity", "entity_uid", "organisation_id", "details")


@functools.cache
def _store(dialect: Dialect) -> Ready:
    # Past the unit of work: nobody looks at the entry again, and a sign-in has nothing else to flush.
    table: sa.Table = AuditEntry.__table__  # type: ignore[assignment]
    return Ready(sa.insert(table).inline().values({name: sa.bindparam(name) for name in FIELDS}), dialect)


def record(
    action: str,
    entity: str,
    entity_uid: str,
    *,
    actor_uid: str | None,
    organisation_id: int | None = None,
    **details: Any,
) -> None:
    """Write that ``actor_uid`` (None: the system itself) did ``action`` to an entity.

    ``details`` hold codes, numbers and opaque ids, never names or texts of people.
    """
    connection = database.connection()
    entry = {
        "at": now(), "actor_uid": actor_uid, "action": action, "entity": entity, "entity_uid": entity_uid,
        "organisation_id": organisation_id, "details": details,
    }  # fmt: skip
    _store(connection.dialect).run(connection, entry)
