"""What a platform serves to us: the members of a course (NRPS) and its gradebook (AGS). For jobs, never for a page.

https://www.imsglobal.org/spec/lti-nrps/v2p0 and https://www.imsglobal.org/spec/lti-ags/v2p0.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.i18n import N_
from lms_bridge.lti import keys, library
from lms_bridge.lti.errors import ASK, PlatformRefused, PlatformSilent
from lms_bridge.lti.models import LtiLineItem, LtiPlatform, LtiScore

MEMBERS_SCOPE: Final = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
LINE_ITEM_SCOPE: Final = "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem"
SCORE_SCOPE: Final = "https://purl.imsglobal.org/spec/lti-ags/scope/score"
MOST_PAGES = 2000
STEP = timedelta(seconds=1)
"""Platforms compare moments of scores to the second."""


@dataclass(frozen=True)
class Member:
    """One member of a course, as the platform names them; texts are empty where it says nothing."""

    subject: str
    active: bool
    roles: tuple[str, ...]
    person_sourcedid: str
    name: str
    email: str


def connector(platform: LtiPlatform) -> library.PlatformConnector:
    """A client of the platform's services that signs with our key in force."""
    with transaction():
        key = keys.signing_key()
    return library.PlatformConnector(platform, key)


def members(platform: LtiPlatform, members_url: str, *, page_size: int = 200) -> Iterator[Member]:
    """The members of a course, page by page as they are asked for.

    :raises PlatformSilent, PlatformRefused: the platform does not answer, or refuses; nothing is known of the rest.
    """
    service = library.NamesRolesProvisioningService(connector(platform), {"context_memberships_url": members_url})
    address: str | None = members_url + ("&" if "?" in members_url else "?") + f"limit={page_size}"
    seen: set[str] = set()
    while address:
        if address in seen or len(seen) >= MOST_PAGES:
            raise PlatformSilent(N_("The LMS lists the members of a course without end."))
        seen.add(address)
        page, address = _page(service, address)
        for row in page:
            if isinstance(row, dict) and row.get("user_id"):
                yield _member(row)


def _page(service: library.NamesRolesProvisioningService, address: str) -> tuple[list[Any], str | None]:
    try:
        page, following = service.get_members_page(address)
    except (library.LtiException, KeyError, TypeError, AttributeError):
        raise PlatformSilent(N_("The LMS answers with something else than members.")) from None
    if not isinstance(page, list):
        raise PlatformSilent(N_("The LMS answers with something else than members."))
    return page, following


def _member(row: dict[str, Any]) -> Member:
    roles = row.get("roles")
    return Member(
        subject=str(row["user_id"]),
        active=str(row.get("status", "Active")).lower() == "active",
        roles=tuple(str(role) for role in roles) if isinstance(roles, list) else (),
        person_sourcedid=str(row.get("lis_person_sourcedid") or "").strip(),
        name=str(row.get("name") or ""),
        email=str(row.get("email") or "").strip(),
    )


def line_item(
    platform: LtiPlatform, line_items_url: str, *, resource_id: str, label: str, maximum: float = 100.0
) -> LtiLineItem:
    """Our column ``resource_id`` in a gradebook: the one that is known, else the one that is there, else a new one.

    A repeated POST makes a second column, so the gradebook is always looked at first: also after a lost answer.
    """
    query = sa.select(LtiLineItem).filter_by(
        platform_id=platform.id, line_items_url=line_items_url, resource_id=resource_id
    )
    known = db.session.scalar(query)
    if known is not None:
        return known
    service = _gradebook(platform, line_items_url)

    def find_or_make() -> str | None:
        there = service.find_lineitem_by_resource_id(resource_id)
        if there is None:
            wanted = library.LineItem().set_resource_id(resource_id).set_label(label).set_tag("lms-bridge")
            there = service.create_lineitem(wanted.set_score_maximum(maximum))
        return there.get_id()

    url = _asked(find_or_make)
    if not url:
        raise PlatformSilent(N_("The LMS made a column without an address."))
    with transaction() as session:
        known = session.scalar(query)  # another worker may have been quicker
        if known is None:
            known = LtiLineItem(
                platform_id=platform.id, line_items_url=line_items_url, resource_id=resource_id, url=url
            )
            session.add(known)
            session.flush()
    return known


def send_score(
    platform: LtiPlatform, column: LtiLineItem, subject: str, *, given: float | None, maximum: float = 100.0,
    comment: str = "", final: bool = True,
) -> bool:  # fmt: skip
    """Write what one user has reached; whether anything had to be sent. The same score is sent once only.

    Its moment is later than that of every score before it for this user and column, whatever clock runs here.
    """
    said = {"given": given, "maximum": maximum, "comment": comment, "final": final}
    content = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
    moment, again = _reserve(column, subject, content)
    if moment is None:
        return False
    grade = library.Grade().set_user_id(subject).set_timestamp(moment.isoformat(timespec="milliseconds"))
    grade.set_activity_progress("Completed" if final else "InProgress")
    grade.set_grading_progress("FullyGraded" if final and given is not None else "Pending")
    if given is not None:
        grade.set_score_given(given).set_score_maximum(maximum)
    if comment:
        grade.set_comment(comment)
    service = _gradebook(platform, column.line_items_url)
    mine = (LtiScore.line_item_id == column.id, LtiScore.subject == subject, LtiScore.content == content)
    where = library.LineItem().set_id(column.url)
    try:
        _asked(lambda: service.put_grade(grade, where))
    except PlatformRefused as refused:
        if refused.params.get("status") != 409:
            raise
        if not again:
            # Somebody wrote a later score than our clock knows. Not ours: the next try takes a later moment.
            with transaction() as session:
                session.execute(sa.update(LtiScore).where(*mine).values(content=""))
            raise PlatformSilent(N_("The LMS has a later score than ours; it is sent again.")) from None
    with transaction() as session:
        session.execute(sa.update(LtiScore).where(*mine).values(arrived=True))
    return True


def _reserve(column: LtiLineItem, subject: str, content: str) -> tuple[datetime | None, bool]:
    """The moment for this score, written down before anything is sent, and whether it went out before; no moment: the
    same score has arrived already."""
    with transaction() as session:
        row = session.scalar(sa.select(LtiScore).filter_by(line_item_id=column.id, subject=subject).with_for_update())
        if row is None:
            row = LtiScore(line_item_id=column.id, subject=subject, sent_at=_whole(now()), content=content)
            session.add(row)
            return row.sent_at, False
        if row.content == content:
            return (None, False) if row.arrived else (row.sent_at, True)
        row.sent_at = max(_whole(now()), row.sent_at + STEP)
        row.content, row.arrived = content, False
        return row.sent_at, False


def _whole(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


def _gradebook(platform: LtiPlatform, line_items_url: str) -> library.AssignmentsGradesService:
    return library.AssignmentsGradesService(
        connector(platform), {"lineitems": line_items_url, "scope": [LINE_ITEM_SCOPE, SCORE_SCOPE]}
    )


def _asked(question: Callable[[], Any]) -> Any:
    try:
        return question()
    except (library.LtiException, KeyError, TypeError, AttributeError):
        raise PlatformRefused(N_("The LMS answers with something else than a gradebook."), remedy=ASK) from None
