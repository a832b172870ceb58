"""What a delivery or notification says at this moment, for its reader."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from lms_bridge.core.application import current_settings
from lms_bridge.core.database import db
from lms_bridge.core.i18n import use_locale
from lms_bridge.core.models import OutboxFact
from lms_bridge.core.plugins import MessageChannel, OutgoingMessage
from lms_bridge.notices import kinds
from lms_bridge.notices.kinds import Kind, MessageContext
from lms_bridge.notices.models import Delivery, DeliveryItem, Notification, Priority
from lms_bridge.notices.rendering import Rendered, render
from lms_bridge.roster.models import ContactPoint, Organisation, Person


def live_notifications(delivery_id: int) -> list[Notification]:
    """What a delivery carries and is still to be told: not withdrawn, not superseded, its fact not withdrawn."""
    return list(
        db.session.scalars(
            sa.select(Notification)
            .join(DeliveryItem, DeliveryItem.notification_id == Notification.id)
            .outerjoin(OutboxFact, OutboxFact.id == Notification.fact_id)
            .where(
                DeliveryItem.delivery_id == delivery_id,
                Notification.withdrawn_at.is_(None),
                Notification.superseded_by_id.is_(None),
                OutboxFact.withdrawn_at.is_(None),
            )
            .order_by(Notification.id)
        )
    )


def said_now(person: Person, notifications: Sequence[Notification], locale: str | None = None) -> Rendered | None:
    """The message to ``person`` from what is true now, in ``locale`` (default: theirs); None when nothing is left.

    :raises LookupError: a kind is not registered.
    :raises jinja2.TemplateError: a template is wrong.
    """
    with use_locale(locale or person.language):
        parts: list[tuple[Kind, MessageContext]] = []
        for notification in notifications:
            kind = kinds.get(notification.kind)
            context = kind.gather(person, notification.cause)
            if context is not None:
                parts.append((kind, context))
        return render(parts, _common(person, notifications)) if parts else None


def outgoing(
    delivery: Delivery, person: Person, contact: ContactPoint | None, channel: MessageChannel
) -> OutgoingMessage | None:
    """The message of a delivery for its channel; None when there is nothing left to say."""
    notifications = live_notifications(delivery.id)
    rendered = said_now(person, notifications) if notifications else None
    if rendered is None:
        return None
    can, text = channel.capabilities, rendered.text
    if can.max_text is not None and len(text) > can.max_text:
        text = text[: can.max_text - 1] + "…"
    return OutgoingMessage(
        message_id=delivery.message_id,
        address=contact.address if contact is not None else "",
        recipient_name=person.display_name,
        locale=person.language,
        subject=rendered.subject,
        text=text,
        html=rendered.html if can.html else None,
        attachments=rendered.attachments if can.attachments else (),
        urgent=any(notification.priority is Priority.URGENT for notification in notifications),
    )


def _common(person: Person, notifications: Sequence[Notification]) -> dict[str, Any]:
    """What every template may use: who is spoken to, in whose name, and where to find it all."""
    base_url = current_settings().base_url.rstrip("/")
    organisation = None
    fact_id = next((n.fact_id for n in notifications if n.fact_id is not None), None)
    if fact_id is not None:
        organisation = db.session.scalar(
            sa.select(Organisation)
            .join(OutboxFact, OutboxFact.organisation_id == Organisation.id)
            .where(OutboxFact.id == fact_id)
        )
    return {
        "recipient": person.display_name,
        "organisation": organisation,
        "home_url": base_url + "/",
        "inbox_url": f"{base_url}/inbox",
    }
