"""The teacher's word above the computed verdict, and the list in which both stand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from lms_bridge.attendance.events import AttendanceDecided
from lms_bridge.attendance.models import AttendanceCorrection, AttendanceRecord, Verdict
from lms_bridge.attendance.recording import AFTERWARDS, judged
from lms_bridge.attendance.verdicts import Judged
from lms_bridge.core import audit
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.errors import Conflict, InputError
from lms_bridge.core.events import announce
from lms_bridge.core.i18n import N_
from lms_bridge.roster.models import Person
from lms_bridge.timetable.models import Lesson
from lms_bridge.timetable.queries import students_of

REASON_LENGTH = 500


@dataclass(frozen=True)
class Standing:
    """One student of a lesson: what was computed, and the correction that stands (if any) with its author."""

    student: Person
    computed: Judged
    correction: AttendanceCorrection | None
    author: Person | None

    @property
    def verdict(self) -> Verdict | None:
        """What holds; None: not here yet."""
        return self.correction.verdict if self.correction is not None else self.computed.verdict


def correct(lesson: Lesson, student: Person, verdict: Verdict | None, reason: str, actor: Person) -> None:
    """Set another verdict for a student, or (None) let the computed one hold again. Flushes, with an audit entry.

    :raises InputError: no reason. :raises Conflict: the student is not of this lesson, or it has not begun.
    """
    if student.id not in students_of([lesson])[lesson.id]:
        raise Conflict(N_("%(name)s is not expected at this lesson."), name=student.display_name)
    if now() < lesson.starts_at:
        raise Conflict(
            N_("This lesson has not begun yet."), remedy=N_("Attendance can be corrected from its start on.")
        )
    if not reason.strip():
        raise InputError(N_("A correction needs a reason."), remedy=N_("Write in a few words how you know."))
    computed = judged(lesson, [student.id])[student.id].verdict
    db.session.add(
        AttendanceCorrection(
            lesson_id=lesson.id,
            person_id=student.id,
            verdict=verdict,
            reason=reason.strip()[:REASON_LENGTH],
            author_id=actor.id,
            at=now(),
            computed_verdict=computed,
        )
    )
    audit.record(
        "attendance.correct",
        "lesson",
        lesson.uid,
        actor_uid=actor.uid,
        organisation_id=lesson.campus_id,
        student=student.uid,
        verdict=verdict.value if verdict is not None else None,
    )
    db.session.flush()
    if now() >= lesson.ends_at + AFTERWARDS:
        announce(AttendanceDecided(lesson.id))


def standing(lesson: Lesson) -> list[Standing]:
    """Every expected student in the order of their numbers, as the evidence stands now."""
    computed = judged(lesson)
    corrections = _corrections([lesson.id])
    people = {
        p.id: p
        for p in db.session.scalars(
            sa.select(Person).where(Person.id.in_({*computed, *(c.author_id for c in corrections.values())}))
        )
    }
    rows = []
    for person_id, one in computed.items():
        correction = corrections.get((lesson.id, person_id))
        if correction is not None and correction.verdict is None:
            correction = None
        author = people[correction.author_id] if correction is not None else None
        rows.append(Standing(people[person_id], one, correction, author))
    return sorted(rows, key=lambda row: (row.student.number or "", row.student.display_name, row.student.id))


def verdicts_of(person_id: int, lesson_ids: Sequence[int]) -> dict[int, Verdict]:
    """What holds for one student in these lessons, by lesson id; lessons without a verdict are left out."""
    found = {
        row.lesson_id: row.verdict
        for row in db.session.scalars(
            sa.select(AttendanceRecord).where(
                AttendanceRecord.person_id == person_id, AttendanceRecord.lesson_id.in_(lesson_ids)
            )
        )
    }
    for (lesson_id, who), row in _corrections(lesson_ids).items():
        if who == person_id and row.verdict is not None:
            found[lesson_id] = row.verdict
    return found


def decided(lesson_ids: Collection[int]) -> dict[int, dict[int, Verdict]]:
    """What holds for good in these lessons: by lesson id, the verdict on each student. Lessons that are not decided yet
    are left out."""
    found: defaultdict[int, dict[int, Verdict]] = defaultdict(dict)
    for row in db.session.scalars(
        sa.select(AttendanceRecord).where(AttendanceRecord.lesson_id.in_(lesson_ids), AttendanceRecord.final.is_(True))
    ):
        found[row.lesson_id][row.person_id] = row.verdict
    for (lesson_id, person_id), correction in _corrections(list(found)).items():
        if correction.verdict is not None and person_id in found[lesson_id]:
            found[lesson_id][person_id] = correction.verdict
    return dict(found)


def _corrections(lesson_ids: Sequence[int]) -> dict[tuple[int, int], AttendanceCorrection]:
    """The latest correction of each person and lesson."""
    rows = db.session.scalars(
        sa.select(AttendanceCorrection)
        .where(AttendanceCorrection.lesson_id.in_(lesson_ids))
        .order_by(AttendanceCorrection.id)
    )
    return {(row.lesson_id, row.person_id): row for row in rows}
