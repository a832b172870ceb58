"""Asks an identity provider now whether signing in by it can work, point by point. Nobody is signed in for that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import requests
from authlib.common.errors import AuthlibBaseError

from lms_bridge.core.errors import BridgeError
from lms_bridge.core.i18n import gettext
from lms_bridge.core.ids import new_token
from lms_bridge.core.plugins import Check, CheckState
from lms_bridge.lti import requests_out
from lms_bridge.lti.requests_out import IN_A_PAGE_SECONDS
from lms_bridge.oidc import discovery
from lms_bridge.oidc.discovery import WELL_KNOWN, Configuration
from lms_bridge.oidc.errors import SignInFailed
from lms_bridge.oidc.providers import Provider
from lms_bridge.oidc.signing_in import ALGORITHMS, ProviderSession

KEY_TYPES = ("RSA", "EC")
WRONG_CLIENT = ("invalid_client", "unauthorized_client")


def check(provider: Provider) -> Iterator[Check]:
    """What is right and what is not, with what to do; after the first point that fails, what builds on it is left
    out. What the web server kept of the provider is forgotten, so that what is right now counts."""
    discovery.forget(provider)
    address = provider.said.issuer.rstrip("/") + WELL_KNOWN
    title = gettext("Its description")
    try:
        said = requests_out.ask("GET", address, seconds=IN_A_PAGE_SECONDS).body
    except BridgeError as error:
        yield Check(title, CheckState.FAILED, f"{address}: {error.text()}", _look_at_issuer())
        return
    if not isinstance(said, Mapping):
        yield Check(title, CheckState.FAILED, gettext("%(url)s is no description.", url=address), _look_at_issuer())
        return
    yield Check(title, CheckState.OK, address)
    issuer, how = _issuer(provider, said)
    yield issuer
    if how is not None:
        yield _keys(how)
        yield _pkce(said)
        yield _claim(provider, said)
        yield _client(provider, how)


def _look_at_issuer() -> str:
    return gettext("See whether the issuer is right, and whether this server reaches that address.")


def _issuer(provider: Provider, said: Mapping[str, Any]) -> tuple[Check, Configuration | None]:
    title, issuer = gettext("Issuer"), str(said.get("issuer", ""))
    if issuer != provider.said.issuer:
        detail = gettext("It calls itself %(issuer)s.", issuer=issuer[:200] or "–")
        return Check(title, CheckState.FAILED, detail, gettext("Enter the issuer letter by letter like that.")), None
    try:
        how = discovery.described(provider, said)
    except SignInFailed as error:
        remedy = gettext("Each address that it names must begin as the issuer does, with https.")
        return Check(title, CheckState.FAILED, error.text(), remedy), None
    return Check(title, CheckState.OK, issuer), how


def _keys(how: Configuration) -> Check:
    title = gettext("Its keys")
    try:
        said = requests_out.ask("GET", how.keys, seconds=IN_A_PAGE_SECONDS).body
    except BridgeError as error:
        remedy = gettext("Without them no sign-in can be proved: look what is wrong at that address.")
        return Check(title, CheckState.FAILED, f"{how.keys}: {error.text()}", remedy)
    keys = said.get("keys") if isinstance(said, Mapping) else None
    usable = [
        key
        for key in (keys if isinstance(keys, list) else [])
        if isinstance(key, Mapping) and key.get("kty") in KEY_TYPES and key.get("use", "sig") == "sig"
    ]
    if not usable:
        remedy = gettext("Let it sign with one of %(list)s.", list=", ".join(ALGORITHMS))
        return Check(title, CheckState.FAILED, gettext("none that we can use"), remedy)
    return Check(title, CheckState.OK, gettext("%(count)s that can be used", count=len(usable)))


def _pkce(said: Mapping[str, Any]) -> Check:
    title, ways = gettext("Protection of the way back (PKCE)"), said.get("code_challenge_methods_supported")
    if isinstance(ways, list) and "S256" in ways:
        return Check(title, CheckState.OK, "S256")
    remedy = gettext("Signing in works where it takes no notice; switch S256 on there if it can.")
    return Check(title, CheckState.WARNING, gettext("it does not say that it knows S256"), remedy)


def _claim(provider: Provider, said: Mapping[str, Any]) -> Check:
    claim, known = provider.said.number_claim, said.get("claims_supported")
    title = gettext("How people are found")
    if not claim:
        if provider.said.email_counts:
            return Check(title, CheckState.OK, gettext("by the e-mail address that it has verified"))
        remedy = gettext("Name the claim with the school's number, or bind everybody by hand under Unmatched people.")
        return Check(title, CheckState.WARNING, gettext("nobody is found by themselves"), remedy)
    if isinstance(known, list) and claim not in known:
        remedy = gettext("It may come all the same: sign in once and look.")
        return Check(title, CheckState.UNTRIED, gettext("it does not name the claim %(claim)s", claim=claim), remedy)
    return Check(title, CheckState.OK, gettext("by the claim %(claim)s", claim=claim))


def _client(provider: Provider, how: Configuration) -> Check:
    """A code that is none is refused in one way where we are known, and in another where we are not."""
    title = gettext("Client ID and secret")
    refused = ""
    try:
        with ProviderSession(provider, how, provider.way_back) as session:
            session.fetch_token(
                how.token, grant_type="authorization_code", code=new_token(), code_verifier=new_token() * 2,
                redirect_uri=provider.way_back,
            )  # fmt: skip
    except AuthlibBaseError as error:
        refused = str(error.error or "")
    except (BridgeError, requests.RequestException, ValueError) as error:
        refused = getattr(error, "code", type(error).__name__)
    if refused == "invalid_grant":
        return Check(title, CheckState.OK, gettext("it knows us"))
    if refused in WRONG_CLIENT:
        remedy = gettext("Enter the client ID and the secret that it shows for this client.")
        return Check(title, CheckState.FAILED, gettext("it does not know us (%(why)s)", why=refused), remedy)
    remedy = gettext("It does not say: sign in once, and look.")
    return Check(title, CheckState.UNTRIED, refused[:80], remedy)
