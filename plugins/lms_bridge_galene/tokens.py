"""Who may do what in a group: the key of a group, and the tokens that are signed with it.

Galene takes the permissions of a token word for word (``op`` does not imply the others, as it does for users that are
defined in a group) and shows them to everybody inside, together with the name. So one more "permission" carries the
person's id, encrypted with the group's key: the observer knows whom it sees, also where two people have one name, and
classmates see a row of letters. (galene.md, "Authentication"; token/jwt.go; rtpconn/webclient.go, ``pushClientAction``)
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import jwt
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from lms_bridge.core.plugins import RoomRole

ALGORITHM = "HS256"
KEY_BYTES = 32
"""Galene takes exactly this length for HS256."""

MARKER = "lms-bridge:"
OURS = "lms-bridge-observer"
"""Permission of LMS Bridge's own connections, by which they know one another."""

OPERATOR = ("op", "present", "message", "caption")
PERMISSIONS = {
    RoomRole.LEADER: OPERATOR,
    RoomRole.PARTICIPANT: ("present", "message"),
    RoomRole.OBSERVER: (),
}
"""What each role may do; with none, a person sees and hears."""


def new_key() -> str:
    """A random key for one group, as a JWK writes it."""
    return _text(secrets.token_bytes(KEY_BYTES))


def key_set(key: str) -> dict[str, Any]:
    """The JSON Web Key Set that Galene is given."""
    return {"keys": [{"kty": "oct", "alg": ALGORITHM, "k": key, "kid": _key_id(key)}]}


def sign(key: str, audience: str, name: str, permissions: Iterable[str], expires: datetime) -> str:
    """A token that lets its bearer into the group at ``audience`` under ``name``, and no other name, until
    ``expires``. No time of issue: Galene would refuse one from a clock that is six seconds ahead of its own."""
    claims = {"sub": name, "aud": audience, "permissions": list(permissions), "exp": int(expires.timestamp())}
    return jwt.encode(claims, _bytes(key), algorithm=ALGORITHM, headers={"kid": _key_id(key)})


def marked(key: str, uid: str) -> str:
    """The permission by which the observer knows the person."""
    return MARKER + _text(_cipher(key).encrypt(uid.encode(), None))


def person_of(key: str, permissions: Sequence[str]) -> str | None:
    """The id of the person who was let in with these permissions; None: not by a token of ours."""
    for permission in permissions:
        if permission.startswith(MARKER):
            try:
                return _cipher(key).decrypt(_bytes(permission[len(MARKER) :]), None).decode()
            except (InvalidTag, ValueError):
                return None
    return None


def shown_name(name: str) -> str:
    """``name`` as Galene takes it: names that could be read as a path are refused."""
    plain = " ".join("".join("∕" if c in "/\\" else c for c in name).split())
    return plain if plain.strip(".") else f"({plain})"


def _cipher(key: str) -> AESSIV:
    return AESSIV(_derived(key, b"marker"))


def _derived(key: str, purpose: bytes) -> bytes:
    return hmac.digest(_bytes(key), b"lms-bridge galene " + purpose, hashlib.sha256)


def _key_id(key: str) -> str:
    return _derived(key, b"id").hex()[:16]


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
