"""Keys with which programs use the REST API as a person does: made, found, listed and revoked."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

import sqlalchemy as sa

from lms_bridge.core import audit
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.errors import BadInputs, BridgeError, InputError, NotFound
from lms_bridge.core.i18n import N_
from lms_bridge.roster.models import Account, ApiToken, Person

PREFIX = "lmsb_"
"""Begins every key, so that scanners of source code and logs know one when they see it."""
LONGEST = 366
NAME_LENGTH = 80

_SEEN_EVERY = timedelta(hours=1)


def create(person: Person, name: str, *, days: int, may_write: bool, actor: Person | None) -> tuple[ApiToken, str]:
    """A new key for ``person`` that expires after ``days``; the row and the key, which is stored nowhere.

    :raises BadInputs: no name, or more days than a year has.
    """
    name = " ".join(name.split())
    problems: list[BridgeError] = []
    if not 0 < len(name) <= NAME_LENGTH:
        problems.append(InputError(N_("A key needs a name of at most %(n)s characters."), n=NAME_LENGTH))
    if not 1 <= days <= LONGEST:
        problems.append(InputError(N_("A key lives for 1 to %(n)s days."), n=LONGEST))
    if problems:
        raise BadInputs(problems)
    key = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(
        person_id=person.id, name=name, key_hash=_hash(key), may_write=may_write,
        expires_at=now() + timedelta(days=days),
    )  # fmt: skip
    db.session.add(token)
    db.session.flush()
    _record("api_token.created", token, actor)
    return token, key


def holder(key: str) -> ApiToken | None:
    """The key's row, if it is in force and its person has not gone or been switched off; its use is noted."""
    if not key.startswith(PREFIX):
        return None
    token = db.session.scalar(
        sa.select(ApiToken)
        .join(Person, Person.id == ApiToken.person_id)
        .outerjoin(Account, Account.person_id == Person.id)
        .where(
            ApiToken.key_hash == _hash(key),
            ApiToken.revoked_at.is_(None),
            ApiToken.expires_at > now(),
            Person.erased_at.is_(None),
            Account.disabled_at.is_(None),
        )
    )
    if token is not None and (token.used_at is None or now() - token.used_at > _SEEN_EVERY):
        token.used_at = now()
    return token


def tokens_of(person: Person) -> list[ApiToken]:
    """All keys of a person, those in force first, then the newest."""
    rows = db.session.scalars(
        sa.select(ApiToken).where(ApiToken.person_id == person.id).order_by(ApiToken.id.desc())
    ).all()
    return sorted(rows, key=lambda row: not in_force(row))


def in_force(token: ApiToken) -> bool:
    """Whether the key still opens anything."""
    return token.revoked_at is None and token.expires_at > now()


def revoke(uid: str, *, owner: Person | None, actor: Person | None) -> ApiToken:
    """End a key; ``owner`` None: of whomever it is. Ending it twice changes nothing.

    :raises NotFound: there is none, or it is somebody else's.
    """
    query = sa.select(ApiToken).where(ApiToken.uid == uid)
    if owner is not None:
        query = query.where(ApiToken.person_id == owner.id)
    token = db.session.scalar(query)
    if token is None:
        raise NotFound()
    if token.revoked_at is None:
        token.revoked_at = now()
        _record("api_token.revoked", token, actor)
    db.session.flush()
    return token


def _record(action: str, token: ApiToken, actor: Person | None) -> None:
    person = db.session.get_one(Person, token.person_id)
    audit.record(
        action, "api_token", token.uid, actor_uid=actor.uid if actor is not None else None, person=person.uid,
        may_write=token.may_write,
    )  # fmt: skip


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
