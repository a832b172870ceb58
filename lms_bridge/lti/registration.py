"""Dynamic registration (https://www.imsglobal.org/spec/lti-dr/v1p0): platform and tool tell each other who they are.

An administrator of ours opens a door for one hour (:func:`invitation`); whoever comes through it with a platform's
configuration registers that platform for that administrator's organisation, once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from lms_bridge.core import links
from lms_bridge.core.errors import InputError
from lms_bridge.core.i18n import N_, gettext
from lms_bridge.lti.claims import DEEP_LINK, RESOURCE_LINK
from lms_bridge.lti.errors import PlatformSilent
from lms_bridge.lti.members_and_grades import LINE_ITEM_SCOPE, MEMBERS_SCOPE, SCORE_SCOPE
from lms_bridge.lti.platforms import Registered
from lms_bridge.lti.requests_out import IN_A_PAGE_SECONDS, ask

INVITATION = "lti-registration"
INVITATION_LIVES = timedelta(hours=1)
TOOL = "https://purl.imsglobal.org/spec/lti-tool-configuration"
PLATFORM = "https://purl.imsglobal.org/spec/lti-platform-configuration"
CLAIMS = ["iss", "sub", "name", "given_name", "family_name", "email"]


@dataclass(frozen=True)
class Invitation:
    """For which organisation, and by whom, a platform may be registered."""

    organisation_uid: str
    actor_uid: str


def invitation(organisation_uid: str, actor_uid: str) -> str:
    """The token of an address that an administrator gives to the LMS."""
    return links.sign(INVITATION, {"o": organisation_uid, "a": actor_uid})


def accepted(token: str, *, once: bool) -> Invitation:
    """What ``token`` invites to; with ``once`` it is used up in the transaction in force.

    :raises LinkRefused: forged, older than an hour, or used.
    """
    data = links.verify(INVITATION, token, max_age=INVITATION_LIVES, once=once)
    return Invitation(str(data["o"]), str(data["a"]))


def register(configuration_url: str, registration_token: str, *, base_url: str) -> Registered:
    """Read the platform's configuration, register with it, and return what both now know of each other. Nothing is
    written here; a person waits meanwhile, so the two requests are short.

    :raises InputError: the configuration is not one of a platform, or is of somebody else than its address.
    :raises PlatformSilent, PlatformRefused: the platform does not answer as it should.
    """
    _web_address(configuration_url)
    found = ask("GET", configuration_url, seconds=IN_A_PAGE_SECONDS).body
    if not isinstance(found, dict):
        raise PlatformSilent(N_("The LMS answers with something else than its configuration."))
    addresses = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "registration_endpoint")
    for name in addresses:
        if not isinstance(found.get(name), str) or len(found[name]) > 500:
            raise InputError(N_("The configuration of the LMS lacks “%(name)s”."), name=name)
        _web_address(found[name])
    if urlsplit(found["issuer"]).hostname != urlsplit(configuration_url).hostname:
        raise InputError(
            N_("The configuration is of %(issuer)s, but was fetched from elsewhere."), issuer=found["issuer"][:100]
        )
    headers = {"Authorization": f"Bearer {registration_token}"} if registration_token else {}
    answer = ask(
        "POST", found["registration_endpoint"], seconds=IN_A_PAGE_SECONDS, headers=headers,
        json=described(base_url, found),
    ).body  # fmt: skip
    if not isinstance(answer, dict) or not isinstance(answer.get("client_id"), str) or not answer["client_id"]:
        raise PlatformSilent(N_("The LMS registered us without a client ID."))
    about, tool = _part(found, PLATFORM), _part(answer, TOOL)
    deployment = tool.get("deployment_id") or answer.get("deployment_id")
    return Registered(
        name=urlsplit(found["issuer"]).netloc,
        product=str(about.get("product_family_code") or "").lower()[:60],
        issuer=found["issuer"], client_id=answer["client_id"],
        login_url=found["authorization_endpoint"], token_url=found["token_endpoint"], key_set_url=found["jwks_uri"],
        token_audience=str(found.get("authorization_server") or ""),
        deployments=(str(deployment),) if deployment else (),
    )  # fmt: skip


def described(base_url: str, platform: dict[str, Any]) -> dict[str, Any]:
    """How we present ourselves; of what a platform does not offer we ask nothing."""
    base = base_url.rstrip("/")
    launch = f"{base}/lti/launch"
    offered = platform.get("scopes_supported")
    scopes = [
        scope for scope in (MEMBERS_SCOPE, LINE_ITEM_SCOPE, SCORE_SCOPE)
        if not isinstance(offered, list) or scope in offered
    ]  # fmt: skip
    picker = {"type": DEEP_LINK, "target_link_uri": launch, "label": gettext("Online lessons")}
    return {
        "application_type": "web",
        # Moodle and the specification spell it wrong in places; both spellings are taken by those that look.
        "grant_types": ["client_credentials", "implicit"],
        "response_types": ["id_token"],
        "initiate_login_uri": f"{base}/lti/login",
        "redirect_uris": [launch],
        "client_name": "LMS Bridge",
        "jwks_uri": f"{base}/lti/jwks",
        "logo_uri": f"{base}/static/icon.svg",
        "token_endpoint_auth_method": "private_key_jwt",
        "scope": " ".join(scopes),
        TOOL: {
            "domain": urlsplit(base).netloc,
            "description": gettext("Online lessons, who attended them, and the day's plan."),
            "target_link_uri": launch,
            "custom_parameters": {},
            "claims": CLAIMS,
            "messages": [{"type": RESOURCE_LINK, "target_link_uri": launch}, picker],
        },
    }


def _part(whole: dict[str, Any], name: str) -> dict[str, Any]:
    part = whole.get(name)
    return part if isinstance(part, dict) else {}


def _web_address(address: str) -> None:
    try:
        parts = urlsplit(address)
        good = parts.scheme in ("http", "https") and parts.hostname and not parts.username and not parts.password
    except ValueError:
        good = False
    if not good:
        raise InputError(N_("“%(address)s” is no web address."), address=address[:100])
