"""What a provider says of itself (https://openid.net/specs/openid-connect-discovery-1_0.html) and its keys.

Both are kept in the process for :data:`FRESH`; where the provider cannot be asked, an older copy serves for
:data:`STALE`. Keys are fetched anew for a key id that is not known, at most once in :data:`PAUSE`, so that invented
key ids cannot make us knock at it. One that did not answer is left alone for :data:`REST`: a class that presses the
button must not hold every thread of the web server.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
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
REST = timedelta(seconds=15)
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
_silent: dict[str, datetime] = {}
"""When an issuer last did not answer."""
_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


def forget(provider: Provider | None = None) -> None:
    """Ask the provider anew, or every one."""
    if provider is None:
        _kept.clear()
        _silent.clear()
        return
    for what in ("configuration", "keys"):
        _kept.pop((provider.said.issuer, what), None)
    _silent.pop(provider.said.issuer, None)


def configuration(provider: Provider) -> Configuration:
    """What the provider says of itself.

    :raises ProviderSilent: it cannot be asked, and no copy of the last day is there; or it says what cannot be right.
    """
    address = provider.said.issuer.rstrip("/") + WELL_KNOWN
    found: Configuration = _fetched(provider, "configuration", address, FRESH, described)
    return found


def known_configuration(provider: Provider) -> Configuration | None:
    """What is known of the provider without asking it."""
    kept = _kept.get((provider.said.issuer, "configuration"))
    return kept.value if kept is not None else None


def key_set(provider: Provider, kid: str) -> dict[str, Any]:
    """The provider's public keys, with the one called ``kid`` if it has it.

    :raises ProviderSilent: they cannot be had.
    """
    address = configuration(provider).keys
    found: dict[str, Any] = _fetched(provider, "keys", address, FRESH, _keys)
    if kid not in {key.get("kid") for key in found["keys"]}:
        found = _fetched(provider, "keys", address, PAUSE, _keys)
    return found


def _fetched(
    provider: Provider, what: str, address: str, good_for: timedelta, read: Callable[[Provider, Any], Any]
) -> Any:
    """What ``read`` makes of the answer: kept only once it is understood, so that nonsense drives out nothing good."""
    issuer, moment = provider.said.issuer, now()
    with _locks[issuer]:  # one asks, the others wait for its answer
        kept = _kept.get((issuer, what))
        if kept is not None and moment - kept.at < good_for:
            return kept.value
        try:
            value = read(provider, _asked(provider, what, address, moment))
        except ProviderSilent:
            if kept is not None and moment - kept.at < STALE:
                return kept.value
            raise
        _kept[issuer, what] = _Kept(value, moment)
        return value


def _asked(provider: Provider, what: str, address: str, moment: datetime) -> Any:
    issuer, reason = provider.said.issuer, "resting"
    if not (issuer in _silent and timedelta(0) <= moment - _silent[issuer] < REST):
        try:
            answer = requests_out.ask("GET", address, seconds=IN_A_PAGE_SECONDS).body
        except BridgeError as error:
            _silent[issuer], reason = moment, error.code
        else:
            _silent.pop(issuer, None)
            return answer
    raise ProviderSilent(
        f"{what}: {reason}", N_("%(name)s does not answer now."), name=provider.name,
        remedy=N_("Try again in some minutes, or sign in with your password."),
    )  # fmt: skip


def _keys(provider: Provider, said: Any) -> dict[str, Any]:
    keys = said.get("keys") if isinstance(said, dict) else None
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise ProviderSilent("keys", N_("%(name)s gives no keys."), remedy=ASK, name=provider.name)
    return {"keys": keys}


def described(provider: Provider, said: Any) -> Configuration:
    """What the provider's description says, once it is sound.

    :raises ProviderSilent: it is not: another issuer, or addresses that are no safe web addresses.
    """
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
