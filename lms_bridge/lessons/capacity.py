"""How many rooms the video systems of a campus hold at once, and which account has one free for a lesson."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from lms_bridge.core import audit
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.errors import InputError
from lms_bridge.core.i18n import N_
from lms_bridge.lessons.bookings import Booking, Limit
from lms_bridge.lessons.door_times import held_online, open_between, opens_at, span_of
from lms_bridge.lessons.hosts import free_hosts, holding
from lms_bridge.lessons.models import Meeting, MeetingState, ProviderAccount
from lms_bridge.lessons.providers import account_for, accounts_for
from lms_bridge.roster.models import Organisation, Person
from lms_bridge.timetable.models import Lesson
from lms_bridge.timetable.weeks.capacity import Rooms

MOST_ROOMS = 100_000
SOON = timedelta(minutes=15)
"""So long before a door opens it matters how the provider stands."""


def rooms(
    campuses: Sequence[Organisation], start: datetime, end: datetime, moving: Collection[int] = ()
) -> Rooms | None:
    """For the solver: the rooms of all accounts that serve any of these campuses, and the times between two moments in
    which lessons of other campuses hold one of them, apart from lessons (by id) that are ``moving``. None: no account,
    or one without a limit."""
    accounts = list({account.id: account for campus in campuses for account in accounts_for(campus)}.values())
    if not accounts or any(account.concurrent_rooms is None for account in accounts):
        return None
    ids = frozenset(account.id for account in accounts)
    others = _held(ids, start, end).where(Lesson.campus_id.not_in([campus.id for campus in campuses]))
    taken = db.session.execute(others.with_only_columns(Lesson.starts_at, Lesson.ends_at, Lesson.id))
    return Rooms(
        _together(accounts), tuple((begins, ends) for begins, ends, lesson in taken if lesson not in moving), ids
    )


def _together(accounts: Sequence[ProviderAccount]) -> int:
    """How many rooms accounts with limits hold together: a host whom several of them name leads one at a time."""
    total, counted = 0, set[tuple[str, str]]()
    for account in accounts:
        own = {(account.host_realm, host.casefold()) for host in account.hosts}
        limit = account.concurrent_rooms or 0
        total += min(limit, len(own - counted)) if own else limit
        counted |= own
    return total


def accounts_for_lesson(
    lesson: Lesson, *, without: Collection[int] = (), healthy: bool = False
) -> list[ProviderAccount]:
    """The accounts of the lesson's campus that have a room free at its time, the first choice first, apart from those
    ``without`` (by id). Shortly before and during a lesson those whose provider stands come first; with ``healthy``
    there are no others. Nothing asked for and none with a room free: the first of all (the timetable is made so that
    this does not happen). Flushes.

    :raises ConfigurationError: no provider is installed that needs no set-up.
    """
    accounts = [one for one in accounts_for(lesson.campus) if one.id not in without]
    found = [one for one in accounts if (one.healthy or not healthy) and _has_room(one, lesson)]
    if opens_at(lesson) - SOON <= now():
        found.sort(key=lambda one: not one.healthy)
    return found or ([] if without or healthy else [account_for(lesson.campus)])


def _has_room(account: ProviderAccount, lesson: Lesson) -> bool:
    if account.hosts and not free_hosts(account, lesson):
        return False
    if account.concurrent_rooms is None:
        return True
    held = _held([account.id], lesson.starts_at, lesson.ends_at).where(Lesson.id != lesson.id)
    count = db.session.scalar(held.with_only_columns(sa.func.count(sa.distinct(Lesson.id))))
    return (count or 0) < account.concurrent_rooms


def limit_of(account: ProviderAccount) -> Limit:
    """What of an account is short: its hosts, or its rooms where these are fewer than its hosts or it has none."""
    rooms, hosts = account.concurrent_rooms, len(account.hosts)
    return Limit(hosts, hosts=True) if hosts and (rooms is None or rooms >= hosts) else Limit(rooms)


def booked(account: ProviderAccount, start: datetime, end: datetime) -> list[Booking]:
    """For the calendar of capacity: the lessons that hold what is short of the account (:func:`limit_of`) at some
    moment of a span, for as long as they count where a room or a host is chosen: a host from the opening of the door to
    the closing, a room from the lesson's beginning to its end. In order of their beginning.

    A room that was ended counts until then, so that what is over can still be looked at.
    """
    hosts = limit_of(account).hosts
    rows = db.session.execute(
        sa.select(Lesson.id, Lesson.starts_at, Lesson.ends_at, Meeting.host, Meeting.state, Meeting.ended_at)
        .join(Meeting, Meeting.lesson_id == Lesson.id)
        .where(
            Meeting.account_id == account.id,
            sa.or_(Meeting.state != MeetingState.ENDED, Meeting.ended_at > Lesson.starts_at),
            held_online(),
            open_between(start, end) if hosts else sa.and_(Lesson.starts_at < end, Lesson.ends_at > start),
        )
        .order_by(Lesson.starts_at, Lesson.id, Meeting.attempt)
    )
    found: dict[int, Booking] = {}
    for lesson_id, begins, ends, host, state, ended_at in rows:
        if hosts:
            begins, ends = span_of(begins, ends)
        last = min(ends, ended_at) if ended_at is not None and state is MeetingState.ENDED else ends
        found[lesson_id] = Booking(lesson_id, begins, last, host, roomless=state is MeetingState.FAILED)
    return list(found.values())


def set_rooms(account: ProviderAccount, count: int | None, *, actor: Person | None) -> None:
    """Say how many rooms an account holds at once; None: no limit is known.

    :raises InputError: a number that cannot be right.
    """
    if count is not None and not 0 <= count <= MOST_ROOMS:
        raise InputError(
            N_("%(count)s rooms cannot be right."),
            remedy=N_("Give how many rooms may be open at once, or leave it empty."),
            count=count,
        )
    account.concurrent_rooms = count
    db.session.flush()
    audit.record(
        "provider.rooms",
        "provider_account",
        account.uid,
        actor_uid=actor.uid if actor else None,
        organisation_id=account.organisation_id,
        rooms=count,
    )


def _held(account_ids: Collection[int], start: datetime, end: datetime) -> sa.Select[int]:
    """The lessons that hold a room of these accounts at some moment of a span: those that are held online, and those
    whose provider has not been told yet that they are not."""
    return (
        sa.select(Lesson.id)
        .join(Meeting, Meeting.lesson_id == Lesson.id)
        .where(
            Meeting.account_id.in_(account_ids),
            holding(),
            sa.or_(held_online(), Meeting.closing.is_(True)),
            Lesson.starts_at < end,
            Lesson.ends_at > start,
        )
    )
