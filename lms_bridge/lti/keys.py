"""Our own key pairs: made, rotated, published at ``/lti/jwks``.

A new key is published a day before it signs, and an old one stays published after its last signature, so that platforms
that keep our keys for hours never meet one they do not know.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from lms_bridge.core import audit
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.ids import new_uid
from lms_bridge.lti.models import LtiKey

BITS = 2048
AHEAD = timedelta(hours=24)
"""How long a new key is published before it signs."""
AFTER = timedelta(days=7)
"""How long an old key stays published after the new one signs."""


@dataclass(frozen=True)
class SigningKey:
    """The key that signs now: its id and its private part as PEM."""

    kid: str
    private_pem: str
    public_jwk: dict[str, Any]


def signing_key() -> SigningKey:
    """The newest key that may sign; the first one is made when there is none. In a transaction of the caller's."""
    moment = now()
    row = db.session.scalar(
        sa.select(LtiKey)
        .where(
            LtiKey.signs_from <= moment,
            # One that was withdrawn before it came to sign is known to no platform.
            sa.or_(LtiKey.published_until.is_(None), LtiKey.published_until > moment),
        )
        .order_by(LtiKey.signs_from.desc(), LtiKey.id.desc())
    )
    if row is None:
        row = _made(delay=timedelta())
    return SigningKey(row.kid, str(row.private_key["pem"]), row.public_jwk)


def published() -> dict[str, Any]:
    """The key set that platforms fetch (RFC 7517): everything that may sign, has just signed, or soon will."""
    rows = db.session.scalars(
        sa.select(LtiKey)
        .where(sa.or_(LtiKey.published_until.is_(None), LtiKey.published_until > now()))
        .order_by(LtiKey.id)
    )
    return {"keys": [row.public_jwk for row in rows]}


def rotate(*, actor_uid: str | None, at_once: bool = False) -> LtiKey:
    """Make the next key; it signs after :data:`AHEAD`. ``at_once`` (a key was stolen): it signs now, and the earlier
    ones are published no more."""
    delay = timedelta() if at_once else AHEAD
    ends = now() if at_once else now() + delay + AFTER
    for row in db.session.scalars(sa.select(LtiKey)):
        if at_once or row.published_until is None:
            row.published_until = ends
    row = _made(delay=delay)
    audit.record("lti_key.rotated", "lti_key", row.kid, actor_uid=actor_uid, at_once=at_once)
    return row


def known_keys() -> list[LtiKey]:
    """All keys, the newest first, for the administrator's page."""
    return list(db.session.scalars(sa.select(LtiKey).order_by(LtiKey.id.desc())))


def _made(*, delay: timedelta) -> LtiKey:
    private = rsa.generate_private_key(public_exponent=65537, key_size=BITS)
    kid = new_uid()
    jwk = json.loads(RSAAlgorithm.to_jwk(private.public_key()))
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    row = LtiKey(
        kid=kid,
        private_key={"pem": pem.decode("ascii")},
        public_jwk={"kty": jwk["kty"], "n": jwk["n"], "e": jwk["e"], "kid": kid, "alg": "RS256", "use": "sig"},
        signs_from=now() + delay,
    )
    db.session.add(row)
    db.session.flush()
    return row
