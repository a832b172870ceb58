"""A person's inbox: their notifications as they read now, read and acknowledged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from lms_bridge.core import audit
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.errors import NotFound
from lms_bridge.core.models import OutboxFact
from lms_bridge.notices import kinds
from lms_bridge.notices.composing import said_now
from lms_bridge.notices.models import Notification
from lms_bridge.notices.rendering import Rendered
from lms_bridge.roster.models import Organisation, Person

PAGE = 10


@dataclass(frozen=True)
class Entry:
    """A notification with its message as of now; ``message`` None: nothing of it holds any more."""

    notification: Notification
    message: Rendered | None
    acknowledge: bool
    zone: str


def _own(person: Person) -> sa.Select[Notification]:
    return (
        sa.select(Notification)
        .outerjoin(OutboxFact, OutboxFact.id == Notification.fact_id)
        .where(
            Notification.person_id == person.id,
            Notification.withdrawn_at.is_(None),
            Notification.superseded_by_id.is_(None),
            OutboxFact.withdrawn_at.is_(None),
        )
    )


def notifications(person: Person, page: int = 1) -> tuple[Sequence[Notification], int]:
    """One page of the person's notifications, newest first, and the number of pages."""
    total = db.session.scalar(sa.select(sa.func.count()).select_from(_own(person).subquery())) or 0
    rows = db.session.scalars(
        _own(person).order_by(Notification.id.desc()).limit(PAGE).offset((max(page, 1) - 1) * PAGE)
    ).all()
    return rows, max(1, -(-total // PAGE))


def unread(person: Person) -> int:
    """How many notifications the person has not opened."""
    own = _own(person).where(Notification.read_at.is_(None)).subquery()
    return db.session.scalar(sa.select(sa.func.count()).select_from(own)) or 0


def entry(person: Person, notification: Notification, locale: str) -> Entry:
    """The notification with its message in ``locale``, and the zone in which its times are said."""
    zone = person.zone or db.session.scalar(
        sa.select(Organisation.zone)
        .join(OutboxFact, OutboxFact.organisation_id == Organisation.id)
        .where(OutboxFact.id == notification.fact_id)
    )
    try:
        kind = kinds.get(notification.kind)
    except LookupError:  # a feature that is not installed any more
        return Entry(notification, None, False, zone or "UTC")
    return Entry(notification, said_now(person, [notification], locale), kind.acknowledge, zone or "UTC")


def notification_of(person: Person, uid: str) -> Notification:
    """The person's own notification with this uid.

    :raises NotFound: there is none, or it is somebody else's.
    """
    found = db.session.scalar(_own(person).where(Notification.uid == uid))
    if found is None:
        raise NotFound()
    return found


def mark_read(notification: Notification) -> None:
    """Note the first time that it was opened."""
    notification.read_at = notification.read_at or now()
    db.session.flush()


def mark_all_read(person: Person) -> None:
    """Note that all of the person's notifications were seen."""
    db.session.execute(
        sa.update(Notification)
        .where(Notification.person_id == person.id, Notification.read_at.is_(None))
        .values(read_at=now())
    )


def acknowledge(person: Person, notification: Notification) -> None:
    """Note that the person confirmed it; a second time changes nothing."""
    if notification.acknowledged_at is not None:
        return
    notification.acknowledged_at = now()
    mark_read(notification)
    audit.record("notification.acknowledge", "notification", notification.uid, actor_uid=person.uid)
