"""The platforms that are registered here: added, changed, switched off, and their deployments allowed."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

import sqlalchemy as sa

from lms_bridge.core import audit
from lms_bridge.core.clock import now
from lms_bridge.core.database import after_commit, db, insert_into
from lms_bridge.core.errors import BadInputs, BridgeError, Conflict, InputError, NotFound, Place
from lms_bridge.core.i18n import N_
from lms_bridge.lti.known import Known, forget
from lms_bridge.lti.models import LtiDeployment, LtiPlatform

MOST_WAITING = 20
"""So many unknown deployments of a platform wait for the administrator; further ones are only refused."""


@dataclass(frozen=True)
class Registered:
    """What is entered, or comes by dynamic registration, of one platform."""

    name: str
    issuer: str
    client_id: str
    login_url: str
    token_url: str
    key_set_url: str
    product: str = ""
    token_audience: str = ""
    email_counts: bool = False
    sends_scores: bool = False
    reads_members: bool = True
    web_origins: tuple[str, ...] = ()
    deployments: tuple[str, ...] = ()


def add(found: Registered, organisation_id: int, *, actor_uid: str | None) -> LtiPlatform:
    """Register a platform for an organisation.

    :raises BadInputs: an address is missing or is none, or the name is too long.
    :raises Conflict: issuer and client id are registered already.
    """
    _check(found)
    known = db.session.scalar(sa.select(LtiPlatform.id).filter_by(issuer=found.issuer, client_id=found.client_id))
    if known is not None:
        raise Conflict(
            N_("%(issuer)s is registered already with client ID “%(client)s”."), issuer=found.issuer,
            client=found.client_id, remedy=N_("Change that registration, or switch it off first."),
        )  # fmt: skip
    row = LtiPlatform(organisation_id=organisation_id)
    _fill(row, found)
    row.deployments = [LtiDeployment(deployment_id=name, allowed_at=now()) for name in found.deployments]
    db.session.add(row)
    db.session.flush()
    after_commit(forget)
    audit.record("lti_platform.added", "lti_platform", row.uid, actor_uid=actor_uid, organisation_id=organisation_id)
    return row


def change(row: LtiPlatform, found: Registered, *, actor_uid: str | None) -> None:
    """Write what is registered anew; deployments that are named are allowed, those there are stay.

    :raises BadInputs: as :func:`add`.
    """
    _check(found)
    if row.key_set_url != found.key_set_url:
        row.key_set = row.key_set_tried_at = None
    _fill(row, found)
    after_commit(forget)
    for name in found.deployments:
        allow(row, name, actor_uid=actor_uid)
    audit.record(
        "lti_platform.changed", "lti_platform", row.uid, actor_uid=actor_uid, organisation_id=row.organisation_id
    )


def switch(row: LtiPlatform, *, on: bool, actor_uid: str | None) -> None:
    """Let people come from the platform, or stop it at once; what was registered stays."""
    row.disabled_at = None if on else (row.disabled_at or now())
    after_commit(forget)
    audit.record(
        "lti_platform.on" if on else "lti_platform.off", "lti_platform", row.uid, actor_uid=actor_uid,
        organisation_id=row.organisation_id,
    )  # fmt: skip


def allow(row: LtiPlatform, deployment_id: str, *, actor_uid: str | None) -> None:
    """Take launches of a deployment from now on."""
    found = next((d for d in row.deployments if d.deployment_id == deployment_id), None)
    if found is None:
        found = LtiDeployment(deployment_id=deployment_id)
        row.deployments.append(found)
    if found.allowed_at is None:
        found.allowed_at = now()
        after_commit(forget)
        audit.record(
            "lti_deployment.allowed", "lti_platform", row.uid, actor_uid=actor_uid,
            organisation_id=row.organisation_id, deployment=deployment_id[:80],
        )  # fmt: skip


def note_waiting(row: Known, deployment_id: str) -> None:
    """Remember a deployment whose genuine launch was refused, so that the administrator need not type it."""
    waiting = sa.select(sa.func.count(LtiDeployment.id)).where(
        LtiDeployment.platform_id == row.id, LtiDeployment.allowed_at.is_(None)
    )
    if (db.session.scalar(waiting) or 0) < MOST_WAITING:
        # Everybody of a course may come with it at once.
        db.session.execute(
            insert_into(LtiDeployment)
            .values(platform_id=row.id, deployment_id=deployment_id)
            .on_conflict_do_nothing(index_elements=["platform_id", "deployment_id"])
        )


def of_organisations(organisation_ids: Collection[int]) -> list[LtiPlatform]:
    """The platforms of these organisations, by name."""
    return list(
        db.session.scalars(
            sa.select(LtiPlatform)
            .where(LtiPlatform.organisation_id.in_(organisation_ids))
            .order_by(LtiPlatform.name, LtiPlatform.id)
        )
    )


def named(uid: str) -> LtiPlatform:
    """The platform with this public id.

    :raises NotFound: there is none.
    """
    row = db.session.scalar(sa.select(LtiPlatform).filter_by(uid=uid))
    if row is None:
        raise NotFound()
    return row


def origins(row: LtiPlatform | Known) -> list[str]:
    """The origins whose pages may frame ours for this platform."""
    return web_origins((row.login_url, row.issuer, *row.web_origins))


def web_origins(addresses: Iterable[str]) -> list[str]:
    """The origins of addresses, fit to stand in a header; what is no web address is left out."""
    return sorted({found for found in map(origin, addresses) if found})


def all_origins() -> list[str]:
    """Those of every platform that is switched on."""
    rows = db.session.scalars(sa.select(LtiPlatform).where(LtiPlatform.disabled_at.is_(None)).limit(200))
    return sorted({found for row in rows for found in origins(row)})


def origin(address: str) -> str:
    """The origin of an address, fit to stand in a header; empty: it is no web address."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    # What stands in a header is put together from checked parts: a registration may hold anything.
    clean = parts.netloc and all(c.isalnum() or c in ".-_:[]" for c in parts.netloc)
    return f"{parts.scheme}://{parts.netloc}" if clean and parts.scheme in ("http", "https") else ""


def _fill(row: LtiPlatform, found: Registered) -> None:
    row.name, row.product = found.name, found.product
    row.issuer, row.client_id = found.issuer, found.client_id
    row.login_url, row.token_url, row.key_set_url = found.login_url, found.token_url, found.key_set_url
    row.token_audience, row.email_counts = found.token_audience, found.email_counts
    row.sends_scores, row.reads_members = found.sends_scores, found.reads_members
    row.web_origins = web_origins(found.web_origins)


def _check(found: Registered) -> None:
    problems: list[BridgeError] = []
    for name, value, most in (
        ("name", found.name, 120), ("issuer", found.issuer, 255), ("client_id", found.client_id, 255),
    ):  # fmt: skip
        if not 0 < len(value) <= most:
            problems.append(
                InputError(N_("It is needed, and has at most %(n)s characters."), n=most, place=Place(column=name))
            )
    for name in ("login_url", "token_url", "key_set_url"):
        value = getattr(found, name)
        if not origin(value) or len(value) > 500:
            problems.append(
                InputError(
                    N_("This is no web address."),
                    place=Place(column=name, value=value[:80]),
                    remedy=N_("It begins with https:// and is shown by the LMS when it registers a tool."),
                )
            )
    problems += [
        InputError(N_("This is no web address."), place=Place(column="web_origins", value=value[:80]))
        for value in found.web_origins
        if not origin(value)
    ]
    if problems:
        raise BadInputs(problems)


__all__ = [
    "Registered",
    "add",
    "all_origins",
    "allow",
    "change",
    "named",
    "note_waiting",
    "of_organisations",
    "origin",
    "origins",
    "switch",
    "web_origins",
]  # fmt: skip
