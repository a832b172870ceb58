"""The registered platforms as a login and a launch need them, kept in memory for a few seconds.

In the minute before a lesson hundreds come from the same platform within a second, and each of them would read the same
row twice. What is kept lets nobody in by itself: who comes, whether the launch was used before and what the person may
do are read for every launch.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from lms_bridge.core.database import db
from lms_bridge.lti.models import LtiDeployment, LtiPlatform, system_of

KNOWN_FOR = timedelta(seconds=5)
"""So long another process may not see yet that a platform was switched off; the one that did it sees it at once."""


@dataclass(frozen=True)
class Known:
    """A registered platform; the fields are those of :class:`~lms_bridge.lti.models.LtiPlatform`, with the
    ``deployments`` that are allowed."""

    id: int
    uid: str
    organisation_id: int
    name: str
    product: str
    issuer: str
    client_id: str
    login_url: str
    web_origins: list[str]
    email_counts: bool
    key_set: dict[str, Any] | None
    disabled_at: datetime | None
    deployments: frozenset[str]

    @property
    def system(self) -> str:
        """The system under which its users are kept in ``external_id``."""
        return system_of(self.uid)


_FIELDS = [field.name for field in fields(Known) if field.name != "deployments"]
_PLATFORM = (
    sa.select(
        *(getattr(LtiPlatform, name) for name in _FIELDS),
        LtiDeployment.deployment_id,
    )
    .outerjoin(
        LtiDeployment, sa.and_(LtiDeployment.platform_id == LtiPlatform.id, LtiDeployment.allowed_at.is_not(None))
    )
    .where(LtiPlatform.id == sa.bindparam("id"))
)
_OF_ISSUER = sa.select(LtiPlatform.id).where(LtiPlatform.issuer == sa.bindparam("issuer")).limit(2)
_OF_CLIENT = _OF_ISSUER.where(LtiPlatform.client_id == sa.bindparam("client"))

_platforms: WeakKeyDictionary[sa.Engine, dict[int, tuple[Known, float]]] = WeakKeyDictionary()
_names: WeakKeyDictionary[sa.Engine, dict[tuple[str, str], tuple[int, float]]] = WeakKeyDictionary()


def platform(platform_id: int) -> Known | None:
    """The platform as it was at most :data:`KNOWN_FOR` ago; None: it is not there."""
    kept = _platforms.setdefault(db.engine, {})
    found = kept.get(platform_id)
    if found is not None and found[1] > time.monotonic():
        return found[0]
    return fresh(platform_id)


def fresh(platform_id: int) -> Known | None:
    """The platform as it is now; None: it is not there."""
    kept = _platforms.setdefault(db.engine, {})
    rows = db.session.execute(_PLATFORM, {"id": platform_id}).all()
    if not rows:
        kept.pop(platform_id, None)
        return None
    allowed = frozenset(row[-1] for row in rows if row[-1])
    found = Known(**dict(zip(_FIELDS, rows[0][:-1], strict=True)), deployments=allowed)
    kept[platform_id] = (found, _until())
    return found


def named(issuer: str, client_id: str) -> Sequence[Known]:
    """The platforms with this issuer and client id, without a client id those of the issuer; at most two, as they were
    at most :data:`KNOWN_FOR` ago."""
    kept = _names.setdefault(db.engine, {})
    found = kept.get((issuer, client_id))
    if found is not None and found[1] > time.monotonic():
        ids: Sequence[int] = [found[0]]
    elif "\0" in issuer + client_id:
        return []  # PostgreSQL has no texts with a NUL, so nobody is called so.
    else:
        query = _OF_CLIENT if client_id else _OF_ISSUER
        ids = db.session.scalars(query, {"issuer": issuer, "client": client_id}).all()
        if len(ids) == 1:
            kept[issuer, client_id] = (ids[0], _until())
    return [one for one in map(platform, ids) if one is not None]


def forget() -> None:
    """Ask the database again: a registration was changed."""
    _platforms.pop(db.engine, None)
    _names.pop(db.engine, None)


def _until() -> float:
    return time.monotonic() + KNOWN_FOR.total_seconds()
