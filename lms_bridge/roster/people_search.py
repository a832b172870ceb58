"""Whom an administrator may mean by some words, among the people of one organisation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from lms_bridge.core.database import db
from lms_bridge.core.errors import NotFound
from lms_bridge.roster.models import Organisation, Person, RoleAssignment
from lms_bridge.roster.scope import today, valid


def find_people(organisation_id: int, words: str, *, most: int = 20) -> list[Person]:
    """Whom an administrator may mean by ``words``: people of the organisation or below it whose number begins so, or
    whose name has each word in it, or if there are none, at least one of the words. One who has just that number comes
    first."""
    wanted = words.split()
    return (_found(organisation_id, words.strip(), sa.and_, wanted, most) or
            _found(organisation_id, words.strip(), sa.or_, wanted, most)) if wanted else []  # fmt: skip


def _found(organisation_id: int, words: str, joined: Callable[..., Any], wanted: list[str], most: int) -> list[Person]:
    both = Person.family_name + Person.given_name
    named = joined(*(both.icontains(word, autoescape=True) for word in wanted))
    exactly = sa.case((Person.number == words, 0), else_=1)
    numbered = Person.number.istartswith(words, autoescape=True)
    query = _people_of(organisation_id).where(sa.or_(named, numbered))
    return list(
        db.session.scalars(query.order_by(exactly, Person.family_name, Person.given_name, Person.id).limit(most))
    )


def person_within(organisation_id: int, uid: str) -> Person:
    """The person with this uid, if they belong to the organisation or one below it.

    :raises NotFound: they do not, or there is nobody with that uid.
    """
    found = db.session.scalar(_people_of(organisation_id).where(Person.uid == uid))
    if found is None:
        raise NotFound()
    return found


def _people_of(organisation_id: int) -> sa.Select[Person]:
    base = db.session.get_one(Organisation, organisation_id).path
    inside = (
        sa.select(RoleAssignment.person_id)
        .join(Organisation, Organisation.id == RoleAssignment.organisation_id)
        .where(valid(RoleAssignment, today()), Organisation.path.startswith(base, autoescape=True))
    )
    return sa.select(Person).where(Person.id.in_(inside), Person.erased_at.is_(None))
