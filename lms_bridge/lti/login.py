"""The first step: the LMS announces that somebody comes, and we send the browser back to it to be identified
(https://www.imsglobal.org/spec/security/v1p0/, 5.1.1).

Nothing is written here. What we must recognise later stands in ``state``, signed by us: the platform, the nonce, and
the hash of a secret that only this browser holds, in a cookie or (where frames may have none) in the LMS's storage.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from lms_bridge.core import links
from lms_bridge.core.i18n import N_
from lms_bridge.core.ids import new_token
from lms_bridge.lti import known
from lms_bridge.lti.errors import AGAIN, ASK, BadLtiRequest, LtiRefused
from lms_bridge.lti.known import Known

STATE = "lti-state"
STATE_LIVES = timedelta(minutes=10)
LAUNCH_PATH = "/lti/launch"
LONGEST = 4000
SECRET = re.compile(r"[A-Za-z0-9_-]{32}")
FRAME_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,100}")


@dataclass(frozen=True)
class Login:
    """What the browser is sent on with: where to, the state, and the secret that it is to keep meanwhile.

    ``storage`` names the frame of the LMS that keeps values for tools (LTI Client Side postMessages); empty: none.
    """

    platform: Known
    url: str
    state: str
    secret: str
    storage: str


@dataclass(frozen=True)
class State:
    """What we wrote into a state: read back when the browser returns."""

    platform_id: int
    nonce: str
    browser: str
    login_hint: str
    storage: str

    def fits(self, secret: str | None) -> bool:
        """Whether the browser that shows ``secret`` is the one that began."""
        return secret is not None and hmac.compare_digest(self.browser, fingerprint(secret))


def fingerprint(text: str) -> str:
    """A short SHA-256 of ``text`` (132 bits)."""
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())[:22].decode("ascii")


def begin(sent: Mapping[str, str], *, base_url: str, secret: str | None) -> Login:
    """Answer the LMS's announcement ``sent``; ``secret`` is what this browser kept from an earlier login, if any.

    :raises BadLtiRequest, LtiRefused: a parameter is missing, the LMS is not registered, or the target is not ours.
    """
    issuer, hint = sent.get("iss", ""), sent.get("login_hint", "")
    target = sent.get("target_link_uri", "")
    for name, value in (("iss", issuer), ("login_hint", hint), ("target_link_uri", target)):
        if not value:
            raise BadLtiRequest("login_incomplete", N_("The LMS sent you here without “%(name)s”."), name=name)
    if max(len(value) for value in sent.values()) > LONGEST:
        raise BadLtiRequest("login_too_long", N_("The LMS sent more than a login has."))
    platform = platform_named(issuer, sent.get("client_id", ""))
    check_target(target, base_url)
    secret = secret if secret and SECRET.fullmatch(secret) else new_token()
    storage = sent.get("lti_storage_target", "")
    storage = storage if FRAME_NAME.fullmatch(storage) else ""
    nonce = new_token()
    state = links.sign(
        STATE,
        {"p": platform.id, "o": nonce, "b": fingerprint(secret), "h": fingerprint(hint), "s": storage},
    )
    asked = {
        "scope": "openid", "response_type": "id_token", "response_mode": "form_post", "prompt": "none",
        "client_id": platform.client_id, "redirect_uri": base_url.rstrip("/") + LAUNCH_PATH,
        "login_hint": hint, "state": state, "nonce": nonce,
    }  # fmt: skip
    if "lti_message_hint" in sent:
        asked["lti_message_hint"] = sent["lti_message_hint"]
    return Login(platform, _with_query(platform.login_url, asked), state, secret, storage)


def platform_named(issuer: str, client_id: str) -> Known:
    """The registered platform; without a client id the only one of its issuer.

    :raises LtiRefused: there is none, several, or it is switched off.
    """
    found = known.named(issuer, client_id)
    if len(found) > 1:
        raise BadLtiRequest(
            "client_ambiguous", N_("The LMS did not say with which client ID it is registered."), remedy=ASK
        )
    if not found:
        raise LtiRefused(
            "unregistered",
            N_("The LMS %(issuer)s is not registered here with client ID “%(client)s”."),
            remedy=N_("Ask the administrator to register it (System, LMS platforms)."),
            issuer=issuer[:200], client=client_id[:80],
        )  # fmt: skip
    check_enabled(found[0])
    return found[0]


def check_enabled(platform: Known) -> None:
    """Pass silently, or:

    :raises LtiRefused: the administrator switched the platform off.
    """
    if platform.disabled_at is not None:
        raise LtiRefused(
            "platform_off", N_("%(platform)s is switched off here."), platform=platform.name,
            remedy=N_("Ask the administrator to switch it on (System, LMS platforms)."),
        )  # fmt: skip


def check_target(target: str, base_url: str) -> None:
    """Pass silently, or:

    :raises LtiRefused: the LMS wants to lead people to somewhere that is not this service.
    """
    ours = urlsplit(base_url)
    try:
        wanted = urlsplit(target)
    except ValueError:  # brackets that are no IPv6 address
        wanted = urlsplit("")
    same = (wanted.scheme, wanted.netloc.lower()) == (ours.scheme, ours.netloc.lower())
    if not same or "\\" in target or not wanted.path.startswith(ours.path.rstrip("/")):
        raise LtiRefused(
            "target_elsewhere",
            N_("The activity leads to %(host)s, which is not this service."),
            remedy=N_("Ask the administrator to correct the tool's address in the LMS: %(launch)s"),
            host=wanted.netloc[:100] or "?", launch=base_url.rstrip("/") + LAUNCH_PATH,
        )  # fmt: skip


def read_state(token: str) -> State:
    """The state that came back.

    :raises LtiRefused: it is not ours, was changed, or is too old.
    """
    if not token:
        raise BadLtiRequest("state_missing", N_("The LMS sent you back without the state of your login."))
    try:
        data = links.verify(STATE, token, max_age=STATE_LIVES)
        return State(int(data["p"]), str(data["o"]), str(data["b"]), str(data["h"]), str(data["s"]))
    except (links.LinkRefused, KeyError, ValueError):
        raise LtiRefused(
            "state_bad", N_("This login was not begun here, or it took longer than ten minutes."), remedy=AGAIN
        ) from None


def _with_query(address: str, more: Mapping[str, str]) -> str:
    parts = urlsplit(address)
    query = [*parse_qsl(parts.query, keep_blank_values=True), *more.items()]
    return urlunsplit(parts._replace(query=urlencode(query)))
