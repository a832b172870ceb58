"""Change sets as the timetable applies them, for tests of what people are told: call these in a transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

from lms_bridge.core import outbox
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.roster.models import Organisation, Person
from lms_bridge.timetable.models import (
    ChangeCause,
    ChangeSet,
    ChangeState,
    Lesson,
    LessonChange,
    LessonStatus,
    LessonTeacher,
)
from lms_bridge.timetable.snapshots import difference, from_json, state_of, to_json, write_state

Edit = Callable[[Lesson], None]


def publish(lessons: Sequence[Lesson]) -> ChangeSet:
    """The lessons are put on the timetable for the first time."""
    change_set = _change_set(lessons[0].campus_id, ChangeCause.PUBLICATION)
    for lesson in lessons:
        after = to_json(state_of(lesson))
        change_set.changes.append(LessonChange(lesson_id=lesson.id, kind="added", before=None, after=after))
    return _told(change_set)


def change(lessons: Sequence[Lesson], edit: Edit, *, reason: str = "") -> ChangeSet:
    """``edit`` is applied to each lesson, as one change set."""
    change_set = _change_set(lessons[0].campus_id, ChangeCause.REQUEST, reason)
    for lesson in lessons:
        before = state_of(lesson)
        edit(lesson)
        lesson.sequence, lesson.changed_at = lesson.sequence + 1, now()
        db.session.flush()
        after = state_of(lesson)
        kind = difference(before, after)
        assert kind is not None
        change_set.changes.append(
            LessonChange(lesson_id=lesson.id, kind=kind, before=to_json(before), after=to_json(after))
        )
    return _told(change_set)


def undo(change_set: ChangeSet) -> None:
    """The change set is taken back: lessons as before, untold messages withdrawn, told ones corrected."""
    for row in change_set.changes:
        lesson = db.session.get_one(Lesson, row.lesson_id)
        if row.before is not None:
            write_state(lesson, from_json(row.before))
        else:
            lesson.status = LessonStatus.CANCELLED
        lesson.sequence, lesson.changed_at = lesson.sequence + 1, now()
    change_set.state, change_set.undone_at = ChangeState.UNDONE, now()
    db.session.flush()
    outbox.withdraw("timetable.changed", f"change_set:{change_set.id}")
    outbox.publish("timetable.undone", f"change_set:{change_set.id}", organisation_id=change_set.campus_id)


def moved(**delta: float) -> Edit:
    """Move a lesson by so much time."""

    def edit(lesson: Lesson) -> None:
        lesson.starts_at += timedelta(**delta)
        lesson.ends_at += timedelta(**delta)

    return edit


def cancelled(lesson: Lesson) -> None:
    """Cancel a lesson."""
    lesson.status, lesson.cancelled_at = LessonStatus.CANCELLED, now()


def taught_by(teacher: Person) -> Edit:
    """Give a lesson to another teacher."""

    def edit(lesson: Lesson) -> None:
        lesson.teachers = [LessonTeacher(person_id=teacher.id, person=teacher)]

    return edit


def _change_set(campus_id: int, cause: ChangeCause, reason: str = "") -> ChangeSet:
    change_set = ChangeSet(campus_id=campus_id, cause=cause, reason=reason, state=ChangeState.APPLIED, applied_at=now())
    db.session.add(change_set)
    return change_set


def _told(change_set: ChangeSet) -> ChangeSet:
    db.session.flush()
    organisation_id = db.session.get_one(Organisation, change_set.campus_id).id
    outbox.publish("timetable.changed", f"change_set:{change_set.id}", organisation_id=organisation_id)
    return change_set
