"""Who would be in two lessons at once: a pure sweep over occupied times, and the reading that feeds it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from lms_bridge.core.database import db
from lms_bridge.core.errors import BridgeError, InputError
from lms_bridge.core.i18n import N_
from lms_bridge.roster.models import ClassGroup, Organisation, Person
from lms_bridge.timetable.models import Lesson, LessonAudience, LessonStatus, LessonTeacher
from lms_bridge.timetable.snapshots import LessonState
from lms_bridge.timetable.wording import When


@dataclass(frozen=True, slots=True)
class Occupied:
    """A class (``class:7``) or teacher (``teacher:9``) in a lesson for a time; ``new`` if a change brings it about.

    ``part`` is a named part of a class: two different parts may have lessons at once.
    """

    who: str
    starts_at: datetime
    ends_at: datetime
    lesson: int
    campus_id: int
    zone: str
    part: str = ""
    new: bool = False


def double_bookings(entries: Iterable[Occupied]) -> list[tuple[Occupied, Occupied]]:
    """Pairs of different lessons that somebody would have at once, at least one of them new; in order of time."""
    by_who: defaultdict[str, list[Occupied]] = defaultdict(list)
    for entry in entries:
        by_who[entry.who].append(entry)
    found = [pair for group in by_who.values() for pair in _pairs(group)]
    return sorted(found, key=lambda pair: (pair[1].starts_at, pair[1].who, pair[0].lesson))


def _pairs(group: list[Occupied]) -> Iterator[tuple[Occupied, Occupied]]:
    open_entries: list[Occupied] = []
    for entry in sorted(group, key=lambda e: (e.starts_at, e.lesson)):
        open_entries = [other for other in open_entries if other.ends_at > entry.starts_at]
        for other in open_entries:
            different_parts = other.part and entry.part and other.part != entry.part
            if (other.new or entry.new) and other.lesson != entry.lesson and not different_parts:
                yield other, entry
        open_entries.append(entry)


def occupied_by(lesson: int, state: LessonState, *, new: bool) -> list[Occupied]:
    """Everybody whom a lesson in this state occupies; nobody when it is cancelled."""
    if not state.takes_place:
        return []
    keys = [(f"teacher:{person_id}", "") for person_id in sorted(state.teacher_ids)]
    keys += [(f"class:{class_id}", part) for class_id, part in state.classes]
    return [
        Occupied(who, state.starts_at, state.ends_at, lesson, state.campus_id, state.zone, part, new)
        for who, part in keys
    ]


def clashes_of(states: Mapping[int, LessonState]) -> list[BridgeError]:
    """Why lessons (by id; negative for those that are not stored yet) cannot be in these states: a class or teacher
    would be in two lessons at once, at any campus."""
    return clash_errors_of(bookings_of(states))


def bookings_of(states: Mapping[int, LessonState]) -> list[tuple[Occupied, Occupied]]:
    """The double bookings that :func:`clashes_of` tells, as pairs."""
    entries = [entry for lesson, state in states.items() for entry in occupied_by(lesson, state, new=True)]
    if not entries:
        return []
    besides = {lesson for lesson in states if lesson > 0}
    start, end = min(e.starts_at for e in entries), max(e.ends_at for e in entries)
    entries += [entry for entry in held({e.who for e in entries}, start, end) if entry.lesson not in besides]
    return double_bookings(entries)


def clash_errors_of(pairs: Sequence[tuple[Occupied, Occupied]]) -> list[BridgeError]:
    """An error for each double booking, with the names that it needs."""
    names = names_of({entry.who for pair in pairs for entry in pair})
    return clash_errors(pairs, names, campus_codes({entry.campus_id for pair in pairs for entry in pair}))


def clash_errors(
    pairs: Iterable[tuple[Occupied, Occupied]], names: Mapping[str, str], codes: Mapping[int, str]
) -> list[BridgeError]:
    """Double bookings in words: who has which other lesson at that time. ``names`` by key, ``codes`` by campus id."""
    errors: list[BridgeError] = []
    for one, other in pairs:
        known = other if one.new else one
        away = one.campus_id != other.campus_id
        errors.append(
            InputError(
                N_("%(who)s already has a lesson on %(when)s (campus %(campus)s).")
                if away
                else N_("%(who)s already has a lesson on %(when)s."),
                remedy=N_("Choose another time, or move that lesson first."),
                who=names[one.who],
                when=When(known.starts_at, one.zone),
                campus=codes[known.campus_id],
            )
        )
    return errors


def held(who: Collection[str], start: datetime, end: datetime) -> list[Occupied]:
    """The lessons that these people and classes (by key, as in :class:`Occupied`) have in ``[start, end)``, at any
    campus, as they are stored."""
    teachers = {int(key.partition(":")[2]) for key in who if key.startswith("teacher:")}
    classes = {int(key.partition(":")[2]) for key in who if key.startswith("class:")}
    during = (Lesson.status == LessonStatus.SCHEDULED, Lesson.starts_at < end, Lesson.ends_at > start)
    columns = (Lesson.starts_at, Lesson.ends_at, Lesson.id, Lesson.campus_id, Lesson.zone)
    taught = db.session.execute(
        sa.select(LessonTeacher.person_id, sa.literal(""), *columns)
        .join(Lesson, Lesson.id == LessonTeacher.lesson_id)
        .where(LessonTeacher.person_id.in_(teachers), *during)
    ).all()
    attended = db.session.execute(
        sa.select(LessonAudience.class_id, LessonAudience.part, *columns)
        .join(Lesson, Lesson.id == LessonAudience.lesson_id)
        .where(LessonAudience.class_id.in_(classes), *during)
    ).all()
    return [
        Occupied(f"{kind}:{key}", starts_at, ends_at, lesson, campus, zone, part)
        for kind, rows in (("teacher", taught), ("class", attended))
        for key, part, starts_at, ends_at, lesson, campus, zone in rows
    ]


def campus_codes(campus_ids: Collection[int]) -> dict[int, str]:
    """The codes of these campuses by id."""
    return dict(
        db.session.execute(sa.select(Organisation.id, Organisation.code).where(Organisation.id.in_(campus_ids))).all()
    )


def names_of(keys: Collection[str]) -> dict[str, str]:
    """What people call these people and classes, by key."""
    people = {int(key.partition(":")[2]) for key in keys if key.startswith("teacher:")}
    classes = {int(key.partition(":")[2]) for key in keys if key.startswith("class:")}
    names = {
        f"teacher:{p.id}": p.display_name for p in db.session.scalars(sa.select(Person).where(Person.id.in_(people)))
    }
    names |= {
        f"class:{c.id}": c.title for c in db.session.scalars(sa.select(ClassGroup).where(ClassGroup.id.in_(classes)))
    }
    return names
