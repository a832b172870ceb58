"""Who sends which delivery: leases that several senders take, keep alive, and give back with a result.

A row is queued, under a lease or free; it becomes "sending" in the same commit that ends the one before it, so after
a kill exactly one message of each sender is in doubt.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask import current_app

from lms_bridge.core import jobs
from lms_bridge.core.application import current_settings
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.ids import new_uid
from lms_bridge.notices.models import Delivery, DeliveryState

log = logging.getLogger(__name__)

_FREE = {"lease_until": None, "lease_owner": None}


def new_owner() -> str:
    """A name for one run of one sender."""
    return f"{jobs.owner()[:70]}:{new_uid()[:8]}"


def lease_end() -> datetime:
    """Until when a lease taken now holds."""
    return now() + timedelta(seconds=current_settings().job_lease_seconds)


def claim(channel: str, owner: str, limit: int) -> list[int]:
    """Take up to ``limit`` due deliveries, oldest first, and mark the first as being sent; their ids."""
    moment = now()
    free = sa.or_(Delivery.lease_until.is_(None), Delivery.lease_until < moment)
    due = (
        sa.select(Delivery.id)
        .where(
            Delivery.channel == channel,
            Delivery.state.in_([DeliveryState.QUEUED, DeliveryState.SENDING]),
            Delivery.not_before <= moment,
            free,
        )
        .order_by(Delivery.not_before, Delivery.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    # One that a dead sender had in hand may have gone out.
    maybe_out = sa.case(
        (Delivery.state == DeliveryState.SENDING, sa.func.coalesce(Delivery.sent_at, Delivery.state_at)),
        else_=Delivery.sent_at,
    )
    with transaction() as session:
        ids = list(session.scalars(due))
        if ids:
            session.execute(
                sa.update(Delivery)
                .where(Delivery.id.in_(ids))
                .values(lease_owner=owner, lease_until=lease_end(), sent_at=maybe_out)
                .execution_options(synchronize_session=False)
            )
            _start(ids[0], owner)
    return ids


def _start(delivery_id: int, owner: str) -> bool:
    """Mark a delivery as being sent; False if its lease was lost meanwhile."""
    started = db.session.execute(
        sa.update(Delivery)
        .where(Delivery.id == delivery_id, Delivery.lease_owner == owner)
        .values(state=DeliveryState.SENDING, attempts=Delivery.attempts + 1, state_at=now(), lease_until=lease_end())
        .execution_options(synchronize_session=False)
    )
    return bool(started.rowcount)  # type: ignore[attr-defined]


def settle(delivery_id: int, owner: str, values: dict[str, Any], *, following: int | None = None) -> bool:
    """Write a result, free the row, and mark the ``following`` one as being sent. Runs in the transaction in force.
    False if a lease was lost meanwhile: then the result, or the following message, belongs to another sender, and
    this one must not go on with its batch."""
    written = db.session.execute(
        sa.update(Delivery)
        .where(Delivery.id == delivery_id, Delivery.lease_owner == owner)
        .values(**_FREE, state_at=now(), **values)
        .execution_options(synchronize_session=False)
    )
    started = following is None or _start(following, owner)
    return started and bool(written.rowcount)  # type: ignore[attr-defined]


def release(owner: str, *, not_before: datetime, answer: dict[str, Any] | None = None) -> None:
    """Give back all rows of a run, because the service is down (its ``answer``) or another sender has overtaken this
    one: for a message marked as being sent it was no attempt."""
    with transaction() as session:
        session.execute(
            sa.update(Delivery)
            .where(Delivery.lease_owner == owner)
            .values(
                **_FREE,
                attempts=sa.case(
                    (Delivery.state == DeliveryState.SENDING, Delivery.attempts - 1), else_=Delivery.attempts
                ),
                state=DeliveryState.QUEUED,
                answer=Delivery.answer if answer is None else answer,
                not_before=sa.case((Delivery.not_before < not_before, not_before), else_=Delivery.not_before),
            )
            .execution_options(synchronize_session=False)
        )


def give_up_lost(channel: str, *, repeat_costs: bool, max_attempts: int) -> None:
    """Decide about messages that were being sent when their sender died: where a repeat costs they become unknown,
    for a person to decide; elsewhere they are sent again, unless they have killed too many senders."""
    lost = (
        Delivery.channel == channel,
        Delivery.state == DeliveryState.SENDING,
        Delivery.lease_until < now(),
        *([] if repeat_costs else [Delivery.attempts >= max_attempts]),
    )
    if db.session.scalar(sa.select(Delivery.id).where(*lost).limit(1)) is None:
        return
    with transaction() as session:
        session.execute(
            sa.update(Delivery)
            .where(*lost)
            .values(**_FREE, state=DeliveryState.UNKNOWN if repeat_costs else DeliveryState.FAILED, state_at=now())
            .execution_options(synchronize_session=False)
        )


def next_due(channel: str) -> datetime | None:
    """When the next delivery of the channel is due or its lease ends; None if none waits."""
    due = sa.case(
        (sa.and_(Delivery.lease_until.is_not(None), Delivery.lease_until > Delivery.not_before), Delivery.lease_until),
        else_=Delivery.not_before,
    )
    found: datetime | None = db.session.scalar(
        sa.select(sa.func.min(due, type_=Delivery.not_before.type)).where(
            Delivery.channel == channel, Delivery.state.in_([DeliveryState.QUEUED, DeliveryState.SENDING])
        )
    )
    return found


@contextmanager
def kept_alive(owner: str) -> Iterator[None]:
    """Renew the leases of ``owner`` from a thread of its own while the block runs: a mail server may answer more
    slowly than a lease lasts."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    stop = threading.Event()
    pause = current_settings().job_lease_seconds / 3

    def beat() -> None:
        while not stop.wait(pause):
            try:
                with app.app_context(), transaction() as session:
                    session.execute(
                        sa.update(Delivery)
                        .where(Delivery.lease_owner == owner)
                        .values(lease_until=lease_end())
                        .execution_options(synchronize_session=False)
                    )
            except sa.exc.SQLAlchemyError:
                log.warning("leases of deliveries could not be renewed; tried again", exc_info=True)

    thread = threading.Thread(target=beat, name="lease-keeper", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
