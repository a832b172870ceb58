"""Who of ours a person of the LMS is: by what was known before, else by the school's number, which must be unique on
both sides. Where the LMS is the source of people, those without a counterpart are made."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import sqlalchemy as sa

from lms_bridge.core.access import Role
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.i18n import N_, match_locale
from lms_bridge.core.plugins import CourseMember, PersonRecord
from lms_bridge.roster.models import ContactKind, ContactPoint, Organisation, Person, RoleAssignment
from lms_bridge.sync.models import LmsAccount, MappedKind, MappingState, SyncMapping

NO_NUMBER = N_("has no number there")
NOT_UNIQUE = N_("the number is carried by several people there, or cannot be searched for")
UNKNOWN = N_("nobody here has this number")
SEVERAL_HERE = N_("several people here have this number")


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
    digests: dict[str, str | None] = field(default_factory=dict)
    missed: set[str] = field(default_factory=set)
    """Remote ids that earlier runs could not match."""
    not_ours: set[str] = field(default_factory=set)
    """Remote ids of whom an administrator said that they are nobody of ours."""
    unmatched: set[str] = field(default_factory=set)
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
        return people

    def unknown(self, members: Sequence[CourseMember]) -> list[PersonRecord]:
        """The members that were not matched yet."""
        known = self.ids.keys() | self.imagined | self.not_ours
        return [member.person for member in members if member.role and member.person.remote_id not in known]

    def take(
        self, members: Sequence[CourseMember], campus: Organisation, unique: Mapping[str, PersonRecord], day: date
    ) -> None:
        """Match or make everybody of one course; ``unique`` are the people of the LMS whose number is theirs alone.
        Flushes."""
        new = {person.remote_id: person for person in self.unknown(members)}
        ours: defaultdict[str, list[int]] = defaultdict(list)
        numbers = {person.number for person in new.values() if person.number}
        for number, person_id in db.session.execute(
            sa.select(Person.number, Person.id).where(Person.number.in_(numbers), Person.erased_at.is_(None))
        ):
            ours[str(number)].append(person_id)
        taken = {number for numbers in ours.values() for number in numbers if number in self.bound}
        made: list[tuple[PersonRecord, Person]] = []
        for record in new.values():
            here = [number for number in ours.get(record.number or "", ()) if number not in taken]
            problem = self._problem(record, here, unique)
            if problem is not None:
                self._miss(record, problem)
                continue
            if here:
                self._bind(record, here[0])
                self.matched += 1
            elif self.dry_run:
                self.imagined.add(record.remote_id)
                self.made += 1
                continue
            else:
                made.append((record, _person(record, campus)))
                continue
            taken.add(self.ids[record.remote_id])
        self._keep(made, {m.person.remote_id: m.role for m in members}, campus, day)
        self._follow(members)
        db.session.flush()

    def _problem(self, record: PersonRecord, here: Sequence[int], unique: Mapping[str, PersonRecord]) -> str | None:
        if not record.number:
            return NO_NUMBER
        found = unique.get(record.number)
        if found is None or found.remote_id != record.remote_id:
            return NOT_UNIQUE
        if len(here) > 1:
            return SEVERAL_HERE
        return None if here or self.account.makes_people else UNKNOWN

    def _keep(
        self, made: Sequence[tuple[PersonRecord, Person]], roles: Mapping[str, str], campus: Organisation, day: date
    ) -> None:
        """Store the people that were made, each with a role at the campus and an address."""
        db.session.add_all(person for _, person in made)
        db.session.flush()
        for record, person in made:
            what = Role.TEACHER if roles[record.remote_id] == "teacher" else Role.STUDENT
            db.session.add(RoleAssignment(person_id=person.id, organisation_id=campus.id, role=what, valid_from=day))
            if record.email:
                db.session.add(
                    ContactPoint(
                        person_id=person.id,
                        kind=ContactKind.EMAIL,
                        address=record.email[:255],
                        source=f"lms:{self.account.uid}",
                    )
                )
            self._bind(record, person.id)
        self.made += len(made)

    def _bind(self, record: PersonRecord, person_id: int) -> None:
        if record.remote_id in self.missed:
            db.session.execute(
                sa.delete(SyncMapping).where(
                    SyncMapping.account_id == self.account.id,
                    SyncMapping.kind == MappedKind.PERSON,
                    SyncMapping.remote_id == record.remote_id,
                    SyncMapping.state == MappingState.UNMATCHED,
                )
            )
        digest = digest_of(record)
        db.session.add(
            SyncMapping(
                account_id=self.account.id,
                kind=MappedKind.PERSON,
                entity_id=person_id,
                remote_id=record.remote_id,
                state=MappingState.DONE,
                digest=digest,
                seen_at=now(),
            )
        )
        self.ids[record.remote_id], self.digests[record.remote_id] = person_id, digest
        self.bound.add(person_id)

    def _miss(self, record: PersonRecord, problem: str) -> None:
        """Keep an unmatched person for the administrator's list, once."""
        if record.remote_id in self.unmatched:
            return
        self.unmatched.add(record.remote_id)
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
        row.state, row.last_error, row.entity_id, row.seen_at = MappingState.UNMATCHED, problem, None, now()
        row.sent = {
            "name": Person(family_name=record.family_name, given_name=record.given_name).display_name,
            "number": record.number,
        }

    def _follow(self, members: Sequence[CourseMember]) -> None:
        """Names that changed there are changed here, for people who came from there."""
        if not self.account.makes_people:
            return
        for member in members:
            record = member.person
            digest = digest_of(record)
            if record.remote_id not in self.ids or self.digests.get(record.remote_id) == digest:
                continue
            person = db.session.get_one(Person, self.ids[record.remote_id])
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


def _person(record: PersonRecord, campus: Organisation) -> Person:
    return Person(
        family_name=record.family_name[:100],
        given_name=record.given_name[:100],
        number=record.number,
        language=match_locale(record.locale) if record.locale else campus.locale,
    )


def digest_of(record: PersonRecord) -> str:
    """A fingerprint of what the LMS says of a person."""
    parts = (record.family_name, record.given_name, record.number or "")
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
