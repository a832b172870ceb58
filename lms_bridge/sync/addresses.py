"""People's accounts at an LMS as addresses that messages may be sent to, and the account through which they are sent.

A channel of the same name as the connector takes them. Only one account of a plugin may send: the numbers of people in
two LMSs of one kind mean different people.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.roster.models import ContactKind, ContactPoint, ContactState
from lms_bridge.sync.models import LmsAccount, MappedKind, MappingState, SyncMapping


def settings_of(channel: str) -> dict[str, Any] | None:
    """The settings with which ``channel`` sends: those of the account that may; None: no account of that name may."""
    account = db.session.scalar(
        sa.select(LmsAccount).where(
            LmsAccount.plugin == channel, LmsAccount.enabled.is_(True), LmsAccount.sends_messages.is_(True)
        )
    )
    return account.settings if account is not None else None


def other_sender(account: LmsAccount) -> LmsAccount | None:
    """Another account of the same plugin that sends messages."""
    return db.session.scalar(
        sa.select(LmsAccount)
        .where(
            LmsAccount.plugin == account.plugin,
            LmsAccount.id != account.id,
            LmsAccount.enabled.is_(True),
            LmsAccount.sends_messages.is_(True),
        )
        .limit(1)
    )


def follow(account: LmsAccount) -> int:
    """Bring the addresses up to date with whom the account recognises; without the part they all end. Flushes; how many
    are new."""
    source, day = f"lms:{account.uid}", now().date()
    wanted = dict(iter(_recognised(account))) if account.sends_messages and account.enabled else {}
    known = {
        (row.person_id, row.address): row
        for row in db.session.scalars(
            sa.select(ContactPoint).where(
                ContactPoint.kind == ContactKind.ACCOUNT,
                ContactPoint.service == account.plugin,
                ContactPoint.source == source,
            )
        )
    }
    pairs = {(person_id, remote_id) for remote_id, person_id in wanted.items()}
    for pair, row in known.items():
        if pair in pairs:
            row.valid_to = None
        elif row.valid_to is None or row.valid_to > day:
            row.valid_to = day
    new = sorted(pairs - known.keys())
    db.session.add_all(
        ContactPoint(
            person_id=person_id,
            kind=ContactKind.ACCOUNT,
            service=account.plugin,
            address=remote_id,
            state=ContactState.GOOD,
            source=source,
        )
        for person_id, remote_id in new
    )
    db.session.flush()
    return len(new)


def _recognised(account: LmsAccount) -> Any:
    return db.session.execute(
        sa.select(SyncMapping.remote_id, SyncMapping.entity_id).where(
            SyncMapping.account_id == account.id,
            SyncMapping.kind == MappedKind.PERSON,
            SyncMapping.state == MappingState.DONE,
            SyncMapping.entity_id.is_not(None),
        )
    )
