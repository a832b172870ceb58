"""Events that were asked for before an answer was lost or a worker killed: found by their marker, else wanted anew."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BridgeError
from lms_bridge.core.plugins import AccessRefused, LmsConnector, TemporaryFailure
from lms_bridge.sync import leases
from lms_bridge.sync.event_answers import Pushed, unsure
from lms_bridge.sync.event_calls import DAY
from lms_bridge.sync.looking import events_of
from lms_bridge.sync.models import LmsAccount, MappedKind, MappingState, SyncMapping
from lms_bridge.timetable.models import Lesson

log = logging.getLogger(__name__)

AT_ONCE = 400
"""So many are looked for at once."""


def any_of(account: LmsAccount) -> bool:
    """Whether anything was asked for and not answered, and may be looked for now."""
    return db.session.scalar(sa.select(SyncMapping.id).where(*_lost(account)).limit(1)) is not None


def find(account: LmsAccount, lms: LmsConnector, done: Pushed) -> None:
    """Look for them all. One that is there twice loses its double.

    :raises TemporaryFailure, AccessRefused: the LMS does not answer.
    """
    rows = db.session.scalars(sa.select(SyncMapping).where(*_lost(account)).order_by(SyncMapping.id)).all()
    for start in range(0, len(rows), AT_ONCE):
        _find_some(account, lms, rows[start : start + AT_ONCE], done)


def _lost(account: LmsAccount) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        SyncMapping.account_id == account.id,
        SyncMapping.kind == MappedKind.EVENT,
        SyncMapping.state == MappingState.SENDING,
        SyncMapping.next_try <= now(),
    )


def _find_some(account: LmsAccount, lms: LmsConnector, rows: Sequence[SyncMapping], done: Pushed) -> None:
    keys = dict(
        iter(db.session.execute(sa.select(Lesson.id, Lesson.uid).where(Lesson.id.in_([r.entity_id for r in rows]))))
    )
    times = [datetime.fromisoformat(row.sent[name]) for row in rows for name in ("starts_at", "ends_at")]
    wanted = {(row.place, keys.get(row.entity_id or 0)): row.id for row in rows}
    courses = sorted({row.place for row in rows})
    of_groups: defaultdict[str, set[str]] = defaultdict(set)
    for row in rows:
        of_groups[row.place].update({str(row.sent["group"])} if row.sent.get("group") else ())
    db.session.rollback()  # no transaction is open while the LMS is asked
    there: defaultdict[int, list[str]] = defaultdict(list)
    unseen: dict[str, BridgeError] = {}
    if lms.capabilities.finds_events_by_marker:
        for some, answer in events_of(lms, courses, min(times) - DAY, max(times) + DAY, of_groups):
            if isinstance(answer, BridgeError):
                unseen |= dict.fromkeys(some, answer)
                continue
            for event in answer:
                number = wanted.get((event.course_remote_id, event.key))
                if number is not None:
                    there[number].append(event.remote_id)
    for doubles in there.values():
        for double in doubles[1:]:
            _remove_double(lms, double)
    with transaction():
        query = sa.select(SyncMapping).where(SyncMapping.id.in_(wanted.values())).with_for_update()
        for row in db.session.scalars(query):
            if row.place in unseen:
                unsure(row, unseen[row.place], done)
                continue
            found = there.get(row.id)
            row.remote_id = found[0] if found else None
            done.found_again += bool(found)
            # Compared with what is wanted now by the next round; an update of what is as it should be does no harm.
            row.state, row.next_try = MappingState.WAITING, min(row.next_try, now())
    leases.hold(LmsAccount, account.id)


def _remove_double(lms: LmsConnector, remote_id: str) -> None:
    """Take a second event of the same lesson away; one that the LMS keeps is found again by the nightly comparison."""
    try:
        lms.delete_event(remote_id)
    except (TemporaryFailure, AccessRefused):
        raise
    except BridgeError:
        log.warning("sync: an event that is there twice cannot be removed")
