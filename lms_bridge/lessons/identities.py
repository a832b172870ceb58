"""Whom a provider means: by the opaque id that we gave it, else by a name or address that only one person of the
lesson has. Who cannot be told apart stays unmatched; two people are never made one."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Collection

import sqlalchemy as sa

from lms_bridge.core.database import db
from lms_bridge.lessons.entering import distinct_names
from lms_bridge.roster.models import ContactKind, ContactPoint, Person
from lms_bridge.timetable.models import Lesson
from lms_bridge.timetable.queries import students_of


def by_uid(uids: Collection[str]) -> dict[str, int]:
    """Person ids by the opaque public ids of people."""
    rows = db.session.execute(sa.select(Person.uid, Person.id).where(Person.uid.in_(set(uids))))
    return {row.uid: row.id for row in rows}


def by_identity(lesson: Lesson, identities: Collection[str]) -> dict[str, int]:
    """Person ids of the lesson's people by what a provider calls them: the name shown in the room, or an e-mail
    address. Left out: what fits nobody, or more than one."""
    if not identities:
        return {}
    known = _known(lesson)
    found = {}
    for identity in identities:
        people = known.get(_plain(identity), set())
        if len(people) == 1:
            (found[identity],) = people
    return found


def _known(lesson: Lesson) -> dict[str, set[int]]:
    students = list(students_of([lesson])[lesson.id])
    teachers = [t.person_id for t in lesson.teachers]
    people = {p.id: p for p in db.session.scalars(sa.select(Person).where(Person.id.in_([*students, *teachers])))}
    shown = distinct_names([people[one] for one in students if one in people])
    known: defaultdict[str, set[int]] = defaultdict(set)
    for person_id, person in people.items():
        known[_plain(shown.get(person_id, person.display_name))].add(person_id)
    addresses = db.session.execute(
        sa.select(ContactPoint.address, ContactPoint.person_id).where(
            ContactPoint.person_id.in_(people), ContactPoint.kind == ContactKind.EMAIL
        )
    )
    for address, person_id in addresses:
        known[_plain(address)].add(person_id)
    return known


def _plain(text: str) -> str:
    """Without the differences that keyboards and forms make: width, case, spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
