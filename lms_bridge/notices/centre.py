"""The message centre: what went out to whom and how it stands, reading one message, sending one again."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Any

import sqlalchemy as sa

from lms_bridge.core import audit, jobs
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.errors import Conflict, InputError, NotFound
from lms_bridge.core.i18n import N_
from lms_bridge.core.models import OutboxFact
from lms_bridge.core.plugins import Attachment
from lms_bridge.notices.addressing import NoRoute, routes
from lms_bridge.notices.channels import Channels
from lms_bridge.notices.composing import live_notifications, said_now
from lms_bridge.notices.models import Delivery, DeliveryItem, DeliveryState, Notification
from lms_bridge.notices.outbox import SEND
from lms_bridge.notices.sending import deliver_elsewhere
from lms_bridge.roster.models import ContactPoint, Organisation, Person

PAGE = 50
RESENDABLE = (DeliveryState.FAILED, DeliveryState.BOUNCED, DeliveryState.UNKNOWN, DeliveryState.NO_ADDRESS)
AT_ONCE = 500
"""So many failed messages are sent again by one press of the button."""

STATE_NAMES = {
    DeliveryState.QUEUED: N_("waiting"),
    DeliveryState.SENDING: N_("being sent"),
    DeliveryState.SENT: N_("sent"),
    DeliveryState.DELIVERED: N_("delivered"),
    DeliveryState.BOUNCED: N_("came back"),
    DeliveryState.FAILED: N_("failed"),
    DeliveryState.UNKNOWN: N_("uncertain"),
    DeliveryState.WITHDRAWN: N_("not needed any more"),
    DeliveryState.NO_ADDRESS: N_("no address"),
}


@dataclass(frozen=True)
class Line:
    """One delivery in the list."""

    delivery: Delivery
    person: Person
    address: str | None
    kind: str
    organisation: Organisation
    notification: Notification


@dataclass(frozen=True)
class Readable:
    """A message to be read. ``as_sent`` is true when these are the bytes that were sent, false when it was written
    now from what is true now."""

    as_sent: bool
    subject: str
    text: str
    html: str
    attachments: tuple[Attachment, ...] = ()


def _visible(paths: Collection[str], *columns: Any) -> sa.Select[Any]:
    """Deliveries of the organisations below ``paths``; a bundle counts as its first notification."""
    first = (
        sa.select(sa.func.min(DeliveryItem.notification_id))
        .where(DeliveryItem.delivery_id == Delivery.id)
        .correlate(Delivery)
        .scalar_subquery()
    )
    return (
        sa.select(*columns)
        .select_from(Delivery)
        .join(Notification, Notification.id == first)
        .join(OutboxFact, OutboxFact.id == Notification.fact_id)
        .join(Organisation, Organisation.id == OutboxFact.organisation_id)
        .where(sa.or_(sa.false(), *(Organisation.path.startswith(path, autoescape=True) for path in paths)))
    )


def counts(paths: Collection[str]) -> dict[DeliveryState, int]:
    """How many messages stand how."""
    rows = db.session.execute(_visible(paths, Delivery.state, sa.func.count()).group_by(Delivery.state))
    return {row[0]: row[1] for row in rows}


def lines(paths: Collection[str], *, state: DeliveryState | None = None, page: int = 1) -> list[Line]:
    """One page of deliveries, newest first."""
    query = _visible(paths, Delivery, Person, ContactPoint.address, Notification, Organisation).join(
        Person, Person.id == Delivery.person_id
    )
    query = query.outerjoin(ContactPoint, ContactPoint.id == Delivery.contact_point_id)
    if state is not None:
        query = query.where(Delivery.state == state)
    rows = db.session.execute(query.order_by(Delivery.id.desc()).limit(PAGE).offset((page - 1) * PAGE))
    return [
        Line(delivery, person, address, notification.kind, organisation, notification)
        for delivery, person, address, notification, organisation in rows
    ]


def line(uid: str) -> tuple[Line, Organisation]:
    """One delivery with the organisation that it belongs to, whose reach decides who may see it.

    :raises NotFound: there is none.
    """
    row = db.session.execute(
        _visible(["/"], Delivery, Person, ContactPoint.address, Notification, Organisation)
        .join(Person, Person.id == Delivery.person_id)
        .outerjoin(ContactPoint, ContactPoint.id == Delivery.contact_point_id)
        .where(Delivery.uid == uid)
    ).first()
    if row is None:
        raise NotFound()
    delivery, person, address, notification, organisation = row
    return Line(delivery, person, address, notification.kind, organisation, notification), organisation


def read(delivery: Delivery) -> Readable | None:
    """The message as it was sent, where its channel keeps it, else as it would be written now; None when there is
    nothing (left) to say."""
    channel = Channels().get(delivery.channel)
    if channel is not None and channel.capabilities.readable_here:
        raw = channel.read(delivery.message_id)
        if raw is not None:
            return _parsed(raw)
    person = db.session.get_one(Person, delivery.person_id)
    notifications = live_notifications(delivery.id)
    said = said_now(person, notifications) if notifications else None
    return Readable(False, said.subject, said.text, said.html, said.attachments) if said is not None else None


def _parsed(raw: bytes) -> Readable:
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    return Readable(
        as_sent=True,
        subject=str(mail["Subject"] or ""),
        text=str(plain.get_content()) if plain is not None else "",
        html=str(html.get_content()) if html is not None else "",
        attachments=tuple(
            Attachment(part.get_filename() or "", part.get_content_type(), _bytes(part))
            for part in mail.iter_attachments()
        ),
    )


def _bytes(part: Any) -> bytes:
    content = part.get_content()
    return content.encode("utf-8") if isinstance(content, str) else bytes(content)


def record_look(delivery: Delivery, organisation: Organisation, actor: Person) -> None:
    """Write into the audit log that ``actor`` read somebody's message."""
    audit.record("message.read", "delivery", delivery.uid, actor_uid=actor.uid, organisation_id=organisation.id)


def resend(delivery: Delivery, organisation: Organisation, actor: Person) -> None:
    """Send a message that did not arrive again, by the way that leads to the person now; with its old Message-ID.

    :raises Conflict: it is not one that failed.
    :raises InputError: there still is no way to reach the person.
    """
    db.session.refresh(delivery, with_for_update=True)
    if delivery.state not in RESENDABLE:
        raise Conflict(N_("This message did not fail."), remedy=N_("Load the page again to see how it stands."))
    route = routes([delivery.person_id], Channels())[delivery.person_id]
    if isinstance(route, NoRoute):
        raise InputError(
            N_("There is no address to send this to."), remedy=N_("Add or mend the person's address, then try again.")
        )
    if route.channel == delivery.channel:
        delivery.state, delivery.attempts, delivery.not_before = DeliveryState.QUEUED, 0, now()
        delivery.contact_point_id, delivery.state_at = route.contact_point_id, now()
        db.session.flush()
        jobs.enqueue(SEND, delivery.channel)
    else:
        deliver_elsewhere(delivery, route)
        delivery.state, delivery.state_at = DeliveryState.WITHDRAWN, now()
    audit.record("message.resend", "delivery", delivery.uid, actor_uid=actor.uid, organisation_id=organisation.id)


def resend_failed(paths: Collection[str], actor: Person) -> int:
    """Send all failed messages again, oldest first, at most :data:`AT_ONCE`; how many."""
    rows: Sequence[Any] = db.session.execute(
        _visible(paths, Delivery, Organisation)
        .where(Delivery.state == DeliveryState.FAILED)
        .order_by(Delivery.id)
        .limit(AT_ONCE)
    ).all()
    done = 0
    for delivery, organisation in rows:
        try:
            resend(delivery, organisation, actor)
        except InputError:
            continue  # it stays in the list, where its own button says why
        done += 1
    return done
