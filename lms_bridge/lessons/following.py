"""Lessons to come follow the order of their campus's video systems: a room that was wished for before the order changed
stays where it is until somebody asks for this. What a person decided for one lesson stays in any case."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from lms_bridge.core import audit, jobs
from lms_bridge.core.database import db, transaction
from lms_bridge.lessons import capacity, providers
from lms_bridge.lessons.meetings import move
from lms_bridge.lessons.models import Meeting, MeetingCause
from lms_bridge.lessons.to_come import room_still_shut, rooms_to_come
from lms_bridge.roster.models import Organisation, Person
from lms_bridge.timetable.models import Lesson

FOLLOW = "lessons.follow_order"
RENEW_EVERY = 50


def elsewhere(campuses: Sequence[Organisation]) -> dict[int, int]:
    """By id of the campus how many of its lessons to come have their room at another account than the first of its
    order; campuses without any are left out."""
    first = {campus_id: order[0].id for campus_id, order in providers.orders_of(campuses).items() if order}
    rows = db.session.execute(
        _not_decided()
        .where(Lesson.campus_id.in_(first))
        .with_only_columns(Lesson.campus_id, Meeting.account_id, sa.func.count())
        .group_by(Lesson.campus_id, Meeting.account_id)
    )
    found: dict[int, int] = {}
    for campus_id, account_id, count in rows:
        if account_id != first[campus_id]:
            found[campus_id] = found.get(campus_id, 0) + count
    return found


def ask(campus: Organisation, *, actor: Person) -> None:
    """Have the campus's lessons to come follow its order, by a job. Flushes."""
    audit.record("provider.order_followed", "organisation", campus.uid, actor_uid=actor.uid, organisation_id=campus.id)
    jobs.enqueue(FOLLOW, str(campus.id))


def follow(campus_id: int) -> None:
    """Take each lesson to come to the first account of its campus's order that has a room free, each in a transaction
    of its own; one that finds none before its own stays."""
    query = _not_decided().where(Lesson.campus_id == campus_id).order_by(Lesson.starts_at, Lesson.id)
    for number, lesson_id in enumerate(db.session.scalars(query).all(), start=1):
        with transaction():
            _follow(lesson_id)
        if number % RENEW_EVERY == 0:
            jobs.renew()


def _not_decided() -> sa.Select[int]:
    return rooms_to_come().where(Meeting.cause != MeetingCause.PERSON)


def _follow(lesson_id: int) -> None:
    before = room_still_shut(lesson_id)
    if before is None or before.cause is MeetingCause.PERSON:
        return
    lesson = before.lesson
    free = {one.id for one in capacity.accounts_for_lesson(lesson, without={before.account_id}, healthy=True)}
    better = []
    for one in providers.accounts_for(lesson.campus):
        if one.id == before.account_id:
            break
        if one.id in free:
            better.append(one)
    if better:
        move(before, better, MeetingCause.ORDER)
