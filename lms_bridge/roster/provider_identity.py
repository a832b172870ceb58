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
from lms_bridge.roster import lms_identity, strangers
from lms_bridge.roster.accounts import session_version_of
from lms_bridge.roster.models import Organisation
from lms_bridge.roster.somebody import Somebody


@dataclass(frozen=True)
class ProviderSource:
    """An identity provider as a source of people."""

    system: str
    name: str
    organisation_id: int
    email_counts: bool


def sign_in(provider: Provider, identity: Identity) -> tuple[Somebody, int] | None:
    """The person and the version of their sessions; None: nobody fits, and they are on the list of unmatched people. In
    a transaction of the caller's.

    :raises Forbidden: the provider may not speak for that person, or their account is switched off.
    :raises SignInFailed: the organisation of the settings is not there.
    """
    source = _source(provider)
    known = lms_identity.person_of(identity, source)
    if known is None:
        strangers.note_stranger(source, identity)
        return None
    lms_identity.remember(source, identity, known)
    audit.record(
        "sign_in", "person", known.person.uid, actor_uid=known.person.uid, by="oidc", provider=provider.identifier,
        found_by=known.by.value,
    )  # fmt: skip
    return known.person, session_version_of(known.person)


def organisation_of(provider: Provider) -> Organisation | None:
    """For whose people the provider speaks; None: the settings name an organisation that is not here."""
    query = sa.select(Organisation).where(Organisation.valid_to.is_(None)).order_by(Organisation.id).limit(1)
    code = provider.said.organisation
    which = Organisation.code == code if code else Organisation.parent_id.is_(None)
    if provider.organisation_id is not None:
        which = Organisation.id == provider.organisation_id
    return db.session.scalar(query.where(which))


def _source(provider: Provider) -> ProviderSource:
    organisation = organisation_of(provider)
    if organisation is None:
        raise SignInFailed(
            "organisation", N_("%(name)s is set up for a school that is not here."), remedy=ASK, name=provider.name
        )
    return ProviderSource(provider.system, provider.name, organisation.id, provider.said.email_counts)
