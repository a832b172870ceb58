"""Signing in by an identity provider: the person whom it means, by the rules of :mod:`lms_identity`."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from lms_bridge.core import audit
from lms_bridge.core.database import db
from lms_bridge.core.i18n import N_
from lms_bridge.oidc.errors import ASK, SignInFailed
from lms_bridge.oidc.providers import Provider
from lms_bridge.oidc.signing_in import Identity
from lms_bridge.roster import lms_identity
from lms_bridge.roster.accounts import account_for
from lms_bridge.roster.models import Account, Organisation, Person


@dataclass(frozen=True)
class ProviderSource:
    """An identity provider as a source of people."""

    system: str
    name: str
    organisation_id: int
    email_counts: bool


def sign_in(provider: Provider, identity: Identity) -> tuple[Person, Account] | None:
    """The person and their account; None: nobody fits, and they are on the list of unmatched people. In a transaction
    of the caller's.

    :raises Forbidden: the provider may not speak for that person, or their account is switched off.
    :raises SignInFailed: the organisation of the settings is not there.
    """
    source = _source(provider)
    known = lms_identity.person_of(identity, source)
    if known is None:
        lms_identity.note_stranger(source, identity)
        return None
    lms_identity.remember(source, identity, known)
    audit.record(
        "sign_in", "person", known.person.uid, actor_uid=known.person.uid, by="oidc", provider=provider.identifier,
        found_by=known.by.value,
    )  # fmt: skip
    return known.person, known.account or account_for(known.person)


def _source(provider: Provider) -> ProviderSource:
    query = sa.select(Organisation.id).where(Organisation.valid_to.is_(None))
    code = provider.said.organisation
    which = Organisation.code == code if code else Organisation.parent_id.is_(None)
    organisation_id = db.session.scalar(query.where(which).order_by(Organisation.id).limit(1))
    if organisation_id is None:
        raise SignInFailed(
            "organisation", N_("%(name)s is set up for a school that is not here."), remedy=ASK, name=provider.name
        )
    return ProviderSource(provider.system, provider.name, organisation_id, provider.said.email_counts)
