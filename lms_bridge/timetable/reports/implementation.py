"""The online-teaching implementation plan of a class or a campus: what its document says, out of what is stored.

Everything is read at the moment the document is made: online days, lessons of one week, approved plans, limits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from lms_bridge.calendar.days import days_of_week, iso_week, monday_of, online_days, term_of_week
from lms_bridge.calendar.limits import Limits, limits_by_grade
from lms_bridge.calendar.models import OnlineSpan
from lms_bridge.core.clock import local, now
from lms_bridge.core.database import db
from lms_bridge.plans.models import PlanClass, PlanKind, PlanVersion, TeachingPlan, VersionState
from lms_bridge.roster.models import ClassGroup, Enrolment, EnrolmentRole, Organisation, Person, Subject, Term
from lms_bridge.roster.scope import today, valid
from lms_bridge.timetable.models import Lesson
from lms_bridge.timetable.queries import lessons_between


@dataclass(frozen=True)
class Taught:
    """A subject of a class: who teaches it, its newest and its approved plan, its lessons in the week."""

    group: ClassGroup
    subject: Subject
    teachers: tuple[str, ...]
    newest: PlanVersion | None
    approved: PlanVersion | None
    lessons: int


@dataclass(frozen=True)
class Implementation:
    """What the document of a campus (or of one of its classes) says. ``week`` is the ISO week of its timetable, which
    is this week, or the next one with lessons; ``lessons`` are those of that week in order of time."""

    campus: Organisation
    groups: tuple[ClassGroup, ...]
    term: Term
    week: str
    days: tuple[date, ...]
    online: tuple[OnlineSpan, ...]
    taught: tuple[Taught, ...]
    lessons: tuple[Lesson, ...]
    limits: dict[str, Limits]

    def of(self, group: ClassGroup) -> list[Taught]:
        """What is taught in one class."""
        return [row for row in self.taught if row.group.id == group.id]

    def loads(self) -> list[tuple[str, int, int]]:
        """Each teacher's name, lessons in the week, and classes; those with most lessons first."""
        lessons: defaultdict[str, int] = defaultdict(int)
        classes: defaultdict[str, set[int]] = defaultdict(set)
        for lesson in self.lessons:
            for part in lesson.teachers:
                if part.person.erased_at is None:
                    lessons[part.person.display_name] += 1
                    classes[part.person.display_name] |= {audience.class_id for audience in lesson.audience}
        return sorted(
            ((name, count, len(classes[name])) for name, count in lessons.items()), key=lambda r: (-r[1], r[0])
        )


def of_class(group: ClassGroup) -> Implementation:
    """The implementation plan of one class."""
    return _gathered(group.campus, (group,))


def of_campus(campus: Organisation) -> Implementation:
    """The implementation plan of all classes of a campus."""
    groups = db.session.scalars(
        sa.select(ClassGroup)
        .where(ClassGroup.campus_id == campus.id, ClassGroup.valid_to.is_(None))
        .order_by(ClassGroup.grade, ClassGroup.code)
    )
    return _gathered(campus, tuple(groups))


def _gathered(campus: Organisation, groups: Sequence[ClassGroup]) -> Implementation:
    week = _week(campus, [group.id for group in groups])
    monday = monday_of(week)
    lessons = _lessons(campus, monday, [group.id for group in groups])
    term = term_of_week(campus, week)
    online = online_days(campus, today(campus.zone), term.ends_on)
    ids = {group.id for group in groups}
    spans = [*online.campus, *(span for class_id, rows in online.classes.items() if class_id in ids for span in rows)]
    return Implementation(
        campus=campus,
        groups=tuple(groups),
        term=term,
        week=week,
        days=tuple(day.day for day in days_of_week(campus, week)[0]),
        online=tuple(sorted(spans, key=lambda span: (span.first_day, span.id))),
        taught=tuple(_taught(groups, lessons)),
        lessons=tuple(lessons),
        limits=limits_by_grade(campus, {group.grade for group in groups}),
    )


def _lessons(campus: Organisation, monday: date, class_ids: Sequence[int]) -> Sequence[Lesson]:
    zone = ZoneInfo(campus.zone)
    start = datetime.combine(monday, time.min, zone)
    return lessons_between(start, start + timedelta(days=7), class_ids=class_ids)


def _week(campus: Organisation, class_ids: Sequence[int]) -> str:
    """This week where it has lessons, else the next that has some, else this one."""
    here = local(now(), campus.zone).date()
    monday = here - timedelta(days=here.weekday())
    zone = ZoneInfo(campus.zone)
    start = datetime.combine(monday, time.min, zone)
    coming = lessons_between(start, start + timedelta(days=60), class_ids=class_ids)
    first = local(coming[0].starts_at, campus.zone).date() if coming else here
    return iso_week(first)


def _taught(groups: Sequence[ClassGroup], lessons: Sequence[Lesson]) -> list[Taught]:
    order = {group.id: position for position, group in enumerate(groups)}
    rows = db.session.execute(
        sa.select(Enrolment, Person)
        .join(Person, Person.id == Enrolment.person_id)
        .where(Enrolment.class_id.in_(order), Enrolment.role == EnrolmentRole.TEACHER, valid(Enrolment, today()))
        .order_by(Enrolment.id)
    )
    by_id = {group.id: group for group in groups}
    teachers: defaultdict[tuple[int, int], dict[int, str]] = defaultdict(dict)
    for row, person in rows:
        subject_id = row.subject_id or by_id[row.class_id].subject_id
        if subject_id is not None and person.erased_at is None:
            teachers[row.class_id, subject_id][person.id] = person.display_name
    subjects = {s.id: s for s in db.session.scalars(sa.select(Subject).where(Subject.id.in_({k[1] for k in teachers})))}
    counts: defaultdict[tuple[int, int], int] = defaultdict(int)
    for lesson in lessons:
        for audience in lesson.audience:
            counts[audience.class_id, lesson.subject_id] += 1
    versions = _versions(order)
    found = [
        Taught(
            by_id[class_id], subjects[subject_id], tuple(names.values()),
            *versions.get((class_id, subject_id), (None, None)), counts[class_id, subject_id],
        )
        for (class_id, subject_id), names in teachers.items()
    ]  # fmt: skip
    return sorted(found, key=lambda row: (order[row.group.id], row.subject.code))


def _versions(class_ids: dict[int, int]) -> dict[tuple[int, int], tuple[PlanVersion | None, PlanVersion | None]]:
    """By class and subject the newest version of the plan, and the approved one."""
    links = db.session.scalars(
        sa.select(PlanClass)
        .join(TeachingPlan, TeachingPlan.id == PlanClass.plan_id)
        .where(
            PlanClass.class_id.in_(class_ids),
            TeachingPlan.kind == PlanKind.TEACHING,
            TeachingPlan.withdrawn_at.is_(None),
        )
        .options(
            joinedload(PlanClass.plan).selectinload(TeachingPlan.versions).selectinload(PlanVersion.units),
            selectinload(PlanClass.class_group),
        )
    )
    found: dict[tuple[int, int], tuple[PlanVersion | None, PlanVersion | None]] = {}
    for link in links:
        if link.class_group.term_id == link.term_id and link.plan.versions:
            approved = [version for version in link.plan.versions if version.state is VersionState.APPROVED]
            newest = link.plan.versions[-1]
            found[link.class_id, link.subject_id] = (newest, approved[-1] if approved else None)
    return found
