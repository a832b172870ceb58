"""Calendars that people subscribe to: no sign-in, the secret is the address; revocable by its owner."""

from __future__ import annotations

import gzip
import hashlib

from apiflask import APIBlueprint
from flask import Response, request

from lms_bridge import __version__
from lms_bridge.core.database import db
from lms_bridge.core.i18n import gettext, use_locale
from lms_bridge.notices.ical import write_calendar
from lms_bridge.timetable.feed import entries_of, owner_of

blueprint = APIBlueprint("feeds", __name__, enable_openapi=False)

SMALL = 1024
"""Below this many bytes packing is not worth it."""


@blueprint.get("/c/<token>.ics")
def calendar(token: str) -> Response:
    """The owner's lessons; 304 when nothing changed since the subscriber's last look, 410 once revoked.

    Not limited by address: calendar services fetch the feeds of many people from one, and a token cannot be guessed.
    """
    person, form = owner_of(token)
    packed = request.accept_encodings["gzip"] > 0
    with use_locale(person.language):
        name = gettext("Lessons of %(name)s", name=person.display_name)
        entries = entries_of(person, form=form)
        # Both encodings are different bytes and so have different strong tags (RFC 9110, 8.8.1).
        key = repr((__version__, name, person.language, entries)).encode()
        tag = hashlib.sha256(key).hexdigest()[:32] + ("-gzip" if packed else "")
        if request.if_none_match.contains_weak(tag):
            response = Response(status=304)
        else:
            response = _answer(write_calendar(entries, name=name, locale=person.language), packed=packed)
    db.session.rollback()  # only read
    response.set_etag(tag)
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _answer(body: bytes, *, packed: bool) -> Response:
    response = Response(mimetype="text/calendar")
    response.headers["Content-Disposition"] = 'inline; filename="lessons.ics"'
    if packed and len(body) > SMALL:
        body = gzip.compress(body, compresslevel=6, mtime=0)
        response.headers["Content-Encoding"] = "gzip"
    response.set_data(body)
    return response
