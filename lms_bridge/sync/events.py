"""Carries out what the calendars of an LMS should show: in small batches, in the order of the wishes, over several
connections; whatever was asked for and not answered is looked for by its marker before it is asked for again."""

from __future__ import annotations

import functools
import logging
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BridgeError
from lms_bridge.core.plugins import CalendarEvent, LmsConnector
from lms_bridge.core.ready import Ready
from lms_bridge.sync import event_losses, groups, leases, retries
from lms_bridge.sync.courses import PlacesOfClasses, known_courses
from lms_bridge.sync.event_answers import MAPPINGS, Pushed, settle
from lms_bridge.sync.event_calls import Piece, Wish, carry_out, pieces
from lms_bridge.sync.facts import facts_of
from lms_bridge.sync.models import LmsAccount, MappedKind, MappingState, SyncMapping
from lms_bridge.sync.wishes import content_of, digest_of, event_of
from lms_bridge.sync.workers import each, in_groups

log = logging.getLogger(__name__)

FIRST_ROUND, ROUND = 200, 400
"""So many wishes are prepared at once; fewer at first, so that the connections need not wait long."""
AT_ONCE = 10
"""So many calls are written down in one transaction."""
HOLD_SECONDS = 1.0
"""The leases are renewed about so often."""


def push(
    account: LmsAccount,
    lms: LmsConnector,
    watch: Callable[[int, int | None], None] | None = None,
    wished: Iterable[int] = (),
) -> Pushed:
    """Carry out all that is due. The caller holds the account's lease. ``wished`` looks at lessons, some at each step,
    and says how many of their events wait (:func:`lms_bridge.sync.reconcile.wishing`): the first are sent while the
    others are looked at, and all are looked at even when sending ends with an error.

    :raises TemporaryFailure, AccessRefused: the LMS does not answer; the rest waits, in order.
    """
    wishes = iter(wished)
    try:
        return _push(account, lms, watch, wishes)
    except Exception:
        try:
            deque(wishes, maxlen=0)
        except Exception:  # the first error counts: it says whether the run is tried again
            log.exception("sync: not all lessons that %s serves were looked at", account.uid)
        raise


def _push(
    account: LmsAccount,
    lms: LmsConnector,
    watch: Callable[[int, int | None], None] | None,
    wishes: Iterator[int],
) -> Pushed:
    done, under_way = Pushed(), _UnderWay(account, lms.capabilities.max_batch, wishes)
    if unsettled(account):  # what waits already would wait anew when its lesson is looked at, while it is on its way
        deque(wishes, maxlen=0)
    under_way.look()
    courses = places_of(account)  # they change only in runs that hold the same lease
    while True:
        event_losses.find(account, lms, done)
        before, all_seen = under_way.count, under_way.total is not None
        calls = each(account, lms, _all_pieces(under_way, courses), carry_out, meanwhile=under_way.look)
        for answers in in_groups(calls, AT_ONCE):
            with transaction():
                settle(answers, done)
            for piece, _ in answers:
                under_way.changing.difference_update(wish.mapping_id for wish in piece.wishes)
                under_way.count += len(piece.wishes)
            under_way.hold()
            if watch is not None:
                total = under_way.total
                watch(under_way.count, None if total is None else max(total, under_way.count))
        if under_way.count == before and all_seen:
            return done


@dataclass
class _UnderWay:
    """How far the sending is, in events."""

    account: LmsAccount
    batch: int
    wishes: Iterator[int]
    begun: int = 0
    count: int = 0
    total: int | None = None
    """None: not all lessons were looked at yet."""
    changing: set[int] = field(default_factory=set)
    """Mappings whose events are there and are being changed just now."""
    held: float = field(default_factory=time.monotonic)

    def look(self) -> bool:
        """Look at some more lessons; False: all are looked at."""
        if next(self.wishes, None) is not None:
            self.hold()
            return True
        if self.total is None:
            with transaction():  # none is left open: the LMS may be waited for next
                self.total = self.begun + waiting_count(self.account) - len(self.changing)
        return False

    def hold(self) -> None:
        """Keep the lease."""
        if time.monotonic() - self.held > HOLD_SECONDS:
            self.held = time.monotonic()
            leases.hold(LmsAccount, self.account.id)


def places_of(account: LmsAccount) -> PlacesOfClasses:
    """In which courses of the account lessons are shown, and to which groups there."""
    return PlacesOfClasses(
        known_courses([account.id]).get(account.id, []), groups.usable([account.id]).get(account.id, {})
    )


def _all_pieces(under_way: _UnderWay, courses: PlacesOfClasses) -> Iterator[Piece]:
    """The calls that are due, a round after the other, prepared while the calls before are on their way; more lessons
    are looked at when nothing else is due."""
    size = FIRST_ROUND
    while True:
        wishes = _next_round(under_way.account, courses, under_way.changing, size)
        # A new event is marked as being sent; one that is there goes on waiting while it is changed.
        under_way.changing.update(wish.mapping_id for wish in wishes if wish.remote_id is not None)
        under_way.begun += len(wishes)
        yield from pieces(wishes, under_way.batch)
        if len(wishes) == size:
            size = ROUND
        elif not under_way.look() and not wishes:
            return


def waiting_count(account: LmsAccount) -> int:
    """How many mappings of events wait or are due again."""
    return db.session.scalar(sa.select(sa.func.count()).select_from(SyncMapping).where(*_due(account))) or 0


def unsettled(account: LmsAccount) -> bool:
    """Whether anything is due, or was asked for and not answered."""
    return waiting_count(account) > 0 or event_losses.any_of(account)


def next_due(account: LmsAccount) -> datetime | None:
    """When something that was refused is tried again."""
    return db.session.scalar(
        sa.select(sa.func.min(SyncMapping.next_try)).where(
            SyncMapping.account_id == account.id,
            SyncMapping.kind == MappedKind.EVENT,
            SyncMapping.state.in_([MappingState.WAITING, MappingState.FAILED, MappingState.SENDING]),
        )
    )


def problems_of(account: LmsAccount, limit: int = 20) -> list[BridgeError]:
    """The refusals that stand, each once."""
    return retries.standing(account, MappedKind.EVENT, (MappingState.FAILED, MappingState.SENDING), limit)


def _due(account: LmsAccount) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        SyncMapping.account_id == account.id,
        SyncMapping.kind == MappedKind.EVENT,
        SyncMapping.state.in_([MappingState.WAITING, MappingState.FAILED]),
        SyncMapping.next_try <= now(),
    )


def _next_round(account: LmsAccount, courses: PlacesOfClasses, on_the_way: Collection[int], size: int) -> list[Wish]:
    """The ``size`` wishes that come next; those that need no call are settled at once, new events are marked as being
    sent."""
    while True:
        with transaction():
            rows = db.session.execute(
                sa.select(
                    SyncMapping.id,
                    SyncMapping.entity_id,
                    SyncMapping.place,
                    SyncMapping.remote_id,
                    SyncMapping.changed_at,
                )
                .where(*_due(account), SyncMapping.id.not_in(on_the_way))
                .order_by(SyncMapping.changed_at, SyncMapping.id)
                .limit(size)
            ).all()
            if not rows:
                return []
            wishes, gone = [], []
            for row, event in zip(rows, _wanted(courses, rows), strict=True):
                if row.remote_id is None and (event is None or event.cancelled):
                    gone.append(row.id)
                    continue
                content = content_of(event) if event is not None else {}
                digest = digest_of(event, content) if event is not None else None
                wishes.append(Wish(row.id, row.remote_id, event, row.changed_at, content, digest))
            _mark(gone, [wish for wish in wishes if wish.remote_id is None])
        if wishes:
            return wishes


@functools.cache
def _asked(dialect: Dialect) -> Ready:
    """A new event is going to be asked for."""
    one = sa.update(MAPPINGS).where(MAPPINGS.c.id == sa.bindparam("number"))
    return Ready(
        one.values(state=MappingState.SENDING, sent=sa.bindparam("content"), digest=sa.bindparam("mark")), dialect
    )


def _mark(gone: Sequence[int], new: Sequence[Wish]) -> None:
    """Store what is not wanted any more and was never sent, and what is now going to be asked for."""
    if gone:
        db.session.execute(
            sa.update(SyncMapping)
            .where(SyncMapping.id.in_(gone))
            .values(state=MappingState.GONE)
            .execution_options(synchronize_session=False)
        )
    connection = db.session.connection()
    _asked(connection.dialect).run_many(
        connection,
        (
            {"number": wish.mapping_id, "content": wish.content, "mark": wish.digest}
            for wish in new
            if wish.event is not None
        ),
    )


def _wanted(courses: PlacesOfClasses, rows: Sequence[Any]) -> Iterator[CalendarEvent | None]:
    """For each mapping the event that its course should show, or None."""
    lessons = {lesson.id: lesson for lesson in facts_of([row.entity_id for row in rows if row.entity_id])}
    for row in rows:
        lesson = lessons.get(row.entity_id or 0)
        if lesson is None or not lesson.shown:
            yield None
            continue
        places = courses.of_lesson(lesson.class_ids, lesson.subject_id)
        group = courses.group_of(lesson.audience, row.place)
        yield event_of(lesson, row.place, group) if row.place in places else None
