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
from urllib.parse import urljoin

import sqlalchemy as sa

from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.i18n import N_
from lms_bridge.lti import claims, keys, library, platforms
from lms_bridge.lti.errors import ASK, PlatformRefused, PlatformSilent
from lms_bridge.lti.models import LtiLineItem, LtiPlatform, LtiScore

MEMBERS_SCOPE: Final = "https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly"
LINE_ITEM_SCOPE: Final = "https://purl.imsglobal.org/spec/lti-ags/scope/lineitem"
SCORE_SCOPE: Final = "https://purl.imsglobal.org/spec/lti-ags/scope/score"
MOST_PAGES = 2000
LONGEST_SUBJECT = 255
STEP = timedelta(seconds=1)
"""Platforms compare moments of scores to the second."""


@dataclass(frozen=True)
class Member:
    """One member of a course, as the platform names them; texts are empty where it says nothing. ``roles`` never decide
    what somebody may do here."""

    subject: str
    active: bool
    roles: tuple[str, ...]
    person_sourcedid: str
    name: str
    email: str
    context_title: str = ""

    @property
    def number(self) -> str:
        """The person's number in the roster: LTI has no field for it."""
        return ""

    @property
    def says_teacher(self) -> bool:
        """Whether the platform calls the person a teacher of the course."""
        return claims.says_teacher(self.roles)


@dataclass(frozen=True)
class MembersPage:
    """Some members of a course, and how many entries named no user."""

    members: tuple[Member, ...]
    nameless: int


def connector(platform: LtiPlatform) -> library.PlatformConnector:
    """A client of the platform's services that signs with our key in force."""
    with transaction():
        key = keys.signing_key()
    return library.PlatformConnector(platform, key)


def members(platform: LtiPlatform, members_url: str, *, title: str = "", page_size: int = 200) -> Iterator[MembersPage]:
    """The members of a course, page by page as they are asked for; somebody listed twice comes once.

    :raises PlatformSilent, PlatformRefused: the platform does not answer, refuses, or leads elsewhere; nothing is known
        of the rest.
    """
    home = platforms.origin(members_url)
    if not home or home not in _addresses(platform):
        raise PlatformRefused(
            N_("The list of members is at %(host)s, which is no address of %(platform)s."),
            remedy=N_("If it is one, enter it under “Further addresses of the LMS” (System, LMS platforms)."),
            host=members_url[:100], platform=platform.name,
        )  # fmt: skip
    service = library.NamesRolesProvisioningService(connector(platform), {"context_memberships_url": members_url})
    address: str | None = members_url + ("&" if "?" in members_url else "?") + f"limit={page_size}"
    asked, listed = set[str](), set[str]()
    while address:
        if address in asked or len(asked) >= MOST_PAGES:
            raise PlatformSilent(N_("The LMS lists the members of a course without end."))
        asked.add(address)
        rows, following = _page(platform, service, address)
        for start in range(0, len(rows), page_size):  # an LMS may know no pages, and send everybody at once
            read = [_member(row, title) if isinstance(row, dict) else None for row in rows[start : start + page_size]]
            new = {one.subject: one for one in read if one is not None and one.subject not in listed}
            listed |= new.keys()
            yield MembersPage(tuple(new.values()), read.count(None))
        address = _joined(address, following) if following else None
        if address and platforms.origin(address) != home:
            # Whoever it is would be handed the key to the course's members.
            raise PlatformRefused(
                N_("The list of members goes on at another address (%(host)s) and is not followed there."),
                remedy=N_("Ask the administrator of the LMS for its own address in its settings (Moodle: wwwroot)."),
                host=(platforms.origin(address) or address)[:100],
            )  # fmt: skip


def _joined(address: str, following: str) -> str:
    try:
        return urljoin(address, following)
    except ValueError:
        return following  # no address at all, which is refused as such


def _addresses(platform: LtiPlatform) -> list[str]:
    return [*platforms.origins(platform), *platforms.web_origins((platform.token_url, platform.key_set_url))]


def _page(
    platform: LtiPlatform, service: library.NamesRolesProvisioningService, address: str
) -> tuple[list[Any], str | None]:
    try:
        page, following = service.get_members_page(address)
    except (library.LtiException, KeyError, TypeError, AttributeError):
        raise PlatformSilent(N_("The LMS answers with something else than members.")) from None
    except PlatformRefused as refused:
        if refused.params.get("status") in (401, 403) or refused.params.get("why") == "invalid_scope":
            raise PlatformRefused(
                N_("%(platform)s does not let us read the members of this course (%(status)s)."),
                remedy=N_(
                    "Allow the tool the service “Names and Role Provisioning” in the LMS (Moodle: the tool's settings, "
                    "Services, “use this service to retrieve members' information”), then read again."
                ),
                platform=platform.name, status=refused.params["status"],
            ) from None  # fmt: skip
        raise
    if not isinstance(page, list):
        raise PlatformSilent(N_("The LMS answers with something else than members."))
    return page, following


def _member(row: dict[str, Any], title: str) -> Member | None:
    """The member that ``row`` names; None: it names none."""
    number = row.get("user_id")
    subject = str(number) if isinstance(number, int) else claims.text(row, "user_id")
    if not subject or len(subject) > LONGEST_SUBJECT:
        return None
    roles = row.get("roles")
    return Member(
        subject=subject,
        active=str(row.get("status") or "Active").lower() == "active",
        roles=tuple(str(role)[:200] for role in roles[:50]) if isinstance(roles, list) else (),
        person_sourcedid=claims.text(row, "lis_person_sourcedid"),
        name=claims.text(row, "name")[:200] or " ".join(
            part for part in (claims.text(row, "given_name"), claims.text(row, "family_name")) if part
        )[:200],
        email=claims.text(row, "email"),
        context_title=title,
    )  # fmt: skip


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
