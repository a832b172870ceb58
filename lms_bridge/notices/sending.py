"""Sends what is due on a channel: one message after another over one session, each result committed at once.

After ``kill -9`` at any line nothing is lost: rows whose lease ran out are taken by the next sender, and only the
message in flight can arrive twice, with the same Message-ID.
"""

from __future__ import annotations

import logging
import random
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from lms_bridge.core import jobs
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BridgeError
from lms_bridge.core.i18n import N_
from lms_bridge.core.plugins import ChannelSession, MessageChannel, SendResult, SendState, TemporaryFailure
from lms_bridge.notices import leases
from lms_bridge.notices.addressing import BOUNCING, Route, routes, usable
from lms_bridge.notices.answers import answer_of, kept_answer
from lms_bridge.notices.channels import Channels, make_channel
from lms_bridge.notices.composing import live_notifications, outgoing
from lms_bridge.notices.models import Delivery, DeliveryItem, DeliveryState
from lms_bridge.notices.outbox import SEND, new_delivery
from lms_bridge.roster.models import ContactPoint, ContactState, Person

log = logging.getLogger(__name__)

BATCH = 20
RUN_SECONDS = 10.0
"""A run ends after this time and asks for another, so that other jobs get their turn in a long fan-out."""
MAX_ATTEMPTS = 12
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)
SERVICE_PAUSE = timedelta(seconds=30)

OUTDATED = N_("Nothing was left to tell: it was undone, or a later message tells it.")
UNWRITABLE = N_("The message could not be written: %(problem)s")
CRASHED = N_("The plugin failed: %(problem)s")


def send_due(identifier: str, *, seconds: float = RUN_SECONDS) -> int:
    """Send what is due on the channel, for about ``seconds``; how many messages were taken up. Asks for the next run
    at the time when something will be due.

    :raises jobs.RetryAt: the service cannot be used now; nothing counts as an attempt.
    :raises ConfigurationError: the channel is wrongly set up.
    """
    channel = make_channel(identifier)
    leases.give_up_lost(identifier, repeat_costs=channel.capabilities.repeat_costs, max_attempts=MAX_ATTEMPTS)
    owner, taken, end = leases.new_owner(), 0, time.monotonic() + seconds
    with ExitStack() as stack:
        session: ChannelSession | None = None
        while time.monotonic() < end:
            batch = leases.claim(identifier, owner, BATCH)
            if not batch:
                break
            if session is None:
                stack.enter_context(leases.kept_alive(owner))
                session = _opened(channel, owner, stack)
            if len(batch) == BATCH:
                _ask_again(identifier)  # another free thread may help
            _send_batch(batch, owner, channel, session)
            taken += len(batch)
            jobs.renew()
    _ask_again(identifier)
    return taken


def _opened(channel: MessageChannel, owner: str, stack: ExitStack) -> ChannelSession:
    try:
        return stack.enter_context(channel.open())
    except TemporaryFailure as failure:
        _service_down(owner, failure, failure.retry_after)
        raise AssertionError from failure  # not reached: the line above raises


def _service_down(owner: str, answer: BridgeError | str, retry_after: timedelta | None) -> None:
    """Give everything back and come again later."""
    moment = now() + (retry_after or SERVICE_PAUSE) * random.uniform(0.8, 1.2)
    leases.release(owner, answer=kept_answer(answer), not_before=moment)
    log.warning("a message channel cannot be used now")
    raise jobs.RetryAt(moment)


def _ask_again(identifier: str) -> None:
    """Enqueue the next run for the moment when something is due, if anything waits."""
    due = leases.next_due(identifier)
    if due is not None:
        with transaction():
            jobs.enqueue(SEND, identifier, not_before=due if due > now() else None)


@dataclass(frozen=True)
class _Claimed:
    """A claimed delivery with whom it is for, read once for its batch. ``attempts`` counts the one to be made."""

    delivery: Delivery
    person: Person
    contact: ContactPoint | None
    attempts: int


def _claimed(batch: list[int]) -> list[_Claimed]:
    rows = db.session.execute(
        sa.select(Delivery, Person, ContactPoint)
        .join(Person, Person.id == Delivery.person_id)
        .outerjoin(ContactPoint, ContactPoint.id == Delivery.contact_point_id)
        .where(Delivery.id.in_(batch))
        .execution_options(populate_existing=True)
    ).all()
    # The first is marked as being sent already (leases.claim), and its attempt counted.
    found = {
        delivery.id: _Claimed(delivery, person, contact, delivery.attempts + (delivery.id != batch[0]))
        for delivery, person, contact in rows
    }
    return [found[delivery_id] for delivery_id in batch]


def _send_batch(batch: list[int], owner: str, channel: MessageChannel, session: ChannelSession) -> None:
    for position, claimed in enumerate(_claimed(batch)):
        result = _attempt(claimed, channel, session)
        if result is not None and result.service_down:
            _service_down(owner, result.answer, result.retry_after)
        following = batch[position + 1] if position + 1 < len(batch) else None
        with transaction():
            values = _values(claimed, result, channel)
            mine = leases.settle(claimed.delivery.id, owner, values, following=following)
        if not mine:
            # Whoever took the leases over sends the rest; going on would send it twice.
            log.warning("a delivery took longer than its lease; another sender goes on with its batch")
            leases.release(owner, not_before=now())
            return


def _attempt(claimed: _Claimed, channel: MessageChannel, session: ChannelSession) -> SendResult | None:
    """Write the message and hand it over; None if nothing is left to say. The reading transaction is over before the
    network is used. A message that cannot be written must not hold up the others: it is tried again, then failed."""
    try:
        contact = claimed.contact
        if contact is not None and not usable(contact, now().date()):
            reason = answer_of(contact.state_reason) if contact.state_reason else BridgeError(BOUNCING)
            return SendResult(SendState.REJECTED, reason, address_bad=True)
        message = outgoing(claimed.delivery, claimed.person, contact, channel)
        db.session.commit()  # ends the reading; nothing is expired
    except sa.exc.DBAPIError:
        raise
    except Exception as error:
        db.session.rollback()
        log.warning("a message could not be written: %s", type(error).__name__)
        return SendResult(SendState.RETRY, BridgeError(UNWRITABLE, problem=f"{type(error).__name__}: {error}"))
    if message is None:
        return None
    try:
        return session.send(message)
    except BridgeError as error:
        return SendResult(SendState.RETRY, error)
    except Exception as error:  # a third party's channel broke its promise not to raise
        log.warning("a channel raised %s", type(error).__name__)
        return SendResult(SendState.UNKNOWN, BridgeError(CRASHED, problem=f"{type(error).__name__}: {error}"))


def _values(claimed: _Claimed, result: SendResult | None, channel: MessageChannel) -> dict[str, Any]:
    """The columns that say what became of an attempt; also follows up a bad address. In the transaction in force."""
    if result is None:
        return {"state": DeliveryState.WITHDRAWN, "answer": kept_answer(BridgeError(OUTDATED))}
    values: dict[str, Any] = {"answer": kept_answer(result.answer)}
    if result.state is SendState.SENT:
        return values | {"state": DeliveryState.SENT, "sent_at": now(), "provider_id": result.provider_id}
    if result.state is SendState.REJECTED:
        if result.address_bad:
            return values | _other_way(claimed.delivery, result.answer)
        return values | {"state": DeliveryState.FAILED}
    if result.state is SendState.UNKNOWN and channel.capabilities.repeat_costs:
        return values | {"state": DeliveryState.UNKNOWN}
    if result.state is SendState.UNKNOWN:
        values["sent_at"] = claimed.delivery.sent_at or now()
    if claimed.attempts >= MAX_ATTEMPTS:
        return values | {"state": DeliveryState.FAILED}
    return values | {
        "state": DeliveryState.QUEUED,
        "not_before": now() + (result.retry_after or pause_after(claimed.attempts) * random.uniform(0.8, 1.2)),
    }


def pause_after(attempts: int) -> timedelta:
    """The pause after so many attempts: doubling from half a minute to an hour (greylisting wants some minutes)."""
    doubled: timedelta = FIRST_PAUSE * 2 ** min(attempts - 1, 20)
    return min(doubled, LONGEST_PAUSE)


def _other_way(delivery: Delivery, answer: BridgeError | str) -> dict[str, Any]:
    """The address is wrong: mark it, and go on with the person's next address, on this channel (the same delivery) or
    another (a new one)."""
    contact = db.session.get(ContactPoint, delivery.contact_point_id) if delivery.contact_point_id else None
    if contact is not None and contact.state in (ContactState.UNVERIFIED, ContactState.GOOD):
        contact.state, contact.state_reason, contact.state_at = ContactState.BOUNCING, kept_answer(answer), now()
        db.session.flush()
    route = routes([delivery.person_id], Channels())[delivery.person_id]
    if isinstance(route, Route) and route.channel == delivery.channel:
        return {"state": DeliveryState.QUEUED, "not_before": now(), "contact_point_id": route.contact_point_id}
    if isinstance(route, Route):
        deliver_elsewhere(delivery, route)
    return {"state": DeliveryState.BOUNCED}


def deliver_elsewhere(delivery: Delivery, route: Route) -> None:
    """A new delivery on another channel for what this one carries, unless it went there already."""
    gone = sa.select(DeliveryItem.notification_id).where(DeliveryItem.channel == route.channel)
    left = [n.id for n in live_notifications(delivery.id)]
    left = [n for n in left if n not in set(db.session.scalars(gone.where(DeliveryItem.notification_id.in_(left))))]
    if not left:
        return
    other = new_delivery(delivery.person_id, route.channel)
    other.contact_point_id = route.contact_point_id
    db.session.add(other)
    db.session.flush()
    db.session.add_all(DeliveryItem(delivery_id=other.id, notification_id=n, channel=route.channel) for n in left)
    db.session.flush()
    jobs.enqueue(SEND, route.channel)
