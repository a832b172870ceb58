"""The way to a provider and back: authorization code with PKCE, state and nonce
(https://openid.net/specs/openid-connect-core-1_0.html, 3.1; https://www.rfc-editor.org/rfc/rfc9700).

What must be recognised later is kept in the session of the browser that began: another browser has none of it.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from lms_bridge.core.clock import now
from lms_bridge.core.errors import BridgeError
from lms_bridge.core.i18n import N_
from lms_bridge.core.ids import new_token
from lms_bridge.lti.requests_out import AGENT, IN_A_PAGE_SECONDS, BoundedSession
from lms_bridge.oidc.discovery import Configuration, configuration, key_set
from lms_bridge.oidc.errors import AGAIN, ASK, ProviderSilent, SignInFailed
from lms_bridge.oidc.providers import Provider

LIVES = timedelta(minutes=10)
LEEWAY_SECONDS = 60
ALGORITHMS = ["RS256", "PS256", "ES256"]
"""Signatures by keys that only the provider holds; "none" and shared secrets are never tried (RFC 8725, 3.1)."""

LONGEST_TOKEN = 64 * 1024
LONGEST_SUBJECT = 255


@dataclass(frozen=True)
class Begun:
    """Where the browser is sent, and what its session keeps meanwhile (plain JSON)."""

    url: str
    kept: dict[str, Any]


@dataclass(frozen=True)
class Identity:
    """Whom the provider means; texts are empty where it says nothing. The e-mail address only if the provider has
    verified it. What it says of roles is not even read."""

    subject: str
    number: str
    email: str
    name: str
    person_sourcedid: str = ""
    context_title: str = ""
    says_teacher: bool = False


class ProviderSession(BoundedSession, OAuth2Session):  # type: ignore[misc]
    """Authlib's session, with our bounds on every request."""

    def __init__(self, provider: Provider, how: Configuration, redirect_uri: str) -> None:
        OAuth2Session.__init__(
            self, client_id=provider.said.client_id, client_secret=provider.said.client_secret.get_secret_value(),
            token_endpoint_auth_method=how.token_auth, scope=provider.said.scopes, redirect_uri=redirect_uri,
            code_challenge_method="S256",
        )  # fmt: skip
        self.headers["User-Agent"] = AGENT
        self.trust_env = False
        self._seconds = IN_A_PAGE_SECONDS


def begin(provider: Provider, *, redirect_uri: str, target: str) -> Begun:
    """Send the browser to the provider; afterwards it is to go on to ``target``.

    :raises ProviderSilent: the provider cannot be asked where that is.
    """
    how = configuration(provider)
    kept = {
        "provider": provider.identifier, "state": new_token(), "nonce": new_token(), "verifier": new_token() * 2,
        "at": int(now().timestamp()), "next": target,
    }  # fmt: skip
    with ProviderSession(provider, how, redirect_uri) as session:
        url, _ = session.create_authorization_url(
            how.authorization, state=kept["state"], code_verifier=kept["verifier"], nonce=kept["nonce"]
        )
    return Begun(url, kept)


def finish(
    provider: Provider, kept: Mapping[str, Any] | None, said: Mapping[str, str], *, redirect_uri: str
) -> Identity:
    """Who came back: ``said`` is what the provider gave the browser along, ``kept`` what the session held.

    :raises SignInFailed: something is not as it must be.
    :raises ProviderSilent: the provider does not answer.
    """
    _check_state(provider, kept, said)
    assert kept is not None
    how = configuration(provider)
    if said.get("iss", how.issuer) != how.issuer:  # RFC 9207: another provider's answer was mixed in
        raise SignInFailed("mixed_up", N_("The answer came from another provider than the one that was asked."))
    if "error" in said:
        cancelled = said["error"] in ("access_denied", "login_required", "interaction_required", "consent_required")
        raise SignInFailed(
            f"provider: {said['error'][:40]!r}",
            N_("The sign-in at %(name)s was cancelled.") if cancelled else N_("%(name)s did not sign you in."),
            remedy=AGAIN if cancelled else ASK, name=provider.name,
        )  # fmt: skip
    if not said.get("code"):
        raise SignInFailed("no_code", N_("%(name)s sent you back without an answer."), name=provider.name)
    tokens = _tokens(provider, how, said["code"], str(kept["verifier"]), redirect_uri)
    claims = _checked(provider, how, tokens, str(kept["nonce"]))
    return _identity(provider, claims)


def _check_state(provider: Provider, kept: Mapping[str, Any] | None, said: Mapping[str, str]) -> None:
    state = said.get("state", "")
    if kept is None or kept.get("provider") != provider.identifier or not hmac.compare_digest(
        str(kept.get("state", "")).encode(), state.encode()
    ):  # fmt: skip
        raise SignInFailed("state", N_("This sign-in was not begun in this browser, or was finished already."))
    if now().timestamp() - float(kept.get("at", 0)) > LIVES.total_seconds():
        raise SignInFailed("too_late", N_("This sign-in took longer than ten minutes."))


def _tokens(
    provider: Provider, how: Configuration, code: str, verifier: str, redirect_uri: str
) -> Mapping[str, Any]:  # fmt: skip
    try:
        with ProviderSession(provider, how, redirect_uri) as session:
            tokens = session.fetch_token(
                how.token, grant_type="authorization_code", code=code, code_verifier=verifier,
                redirect_uri=redirect_uri,
            )  # fmt: skip
    except AuthlibBaseError as refusal:
        reason = f"token: {str(refusal.error)[:40]!r}"
        raise SignInFailed(reason, N_("%(name)s did not sign you in."), remedy=ASK, name=provider.name) from None
    except (BridgeError, requests.RequestException, ValueError):
        raise ProviderSilent(
            "token", N_("%(name)s does not answer now."), name=provider.name,
            remedy=N_("Try again in some minutes, or sign in with your password."),
        ) from None  # fmt: skip
    if not isinstance(tokens, Mapping) or not isinstance(tokens.get("id_token"), str):
        raise _not_genuine(provider, "no_id_token")
    return tokens


def _checked(provider: Provider, how: Configuration, tokens: Mapping[str, Any], nonce: str) -> Mapping[str, Any]:
    """The claims of the ID token, once signature, issuer, audience, time and nonce are right."""
    token, client = tokens["id_token"], provider.said.client_id
    if len(token) > LONGEST_TOKEN:
        raise _not_genuine(provider, "too_long")
    try:
        header = jws.extract_compact(token.encode()).headers()
        if header.get("alg") not in ALGORITHMS:
            raise _not_genuine(provider, "algorithm")
        keys = KeySet.import_key_set({"keys": _keys(provider, header.get("kid"))})
        decoded = jwt.decode(token, keys, algorithms=ALGORITHMS)
        claims = CodeIDToken(
            decoded.claims, decoded.header,
            {"iss": {"essential": True, "value": how.issuer}, "aud": {"essential": True, "value": client}},
            {"nonce": nonce, "client_id": client, "access_token": tokens.get("access_token")},
        )  # fmt: skip
        claims.validate(now=int(now().timestamp()), leeway=LEEWAY_SECONDS)
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise _not_genuine(provider, f"{type(error).__name__} {getattr(error, 'claim', '') or ''}".strip()) from None
    return dict(claims)


def _keys(provider: Provider, kid: Any) -> list[dict[str, Any]]:
    """The key that a token names; the only one if it names none. Keys of kinds that we do not know are passed over."""
    keys = key_set(provider, str(kid or ""))["keys"]
    usable = [key for key in keys if key.get("kty") in ("RSA", "EC") and key.get("use", "sig") == "sig"]
    named = [key for key in usable if key.get("kid") == kid] if kid else usable
    if len(named) != 1:
        raise _not_genuine(provider, "unknown_key")
    return named


def _not_genuine(provider: Provider, reason: str) -> SignInFailed:
    return SignInFailed(
        f"id_token: {reason}", N_("What %(name)s says of you is not genuine, or not meant for this service."),
        remedy=ASK, name=provider.name,
    )  # fmt: skip


def _identity(provider: Provider, claims: Mapping[str, Any]) -> Identity:
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT:
        raise _not_genuine(provider, "sub")
    number = claims.get(provider.said.number_claim) if provider.said.number_claim else None
    return Identity(
        subject=subject,
        number=str(number).strip()[:60] if isinstance(number, str | int) and not isinstance(number, bool) else "",
        email=_text(claims, "email") if claims.get("email_verified") is True else "",
        name=_text(claims, "name") or _text(claims, "preferred_username"),
    )


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    return value.strip()[:255] if isinstance(value, str) else ""
