"""How somebody goes on from inside the frame of an LMS, where browsers keep no cookie of ours.

The page in the frame holds a ticket: signed, for one person, no longer valid than a session, and ended by whatever ends
the person's sessions. It is sent in forms of that page only, never in an address, and only our own pages may send it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from flask import current_app, request

from lms_bridge.core import links
from lms_bridge.core.application import current_settings
from lms_bridge.core.database import db
from lms_bridge.core.errors import Forbidden
from lms_bridge.core.i18n import N_
from lms_bridge.lti import platforms
from lms_bridge.lti.known import Known
from lms_bridge.lti.models import LtiPlatform
from lms_bridge.roster.models import Account, Person
from lms_bridge.roster.somebody import Identified

TICKET = "lti-ticket"


def issue(person: Identified, session_version: int, platform: Known, **more: Any) -> str:
    """A ticket for ``person`` who came from ``platform``; ``more`` is what the page is about."""
    return links.sign(TICKET, {"p": person.uid, "v": session_version, "l": platform.id, **more})


def holder(token: str) -> tuple[Person, LtiPlatform, dict[str, Any]]:
    """Whose ticket it is, from where they came, and what it is about.

    :raises LinkRefused: forged or too old.
    :raises Forbidden: the person's sessions were ended, the LMS was switched off, or another site sent this.
    """
    check_own_page()
    lifetime = timedelta(seconds=current_app.permanent_session_lifetime.total_seconds())
    data = links.verify(TICKET, token, max_age=lifetime)
    row = db.session.execute(
        sa.select(Person, LtiPlatform)
        .join(Account, Account.person_id == Person.id)
        .join(LtiPlatform, LtiPlatform.id == data["l"])
        .where(
            Person.uid == data["p"], Person.erased_at.is_(None), Account.disabled_at.is_(None),
            Account.session_version == data["v"], LtiPlatform.disabled_at.is_(None),
        )
    ).first()  # fmt: skip
    if row is None:
        raise Forbidden(N_("This page holds no more."), remedy=N_("Open the activity from the course page again."))
    return row[0], row[1], data


def check_own_page() -> None:
    """Pass silently when one of our own pages sent the form; browsers say so with every POST, and pages of others
    cannot pretend it.

    :raises Forbidden: it came from elsewhere.
    """
    if not from_own_page():
        raise Forbidden(
            N_("This did not come from a page of ours."), remedy=N_("Open the activity from the course page again.")
        )


def from_own_page() -> bool:
    """Whether the request's ``Origin`` is ours."""
    sender = request.headers.get("Origin", "")
    return bool(sender) and sender in map(platforms.origin, (current_settings().base_url, request.host_url))
