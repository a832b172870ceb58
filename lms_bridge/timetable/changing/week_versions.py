"""Versions of weeks: who changes a week locks it, and is refused if somebody else changed it meanwhile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from lms_bridge.core.database import db
from lms_bridge.core.errors import BadInputs, Conflict, InputError
from lms_bridge.core.i18n import N_, gettext
from lms_bridge.roster.models import Organisation, Person, Term
from lms_bridge.timetable.models import ChangeKind, ChangeSet, TimetableWeek
from lms_bridge.timetable.wording import When

_LOOKED_BACK = 100

COUNTED = {
    ChangeKind.ADDED: N_("new"),
    ChangeKind.MOVED: N_("moved"),
    ChangeKind.CANCELLED: N_("cancelled"),
    ChangeKind.RESTORED: N_("held again"),
    ChangeKind.TEACHER: N_("other teacher"),
    ChangeKind.MODE: N_("online or at school"),
    ChangeKind.UNIT: N_("other unit"),
}
"""Words for what happens to lessons, before their number."""


@dataclass(frozen=True, slots=True)
class LessonsChanged:
    """How many lessons a change set changes: "moved: 2, cancelled: 1"."""

    counts: tuple[tuple[ChangeKind, int], ...]

    @classmethod
    def of(cls, change_set: ChangeSet) -> LessonsChanged:
        """Those of ``change_set``."""
        found = Counter(change.kind for change in change_set.changes)
        return cls(tuple((kind, found[kind]) for kind in COUNTED if found[kind]))

    def __str__(self) -> str:
        words = [gettext("%(what)s: %(n)s", what=gettext(COUNTED[kind]), n=count) for kind, count in self.counts]
        return gettext(", ").join(words)


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


class Overtaken(BadInputs):
    """Weeks were changed since somebody looked at them; nothing was done. ``change_sets``: by what, newest first; each
    is one of the ``problems``."""

    code = "conflict"
    status = 409

    def __init__(self, change_sets: Sequence[ChangeSet], campus: Organisation) -> None:
        super().__init__([_told(row, campus) for row in change_sets])
        self.change_sets = change_sets
        self.message = N_("The timetable was changed since you looked at it; nothing of yours was done.")
        self.remedy = N_("Look at the timetable as it is now, then repeat your step.")


def expect_versions(campus: Organisation, weeks: Mapping[str, int]) -> None:
    """Lock the weeks (``2026-W48``) of a campus for this transaction; 0 is a week that had no timetable.

    :raises Overtaken: one of them is not in the version that the person looked at; says what was changed since.
    """
    ids = db.session.scalars(
        sa.select(TimetableWeek.id).where(TimetableWeek.campus_id == campus.id, TimetableWeek.week.in_(weeks))
    ).all()
    behind = {row.id: row.version - weeks[row.week] for row in lock(ids).values() if row.version != weeks[row.week]}
    if not behind:
        return
    newest = db.session.scalars(
        sa.select(ChangeSet)
        .where(ChangeSet.campus_id == campus.id, ChangeSet.applied_at.is_not(None))
        .options(selectinload(ChangeSet.changes))
        .order_by(ChangeSet.applied_at.desc(), ChangeSet.id.desc())
        .limit(_LOOKED_BACK)
    )
    between = []
    for change_set in newest:
        # Each change set that was put in force made the versions of its weeks grow by one.
        touched = [key for key in map(int, change_set.base_versions) if behind.get(key, 0) > 0]
        behind |= {key: behind[key] - 1 for key in touched}
        if touched:
            between.append(change_set)
    raise Overtaken(between, campus)


def _told(change_set: ChangeSet, campus: Organisation) -> InputError:
    author = db.session.get(Person, change_set.author_id) if change_set.author_id is not None else None
    return InputError(
        N_("%(who)s changed it on %(when)s: %(what)s."),
        who=author.display_name if author is not None else "LMS Bridge",
        when=When(change_set.applied_at, campus.zone) if change_set.applied_at is not None else "-",
        what=LessonsChanged.of(change_set),
    )


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
