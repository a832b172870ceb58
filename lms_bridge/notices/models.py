"""Tables of messages to people: notifications, deliveries and their bundles, preferences, feeds."""

from __future__ import annotations

import enum
from datetime import datetime, time
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from lms_bridge.core.clock import now
from lms_bridge.core.database import Base, PrimaryKey, Uid
from lms_bridge.core.ids import new_token, new_uid
from lms_bridge.core.types import KeptProblem


class Priority(enum.StrEnum):
    """How soon a message must be there: urgent ones pass quiet hours, digests wait for the daily message."""

    URGENT = "urgent"
    NORMAL = "normal"
    DIGEST = "digest"


class Notification(Base):
    """One message for one person about one cause; the unique key keeps it one, however often jobs run. Its text is
    made when it is sent, from what is true then."""

    __tablename__ = "notification"
    __table_args__ = (
        sa.UniqueConstraint("person_id", "kind", "cause"),
        sa.Index("ix_notification_cause", "kind", "cause"),
    )

    id: Mapped[PrimaryKey]
    uid: Mapped[Uid] = mapped_column(default=new_uid)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    kind: Mapped[str] = mapped_column(sa.String(80))
    cause: Mapped[str] = mapped_column(sa.String(120))
    fact_id: Mapped[int | None] = mapped_column(sa.ForeignKey("outbox_fact.id"), index=True)
    priority: Mapped[Priority] = mapped_column(default=Priority.NORMAL)
    created_at: Mapped[datetime] = mapped_column(default=now)
    not_before: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    superseded_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("notification.id"))
    read_at: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]


class DeliveryState(enum.StrEnum):
    """Where a message on one channel stands."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    FAILED = "failed"
    UNKNOWN = "unknown"
    WITHDRAWN = "withdrawn"
    NO_ADDRESS = "no_address"


class Delivery(Base):
    """One attempt chain on one channel for one person; carries one notification, or several as a bundle."""

    __tablename__ = "delivery"
    __table_args__ = (sa.Index("ix_delivery_due", "channel", "state", "not_before"),)

    id: Mapped[PrimaryKey]
    uid: Mapped[Uid] = mapped_column(default=new_uid)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    channel: Mapped[str] = mapped_column(sa.String(60))
    contact_point_id: Mapped[int | None] = mapped_column(sa.ForeignKey("contact_point.id"))
    state: Mapped[DeliveryState] = mapped_column(default=DeliveryState.QUEUED)
    message_id: Mapped[str] = mapped_column(sa.String(200), unique=True)
    attempts: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[datetime] = mapped_column(default=now)
    lease_until: Mapped[datetime | None]
    lease_owner: Mapped[str | None] = mapped_column(sa.String(80))
    provider_id: Mapped[str | None] = mapped_column(sa.String(255))
    answer: Mapped[dict[str, Any] | None] = mapped_column(KeptProblem)
    created_at: Mapped[datetime] = mapped_column(default=now)
    # When the service took it over, or (in states other than sent) when it may have done so without our hearing of it.
    sent_at: Mapped[datetime | None]
    state_at: Mapped[datetime] = mapped_column(default=now)


def may_have_arrived() -> sa.ColumnElement[bool]:
    """The condition that the reader of a delivery has heard, or may have heard, what it says."""
    known = (DeliveryState.SENDING, DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.UNKNOWN)
    return sa.or_(Delivery.state.in_(known), Delivery.sent_at.is_not(None))


class DeliveryItem(Base):
    """A notification that a delivery carries; a notification goes once over each channel."""

    __tablename__ = "delivery_item"
    __table_args__ = (sa.UniqueConstraint("notification_id", "channel"),)

    id: Mapped[PrimaryKey]
    delivery_id: Mapped[int] = mapped_column(sa.ForeignKey("delivery.id"), index=True)
    notification_id: Mapped[int] = mapped_column(sa.ForeignKey("notification.id"))
    channel: Mapped[str] = mapped_column(sa.String(60))


class ChannelPreference(Base):
    """The order in which a person wants to be reached; without rows the installation's channel holds."""

    __tablename__ = "channel_preference"
    __table_args__ = (sa.UniqueConstraint("person_id", "channel"),)

    id: Mapped[PrimaryKey]
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"))
    channel: Mapped[str] = mapped_column(sa.String(60))
    position: Mapped[int] = mapped_column(default=1)
    enabled: Mapped[bool] = mapped_column(default=True)


class MessagePreference(Base):
    """A person's quiet hours and digest time, on their own wall clock."""

    __tablename__ = "message_preference"

    id: Mapped[PrimaryKey]
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), unique=True)
    quiet_from: Mapped[time | None]
    quiet_to: Mapped[time | None]
    digest_at: Mapped[time | None]
    calendar_method: Mapped[str] = mapped_column(sa.String(16), default="PUBLISH")


class CalendarFeed(Base):
    """A person's subscribable calendar: a stored token, revocable. ``form`` is ``standard`` or ``moodle``."""

    __tablename__ = "calendar_feed"
    __table_args__ = (
        sa.Index(
            "uq_calendar_feed_valid",
            "person_id",
            "form",
            unique=True,
            sqlite_where=sa.text("revoked_at IS NULL"),
            postgresql_where=sa.text("revoked_at IS NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    token: Mapped[str] = mapped_column(sa.String(64), default=new_token, unique=True)
    person_id: Mapped[int] = mapped_column(sa.ForeignKey("person.id"), index=True)
    form: Mapped[str] = mapped_column(sa.String(16), default="standard")
    created_at: Mapped[datetime] = mapped_column(default=now)
    revoked_at: Mapped[datetime | None]


class MessageTemplate(Base):
    """An organisation's own wording of a message kind in one language, versioned."""

    __tablename__ = "message_template"
    __table_args__ = (sa.UniqueConstraint("organisation_id", "kind", "locale", "version"),)

    id: Mapped[PrimaryKey]
    organisation_id: Mapped[int] = mapped_column(sa.ForeignKey("organisation.id"))
    kind: Mapped[str] = mapped_column(sa.String(80))
    locale: Mapped[str] = mapped_column(sa.String(16))
    version: Mapped[int]
    content: Mapped[dict[str, Any]] = mapped_column(default=dict)
    author_id: Mapped[int | None] = mapped_column(sa.ForeignKey("person.id"))
    created_at: Mapped[datetime] = mapped_column(default=now)
