"""Sign-in with a password or a signed link; argon2id as recommended by RFC 9106."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from argon2.profiles import RFC_9106_LOW_MEMORY

from lms_bridge.core import audit, links
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, insert_into
from lms_bridge.core.errors import BridgeError
from lms_bridge.core.i18n import N_
from lms_bridge.roster.models import Account, Person
from lms_bridge.roster.somebody import Identified, Somebody

_hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)


class SignInRefused(BridgeError):
    """Wrong name or password (never which), or a disabled account."""

    code = "sign_in_refused"
    status = 403


def configure(profile: str) -> None:
    """``strong`` for people, ``fast`` for tests."""
    global _hasher
    _hasher = (
        PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
        if profile == "fast"
        else PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
    )


def set_password(person: Person, login: str, password: str) -> Account:
    """Give ``person`` a login name and password; every earlier session of theirs ends."""
    account = db.session.scalar(sa.select(Account).filter_by(person_id=person.id))
    if account is None:
        account = Account(person_id=person.id, login=login, session_version=0)
        db.session.add(account)
    account.login = login
    account.password_hash = _hasher.hash(password)
    account.session_version += 1
    db.session.flush()
    return account


def account_for(person: Identified) -> Account:
    """The account of a person, made without a password when there is none (sign-in by link)."""
    account = db.session.scalar(sa.select(Account).filter_by(person_id=person.id))
    if account is None:
        # Two first sign-ins at once make one account. They may meet at either of its unique columns: the login is made
        # from the person.
        db.session.execute(
            insert_into(Account).values(person_id=person.id, login=f"person-{person.uid}").on_conflict_do_nothing()
        )
        account = db.session.scalars(sa.select(Account).filter_by(person_id=person.id)).one()
    return account


def session_version_of(person: Somebody) -> int:
    """The version of the person's sessions; an account is made for somebody who has none."""
    return person.session_version if person.session_version is not None else account_for(person).session_version


def sign_in(login: str, password: str) -> Person:
    """The person of a login name and password.

    :raises SignInRefused: they do not fit. Takes as long for unknown names as for wrong passwords.
    """
    account = db.session.scalar(sa.select(Account).filter_by(login=login.strip()))
    stored = account.password_hash if account is not None else None
    try:
        _hasher.verify(stored or _hasher.hash("nobody"), password)
        fits = stored is not None
    except (VerifyMismatchError, InvalidHashError):
        fits = False
    if account is None or not fits or account.disabled_at is not None:
        raise SignInRefused(
            N_("Name or password is not right."), remedy=N_("Check both, or ask your school for a sign-in link.")
        )
    if stored is not None and _hasher.check_needs_rehash(stored):
        account.password_hash = _hasher.hash(password)
    person = db.session.get_one(Person, account.person_id)
    audit.record("sign_in", "person", person.uid, actor_uid=person.uid, by="password")
    return person


def sign_in_token(person: Person) -> str:
    """A short-lived, single-use token that signs ``person`` in."""
    return links.sign("sign-in", {"p": person.uid})


def sign_in_by_token(token: str, max_age: timedelta) -> Person:
    """The person of a sign-in link; the link is consumed.

    :raises LinkRefused: forged, old or used.
    """
    data = links.verify("sign-in", token, max_age=max_age, once=True)
    person = db.session.scalar(sa.select(Person).filter_by(uid=data["p"]))
    if person is None or person.erased_at is not None:
        raise links.LinkRefused(N_("This link is for somebody who is not here any more."))
    account = account_for(person)
    if account.disabled_at is not None:
        raise links.LinkRefused(N_("This account is switched off."), remedy=N_("Ask your school."))
    audit.record("sign_in", "person", person.uid, actor_uid=person.uid, by="link", at=now().isoformat())
    return person
