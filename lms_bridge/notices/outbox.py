"""From one fact to its people: notifications and deliveries, in chunks that survive a kill.

Each chunk is one transaction that also moves the fact's cursor; the unique key of a notification (person, kind,
cause) keeps it one even if a chunk is made twice.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from urllib.parse import urlsplit

import sqlalchemy as sa

from lms_bridge.core import jobs, outbox
from lms_bridge.core.application import current_settings
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, insert_into, transaction
from lms_bridge.core.errors import BridgeError
from lms_bridge.core.ids import new_uid
from lms_bridge.core.models import OutboxFact
from lms_bridge.notices import kinds
from lms_bridge.notices.addressing import NoRoute, routes
from lms_bridge.notices.answers import kept_answer
from lms_bridge.notices.channels import Channels
from lms_bridge.notices.models import Delivery, DeliveryItem, DeliveryState, Notification
from lms_bridge.roster.models import Person

log = logging.getLogger(__name__)

CHUNK = 500
TOGETHER = 200
"""So many small facts are expanded in one transaction."""
SEND = "notices.send"
"""Job kind that sends what is due on a channel; its subject is the channel's identifier."""


def expand(fact_id: int) -> None:
    """Make the notifications and deliveries of a fact; running it again adds nobody twice. Then do the same for small
    facts that wait beside it, which is much cheaper together than one by one.

    :raises LookupError: no feature registered the fact's kind.
    """
    channels = Channels()
    while _expand_chunk(fact_id, channels):
        jobs.renew()
    try:
        while _expand_waiting(channels):
            jobs.renew()
    except Exception:
        # One of them is at fault, and its own job will say which; this job's work is done.
        db.session.rollback()
        log.warning("facts could not be expanded together", exc_info=log.isEnabledFor(logging.DEBUG))


def _expand_chunk(fact_id: int, channels: Channels) -> bool:
    """One chunk of one fact in one transaction; whether there may be more."""
    with transaction():
        fact = db.session.get(OutboxFact, fact_id, with_for_update=True, populate_existing=True)
        if fact is None or fact.withdrawn_at is not None or fact.expanded_at is not None:
            return False
        people = kinds.get(fact.kind).audience(fact.cause, fact.cursor, CHUNK)
        _tell([(fact, people)], channels)
        return fact.expanded_at is None


def _expand_waiting(channels: Channels) -> bool:
    """Many facts that nobody has begun with, in one transaction; whether there may be more. A fact with more people
    than a chunk is only begun: its own job goes on with it."""
    with transaction():
        facts = db.session.scalars(
            sa.select(OutboxFact)
            .where(
                OutboxFact.expanded_at.is_(None),
                OutboxFact.withdrawn_at.is_(None),
                OutboxFact.cursor == 0,
                OutboxFact.kind.in_(kinds.names()),
            )
            .order_by(OutboxFact.id)
            .limit(TOGETHER)
            .with_for_update(skip_locked=True)
            .execution_options(populate_existing=True)
        ).all()
        if not facts:
            return False
        pairs, total = [], 0
        for fact in facts:
            if total >= CHUNK:
                break
            people = kinds.get(fact.kind).audience(fact.cause, 0, CHUNK)
            pairs.append((fact, people))
            total += len(people)
        _tell(pairs, channels)
        jobs.done_together(outbox.EXPAND, [str(fact.id) for fact, _ in pairs if fact.expanded_at is not None])
        return True


def _tell(pairs: Sequence[tuple[OutboxFact, Sequence[int]]], channels: Channels) -> None:
    """Notifications and deliveries for the next people of each fact, and the facts' cursors."""
    living = _living({person_id for _, people in pairs for person_id in people})
    new = _notify([(fact, [p for p in people if p in living]) for fact, people in pairs])
    _deliver(new, channels)
    for fact, people in pairs:
        if people:
            fact.cursor = people[-1]
        if len(people) < CHUNK:
            fact.expanded_at = now()
    db.session.flush()


def _living(people: Collection[int]) -> frozenset[int]:
    """Those who are still in the school system's books."""
    today = now().date()
    return frozenset(
        db.session.scalars(
            sa.select(Person.id).where(
                Person.id.in_(people),
                Person.erased_at.is_(None),
                sa.or_(Person.valid_to.is_(None), Person.valid_to > today),
            )
        )
    )


def _notify(pairs: Sequence[tuple[OutboxFact, Sequence[int]]]) -> list[tuple[int, int]]:
    """Insert what is not there yet; (notification id, person id) of the new ones."""
    moment = now()
    rows = [
        {
            "uid": new_uid(),
            "person_id": person_id,
            "kind": fact.kind,
            "cause": fact.cause,
            "fact_id": fact.id,
            "priority": kinds.get(fact.kind).priority,
            "created_at": moment,
        }
        for fact, people in pairs
        for person_id in people
    ]
    if not rows:
        return []
    made = db.session.execute(
        insert_into(Notification)
        .values(rows)
        .on_conflict_do_nothing(index_elements=["person_id", "kind", "cause"])
        .returning(Notification.id, Notification.person_id)
    )
    return [(notification_id, person_id) for notification_id, person_id in made]


def _deliver(new: Sequence[tuple[int, int]], channels: Channels) -> None:
    """A delivery on each person's channel; those who cannot be reached get one that says so."""
    if not new:
        return
    ways = routes({person_id for _, person_id in new}, channels)
    deliveries = []
    for _, person_id in new:
        route = ways[person_id]
        delivery = new_delivery(person_id, route.channel)
        if isinstance(route, NoRoute):
            delivery.state, delivery.answer = DeliveryState.NO_ADDRESS, kept_answer(BridgeError(route.reason))
        else:
            delivery.contact_point_id = route.contact_point_id
        deliveries.append(delivery)
    db.session.add_all(deliveries)
    db.session.flush()
    db.session.add_all(
        DeliveryItem(delivery_id=delivery.id, notification_id=notification_id, channel=delivery.channel)
        for delivery, (notification_id, _) in zip(deliveries, new, strict=True)
    )
    db.session.flush()
    for channel in sorted({d.channel for d in deliveries if d.state is DeliveryState.QUEUED}):
        jobs.enqueue(SEND, channel)


def new_delivery(person_id: int, channel: str) -> Delivery:
    """A delivery with the Message-ID that all its attempts carry; not yet added to the session."""
    uid = new_uid()
    return Delivery(
        uid=uid,
        person_id=person_id,
        channel=channel,
        state=DeliveryState.QUEUED,
        message_id=f"{uid}@{urlsplit(current_settings().base_url).hostname or 'localhost'}",
    )
