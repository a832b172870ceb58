"""Who has which lessons, as of each lesson's own date (a student who changes class keeps the old ones)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from lms_bridge.core.clock import local
from lms_bridge.core.database import db
from lms_bridge.roster.models import Enrolment, EnrolmentRole, Guardianship
from lms_bridge.timetable.inputs.models import ClassPartMember
from lms_bridge.timetable.models import Lesson, LessonAudience, LessonStatus, LessonTeacher

WITH_PARTS = (
    selectinload(Lesson.subject),
    selectinload(Lesson.audience).selectinload(LessonAudience.class_group),
    selectinload(Lesson.teachers).selectinload(LessonTeacher.person),
    selectinload(Lesson.units),
    selectinload(Lesson.campus),
)


def lesson_by_uid(uid: str) -> Lesson | None:
    """The lesson with this uid as it is stored now, with its parts."""
    return db.session.scalar(
        sa.select(Lesson).where(Lesson.uid == uid).options(*WITH_PARTS).execution_options(populate_existing=True)
    )


def students_of(lessons: Iterable[Lesson]) -> dict[int, list[int]]:
    """Person ids of the students expected at each lesson (by lesson id), as of the lesson's date in its zone.

    A lesson for a named part of a class expects that part's members; the whole class while the part has none.
    """
    lessons = list(lessons)
    classes = {a.class_id for lesson in lessons for a in lesson.audience}
    enrolments: defaultdict[int, list[Enrolment]] = defaultdict(list)
    for row in db.session.scalars(
        sa.select(Enrolment).where(Enrolment.class_id.in_(classes), Enrolment.role == EnrolmentRole.STUDENT)
    ):
        enrolments[row.class_id].append(row)
    members = _members(classes)
    expected: dict[int, list[int]] = {}
    for lesson in lessons:
        day = local(lesson.starts_at, lesson.zone).date()
        expected[lesson.id] = sorted(
            {
                e.person_id
                for a in lesson.audience
                for e in enrolments[a.class_id]
                if e.valid_from <= day
                and (e.valid_to is None or e.valid_to > day)
                and ((a.class_id, a.part) not in members or e.person_id in members[a.class_id, a.part])
            }
        )
    return expected


def _members(class_ids: Collection[int]) -> dict[tuple[int, str], set[int]]:
    """The students of the named parts of these classes, by class id and part; parts that have any."""
    found: defaultdict[tuple[int, str], set[int]] = defaultdict(set)
    for row in db.session.scalars(sa.select(ClassPartMember).where(ClassPartMember.class_id.in_(class_ids))):
        found[row.class_id, row.part].add(row.person_id)
    return found


def lessons_between(
    start: datetime,
    end: datetime,
    *,
    class_ids: Iterable[int] | None = None,
    teacher_id: int | None = None,
    campus_ids: Iterable[int] | None = None,
    with_cancelled: bool = False,
) -> Sequence[Lesson]:
    """Lessons that overlap ``[start, end)``, in order of start; filters combine with "and"; parts are loaded."""
    query = sa.select(Lesson).where(Lesson.starts_at < end, Lesson.ends_at > start).options(*WITH_PARTS)
    if class_ids is not None:
        query = query.where(Lesson.audience.any(LessonAudience.class_id.in_(list(class_ids))))
    if teacher_id is not None:
        query = query.where(Lesson.teachers.any(LessonTeacher.person_id == teacher_id))
    if campus_ids is not None:
        query = query.where(Lesson.campus_id.in_(list(campus_ids)))
    if not with_cancelled:
        query = query.where(Lesson.status == LessonStatus.SCHEDULED)
    return db.session.scalars(query.order_by(Lesson.starts_at, Lesson.id)).all()


def lessons_of_student(
    student_id: int, start: datetime, end: datetime, *, with_cancelled: bool = False
) -> list[Lesson]:
    """The student's lessons in ``[start, end)``, by the classes that they are in on each lesson's date."""
    rows = db.session.scalars(
        sa.select(Enrolment).where(Enrolment.person_id == student_id, Enrolment.role == EnrolmentRole.STUDENT)
    ).all()
    if not rows:
        return []
    lessons = lessons_between(start, end, class_ids={r.class_id for r in rows}, with_cancelled=with_cancelled)
    return [
        lesson
        for lesson in lessons
        for day in [local(lesson.starts_at, lesson.zone).date()]
        if any(
            r.class_id == a.class_id and r.valid_from <= day and (r.valid_to is None or r.valid_to > day)
            for r in rows
            for a in lesson.audience
        )
    ]


def guardians_of(student_ids: Iterable[int], moment: datetime, zone: str) -> dict[int, list[int]]:
    """Guardians (person ids, in order of position) who may receive messages about each student on that date."""
    day = local(moment, zone).date()
    found: defaultdict[int, list[int]] = defaultdict(list)
    for row in db.session.scalars(
        sa.select(Guardianship)
        .where(
            Guardianship.student_id.in_(list(student_ids)),
            Guardianship.may_receive.is_(True),
            Guardianship.restricted.is_(False),
            Guardianship.valid_from <= day,
            sa.or_(Guardianship.valid_to.is_(None), Guardianship.valid_to > day),
        )
        .order_by(Guardianship.position, Guardianship.id)
    ):
        found[row.student_id].append(row.guardian_id)
    return dict(found)
