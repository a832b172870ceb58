"""What a genuine launch says, read from its claims with their kinds checked: platforms differ, some send nonsense."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

CLAIM = "https://purl.imsglobal.org/spec/lti/claim/"
DEEP_LINKING = "https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings"
AGS = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
NRPS = "https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice"

RESOURCE_LINK = "LtiResourceLinkRequest"
DEEP_LINK = "LtiDeepLinkingRequest"

LONGEST = 500


@dataclass(frozen=True)
class GradeService:
    """Where the course's gradebook is written (AGS): its columns, the activity's own column, what is allowed."""

    line_items: str
    line_item: str
    scopes: tuple[str, ...]


@dataclass(frozen=True)
class Launch:
    """One launch. Texts are empty where the platform says nothing; ``roles`` are what the platform says, which never
    decides what somebody may do here."""

    platform_id: int
    deployment_id: str
    message_type: str
    subject: str
    roles: tuple[str, ...]
    target: str
    person_sourcedid: str = ""
    course_sourcedid: str = ""
    name: str = ""
    email: str = ""
    context_id: str = ""
    context_title: str = ""
    resource_link_id: str = ""
    locale: str = ""
    document_target: str = ""
    return_url: str = ""
    members_url: str = ""
    custom: Mapping[str, str] = field(default_factory=dict)
    grades: GradeService | None = None
    deep_linking: Mapping[str, Any] = field(default_factory=dict)

    @property
    def number(self) -> str:
        """The person's number in the roster: LTI has no claim for it."""
        return ""

    @property
    def says_teacher(self) -> bool:
        """Whether the platform calls the person a teacher of the course."""
        return says_teacher(self.roles)

    @property
    def framed(self) -> bool:
        """Whether the platform says that it shows the page inside one of its own."""
        return self.document_target in ("iframe", "frame")


def says_teacher(roles: Sequence[str]) -> bool:
    """Whether one of ``roles`` (addresses, or their last words) is that of a teacher."""
    return any(role.rpartition("#")[2] in ("Instructor", "TeachingAssistant", "Mentor") for role in roles)


def read(claims: Mapping[str, Any], platform_id: int) -> Launch:
    """The launch that checked ``claims`` describe."""
    lis, context = _part(claims, f"{CLAIM}lis"), _part(claims, f"{CLAIM}context")
    shown, custom = _part(claims, f"{CLAIM}launch_presentation"), _part(claims, f"{CLAIM}custom")
    roles = claims.get(f"{CLAIM}roles")
    name = text(claims, "name") or " ".join(
        part for part in (text(claims, "given_name"), text(claims, "family_name")) if part
    )
    return Launch(
        platform_id=platform_id,
        deployment_id=text(claims, f"{CLAIM}deployment_id"),
        message_type=text(claims, f"{CLAIM}message_type"),
        subject=text(claims, "sub"),
        roles=tuple(str(role)[:200] for role in roles[:50]) if isinstance(roles, list) else (),
        target=text(claims, f"{CLAIM}target_link_uri"),
        person_sourcedid=text(lis, "person_sourcedid"),
        course_sourcedid=text(lis, "course_section_sourcedid") or text(lis, "course_offering_sourcedid"),
        name=name[:200],
        email=text(claims, "email"),
        context_id=text(context, "id"),
        context_title=text(context, "title") or text(context, "label"),
        resource_link_id=text(_part(claims, f"{CLAIM}resource_link"), "id"),
        locale=text(shown, "locale"),
        document_target=text(shown, "document_target"),
        return_url=text(shown, "return_url"),
        members_url=text(_part(claims, NRPS), "context_memberships_url"),
        # A variable that the platform does not know comes back as it was sent, with its "$".
        custom={str(k): str(v)[:LONGEST] for k, v in custom.items() if v is not None and not str(v).startswith("$")},
        grades=_grades(_part(claims, AGS)),
        deep_linking=dict(_part(claims, DEEP_LINKING)),
    )


def _grades(part: Mapping[str, Any]) -> GradeService | None:
    scopes = part.get("scope")
    if not part or not isinstance(scopes, list):
        return None
    return GradeService(text(part, "lineitems"), text(part, "lineitem"), tuple(str(scope) for scope in scopes))


def _part(claims: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = claims.get(name)
    return found if isinstance(found, dict) else {}


def text(claims: Mapping[str, Any], name: str) -> str:
    """What the platform says under ``name``, bounded and fit for a database; empty: nothing, or no text."""
    found = claims.get(name)
    if not isinstance(found, str):
        return ""
    # JSON may hold what no database takes: NUL, and halves of characters. They stay visible, so that nobody becomes
    # somebody else by them.
    return found.strip()[:LONGEST].encode("utf-8", "replace").decode().replace("\0", "\ufffd")
