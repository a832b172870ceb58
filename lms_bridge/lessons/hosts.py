"""Hosts of providers that licence them: each leads one room at a time, from the opening of its door to the closing.

A host is held by the row of a meeting until that is ended and its provider knows; accounts of one realm (the same Zoom,
added twice) share the hosts that both name. Choosing one locks these accounts, so that two processes never choose the
same.
"""

from __future__ import annotations

import sqlalchemy as sa

from lms_bridge.core.database import db
from lms_bridge.lessons.door_times import closes_at, open_between, opens_at
from lms_bridge.lessons.models import Meeting, MeetingState, ProviderAccount
from lms_bridge.timetable.models import Lesson


def holding() -> sa.ColumnElement[bool]:
    """The condition on meetings that hold a host, and one of their account's rooms: also those that are over here while
    their provider has not been told, since the room may still be open there."""
    return sa.or_(Meeting.state != MeetingState.ENDED, Meeting.closing.is_(True))


def hold(meeting: Meeting, lesson: Lesson) -> bool:
    """Give the meeting a host of its account for the lesson's time: the one that it has, if that is still free. False:
    none is free. True, without a host, where the account has no pool. Flushes; keeps the account locked."""
    if not meeting.account.hosts:
        meeting.host = None
        return True
    free = free_hosts(meeting.account, lesson, lock=True)
    if meeting.host not in free:
        meeting.host = free[0] if free else None
        db.session.flush()
    return meeting.host is not None


def accounts_sharing(account: ProviderAccount) -> sa.Select[int]:
    """The account and those that may have some of its hosts (their ids)."""
    return sa.select(ProviderAccount.id).where(
        sa.or_(
            ProviderAccount.id == account.id,
            sa.and_(ProviderAccount.host_realm != "", ProviderAccount.host_realm == account.host_realm),
        )
    )


def free_hosts(account: ProviderAccount, lesson: Lesson, *, lock: bool = False) -> list[str]:
    """The account's hosts whom no other lesson holds at some moment of this one's time, in the account's order. With
    ``lock`` nobody else can take one before the transaction ends."""
    sharing = accounts_sharing(account)
    if lock:
        db.session.execute(sharing.order_by(ProviderAccount.id).with_for_update(key_share=True))
    taken = {
        host.casefold()
        for host in db.session.scalars(
            sa.select(Meeting.host)
            .join(Lesson, Lesson.id == Meeting.lesson_id)
            .where(
                Meeting.account_id.in_(sharing),
                Meeting.lesson_id != lesson.id,
                holding(),
                Meeting.host.is_not(None),
                open_between(opens_at(lesson), closes_at(lesson)),
            )
        )
        if host is not None
    }
    return [host for host in account.hosts if host.casefold() not in taken]
