"""Which remote course is which class of ours, by the keys that registers and people use for classes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import sqlalchemy as sa

from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.models import ExternalId
from lms_bridge.core.plugins import CourseRecord
from lms_bridge.roster.models import ClassGroup, Organisation, Subject
from lms_bridge.sync.models import LmsAccount, MappedKind, MappingState, SyncMapping


@dataclass(frozen=True)
class CourseOfClass:
    """A remote course that belongs to a class: to all of its subjects, or (``subject_id``) to one."""

    remote_id: str
    class_id: int
    subject_id: int | None


def classes_by_key(account: LmsAccount) -> dict[str, int]:
    """The classes that the account serves; see :func:`classes_below`."""
    return classes_below(account.organisation.path)


def classes_below(path: str) -> dict[str, int]:
    """The classes of the organisation at ``path`` and those below it, by every key that a course may carry for them:
    ``CAMPUS/CLASS`` (our codes), the sourcedId of a roster, and our own uid."""
    found: dict[str, int] = {}
    rows = db.session.execute(
        sa.select(ClassGroup.id, ClassGroup.uid, ClassGroup.code, Organisation.code)
        .join(Organisation, Organisation.id == ClassGroup.campus_id)
        .where(ClassGroup.valid_to.is_(None), Organisation.path.startswith(path, autoescape=True))
        .order_by(ClassGroup.id)
    ).all()
    ids = {row[0] for row in rows}
    for class_id, uid, code, campus in rows:
        found[f"{campus}/{code}"] = class_id  # a later term's class of the same code counts
        found[uid] = class_id
    external = sa.select(ExternalId.key, ExternalId.entity_id).where(
        ExternalId.entity == "class_group", ExternalId.system.startswith("oneroster:")
    )
    found |= {key: class_id for key, class_id in db.session.execute(external) if class_id in ids}
    return found


def match(courses: Iterable[CourseRecord], keys: dict[str, int]) -> list[tuple[CourseRecord, CourseOfClass | None]]:
    """Each course with the class that its key names; ``KEY:SUBJECT`` names one subject of the class."""
    subjects = {code: number for number, code in db.session.execute(sa.select(Subject.id, Subject.code))}
    matched: list[tuple[CourseRecord, CourseOfClass | None]] = []
    for course in courses:
        key = course.key or ""
        base, _, subject = key.rpartition(":")
        if key in keys:
            matched.append((course, CourseOfClass(course.remote_id, keys[key], None)))
        elif base in keys and subject in subjects:
            matched.append((course, CourseOfClass(course.remote_id, keys[base], subjects[subject])))
        else:
            matched.append((course, None))
    return matched


def keep(account: LmsAccount, matched: Iterable[tuple[CourseRecord, CourseOfClass | None]]) -> tuple[int, int]:
    """Store which course is which class; how many are new and how many lead nowhere. Flushes."""
    known = {
        row.remote_id: row
        for row in db.session.scalars(sa.select(SyncMapping).filter_by(account_id=account.id, kind=MappedKind.COURSE))
    }
    new = unmatched = 0
    moment, seen, rows = now(), set(), list[SyncMapping]()
    for course, of_class in matched:
        seen.add(course.remote_id)
        row = known.get(course.remote_id)
        if row is None:
            row = SyncMapping(account_id=account.id, kind=MappedKind.COURSE, remote_id=course.remote_id)
            rows.append(row)
        new += of_class is not None and row.state is not MappingState.DONE
        unmatched += of_class is None
        row.entity_id, row.place = (of_class.class_id, course.remote_id) if of_class else (None, course.remote_id)
        row.sent = {"title": course.title, "key": course.key, "subject": of_class.subject_id if of_class else None}
        row.state = MappingState.DONE if of_class else MappingState.UNMATCHED
        row.seen_at, row.last_error = moment, None
    for remote_id, row in known.items():
        if remote_id not in seen:
            row.state = MappingState.GONE
    db.session.flush()
    db.session.bulk_save_objects(rows)
    return new, unmatched


def known_courses(
    account_ids: Collection[int], class_ids: Collection[int] | None = None
) -> dict[int, list[CourseOfClass]]:
    """By account: the courses that belong to a class of ours (to one of ``class_ids``)."""
    query = sa.select(SyncMapping.account_id, SyncMapping.remote_id, SyncMapping.entity_id, SyncMapping.sent).where(
        SyncMapping.account_id.in_(account_ids),
        SyncMapping.kind == MappedKind.COURSE,
        SyncMapping.state == MappingState.DONE,
    )
    if class_ids is not None:
        query = query.where(SyncMapping.entity_id.in_(class_ids))
    found: dict[int, list[CourseOfClass]] = {}
    for account_id, remote_id, class_id, sent in db.session.execute(query.order_by(SyncMapping.id)).all():
        assert class_id is not None
        assert remote_id is not None
        found.setdefault(account_id, []).append(CourseOfClass(remote_id, class_id, sent.get("subject")))
    return found


class PlacesOfClasses:
    """In which remote courses lessons are shown, and to which group there; ``groups`` are those of parts of classes, by
    course and part."""

    def __init__(
        self, courses: Collection[CourseOfClass], groups: Mapping[str, Mapping[str, str]] = MappingProxyType({})
    ) -> None:
        self._of_class: defaultdict[int, list[CourseOfClass]] = defaultdict(list)
        self._classes: defaultdict[str, set[int]] = defaultdict(set)
        self._groups = groups
        for course in courses:
            self._of_class[course.class_id].append(course)
            self._classes[course.remote_id].add(course.class_id)

    def group_of(self, audience: Collection[tuple[int, str]], place: str) -> str | None:
        """The group of the course ``place`` that a lesson of these classes or parts of classes is for; None: the whole
        course, or more than one part of its class, or a part that has no group there."""
        parts = {part for class_id, part in audience if class_id in self._classes[place]}
        return self._groups.get(place, {}).get(parts.pop()) if len(parts) == 1 else None

    def of_lesson(self, class_ids: Collection[int], subject_id: int) -> list[str]:
        """The remote courses in which a lesson of these classes is shown: for each class those of its subject, and only
        where there are none those of all subjects."""
        chosen: list[str] = []
        for class_id in class_ids:
            of_class = self._of_class[class_id]
            own = [course.remote_id for course in of_class if course.subject_id == subject_id]
            chosen += own or [course.remote_id for course in of_class if course.subject_id is None]
        return sorted(set(chosen), key=lambda number: (len(number), number))
