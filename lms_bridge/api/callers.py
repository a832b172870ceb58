"""Who calls: the person of the key in ``Authorization: Bearer``, with their scope and language."""

from __future__ import annotations

import logging

from apiflask import HTTPTokenAuth
from flask import g, request

from lms_bridge.api.problems import problem
from lms_bridge.core import i18n
from lms_bridge.core.access import Permission, Scope, Target
from lms_bridge.core.database import transaction
from lms_bridge.core.errors import Forbidden, NotFound
from lms_bridge.core.i18n import N_, gettext
from lms_bridge.roster.api_tokens import holder
from lms_bridge.roster.models import ApiToken, Person
from lms_bridge.roster.scope import scope_for

log = logging.getLogger(__name__)

auth = HTTPTokenAuth(description='A key made on the page "API keys" or with `lms-bridge token create`.')


@auth.verify_token  # type: ignore[untyped-decorator]
def _verify(key: str) -> ApiToken | None:
    with transaction():
        token = holder(key)
        if token is None:
            log.warning("api key refused from %s", request.remote_addr)
            return None
        g.api_scope = scope_for(token.person)
    if not request.accept_languages:
        i18n.set_locale(token.person.language)
    return token


@auth.error_handler  # type: ignore[untyped-decorator]
def _refused(status: int) -> object:
    answer = problem(status, gettext("A key is needed that is in force: Authorization: Bearer lmsb_…"))
    answer.headers["WWW-Authenticate"] = 'Bearer realm="LMS Bridge"'
    return answer


def caller() -> Person:
    """The person of the key."""
    token = auth.current_user
    assert isinstance(token, ApiToken)
    return token.person


def require(permission: Permission, target: Target | None = None) -> Scope:
    """The caller's scope, if it holds ``permission`` for ``target`` (without one: for anything at all).

    :raises NotFound: it does not. :raises Forbidden: the request changes something, and the key may only read.
    """
    scope: Scope = g.api_scope
    token = auth.current_user
    assert isinstance(token, ApiToken)
    if request.method not in ("GET", "HEAD") and not token.may_write:
        raise Forbidden(N_("This key may only read."), remedy=N_("Make one that may also change things."))
    if target is not None:
        scope.require(permission, target)
    elif not scope.may(permission):
        raise NotFound()
    return scope
