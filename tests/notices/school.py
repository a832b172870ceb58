"""A school on a fixed Monday morning whose timetable is changed by the operations that people use."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from lms_bridge.core.database import db, transaction
from lms_bridge.timetable.changing import changes
from lms_bridge.timetable.models import ChangeCause, ChangeKind, ChangeSet, Lesson, LessonChange, LessonStatus
from lms_bridge.timetable.snapshots import state_of
from tests.builders import SchoolSystem, contact, small_system

MONDAY = datetime(2026, 11, 23, 0, 0, tzinfo=UTC)
"""8:00 in Shanghai: the moment of the tests."""
TUESDAY = datetime(2026, 11, 24, 2, 10, tzinfo=UTC)
"""Tuesday 10:10 in Shanghai: when the first lesson is."""


def make_school() -> SchoolSystem:
    """Two students of class 5-1 of campus A with a guardian each, all with addresses; the first student and the first
    guardian read English, the others Chinese."""
    school = small_system()
    with transaction():
        for number, student in enumerate(school.a.students):
            contact(student, f"student-a{number}@example.org")
        school.a.students[0].language = school.a.guardians[0].language = "en"
    return school


def publish(school: SchoolSystem, starts: Iterable[datetime] = (TUESDAY,)) -> list[Lesson]:
    """Lessons of class 5-1 are put on the timetable, as one change set; in the order of ``starts``."""
    model = state_of(school.a.lesson)
    wanted = [
        changes.Wanted(None, replace(model, starts_at=s, ends_at=s + timedelta(minutes=40), period_number=3))
        for s in starts
    ]
    with transaction():
        change_set = changes.propose(school.a.campus, ChangeCause.PUBLICATION, wanted, actor=school.a.administrator)
        changes.apply(change_set, school.a.administrator)
    query = sa.select(Lesson).join(LessonChange, LessonChange.lesson_id == Lesson.id)
    return list(
        db.session.scalars(
            query.where(LessonChange.change_set_id == change_set.id, LessonChange.kind == ChangeKind.ADDED).order_by(
                LessonChange.id
            )
        )
    )


def alter(school: SchoolSystem, lesson: Lesson, *, reason: str = "", **new: Any) -> ChangeSet:
    """The lesson is changed (``starts_at`` alone keeps its length), as one applied change set."""
    before = state_of(lesson)
    if "starts_at" in new and "ends_at" not in new:
        new["ends_at"] = new["starts_at"] + (before.ends_at - before.starts_at)
    with transaction():
        change_set = changes.propose(
            school.a.campus, ChangeCause.REQUEST, [changes.Wanted(lesson, replace(before, **new))],
            actor=school.a.administrator, reason=reason,
        )  # fmt: skip
        return changes.apply(change_set, school.a.administrator)


def cancel(school: SchoolSystem, lesson: Lesson) -> ChangeSet:
    """The lesson is cancelled."""
    return alter(school, lesson, status=LessonStatus.CANCELLED)


def undo(school: SchoolSystem, change_set: ChangeSet) -> None:
    """The change set is taken back."""
    with transaction():
        changes.undo(change_set, school.a.administrator)
