"""What a provider says of itself (https://openid.net/specs/openid-connect-discovery-1_0.html) and its keys.

Both are kept in the process for :data:`FRESH`; where the provider cannot be asked, an older copy serves for
:data:`STALE`. Keys are fetched anew for a key id that is not known, at most once in :data:`PAUSE`, so that invented
key ids cannot make us knock at it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from lms_bridge.core.clock import now
from lms_bridge.core.errors import BridgeError
from lms_bridge.core.i18n import N_
from lms_bridge.lti import requests_out
from lms_bridge.lti.requests_out import IN_A_PAGE_SECONDS
from lms_bridge.oidc.errors import ASK, ProviderSilent
from lms_bridge.oidc.providers import Provider

FRESH = timedelta(hours=1)
STALE = timedelta(days=1)
PAUSE = timedelta(minutes=1)
WELL_KNOWN = "/.well-known/openid-configuration"


@dataclass(frozen=True)
class Configuration:
    """The addresses of a provider; ``end_session`` is empty where it has no way to sign out."""

    issuer: str
    authorization: str
    token: str
    keys: str
    end_session: str
    token_auth: str
    """How we prove who we are at ``token``: ``client_secret_basic``, ``client_secret_post``, or ``none``."""


@dataclass
class _Kept:
    value: Any
    at: datetime


_kept: dict[tuple[str, str], _Kept] = {}
_lock = threading.Lock()


def forget() -> None:
    """Ask every provider anew."""
    with _lock:
        _kept.clear()


def configuration(provider: Provider) -> Configuration:
    """What the provider says of itself.

    :raises ProviderSilent: it cannot be asked, and no copy of the last day is there; or it says what cannot be right.
    """
    address = provider.said.issuer.rstrip("/") + WELL_KNOWN
    return _configuration(provider, _fetched(provider, "configuration", address, FRESH))


def known_configuration(provider: Provider) -> Configuration | None:
    """What is known of the provider without asking it."""
    kept = _kept.get((provider.said.issuer, "configuration"))
    return _configuration(provider, kept.value) if kept is not None else None


def key_set(provider: Provider, kid: str) -> dict[str, Any]:
    """The provider's public keys, with the one called ``kid`` if it has it.

    :raises ProviderSilent: they cannot be had.
    """
    address = configuration(provider).keys
    found = _fetched(provider, "keys", address, FRESH)
    if kid not in _kids(found):
        found = _fetched(provider, "keys", address, PAUSE)
    if not isinstance(found, dict) or not isinstance(found.get("keys"), list):
        raise ProviderSilent("keys", N_("%(name)s gives no keys."), remedy=ASK, name=provider.name)
    return found


def _kids(found: Any) -> set[Any]:
    keys = found.get("keys") if isinstance(found, dict) else None
    return {key.get("kid") for key in keys if isinstance(key, dict)} if isinstance(keys, list) else set()


def _fetched(provider: Provider, what: str, address: str, good_for: timedelta) -> Any:
    key, moment = (provider.said.issuer, what), now()
    with _lock:  # one asks, the others wait for its answer
        kept = _kept.get(key)
        if kept is not None and moment - kept.at < good_for:
            return kept.value
        try:
            value = requests_out.ask("GET", address, seconds=IN_A_PAGE_SECONDS).body
        except BridgeError as error:
            if kept is not None and moment - kept.at < STALE:
                return kept.value
            raise ProviderSilent(
                f"{what}: {error.code}", N_("%(name)s does not answer now."), name=provider.name,
                remedy=N_("Try again in some minutes, or sign in with your password."),
            ) from None  # fmt: skip
        _kept[key] = _Kept(value, moment)
        return value


def _configuration(provider: Provider, said: Any) -> Configuration:
    said = said if isinstance(said, Mapping) else {}
    issuer = str(said.get("issuer", ""))
    addresses = [str(said.get(name, "")) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")]
    end = str(said.get("end_session_endpoint") or "")
    # Exactly the issuer that the settings name (Discovery, 4.3): another one could speak for people of this one.
    if issuer != provider.said.issuer or not all(_sound(address, issuer) for address in addresses):
        raise ProviderSilent(
            "configuration", N_("%(name)s describes itself in a way that cannot be right."), name=provider.name,
            remedy=ASK,
        )  # fmt: skip
    ways = said.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    chosen = "client_secret_basic" if "client_secret_basic" in ways else "client_secret_post"
    return Configuration(
        issuer, addresses[0], addresses[1], addresses[2], end if _sound(end, issuer) else "",
        chosen if provider.said.client_secret.get_secret_value() else "none",
    )  # fmt: skip


def _sound(address: str, issuer: str) -> bool:
    """A web address that is protected as the issuer's is, and carries no name and password."""
    parts = urlsplit(address)
    return bool(parts.hostname) and parts.scheme == urlsplit(issuer).scheme and "@" not in parts.netloc
