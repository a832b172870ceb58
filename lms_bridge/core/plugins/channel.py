"""The kind of plugin that reaches people: mail, chat, text message, a folder."""

from __future__ import annotations

import enum
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from lms_bridge.core.errors import BridgeError
from lms_bridge.core.plugins.base import Plugin


@dataclass(frozen=True)
class ChannelCapabilities:
    """What a channel can do; code asks these flags, never the channel's name."""

    address_kind: str = "email"
    """Kind of contact point that it takes: ``email``, ``phone``, ``account`` (an id at the service), ``none``."""
    html: bool = False
    attachments: bool = False
    max_text: int | None = None
    """Longest text in characters; None for no limit."""
    bulk: bool = False
    """One session may send many messages faster than many sessions one each."""
    confirms_delivery: bool = False
    """:meth:`MessageChannel.reports` tells of deliveries and bounces later."""
    repeat_costs: bool = False
    """A repeated message costs money or trust: where an answer was lost the delivery becomes "unknown" and a
    person decides, instead of sending again."""
    readable_here: bool = False
    """Administrators can read what was sent (the mailbox folder)."""


@dataclass(frozen=True)
class Attachment:
    """A file that goes with a message. ``inline_method`` is the iTIP method of a calendar part, if it is one."""

    name: str
    media_type: str
    content: bytes
    calendar_method: str | None = None


@dataclass(frozen=True)
class OutgoingMessage:
    """One message for one address, rendered. ``message_id`` is an RFC 5322 Message-ID without angle brackets, the
    same at every attempt; ``urgent`` ones may pass quiet hours. ``unsubscribe_url`` is set where unsubscribing is
    lawful (RFC 8058)."""

    message_id: str
    address: str
    recipient_name: str
    locale: str
    subject: str
    text: str
    html: str | None = None
    attachments: Sequence[Attachment] = ()
    reply_to: str | None = None
    unsubscribe_url: str | None = None
    urgent: bool = False
    automatic: bool = True


class SendState(enum.StrEnum):
    """What became of one attempt."""

    SENT = "sent"
    """The service took it over."""
    REJECTED = "rejected"
    """Refused for good: wrong address, blocked. Trying again on this channel is useless."""
    RETRY = "retry"
    """Not taken now; try again later."""
    UNKNOWN = "unknown"
    """The answer was lost after the message was handed over."""


@dataclass(frozen=True)
class SendResult:
    """The outcome with what was said of it: the service's own words, which stay as they came, or ours, as an error that
    is told in each reader's language. ``address_bad`` says that the address itself is wrong;
    ``service_down`` (with RETRY) that the service as a whole cannot be used now, so that this was no attempt of the
    message and others would fare no better."""

    state: SendState
    answer: BridgeError | str = ""
    provider_id: str | None = None
    retry_after: timedelta | None = None
    address_bad: bool = False
    service_down: bool = False


@dataclass(frozen=True)
class DeliveryReport:
    """Later news of one message: it arrived, or bounced."""

    message_id: str
    delivered: bool
    at: datetime
    answer: BridgeError | str = ""
    address_bad: bool = False


class ChannelSession(AbstractContextManager["ChannelSession"]):
    """An open connection for a run of messages."""

    @abstractmethod
    def send(self, message: OutgoingMessage) -> SendResult:
        """Hand one message over. Says what became of it instead of raising, whatever the service does."""


class MessageChannel(Plugin):
    """Reaches people. Used in jobs only."""

    capabilities: ClassVar[ChannelCapabilities]

    @abstractmethod
    def open(self) -> ChannelSession:
        """A session; connecting may be put off until the first message.

        :raises TemporaryFailure: the service cannot be reached now.
        """

    @abstractmethod
    def accepts(self, address: str) -> bool:
        """Whether ``address`` has the form that this channel takes."""

    def reports(self) -> Iterable[DeliveryReport]:
        """News of earlier messages (bounces read from a mailbox, delivery receipts); each at least once."""
        return ()

    def read(self, message_id: str) -> bytes | None:
        """What was sent under ``message_id``, as an RFC 5322 message; None where it is not kept. Only of channels
        that are ``readable_here``."""
        return None
