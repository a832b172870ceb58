"""In which language a browser reads: what it chose, else its person's language, else what it asks for.

The choice stands in a cookie of its own. In the session it would be lost whenever two answers overlap, since the
session is one cookie and the answer that comes last wins.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from flask import current_app, has_request_context, request
from werkzeug.wrappers import Response

from lms_bridge.core import i18n
from lms_bridge.roster.models import Person
from lms_bridge.roster.somebody import Somebody

__all__ = ["choose", "forget", "init_later", "init_request", "speak_to"]

COOKIE = "lms_bridge_language"
KEPT = timedelta(days=365)


def chosen() -> str | None:
    """The language that this browser chose, if it chose one."""
    locale = request.cookies.get(COOKIE)
    return locale if locale in i18n.LOCALES else None


def init_request(person: Person | None) -> None:
    """Set the language of this request, before its view runs; ``person`` is who is signed in."""
    i18n.set_locale(_wanted(lambda: person))


def init_later(person: Callable[[], Person | None]) -> None:
    """As :func:`init_request`, for views that seldom say anything: ``person`` is asked who is signed in when a text is
    wanted."""
    # What outlives the request (a thread's context) knows nothing of it any more.
    i18n.set_locale_later(lambda: _wanted(person) if has_request_context() else None)


def _wanted(person: Callable[[], Person | None]) -> str:
    wanted = chosen()
    if wanted is not None:
        return wanted
    somebody = person()
    if somebody is not None:
        return somebody.language
    return str(request.accept_languages.best_match(["zh-CN", "zh", "en"], default="zh-CN"))


def speak_to(person: Person | Somebody) -> None:
    """Use the language of a person who came by a link, unless this browser chose one."""
    if chosen() is None:
        i18n.set_locale(person.language)


def choose(response: Response, locale: str) -> Response:
    """Let ``response`` set this browser's language to ``locale``, one of :data:`i18n.LOCALES`."""
    config = current_app.config
    response.set_cookie(
        COOKIE,
        locale,
        max_age=KEPT,
        path=config["APPLICATION_ROOT"],
        secure=config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Lax",
    )
    return response


def forget(response: Response) -> Response:
    """Let the language follow the person again: a family's tablet has more than one reader."""
    response.delete_cookie(COOKIE, path=current_app.config["APPLICATION_ROOT"])
    return response
