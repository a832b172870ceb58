"""Whom of the roster an LMS means: by the roster's own identifier, else as bound before, else by the school's number,
else by e-mail if allowed.

The LMS proves who somebody is; what they may do here is decided by the roster alone. An LMS speaks for the people of
its organisation and those below it; nobody with an administrator's or researcher's role beyond that organisation is let
in by it, or the LMS of one school could hand out the keys of all.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa

from lms_bridge.core import audit
from lms_bridge.core.access import Role
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.errors import Forbidden, NotFound
from lms_bridge.core.i18n import N_
from lms_bridge.core.models import ExternalId
from lms_bridge.lti.claims import Launch
from lms_bridge.lti.models import LtiPlatform, LtiStranger
from lms_bridge.roster.models import (
    Account,
    ClassGroup,
    ContactKind,
    ContactPoint,
    Organisation,
    Person,
    RoleAssignment,
)
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
BY_NUMBER = _PEOPLE.add_columns(sa.null()).where(
    Person.number == sa.bindparam("number"),
    Person.id.not_in(
        sa.select(ExternalId.entity_id).where(ExternalId.entity == PERSON, ExternalId.system == sa.bindparam("system"))
    ),
)
"""Whose number an LMS gives instead of the roster's identifier: Moodle has one field for both. Nobody who is another
user of the platform already: a number that two of its users carry lets in only the first."""

BY_EMAIL = (
    _PEOPLE.add_columns(sa.null())
    .join(ContactPoint, ContactPoint.person_id == Person.id)
    .where(
        ContactPoint.kind == ContactKind.EMAIL,
        sa.func.lower(ContactPoint.address) == sa.bindparam("email"),
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
    """The person whom the LMS means, how that is known, their account if they have one, and whether the LMS's user is
    bound to them already."""

    person: Person
    by: By
    account: Account | None
    bound: bool


def system_of(platform: LtiPlatform) -> str:
    """The system under which the users of a platform are kept in ``external_id``."""
    return f"lti:{platform.uid}"


def person_of(launch: Launch, platform: LtiPlatform) -> Found | None:
    """The person whom ``launch`` is about; None: nobody of the roster, or not surely one.

    :raises Forbidden: it is somebody for whom this platform may not speak, or whose account is switched off.
    """
    rows = _candidates(launch, platform)
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


def _candidates(launch: Launch, platform: LtiPlatform) -> list[_Candidate]:
    """Everybody whom one of the rules finds, once for each of their roles of today, in one question."""
    about = {"organisation": platform.organisation_id, "day": today()}
    # An empty identifier is nobody's: it is asked for as the subject, which is never empty.
    names = {"subject": launch.subject, "sourcedid": launch.person_sourcedid or launch.subject}
    rows = db.session.execute(BY_IDENTIFIER, about | names | {"system": system_of(platform)}).all()
    found = [
        _Candidate(row[0], row[1], row[2], row[3], By.BOUND if row[4].startswith("lti:") else By.SOURCEDID)
        for row in rows
        if launch.person_sourcedid or row[4].startswith("lti:")
    ]
    if not found and launch.person_sourcedid:
        numbered = about | {"number": launch.person_sourcedid, "system": system_of(platform)}
        rows = db.session.execute(BY_NUMBER, numbered).all()
        found = [_Candidate(row[0], row[1], row[2], row[3], By.NUMBER) for row in rows]
    if found or not platform.email_counts or not launch.email:
        return found
    rows = db.session.execute(BY_EMAIL, about | {"email": launch.email.lower()}).all()
    return [_Candidate(row[0], row[1], row[2], row[3], By.EMAIL) for row in rows]


def _check(account: Account | None, *, wide_elsewhere: bool) -> None:
    if account is not None and account.disabled_at is not None:
        raise Forbidden(N_("This account is switched off."), remedy=N_("Ask your school."))
    if wide_elsewhere:
        raise Forbidden(
            N_("Your role reaches beyond this LMS, so it cannot sign you in."),
            remedy=N_("Sign in to LMS Bridge itself, with your own name and password."),
        )


def remember(platform: LtiPlatform, launch: Launch, found: Found) -> None:
    """Bind the LMS's user to the person, so that a later launch without the identifier finds them; what was noted of
    them as a stranger goes. In a transaction of the caller's."""
    if found.bound:
        return
    _bind(platform, launch.subject, found.person)


def note_stranger(platform: LtiPlatform, launch: Launch) -> LtiStranger:
    """Put somebody whom nobody knows on the administrator's list, once."""
    row = db.session.scalar(sa.select(LtiStranger).filter_by(platform_id=platform.id, subject=launch.subject))
    about = {
        "name": launch.name, "email": launch.email, "sourcedid": launch.person_sourcedid,
        "course": launch.context_title, "teacher": launch.says_teacher,
    }  # fmt: skip
    if row is None:
        row = LtiStranger(platform_id=platform.id, subject=launch.subject, about=about)
        db.session.add(row)
    else:
        row.about, row.tries, row.last_at = about, row.tries + 1, now()
    db.session.flush()
    return row


def strangers_of(platform_ids: Collection[int], *, not_ours: bool = False, most: int = 500) -> list[LtiStranger]:
    """Who waits to be bound, the latest first; or those of whom an administrator said that they are nobody of ours."""
    return list(
        db.session.scalars(
            sa.select(LtiStranger)
            .where(LtiStranger.platform_id.in_(platform_ids), _set_aside(not_ours))
            .order_by(LtiStranger.last_at.desc())
            .limit(most)
        )
    )


def count_strangers(platform_ids: Collection[int], *, not_ours: bool = False) -> int:
    """How many :func:`strangers_of` there are."""
    query = sa.select(sa.func.count(LtiStranger.id))
    return db.session.scalar(query.where(LtiStranger.platform_id.in_(platform_ids), _set_aside(not_ours))) or 0


def _set_aside(not_ours: bool) -> sa.ColumnElement[bool]:
    return LtiStranger.not_ours_at.is_not(None) if not_ours else LtiStranger.not_ours_at.is_(None)


def bind(stranger: LtiStranger, person: Person, *, actor_uid: str) -> None:
    """Say which person of the roster a stranger is (one that :func:`person_within` gave); it holds from now on."""
    platform = stranger.platform
    _bind(platform, stranger.subject, person)
    audit.record(
        "lti_user.bound", "person", person.uid, actor_uid=actor_uid, organisation_id=platform.organisation_id,
        platform=platform.uid,
    )  # fmt: skip


def set_aside(stranger: LtiStranger, *, not_ours: bool, actor_uid: str) -> None:
    """Say that a stranger is nobody of ours, or put them back on the list. They are let in neither way."""
    stranger.not_ours_at = now() if not_ours else None
    audit.record(
        "lti_user.not_ours" if not_ours else "lti_user.put_back", "lti_stranger", stranger.uid, actor_uid=actor_uid,
        organisation_id=stranger.platform.organisation_id,
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


def stranger_named(uid: str) -> LtiStranger:
    """The stranger with this public id.

    :raises NotFound: there is none (any more).
    """
    row = db.session.scalar(sa.select(LtiStranger).filter_by(uid=uid))
    if row is None:
        raise NotFound()
    return row


def _bind(platform: LtiPlatform, subject: str, person: Person) -> None:
    system = system_of(platform)
    row = db.session.scalar(sa.select(ExternalId).filter_by(entity=PERSON, system=system, key=subject))
    if row is None:
        db.session.add(ExternalId(entity=PERSON, entity_id=person.id, system=system, key=subject))
        audit.record("lti_user.known", "person", person.uid, actor_uid=None, platform=platform.uid)
    elif row.entity_id != person.id:
        row.entity_id = person.id
    db.session.execute(sa.delete(LtiStranger).filter_by(platform_id=platform.id, subject=subject))
    db.session.flush()


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
