"""What families and teachers are told when the timetable changes: gathered from what is true when it is sent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

import sqlalchemy as sa

from lms_bridge.core.access import Role
from lms_bridge.core.clock import local
from lms_bridge.core.database import db
from lms_bridge.core.i18n import get_locale, gettext
from lms_bridge.notices.kinds import MessageContext
from lms_bridge.notices.models import Delivery, DeliveryItem, Notification, may_have_arrived
from lms_bridge.roster.models import Enrolment, EnrolmentRole, Guardianship, Person, RoleAssignment
from lms_bridge.roster.scope import today, valid
from lms_bridge.timetable.addresses import personal_urls
from lms_bridge.timetable.changing.changes import CHANGED
from lms_bridge.timetable.feed import entries_for
from lms_bridge.timetable.models import (
    ChangeKind,
    ChangeSet,
    ChangeState,
    LessonAudience,
    LessonChange,
    LessonMode,
)
from lms_bridge.timetable.snapshots import LessonState, difference, from_json, state_of
from lms_bridge.timetable.telling.audience import change_set_of
from lms_bridge.timetable.telling.told import ToldChange, changes_for, lessons_with_parts

GIVEN_AWAY = "given_away"
TAKEN_OVER = "taken_over"
"""Kinds of change that only a teacher sees, beside those of :class:`ChangeKind`."""


@dataclass(frozen=True)
class Slot:
    """When a lesson is, on the campus's wall clock."""

    start: datetime
    end: datetime
    zone: str
    period: int | None

    @property
    def day(self) -> date:
        """The date in the zone."""
        return local(self.start, self.zone).date()


@dataclass(frozen=True)
class Row:
    """One lesson in a message. ``kind`` is that of the change for this reader; ``was`` is its earlier slot if it moved,
    ``was_teachers`` its earlier teachers if they changed, ``mode_changed`` whether it went online or back."""

    kind: str
    subject: str
    classes: str
    teachers: str
    slot: Slot
    url: str
    online: bool
    was: Slot | None = None
    was_teachers: str = ""
    mode_changed: bool = False


@dataclass
class Section:
    """The lessons of one child (``name``), or the reader's own (no name; ``teaching`` for those that they teach)."""

    name: str = ""
    teaching: bool = False
    added: list[Row] = field(default_factory=list)
    changed: list[Row] = field(default_factory=list)


def gather_changed(person: Person, cause: str) -> MessageContext | None:
    """The message of one applied change set for ``person``; None if it was undone, or later messages tell it all."""
    change_set = change_set_of(cause)
    if change_set is None or change_set.state is not ChangeState.APPLIED:
        return None
    mine = _Mine(person, change_set.id)
    return _context(mine, change_set, changes_for(change_set, mine.lesson_ids, person.id, CHANGED))


def gather_undone(person: Person, cause: str) -> MessageContext | None:
    """The message that a change set which the person was told of no longer holds: its lessons as they are now."""
    change_set = change_set_of(cause)
    if change_set is None or change_set.state is not ChangeState.UNDONE or not told_before(cause, person.id - 1, 1):
        return None
    mine = _Mine(person, change_set.id)
    lessons = {lesson.id: lesson for lesson in lessons_with_parts(mine.lesson_ids)}
    changes = []
    for row in change_set.changes:
        lesson = lessons.get(row.lesson_id or 0)
        if lesson is None or row.after is None:
            continue
        told, after = from_json(row.after), state_of(lesson)
        kind = difference(told, after)
        if kind is not None and kind is not ChangeKind.UNIT:
            changes.append(ToldChange(kind, told, after, lesson))
    changes.sort(key=lambda change: (change.after.starts_at, change.lesson.id))
    return _context(mine, change_set, changes)


def told_before(cause: str, after_person_id: int, limit: int) -> list[int]:
    """The audience of ``timetable.undone``: those who were told of the change set, or may have been."""
    return list(
        db.session.scalars(
            sa.select(Notification.person_id)
            .join(DeliveryItem, DeliveryItem.notification_id == Notification.id)
            .join(Delivery, Delivery.id == DeliveryItem.delivery_id)
            .where(
                Notification.kind == CHANGED,
                Notification.cause == cause,
                may_have_arrived(),
                Notification.person_id > after_person_id,
            )
            .distinct()
            .order_by(Notification.person_id)
            .limit(limit)
        )
    )


class _Mine:
    """What of a change set concerns one person: the lessons of each of their children (or their own, as a student),
    and those that they teach or taught."""

    def __init__(self, person: Person, change_set_id: int) -> None:
        self.person = person
        self.by_student = _lessons_by_student(change_set_id, person)
        self.taught = _lessons_taught(change_set_id, person)

    @property
    def lesson_ids(self) -> set[int]:
        """All of them."""
        return self.taught.union(*self.by_student.values())

    def children_in(self) -> dict[int, list[str]]:
        """The names of the person's children in each lesson."""
        names: defaultdict[int, list[str]] = defaultdict(list)
        for student, lesson_ids in self.by_student.items():
            for lesson_id in lesson_ids if student.id != self.person.id else ():
                names[lesson_id].append(student.display_name)
        return names


def _lessons_by_student(change_set_id: int, person: Person) -> dict[Person, set[int]]:
    day = today()
    children = sa.select(Guardianship.student_id).where(
        Guardianship.guardian_id == person.id,
        Guardianship.may_receive.is_(True),
        Guardianship.restricted.is_(False),
        valid(Guardianship, day),
    )
    rows = db.session.execute(
        sa.select(Person, Enrolment, LessonChange)
        .select_from(LessonChange)
        .join(LessonAudience, LessonAudience.lesson_id == LessonChange.lesson_id)
        .join(Enrolment, Enrolment.class_id == LessonAudience.class_id)
        .join(Person, Person.id == Enrolment.person_id)
        .where(
            LessonChange.change_set_id == change_set_id,
            LessonChange.kind != ChangeKind.UNIT,
            Enrolment.role == EnrolmentRole.STUDENT,
            sa.or_(Enrolment.person_id == person.id, Enrolment.person_id.in_(children)),
        )
        .order_by(Person.id)
    )
    found: defaultdict[Person, set[int]] = defaultdict(set)
    for student, enrolment, change in rows:
        days = {from_json(data).starts_local.date() for data in (change.before, change.after) if data}
        end = enrolment.valid_to
        if any(enrolment.valid_from <= day and (end is None or end > day) for day in days):
            assert change.lesson_id is not None
            found[student].add(change.lesson_id)
    return found


def _lessons_taught(change_set_id: int, person: Person) -> set[int]:
    if not db.session.scalar(sa.select(RoleAssignment.id).filter_by(person_id=person.id, role=Role.TEACHER).limit(1)):
        return set()
    rows = db.session.execute(
        sa.select(LessonChange.lesson_id, LessonChange.before, LessonChange.after).where(
            LessonChange.change_set_id == change_set_id, LessonChange.kind != ChangeKind.UNIT
        )
    )
    return {
        lesson_id
        for lesson_id, *states in rows
        if any(person.id in from_json(data).teacher_ids for data in states if data)
    }


def _context(mine: _Mine, change_set: ChangeSet, changes: Sequence[ToldChange]) -> MessageContext | None:
    """The message about ``changes``; None if none of them means anything to the reader."""
    person = mine.person
    urls = personal_urls([change.lesson.id for change in changes], person.id)
    names = _names_of_earlier_teachers(changes)
    sections = []
    for student, lesson_ids in mine.by_student.items():
        section = Section(name="" if student.id == person.id else student.display_name)
        _fill(section, [c for c in changes if c.lesson.id in lesson_ids], urls, names)
        sections.append(section)
    teaching = Section(teaching=True)
    taught = [seen for change in changes if (seen := _for_teacher(change, person.id)) is not None]
    _fill(teaching, taught, urls, names)
    sections = [section for section in (*sections, teaching) if section.added or section.changed]
    if not sections:
        return None
    rows = {row.url: row for section in sections for row in (*section.added, *section.changed)}
    pupils = {lesson_id for lesson_ids in mine.by_student.values() for lesson_id in lesson_ids}
    shown = pupils | {change.lesson.id for change in taught}
    kept = {change.lesson.id for change in taught if change.kind != GIVEN_AWAY} | pupils
    lessons = [change.lesson for change in changes if change.lesson.id in shown]
    return MessageContext(
        data={
            "sections": sections,
            "reason": change_set.reason,
            "first": min(row.slot.day for row in rows.values()),
            "count": len(rows),
            "only": next(iter(rows.values())) if len(rows) == 1 else None,
            "all_added": not any(section.changed for section in sections),
        },
        entries=entries_for(
            lessons,
            urls,
            children=mine.children_in(),
            taught={change.lesson.id for change in taught},
            gone={lesson.id for lesson in lessons if lesson.id not in kept},
        ),
        calendar_name=gettext("Lessons"),
    )


def _for_teacher(change: ToldChange, person_id: int) -> ToldChange | None:
    """The change as a teacher sees it: a lesson may become or cease to be theirs."""
    had = change.before is not None and person_id in change.before.teacher_ids
    has = person_id in change.after.teacher_ids
    if not had and not has:
        return None
    if had and not has:
        return replace(change, kind=GIVEN_AWAY)
    if has and not had and change.before is not None and change.after.takes_place:
        return replace(change, kind=TAKEN_OVER)
    return change


def _fill(section: Section, changes: Sequence[ToldChange], urls: Mapping[int, str], names: Mapping[int, str]) -> None:
    for change in changes:
        row = _row(change, urls[change.lesson.id], names)
        (section.added if change.kind == ChangeKind.ADDED else section.changed).append(row)


def _row(change: ToldChange, url: str, names: Mapping[int, str]) -> Row:
    lesson, before, after = change.lesson, change.before, change.after
    slot, was = _slot(after), _slot(before) if before is not None else None
    locale = get_locale()
    return Row(
        kind=str(change.kind),
        subject=lesson.subject.label(locale),
        classes=_listed(sorted(a.class_group.title for a in lesson.audience)),
        teachers=_listed([t.person.display_name for t in lesson.teachers]),
        slot=slot,
        url=url,
        online=after.mode is LessonMode.ONLINE,
        was=was if was != slot else None,
        was_teachers=_listed([names[i] for i in sorted(before.teacher_ids)])
        if before is not None and before.teacher_ids != after.teacher_ids
        else "",
        mode_changed=before is not None and before.mode is not after.mode,
    )


def _slot(state: LessonState) -> Slot:
    return Slot(state.starts_at, state.ends_at, state.zone, state.period_number)


def _listed(names: Collection[str]) -> str:
    return gettext(", ").join(names)


def _names_of_earlier_teachers(changes: Sequence[ToldChange]) -> dict[int, str]:
    ids = {i for change in changes if change.before is not None for i in change.before.teacher_ids}
    if not ids:
        return {}
    return {
        person.id: person.display_name for person in db.session.scalars(sa.select(Person).where(Person.id.in_(ids)))
    }
