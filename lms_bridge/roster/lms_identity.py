"""Whom of the roster an LMS or an identity provider means: by the roster's own identifier, else as bound before, else
by the school's number, else by e-mail if allowed.

It proves who somebody is; what they may do here is decided by the roster alone. It speaks for the people of its
organisation and those below it; nobody whose work reaches other people beyond that organisation is let in by it, or the
LMS of one school could hand out the keys of all. Nor may a user whom it bound to one person come back as another.
"""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import sqlalchemy as sa

from lms_bridge.core import audit, database
from lms_bridge.core.access import Role
from lms_bridge.core.database import db, insert_into
from lms_bridge.core.errors import Forbidden
from lms_bridge.core.i18n import N_
from lms_bridge.core.models import ExternalId
from lms_bridge.roster.models import (
    Account,
    ContactKind,
    ContactPoint,
    Organisation,
    Person,
    RoleAssignment,
    Stranger,
)
from lms_bridge.roster.scope import today, valid
from lms_bridge.roster.somebody import COLUMNS, Identified, Somebody

PERSON = "person"
ROSTERS = sa.literal("oneroster:%", literal_execute=True)
"""The systems whose identifiers an LMS may repeat to us; the numbers of another LMS mean nothing here. It stands in the
statement: SQLite prepares one with another pattern for LIKE anew each time, three times the time of the question."""
WIDE = frozenset(Role) - {Role.STUDENT, Role.GUARDIAN}
"""Roles by which somebody reaches what is others': held elsewhere, they are not for this source to hand out."""

# The questions of every launch and of every page of a class list, put together once, since hundreds come in the minute
# before a lesson. Each row is a person with their account and one of their roles of today, whether that is in the LMS's
# organisation or below it, and by which key they were found.
_INSIDE = Organisation.path.startswith(
    sa.select(Organisation.path).where(Organisation.id == sa.bindparam("organisation")).scalar_subquery()
)
_PEOPLE = (
    sa.select(*COLUMNS, RoleAssignment.role, _INSIDE)
    .outerjoin(Account, Account.person_id == Person.id)
    .outerjoin(
        RoleAssignment, sa.and_(RoleAssignment.person_id == Person.id, valid(RoleAssignment, sa.bindparam("day")))
    )
    .outerjoin(Organisation, Organisation.id == RoleAssignment.organisation_id)
    .where(Person.erased_at.is_(None))
)
_CARRIED = (
    sa.select(ExternalId.entity_id, ExternalId.key, ExternalId.system)
    .where(
        ExternalId.entity == PERSON,
        ExternalId.key.in_(sa.bindparam("keys", expanding=True)),
        sa.or_(ExternalId.system == sa.bindparam("system"), ExternalId.system.like(ROSTERS)),
    )
    .cte("carried")
    .prefix_with("MATERIALIZED", dialect="postgresql")
)
"""Looked up first, by its index: PostgreSQL may take it for cheaper to go through everybody's identifiers."""
BY_IDENTIFIER = _PEOPLE.add_columns(_CARRIED.c.key, _CARRIED.c.system).join(_CARRIED, _CARRIED.c.entity_id == Person.id)
BY_NUMBER = _PEOPLE.add_columns(Person.number).where(
    Person.number.in_(sa.bindparam("numbers", expanding=True)),
    Person.id.not_in(
        sa.select(ExternalId.entity_id).where(ExternalId.entity == PERSON, ExternalId.system == sa.bindparam("system"))
    ),
)
"""An LMS may give the school's number instead of the roster's identifier: Moodle has one field for both. Nobody is
meant who is another user of the source already: a number that two of its users carry lets in only the first."""

_ADDRESS = sa.func.lower(ContactPoint.address)
BY_EMAIL = (
    _PEOPLE.add_columns(_ADDRESS)
    .join(ContactPoint, ContactPoint.person_id == Person.id)
    .where(
        ContactPoint.kind == ContactKind.EMAIL,
        _ADDRESS.in_(sa.bindparam("addresses", expanding=True)),
        ContactPoint.valid_to.is_(None),
    )
)


class By(enum.StrEnum):
    """How a person was found."""

    SOURCEDID = "sourcedid"
    BOUND = "bound"
    NUMBER = "number"
    EMAIL = "email"


@dataclass(frozen=True)
class Found:
    """The person whom the LMS means, how that is known, and whether the LMS's user is bound to them already."""

    person: Somebody
    by: By
    bound: bool


class NotLetIn(Forbidden):
    """A source means a person for whom it may not speak, or whose account is switched off."""

    def __init__(self, person: Somebody, message: str, remedy: str) -> None:
        super().__init__(message, remedy=remedy)
        self.person = person


class AnotherPerson(Forbidden):
    """A user whom the source bound to one person now carries another person's identifier: an identifier that users may
    change themselves, or an account that was handed on. Which it is, an administrator has to say."""

    reason = "another_person"

    def __init__(self, source: Source, said: Said, *, bound: Somebody, named: Somebody) -> None:
        super().__init__(
            N_("%(source)s says now that you are somebody else than before."), source=source.name,
            remedy=N_(
                "Ask your school: it must correct your ID number there, or say who you are (System, Unmatched people)."
            ),
        )  # fmt: skip
        self.source, self.said, self.bound, self.named = source, said, bound, named


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


Answer = Found | NotLetIn | AnotherPerson | None
"""The person whom a source means, why they are not let in, or None: nobody of the roster, or not surely one."""


def person_of(said: Said, source: Source) -> Found | None:
    """The person whom ``source`` means; None: nobody of the roster, or not surely one.

    :raises NotLetIn: it is somebody for whom the source may not speak, or whose account is switched off.
    :raises AnotherPerson: the user is bound to one person and carries another's identifier; to be noted by
        :func:`note_another` once the transaction has been rolled back.
    """
    (answer,) = people_of([said], source)
    if isinstance(answer, Forbidden):
        raise answer
    return answer


def people_of(all_said: Sequence[Said], source: Source) -> list[Answer]:
    """For each of them whom ``source`` means, by the rules for one; some hundred with as many questions as for one.
    Each is judged as if alone: whether two of them carry one number is for the caller to see."""
    found = _candidates(all_said, source)
    return [_judged(said, rows, source) for said, rows in zip(all_said, found, strict=True)]


def _judged(said: Said, rows: list[_Candidate], source: Source) -> Answer:
    bound = {row.person.id: row.person for row in rows if row.by is By.BOUND}
    named = {row.person.id: row.person for row in rows if row.by is By.SOURCEDID and row.inside}
    if bound and named and not bound.keys() & named.keys():
        return AnotherPerson(source, said, bound=bound.popitem()[1], named=named.popitem()[1])
    within = {row.person.id for row in rows if row.inside}
    wide = {row.person.id for row in rows if not row.inside and row.role in WIDE}
    for how in By:
        people = {row.person.id: row for row in rows if row.by is how and row.person.id in within}
        if len(people) == 1:
            row = people.popitem()[1]
            refusal = _refusal(row, wide_elsewhere=row.person.id in wide)
            return refusal or Found(row.person, how, bound=bound.keys() == {row.person.id})
        if people:
            return None  # Two people with one identifier: a guess would let one in as the other.
    return None


class _Candidate(NamedTuple):
    person: Somebody
    role: Role | None
    inside: bool | None
    by: By


def _candidates(all_said: Sequence[Said], source: Source) -> list[list[_Candidate]]:
    """For each of them everybody whom the first rule that finds anybody finds, once for each of their roles of today;
    for most people that is one question."""
    about = {"organisation": source.organisation_id, "day": today(), "system": source.system}
    keys = {key for said in all_said for key in (said.subject, said.person_sourcedid) if key}
    rows = _by_key(BY_IDENTIFIER, about | {"keys": sorted(keys)})
    found = [list(_identified(said, rows, source)) for said in all_said]
    numbers = {i: said.number or said.person_sourcedid for i, said in enumerate(all_said) if not found[i]}
    wanted = sorted({number for number in numbers.values() if number})
    if wanted:
        rows = _by_key(BY_NUMBER, about | {"numbers": wanted})
        for i, number in numbers.items():
            found[i] = [_candidate(row, By.NUMBER) for row in rows[number]]
    addresses = {i: said.email.lower() for i, said in enumerate(all_said) if not found[i] and said.email}
    if source.email_counts and addresses:
        rows = _by_key(BY_EMAIL, about | {"addresses": sorted(set(addresses.values()))})
        for i, address in addresses.items():
            found[i] = [_candidate(row, By.EMAIL) for row in rows[address]]
    return found


_WIDTH = len(COLUMNS)


def _candidate(row: Any, by: By) -> _Candidate:
    return _Candidate(Somebody(*row[:_WIDTH]), row[_WIDTH], row[_WIDTH + 1], by)


def _by_key(question: sa.Select[Any], values: dict[str, Any]) -> defaultdict[str, list[Any]]:
    """The rows of a question by the key with which each was found."""
    rows: defaultdict[str, list[Any]] = defaultdict(list)
    for row in database.connection().execute(question, values):
        rows[str(row[_WIDTH + 2])].append(row)
    return rows


def _identified(said: Said, rows: defaultdict[str, list[Any]], source: Source) -> Iterator[_Candidate]:
    """Those who carry the user's own key as users of the source, or the identifier in a roster."""
    for row in rows[said.subject]:
        if row[_WIDTH + 3] == source.system:
            yield _candidate(row, By.BOUND)
    for row in rows[said.person_sourcedid]:
        if row[_WIDTH + 3] != source.system:
            yield _candidate(row, By.SOURCEDID)


def _refusal(row: _Candidate, *, wide_elsewhere: bool) -> NotLetIn | None:
    if row.person.switched_off:
        return NotLetIn(row.person, N_("This account is switched off."), N_("Ask your school."))
    if wide_elsewhere:
        return NotLetIn(
            row.person, N_("Your role reaches beyond this LMS, so it cannot sign you in."),
            N_("Sign in to LMS Bridge itself, with your own name and password."),
        )  # fmt: skip
    return None


def remember(source: Source, said: Said, found: Found) -> None:
    """Bind the source's user to the person, so that they are found later without the identifier; what was noted of
    them as a stranger goes. In a transaction of the caller's."""
    if not found.bound:
        keep_user(source.system, said.subject, found.person)


def bind_user(source: Source, subject: str, person: Person) -> None:
    """Keep that a user of the source is the person, whether or not they ever came, unless they are known as another:
    what was said at the source counts more."""
    known = db.session.scalar(sa.select(ExternalId.id).filter_by(entity=PERSON, system=source.system, key=subject))
    if known is None:
        keep_user(source.system, subject, person)


def keep_user(system: str, subject: str, person: Identified) -> None:
    """Keep that the user ``subject`` of ``system`` is the person, whoever they were before; the administrator's list
    names them no longer. In a transaction of the caller's."""
    # Whoever clicks twice at their first launch is bound by one of the two; the other finds it done.
    made = db.session.execute(
        insert_into(ExternalId)
        .values(entity=PERSON, entity_id=person.id, system=system, key=subject)
        .on_conflict_do_nothing(index_elements=["entity", "system", "key"])
        .returning(ExternalId.id)
    ).first()
    if made is not None:
        audit.record("remote_user.known", "person", person.uid, actor_uid=None, system=system)
    else:
        db.session.execute(
            sa.update(ExternalId).filter_by(entity=PERSON, system=system, key=subject).values(entity_id=person.id)
        )
    db.session.execute(sa.delete(Stranger).filter_by(system=system, subject=subject))
