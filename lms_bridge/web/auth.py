"""Sign-in and sign-out pages."""

from __future__ import annotations

from datetime import timedelta

from apiflask import APIBlueprint
from flask import Response, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from lms_bridge.core.application import current_settings
from lms_bridge.core.database import transaction
from lms_bridge.core.errors import BridgeError
from lms_bridge.core.i18n import gettext
from lms_bridge.roster import accounts
from lms_bridge.web import session
from lms_bridge.web.security import limiter, safe_next

blueprint = APIBlueprint("auth", __name__, enable_openapi=False)


@blueprint.get("/sign-in")
def sign_in_page() -> str:
    """The form."""
    return render_template("sign_in.html", next=safe_next(request.args.get("next")))


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
        page = render_template("sign_in.html", login=login, error=error.text(), hint=error.remedy_text(), next=target)
        return page, error.status
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
    session.sign_out()
    flash(gettext("You are signed out."), "good")
    return redirect(url_for("auth.sign_in_page"))
