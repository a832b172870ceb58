"""Opaque public identifiers: what addresses, calendars and other systems see instead of row numbers."""

from __future__ import annotations

import base64
import secrets


def new_uid() -> str:
    """A random identifier of 100 bits: 20 lower-case letters and digits, safe in addresses, rooms and file names."""
    return base64.b32encode(secrets.token_bytes(13)).decode("ascii").lower()[:20]


def new_token() -> str:
    """A random secret of 192 bits for a personal address; unguessable, 32 address-safe characters."""
    return secrets.token_urlsafe(24)
