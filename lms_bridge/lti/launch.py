"""The second step: the LMS says who comes, in a signed token. Every check of a launch, in order.

https://www.imsglobal.org/spec/security/v1p0/ 5.1.3 and https://www.imsglobal.org/spec/lti/v1p3/ 5.3; what library there
is leaves out audience, issuer and replay, so the checks stand here, and the library's own of the messages come last.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import jwt
from jwt.utils import base64url_decode

from lms_bridge.core import links
from lms_bridge.core.clock import now
from lms_bridge.core.i18n import N_
from lms_bridge.lti import claims as reading
from lms_bridge.lti import key_sets, known, library
from lms_bridge.lti.claims import CLAIM, Launch
from lms_bridge.lti.errors import AGAIN, ASK, BadLtiRequest, LtiRefused
from lms_bridge.lti.known import Known
from lms_bridge.lti.login import STATE_LIVES, State, check_enabled, check_target, fingerprint

ALGORITHM = "RS256"
LEEWAY = timedelta(seconds=60)
"""How far the clock of the LMS may be wrong."""
LONGEST_LIFE = timedelta(hours=1)
LONGEST_TOKEN = 64 * 1024
USED = "lti"


class UnknownDeployment(LtiRefused):
    """A genuine launch of a deployment that nobody allowed yet."""

    def __init__(self, platform: Known, deployment_id: str) -> None:
        super().__init__(
            "deployment",
            N_("The deployment “%(deployment)s” of %(platform)s is not allowed here."),
            remedy=N_("Ask the administrator to allow it (System, LMS platforms); it is in the list there now."),
            deployment=deployment_id[:80], platform=platform.name,
        )  # fmt: skip
        self.platform = platform
        self.deployment_id = deployment_id


@dataclass(frozen=True)
class Checked:
    """A launch whose token is genuine, for us, in time, and answers a login that this browser began. It counts once
    :func:`consume` has been called."""

    launch: Launch
    platform: Known
    nonce: str


def check(sent: Mapping[str, str], state: State, platform: Known | None, *, base_url: str) -> Checked:
    """Every check of the token in ``sent`` that needs no writing; ``platform`` is where the login of ``state`` was
    begun. Call it outside of a transaction: the platform's keys may have to be fetched.

    :raises BadLtiRequest, LtiRefused: with the failed check in words.
    """
    if platform is None:
        raise LtiRefused("unregistered", N_("The LMS is not registered here any more."), remedy=ASK)
    check_enabled(platform)
    if sent.get("error"):
        raise LtiRefused(
            "platform_error",
            N_("%(platform)s did not say who you are (%(error)s)."),
            remedy=N_("Sign in to the LMS, then open the activity from the course page again."),
            platform=platform.name, error=sent["error"][:60],
        )  # fmt: skip
    token = sent.get("id_token", "")
    found = _verified(token, platform)
    _check_parties(found, platform)
    _check_times(found, now())
    if found.get("nonce") != state.nonce:
        raise LtiRefused("nonce", N_("This sign-in belongs to another login."), remedy=AGAIN)
    _check_deployment(found, platform)
    library.check_message(found)
    launch = reading.read(found, platform.id)
    if not launch.subject or len(launch.subject) > 255:
        raise LtiRefused("anonymous", N_("%(platform)s does not say who you are."), remedy=ASK, platform=platform.name)
    if platform.product == "moodle" and fingerprint(launch.subject) != state.login_hint:
        raise LtiRefused("login_hint", N_("The LMS began this login for somebody else."), remedy=AGAIN)
    check_target(launch.target, base_url)
    return Checked(launch, platform, state.nonce)


def consume(checked: Checked) -> None:
    """Use the launch up, in the transaction in force: nonce and state are one, and count once for all processes.

    :raises LtiRefused: it was used before.
    """
    try:
        links.consume(USED, checked.nonce, STATE_LIVES + LONGEST_LIFE)
    except links.LinkRefused:
        raise LtiRefused("replayed", N_("This sign-in was used before."), remedy=AGAIN) from None


def _verified(token: str, platform: Known) -> dict[str, Any]:
    """The claims of ``token``, signed by the platform with RS256 and nothing else."""
    if not token:
        raise BadLtiRequest("token_missing", N_("The LMS sent you here without saying who you are."))
    header = _header(token)
    if header.get("alg") != ALGORITHM:
        # Decided before any key is looked up: "none", or our own knowledge of the public key as a shared secret.
        raise LtiRefused("algorithm", N_("The LMS signs in a way that is not accepted (only RS256 is)."), remedy=ASK)
    kid = header.get("kid")
    if not isinstance(kid, str) or not kid:
        raise LtiRefused("kid_missing", N_("The LMS does not say with which key it signed."), remedy=ASK)
    key = key_sets.key_for(platform, kid[:200])
    try:
        claims: dict[str, Any] = jwt.decode(
            token, key, algorithms=[ALGORITHM],
            options={  # times and parties are checked below, by our own clock and in our own words
                "verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_aud": False, "verify_iss": False,
                "verify_sub": False, "verify_jti": False,
            },
        )  # fmt: skip
    except jwt.InvalidTokenError:
        raise LtiRefused("signature", N_("The signature of the LMS is not genuine."), remedy=ASK) from None
    return claims


def _header(token: str) -> dict[str, Any]:
    """What the token says of its signature.

    :raises BadLtiRequest: it has not the form of a signed token; which part of it, is said.
    """
    if len(token) > LONGEST_TOKEN:
        text = N_("What the LMS sent cannot be read: it is longer than %(count)s characters.")
        raise BadLtiRequest("token_too_long", text, remedy=ASK, count=LONGEST_TOKEN)
    parts = token.split(".")
    if len(parts) != 3:
        text = N_("What the LMS sent cannot be read: a signed token has 3 parts, this has %(count)s.")
        raise BadLtiRequest("token_parts", text, remedy=ASK, count=len(parts))
    try:
        header = json.loads(base64url_decode(parts[0]))
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        text = N_("What the LMS sent cannot be read: the first part of the token is no JSON object.")
        raise BadLtiRequest("token_header", text, remedy=ASK)
    return header


def _check_parties(claims: Mapping[str, Any], platform: Known) -> None:
    """Issuer, audience, authorised party."""
    if claims.get("iss") != platform.issuer:
        raise LtiRefused(
            "issuer", N_("Another LMS signed this than the one that you came from (%(issuer)s)."), remedy=ASK,
            issuer=str(claims.get("iss"))[:100],
        )  # fmt: skip
    audience = claims.get("aud")
    all_of_them = audience if isinstance(audience, list) else [audience]
    if platform.client_id not in all_of_them:
        raise LtiRefused("audience", N_("This sign-in is meant for another service."), remedy=ASK)
    party = claims.get("azp")
    if (party is not None or len(all_of_them) > 1) and party != platform.client_id:
        raise LtiRefused("authorised_party", N_("This sign-in is meant for another service."), remedy=ASK)


def _check_times(claims: Mapping[str, Any], moment: datetime) -> None:
    """Not over, not of the future, not living longer than any launch needs; clocks may differ by :data:`LEEWAY`."""
    times = {name: claims.get(name) for name in ("exp", "iat", "nbf")}
    for name, value in times.items():
        if (name != "nbf" or value is not None) and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise LtiRefused("times_missing", N_("The LMS does not say how long this sign-in holds."), remedy=ASK)
    seconds, leeway = moment.timestamp(), LEEWAY.total_seconds()
    clocks = N_("If it stays, the clock of the LMS or of this server is wrong.")
    if times["exp"] <= seconds - leeway:  # type: ignore[operator]
        raise LtiRefused("expired", N_("This sign-in is too old. Open the activity again."), remedy=clocks)
    if max(times["iat"], times["nbf"] or 0) > seconds + leeway:  # type: ignore[type-var,operator]
        raise LtiRefused("future", N_("This sign-in is of the future."), remedy=clocks)
    if times["iat"] < seconds - LONGEST_LIFE.total_seconds():  # type: ignore[operator]
        raise LtiRefused("expired", N_("This sign-in is too old. Open the activity again."), remedy=clocks)


def _check_deployment(claims: Mapping[str, Any], platform: Known) -> None:
    named = claims.get(f"{CLAIM}deployment_id")
    if not isinstance(named, str) or not 0 < len(named) <= 255 or not named.isprintable():
        raise LtiRefused("deployment_missing", N_("The LMS does not say which deployment this is."), remedy=ASK)
    if named not in platform.deployments:
        latest = known.fresh(platform.id)  # an administrator may have allowed it a second ago
        if latest is None or named not in latest.deployments:
            raise UnknownDeployment(platform, named)
