"""A lesson in words, for the heads of its pages."""

from __future__ import annotations

from dataclasses import dataclass

from lms_bridge.core.clock import local
from lms_bridge.notices.dates import say_slot, say_time
from lms_bridge.timetable.models import Lesson, TeacherPart
from lms_bridge.timetable.units.unit_titles import unit_titles


@dataclass(frozen=True)
class LessonWords:
    """What stands at the head of a lesson's page: in the reader's language, on the campus's wall clock."""

    uid: str
    subject: str
    classes: str
    teacher: str
    when: str
    ends: str
    unit: str

    @property
    def title(self) -> str:
        """Subject and classes."""
        return f"{self.subject} {self.classes}".strip()


def words_of(lesson: Lesson, locale: str) -> LessonWords:
    """``lesson`` in the language ``locale``."""
    start = local(lesson.starts_at, lesson.zone)
    leading = [t for t in lesson.teachers if t.part is not TeacherPart.ASSISTANT] or lesson.teachers
    return LessonWords(
        uid=lesson.uid,
        subject=lesson.subject.label(locale),
        classes=", ".join(sorted(a.class_group.title for a in lesson.audience)),
        teacher=", ".join(t.person.display_name for t in leading),
        when=say_slot(start.date(), lesson.period_number, start.time(), locale)
        + f"–{say_time(lesson.ends_at, lesson.zone)}",
        ends=say_time(lesson.ends_at, lesson.zone),
        unit=unit_titles([lesson]).get(lesson.id, ""),
    )
