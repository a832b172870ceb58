"""Who will be told of a change set, and how: asked before it is applied, of the same code that really sends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from lms_bridge.core.database import db
from lms_bridge.core.errors import ConfigurationError
from lms_bridge.core.i18n import gettext
from lms_bridge.core.plugins import MessageChannel
from lms_bridge.notices import kinds
from lms_bridge.notices.addressing import NoRoute, routes
from lms_bridge.notices.channels import Channels
from lms_bridge.roster.models import Person
from lms_bridge.timetable.changing.changes import CHANGED
from lms_bridge.timetable.models import ChangeKind, ChangeSet
from lms_bridge.timetable.snapshots import from_json
from lms_bridge.timetable.telling.audience import would_touch
from lms_bridge.timetable.telling.people import PeopleBook, guardians_by_student

PAGE = 1000


@dataclass(frozen=True, slots=True)
class Family:
    """The touched students of one family, and who of it is told: (name, channel or why not, reached)."""

    students: tuple[str, ...]
    told: tuple[tuple[str, str, bool], ...]


@dataclass(frozen=True, slots=True)
class Told:
    """What applying a change set would send. ``message`` names the kind of message, one for each person; ``channels``
    counts people by channel; ``unreachable`` are names with the reason; ``families`` are ordered by their students."""

    message: str
    people: int
    students: int
    guardians: int
    teachers: int
    channels: tuple[tuple[str, int], ...]
    unreachable: tuple[tuple[str, str], ...]
    families: tuple[Family, ...]


def told_of(change_set: ChangeSet) -> Told:
    """Whom the change set will be told to (or was), by which kind of message and on which channels."""
    people = _everybody(change_set.id)
    persons = {p.id: p for p in db.session.scalars(sa.select(Person).where(Person.id.in_(people)))}
    states = [
        from_json(data)
        for change in change_set.changes
        if change.kind is not ChangeKind.UNIT
        for data in (change.before, change.after)
        if data
    ]
    book = PeopleBook({class_id for state in states for class_id in state.class_ids})
    disturbed = book.disturbed(states)
    guardians = guardians_by_student(disturbed.students)
    ways = _ways(people)
    counts = Counter(way for way, reached in ways.values() if reached)
    return Told(
        message=gettext(kinds.get(CHANGED).title),
        people=len(people),
        students=len(disturbed.students & set(people)),
        guardians=len({g for own in guardians.values() for g in own} & set(people)),
        teachers=len(disturbed.teachers & set(people)),
        channels=tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))),
        unreachable=tuple(
            (persons[person_id].display_name, way)
            for person_id, (way, reached) in sorted(ways.items())
            if not reached and person_id in persons
        ),
        families=_families(book, disturbed.students, guardians, ways),
    )


def _everybody(change_set_id: int) -> list[int]:
    found: list[int] = []
    while len(page := would_touch(change_set_id, found[-1] if found else 0, PAGE)) == PAGE:
        found += page
    return found + page


def _ways(people: Collection[int]) -> dict[int, tuple[str, bool]]:
    """By person the channel, or why there is none, and whether they are reached."""
    channels = Channels()
    try:
        found = routes(people, channels)
    except ConfigurationError as error:
        return dict.fromkeys(people, (error.text(), False))
    names = {route.channel: channels.get(route.channel) for route in found.values()}
    return {
        person_id: (gettext(route.reason), False)
        if isinstance(route, NoRoute)
        else (_name(names[route.channel], route.channel), True)
        for person_id, route in found.items()
    }


def _name(channel: MessageChannel | None, identifier: str) -> str:
    return gettext(channel.verbose_name) if channel is not None else identifier


def _families(
    book: PeopleBook,
    students: Collection[int],
    guardians: dict[int, list[int]],
    ways: dict[int, tuple[str, bool]],
) -> tuple[Family, ...]:
    by_family: dict[int, list[int]] = {}
    for student in sorted(students):
        if student in book.family:
            by_family.setdefault(book.family[student], []).append(student)
    ids = set(students) | {g for own in guardians.values() for g in own}
    names = {p.id: p.display_name for p in db.session.scalars(sa.select(Person).where(Person.id.in_(ids)))}
    found = [_family(own, guardians, ways, names) for own in by_family.values()]
    return tuple(sorted(found, key=lambda family: family.students))


def _family(
    students: Sequence[int], guardians: dict[int, list[int]], ways: dict[int, tuple[str, bool]], names: dict[int, str]
) -> Family:
    adults = dict.fromkeys(guardian for student in students for guardian in guardians.get(student, ()))
    return Family(
        tuple(names[student] for student in students),
        tuple((names[guardian], *ways[guardian]) for guardian in adults if guardian in ways),
    )
