"""From one fact to its people: notifications and deliveries, in chunks that survive a kill.

Each chunk is one transaction that also moves the fact's cursor; the unique key of a notification (person, kind,
cause) keeps it one even if a chunk is made twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from lms_bridge.core import jobs
from lms_bridge.core.application import current_settings
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.ids import new_uid
from lms_bridge.core.models import OutboxFact
from lms_bridge.notices import kinds
from lms_bridge.notices.addressing import NoRoute, routes
from lms_bridge.notices.channels import Channels
from lms_bridge.notices.models import Delivery, DeliveryItem, DeliveryState, Notification
from lms_bridge.roster.models import Person

CHUNK = 500
SEND = "notices.send"
"""Job kind that sends what is due on a channel; its subject is the channel's identifier."""


def expand(fact_id: int) -> None:
    """Make the notifications and deliveries of a fact; running it again adds nobody twice.

    :raises LookupError: no feature registered the fact's kind.
    """
    channels = Channels()
    while _expand_chunk(fact_id, channels):
        jobs.renew()


def _expand_chunk(fact_id: int, channels: Channels) -> bool:
    """One chunk in one transaction; whether there may be more."""
    with transaction():
        fact = db.session.get(OutboxFact, fact_id, with_for_update=True, populate_existing=True)
        if fact is None or fact.withdrawn_at is not None or fact.expanded_at is not None:
            return False
        kind = kinds.get(fact.kind)
        people = kind.audience(fact.cause, fact.cursor, CHUNK)
        if people:
            new = _notify(fact, kind, _living(people))
            _deliver(new, channels)
            fact.cursor = people[-1]
        if len(people) < CHUNK:
            fact.expanded_at = now()
        return fact.expanded_at is None


def _living(people: Sequence[int]) -> list[int]:
    """Those who are still in the school system's books."""
    today = now().date()
    return list(
        db.session.scalars(
            sa.select(Person.id)
            .where(
                Person.id.in_(people),
                Person.erased_at.is_(None),
                sa.or_(Person.valid_to.is_(None), Person.valid_to > today),
            )
            .order_by(Person.id)
        )
    )


def _notify(fact: OutboxFact, kind: kinds.Kind, people: Sequence[int]) -> dict[int, int]:
    """Insert what is not there yet; notification ids by person of the new ones."""
    if not people:
        return {}
    insert = pg_insert if db.session.connection().dialect.name == "postgresql" else sqlite_insert
    moment = now()
    rows = [
        {
            "uid": new_uid(),
            "person_id": person_id,
            "kind": fact.kind,
            "cause": fact.cause,
            "fact_id": fact.id,
            "priority": kind.priority,
            "created_at": moment,
        }
        for person_id in people
    ]
    made = db.session.execute(
        insert(Notification)
        .values(rows)
        .on_conflict_do_nothing(index_elements=["person_id", "kind", "cause"])
        .returning(Notification.id, Notification.person_id)
    ).all()
    return {person_id: notification_id for notification_id, person_id in made}


def _deliver(new: dict[int, int], channels: Channels) -> None:
    """A delivery on each person's channel; those who cannot be reached get one that says so."""
    if not new:
        return
    deliveries = []
    for person_id, route in routes(list(new), channels).items():
        delivery = new_delivery(person_id, route.channel)
        if isinstance(route, NoRoute):
            delivery.state, delivery.answer = DeliveryState.NO_ADDRESS, route.reason
        else:
            delivery.contact_point_id = route.contact_point_id
        deliveries.append(delivery)
    db.session.add_all(deliveries)
    db.session.flush()
    db.session.add_all(
        DeliveryItem(delivery_id=d.id, notification_id=new[d.person_id], channel=d.channel) for d in deliveries
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
