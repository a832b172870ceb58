"""Computes the verdicts of a lesson from its evidence and keeps them; computing again changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa

from lms_bridge.attendance.events import AttendanceDecided
from lms_bridge.attendance.models import AttendancePolicy, AttendanceRecord
from lms_bridge.attendance.verdicts import Judged, Policy, judge
from lms_bridge.calendar.limits import ancestor_ids
from lms_bridge.core import jobs
from lms_bridge.core.clock import now
from lms_bridge.core.database import db
from lms_bridge.core.events import announce
from lms_bridge.lessons.gaps import gaps_between
from lms_bridge.lessons.presence import OWN_SOURCES, intervals, observations_of
from lms_bridge.roster.models import Organisation
from lms_bridge.timetable.models import Lesson, LessonMode, LessonStatus
from lms_bridge.timetable.queries import students_of

COMPUTE = "attendance.compute"
FINALISE = "attendance.finalise"
"""Job kinds; their subject is the lesson's id."""
AFTERWARDS = timedelta(minutes=15)
"""So long after its end a lesson's attendance is final: signs of life that a weak line held back arrive until then."""
PAUSE = timedelta(seconds=15)
"""The verdicts of a running lesson are computed at most this often."""


def policy_for(campus: Organisation) -> Policy:
    """The rules of the nearest organisation that has its own, else the defaults."""
    chain = ancestor_ids(campus)
    rows = {
        row.organisation_id: row
        for row in db.session.scalars(sa.select(AttendancePolicy).where(AttendancePolicy.organisation_id.in_(chain)))
    }
    row = next((rows[key] for key in chain if key in rows), None)
    if row is None:
        return Policy()
    return Policy(
        timedelta(minutes=row.late_after),
        timedelta(minutes=row.left_early_before),
        row.minimum_share,
        timedelta(seconds=row.heartbeat_grace_seconds),
    )


def judged(lesson: Lesson, person_ids: Sequence[int] | None = None) -> dict[int, Judged]:
    """The verdict on each expected student (of those named) as the evidence stands now; nothing is stored."""
    expected = students_of([lesson])[lesson.id]
    wanted = expected if person_ids is None else [one for one in expected if one in set(person_ids)]
    policy, moment = policy_for(lesson.campus), now()
    seen = observations_of(lesson.id, wanted)
    end = min(moment, lesson.ends_at)
    blind = [
        (gap.starts_at, gap.ends_at)
        for gap in gaps_between(lesson.starts_at, lesson.ends_at, sources=OWN_SOURCES, lesson_id=lesson.id)
    ]
    return {
        person_id: judge(
            intervals(seen.get(person_id, []), beat_timeout=policy.grace, end=end),
            lesson.starts_at,
            lesson.ends_at,
            policy,
            now=moment,
            gaps=blind,
        )
        for person_id in wanted
    }


def compute(lesson: Lesson, person_ids: Sequence[int] | None = None) -> dict[int, AttendanceRecord]:
    """Store the verdicts as they stand now; the records by person id. Those who are not here yet in a running lesson
    have none. Final ones are announced when they are, and when they change. Flushes."""
    rows = {
        row.person_id: row for row in db.session.scalars(sa.select(AttendanceRecord).filter_by(lesson_id=lesson.id))
    }
    final = now() >= lesson.ends_at + AFTERWARDS
    found: dict[int, AttendanceRecord] = {}
    news = False
    for person_id, one in judged(lesson, person_ids).items():
        row = rows.get(person_id)
        if one.verdict is None:
            if row is not None:
                db.session.delete(row)
            continue
        if row is None:
            row = AttendanceRecord(lesson_id=lesson.id, person_id=person_id)
            db.session.add(row)
        news = news or not row.final or row.verdict is not one.verdict
        row.verdict, row.minutes, row.reason, row.final = one.verdict, one.minutes, one.reason, final
        row.first_seen_at, row.last_seen_at, row.computed_at = one.first_seen, one.last_seen, now()
        found[person_id] = row
    db.session.flush()
    if final and news:
        announce(AttendanceDecided(lesson.id))
    return found


def compute_lesson(lesson_id: int) -> None:
    """Store the verdicts of a lesson that takes place; of a cancelled one there are none."""
    lesson = db.session.get(Lesson, lesson_id)
    if lesson is None or lesson.status is not LessonStatus.SCHEDULED or lesson.mode is not LessonMode.ONLINE:
        return
    if now() >= lesson.starts_at:
        compute(lesson)


def finally_(lessons: Sequence[Lesson]) -> None:
    """Have the attendance of these lessons made final after their end."""
    for lesson in lessons:
        if lesson.status is LessonStatus.SCHEDULED and lesson.mode is LessonMode.ONLINE:
            jobs.enqueue(FINALISE, str(lesson.id), not_before=lesson.ends_at + AFTERWARDS)
