"""A person's coming lessons in one question to the database: for pages that many people open in the same minutes.

What is read is only what such a page shows; the whole rows, with their many parts, are :mod:`.queries`'.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from lms_bridge.core import database
from lms_bridge.core.clock import local
from lms_bridge.roster.models import ClassGroup, Enrolment, EnrolmentRole, Person, Subject, name_as_said
from lms_bridge.timetable.models import Lesson, LessonAudience, LessonMode, LessonStatus, LessonTeacher


@dataclass
class GlanceLesson:
    """What a list says of one lesson. ``names`` are the classes for its teacher, the teachers for its students."""

    id: int
    uid: str
    starts_at: datetime
    ends_at: datetime
    zone: str
    period: int | None
    mode: LessonMode
    status: LessonStatus
    subject: str
    subject_en: str
    teaches: bool
    names: list[str] = field(default_factory=list)

    def subject_in(self, locale: str) -> str:
        """The subject in the language ``locale``."""
        return self.subject_en if locale == "en" else self.subject


COLUMNS = (
    Lesson.id, Lesson.uid, Lesson.starts_at, Lesson.ends_at, Lesson.zone, Lesson.period_number, Lesson.mode,
    Lesson.status, Subject.name, Subject.name_en,
)  # fmt: skip

# Put together once: many people ask in the same minutes.
_BETWEEN = (Lesson.starts_at < sa.bindparam("end"), Lesson.ends_at > sa.bindparam("start"))
_OF_CLASSES = LessonAudience.class_id.in_(sa.bindparam("classes", expanding=True))
_TAUGHT = (
    sa.select(*COLUMNS, ClassGroup.title, sa.null(), sa.null(), sa.null(), sa.null(), sa.true())
    .join(Subject, Subject.id == Lesson.subject_id)
    .join(LessonTeacher, LessonTeacher.lesson_id == Lesson.id)
    .join(LessonAudience, LessonAudience.lesson_id == Lesson.id)
    .join(ClassGroup, ClassGroup.id == LessonAudience.class_id)
    .where(*_BETWEEN, LessonTeacher.person_id == sa.bindparam("person"))
)
_HEARD = (
    sa.select(
        *COLUMNS,
        Person.family_name,
        Person.given_name,
        Person.middle_name,
        Enrolment.valid_from,
        Enrolment.valid_to,
        sa.false(),
    )
    .join(Subject, Subject.id == Lesson.subject_id)
    .join(LessonAudience, LessonAudience.lesson_id == Lesson.id)
    .join(Enrolment, Enrolment.class_id == LessonAudience.class_id)
    .outerjoin(LessonTeacher, LessonTeacher.lesson_id == Lesson.id)
    .outerjoin(Person, Person.id == LessonTeacher.person_id)
    .where(*_BETWEEN, Enrolment.person_id == sa.bindparam("person"), Enrolment.role == EnrolmentRole.STUDENT)
)
LESSONS = sa.union_all(_HEARD, _TAUGHT)
LESSONS_OF_CLASSES = sa.union_all(_HEARD.where(_OF_CLASSES), _TAUGHT.where(_OF_CLASSES))


def lessons_at_a_glance(
    person_id: int, start: datetime, end: datetime, *, class_ids: Collection[int] = ()
) -> list[GlanceLesson]:
    """The lessons that a person teaches or is expected at in ``[start, end)``, in order of start; with ``class_ids``
    only those of these classes."""
    about: dict[str, Any] = {"person": person_id, "start": start, "end": end}
    if class_ids:
        about["classes"] = list(class_ids)
    rows = database.connection().execute(LESSONS_OF_CLASSES if class_ids else LESSONS, about).all()
    return _together([row for row in rows if row[15]], [row for row in rows if not row[15]])


def _together(taught: Iterable[Any], heard: Iterable[Any]) -> list[GlanceLesson]:
    found: dict[int, GlanceLesson] = {}
    for row in taught:
        lesson = found.setdefault(row[0], _lesson(row, teaches=True))
        _name(lesson, row[10])
    for row in heard:
        if not _holds(row[13], row[14], local(row[2], row[4]).date()):
            continue  # As of the lesson's own date: who changed class keeps the old lessons.
        lesson = found.setdefault(row[0], _lesson(row, teaches=False))
        if not lesson.teaches and row[10] is not None:
            _name(lesson, name_as_said(row[10], row[11], row[12]))
    return sorted(found.values(), key=lambda lesson: (lesson.starts_at, lesson.id))


def _lesson(row: Any, *, teaches: bool) -> GlanceLesson:
    number, uid, starts_at, ends_at, zone, period, mode, status, subject, subject_en = row[: len(COLUMNS)]
    return GlanceLesson(
        number, uid, starts_at, ends_at, zone, period, mode, status, subject, subject_en, teaches=teaches
    )


def _name(lesson: GlanceLesson, name: str) -> None:
    if name not in lesson.names:
        lesson.names.append(name)


def _holds(valid_from: date, valid_to: date | None, day: date) -> bool:
    return valid_from <= day and (valid_to is None or valid_to > day)
