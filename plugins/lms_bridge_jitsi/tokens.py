"""Names of rooms, and the tokens that open them.

Prosody looks at signature, ``iss``, ``aud``, ``exp``, ``sub`` and ``room``; nothing in ``context`` is checked, but its
user is told to everybody and comes back in events. All values there are strings: numbers or null make clients fail.
(lib-jitsi-meet doc/tokens.md; jitsi-meet resources/prosody-plugins: token/util, mod_token_affiliation)
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime
from typing import Any

import jwt

from lms_bridge.core.plugins import Attendee, RoomRole
from lms_bridge_jitsi.settings import JitsiSettings

NAME_BYTES = 15


def room_name(settings: JitsiSettings, key: str) -> str:
    """The room of a meeting: always the same, and not to be guessed by who knows the lesson."""
    digest = hmac.digest(settings.signing_key.encode(), f"lms-bridge jitsi room {key}".encode(), hashlib.sha256)[
        :NAME_BYTES
    ]
    return f"{key}-{base64.b32encode(digest).decode().lower()}"


def person(attendee: Attendee) -> dict[str, str]:
    """The user of a token. The moderator's right is named only in a moderator's token: where a plugin asks merely
    whether it is there, the word "false" counts as true. (mod_token_affiliation makes ``owner`` a moderator.)"""
    user = {"id": attendee.uid, "name": attendee.display_name}
    if attendee.role is RoomRole.LEADER:
        rights = {"affiliation": "owner", "moderator": "true"}
        return user | rights | ({"email": attendee.email} if attendee.email else {})
    return user | {"affiliation": "member"}


def sign(settings: JitsiSettings, room: str, user: dict[str, str], expires: datetime) -> str:
    """A token for one person and one room; never for all rooms."""
    claims: dict[str, Any] = {
        "iss": settings.app_id,
        "aud": settings.audience,
        "sub": settings.tenant or settings.domain,
        "room": room,
        "exp": int(expires.timestamp()),
        "context": {"user": user},
    }
    return jwt.encode(
        claims,
        settings.signing_key,
        algorithm=settings.algorithm.value,
        headers={"kid": settings.key_id} if settings.key_id else None,
    )


def key_file(key_id: str) -> str:
    """The name under which Prosody looks for the public half of a key at its ``asap_key_server``."""
    return hashlib.sha256(key_id.encode()).hexdigest() + ".pem"
