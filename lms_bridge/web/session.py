"""Who is looking: a thin wrapper over Flask-Login, with the person, their scope and language for every page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from flask import Flask, after_this_request, current_app, g, request, session
from flask_login import LoginManager, UserMixin, current_user, login_required, login_user, logout_user

from lms_bridge.core import i18n
from lms_bridge.core.access import Permission, Scope, Target
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.errors import NotFound
from lms_bridge.roster.accounts import account_for
from lms_bridge.roster.models import Account, Person
from lms_bridge.roster.scope import scope_for
from lms_bridge.roster.somebody import Identified
from lms_bridge.web import language

__all__ = [
    "current_person",
    "current_scope",
    "init_app",
    "provider",
    "require",
    "sign_in",
    "sign_out",
    "signed_in_required",
]


RENEWED = "renewed"
USER = "_user_id"
"""Under which name Flask-Login keeps in the session who is signed in."""
PROVIDER = "provider"
WHO = (
    sa.select(Person, Account)
    .join(Account, Account.person_id == Person.id)
    .where(Person.uid == sa.bindparam("uid"), Account.disabled_at.is_(None), Person.erased_at.is_(None))
)
"""Put together once, since every request asks it."""


LOOKS_ITSELF = frozenset({"door.enter"})
"""Views that ask who is signed in together with what they ask of their own: see :func:`claimed`."""


class SignedIn(UserMixin):  # type: ignore[misc]
    """The signed-in person as Flask-Login wants it: its id names person and session version, so that a new password
    ends every earlier session."""

    def __init__(self, person: Identified, session_version: int) -> None:
        self._person = person
        self.session_version = session_version

    @property
    def person(self) -> Person:
        """All of the person."""
        if not isinstance(self._person, Person):
            self._person = db.session.get_one(Person, self._person.id)
        return self._person

    def get_id(self) -> str:
        """What stands in the session cookie."""
        return f"{self._person.uid}:{self.session_version}"


def _load(session_id: str) -> SignedIn | None:
    uid, _, version = session_id.partition(":")
    row = db.session.execute(WHO, {"uid": uid}).first()
    if row is None or str(row[1].session_version) != version:
        return None
    return SignedIn(row[0], row[1].session_version)


def init_app(app: Flask) -> None:
    """Load the person of the session cookie, and the language, for every request."""
    manager = LoginManager(app)
    manager.login_view = "auth.sign_in_page"
    manager.login_message = None
    manager.session_protection = "basic"
    manager.user_loader(_load)

    @app.before_request
    def prepare() -> None:
        if request.endpoint == "static":
            return
        if request.endpoint in LOOKS_ITSELF:
            language.init_later(_somebody)
            return
        person = _somebody()
        if person is not None:
            renew()
        language.init_request(person)

    @app.context_processor
    def page_context() -> dict[str, Any]:
        from lms_bridge.web.navigation import navigation

        menu = "without_menu" not in g and current_user.is_authenticated
        person = current_user.person if menu else None
        return {
            "person": person,
            "locale": i18n.get_locale(),
            "nav": navigation(current_scope()) if menu else [],
            "may_have_keys": menu and current_scope().may(Permission.PLAN_READ),
        }


def _somebody() -> Person | None:
    # Nobody stands in most sessions of people who come from an LMS: they are asked for no user.
    return current_user.person if is_somebody() else None


def renew() -> None:
    """Let a session that is used live on. Not with every answer: a slow one would bring back an older session, also
    one that has been signed out since."""
    lifetime = current_app.permanent_session_lifetime.total_seconds()
    if now().timestamp() - session.get(RENEWED, 0) > lifetime / 8:
        session[RENEWED] = int(now().timestamp())


def sign_in(person: Identified, session_version: int | None = None, *, provider: str = "") -> None:
    """Begin a session for ``person``, the version of whose sessions the caller may have at hand; the language follows
    the person again. ``provider``: the identity provider by which they came."""
    session.clear()
    if provider:
        session[PROVIDER] = provider
    session.permanent = True
    session[RENEWED] = int(now().timestamp())
    after_this_request(language.forget)
    login_user(SignedIn(person, account_for(person).session_version if session_version is None else session_version))


def provider() -> str:
    """The identity provider by which the present session was begun; empty: another way."""
    return str(session.get(PROVIDER, ""))


def sign_out() -> None:
    """End the session."""
    logout_user()
    session.clear()


def claimed() -> tuple[str, int] | None:
    """The uid of a person and the version of their session, as the session cookie names them: signed by us once, and
    of no worth until both are looked up. None: it names nobody."""
    uid, _, version = str(session.get(USER, "")).partition(":")
    return (uid, int(version)) if version.isdecimal() else None


F = TypeVar("F", bound=Callable[..., Any])


def signed_in_required(view: F) -> F:
    """Sends those who are not signed in to the sign-in page, and back afterwards."""
    return cast(F, login_required(view))


def is_somebody() -> bool:
    """Whether somebody is signed in. Asked so, a session of nobody costs no look at the database."""
    return USER in session and bool(current_user.is_authenticated)


def current_person() -> Person:
    """The signed-in person; only within a view that is ``signed_in_required``."""
    person = current_user.person
    assert isinstance(person, Person)
    return person


def current_scope() -> Scope:
    """What the signed-in person may reach, read once for a request."""
    if "scope" not in g:
        g.scope = scope_for(current_person())
    scope = g.scope
    assert isinstance(scope, Scope)
    return scope


def require(permission: Permission, target: Target | None = None) -> Scope:
    """The current scope, if it holds ``permission`` for ``target`` (without a target: for anything at all).

    :raises NotFound: it does not.
    """
    scope = current_scope()
    if target is None:
        if not scope.may(permission):
            raise NotFound()
    else:
        scope.require(permission, target)
    return scope
