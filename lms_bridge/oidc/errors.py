"""Refusals of a sign-in by an identity provider, in words for the person who signs in; the reason is for logs."""

from __future__ import annotations

from typing import Any

from lms_bridge.core.errors import BridgeError
from lms_bridge.core.i18n import N_

AGAIN = N_("Begin the sign-in again, in this browser.")
ASK = N_("Ask the administrator of this service to look at its log (docs/sign-in.md), or sign in with your password.")


class SignInFailed(BridgeError):
    """The answer of the provider is not genuine, not for us, or not about what this browser began. ``reason`` is the
    name of the failed check: it says nothing about people, and holds no token."""

    code = "oidc_refused"
    status = 403

    def __init__(self, reason: str, message: str, *, remedy: str = AGAIN, **params: Any) -> None:
        super().__init__(message, remedy=remedy, **params)
        self.reason = reason


class ProviderSilent(SignInFailed):
    """The provider cannot be asked now, or answers what nobody can use."""

    code = "oidc_silent"
    status = 424
