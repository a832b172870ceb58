"""How refusals and failures look: one page in plain words (JSON for programs), never a stack trace."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from apiflask.exceptions import HTTPError
from flask import Flask, Response, jsonify, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from lms_bridge.api import problems
from lms_bridge.core.database import db
from lms_bridge.core.errors import BadInputs, BridgeError
from lms_bridge.core.i18n import N_, gettext
from lms_bridge.core.ids import new_uid

log = logging.getLogger(__name__)

TITLES = {
    400: N_("The request was not complete"),
    403: N_("This is not for you"),
    404: N_("There is nothing here"),
    405: N_("This does not work here"),
    409: N_("Something changed meanwhile"),
    413: N_("The file is too large"),
    429: N_("Too many tries"),
    500: N_("Something went wrong on our side"),
    503: N_("Not possible just now"),
}
MESSAGES = {
    404: N_("The page does not exist, or it is not for you."),
    405: N_("Go back and use the buttons of the page."),
    413: N_("Choose a smaller file."),
    429: N_("Wait a minute, then try again."),
    500: N_("It has been noted. Try again in a minute; if it stays, tell your school the number below."),
}


def init_app(app: Flask) -> None:
    """Answer every error in the language of the person, as a page or as JSON."""

    @app.errorhandler(BridgeError)
    def refused(error: BridgeError) -> tuple[str | Response, int] | Response:
        if of_api():
            return problems.refusal(error)
        if wants_json():
            return jsonify(error=error.as_dict()), error.status
        listed = error.problems if isinstance(error, BadInputs) else []
        return page(
            error.status, error.text(), remedy=error.remedy_text(), place=str(error.place or ""), problems=listed
        )

    @app.errorhandler(CSRFError)
    def stale_form(error: CSRFError) -> tuple[str | Response, int]:
        return page(400, gettext("This page was open for too long. Go back, load it again and repeat your step."))

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> tuple[str | Response, int] | HTTPException | Response:
        status = error.code or 500
        if status < 400:
            return error
        if of_api():
            return problems.problem(status, gettext(MESSAGES.get(status, error.description or MESSAGES[500])))
        if wants_json():
            return jsonify(error={"code": error.name.lower().replace(" ", "_"), "message": error.description}), status
        return page(status, gettext(MESSAGES.get(status, MESSAGES[500])))

    @app.errorhandler(Exception)
    def failed(error: Exception) -> tuple[str | Response, int]:
        reference = new_uid()[:8]
        log.exception("request failed %s", reference)
        db.session.rollback()
        if of_api():
            return problems.problem(500, gettext(MESSAGES[500]), reference=reference), 500
        if wants_json():
            return jsonify(error={"code": "internal", "message": gettext(MESSAGES[500]), "reference": reference}), 500
        return page(500, gettext(MESSAGES[500]), reference=reference)


def of_api() -> bool:
    """Whether the request is one of the REST API."""
    return request.path.startswith("/api/")


def api_error(error: HTTPError) -> Response:
    """What the API's own checks refuse: a field that is missing or of the wrong kind."""
    fields = [
        {"code": "bad_input", "column": ".".join(str(part) for part in path), "message": " ".join(messages)}
        for path, messages in _leaves(error.detail)
    ]
    return problems.problem(error.status_code, str(error.message), code="bad_input", errors=fields)


def _leaves(detail: Any, path: tuple[object, ...] = ()) -> Iterator[tuple[tuple[object, ...], list[str]]]:
    if isinstance(detail, dict):
        for key, value in detail.items():
            # The first level only says in which part of the request the field stands.
            yield from _leaves(value, (*path, key))
    elif isinstance(detail, list):
        yield path[1:] or path, [str(message) for message in detail]


def wants_json() -> bool:
    """Whether a program asks: under ``/hooks``, or by its Accept header (the REST API: :func:`of_api`)."""
    best = request.accept_mimetypes.best_match(["text/html", "application/json"], default="text/html")
    return request.path.startswith("/hooks/") or best == "application/json"


def page(status: int, message: str, **context: Any) -> tuple[str, int]:
    """The error page with its title by status."""
    title = gettext(TITLES.get(status, N_("This did not work")))
    return render_template("error.html", title=title, message=message, **context), status
