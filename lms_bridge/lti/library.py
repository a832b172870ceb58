"""The one place that knows pylti1p3next: its checks of messages, its deep links, and its clients of NRPS and AGS.

What it does not do stands beside it: requests with limits (:mod:`lms_bridge.lti.requests_out`), tokens kept for each
platform and set of scopes, and refusals in our own words.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

import requests
from pylti1p3.assignments_grades import AssignmentsGradesService
from pylti1p3.deep_link import DeepLink
from pylti1p3.deep_link_resource import DeepLinkResource
from pylti1p3.exception import LtiException
from pylti1p3.grade import Grade
from pylti1p3.lineitem import LineItem
from pylti1p3.message_validators.deep_link import DeepLinkMessageValidator
from pylti1p3.message_validators.resource_message import ResourceMessageValidator
from pylti1p3.names_roles import NamesRolesProvisioningService
from pylti1p3.registration import Registration
from pylti1p3.service_connector import ServiceConnector

from lms_bridge.core.i18n import N_
from lms_bridge.lti import claims as reading
from lms_bridge.lti.errors import ASK, LtiRefused, PlatformRefused, PlatformSilent
from lms_bridge.lti.keys import SigningKey
from lms_bridge.lti.models import LtiPlatform
from lms_bridge.lti.requests_out import BoundedSession, understood

__all__ = [
    "AssignmentsGradesService", "DeepLinkResource", "Grade", "LineItem", "LtiException",
    "NamesRolesProvisioningService", "PlatformConnector", "check_message", "deep_link_answer",
]  # fmt: skip

VALIDATORS = {
    reading.RESOURCE_LINK: ResourceMessageValidator(),
    reading.DEEP_LINK: DeepLinkMessageValidator(),
}
EARLY = 30
"""A token is asked for anew so many seconds before its end."""


def check_message(claims: Mapping[str, Any]) -> None:
    """Pass silently when the message is one that we take and has what its kind needs.

    :raises LtiRefused: it is of another kind, or lacks something.
    """
    kind = claims.get(f"{reading.CLAIM}message_type")
    validator = VALIDATORS.get(kind) if isinstance(kind, str) else None
    if validator is None:
        raise LtiRefused("message_type", N_("The LMS asks for something that this tool does not do."), remedy=ASK)
    try:
        validator.validate(claims)
    except (LtiException, AttributeError, TypeError) as error:
        missing = str(error) if isinstance(error, LtiException) else type(error).__name__
        raise LtiRefused(
            "message", N_("The LMS left something out (%(missing)s)."), remedy=ASK, missing=missing[:100]
        ) from None


def deep_link_answer(
    platform: LtiPlatform, key: SigningKey, deployment_id: str, settings: Mapping[str, Any],
    items: Sequence[DeepLinkResource],
) -> str:  # fmt: skip
    """The signed message that tells the platform what a teacher picked."""
    answer = DeepLink(_registration(platform, key), deployment_id, dict(settings))  # type: ignore[arg-type]
    message = answer.get_message_jwt(items)
    if settings.get("data") is None:
        message.pop("https://purl.imsglobal.org/spec/lti-dl/claim/data", None)
    return str(answer.encode_jwt(message))  # type: ignore[no-untyped-call]


def _registration(platform: LtiPlatform, key: SigningKey) -> _Registration:
    found = _Registration(key.kid)
    found.set_issuer(platform.issuer).set_client_id(platform.client_id).set_auth_token_url(platform.token_url)
    found.set_tool_private_key(key.private_pem)
    if platform.token_audience:
        found.set_auth_audience(platform.token_audience)
    return found


class _Registration(Registration):
    """A registration whose key id is ours: the library's own would be the key's thumbprint."""

    def __init__(self, kid: str) -> None:
        self._kid = kid

    def get_kid(self) -> str:
        return self._kid


class PlatformConnector(ServiceConnector):
    """Speaks to one platform's services. Tokens are kept by platform and scopes until shortly before their end; one
    that the platform does not take any more is asked for anew, once."""

    _tokens: dict[str, tuple[str, float]] = {}  # noqa: RUF012 - shared by all connectors of this process
    _lock = threading.Lock()

    def __init__(self, platform: LtiPlatform, key: SigningKey) -> None:
        super().__init__(_registration(platform, key), BoundedSession())
        self._platform_uid = platform.uid

    def _scope_key(self, scopes: Any) -> str:
        # The library's key leaves the client id out: two registrations of one issuer would share tokens.
        return "|".join([self._platform_uid, *sorted(scopes)])

    def _get_cached_access_token(self, scope_key: str) -> str | None:
        token, until = self._tokens.get(scope_key, ("", 0.0))
        return token if until > time.monotonic() else None

    def _cache_access_token(self, scope_key: str, access_token: str, expires_in: float) -> None:
        with self._lock:
            self._tokens[scope_key] = (access_token, time.monotonic() + max(0.0, float(expires_in) - EARLY))

    def _forget(self, scopes: Sequence[str]) -> bool:
        with self._lock:
            return self._tokens.pop(self._scope_key(scopes), None) is not None

    def get_access_token(self, scopes: Sequence[str]) -> str:
        """As the library does it, with our refusals."""
        try:
            return super().get_access_token(scopes)
        except (LtiException, KeyError, TypeError, ValueError, requests.RequestException) as error:
            answer = getattr(error, "response", None)
            if answer is not None:
                understood(answer)
            raise PlatformRefused(N_("The LMS gives no access to its service."), remedy=ASK) from None

    def make_service_request(self, scopes: Sequence[str], url: str, **more: Any) -> Any:
        """As the library does it, with our refusals.

        :raises PlatformSilent: no usable answer; trying later may help.
        :raises PlatformRefused: it will not; ``params["status"]`` is the HTTP status.
        """
        kept = self._get_cached_access_token(self._scope_key(scopes)) is not None
        try:
            return super().make_service_request(scopes, url, **more)
        except LtiException as error:
            answer = getattr(error, "response", None)
            if answer is None:
                raise PlatformSilent(N_("The LMS answers with something else than data.")) from None
            if answer.status_code == 401 and kept and self._forget(scopes):
                return self.make_service_request(scopes, url, **more)
            understood(answer)
            raise PlatformSilent(N_("The LMS answers with something else than data.")) from None
        except ValueError:
            raise PlatformSilent(N_("The LMS answers with something else than data.")) from None
