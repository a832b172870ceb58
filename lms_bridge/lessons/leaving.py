"""Lessons to come leave an account that was switched off: each gets its room at the next account of its campus's order
that has one free. Lessons whose door is open stay where they are, and so do those that nobody else can take; these are
tried again whenever an account is added, changed or switched on."""

from __future__ import annotations

import sqlalchemy as sa

from lms_bridge.core import jobs
from lms_bridge.core.database import db, transaction
from lms_bridge.lessons import capacity, providers
from lms_bridge.lessons.meetings import move
from lms_bridge.lessons.models import Meeting, MeetingCause, ProviderAccount
from lms_bridge.lessons.to_come import room_still_shut, rooms_to_come
from lms_bridge.timetable.models import Lesson

LEAVE = "lessons.leave"
RENEW_EVERY = 50


def let_go() -> None:
    """Ask for the lessons to come of all accounts that are switched off to be taken elsewhere. Flushes."""
    off = sa.select(ProviderAccount.id).where(ProviderAccount.enabled.is_(False)).order_by(ProviderAccount.id)
    for account_id in db.session.scalars(off).all():
        jobs.enqueue(LEAVE, str(account_id))


def leave(account_id: int) -> None:
    """Take the lessons to come of an account that is switched off to other accounts, each in a transaction of its own;
    those that nobody can take stay."""
    account = db.session.get(ProviderAccount, account_id, populate_existing=True)
    if account is None or account.enabled:
        return
    lessons = db.session.scalars(_to_come(account_id).order_by(Lesson.starts_at, Lesson.id)).all()
    for number, lesson_id in enumerate(lessons, start=1):
        with transaction():
            _leave(account_id, lesson_id)
        if number % RENEW_EVERY == 0:
            jobs.renew()


def staying(account: ProviderAccount) -> int:
    """How many lessons to come have their rooms at an account."""
    return db.session.scalar(_to_come(account.id).with_only_columns(sa.func.count())) or 0


def _to_come(account_id: int) -> sa.Select[int]:
    return rooms_to_come().where(Meeting.account_id == account_id)


def _leave(account_id: int, lesson_id: int) -> None:
    before = room_still_shut(lesson_id)
    if before is None or before.account_id != account_id or before.account.enabled:
        return
    lesson = before.lesson
    accounts = capacity.accounts_for_lesson(lesson, without={account_id}) or _last_resort(lesson, before.account)
    if accounts:
        move(before, accounts, MeetingCause.OFF)


def _last_resort(lesson: Lesson, left: ProviderAccount) -> list[ProviderAccount]:
    """A campus whose last account was switched off has the built-in classroom, unless that is the one."""
    if providers.accounts_for(lesson.campus):
        return []
    if providers.capabilities_of(left).embeddable:
        return []
    return [providers.account_for(lesson.campus)]
