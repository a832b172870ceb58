"""Whom of the roster an LMS or an identity provider means: by the roster's own identifier, else as bound before, else
by the school's number, else by e-mail if allowed.

It proves who somebody is; what they may do here is decided by the roster alone. It speaks for the people of its
organisation and those below it; nobody whose work reaches other people beyond that organisation is let in by it, or the
LMS of one school could hand out the keys of all. Nor may a user whom it bound to one person come back as another.
"""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from lms_bridge.core import audit
from lms_bridge.core.access import Role
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.errors import Forbidden, NotFound
from lms_bridge.core.i18n import N_
from lms_bridge.core.models import ExternalId
from lms_bridge.roster.models import (
    Account,
    ClassGroup,
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
ROSTERS = "oneroster:%"
"""The systems whose identifiers an LMS may repeat to us; the numbers of another LMS mean nothing here."""
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
    for row in db.session.connection().execute(question, values):
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
        _bind(source.system, said.subject, found.person)


def note_stranger(source: Source, said: Said, *, came: bool = True, **more: str) -> bool:
    """Put somebody whom nobody knows on the administrator's list, once; whether they are new there. ``more`` is said of
    them there, too. Who was only read in a class list (not ``came``) has tried nothing, and keeps their place."""
    about = {
        "name": said.name, "email": said.email, "sourcedid": said.person_sourcedid or said.number,
        "course": said.context_title, "teacher": said.says_teacher,
    } | more  # fmt: skip
    latest: dict[str, Any] = {"about": about, "sent_by": source.name, "organisation_id": source.organisation_id}
    moment = now()
    again = {"tries": Stranger.tries + 1, "last_at": moment} if came else {}
    # With one statement: whoever has not been let in tries again in a second window.
    first_at = db.session.scalar(
        _insert(Stranger)
        .values(
            system=source.system, subject=said.subject, tries=int(came), first_at=moment, last_at=moment, **latest
        )
        .on_conflict_do_update(index_elements=["system", "subject"], set_=latest | again)
        .returning(Stranger.first_at)
    )  # fmt: skip
    return bool(first_at == moment)


def note_another(error: AnotherPerson, *, came: bool = True) -> None:
    """Put a user who came back as another person on the administrator's list, with the person as whom they are known.
    In a transaction of the caller's."""
    source = error.source
    if not note_stranger(source, error.said, came=came, known_as=error.bound.display_name) and not came:
        return  # read every night: the audit log has it already
    audit.record(
        "remote_user.another_person", "person", error.bound.uid, actor_uid=None,
        organisation_id=source.organisation_id, system=source.system, named=error.named.uid,
    )  # fmt: skip


def strangers_of(organisation_ids: Collection[int], *, not_ours: bool = False, most: int = 500) -> list[Stranger]:
    """Who was sent to these organisations and waits to be bound, the latest first; or those of whom an administrator
    said that they are nobody of ours."""
    return list(
        db.session.scalars(
            sa.select(Stranger)
            .where(Stranger.organisation_id.in_(organisation_ids), _set_aside(not_ours))
            .order_by(Stranger.last_at.desc())
            .limit(most)
        )
    )


def count_strangers(organisation_ids: Collection[int], *, not_ours: bool = False) -> int:
    """How many :func:`strangers_of` there are."""
    query = sa.select(sa.func.count(Stranger.id))
    return db.session.scalar(query.where(Stranger.organisation_id.in_(organisation_ids), _set_aside(not_ours))) or 0


def nobodies(source: Source, subjects: Collection[str]) -> set[str]:
    """Those of the source's users of whom an administrator said that they are nobody of ours."""
    return set(
        db.session.scalars(
            sa.select(Stranger.subject).where(
                Stranger.system == source.system, Stranger.subject.in_(subjects), Stranger.not_ours_at.is_not(None)
            )
        )
    )


def forget_strangers(source: Source, subjects: Collection[str]) -> None:
    """Take users of the source off the administrator's list: the source says by now who they are."""
    db.session.execute(
        sa.delete(Stranger)
        .where(Stranger.system == source.system, Stranger.subject.in_(subjects))
        .execution_options(synchronize_session=False)
    )


def _set_aside(not_ours: bool) -> sa.ColumnElement[bool]:
    return Stranger.not_ours_at.is_not(None) if not_ours else Stranger.not_ours_at.is_(None)


def bind(stranger: Stranger, person: Person, *, actor_uid: str) -> None:
    """Say which person of the roster a stranger is (one that :func:`person_within` gave); it holds from now on."""
    _bind(stranger.system, stranger.subject, person)
    audit.record(
        "remote_user.bound", "person", person.uid, actor_uid=actor_uid, organisation_id=stranger.organisation_id,
        system=stranger.system,
    )  # fmt: skip


def bind_user(source: Source, subject: str, person: Person) -> None:
    """Keep that a user of the source is the person, whether or not they ever came, unless they are known as another:
    what was said at the source counts more."""
    known = db.session.scalar(sa.select(ExternalId.id).filter_by(entity=PERSON, system=source.system, key=subject))
    if known is None:
        _bind(source.system, subject, person)


def set_aside(stranger: Stranger, *, not_ours: bool, actor_uid: str) -> None:
    """Say that a stranger is nobody of ours, or put them back on the list. They are let in neither way."""
    stranger.not_ours_at = now() if not_ours else None
    audit.record(
        "remote_user.not_ours" if not_ours else "remote_user.put_back", "stranger", stranger.uid, actor_uid=actor_uid,
        organisation_id=stranger.organisation_id, system=stranger.system,
    )  # fmt: skip


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


def stranger_named(uid: str) -> Stranger:
    """The stranger with this public id.

    :raises NotFound: there is none (any more).
    """
    row = db.session.scalar(sa.select(Stranger).filter_by(uid=uid))
    if row is None:
        raise NotFound()
    return row


def _bind(system: str, subject: str, person: Identified) -> None:
    # Whoever clicks twice at their first launch is bound by one of the two; the other finds it done.
    made = db.session.execute(
        _insert(ExternalId)
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


def _insert(table: type[ExternalId | Stranger]) -> Any:
    return (pg_insert if db.session.connection().dialect.name == "postgresql" else sqlite_insert)(table)


def classes_of(key: str) -> list[int]:
    """The ids of the classes that a course of an LMS stands for, by the identifier that it carries: that of the
    imported roster, ``CAMPUS/CLASS`` (our codes), or our own uid; with ``:SUBJECT`` behind it, too."""
    if not key:
        return []
    names = {key, key.rpartition(":")[0] or key}
    code = Organisation.code + "/" + ClassGroup.code
    return list(
        db.session.scalars(
            sa.select(ExternalId.entity_id)
            .where(ExternalId.entity == "class_group", ExternalId.key.in_(names), ExternalId.system.like(ROSTERS))
            .union(
                sa.select(ClassGroup.id)
                .join(Organisation, Organisation.id == ClassGroup.campus_id)
                .where(ClassGroup.valid_to.is_(None), sa.or_(code.in_(names), ClassGroup.uid.in_(names)))
            )
        )
    )
