"""The identity providers of an installation: those of the settings, and those that administrators set up."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from lms_bridge.core.application import current_settings
from lms_bridge.core.database import db
from lms_bridge.core.errors import NotFound
from lms_bridge.core.settings import IdentityProvider
from lms_bridge.lti.login import fingerprint
from lms_bridge.oidc.models import StoredProvider


@dataclass(frozen=True)
class Provider:
    """One provider: under which name it stands in addresses, and what is said of it. ``organisation_id`` is for whose
    people it speaks, where an administrator set it up; in the settings that is the code of ``said.organisation``."""

    identifier: str
    said: IdentityProvider
    organisation_id: int | None = None

    @property
    def name(self) -> str:
        """What people call it."""
        return self.said.name or self.identifier

    @property
    def system(self) -> str:
        """The system under which its people are kept in ``external_id``: they belong to the issuer, whatever we call
        it."""
        return f"oidc:{fingerprint(self.said.issuer)}"

    @property
    def way_back(self) -> str:
        """The address to which it sends people back. From the settings, not from the request: whoever sends another
        Host must not choose where codes are sent."""
        return current_settings().base_url.rstrip("/") + f"/sign-in/with/{self.identifier}/back"


def of_settings() -> list[Provider]:
    """Those of the settings, in their order."""
    return [Provider(identifier, said) for identifier, said in current_settings().identity_providers.items()]


def of(row: StoredProvider) -> Provider:
    """One that an administrator set up."""
    return Provider(row.identifier, IdentityProvider(**row.said), row.organisation_id)


def providers() -> list[Provider]:
    """Those by which people may sign in: first those of the settings, which also win a name that is there twice."""
    found = {one.identifier: one for one in of_settings()}
    for row in db.session.scalars(sa.select(StoredProvider).filter_by(enabled=True).order_by(StoredProvider.id)):
        found.setdefault(row.identifier, of(row))
    return list(found.values())


def named(identifier: str) -> Provider:
    """The provider with this identifier, if people may sign in by it.

    :raises NotFound: there is none.
    """
    found = next((one for one in providers() if one.identifier == identifier), None)
    if found is None:
        raise NotFound()
    return found
