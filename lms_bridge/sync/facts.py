"""What the calendars of LMSs need to know of lessons, read in three questions for hundreds of lessons at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from lms_bridge.core.database import db
from lms_bridge.roster.models import ClassGroup, Organisation, Person, Subject, name_as_said
from lms_bridge.timetable.models import Lesson, LessonAudience, LessonMode, LessonStatus, LessonTeacher


class LessonFacts(NamedTuple):
    """One lesson: where and when it is, and who is in it."""

    id: int
    uid: str
    starts_at: datetime
    ends_at: datetime
    period: int | None
    mode: LessonMode
    status: LessonStatus
    sequence: int
    subject_id: int
    subject: str
    subject_en: str
    locale: str
    """The language of the campus."""
    audience: tuple[tuple[int, str], ...]
    """Each class, with the named part of it that the lesson is for ("": the whole class)."""
    classes: tuple[str, ...]
    teachers: tuple[str, ...]
    class_ids: tuple[int, ...]
    """The classes of the lesson, each once."""

    @property
    def shown(self) -> bool:
        """Whether the lesson has its place in the calendar of an LMS: it is, or would have been, online."""
        return self.mode is LessonMode.ONLINE


LESSONS = (
    sa.select(
        Lesson.id, Lesson.uid, Lesson.starts_at, Lesson.ends_at, Lesson.period_number, Lesson.mode, Lesson.status,
        Lesson.sequence, Lesson.subject_id, Subject.name, Subject.name_en, Organisation.locale,
    )
    .join(Subject, Subject.id == Lesson.subject_id)
    .join(Organisation, Organisation.id == Lesson.campus_id)
    .where(Lesson.id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(Lesson.starts_at, Lesson.id)
)  # fmt: skip
AUDIENCE = (
    sa.select(LessonAudience.lesson_id, LessonAudience.class_id, LessonAudience.part, ClassGroup.title)
    .join(ClassGroup, ClassGroup.id == LessonAudience.class_id)
    .where(LessonAudience.lesson_id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(LessonAudience.id)
)
TEACHERS = (
    sa.select(LessonTeacher.lesson_id, Person.family_name, Person.given_name, Person.middle_name)
    .join(Person, Person.id == LessonTeacher.person_id)
    .where(LessonTeacher.lesson_id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(LessonTeacher.id)
)


def facts_of(lesson_ids: Collection[int]) -> list[LessonFacts]:
    """The lessons, in order of their start; at most some hundred at a time. What the session holds is flushed first."""
    db.session.flush()
    connection, wanted = db.session.connection(), {"ids": list(lesson_ids)}
    classes: defaultdict[int, list[Any]] = defaultdict(list)
    for lesson_id, class_id, part, title in connection.execute(AUDIENCE, wanted).all():
        classes[lesson_id].append((class_id, part, f"{title} {part}".strip()))
    teachers: defaultdict[int, list[str]] = defaultdict(list)
    for lesson_id, family, given, middle in connection.execute(TEACHERS, wanted).all():
        teachers[lesson_id].append(name_as_said(family, given, middle))
    found = []
    for row in connection.execute(LESSONS, wanted).all():
        audience = classes[row[0]]
        values: Any = (
            *row,
            tuple([(class_id, part) for class_id, part, _ in audience]),
            tuple(sorted({title for _, _, title in audience})),
            tuple(teachers[row[0]]),
            tuple(dict.fromkeys([class_id for class_id, _, _ in audience])),
        )
        found.append(LessonFacts(*values))
    return found
