"""Marks out: what was decided of a lesson's attendance goes into the LMS's own register, one session for each lesson
and course.

A session is looked for by its marker before it is made, and only marks that stand otherwise there are written, so that
everything may be asked for twice. Students whom the LMS does not know stay with the mapping by name, and are looked for
again every night.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from lms_bridge.attendance.corrections import decided
from lms_bridge.attendance.models import AttendanceRecord, Verdict
from lms_bridge.core import jobs
from lms_bridge.core.clock import local, now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BridgeError
from lms_bridge.core.i18n import gettext, use_locale
from lms_bridge.core.kept_problems import kept
from lms_bridge.core.plugins import (
    AccessRefused,
    AttendanceMark,
    AttendanceSession,
    LmsConnector,
    NotThere,
    TemporaryFailure,
)
from lms_bridge.roster.models import Enrolment, EnrolmentRole, Person
from lms_bridge.sync import accounts, leases, naming, retries
from lms_bridge.sync.courses import CourseOfClass, PlacesOfClasses, known_courses
from lms_bridge.sync.models import LmsAccount, MappedKind, MappingState, SyncMapping
from lms_bridge.sync.wishes import PUSH
from lms_bridge.sync.workers import each
from lms_bridge.timetable.models import Lesson, LessonAudience
from lms_bridge.timetable.queries import WITH_PARTS, students_of

RECENT = timedelta(days=14)
"""So far back a run looks for lessons whose marks are not there yet."""

ROUND = 200
AT_ONCE = 3
"""So many lessons of one course are one piece of work: a course's register is never made by two connections at once,
and a piece ends within the lease."""


@dataclass
class Written:
    """What was done in the LMS."""

    sessions: int = 0
    """Lessons whose marks are there."""
    marks: int = 0
    marks_missing: int = 0
    """Students whom the LMS does not know, or not in this course."""
    failed: int = 0

    def as_dict(self) -> dict[str, int]:
        """The counts as plain JSON."""
        return dict(vars(self))


@dataclass(frozen=True)
class Register:
    """The marks of one lesson for one course. ``missing`` are students whom the LMS does not know, by name."""

    mapping_id: int
    session: AttendanceSession
    marks: tuple[AttendanceMark, ...]
    names: dict[str, str]
    missing: tuple[str, ...]
    changed_at: datetime

    @property
    def digest(self) -> str:
        """A fingerprint of the marks."""
        parts = sorted((mark.person_remote_id, mark.verdict) for mark in self.marks)
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


Answer = tuple[AttendanceSession, Sequence[str]] | BridgeError
"""The session with its remote id, and the remote ids of those whose mark was refused; or why nothing was written."""


def follow(lesson_ids: Iterable[int]) -> int:
    """After attendance was decided or corrected: the marks wait for the job that writes them. Flushes; the number of
    mappings that wait."""
    present = [account for account in accounts.enabled_accounts() if account.writes_marks]
    if not present:
        return 0
    waiting = 0
    for account, lesson, place, row in _places(present, list(lesson_ids)):
        _wait(account, lesson, place, row)
        waiting += 1
    db.session.flush()
    return waiting


def wish_recent(account: LmsAccount, *, dry_run: bool = False) -> int:
    """Have the marks of recent lessons written that never were, and those tried again that found not everybody; how
    many are waiting after that (of a dry run: would be)."""
    if not account.writes_marks:
        return 0
    class_ids = {course.class_id for course in known_courses([account.id]).get(account.id, [])}
    ids = db.session.scalars(
        sa.select(Lesson.id)
        .where(
            Lesson.ends_at > now() - RECENT,
            Lesson.audience.any(LessonAudience.class_id.in_(class_ids)),
            sa.exists().where(AttendanceRecord.lesson_id == Lesson.id, AttendanceRecord.final.is_(True)),
        )
        .order_by(Lesson.starts_at, Lesson.id)
    ).all()
    new = [
        found
        for start in range(0, len(ids), ROUND)
        for found in _places([account], ids[start : start + ROUND])
        if found[3] is None or found[3].state is MappingState.UNMATCHED
    ]
    naming.note("waiting", [title_of(lesson) for _, lesson, _, _ in new])
    if dry_run:
        return len(new) + waiting_count(account)
    with transaction():
        for one in new:
            _wait(*one)
    return waiting_count(account)


def _places(
    present: Sequence[LmsAccount], lesson_ids: Sequence[int]
) -> Iterator[tuple[LmsAccount, Lesson, str, SyncMapping | None]]:
    """Where the marks of these lessons belong, each with its mapping if there is one."""
    lessons = db.session.scalars(
        sa.select(Lesson).where(Lesson.id.in_(lesson_ids)).options(*WITH_PARTS).order_by(Lesson.starts_at, Lesson.id)
    ).all()
    class_ids = {a.class_id for lesson in lessons for a in lesson.audience}
    ids = [account.id for account in present]
    courses = known_courses(ids, class_ids)
    known = {
        (row.account_id, row.entity_id, row.place): row
        for row in db.session.scalars(
            sa.select(SyncMapping).where(
                SyncMapping.account_id.in_(ids),
                SyncMapping.kind == MappedKind.ATTENDANCE,
                SyncMapping.entity_id.in_(lesson_ids),
            )
        )
    }
    for account in present:
        places = PlacesOfClasses(courses.get(account.id, []))
        for lesson in lessons:
            for place in places.of_lesson([a.class_id for a in lesson.audience], lesson.subject_id):
                yield account, lesson, place, known.get((account.id, lesson.id, place))


def _wait(account: LmsAccount, lesson: Lesson, place: str, row: SyncMapping | None) -> None:
    if row is None:
        row = SyncMapping(account_id=account.id, kind=MappedKind.ATTENDANCE, entity_id=lesson.id, place=place)
        db.session.add(row)
    row.sent = (row.sent or {}) | {"title": title_of(lesson)}
    row.state, row.attempts, row.next_try, row.changed_at, row.last_error = MappingState.WAITING, 0, now(), now(), None
    jobs.enqueue(PUSH, str(account.id))


def title_of(lesson: Lesson) -> str:
    """What the lesson is called in the LMS's register and in our lists."""
    subject = lesson.subject.label(lesson.campus.locale)
    return f"{subject} {local(lesson.starts_at, lesson.zone):%Y-%m-%d %H:%M}"


def waiting_count(account: LmsAccount) -> int:
    """How many lessons' marks are due to be written."""
    if not account.writes_marks:
        return 0
    return db.session.scalar(sa.select(sa.func.count()).select_from(SyncMapping).where(*_due(account))) or 0


def next_due(account: LmsAccount) -> datetime | None:
    """When something that was refused is tried again."""
    if not account.writes_marks:
        return None
    return db.session.scalar(sa.select(sa.func.min(SyncMapping.next_try)).where(*_open(account)))


def problems_of(account: LmsAccount, limit: int = 20) -> list[BridgeError]:
    """The refusals that stand, each once."""
    return retries.standing(account, MappedKind.ATTENDANCE, (MappingState.FAILED,), limit)


def _open(account: LmsAccount) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        SyncMapping.account_id == account.id,
        SyncMapping.kind == MappedKind.ATTENDANCE,
        SyncMapping.state.in_([MappingState.WAITING, MappingState.FAILED]),
    )


def _due(account: LmsAccount) -> tuple[sa.ColumnElement[bool], ...]:
    return (*_open(account), SyncMapping.next_try <= now())


def push(account: LmsAccount, lms: LmsConnector, watch: Callable[[int, int | None], None] | None = None) -> Written:
    """Write all marks that are due. The caller holds the account's lease.

    :raises TemporaryFailure, AccessRefused: the LMS does not answer; the rest waits, in order.
    """
    done = Written()
    total, count = waiting_count(account), 0
    while pieces := _next_round(account, done):
        for piece, answer in each(account, lms, pieces, _write):
            answers: Sequence[Answer] = [answer] * len(piece) if isinstance(answer, BridgeError) else answer
            with transaction():
                for register, one in zip(piece, answers, strict=True):
                    _settle(register, one, done)
            count += len(piece)
            leases.hold(LmsAccount, account.id)
            if watch is not None:
                watch(count, max(total, count))
    return done


def _next_round(account: LmsAccount, done: Written) -> list[list[Register]]:
    """The lessons that come next, those of one course together; lessons of which nothing can be written are settled at
    once."""
    if not account.writes_marks:
        return []
    while True:
        with transaction():
            rows = db.session.scalars(
                sa.select(SyncMapping)
                .where(*_due(account))
                .order_by(SyncMapping.changed_at, SyncMapping.id)
                .limit(ROUND)
            ).all()
            if not rows:
                return []
            pieces: defaultdict[str, list[Register]] = defaultdict(list)
            for register in _registers(account, rows):
                if not register.marks:
                    _settle(register, (register.session, ()), done)
                elif len(pieces[register.session.course_remote_id]) < AT_ONCE:
                    pieces[register.session.course_remote_id].append(register)
        if pieces:
            return list(pieces.values())


def _registers(account: LmsAccount, rows: Sequence[SyncMapping]) -> Iterator[Register]:
    """What is to be written for each mapping, as attendance stands now."""
    lessons = {
        lesson.id: lesson
        for lesson in db.session.scalars(
            sa.select(Lesson).where(Lesson.id.in_([row.entity_id for row in rows])).options(*WITH_PARTS)
        )
    }
    verdicts, expected = decided(lessons.keys()), students_of(lessons.values())
    courses = known_courses([account.id]).get(account.id, [])
    classes = _classes({a.class_id for lesson in lessons.values() for a in lesson.audience})
    there = _there(account, {person for found in verdicts.values() for person in found})
    names = {
        person.id: person.display_name
        for person in db.session.scalars(
            sa.select(Person).where(Person.id.in_({person for found in verdicts.values() for person in found}))
        )
    }
    for row in rows:
        assert row.entity_id is not None
        lesson = lessons[row.entity_id]
        people = _of_course(lesson, row.place, courses, expected[lesson.id], classes)
        found = {
            person: verdict
            for person, verdict in verdicts.get(lesson.id, {}).items()
            if person in people and verdict is not Verdict.UNVERIFIED
        }
        yield Register(
            mapping_id=row.id,
            session=AttendanceSession(
                key=lesson.uid,
                course_remote_id=row.place,
                title=title_of(lesson),
                starts_at=lesson.starts_at,
                ends_at=lesson.ends_at,
                remote_id=row.remote_id,
                link_text=_link_text(lesson),
            ),
            marks=tuple(AttendanceMark(there[p], verdict.value) for p, verdict in found.items() if p in there),
            names={there[person]: names[person] for person in found if person in there},
            missing=tuple(sorted(names[person] for person in found if person not in there)),
            changed_at=row.changed_at,
        )


def _there(account: LmsAccount, person_ids: Collection[int]) -> dict[int, str]:
    """The remote ids of our people, as far as they were recognised."""
    rows = db.session.execute(
        sa.select(SyncMapping.entity_id, SyncMapping.remote_id).where(
            SyncMapping.account_id == account.id,
            SyncMapping.kind == MappedKind.PERSON,
            SyncMapping.state == MappingState.DONE,
            SyncMapping.entity_id.in_(person_ids),
        )
    )
    return {person_id: remote_id for person_id, remote_id in rows if person_id and remote_id}


def _classes(class_ids: Collection[int]) -> dict[int, set[int]]:
    """By class: everybody who is or was a student of it."""
    found: defaultdict[int, set[int]] = defaultdict(set)
    for class_id, person_id in db.session.execute(
        sa.select(Enrolment.class_id, Enrolment.person_id).where(
            Enrolment.class_id.in_(class_ids), Enrolment.role == EnrolmentRole.STUDENT
        )
    ):
        found[class_id].add(person_id)
    return found


def _of_course(
    lesson: Lesson,
    place: str,
    courses: Collection[CourseOfClass],
    expected: Collection[int],
    classes: dict[int, set[int]],
) -> set[int]:
    """The students of the lesson who belong to this course: those of the classes whose course it is."""
    of_place = {course.class_id for course in courses if course.remote_id == place}
    mine = {person for a in lesson.audience if a.class_id in of_place for person in classes.get(a.class_id, ())}
    return set(expected) & mine


def _write(lms: LmsConnector, piece: Sequence[Register]) -> list[Answer]:
    answers: list[Answer] = []
    for register in piece:
        try:
            answers.append(_write_one(lms, register))
        except (TemporaryFailure, AccessRefused):
            raise
        except BridgeError as refusal:
            answers.append(refusal)
    return answers


def _write_one(lms: LmsConnector, register: Register) -> Answer:
    session = register.session
    if session.remote_id is not None:
        try:
            return session, lms.write_marks(session, register.marks)
        except NotThere:
            session = replace(session, remote_id=None)  # somebody deleted it: it is made anew
    session = lms.ensure_attendance_session(session)
    return session, lms.write_marks(session, register.marks)


def _link_text(lesson: Lesson) -> str:
    with use_locale(lesson.campus.locale):
        return gettext("Enter the lesson")


def _settle(register: Register, answer: Answer, done: Written) -> None:
    """Write down how it ended. Marks that changed while the call ran wait again."""
    row = db.session.get_one(SyncMapping, register.mapping_id, populate_existing=True, with_for_update=True)
    if isinstance(answer, BridgeError):
        done.failed += 1
        row.state, row.last_error = MappingState.FAILED, kept(answer)
        row.attempts += 1
        row.next_try = retries.later(row.attempts)
        return
    session, refused = answer
    not_in_course = sorted(register.names[person] for person in refused)
    done.sessions += session.remote_id is not None
    done.marks += len(register.marks) - len(refused)
    done.marks_missing += len(register.missing) + len(refused)
    said: dict[str, Any] = {"title": register.session.title}
    if register.missing:
        said["missing"] = list(register.missing)
    if not_in_course:
        said["refused"] = not_in_course
    row.remote_id, row.sent, row.digest = session.remote_id, said, register.digest
    row.attempts, row.last_error, row.seen_at = 0, None, now()
    if row.changed_at != register.changed_at:
        row.state = MappingState.WAITING
    else:
        row.state = MappingState.UNMATCHED if len(said) > 1 else MappingState.DONE
