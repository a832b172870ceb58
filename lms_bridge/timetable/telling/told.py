"""What a change set means to one person, compared with what they were last told.

Between two change sets that were not told yet only the outcome counts: a lesson moved twice is told once, with where
it was when the person last heard of it, and one that is back where it was is not told at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from lms_bridge.core.database import db
from lms_bridge.notices.models import Delivery, DeliveryItem, Notification, may_have_arrived
from lms_bridge.timetable.changing.changes import UNDO
from lms_bridge.timetable.models import ChangeKind, ChangeSet, ChangeState, Lesson, LessonChange
from lms_bridge.timetable.queries import WITH_PARTS
from lms_bridge.timetable.snapshots import LessonState, difference, from_json, state_of


@dataclass(frozen=True)
class ToldChange:
    """One lesson of the person: what happened to it (a :class:`ChangeKind`, or what only its teacher sees), how it was
    when they last heard of it, and the lesson now."""

    kind: str
    before: LessonState | None
    after: LessonState
    lesson: Lesson


def changes_for(change_set: ChangeSet, lesson_ids: Collection[int], person_id: int, fact: str) -> list[ToldChange]:
    """The changes of ``lesson_ids`` that this change set has to tell the person, in order of time. Those that a later
    change set touches again are left to its message; ``fact`` is the kind of message."""
    history = _history(lesson_ids)
    heard = _heard({row.change_set_id for rows in history.values() for row in rows}, person_id, fact)
    changes = []
    for lesson in lessons_with_parts(history):
        rows = history[lesson.id]
        ids = [row.change_set_id for row in rows]
        if change_set.id not in ids or ids[-1] != change_set.id:
            continue
        before = _last_heard(rows[: ids.index(change_set.id) + 1], heard)
        after = state_of(lesson)
        kind = difference(before, after)
        if kind is not None and kind is not ChangeKind.UNIT and not _never_seen(before, after):
            changes.append(ToldChange(kind, before, after, lesson))
    return sorted(changes, key=lambda change: (change.after.starts_at, change.lesson.id))


def _never_seen(before: LessonState | None, after: LessonState) -> bool:
    """Added and cancelled again before anything was told."""
    return before is None and not after.takes_place


def _history(lesson_ids: Collection[int]) -> dict[int, list[LessonChange]]:
    """The applied changes of each lesson in order of application; what was undone, and its reverse, never were."""
    found: defaultdict[int, list[LessonChange]] = defaultdict(list)
    for row in db.session.scalars(
        sa.select(LessonChange)
        .join(ChangeSet)
        .where(
            LessonChange.lesson_id.in_(lesson_ids),
            LessonChange.kind != ChangeKind.UNIT,
            ChangeSet.state == ChangeState.APPLIED,
            sa.or_(ChangeSet.cause_ref.is_(None), ChangeSet.cause_ref.not_like(f"{UNDO}%")),
        )
        .order_by(ChangeSet.applied_at, ChangeSet.id)
    ):
        assert row.lesson_id is not None
        found[row.lesson_id].append(row)
    return dict(found)


def lessons_with_parts(lesson_ids: Iterable[int]) -> list[Lesson]:
    """The lessons with all their parts loaded."""
    return list(db.session.scalars(sa.select(Lesson).where(Lesson.id.in_(list(lesson_ids))).options(*WITH_PARTS)))


def _heard(change_set_ids: Collection[int], person_id: int, fact: str) -> frozenset[int]:
    """Which of the change sets the person was told of, or had no message about at all (and so knows otherwise)."""
    causes = {f"change_set:{number}": number for number in change_set_ids}
    rows = db.session.execute(
        sa.select(Notification.cause, sa.func.max(sa.case((may_have_arrived(), 1), else_=0)))
        .outerjoin(DeliveryItem, DeliveryItem.notification_id == Notification.id)
        .outerjoin(Delivery, Delivery.id == DeliveryItem.delivery_id)
        .where(Notification.person_id == person_id, Notification.kind == fact, Notification.cause.in_(causes))
        .group_by(Notification.cause)
    )
    unheard = {causes[cause] for cause, told in rows if not told}
    return frozenset(set(causes.values()) - unheard)


def _last_heard(rows: list[LessonChange], heard: Collection[int]) -> LessonState | None:
    """The state before the oldest of the changes that the person has not heard of; the last of ``rows`` is the one
    that is being told now."""
    state = rows[-1].before
    for row in reversed(rows[:-1]):
        if row.change_set_id in heard:
            break
        state = row.before
    return from_json(state) if state else None
