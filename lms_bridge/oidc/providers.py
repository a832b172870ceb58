"""The identity providers of an installation, as its settings name them."""

from __future__ import annotations

from dataclasses import dataclass

from lms_bridge.core.application import current_settings
from lms_bridge.core.errors import NotFound
from lms_bridge.core.settings import IdentityProvider
from lms_bridge.lti.login import fingerprint


@dataclass(frozen=True)
class Provider:
    """One provider: under which name it stands in the settings (and in addresses), and what is said of it there."""

    identifier: str
    said: IdentityProvider

    @property
    def name(self) -> str:
        """What people call it."""
        return self.said.name or self.identifier

    @property
    def system(self) -> str:
        """The system under which its people are kept in ``external_id``: they belong to the issuer, whatever we call
        it."""
        return f"oidc:{fingerprint(self.said.issuer)}"


def providers() -> list[Provider]:
    """All of them, in the order of the settings."""
    return [Provider(identifier, said) for identifier, said in current_settings().identity_providers.items()]


def named(identifier: str) -> Provider:
    """The provider with this identifier.

    :raises NotFound: there is none.
    """
    said = current_settings().identity_providers.get(identifier)
    if said is None:
        raise NotFound()
    return Provider(identifier, said)
