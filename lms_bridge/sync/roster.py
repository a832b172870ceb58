"""People and enrolments in from an LMS, and, where that is wished, courses and enrolments out.

Nothing is deleted: an enrolment that came from the LMS and is no longer there gets its end, and none that came from
elsewhere is touched. Too many endings in one run wait for a person's word, since a list cut short looks just the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import sqlalchemy as sa

from lms_bridge.core.application import current_settings
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BridgeError
from lms_bridge.core.plugins import (
    AccessRefused,
    CourseMember,
    CourseRecord,
    EnrolmentRecord,
    LmsConnector,
    PersonRecord,
    TemporaryFailure,
)
from lms_bridge.roster.models import ClassGroup, Enrolment, EnrolmentRole, Organisation, Term
from lms_bridge.roster.scope import today, valid
from lms_bridge.sync import cohorts
from lms_bridge.sync import courses as course_matching
from lms_bridge.sync.courses import CourseOfClass
from lms_bridge.sync.models import LmsAccount, MappedKind, MappingState, SyncMapping
from lms_bridge.sync.people import People
from lms_bridge.sync.workers import each

FEW = 5
"""So many endings are never too many."""

LISTED = 50

Watch = Callable[[int, int | None], None]


@dataclass
class RosterChanges:
    """What a run found and did (or, as a dry run, would do)."""

    courses: int = 0
    cohorts: int = 0
    unmatched_courses: list[str] = field(default_factory=list)
    people_made: int = 0
    people_matched: int = 0
    people_changed: int = 0
    people_unmatched: int = 0
    enrolments_new: int = 0
    enrolments_ended: int = 0
    enrolments_kept_back: int = 0
    """Endings that wait for a person's word."""
    courses_made: int = 0
    enrolments_sent: int = 0
    problems: list[BridgeError] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The counts as plain JSON."""
        return {
            name: value[:LISTED] if isinstance(value, list) else value
            for name, value in vars(self).items()
            if name != "problems"
        }


class _DryRun(Exception):
    """Ends a transaction of which nothing is to be kept."""


def take_in(
    account: LmsAccount, connector: LmsConnector, *, dry_run: bool = False, confirmed: bool = False, watch: Watch
) -> RosterChanges:
    """Read the account's courses and their members, and bring our enrolments up to date, course by course.

    :raises TemporaryFailure, AccessRefused: the LMS does not answer; what was done for the courses before stays.
    """
    changes = RosterChanges()
    keys = course_matching.classes_by_key(account)
    matched = course_matching.match(_courses(connector, keys), keys)
    if account.makes_courses and not dry_run:
        matched += _make_courses(account, connector, matched, changes)
    of_class = [(record, course) for record, course in matched if course is not None]
    changes.courses = len(of_class)
    changes.unmatched_courses = [record.title for record, course in matched if course is None]
    with transaction():
        course_matching.keep(account, matched)
        if dry_run:
            db.session.flush()
    of_cohort = _cohorts(account, connector, keys, of_class, changes, dry_run=dry_run)
    people, missing = People.of(account, dry_run=dry_run), list[int]()

    def fetch(
        lms: LmsConnector, item: tuple[CourseRecord, CourseOfClass]
    ) -> tuple[list[CourseMember], dict[str, PersonRecord]]:
        members = list(cohorts.members(lms, item[0].remote_id))
        numbers = sorted({person.number for person in people.unknown(members) if person.number})
        return members, dict(lms.find_people(numbers)) if numbers else {}

    for number, ((_, course), answer) in enumerate(each(account, connector, of_class + of_cohort, fetch), start=1):
        if isinstance(answer, BridgeError):
            changes.problems.append(answer)
        else:
            missing += _bring_in(account, people, course, *answer, changes, dry_run=dry_run)
        watch(number, len(of_class) + len(of_cohort))
    gone: set[str | None] = {course.place for course in _gone_courses(account)}
    missing += _of_courses(account, gone)
    _end(account, missing, changes, dry_run=dry_run, confirmed=confirmed)
    changes.people_made, changes.people_matched = people.made, people.matched
    changes.people_changed, changes.people_unmatched = people.changed, len(people.unmatched)
    if account.makes_courses and not dry_run:
        changes.enrolments_sent = _send_enrolments(account, connector, people, [course for _, course in of_class])
    return changes


def _cohorts(
    account: LmsAccount,
    connector: LmsConnector,
    keys: dict[str, int],
    of_class: Sequence[tuple[CourseRecord, CourseOfClass]],
    changes: RosterChanges,
    *,
    dry_run: bool,
) -> list[tuple[CourseRecord, CourseOfClass]]:
    """The cohorts that stand for a class without a course."""
    courses = [course for _, course in of_class]
    found: list[tuple[CourseRecord, CourseOfClass]] = []
    try:
        with transaction():
            found = cohorts.sources(account, connector, keys, courses)
            if dry_run:
                raise _DryRun
    except _DryRun:
        db.session.expire_all()
    except (TemporaryFailure, AccessRefused):
        raise
    except BridgeError as refusal:
        changes.problems.append(refusal)
    changes.cohorts = len(found)
    return found


def _courses(connector: LmsConnector, keys: dict[str, int]) -> list[CourseRecord]:
    found = list(connector.courses())
    if found and keys and not any(course.key for course in found):
        # The account may not see our marks on courses; asked for one by one they are found all the same.
        by_id = {course.remote_id: course for course in connector.find_courses(list(keys)).values()}
        found = [by_id.get(course.remote_id, course) for course in found]
    return found


def _bring_in(
    account: LmsAccount,
    people: People,
    course: CourseOfClass,
    members: Sequence[CourseMember],
    unique: dict[str, PersonRecord],
    changes: RosterChanges,
    *,
    dry_run: bool,
) -> list[int]:
    """Match the members and begin the enrolments that are missing, in one transaction; the mappings of enrolments
    that the course has no longer."""
    try:
        with transaction():
            group = db.session.get_one(ClassGroup, course.class_id)
            campus = db.session.get_one(Organisation, group.campus_id)
            day = today(campus.zone)
            people.take(members, campus, unique, day)
            missing = _enrol(account, people, course, members, changes, day)
            if dry_run:
                raise _DryRun
    except _DryRun:
        db.session.expire_all()
    return missing


def _enrol(
    account: LmsAccount,
    people: People,
    course: CourseOfClass,
    members: Sequence[CourseMember],
    changes: RosterChanges,
    day: date,
) -> list[int]:
    wanted = {
        (people.ids[m.person.remote_id], EnrolmentRole(m.role)): m.person.remote_id
        for m in members
        if m.role and m.person.remote_id in people.ids and not m.person.suspended
    }
    there = {
        (row.person_id, row.role)
        for row in db.session.execute(
            sa.select(Enrolment.person_id, Enrolment.role).where(
                Enrolment.class_id == course.class_id,
                valid(Enrolment, day),
                sa.or_(
                    Enrolment.role == EnrolmentRole.STUDENT,
                    sa.true() if course.subject_id is None else Enrolment.subject_id == course.subject_id,
                ),
            )
        )
    }
    new = [key for key in wanted if key not in there]
    rows = [
        Enrolment(
            class_id=course.class_id,
            person_id=person_id,
            role=role,
            subject_id=course.subject_id if role is EnrolmentRole.TEACHER else None,
            valid_from=day,
        )
        for person_id, role in new
    ]
    db.session.add_all(rows)
    db.session.flush()
    db.session.add_all(
        SyncMapping(
            account_id=account.id,
            kind=MappedKind.ENROLMENT,
            place=course.remote_id,
            entity_id=row.id,
            remote_id=wanted[key],
            state=MappingState.DONE,
        )
        for key, row in zip(new, rows, strict=True)
    )
    changes.enrolments_new += len(new) + sum(m.person.remote_id in people.imagined for m in members if m.role)
    db.session.flush()
    return _not_wanted(account, course, set(wanted))


def _not_wanted(account: LmsAccount, course: CourseOfClass, wanted: set[tuple[int, EnrolmentRole]]) -> list[int]:
    rows = db.session.execute(
        sa.select(SyncMapping.id, Enrolment.person_id, Enrolment.role)
        .join(Enrolment, Enrolment.id == SyncMapping.entity_id)
        .where(
            SyncMapping.account_id == account.id,
            SyncMapping.kind == MappedKind.ENROLMENT,
            SyncMapping.place == course.remote_id,
            SyncMapping.state == MappingState.DONE,
        )
    )
    return [number for number, person_id, role in rows if (person_id, role) not in wanted]


def _gone_courses(account: LmsAccount) -> Iterable[SyncMapping]:
    return db.session.scalars(
        sa.select(SyncMapping).where(
            SyncMapping.account_id == account.id,
            SyncMapping.kind.in_([MappedKind.COURSE, MappedKind.COHORT]),
            SyncMapping.state.in_([MappingState.GONE, MappingState.UNMATCHED]),
        )
    ).all()


def _of_courses(account: LmsAccount, places: set[str | None]) -> list[int]:
    if not places:
        return []
    return list(
        db.session.scalars(
            sa.select(SyncMapping.id).where(
                SyncMapping.account_id == account.id,
                SyncMapping.kind == MappedKind.ENROLMENT,
                SyncMapping.place.in_(places),
                SyncMapping.state == MappingState.DONE,
            )
        )
    )


def _end(account: LmsAccount, missing: list[int], changes: RosterChanges, *, dry_run: bool, confirmed: bool) -> None:
    """End the enrolments behind these mappings, unless they are suspiciously many."""
    standing = db.session.scalar(
        sa.select(sa.func.count()).where(
            SyncMapping.account_id == account.id,
            SyncMapping.kind == MappedKind.ENROLMENT,
            SyncMapping.state == MappingState.DONE,
        )
    )
    limit = max(FEW, int((standing or 0) * current_settings().roster_removal_limit))
    if len(missing) > limit and not confirmed:
        changes.enrolments_kept_back = len(missing)
        return
    changes.enrolments_ended = len(missing)
    if dry_run or not missing:
        return
    with transaction():
        day = today(account.organisation.zone)
        for start in range(0, len(missing), 500):
            rows = db.session.scalars(sa.select(SyncMapping).where(SyncMapping.id.in_(missing[start : start + 500])))
            for row in rows:
                enrolment = db.session.get(Enrolment, row.entity_id)
                if enrolment is not None and (enrolment.valid_to is None or enrolment.valid_to > day):
                    enrolment.valid_to = max(day, enrolment.valid_from)
                row.state, row.changed_at = MappingState.GONE, now()


def _make_courses(
    account: LmsAccount,
    connector: LmsConnector,
    matched: Sequence[tuple[CourseRecord, CourseOfClass | None]],
    changes: RosterChanges,
) -> list[tuple[CourseRecord, CourseOfClass | None]]:
    """Courses for our classes of the present terms that have none there."""
    have = {course.class_id for _, course in matched if course is not None}
    day = today(account.organisation.zone)
    rows = db.session.execute(
        sa.select(ClassGroup, Organisation)
        .join(Organisation, Organisation.id == ClassGroup.campus_id)
        .join(Term, Term.id == ClassGroup.term_id)
        .where(
            ClassGroup.valid_to.is_(None),
            Term.ends_on >= day,
            Organisation.path.startswith(account.organisation.path, autoescape=True),
        )
        .order_by(ClassGroup.id)
    ).all()
    wanted = {
        f"{campus.code}/{group.code}": (group, CourseRecord("", f"{campus.code}/{group.code}", group.title, group.code))
        for group, campus in rows
        if group.id not in have
    }
    if not wanted:
        return []
    made = connector.ensure_courses([record for _, record in wanted.values()])
    changes.courses_made = len(made)
    return [
        (CourseRecord(made[key], key, record.title, record.short_title), CourseOfClass(made[key], group.id, None))
        for key, (group, record) in wanted.items()
        if key in made
    ]


def _send_enrolments(
    account: LmsAccount, connector: LmsConnector, people: People, courses: Sequence[CourseOfClass]
) -> int:
    """Enrol there who is in our class and in no such course there; ends nothing."""
    remote = {person_id: remote_id for remote_id, person_id in people.ids.items()}
    day = today(account.organisation.zone)
    sent = 0
    for course in courses:
        if course.subject_id is not None:
            continue
        rows = db.session.execute(
            sa.select(Enrolment.person_id, Enrolment.role).where(
                Enrolment.class_id == course.class_id, valid(Enrolment, day)
            )
        ).all()
        there = {m.person.remote_id for m in connector.members(course.remote_id)}
        wanted = [
            EnrolmentRecord(course.remote_id, remote[person_id], role.value)
            for person_id, role in rows
            if person_id in remote and remote[person_id] not in there
        ]
        if wanted:
            connector.ensure_enrolments(wanted)
            sent += len(wanted)
    return sent
