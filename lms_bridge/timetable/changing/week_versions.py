"""Versions of weeks: who changes a week locks it, and is refused if somebody else changed it meanwhile."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from lms_bridge.core.database import db
from lms_bridge.core.errors import Conflict
from lms_bridge.core.i18n import N_
from lms_bridge.roster.models import Organisation, Person, Term
from lms_bridge.timetable.models import ChangeSet, TimetableWeek
from lms_bridge.timetable.wording import When


def open_week(campus: Organisation, term: Term, week: str) -> TimetableWeek:
    """The row of the campus's timetable of an ISO week (``2026-W48``); made, with version 0, if there is none."""
    row = db.session.scalar(
        sa.select(TimetableWeek).filter_by(campus_id=campus.id, week=week).execution_options(populate_existing=True)
    )
    if row is None:
        row = TimetableWeek(campus_id=campus.id, term_id=term.id, week=week, version=0)
        db.session.add(row)
        db.session.flush()
    return row


def version_of(week_id: int) -> int:
    """The version of a week now."""
    return db.session.get_one(TimetableWeek, week_id, populate_existing=True).version


def expect_version(week_id: int, seen: int | None) -> None:
    """Lock a week for this transaction; None asks nothing.

    :raises Conflict: it is not in the version that the person looked at; says who changed it and when.
    """
    if seen is not None and (week := lock([week_id])[week_id]).version != seen:
        raise _stale(week)


def locked_weeks(change_set: ChangeSet) -> dict[int, TimetableWeek]:
    """The weeks of a change set by id, locked.

    :raises Conflict: one of them was changed since the change set was computed.
    """
    versions = {int(key): version for key, version in change_set.base_versions.items()}
    weeks = lock(sorted(versions))
    for week_id, version in sorted(versions.items()):
        week = weeks[week_id]
        if week.version != version:
            raise _stale(week)
    return weeks


def lock(week_ids: Sequence[int]) -> dict[int, TimetableWeek]:
    """The week rows, locked until the transaction ends, always in the same order; SQLite has one writer anyway."""
    rows = db.session.scalars(
        sa.select(TimetableWeek)
        .where(TimetableWeek.id.in_(week_ids))
        .order_by(TimetableWeek.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {row.id: row for row in rows}


def _stale(week: TimetableWeek) -> Conflict:
    campus = db.session.get_one(Organisation, week.campus_id)
    last = db.session.scalar(
        sa.select(ChangeSet)
        .where(ChangeSet.campus_id == campus.id, ChangeSet.applied_at.is_not(None))
        .order_by(ChangeSet.applied_at.desc(), ChangeSet.id.desc())
        .limit(1)
    )
    author = db.session.get(Person, last.author_id) if last is not None and last.author_id is not None else None
    return Conflict(
        N_("The timetable of %(week)s was changed meanwhile, last by %(who)s on %(when)s."),
        remedy=N_("Nothing of yours was done. Look at the week as it is now, then repeat your step."),
        week=week.week,
        who=author.display_name if author is not None else "LMS Bridge",
        when=When(last.applied_at, campus.zone) if last is not None and last.applied_at is not None else "-",
    )
