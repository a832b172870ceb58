"""What every page shares: the language switch, and the style page of developers."""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from lms_bridge.core.application import current_settings
from lms_bridge.core.i18n import LOCALES
from lms_bridge.core.settings import Environment
from lms_bridge.web import language
from lms_bridge.web.security import safe_next

blueprint = APIBlueprint("shell", __name__, enable_openapi=False)


@blueprint.get("/language/<locale>")
def switch_language(locale: str) -> Response:
    """Switch this browser's language and go back to the page."""
    if locale not in LOCALES:
        abort(404)
    return language.choose(redirect(safe_next(request.args.get("next")) or url_for("home.home")), locale)


@blueprint.get("/style")
def style() -> str:
    """Every component of the design language; not served in production."""
    if current_settings().environment is Environment.PRODUCTION:
        abort(404)
    return render_template("style.html")
