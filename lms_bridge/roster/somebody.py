"""A person as far as signing in needs them: read with one plain question, since hundreds come in the same minute."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from lms_bridge.core.database import db
from lms_bridge.roster.models import Account, Person, name_as_said


class Identified(Protocol):
    """Whoever can be signed in: a :class:`Person`, or :class:`Somebody` of whom no more was read."""

    @property
    def id(self) -> int: ...
    @property
    def uid(self) -> str: ...


class Somebody(NamedTuple):
    """A person, and their account: the columns of :data:`COLUMNS`."""

    id: int
    uid: str
    family_name: str
    given_name: str
    middle_name: str | None
    language: str
    zone: str | None
    session_version: int | None
    """None: they have no account yet."""
    switched_off: bool
    """Their account is."""

    @property
    def display_name(self) -> str:
        """The name as people say it."""
        return name_as_said(self.family_name, self.given_name, self.middle_name)

    def loaded(self) -> Person:
        """All of the person."""
        return db.session.get_one(Person, self.id)


COLUMNS = (
    Person.id,
    Person.uid,
    Person.family_name,
    Person.given_name,
    Person.middle_name,
    Person.language,
    Person.zone,
    Account.session_version,
    Account.disabled_at.is_not(None),
)
"""For a question that joins the account where there is one."""
