"""The lease on a room's row: one job at a time talks to the provider about one room, so that there is one room.

It runs out by itself when its holder dies, and is renewed from a thread of its own for as long as the provider takes
its time. Who has lost it all the same (the process stood still) stores nothing of what came out.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import sqlalchemy as sa
from flask import Flask, current_app

from lms_bridge.core import jobs
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.ids import new_uid
from lms_bridge.lessons.models import Meeting

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
RENEW_SECONDS = 15.0
LONGEST_SECONDS = 900.0
"""A call that has not come back after so long never will: the lease is not renewed any more."""
PAUSE = timedelta(seconds=2)


def take(meeting: Meeting) -> str:
    """Take the lease of a room in a transaction of its own; its name, by which it is known.

    :raises RetryAt: another job has it, or did its work meanwhile.
    """
    moment, lease = now(), new_uid()
    with transaction() as session:
        taken = session.execute(
            sa.update(Meeting)
            .where(
                Meeting.id == meeting.id,
                Meeting.state == meeting.state,
                Meeting.provisioned.is_not_distinct_from(meeting.provisioned),
                sa.or_(Meeting.busy_until.is_(None), Meeting.busy_until < moment),
            )
            .values(busy_until=moment + LEASE, busy_by=lease)
        )
        if taken.rowcount == 0:  # type: ignore[attr-defined]
            raise jobs.RetryAt(moment + PAUSE)
    return lease


@contextmanager
def renewed(meeting_id: int, lease: str) -> Iterator[None]:
    """In here the lease is renewed in time, whatever this thread waits for."""
    over = threading.Event()
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    thread = threading.Thread(target=_renew, args=(app, meeting_id, lease, over), name="room-lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _renew(app: Flask, meeting_id: int, lease: str, over: threading.Event) -> None:
    last = time.monotonic() + LONGEST_SECONDS
    while not over.wait(RENEW_SECONDS) and time.monotonic() < last:
        try:
            with app.app_context(), transaction() as session:
                mine = session.execute(
                    sa.update(Meeting)
                    .where(Meeting.id == meeting_id, Meeting.busy_by == lease)
                    .values(busy_until=now() + LEASE)
                )
                if mine.rowcount == 0:  # type: ignore[attr-defined]
                    return
        except Exception:
            log.warning("the lease of the room of meeting %s was not renewed; it is tried again", meeting_id)


def is_held(meeting: Meeting, lease: str) -> bool:
    """Whether nobody else has taken the lease, though it may have run out; the meeting is locked, so that it stays
    so."""
    return meeting.busy_by == lease


def give_back(meeting: Meeting, lease: str) -> None:
    """Free the room for the next job, unless another one has it by now."""
    if meeting.busy_by == lease:
        meeting.busy_until = meeting.busy_by = None


def release(meeting_id: int, lease: str) -> None:
    """The same, when nothing came out. Opens a transaction of its own; what the one in force wrote is not kept."""
    db.session.rollback()
    with transaction() as session:
        give_back(
            session.get_one(Meeting, meeting_id, populate_existing=True, with_for_update={"key_share": True}), lease
        )
