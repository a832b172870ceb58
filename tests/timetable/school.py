"""A campus whose plans fill a week, on a Friday before the week that tests solve."""

from __future__ import annotations

from datetime import UTC, datetime

from lms_bridge.core.database import transaction
from lms_bridge.roster.models import EnrolmentRole, Subject
from lms_bridge.timetable.models import Lesson
from lms_bridge.timetable.snapshots import LessonState, state_of
from tests.builders import SchoolSystem, enrol, plan, small_system, subject

FRIDAY = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
"""Noon in Shanghai; the term of the school runs from 24 August 2026 to 10 January 2027."""

WEEK = "2026-W48"
"""The week after; both classes have four periods of Chinese in it."""


def school_with_plans() -> SchoolSystem:
    """Two campuses; at A both classes have an approved plan in Chinese by the same teacher, 4 periods a week or so.
    Call it with the clock at ``FRIDAY``."""
    school = small_system()
    with transaction():
        chinese(school)
    return school


def chinese(school: SchoolSystem) -> Subject:
    """Chinese, taught by A's teacher to both classes of A, with plans."""
    what = subject("chinese", "语文", "Chinese")
    for group in school.a.classes:
        enrol(school.a.teacher, group, EnrolmentRole.TEACHER, teaches=what)
        plan([group], what, school.a.teacher, units=[(f"第{n}课", 8) for n in range(1, 11)])
    return what


def as_stored(lessons: list[Lesson]) -> list[LessonState]:
    """Everything of these lessons that a change can change."""
    return [state_of(lesson) for lesson in lessons]
