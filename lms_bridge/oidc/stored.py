"""Setting up identity providers: added, changed, switched off and on, removed; each with an audit entry."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from lms_bridge.core import audit
from lms_bridge.core.database import db
from lms_bridge.core.errors import Conflict, NotFound, Place
from lms_bridge.core.i18n import N_
from lms_bridge.core.settings import IdentityProvider
from lms_bridge.oidc import providers
from lms_bridge.oidc.models import StoredProvider


def of_organisations(organisation_ids: Collection[int]) -> list[StoredProvider]:
    """Those that speak for people of these organisations."""
    query = sa.select(StoredProvider).where(StoredProvider.organisation_id.in_(organisation_ids))
    return list(db.session.scalars(query.order_by(StoredProvider.id)))


def named(identifier: str) -> StoredProvider:
    """The one with this identifier.

    :raises NotFound: there is none.
    """
    row = db.session.scalar(sa.select(StoredProvider).filter_by(identifier=identifier))
    if row is None:
        raise NotFound()
    return row


def add(identifier: str, said: IdentityProvider, organisation_id: int, *, actor_uid: str) -> StoredProvider:
    """A new one, not on the sign-in page yet. Flushes.

    :raises Conflict: the name in addresses, or the name that people read, is taken.
    """
    _check_free(said, None)
    taken = sa.select(StoredProvider.id).filter_by(identifier=identifier)
    if db.session.scalar(taken) or any(one.identifier == identifier for one in providers.of_settings()):
        raise Conflict(
            N_("Another identity provider has this name in its addresses."), place=Place(column="identifier")
        )
    row = StoredProvider(identifier=identifier, organisation_id=organisation_id, said=_plain(said))
    db.session.add(row)
    db.session.flush()
    _record("added", row, actor_uid)
    return row


def change(row: StoredProvider, said: IdentityProvider, *, actor_uid: str) -> None:
    """Say something else of it. Flushes.

    :raises Conflict: the name that people read is taken.
    """
    _check_free(said, row)
    row.said = _plain(said)
    _record("changed", row, actor_uid)


def switch(row: StoredProvider, *, on: bool, actor_uid: str) -> None:
    """Offer it on the sign-in page, or no longer: then nobody comes in by it, and whoever is in stays."""
    row.enabled = on
    _record("on" if on else "off", row, actor_uid)


def remove(row: StoredProvider, *, actor_uid: str) -> None:
    """Forget it and its secret. Who its people are stays known, in case it comes back."""
    _record("removed", row, actor_uid)
    db.session.delete(row)


def _check_free(said: IdentityProvider, row: StoredProvider | None) -> None:
    """Two buttons with one name could not be told apart."""
    others = [(one.id, providers.of(one)) for one in db.session.scalars(sa.select(StoredProvider))]
    names = {one.name for number, one in others if row is None or number != row.id}
    if said.name in names | {one.name for one in providers.of_settings()}:
        raise Conflict(
            N_("Another identity provider has this name."), place=Place(column="name"),
            remedy=N_("People tell them apart by it on the sign-in page: choose another one."),
        )  # fmt: skip


def _plain(said: IdentityProvider) -> dict[str, Any]:
    return said.model_dump(exclude={"client_secret", "organisation"}) | {
        "client_secret": said.client_secret.get_secret_value()
    }


def _record(what: str, row: StoredProvider, actor_uid: str) -> None:
    audit.record(
        f"identity_provider.{what}", "identity_provider", row.identifier, actor_uid=actor_uid,
        organisation_id=row.organisation_id,
    )  # fmt: skip
