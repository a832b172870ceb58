"""Background jobs of lessons: rooms are made, kept up, watched, moved and ended. Thin: each calls one operation."""

from __future__ import annotations

import sqlalchemy as sa

from lms_bridge.core import jobs, queue
from lms_bridge.core.database import db, transaction
from lms_bridge.lessons import (
    breaker,
    failover,
    following,
    intake,
    leaving,
    observing,
    orphans,
    provisioning,
    recordings,
    stuck,
    watching,
)
from lms_bridge.lessons.entering import ADDRESS
from lms_bridge.lessons.meetings import END, FREED, PROVISION, WATCH
from lms_bridge.lessons.models import ProviderAccount


@jobs.job(PROVISION, max_attempts=20, backoff=2.0)
def provision(subject: str) -> None:
    """Make the room of the meeting with this id, or tell its provider of a change."""
    provisioning.provision(int(subject))


@jobs.job(END, max_attempts=12, backoff=30.0)
def end(subject: str) -> None:
    """End the room of the meeting with this id when its lesson is over or cancelled, or has moved."""
    provisioning.end(int(subject))


@jobs.job(ADDRESS, max_attempts=20, backoff=2.0)
def fetch_address(subject: str) -> None:
    """Fetch one person's address in a room; the subject is ``meeting id:person id``."""
    meeting_id, _, person_id = subject.partition(":")
    provisioning.fetch_address(int(meeting_id), int(person_id))


@jobs.job(provisioning.ADDRESSES, max_attempts=20, backoff=5.0)
def fetch_addresses(subject: str) -> None:
    """Fetch the addresses of all who are expected in the meeting with this id."""
    provisioning.fetch_addresses(int(subject))


@jobs.job(WATCH, max_attempts=1000, backoff=5.0)
def watch(subject: str) -> None:
    """Look at the provider account with this id, again and again while it has lessons."""
    watching.watch(int(subject))


@jobs.job(watching.REPORTS, max_attempts=1000, backoff=30.0)
def fetch_reports(subject: str) -> None:
    """Fetch what the provider account with this id reports of meetings that are over."""
    watching.fetch_reports(int(subject))


@jobs.job(recordings.LIST, max_attempts=1000, backoff=60.0)
def list_recordings(subject: str) -> None:
    """List the recordings of meetings that ended lately at the provider account with this id."""
    recordings.list_recordings(int(subject))


@jobs.job(breaker.PROBE, max_attempts=1000, backoff=5.0)
def probe(subject: str) -> None:
    """Ask whether the provider account with this id stands again."""
    breaker.probe(int(subject))


@jobs.job(breaker.MOVE_AWAY, max_attempts=20, backoff=2.0)
def move_away(subject: str) -> None:
    """Move the lessons that a provider account which is down leaves without a room."""
    failover.move_away(int(subject))


@jobs.job(breaker.OFFER, max_attempts=20, backoff=2.0)
def offer(subject: str) -> None:
    """Bring lessons that had nowhere to go to the provider account with this id, which stands again."""
    failover.offer(int(subject))


@jobs.job(FREED, max_attempts=20, backoff=2.0)
def offer_room(subject: str) -> None:
    """Bring lessons that found no room to the provider account with this id, where one is free by now."""
    failover.offer_room(int(subject))


@jobs.job(following.FOLLOW, max_attempts=20, backoff=2.0)
def follow_order(subject: str) -> None:
    """Take the lessons to come of the campus with this id to the first of its video systems."""
    following.follow(int(subject))


@jobs.job(leaving.LEAVE, max_attempts=20, backoff=2.0)
def leave(subject: str) -> None:
    """Take the lessons to come of the provider account with this id elsewhere: it is switched off."""
    leaving.leave(int(subject))


@jobs.job(provisioning.MOVE, max_attempts=20, backoff=2.0)
def move(subject: str) -> None:
    """Move one lesson whose room could not be made; the subject is ``lesson id:attempt``."""
    lesson_id, _, attempt = subject.partition(":")
    failover.move_if_failed(int(lesson_id), int(attempt))


@jobs.job(stuck.TELL, max_attempts=20, backoff=2.0)
def tell_stuck(subject: str) -> None:
    """Tell of the lessons below the organisation with this id that have nowhere to go."""
    stuck.tell(int(subject))


@jobs.job(breaker.ORPHANS, max_attempts=5, backoff=60.0)
def end_orphans(subject: str) -> None:
    """End rooms at the provider account with this id that no lesson needs."""
    orphans.end_orphans(int(subject))


@jobs.job("lessons.tidy", daily_at=19)
def tidy(day: str) -> None:
    """Once a day (at night in China): look everywhere for orphans and for rooms that lessons wait for, forget what was
    told of rooms nobody knows, and recordings whose time is over."""
    with transaction():
        intake.forget_held()
        recordings.forget_old()
        for account_id in db.session.scalars(sa.select(ProviderAccount.id).where(ProviderAccount.enabled.is_(True))):
            jobs.enqueue(breaker.ORPHANS, str(account_id))
            jobs.enqueue(FREED, str(account_id))


queue.beside("observers", observing.keep)
