"""Carries out what the calendars of an LMS should show: in small batches, in the order of the wishes, over several
connections; whatever was asked for and not answered is looked for by its marker before it is asked for again."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BridgeError
from lms_bridge.core.i18n import N_
from lms_bridge.core.kept_problems import kept
from lms_bridge.core.plugins import (
    AccessRefused,
    CalendarEvent,
    LmsConnector,
    NotThere,
    PluginError,
    TemporaryFailure,
)
from lms_bridge.sync import groups, leases, retries
from lms_bridge.sync.courses import PlacesOfClasses, known_courses
from lms_bridge.sync.event_calls import DAY, Piece, Wish, carry_out, name_of, pieces
from lms_bridge.sync.facts import facts_of
from lms_bridge.sync.looking import events_of
from lms_bridge.sync.models import LmsAccount, MappedKind, MappingState, SyncMapping
from lms_bridge.sync.wishes import content_of, digest_of, event_of
from lms_bridge.sync.workers import each, in_groups
from lms_bridge.timetable.models import Lesson

log = logging.getLogger(__name__)

FIRST_ROUND, ROUND = 200, 400
"""So many wishes are prepared at once; fewer at first, so that the connections need not wait long."""
AT_ONCE = 10
"""So many calls are written down in one transaction."""
HOLD_SECONDS = 1.0
"""The leases are renewed about so often."""

NOT_MADE = PluginError(
    N_("The LMS did not make the event, and did not say why."),
    remedy=N_('"lms-bridge sync check" shows what the account may not do.'),
)


@dataclass
class Pushed:
    """What was done in the LMS."""

    created: int = 0
    updated: int = 0
    deleted: int = 0
    found_again: int = 0
    failed: int = 0

    def as_dict(self) -> dict[str, int]:
        """The counts as plain JSON."""
        return dict(vars(self))


def push(account: LmsAccount, lms: LmsConnector, watch: Callable[[int, int | None], None] | None = None) -> Pushed:
    """Carry out all that is due. The caller holds the account's lease.

    :raises TemporaryFailure, AccessRefused: the LMS does not answer; the rest waits, in order.
    """
    done = Pushed()
    _find_lost(account, lms, done)
    total, count, held = waiting_count(account), 0, time.monotonic()
    on_the_way: set[int] = set()
    courses = places_of(account)  # they change only in runs that hold the same lease
    while True:
        before = count
        calls = each(account, lms, _all_pieces(account, lms, courses, on_the_way), carry_out)
        for answers in in_groups(calls, AT_ONCE):
            with transaction():
                made = _settle_made(answers, done)
                for piece, answer in answers:
                    _settle(piece, answer, made, done)
            for piece, _ in answers:
                on_the_way.difference_update(wish.mapping_id for wish in piece.wishes)
                count += len(piece.wishes)
            if time.monotonic() - held > HOLD_SECONDS:
                held = time.monotonic()
                leases.hold(LmsAccount, account.id)
            if watch is not None:
                watch(count, max(total, count))
        if count == before:
            return done


def places_of(account: LmsAccount) -> PlacesOfClasses:
    """In which courses of the account lessons are shown, and to which groups there."""
    return PlacesOfClasses(
        known_courses([account.id]).get(account.id, []), groups.usable([account.id]).get(account.id, {})
    )


def _all_pieces(
    account: LmsAccount, lms: LmsConnector, courses: PlacesOfClasses, on_the_way: set[int]
) -> Iterator[Piece]:
    """The calls that are due, a round after the other, prepared while the calls before are on their way."""
    size = FIRST_ROUND
    while wishes := _next_round(account, courses, on_the_way, size):
        size = ROUND
        # A new event is marked as being sent; one that is there goes on waiting while it is changed.
        on_the_way.update(wish.mapping_id for wish in wishes if wish.remote_id is not None)
        yield from pieces(wishes, lms.capabilities.max_batch)


def waiting_count(account: LmsAccount) -> int:
    """How many mappings of events wait or are due again."""
    return db.session.scalar(sa.select(sa.func.count()).select_from(SyncMapping).where(*_due(account))) or 0


def unsettled(account: LmsAccount) -> bool:
    """Whether anything is due, or was asked for and not answered."""
    lost = sa.select(SyncMapping.id).where(*_lost(account)).limit(1)
    return waiting_count(account) > 0 or db.session.scalar(lost) is not None


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


def _lost(account: LmsAccount) -> tuple[sa.ColumnElement[bool], ...]:
    """What was asked for and not answered, and may be looked for now."""
    return (
        SyncMapping.account_id == account.id,
        SyncMapping.kind == MappedKind.EVENT,
        SyncMapping.state == MappingState.SENDING,
        SyncMapping.next_try <= now(),
    )


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


ASKED = (
    sa.update(SyncMapping.__table__)  # type: ignore[arg-type]
    .where(SyncMapping.__table__.c.id == sa.bindparam("number"))
    .values(state=MappingState.SENDING.value, sent=sa.bindparam("content"), digest=sa.bindparam("mark"))
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
    sent = [
        {"number": wish.mapping_id, "content": wish.content, "mark": wish.digest}
        for wish in new
        if wish.event is not None
    ]
    if sent:
        db.session.connection().execute(ASKED, sent)


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


def _settle(piece: Piece, answer: Piece | BridgeError, made: Collection[int], done: Pushed) -> None:
    """Write down how a call ended, but for the mappings that are ``made``. A wish that changed while the call ran waits
    again."""
    left = [wish for wish in piece.wishes if wish.mapping_id not in made]
    if not left:
        return
    rows = {
        row.id: row
        for row in db.session.scalars(
            sa.select(SyncMapping)
            .where(SyncMapping.id.in_([wish.mapping_id for wish in left]))
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    }
    for wish in left:
        row = rows[wish.mapping_id]
        if isinstance(answer, NotThere) and wish.event is not None:
            row.remote_id, row.state, row.digest = None, MappingState.WAITING, None
        elif isinstance(answer, BridgeError):
            _refused(row, wish, answer, done)
        elif wish.event is None:
            done.deleted += 1
            row.remote_id, row.digest, row.attempts, row.last_error = None, None, 0, None
            row.state = MappingState.GONE if row.changed_at == wish.changed_at else MappingState.WAITING
        elif wish.remote_id is None and name_of(wish.event) in answer.unsure:
            _unsure(row, answer.unsure[name_of(wish.event)], done)
        elif wish.remote_id is None:
            _refused(row, wish, answer.refused.get(name_of(wish.event), NOT_MADE), done)
        else:
            done.updated += 1
            _agreed(row, wish, wish.remote_id)


MADE = (
    sa.update(SyncMapping.__table__)  # type: ignore[arg-type]
    .where(SyncMapping.__table__.c.id == sa.bindparam("number"))
    .values(
        remote_id=sa.bindparam("made"),
        attempts=0,
        last_error=None,
        seen_at=sa.bindparam("moment"),
        state=sa.case(
            (SyncMapping.__table__.c.changed_at == sa.bindparam("wished"), MappingState.DONE.value),
            else_=MappingState.WAITING.value,
        ),
    )
)


def _settle_made(answers: Iterable[tuple[Piece, Piece | BridgeError]], done: Pushed) -> set[int]:
    """Write down the new events that were made, all with one statement; the numbers of their mappings. What was sent
    stands in them already."""
    moment = now()
    rows = [
        {
            "number": wish.mapping_id,
            "made": answer.made[name_of(wish.event)],
            "moment": moment,
            "wished": wish.changed_at,
        }
        for piece, answer in answers
        if isinstance(answer, Piece)
        for wish in piece.wishes
        if wish.remote_id is None and wish.event is not None and name_of(wish.event) in answer.made
    ]
    if rows:
        db.session.connection().execute(MADE, rows)
    done.created += len(rows)
    return {row["number"] for row in rows if isinstance(row["number"], int)}


def _agreed(row: SyncMapping, wish: Wish, remote_id: str) -> None:
    assert wish.event is not None
    row.remote_id, row.digest, row.sent = remote_id, wish.digest, wish.content
    row.attempts, row.last_error, row.seen_at = 0, None, now()
    row.state = MappingState.DONE if row.changed_at == wish.changed_at else MappingState.WAITING


def _refused(row: SyncMapping, wish: Wish, error: BridgeError, done: Pushed) -> None:
    done.failed += 1
    row.state, row.last_error = MappingState.FAILED, kept(error)
    row.attempts += 1
    if row.changed_at != wish.changed_at:
        row.state, row.attempts, row.next_try = MappingState.WAITING, 0, now()  # what is wanted now may be taken
    else:
        row.next_try = retries.later(row.attempts)


def _unsure(row: SyncMapping, error: BridgeError, done: Pushed) -> None:
    """It may be there or not, and the LMS lets nobody look: it is looked for again later, never simply made again."""
    done.failed += 1
    row.attempts += 1
    row.last_error, row.next_try = kept(error), retries.later(row.attempts)


def _find_lost(account: LmsAccount, lms: LmsConnector, done: Pushed) -> None:
    """Events that were asked for before an answer was lost or a worker killed: found by their marker, else wanted anew.
    One that is there twice loses its double."""
    rows = db.session.scalars(sa.select(SyncMapping).where(*_lost(account)).order_by(SyncMapping.id)).all()
    for start in range(0, len(rows), ROUND):
        _find_some(account, lms, rows[start : start + ROUND], done)


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
                _unsure(row, unseen[row.place], done)
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
