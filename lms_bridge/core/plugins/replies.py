"""What an outside system answered, and what a plugin makes of it: JSON, XML, a pause, or a failure in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from lms_bridge.core.clock import now
from lms_bridge.core.i18n import N_
from lms_bridge.core.plugins.base import TemporaryFailure

MAX_PAUSE = timedelta(hours=1)


@dataclass(frozen=True)
class Reply:
    """What ``system`` answered, whatever the status. Names of headers are in lower case."""

    system: str
    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)
    url: str = field(repr=False)


def usable(reply: Reply) -> Reply:
    """``reply``, unless the other side has a failure of its own or had too many requests.

    :raises TemporaryFailure: status 429 (knows when to come back if it was said) or 5xx. That is down, whatever a page
        of maintenance says of its end: who is busy goes on serving those who are inside, who is down does not.
    """
    if reply.status != 429 and reply.status < 500:
        return reply
    text = (
        N_("%(system)s has had too many requests for now.")
        if reply.status == 429
        else N_("%(system)s has a failure of its own (HTTP status %(status)s).")
    )
    failure = TemporaryFailure(text, system=reply.system, status=reply.status)
    if reply.status == 429:
        failure.retry_after = retry_after(reply)
    raise failure


def retry_after(reply: Reply) -> timedelta | None:
    """How long to wait as the reply says, in seconds or as a date; at most :data:`MAX_PAUSE`."""
    said = reply.headers.get("retry-after", "").strip()
    if said.isdecimal() and said.isascii():
        return min(timedelta(seconds=int(said[:9])), MAX_PAUSE)
    try:
        until = parsedate_to_datetime(said)
    except ValueError:
        return None
    pause = (until if until.tzinfo else until.replace(tzinfo=UTC)) - now()
    return min(max(pause, timedelta(0)), MAX_PAUSE)


def json_of(reply: Reply) -> Any:
    """The JSON of a reply; None where it is empty.

    :raises TemporaryFailure: it is something else, such as the page of a proxy.
    """
    try:
        return json.loads(reply.content) if reply.content else None
    except (ValueError, RecursionError):
        raise _no_data(reply) from None


def xml_of(reply: Reply) -> Element:
    """The root of a reply in XML, read without entities.

    :raises TemporaryFailure: it is something else, such as the page of a proxy.
    """
    try:
        root: Element = fromstring(reply.content, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError, RecursionError):
        raise _no_data(reply) from None
    return root


def _no_data(reply: Reply) -> TemporaryFailure:
    return TemporaryFailure(
        N_("%(system)s answers with a page instead of data (HTTP status %(status)s)."),
        remedy=N_("Look at its address, and at what stands between (proxy, firewall, sign-in page)."),
        system=reply.system,
        status=reply.status,
    )
