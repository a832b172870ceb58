"""Whom of the roster an LMS or an identity provider means: by the roster's own identifier, else as bound before, else
by number where the provider names one, else by e-mail if allowed.

It proves who somebody is; what they may do here is decided by the roster alone. It speaks for the people of its
organisation and those below it; nobody with an administrator's or researcher's role beyond that organisation is let in
by it, or the LMS of one school could hand out the keys of all.
"""

from __future__ import annotations

import enum
from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import sqlalchemy as sa

from lms_bridge.core import audit
from lms_bridge.core.access import Role
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.errors import Forbidden, InputError, NotFound
from lms_bridge.core.i18n import N_
from lms_bridge.core.models import ExternalId
from lms_bridge.roster.models import Account, ContactKind, ContactPoint, Organisation, Person, RoleAssignment, Stranger
from lms_bridge.roster.scope import today, valid

PERSON = "person"
ROSTERS = "oneroster:%"
"""The systems whose identifiers an LMS may repeat to us; the numbers of another LMS mean nothing here."""
WIDE = frozenset({Role.ADMINISTRATOR, Role.RESEARCHER})

# The questions of every launch, put together once, since hundreds come in the minute before a lesson. Each row is a
# person with their account and one of their roles of today, and whether that is in the LMS's organisation or below it.
_INSIDE = Organisation.path.startswith(
    sa.select(Organisation.path).where(Organisation.id == sa.bindparam("organisation")).scalar_subquery()
)
_PEOPLE = (
    sa.select(Person, Account, RoleAssignment.role, _INSIDE)
    .outerjoin(Account, Account.person_id == Person.id)
    .outerjoin(
        RoleAssignment, sa.and_(RoleAssignment.person_id == Person.id, valid(RoleAssignment, sa.bindparam("day")))
    )
    .outerjoin(Organisation, Organisation.id == RoleAssignment.organisation_id)
    .where(Person.erased_at.is_(None))
)
BY_IDENTIFIER = (
    _PEOPLE.add_columns(ExternalId.system)
    .join(ExternalId, sa.and_(ExternalId.entity_id == Person.id, ExternalId.entity == PERSON))
    .where(
        ExternalId.key.in_((sa.bindparam("subject"), sa.bindparam("sourcedid"))),
        sa.or_(
            sa.and_(ExternalId.system == sa.bindparam("system"), ExternalId.key == sa.bindparam("subject")),
            sa.and_(ExternalId.system.like(ROSTERS), ExternalId.key == sa.bindparam("sourcedid")),
        ),
    )
)
BY_NUMBER = _PEOPLE.where(Person.number == sa.bindparam("number"))
BY_EMAIL = _PEOPLE.join(ContactPoint, ContactPoint.person_id == Person.id).where(
    ContactPoint.kind == ContactKind.EMAIL,
    sa.func.lower(ContactPoint.address) == sa.bindparam("email"),
    ContactPoint.valid_to.is_(None),
)


class By(enum.StrEnum):
    """How a person was found."""

    SOURCEDID = "sourcedid"
    BOUND = "bound"
    NUMBER = "number"
    EMAIL = "email"


@dataclass(frozen=True)
class Found:
    """The person whom the LMS means, how that is known, their account if they have one, and whether the LMS's user is
    bound to them already."""

    person: Person
    by: By
    account: Account | None
    bound: bool


class Source(Protocol):
    """An LMS or an identity provider: its system in ``external_id``, its name, for whom it speaks, and whether e-mail
    addresses that it names may find somebody."""

    @property
    def system(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def organisation_id(self) -> int: ...
    @property
    def email_counts(self) -> bool: ...


class Said(Protocol):
    """What a source says of a person; texts are empty where it says nothing."""

    @property
    def subject(self) -> str: ...
    @property
    def person_sourcedid(self) -> str: ...
    @property
    def number(self) -> str: ...
    @property
    def email(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def context_title(self) -> str: ...
    @property
    def says_teacher(self) -> bool: ...


def person_of(said: Said, source: Source) -> Found | None:
    """The person whom ``source`` means; None: nobody of the roster, or not surely one.

    :raises Forbidden: it is somebody for whom the source may not speak, or whose account is switched off.
    """
    rows = _candidates(said, source)
    bound = {row.person.id for row in rows if row.by is By.BOUND}
    within = {row.person.id for row in rows if row.inside}
    wide = {row.person.id for row in rows if not row.inside and row.role in WIDE}
    for how in By:
        people = {row.person.id: row for row in rows if row.by is how and row.person.id in within}
        if len(people) == 1:
            row = people.popitem()[1]
            _check(row.account, wide_elsewhere=row.person.id in wide)
            return Found(row.person, how, row.account, bound=bound == {row.person.id})
        if people:
            return None  # Two people with one identifier: a guess would let one in as the other.
    return None


class _Candidate(NamedTuple):
    person: Person
    account: Account | None
    role: Role | None
    inside: bool | None
    by: By


def _candidates(said: Said, source: Source) -> list[_Candidate]:
    """Everybody whom the first rule that finds anybody finds, once for each of their roles of today; for most people
    that is one question."""
    about = {"organisation": source.organisation_id, "day": today()}
    # An empty identifier is nobody's: it is asked for as the subject, which is never empty.
    names = {"subject": said.subject, "sourcedid": said.person_sourcedid or said.subject, "system": source.system}
    found = [
        _Candidate(row[0], row[1], row[2], row[3], By.BOUND if row[4] == source.system else By.SOURCEDID)
        for row in db.session.execute(BY_IDENTIFIER, about | names)
        if said.person_sourcedid or row[4] == source.system
    ]
    if not found and said.number:
        rows = db.session.execute(BY_NUMBER, about | {"number": said.number})
        found = [_Candidate(row[0], row[1], row[2], row[3], By.NUMBER) for row in rows]
    if not found and source.email_counts and said.email:
        rows = db.session.execute(BY_EMAIL, about | {"email": said.email.lower()})
        found = [_Candidate(row[0], row[1], row[2], row[3], By.EMAIL) for row in rows]
    return found


def _check(account: Account | None, *, wide_elsewhere: bool) -> None:
    if account is not None and account.disabled_at is not None:
        raise Forbidden(N_("This account is switched off."), remedy=N_("Ask your school."))
    if wide_elsewhere:
        raise Forbidden(
            N_("Your role reaches beyond this LMS, so it cannot sign you in."),
            remedy=N_("Sign in to LMS Bridge itself, with your own name and password."),
        )


def remember(source: Source, said: Said, found: Found) -> None:
    """Bind the source's user to the person, so that they are found later without the identifier; what was noted of
    them as a stranger goes. In a transaction of the caller's."""
    if not found.bound:
        _bind(source.system, said.subject, found.person)


def note_stranger(source: Source, said: Said) -> Stranger:
    """Put somebody whom nobody knows on the administrator's list, once."""
    row = db.session.scalar(sa.select(Stranger).filter_by(system=source.system, subject=said.subject))
    about = {
        "name": said.name, "email": said.email, "sourcedid": said.person_sourcedid or said.number,
        "course": said.context_title, "teacher": said.says_teacher,
    }  # fmt: skip
    if row is None:
        row = Stranger(system=source.system, subject=said.subject)
        db.session.add(row)
    else:
        row.tries, row.last_at = row.tries + 1, now()
    row.about, row.sent_by, row.organisation_id = about, source.name, source.organisation_id
    db.session.flush()
    return row


def strangers_of(organisation_ids: Collection[int]) -> list[Stranger]:
    """Who was sent to these organisations and waits to be bound, the latest first."""
    return list(
        db.session.scalars(
            sa.select(Stranger)
            .where(Stranger.organisation_id.in_(organisation_ids))
            .order_by(Stranger.last_at.desc())
            .limit(500)
        )
    )


def bind(stranger: Stranger, number: str, *, actor_uid: str) -> Person:
    """Say which person of the roster a stranger is, by the person's number; it holds from now on.

    :raises InputError: no person of the organisation that they were sent to has that number, or several have.
    """
    base = db.session.get_one(Organisation, stranger.organisation_id).path
    people = db.session.scalars(
        sa.select(Person)
        .join(RoleAssignment, RoleAssignment.person_id == Person.id)
        .join(Organisation, Organisation.id == RoleAssignment.organisation_id)
        .where(
            Person.number == number.strip(), Person.erased_at.is_(None), valid(RoleAssignment, today()),
            Organisation.path.startswith(base, autoescape=True),
        )
        .distinct()
        .limit(2)
    ).all()  # fmt: skip
    if len(people) != 1:
        raise InputError(
            N_("No person has the number “%(number)s” here.") if not people
            else N_("Several people have the number “%(number)s”."),
            remedy=N_("Look the number up in the roster."), number=number.strip()[:60],
        )  # fmt: skip
    _bind(stranger.system, stranger.subject, people[0])
    audit.record(
        "remote_user.bound", "person", people[0].uid, actor_uid=actor_uid, organisation_id=stranger.organisation_id,
        system=stranger.system,
    )  # fmt: skip
    return people[0]


def stranger_named(uid: str) -> Stranger:
    """The stranger with this public id.

    :raises NotFound: there is none (any more).
    """
    row = db.session.scalar(sa.select(Stranger).filter_by(uid=uid))
    if row is None:
        raise NotFound()
    return row


def _bind(system: str, subject: str, person: Person) -> None:
    row = db.session.scalar(sa.select(ExternalId).filter_by(entity=PERSON, system=system, key=subject))
    if row is None:
        db.session.add(ExternalId(entity=PERSON, entity_id=person.id, system=system, key=subject))
        audit.record("remote_user.known", "person", person.uid, actor_uid=None, system=system)
    elif row.entity_id != person.id:
        row.entity_id = person.id
    db.session.execute(sa.delete(Stranger).filter_by(system=system, subject=subject))
    db.session.flush()


def classes_of(sourcedid: str) -> list[int]:
    """The ids of the classes that a roster names so: the course of an LMS that carries this identifier."""
    if not sourcedid:
        return []
    return list(
        db.session.scalars(
            sa.select(ExternalId.entity_id).where(
                ExternalId.entity == "class_group", ExternalId.key == sourcedid, ExternalId.system.like(ROSTERS)
            )
        )
    )
