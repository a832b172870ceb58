"""Where a message for a person goes: the first channel of their preference that has a usable address for them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.errors import ConfigurationError
from lms_bridge.core.i18n import N_
from lms_bridge.core.plugins import MessageChannel
from lms_bridge.notices.channels import Channels, installation_channels
from lms_bridge.notices.models import ChannelPreference
from lms_bridge.roster.models import ContactKind, ContactPoint, ContactState

KINDS = {
    "email": frozenset({ContactKind.EMAIL}),
    "phone": frozenset({ContactKind.PHONE, ContactKind.SMS}),
    "account": frozenset({ContactKind.ACCOUNT}),
}


@dataclass(frozen=True)
class Route:
    """A channel and the contact point on it (None where the channel needs no address)."""

    channel: str
    contact_point_id: int | None


@dataclass(frozen=True)
class NoRoute:
    """Nobody can be reached here: the channel that was wanted, and why not (a message id)."""

    channel: str
    reason: str


NO_ADDRESS = N_("There is no address.")
MALFORMED = N_("The address is malformed.")
BOUNCING = N_("The address does not exist: a message came back.")
OPTED_OUT = N_("The person does not want messages there.")


def usable(contact: ContactPoint, day: date) -> bool:
    """Whether a contact point may be written to on ``day``."""
    return contact.state in (ContactState.UNVERIFIED, ContactState.GOOD) and (
        contact.valid_to is None or contact.valid_to > day
    )


def routes(person_ids: Collection[int], channels: Channels) -> dict[int, Route | NoRoute]:
    """For each person the way that a new message takes.

    :raises ConfigurationError: a channel of the installation cannot be used, so that nothing can be said of anyone.
    """
    default = installation_channels()
    preferences: defaultdict[int, list[str]] = defaultdict(list)
    for row in db.session.scalars(
        sa.select(ChannelPreference)
        .where(ChannelPreference.person_id.in_(person_ids), ChannelPreference.enabled.is_(True))
        .order_by(ChannelPreference.position, ChannelPreference.id)
    ):
        preferences[row.person_id].append(row.channel)
    contacts: defaultdict[int, list[ContactPoint]] = defaultdict(list)
    for contact in db.session.scalars(
        sa.select(ContactPoint)
        .where(ContactPoint.person_id.in_(person_ids))
        .order_by(sa.case((ContactPoint.state == ContactState.GOOD, 0), else_=1), ContactPoint.id)
    ):
        contacts[contact.person_id].append(contact)
    for name in default:
        if channels.get(name) is None:
            raise ConfigurationError(
                N_('The channel "%(name)s" cannot be used.'), remedy=N_('Run "lms-bridge doctor".'), name=name
            )
    return {
        person_id: _route(preferences.get(person_id) or default, contacts.get(person_id, ()), channels)
        for person_id in person_ids
    }


def _route(wanted: Sequence[str], contacts: Sequence[ContactPoint], channels: Channels) -> Route | NoRoute:
    day = now().date()
    reason = NO_ADDRESS
    for identifier in wanted:
        channel = channels.get(identifier)
        if channel is None:
            continue
        if channel.capabilities.address_kind == "none":
            return Route(identifier, None)
        for contact in contacts:
            if not _fits(contact, identifier, channel) or (contact.valid_to is not None and contact.valid_to <= day):
                continue
            if usable(contact, day) and channel.accepts(contact.address):
                return Route(identifier, contact.id)
            reason = _why_not(contact)
    return NoRoute(wanted[0], reason)


def _fits(contact: ContactPoint, identifier: str, channel: MessageChannel) -> bool:
    if contact.kind not in KINDS.get(channel.capabilities.address_kind, frozenset()):
        return False
    return contact.kind is not ContactKind.ACCOUNT or contact.service == identifier


def _why_not(contact: ContactPoint) -> str:
    return {ContactState.BOUNCING: BOUNCING, ContactState.OPTED_OUT: OPTED_OUT}.get(contact.state, MALFORMED)
