"""Sign-in and sign-out pages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from apiflask import APIBlueprint
from authlib.common.urls import add_params_to_uri
from flask import Response, flash, redirect, render_template, request, url_for
from flask import session as cookie
from werkzeug.wrappers import Response as BaseResponse

from lms_bridge.core.application import current_settings
from lms_bridge.core.database import transaction
from lms_bridge.core.errors import BridgeError
from lms_bridge.core.i18n import gettext
from lms_bridge.oidc import discovery, providers
from lms_bridge.roster import accounts
from lms_bridge.web import session
from lms_bridge.web.security import limiter, safe_next

blueprint = APIBlueprint("auth", __name__, enable_openapi=False)

LEFT = "left"
"""Under which name the session keeps, after a sign-out, by which provider somebody had come."""


@blueprint.get("/sign-in")
def sign_in_page() -> str:
    """The form, and the identity providers."""
    return sign_in_form(next=safe_next(request.args.get("next")), leave=_way_out())


def sign_in_form(**context: Any) -> str:
    """The sign-in page, with what is to be said on it."""
    return render_template("sign_in.html", providers=providers.providers(), **context)


def _way_out() -> dict[str, str] | None:
    """Whoever was signed in by a provider and signed out here is still signed in there: the way out there, once."""
    name = cookie.pop(LEFT, None)
    provider = next((one for one in providers.providers() if one.identifier == name), None)
    said = discovery.known_configuration(provider) if provider is not None else None
    if provider is None or said is None or not said.end_session:
        return None
    home = current_settings().base_url.rstrip("/") + url_for("auth.sign_in_page")
    asked = {"client_id": provider.said.client_id, "post_logout_redirect_uri": home}
    return {"name": provider.name, "url": add_params_to_uri(said.end_session, asked)}


@blueprint.post("/sign-in")
@limiter.limit("10 per minute; 100 per hour")
def sign_in() -> BaseResponse | tuple[str, int]:
    """Name and password; what was typed stays in the form when it does not fit."""
    login, password = request.form.get("login", ""), request.form.get("password", "")
    target = safe_next(request.form.get("next"))
    try:
        with transaction():
            person = accounts.sign_in(login, password)
            session.sign_in(person)
    except BridgeError as error:
        return sign_in_form(login=login, error=error.text(), hint=error.remedy_text(), next=target), error.status
    return redirect(target or url_for("home.home"))


@blueprint.get("/sign-in/link/<token>")
@limiter.limit("30 per minute")
def link_page(token: str) -> Response:
    """Asks for one tap before the link is used up: mail scanners follow links, but press no buttons."""
    page = Response(render_template("sign_in_link.html", token=token))
    page.headers["Referrer-Policy"] = "no-referrer"
    return page


@blueprint.post("/sign-in/link/<token>")
@limiter.limit("30 per minute")
def sign_in_by_link(token: str) -> BaseResponse:
    """Uses the link up and signs in."""
    with transaction():
        person = accounts.sign_in_by_token(token, timedelta(minutes=current_settings().sign_in_link_minutes))
        session.sign_in(person)
    return redirect(url_for("home.home"))


@blueprint.post("/sign-out")
def sign_out() -> BaseResponse:
    """Ends the session."""
    provider = session.provider()
    session.sign_out()
    if provider:
        cookie[LEFT] = provider
    flash(gettext("You are signed out."), "good")
    return redirect(url_for("auth.sign_in_page"))
