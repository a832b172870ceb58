"""Mappings of what an LMS has and we have, stored by the thousand."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from lms_bridge.core.bulk import Inserter, stored_moment
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.sync import naming
from lms_bridge.sync.models import MappedKind, MappingState, SyncMapping

COLUMNS = "account_id kind place entity_id remote_id state sent digest attempts next_try last_error changed_at seen_at"


class Agreed(NamedTuple):
    """One thing of ours that is known there."""

    place: str
    entity_id: int
    remote_id: str
    digest: str | None = None
    sent: dict[str, Any] | None = None


def store_agreed(account_id: int, kind: MappedKind, rows: Iterable[Agreed]) -> None:
    """Store mappings that are new, in the transaction in force; everything that the session holds is flushed before."""
    rows = list(rows)
    db.session.flush()
    if kind is MappedKind.ENROLMENT:
        naming.note_enrolments("enrolments_new", [row.entity_id for row in rows])
    connection = db.session.connection()
    moment, state = stored_moment(connection, now()), MappingState.DONE.value
    Inserter(connection, SyncMapping, COLUMNS).insert(
        (
            account_id, kind.value, row.place, row.entity_id, row.remote_id, state,
            json.dumps(row.sent) if row.sent else "{}", row.digest, 0, moment, None, moment, moment,
        )
        for row in rows
    )  # fmt: skip
