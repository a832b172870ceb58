"""People of an LMS whom a run could not match: an administrator says once who each is, or that they are nobody of ours.

What is said is the mapping that the next run begins with, so nothing else needs to know of it.
"""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa

from lms_bridge.core import audit
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.errors import Conflict, NotFound
from lms_bridge.core.i18n import N_
from lms_bridge.roster.models import Person
from lms_bridge.sync.models import LmsAccount, MappedKind, MappingState, SyncMapping
from lms_bridge.sync.people import BY_HAND


def people(account_ids: Collection[int], *, not_ours: bool = False, most: int = 500) -> list[SyncMapping]:
    """Who waits for an administrator's word, the latest first; or those who are nobody of ours."""
    return list(
        db.session.scalars(
            sa.select(SyncMapping).where(*_wanted(account_ids, not_ours)).order_by(SyncMapping.id.desc()).limit(most)
        )
    )


def count(account_ids: Collection[int], *, not_ours: bool = False) -> int:
    """How many :func:`people` there are."""
    return db.session.scalar(sa.select(sa.func.count(SyncMapping.id)).where(*_wanted(account_ids, not_ours))) or 0


def _wanted(account_ids: Collection[int], not_ours: bool) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        SyncMapping.account_id.in_(account_ids),
        SyncMapping.kind == MappedKind.PERSON,
        SyncMapping.state == (MappingState.NOT_OURS if not_ours else MappingState.UNMATCHED),
    )


def numbered(number: int) -> SyncMapping:
    """The unmatched person with this number, or one who is nobody of ours.

    :raises NotFound: there is none (any more).
    """
    row = db.session.get(SyncMapping, number, with_for_update=True)
    if (
        row is None
        or row.kind is not MappedKind.PERSON
        or row.state not in (MappingState.UNMATCHED, MappingState.NOT_OURS)
    ):
        raise NotFound()
    return row


def bind(row: SyncMapping, person: Person, *, actor_uid: str) -> None:
    """Say which person of the roster it is; runs know them from now on, whatever the numbers say. Flushes.

    :raises Conflict: the person is somebody else there already.
    """
    taken = db.session.scalar(
        sa.select(SyncMapping.id).filter_by(
            account_id=row.account_id, kind=MappedKind.PERSON, entity_id=person.id, state=MappingState.DONE
        )
    )
    if taken is not None:
        raise Conflict(
            N_("%(name)s is known as somebody else in this LMS already."), name=person.display_name,
            remedy=N_("Two accounts of one person there: switch one of them off in the LMS."),
        )  # fmt: skip
    row.entity_id, row.state, row.last_error, row.digest, row.changed_at = (
        person.id, MappingState.DONE, None, None, now(),
    )  # fmt: skip
    row.sent = row.sent | {BY_HAND: True}
    db.session.flush()
    _record("lms_user.bound", row, "person", person.uid, actor_uid)


def set_aside(row: SyncMapping, *, not_ours: bool, actor_uid: str) -> None:
    """Say that it is nobody of ours: runs pass them over; or put them back on the list."""
    row.state, row.changed_at = MappingState.NOT_OURS if not_ours else MappingState.UNMATCHED, now()
    account = db.session.get_one(LmsAccount, row.account_id)
    _record("lms_user.not_ours" if not_ours else "lms_user.put_back", row, "lms_account", account.uid, actor_uid)


def _record(what: str, row: SyncMapping, entity: str, uid: str, actor_uid: str) -> None:
    account = db.session.get_one(LmsAccount, row.account_id)
    audit.record(
        what, entity, uid, actor_uid=actor_uid, organisation_id=account.organisation_id, account=account.uid,
        user=row.remote_id,
    )  # fmt: skip
