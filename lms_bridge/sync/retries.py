"""When something that an LMS refused is tried again, and what of that stands."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

import sqlalchemy as sa

from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.errors import BridgeError
from lms_bridge.core.plugins import PluginError
from lms_bridge.sync.models import LmsAccount, MappedKind, MappingState, SyncMapping

FIRST, LONGEST = timedelta(minutes=5), timedelta(hours=12)


def later(attempts: int) -> datetime:
    """When the next try is due after so many that failed: pauses double from :data:`FIRST` to :data:`LONGEST`."""
    pause: timedelta = min(FIRST * 2 ** min(attempts - 1, 10), LONGEST)
    return now() + pause


def standing(
    account: LmsAccount, kind: MappedKind, states: Collection[MappingState], limit: int = 20
) -> list[BridgeError]:
    """The refusals that stand in mappings of a kind, each once."""
    found = db.session.scalars(
        sa.select(SyncMapping.last_error)
        .where(SyncMapping.account_id == account.id, SyncMapping.kind == kind, SyncMapping.state.in_(states))
        .distinct()
        .limit(limit)
    )
    return [
        PluginError(one["message"], remedy=one.get("remedy"), **one["params"])
        for problem in found
        if problem
        for one in (problem, *problem.get("more", ()))
    ]
