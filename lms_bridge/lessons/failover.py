"""A lesson moves to another provider: by itself when its own is down, or by a person's decision. The link stays.

The new attempt is a row beside the old one; who waits at the door or has the lesson page open is led there. Moves by
themselves are damped: none sooner than :data:`BETWEEN_MOVES` after the last such one, and none back to a provider that
the lesson has left; going back is a person's decision.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from lms_bridge.core import jobs
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import Conflict
from lms_bridge.core.i18n import N_
from lms_bridge.core.outbox import publish
from lms_bridge.lessons import capacity, stuck
from lms_bridge.lessons.door_times import needs_room, open_between, opens_at, standing_open
from lms_bridge.lessons.hosts import free_hosts
from lms_bridge.lessons.meetings import (
    PROVISION,
    WATCH_AHEAD,
    in_force,
    lock,
    look_for_host,
    make_anew,
    meeting_of,
    move,
    without_host,
)
from lms_bridge.lessons.models import Meeting, MeetingCause, MeetingState, ProviderAccount
from lms_bridge.lessons.providers import accounts_for
from lms_bridge.lessons.provisioning import FAILURES_UNTIL_MOVE
from lms_bridge.roster.models import Organisation, Person
from lms_bridge.timetable.models import Lesson

MOVED = "lessons.room_moved"
"""The fact, and the kind of message, that an open lesson has another room; its cause is ``meeting:<id>``."""
BETWEEN_MOVES = timedelta(minutes=3)
RENEW_EVERY = 50
LEFT = (MeetingCause.FAILOVER, MeetingCause.PERSON, MeetingCause.HOSTS)


def move_away(account_id: int) -> None:
    """The provider of an account is down: its lessons whose door is open, or soon will be, move.

    One transaction for each lesson: what cannot be done for one is no reason not to do it for the next.

    :raises RetryAt: some moved a moment ago and may do so again only later.
    """
    account = db.session.get(ProviderAccount, account_id, populate_existing=True)
    if account is None or account.healthy:
        return
    moment = now()
    rows = db.session.execute(
        in_force(account_id)
        .with_only_columns(Meeting.lesson_id, Meeting.attempt)
        .where(open_between(moment, moment + WATCH_AHEAD))
        .order_by(Lesson.starts_at, Lesson.id)
    ).all()
    _move_all([(row[0], row[1]) for row in rows])


def offer(account_id: int) -> None:
    """The provider of an account stands again: rooms that it refused are tried again, and lessons that had nowhere to
    go from a room that failed, or a provider that is down, come to it if their door is open or soon will be.

    :raises RetryAt: as :func:`move_away`.
    """
    account = db.session.get(ProviderAccount, account_id, populate_existing=True)
    if account is None or not account.enabled or not account.healthy:
        return
    with transaction():
        make_anew(account, failed_only=True)
    _take_in(account)


def offer_room(account_id: int) -> None:
    """A room or a host of an account is free again: lessons for which there was none come to it, those that found no
    host whenever they begin, the others as :func:`offer` says.

    :raises RetryAt: as :func:`move_away`.
    """
    account = db.session.get(ProviderAccount, account_id, populate_existing=True)
    if account is None or not account.enabled or not account.healthy:
        return
    waiting = db.session.scalars(
        _served_by(account)
        .with_only_columns(Meeting.lesson_id)
        .where(without_host(), Lesson.ends_at > standing_open(now())[1])
        .order_by(Lesson.starts_at, Lesson.id)
    )
    for number, lesson_id in enumerate(waiting.all(), start=1):
        # Looked at first without a lock: of all that wait for the rest of a term, few wait for this hour's host.
        if not account.hosts or free_hosts(account, db.session.get_one(Lesson, lesson_id)):
            with transaction():
                look_for_host(lesson_id)
        if number % RENEW_EVERY == 0:
            jobs.renew()
    _take_in(account)


def _take_in(account: ProviderAccount) -> None:
    """Lessons whose room elsewhere failed, or is at a provider that is down, come to an account if their door is open
    or soon will be.

    :raises RetryAt: as :func:`move_away`.
    """
    moment = now()
    rows = db.session.execute(
        _served_by(account)
        .with_only_columns(Meeting.lesson_id, Meeting.attempt)
        .join(ProviderAccount, ProviderAccount.id == Meeting.account_id)
        .where(
            Meeting.account_id != account.id,
            sa.or_(
                Meeting.state == MeetingState.FAILED,
                sa.and_(Meeting.state == MeetingState.WANTED, Meeting.failures >= FAILURES_UNTIL_MOVE),
                ProviderAccount.healthy.is_(False),
            ),
            open_between(moment, moment + WATCH_AHEAD),
        )
        .order_by(Lesson.starts_at, Lesson.id)
    ).all()
    _move_all([(row[0], row[1]) for row in rows])


def _served_by(account: ProviderAccount) -> sa.Select[Meeting]:
    """The rooms in force of the campuses that an account serves, wherever they are."""
    campus = aliased(Organisation)
    served = db.session.get_one(Organisation, account.organisation_id).path
    return in_force().join(campus, campus.id == Lesson.campus_id).where(campus.path.startswith(served))


def _move_all(rooms: Sequence[tuple[int, int]]) -> None:
    later: list[datetime] = []
    for lesson_id, attempt in rooms:
        try:
            move_by_itself(lesson_id, attempt)
        except jobs.RetryAt as again:
            later.append(again.moment)
    if later:
        raise jobs.RetryAt(min(later))


def move_if_failed(lesson_id: int, attempt: int) -> None:
    """The lesson's room could not be made again and again, or was refused: the lesson moves, unless that has been
    mended meanwhile.

    :raises RetryAt: as :func:`move_by_itself`.
    """
    meeting = meeting_of(lesson_id)
    if meeting is not None and meeting.attempt == attempt and meeting.failures > 0:
        move_by_itself(lesson_id, attempt)


def move_by_itself(lesson_id: int, attempt: int) -> Meeting | None:
    """Move a lesson whose room in force is ``attempt``'s to the next provider that stands and has a room free, in a
    transaction of its own. None: there is nowhere to go, which those are told who can help, or
    somebody was faster.

    :raises RetryAt: it moved a moment ago and may do so again only later.
    """
    with transaction():
        lock(lesson_id)
        meeting = meeting_of(lesson_id)
        if meeting is None or meeting.attempt != attempt or not needs_room(meeting.lesson):
            return None
        if meeting.cause is MeetingCause.FAILOVER and now() < meeting.created_at + BETWEEN_MOVES:
            raise jobs.RetryAt(meeting.created_at + BETWEEN_MOVES)
        left = _left(meeting)
        accounts = capacity.accounts_for_lesson(meeting.lesson, without=left, healthy=True)
        if not accounts:
            stuck.note(meeting)
            return None
        return _move(meeting, accounts, MeetingCause.FAILOVER, None)


def _left(meeting: Meeting) -> set[int]:
    """The accounts that the lesson has left because they failed or a person said so, and the present one. Those from
    which it was taken before it began are as good as any."""
    rows = db.session.execute(
        sa.select(Meeting.account_id, Meeting.cause)
        .where(Meeting.lesson_id == meeting.lesson_id, Meeting.attempt <= meeting.attempt)
        .order_by(Meeting.attempt)
    ).all()
    causes = [row.cause for row in rows[1:]]
    return {meeting.account_id} | {row.account_id for row, cause in zip(rows, causes, strict=False) if cause in LEFT}


def move_by_decision(lesson: Lesson, attempt: int, actor: Person, to: ProviderAccount | None = None) -> Meeting:
    """Move the lesson whose room in force is ``attempt``'s: to the account ``to`` (going back is such a decision), else
    to the next one of the campus's order. Pressed twice, it moves once. Flushes.

    :raises Conflict: the lesson needs no room, or there is nowhere to go.
    """
    lock(lesson.id)
    meeting = meeting_of(lesson.id)
    if meeting is None or not needs_room(lesson):
        raise Conflict(N_("This lesson needs no room any more."))
    if meeting.attempt != attempt:
        return meeting
    accounts = targets(lesson, meeting)
    if to is not None:
        accounts = [one for one in accounts if one.id == to.id]
    if not accounts:
        raise Conflict(
            N_("There is no other video system with a free room for this lesson."),
            remedy=N_("An administrator can add one, or make more rooms available."),
        )
    return _move(meeting, accounts, MeetingCause.PERSON, actor)


def targets(lesson: Lesson, meeting: Meeting | None) -> list[ProviderAccount]:
    """Where a person may move the lesson: the campus's other accounts with a room free; those that stand first, those
    that come after the present one in the order before those that come earlier."""
    here = meeting.account_id if meeting is not None else None
    free = capacity.accounts_for_lesson(lesson, without={here} if here is not None else {0})
    order = [one.id for one in accounts_for(lesson.campus)]
    place = order.index(here) if here in order else -1
    return sorted(free, key=lambda one: (not one.healthy, order.index(one.id) < place, order.index(one.id)))


def _move(meeting: Meeting, accounts: list[ProviderAccount], cause: MeetingCause, actor: Person | None) -> Meeting:
    lesson, made = meeting.lesson, move(meeting, accounts, cause, actor)
    if made.state is MeetingState.WANTED:
        # Also where rooms are made at the first click only: people are inside, or about to come.
        jobs.enqueue(PROVISION, str(made.id))
    if opens_at(lesson) <= now():
        publish(MOVED, f"meeting:{made.id}", organisation_id=lesson.campus_id)
    return made
