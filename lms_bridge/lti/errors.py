"""Refusals of LTI, in words that an administrator of an LMS understands; the code names the check that failed."""

from __future__ import annotations

from typing import Any

from lms_bridge.core.errors import BridgeError
from lms_bridge.core.i18n import N_

AGAIN = N_("Open the activity from the course page again.")
ASK = N_("Ask the administrator to compare the registration in the LMS with the one here (docs/lti.md).")


class LtiRefused(BridgeError):
    """A login or launch is not genuine, not complete, or not for us. ``reason`` is the name of the failed check, for
    logs: it says nothing about people, and no token."""

    code = "lti_refused"
    status = 403

    def __init__(self, reason: str, message: str, *, remedy: str = AGAIN, **params: Any) -> None:
        super().__init__(message, remedy=remedy, **params)
        self.reason = reason


class BadLtiRequest(LtiRefused):
    """What came is no login or launch at all: a parameter is missing or cannot be read."""

    code = "lti_incomplete"
    status = 400


class PlatformSilent(BridgeError):
    """The platform did not answer, or answered what nobody can use. Jobs try again; a page says so."""

    code = "lti_platform_silent"
    status = 424


class PlatformRefused(BridgeError):
    """The platform answered that it will not: a scope is missing, the key is unknown, the thing is gone."""

    code = "lti_platform_refused"
    status = 424
