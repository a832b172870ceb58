"""The audit log: one entry for each operation, written in its transaction."""

from __future__ import annotations

from typing import Any

from lms_bridge.core.database import db
from lms_bridge.core.models import AuditEntry


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
    db.session.add(
        AuditEntry(
            action=action,
            entity=entity,
            entity_uid=entity_uid,
            actor_uid=actor_uid,
            organisation_id=organisation_id,
            details=details,
        )
    )
