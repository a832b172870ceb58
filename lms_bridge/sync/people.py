"""Who of ours a person of the LMS is: by what was known before, else by the school's number, which must be unique on
both sides. Where the LMS is the source of people, those without a counterpart are made."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from threading import Condition

import sqlalchemy as sa

from lms_bridge.core.access import Role
from lms_bridge.core.bulk import Inserter, new_uids, reserve_ids
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.i18n import N_, match_locale
from lms_bridge.core.plugins import CourseMember, LmsConnector, PersonRecord
from lms_bridge.roster.models import (
    ContactKind,
    ContactPoint,
    ContactState,
    EnrolmentRole,
    Organisation,
    Person,
    RoleAssignment,
    name_as_said,
)
from lms_bridge.roster.scope import today, valid
from lms_bridge.sync import naming
from lms_bridge.sync.models import LmsAccount, MappedKind, MappingState, SyncMapping
from lms_bridge.sync.storing import Agreed, store_agreed

NO_NUMBER = N_("has no number there")
NOT_UNIQUE = N_("the number is carried by several people there, or cannot be searched for")
UNKNOWN = N_("nobody here has this number")
SEVERAL_HERE = N_("several people here have this number")
SAID_OTHERWISE = N_("an administrator said that another account there is the person with this number")

BY_HAND, MADE = "by_hand", "made"
"""What ``SyncMapping.sent`` says of a person: an administrator said who it is; they were made from the LMS."""


@dataclass
class People:
    """The people of one account, as a run goes through its courses."""

    account: LmsAccount
    dry_run: bool = False
    """Nobody is made; who would be is ``imagined``."""
    imagined: set[str] = field(default_factory=set)
    ids: dict[str, int] = field(default_factory=dict)
    """Our person by remote id."""
    bound: set[int] = field(default_factory=set)
    """The people of ours who are somebody there."""
    from_there: set[int] = field(default_factory=set)
    """The people of ours who were made from what the LMS says, whose names follow it."""
    by_hand: set[int] = field(default_factory=set)
    """Those of whom an administrator said who they are there."""
    digests: dict[str, str | None] = field(default_factory=dict)
    missed: set[str] = field(default_factory=set)
    """Remote ids that earlier runs could not match."""
    not_ours: set[str] = field(default_factory=set)
    """Remote ids of whom an administrator said that they are nobody of ours."""
    unmatched: set[str] = field(default_factory=set)
    followed: set[str] = field(default_factory=set)
    """Remote ids of whom it was seen in this run whether their names changed."""
    asked: set[str] = field(default_factory=set)
    """The numbers that the LMS was asked for in this run."""
    being_asked: set[str] = field(default_factory=set)
    looking: Condition = field(default_factory=Condition)
    unique: dict[str, PersonRecord] = field(default_factory=dict)
    """The people of the LMS whose number is theirs alone."""
    given: set[tuple[int, int, Role]] = field(default_factory=set)
    """Who was made in this run, with place and role."""
    made: int = 0
    matched: int = 0
    changed: int = 0

    @classmethod
    def of(cls, account: LmsAccount, *, dry_run: bool = False) -> People:
        """What is known by now."""
        people = cls(account, dry_run)
        rows = db.session.execute(
            sa.select(SyncMapping.remote_id, SyncMapping.entity_id, SyncMapping.digest, SyncMapping.state).where(
                SyncMapping.account_id == account.id, SyncMapping.kind == MappedKind.PERSON
            )
        )
        for remote_id, person_id, digest, state in rows:
            assert remote_id is not None
            if state is MappingState.NOT_OURS:
                people.not_ours.add(remote_id)
            elif person_id is None:
                people.missed.add(remote_id)
            else:
                people.ids[remote_id], people.digests[remote_id] = person_id, digest
                people.bound.add(person_id)
        people.by_hand, people.from_there = people._said(BY_HAND), people._said(MADE)
        return people

    def _said(self, name: str) -> set[int]:
        return {
            number
            for number in db.session.scalars(
                sa.select(SyncMapping.entity_id).where(
                    SyncMapping.account_id == self.account.id,
                    SyncMapping.kind == MappedKind.PERSON,
                    SyncMapping.sent[name].as_boolean().is_(True),
                )
            )
            if number is not None
        }

    def unknown(self, members: Sequence[CourseMember]) -> list[PersonRecord]:
        """The members that were not matched yet."""
        return [member.person for member in members if member.role and not self._settled(member.person.remote_id)]

    def _settled(self, remote_id: str) -> bool:
        return remote_id in self.ids or remote_id in self.imagined or remote_id in self.not_ours

    def look_up(self, lms: LmsConnector, members: Sequence[CourseMember]) -> None:
        """Ask the LMS which numbers of unknown members are theirs alone, each number once; for any thread."""
        numbers = {person.number for person in self.unknown(members) if person.number}
        while numbers:
            with self.looking:
                mine = numbers - self.asked - self.being_asked
                self.being_asked |= mine
            try:
                found = lms.find_people(sorted(mine)) if mine else {}
                with self.looking:
                    self.unique |= found
                    self.asked |= mine
            finally:
                with self.looking:
                    self.being_asked -= mine
                    self.looking.notify_all()
            with self.looking:  # what other threads ask for at the same time; one that fails leaves it to us
                while numbers & self.being_asked:
                    self.looking.wait()
                numbers -= self.asked

    def take(self, arrivals: Sequence[tuple[Organisation, Sequence[CourseMember]]]) -> None:
        """Match or make everybody of some courses, each of a class of the campus beside it. Flushes."""
        new = {p.remote_id: p for _, members in arrivals for p in self.unknown(members)}
        ours = self._ours({person.number for person in new.values() if person.number})
        bound: list[tuple[PersonRecord, int]] = []
        made: list[tuple[PersonRecord, Organisation, str]] = []
        for campus, members in arrivals:
            for member in members:
                record = new.pop(member.person.remote_id, None) if member.role else None
                if record is None:
                    continue
                found = ours.get(record.number or "", {})
                # Numbers are unique at one campus; where two campuses have the same, that of the class is meant.
                here = [one for one, places in found.items() if campus.id in places] or list(found)
                problem = self._problem(record, here)
                if problem is not None:
                    self._miss(record, problem)
                elif here:
                    if here[0] in self.bound:
                        self._move(record, here[0])
                    else:
                        bound.append((record, here[0]))
                        self.bound.add(here[0])
                    self.matched += 1
                elif self.dry_run:
                    self.imagined.add(record.remote_id)
                    self.made += 1
                    naming.note("people_made", [name_of(record)])
                    naming.note("enrolments_new", [name_of(record)])
                else:
                    made.append((record, campus, member.role))
        self._bind(bound)
        self._bind(self._make(made), made=True)
        self._follow([member for _, members in arrivals for member in members])
        db.session.flush()

    def _ours(self, numbers: Collection[str]) -> dict[str, dict[int, set[int]]]:
        """By number those people of the account's organisation who have it, each with the places of their roles."""
        found: defaultdict[str, defaultdict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
        rows = db.session.execute(
            sa.select(Person.number, Person.id, RoleAssignment.organisation_id)
            .join(RoleAssignment, RoleAssignment.person_id == Person.id)
            .join(Organisation, Organisation.id == RoleAssignment.organisation_id)
            .where(
                Person.number.in_(numbers),
                Person.erased_at.is_(None),
                Organisation.path.startswith(self.account.organisation.path, autoescape=True),
            )
        )
        for number, person_id, place in rows:
            found[str(number)][person_id].add(place)
        return {number: dict(people) for number, people in found.items()}

    def _problem(self, record: PersonRecord, here: Sequence[int]) -> str | None:
        if not record.number:
            return NO_NUMBER
        found = self.unique.get(record.number)
        if found is None or found.remote_id != record.remote_id:
            return NOT_UNIQUE
        if len(here) > 1:
            return SEVERAL_HERE
        if here and here[0] in self.by_hand:
            return SAID_OTHERWISE
        return None if here or self.account.makes_people else UNKNOWN

    def _make(self, made: Sequence[tuple[PersonRecord, Organisation, str]]) -> list[tuple[PersonRecord, int]]:
        """Store people who are new, each with a role at the campus and an address; many with one statement."""
        if not made:
            return []
        db.session.flush()
        connection = db.session.connection()
        ids = reserve_ids(connection, Person, len(made))
        Inserter(connection, Person, "id uid family_name given_name number language").insert(
            (
                number, uid, record.family_name[:100], record.given_name[:100], record.number,
                match_locale(record.locale) if record.locale else campus.locale,
            )
            for number, uid, (record, campus, _) in zip(ids, new_uids(len(made)), made, strict=True)
        )  # fmt: skip
        roles = [
            (number, campus.id, Role.TEACHER if role == "teacher" else Role.STUDENT, today(campus.zone))
            for number, (_, campus, role) in zip(ids, made, strict=True)
        ]
        Inserter(connection, RoleAssignment, "person_id organisation_id role is_primary valid_from").insert(
            (number, place, role.value, True, day.isoformat()) for number, place, role, day in roles
        )
        self.given |= {(number, place, role) for number, place, role, _ in roles}
        source = f"lms:{self.account.uid}"
        Inserter(connection, ContactPoint, "person_id kind service address state source").insert(
            (number, ContactKind.EMAIL.value, "", record.email[:255], ContactState.UNVERIFIED.value, source)
            for number, (record, _, _) in zip(ids, made, strict=True)
            if record.email
        )
        self.made += len(made)
        naming.note("people_made", [name_of(record) for record, _, _ in made])
        return [(record, number) for (record, _, _), number in zip(made, ids, strict=True)]

    def give_roles(self, wanted: Sequence[tuple[int, Organisation, EnrolmentRole]]) -> None:
        """Let the people who were made from what the LMS says have the role at the campus that their new enrolments
        need: they change campus, and some are in two roles."""
        roles = {
            (number, campus.id, Role.TEACHER if role is EnrolmentRole.TEACHER else Role.STUDENT): campus
            for number, campus, role in wanted
            if number in self.from_there
        }
        for known in self.given & roles.keys():
            del roles[known]
        if not roles:
            return
        have = {
            (person_id, place, role)
            for person_id, place, role in db.session.execute(
                sa.select(RoleAssignment.person_id, RoleAssignment.organisation_id, RoleAssignment.role).where(
                    RoleAssignment.person_id.in_({number for number, _, _ in roles}),
                    valid(RoleAssignment, today(self.account.organisation.zone)),
                )
            )
        }
        rows = [
            {"person_id": who, "organisation_id": place, "role": role, "valid_from": today(campus.zone)}
            for (who, place, role), campus in roles.items()
            if (who, place, role) not in have
        ]
        if rows:
            db.session.execute(sa.insert(RoleAssignment), rows)

    def _bind(self, pairs: Sequence[tuple[PersonRecord, int]], *, made: bool = False) -> None:
        """Keep who is whom, and of whom only the LMS knows."""
        if not pairs:
            return
        missed = self.missed & {record.remote_id for record, _ in pairs}
        if missed:
            db.session.execute(
                sa.delete(SyncMapping).where(
                    SyncMapping.account_id == self.account.id,
                    SyncMapping.kind == MappedKind.PERSON,
                    SyncMapping.remote_id.in_(missed),
                    SyncMapping.state == MappingState.UNMATCHED,
                )
            )
        for record, number in pairs:
            self.ids[record.remote_id], self.digests[record.remote_id] = number, digest_of(record)
            self.bound.add(number)
            if made:
                self.from_there.add(number)
        store_agreed(
            self.account.id,
            MappedKind.PERSON,
            [
                Agreed("", number, record.remote_id, self.digests[record.remote_id], {MADE: True} if made else None)
                for record, number in pairs
            ],
        )

    def _move(self, record: PersonRecord, person_id: int) -> None:
        """The number that is known here is another account's by now: the earlier one was deleted and made anew."""
        for remote_id in [one for one, known in self.ids.items() if known == person_id]:
            del self.ids[remote_id]
        self.ids[record.remote_id], self.digests[record.remote_id] = person_id, digest_of(record)
        of_account = (SyncMapping.account_id == self.account.id, SyncMapping.kind == MappedKind.PERSON)
        db.session.execute(
            sa.delete(SyncMapping)
            .where(*of_account, SyncMapping.remote_id == record.remote_id, SyncMapping.state == MappingState.UNMATCHED)
            .execution_options(synchronize_session=False)
        )
        db.session.execute(
            sa.update(SyncMapping)
            .where(*of_account, SyncMapping.entity_id == person_id)
            .values(remote_id=record.remote_id, digest=digest_of(record), seen_at=now())
            .execution_options(synchronize_session=False)
        )

    def _miss(self, record: PersonRecord, problem: str) -> None:
        """Keep an unmatched person for the administrator's list, once."""
        if record.remote_id in self.unmatched:
            return
        self.unmatched.add(record.remote_id)
        naming.note("people_unmatched", [name_of(record)])
        row = db.session.scalar(
            sa.select(SyncMapping).filter_by(
                account_id=self.account.id, kind=MappedKind.PERSON, remote_id=record.remote_id
            )
        )
        if row is None:
            row = SyncMapping(account_id=self.account.id, kind=MappedKind.PERSON, remote_id=record.remote_id)
            db.session.add(row)
        elif row.state is not MappingState.UNMATCHED:
            return  # an administrator said who it is while this run was going on
        row.state, row.last_error, row.entity_id, row.seen_at = (
            MappingState.UNMATCHED,
            {"message": problem, "params": {}},
            None,
            now(),
        )
        row.sent = {"name": name_of(record), "number": record.number}

    def _follow(self, members: Sequence[CourseMember]) -> None:
        """Names that changed there are changed here, for people who came from there."""
        if not self.account.makes_people:
            return
        for member in members:
            record = member.person
            if record.remote_id in self.followed:
                continue
            self.followed.add(record.remote_id)
            digest = digest_of(record)
            if self.ids.get(record.remote_id) not in self.from_there or self.digests.get(record.remote_id) == digest:
                continue
            person = db.session.get_one(Person, self.ids[record.remote_id])
            naming.note("people_changed", [f"{person.display_name} → {name_of(record)}"])
            person.family_name, person.given_name = record.family_name[:100], record.given_name[:100]
            db.session.execute(
                sa.update(SyncMapping)
                .where(
                    SyncMapping.account_id == self.account.id,
                    SyncMapping.kind == MappedKind.PERSON,
                    SyncMapping.remote_id == record.remote_id,
                )
                .values(digest=digest, seen_at=now())
            )
            self.digests[record.remote_id] = digest
            self.changed += 1


def name_of(record: PersonRecord) -> str:
    """What people call somebody of the LMS."""
    return name_as_said(record.family_name, record.given_name, None)


def digest_of(record: PersonRecord) -> str:
    """A fingerprint of what the LMS says of a person."""
    parts = (record.family_name, record.given_name, record.number or "")
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
