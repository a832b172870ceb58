"""The "Online lessons" activity in every course that belongs to a class, once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BridgeError
from lms_bridge.core.kept_problems import kept
from lms_bridge.core.plugins import LmsConnector
from lms_bridge.sync import leases, naming
from lms_bridge.sync.courses import CourseOfClass, known_courses
from lms_bridge.sync.models import LmsAccount, MappedKind, MappingState, SyncMapping
from lms_bridge.sync.workers import each


@dataclass
class ActivityChanges:
    """How many courses got the activity, had it, or refused it."""

    new: int = 0
    present: int = 0
    problems: list[BridgeError] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The counts as plain JSON."""
        return {"new": self.new, "present": self.present, "failed": len(self.problems)}


def put_in(
    account: LmsAccount, lms: LmsConnector, *, dry_run: bool = False, watch: Callable[[int, int | None], None]
) -> ActivityChanges:
    """Look into every course, and put the activity where it is missing. A dry run counts what is not known to be there.

    :raises TemporaryFailure, AccessRefused: the LMS does not answer.
    """
    changes = ActivityChanges()
    known = {
        row.place: row.remote_id
        for row in db.session.scalars(
            sa.select(SyncMapping).filter_by(account_id=account.id, kind=MappedKind.ACTIVITY, state=MappingState.DONE)
        )
    }
    courses = known_courses([account.id]).get(account.id, [])
    if dry_run:
        changes.present = sum(course.remote_id in known for course in courses)
        changes.new = len(courses) - changes.present
        naming.note_classes("new", [course.class_id for course in courses if course.remote_id not in known])
        return changes

    def ensure(connector: LmsConnector, course: CourseOfClass) -> str:
        return connector.ensure_activity(course.remote_id, known.get(course.remote_id))

    for number, (course, answer) in enumerate(each(account, lms, courses, ensure), start=1):
        with transaction():
            _note(account, course, answer)
        if isinstance(answer, BridgeError):
            changes.problems.append(answer)
        else:
            changes.present += known.get(course.remote_id) == answer
            changes.new += known.get(course.remote_id) != answer
            if known.get(course.remote_id) != answer:
                naming.note_classes("new", [course.class_id])
        leases.hold(LmsAccount, account.id)
        watch(number, len(courses))
    return changes


def _note(account: LmsAccount, course: CourseOfClass, answer: str | BridgeError) -> None:
    row = db.session.scalar(
        sa.select(SyncMapping).filter_by(account_id=account.id, kind=MappedKind.ACTIVITY, place=course.remote_id)
    )
    if row is None:
        row = SyncMapping(account_id=account.id, kind=MappedKind.ACTIVITY, place=course.remote_id)
        db.session.add(row)
    row.entity_id, row.seen_at = course.class_id, now()
    if isinstance(answer, BridgeError):
        row.state, row.last_error, row.attempts = (
            MappingState.FAILED,
            kept(answer),
            row.attempts + 1 if row.attempts else 1,
        )
    else:
        row.state, row.remote_id, row.last_error, row.attempts = MappingState.DONE, answer, None, 0
