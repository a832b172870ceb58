"""The audit log: one entry for each operation, written in its transaction."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from lms_bridge.core.database import db
from lms_bridge.core.models import AuditEntry

ENTRY = sa.insert(AuditEntry.__table__)  # type: ignore[arg-type]
"""Written past the unit of work: nobody looks at the entry again, and a sign-in has nothing else to flush."""


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
    db.session.connection().execute(
        ENTRY,
        {
            "action": action,
            "entity": entity,
            "entity_uid": entity_uid,
            "actor_uid": actor_uid,
            "organisation_id": organisation_id,
            "details": details,
        },
    )
