"""Signing in by an identity provider: to it, and back. What is checked stands in :mod:`lms_bridge.oidc`."""

from __future__ import annotations

import logging

from apiflask import APIBlueprint
from flask import redirect, render_template, request, url_for
from flask import session as cookie
from werkzeug.wrappers import Response

from lms_bridge.core.database import transaction
from lms_bridge.core.errors import BridgeError
from lms_bridge.oidc import providers, signing_in
from lms_bridge.oidc.errors import SignInFailed
from lms_bridge.oidc.providers import Provider
from lms_bridge.roster import provider_identity
from lms_bridge.web import session
from lms_bridge.web.auth import sign_in_form
from lms_bridge.web.security import limiter, safe_next

log = logging.getLogger(__name__)

blueprint = APIBlueprint("oidc", __name__, url_prefix="/sign-in/with", enable_openapi=False)

BEGUN = "oidc"
MOST_BEGUN = 3
"""So many sign-ins of one browser may be under way, each in a tab of its own."""


@blueprint.get("/<name>")
@limiter.limit("30 per minute")
def begin(name: str) -> Response | tuple[str, int]:
    """To the provider."""
    provider = providers.named(name)
    target = safe_next(request.args.get("next"))
    try:
        begun = signing_in.begin(provider, redirect_uri=provider.way_back, target=target)
    except SignInFailed as error:
        return _refused(provider, error, target)
    cookie[BEGUN] = [*cookie.get(BEGUN, []), begun.kept][-MOST_BEGUN:]
    return redirect(begun.url)


@blueprint.get("/<name>/back")
@limiter.limit("60 per minute")
def back(name: str) -> Response | tuple[str, int]:
    """From the provider. Whatever comes, what was kept of this sign-in serves once."""
    provider = providers.named(name)
    kept = _take(request.args.get("state", ""))
    target = safe_next(str(kept.get("next", ""))) if kept is not None else ""
    try:
        identity = signing_in.finish(
            provider, kept, request.args.to_dict(), redirect_uri=provider.way_back
        )  # fmt: skip
        with transaction():
            known = provider_identity.sign_in(provider, identity)
    except BridgeError as error:
        return _refused(provider, error, target)
    if known is None:
        log.warning("oidc: %s sent somebody whom the roster does not know", provider.identifier)
        return render_template("sign_in_stranger.html", provider=provider, name=identity.name), 403
    session.sign_in(*known, provider=provider.identifier)
    return redirect(target or url_for("home.home"))


def _take(state: str) -> dict[str, object] | None:
    begun = [one for one in cookie.get(BEGUN, []) if isinstance(one, dict)]
    found = next((one for one in begun if one.get("state") == state), None)
    if found is not None:
        cookie[BEGUN] = [one for one in begun if one is not found]
    return found


def _refused(provider: Provider, error: BridgeError, target: str) -> tuple[str, int]:
    """The sign-in page with what is wrong; neither code nor token is logged, nor anything about a person."""
    log.warning("oidc refused: %s, provider %s", getattr(error, "reason", error.code), provider.identifier)
    return sign_in_form(error=error.text(), hint=error.remedy_text(), next=target), error.status
