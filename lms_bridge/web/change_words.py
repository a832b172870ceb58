"""The lessons of a change set in words, before and after."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from flask import url_for

from lms_bridge.core.database import db
from lms_bridge.core.i18n import get_locale, gettext
from lms_bridge.notices.dates import say_slot
from lms_bridge.roster.models import ClassGroup, Organisation, Person, Subject
from lms_bridge.timetable.models import ChangeKind, ChangeSet, Lesson, LessonChange, LessonMode
from lms_bridge.timetable.snapshots import LessonState, from_json


class ChangeWords:
    """The rows of a change set in words; names are read once for all."""

    def __init__(self, row: ChangeSet) -> None:
        self.campus = db.session.get_one(Organisation, row.campus_id)
        states = [from_json(data) for c in row.changes for data in (c.before, c.after) if data]
        people = {person_id for state in states for person_id in state.teacher_ids}
        groups = {class_id for state in states for class_id in state.class_ids}
        self.people = {p.id: p for p in db.session.scalars(sa.select(Person).where(Person.id.in_(people)))}
        self.groups = {g.id: g for g in db.session.scalars(sa.select(ClassGroup).where(ClassGroup.id.in_(groups)))}
        self.subjects = {s.id: s for s in db.session.scalars(sa.select(Subject))}
        lessons = {c.lesson_id for c in row.changes}
        self.uids = dict(db.session.execute(sa.select(Lesson.id, Lesson.uid).where(Lesson.id.in_(lessons))).all())
        self.first = min((state.starts_at for state in states), default=None)

    @staticmethod
    def told(row: ChangeSet) -> list[LessonChange]:
        """The changes that people hear of."""
        return [change for change in row.changes if change.kind is not ChangeKind.UNIT]

    def order(self, change: LessonChange) -> tuple[Any, ...]:
        """Cancelled and moved lessons first, then by time and class."""
        state = self._state(change)
        new = change.kind is ChangeKind.ADDED
        return (new, state.starts_at, self._classes(state))

    def time(self, change: LessonChange) -> tuple[Any, ...]:
        """When the lesson was, or will be if it is new."""
        state = from_json(change.before) if change.before else self._state(change)
        return (state.starts_at, change.id)

    def classes(self, change: LessonChange) -> str:
        """The classes that it concerns."""
        return self._classes(self._state(change))

    def row(self, change: LessonChange, *, with_class: bool = True) -> dict[str, Any]:
        """One row of the table; without its class where a table is of one class."""
        state = self._state(change)
        before = from_json(change.before) if change.before else None
        after = from_json(change.after) if change.after else None
        gone = after is None or not after.takes_place
        uid = self.uids.get(change.lesson_id or 0)
        subject = self.subjects[state.subject_id].label(get_locale())
        return {
            "what": {
                "text": f"{self._classes(state)} {subject}" if with_class else subject,
                "url": url_for("timetable.changes.lesson", uid=uid) if uid else None,
            },
            "kind": change.kind,
            "before": self._words(before) if before is not None and before.takes_place else "–",
            "after": "–" if gone or after is None else self._words(after),
        }

    def _state(self, change: LessonChange) -> LessonState:
        data = change.after or change.before
        assert data is not None
        return from_json(data)

    def _classes(self, state: LessonState) -> str:
        return ", ".join(self.groups[class_id].title for class_id, _ in state.classes)

    def _words(self, state: LessonState) -> str:
        start = state.starts_local
        teachers = ", ".join(self.people[person_id].display_name for person_id, _ in state.teachers)
        mode = gettext("online") if state.mode is LessonMode.ONLINE else gettext("at school")
        return f"{say_slot(start.date(), state.period_number, start.time(), get_locale())} · {teachers} · {mode}"
