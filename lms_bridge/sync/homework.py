"""Homework in: the assignments of every course of a class, and what each student has handed in. Only what changed is
written; what is gone there is withdrawn here, never deleted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BridgeError
from lms_bridge.core.kept_problems import kept
from lms_bridge.core.plugins import Assignment, LmsConnector, Submission
from lms_bridge.supervision.models import Homework, HomeworkAnswer, HomeworkState
from lms_bridge.sync import naming
from lms_bridge.sync.courses import CourseOfClass, known_courses
from lms_bridge.sync.looking import of_courses
from lms_bridge.sync.models import LmsAccount, MappedKind, MappingState, SyncMapping
from lms_bridge.sync.trials import trial
from lms_bridge.sync.workers import each

COURSES_AT_ONCE = 10
STILL_READ = timedelta(days=30)
"""So long after it was due homework is still asked for what was handed in."""

OVERLAP = timedelta(hours=1)
"""The clocks of the LMS and ours may differ so much."""


@dataclass
class HomeworkChanges:
    """What a run found and did (or, as a dry run, would do)."""

    homework_new: int = 0
    homework_changed: int = 0
    homework_withdrawn: int = 0
    answers: int = 0
    """Answers that are new or in another state than before."""
    answers_unknown: int = 0
    """Answers of people who were not recognised."""
    problems: list[BridgeError] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The counts as plain JSON."""
        return {name: value for name, value in vars(self).items() if name != "problems"}


@dataclass(frozen=True)
class Question:
    """What the LMS is asked for what was handed in: these assignments, and (``since``) only what changed."""

    ids: tuple[str, ...]
    since: datetime | None


def take_in(
    account: LmsAccount, lms: LmsConnector, *, dry_run: bool = False, watch: Callable[[int, int | None], None]
) -> HomeworkChanges:
    """Read the assignments of every course, then what was handed in. A dry run reads the assignments only.

    :raises TemporaryFailure, AccessRefused: the LMS does not answer; what was read before stays.
    """
    changes = HomeworkChanges()
    courses = known_courses([account.id]).get(account.id, [])
    chunks = [courses[start : start + COURSES_AT_ONCE] for start in range(0, len(courses), COURSES_AT_ONCE)]
    for number, (_, answer) in enumerate(each(account, lms, chunks, _assignments), start=1):
        if isinstance(answer, BridgeError):
            changes.problems.append(answer)
        else:
            with trial(dry_run):
                _keep(account, answer, changes)
        watch(min(number * COURSES_AT_ONCE, len(courses)), len(courses))
    if not dry_run:
        _take_answers(account, lms, changes, watch)
    return changes


Found = list[tuple[CourseOfClass, list[Assignment] | BridgeError]]


def _assignments(lms: LmsConnector, courses: Sequence[CourseOfClass]) -> Found:
    """The assignments of each course; one course that may not be seen does not hide the others."""
    found: Found = []
    asked = of_courses(lambda some: list(lms.assignments([course.remote_id for course in some])), courses)
    for some, answer in asked:
        if isinstance(answer, BridgeError):
            found += [(course, answer) for course in some]
        else:
            found += [(one, [row for row in answer if row.course_remote_id == one.remote_id]) for one in some]
    return found


def _keep(account: LmsAccount, found: Found, changes: HomeworkChanges) -> None:
    """Bring the homework of some courses up to date. Flushes."""
    known = {
        (row.place, row.remote_id): row
        for row in db.session.scalars(
            sa.select(SyncMapping).where(
                SyncMapping.account_id == account.id,
                SyncMapping.kind == MappedKind.ASSIGNMENT,
                SyncMapping.place.in_([course.remote_id for course, _ in found]),
            )
        )
    }
    for course, rows in found:
        if isinstance(rows, BridgeError):
            changes.problems.append(rows)
            continue
        for assignment in rows:
            _take(account, course, assignment, known.get((course.remote_id, assignment.remote_id)), changes)
        there = {assignment.remote_id for assignment in rows}
        for (place, remote_id), row in known.items():
            if place == course.remote_id and remote_id not in there and row.state is not MappingState.GONE:
                changes.homework_withdrawn += 1
                row.state, row.changed_at, row.last_error = MappingState.GONE, now(), None
                gone = db.session.get_one(Homework, row.entity_id)
                gone.withdrawn_at = now()
                naming.note("homework_withdrawn", [gone.title])
    db.session.flush()


def _take(
    account: LmsAccount,
    course: CourseOfClass,
    assignment: Assignment,
    row: SyncMapping | None,
    changes: HomeworkChanges,
) -> None:
    digest = digest_of(assignment, course)
    if row is not None and row.digest == digest and row.state is not MappingState.GONE:
        return
    if row is None:
        homework = Homework(class_id=course.class_id, title="")
        changes.homework_new += 1
        naming.note("homework_new", [assignment.title])
    else:
        homework = db.session.get_one(Homework, row.entity_id)
        changes.homework_changed += 1
        naming.note("homework_changed", [assignment.title])
    homework.class_id, homework.subject_id = course.class_id, course.subject_id
    homework.title, homework.url = assignment.title[:255], assignment.url[:500]
    homework.opens_at, homework.due_at, homework.withdrawn_at = assignment.opens_at, assignment.due_at, None
    if row is None:
        db.session.add(homework)
        db.session.flush()
        row = SyncMapping(
            account_id=account.id,
            kind=MappedKind.ASSIGNMENT,
            place=course.remote_id,
            entity_id=homework.id,
            remote_id=assignment.remote_id,
        )
        db.session.add(row)
    row.state, row.digest, row.sent, row.changed_at = MappingState.DONE, digest, {"title": homework.title}, now()


def digest_of(assignment: Assignment, course: CourseOfClass) -> str:
    """A fingerprint of what is kept of an assignment."""
    times = [moment.isoformat() if moment else None for moment in (assignment.opens_at, assignment.due_at)]
    parts = [assignment.title, assignment.url, course.class_id, course.subject_id, *times]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()


def _take_answers(
    account: LmsAccount, lms: LmsConnector, changes: HomeworkChanges, watch: Callable[[int, int | None], None]
) -> None:
    people = dict(iter(_people(account)))
    questions = _questions(account)

    def ask(connector: LmsConnector, question: Question) -> list[Submission]:
        return list(connector.submissions(question.ids, question.since))

    for number, (question, answer) in enumerate(each(account, lms, questions, ask), start=1):
        with transaction():
            rows = {row.remote_id or "": row for row in _mappings(account, question.ids)}
            if isinstance(answer, BridgeError):
                changes.problems.append(answer)
                for row in rows.values():
                    row.state, row.last_error = MappingState.FAILED, kept(answer)
            else:
                _keep_answers(rows, people, answer, changes)
        watch(number, len(questions))


def _questions(account: LmsAccount) -> list[Question]:
    """All homework that is asked about: what was never read whole, the rest by changes. Once somebody was recognised
    after the last time, everything is read whole again, since what they did before would be missed."""
    rows = db.session.execute(
        sa.select(SyncMapping.remote_id, SyncMapping.seen_at)
        .join(Homework, Homework.id == SyncMapping.entity_id)
        .where(
            SyncMapping.account_id == account.id,
            SyncMapping.kind == MappedKind.ASSIGNMENT,
            SyncMapping.state.in_([MappingState.DONE, MappingState.FAILED]),
            sa.or_(Homework.due_at.is_(None), Homework.due_at > now() - STILL_READ),
        )
        .order_by(SyncMapping.id)
    ).all()
    newest = db.session.scalar(
        sa.select(sa.func.max(SyncMapping.changed_at)).where(
            SyncMapping.account_id == account.id, SyncMapping.kind == MappedKind.PERSON
        )
    )
    whole: list[str] = []
    by_changes: list[str] = []
    since = now()
    for number, seen in rows:
        assert number is not None
        if seen is None or (newest is not None and newest > seen):
            whole.append(number)
        else:
            by_changes.append(number)
            since = min(since, seen)
    return [
        Question(tuple(ids[start : start + COURSES_AT_ONCE]), moment)
        for ids, moment in ((whole, None), (by_changes, since - OVERLAP))
        for start in range(0, len(ids), COURSES_AT_ONCE)
    ]


def _people(account: LmsAccount) -> Sequence[Any]:
    return db.session.execute(
        sa.select(SyncMapping.remote_id, SyncMapping.entity_id).where(
            SyncMapping.account_id == account.id,
            SyncMapping.kind == MappedKind.PERSON,
            SyncMapping.state == MappingState.DONE,
        )
    ).all()


def _mappings(account: LmsAccount, remote_ids: Collection[str]) -> Sequence[SyncMapping]:
    return db.session.scalars(
        sa.select(SyncMapping).where(
            SyncMapping.account_id == account.id,
            SyncMapping.kind == MappedKind.ASSIGNMENT,
            SyncMapping.remote_id.in_(remote_ids),
            SyncMapping.state.in_([MappingState.DONE, MappingState.FAILED]),
        )
    ).all()


def _keep_answers(
    rows: dict[str, SyncMapping], people: dict[str, int], found: Sequence[Submission], changes: HomeworkChanges
) -> None:
    """Store the answers that are new or changed. Flushes."""
    ours = {
        (answer.homework_id, answer.person_id): answer
        for answer in db.session.scalars(
            sa.select(HomeworkAnswer).where(HomeworkAnswer.homework_id.in_([row.entity_id for row in rows.values()]))
        )
    }
    for one in found:
        row, person_id = rows.get(one.assignment_remote_id), people.get(one.person_remote_id)
        if row is None or row.entity_id is None:
            continue
        if person_id is None:
            changes.answers_unknown += 1
            continue
        answer = ours.get((row.entity_id, person_id))
        state = HomeworkState(one.state)
        if answer is None:
            answer = HomeworkAnswer(homework_id=row.entity_id, person_id=person_id)
            db.session.add(answer)
        elif (answer.state, answer.at) == (state, one.at):
            continue
        answer.state, answer.at = state, one.at
        changes.answers += 1
    for row in rows.values():
        row.state, row.last_error, row.seen_at = MappingState.DONE, None, now()
    db.session.flush()
