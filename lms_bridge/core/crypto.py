"""Encryption at rest with the installation's Fernet keys: the first encrypts, all decrypt (rotation)."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from lms_bridge.core.errors import ConfigurationError
from lms_bridge.core.i18n import N_

_box: MultiFernet | None = None


def configure(keys: Sequence[str]) -> None:
    """Use ``keys`` (url-safe base64 of 32 bytes each) from now on.

    :raises ConfigurationError: a key is not a Fernet key.
    """
    global _box
    try:
        _box = MultiFernet([Fernet(key) for key in keys])
    except ValueError:
        raise ConfigurationError(
            N_("LMS_BRIDGE_ENCRYPTION_KEYS holds a value that is not a key."),
            remedy=N_('Make one with "lms-bridge doctor --new-key".'),
        ) from None


def encrypt(text: str) -> str:
    """``text`` as a token that only this installation reads."""
    assert _box is not None, "crypto.configure() was not called"
    return _box.encrypt(text.encode("utf-8")).decode("ascii")


def decrypt(token: str) -> str:
    """The text of ``token``.

    :raises ConfigurationError: none of the keys fits, as when a key was lost.
    """
    assert _box is not None, "crypto.configure() was not called"
    try:
        return _box.decrypt(token.encode("ascii")).decode("utf-8")
    except InvalidToken:
        raise ConfigurationError(
            N_("A stored secret cannot be read with the keys in LMS_BRIDGE_ENCRYPTION_KEYS."),
            remedy=N_("Add the earlier key at the end of the list."),
        ) from None
