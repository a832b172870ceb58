"""Courses and enrolments out to an LMS, where that is wished."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from lms_bridge.core.database import db
from lms_bridge.core.errors import BridgeError
from lms_bridge.core.plugins import AccessRefused, CourseRecord, EnrolmentRecord, LmsConnector, TemporaryFailure
from lms_bridge.roster.models import ClassGroup, Enrolment, Organisation, Term
from lms_bridge.roster.scope import today, valid
from lms_bridge.sync.courses import CourseOfClass
from lms_bridge.sync.models import LmsAccount
from lms_bridge.sync.people import People
from lms_bridge.sync.roster_changes import RosterChanges, Watch


def make_courses(
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


def send_enrolments(
    account: LmsAccount,
    connector: LmsConnector,
    people: People,
    courses: Sequence[CourseOfClass],
    changes: RosterChanges,
    watch: Watch,
) -> None:
    """Enrol there who is in our class and in no such course there; ends nothing. A course that refuses is named."""
    remote = {person_id: remote_id for remote_id, person_id in people.ids.items()}
    day = today(account.organisation.zone)
    for course in courses:
        if course.subject_id is not None:
            continue
        rows = db.session.execute(
            sa.select(Enrolment.person_id, Enrolment.role).where(
                Enrolment.class_id == course.class_id, valid(Enrolment, day)
            )
        ).all()
        try:
            there = {m.person.remote_id for m in connector.members(course.remote_id)}
            wanted = [
                EnrolmentRecord(course.remote_id, remote[person_id], role.value)
                for person_id, role in rows
                if person_id in remote and remote[person_id] not in there
            ]
            if wanted:
                connector.ensure_enrolments(wanted)
                changes.enrolments_sent += len(wanted)
        except (TemporaryFailure, AccessRefused):
            raise
        except BridgeError as refusal:
            changes.problems.append(refusal)
        watch(len(courses), len(courses))
