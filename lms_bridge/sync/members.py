"""The members of an LTI platform's courses (NRPS): each is matched as at a launch, before they ever come, and the list
of a course is compared with our class. Nobody is enrolled, given a role, or ended by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa

from lms_bridge.core import jobs
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BridgeError
from lms_bridge.core.i18n import use_locale
from lms_bridge.core.kept_problems import kept
from lms_bridge.core.plugins import CourseRecord
from lms_bridge.lti import courses as lti_courses
from lms_bridge.lti.errors import PlatformSilent
from lms_bridge.lti.members_and_grades import Member, MembersPage, members
from lms_bridge.lti.models import LtiCourse, LtiPlatform
from lms_bridge.roster import lms_identity, strangers
from lms_bridge.roster.lms_identity import AnotherPerson, By, Found, NotLetIn
from lms_bridge.roster.models import ClassGroup, Enrolment, EnrolmentRole, Organisation, Person
from lms_bridge.roster.scope import today, valid
from lms_bridge.sync import leases
from lms_bridge.sync.courses import CourseOfClass, classes_below, match
from lms_bridge.sync.trials import trial

OF_COURSE: Final = "sync.members_of_course"
TRY_COURSE: Final = "sync.try_members_of_course"
LISTED = 50
"""So many people of one list only are named."""


@dataclass
class Reading:
    """What the list of one course holds. ``there`` are the people of ours who are in it."""

    members: int = 0
    recognised: int = 0
    bound: int = 0
    """Those who were recognised for the first time."""
    unmatched: int = 0
    set_aside: int = 0
    """Those of whom an administrator said that they are nobody of ours."""
    not_let_in: int = 0
    """Recognised, but the LMS may not speak for them."""
    inactive: int = 0
    nameless: int = 0
    missing_there: int = 0
    """Of our class, and not in the course."""
    not_in_class: int = 0
    """In the course, and not of our class."""
    of_class: bool = False
    missing_people: list[str] = field(default_factory=list)
    other_people: list[str] = field(default_factory=list)
    there: set[int] = field(default_factory=set)

    def as_dict(self) -> dict[str, Any]:
        """As plain JSON: counts, and uids of people."""
        return {name: value for name, value in vars(self).items() if name != "there"}


def ask_for(platform: LtiPlatform | None = None, *, dry_run: bool = False) -> int:
    """Have the members of every course read whose platform (or that of one platform) allows it; how many courses. In a
    transaction of the caller's."""
    ids = lti_courses.to_be_read(platform)
    db.session.execute(
        sa.update(LtiCourse)
        .where(LtiCourse.id.in_(ids))
        .values(members_asked_at=now())
        .execution_options(synchronize_session=False)
    )
    for course_id in ids:
        jobs.enqueue(TRY_COURSE if dry_run else OF_COURSE, str(course_id))
    return len(ids)


def read(course_id: int, *, dry_run: bool = False) -> None:
    """Read the members of one course, and note with it what was found or what went wrong.

    :raises PlatformSilent: the platform does not answer; who was read before that is matched.
    :raises RetryAt: another job reads this course.
    """
    leases.take(LtiCourse, course_id)
    try:
        found = db.session.execute(
            sa.select(LtiCourse, LtiPlatform, Organisation.path, Organisation.locale)
            .join(LtiPlatform, LtiPlatform.id == LtiCourse.platform_id)
            .join(Organisation, Organisation.id == LtiPlatform.organisation_id)
            .where(LtiCourse.id == course_id, LtiCourse.members_url != "", LtiPlatform.disabled_at.is_(None))
        ).first()
        if found is None or not found[1].reads_members:
            _note(course_id, members_asked_at=None)
            return
        course, platform, path, locale = found
        with use_locale(locale):
            _read(course, platform, path, dry_run=dry_run)
    finally:
        leases.release(LtiCourse, course_id)


def _read(course: LtiCourse, platform: LtiPlatform, path: str, *, dry_run: bool) -> None:
    of_class = match([CourseRecord("", course.sourcedid or None, course.title)], classes_below(path))[0][1]
    reading = Reading(of_class=of_class is not None)
    try:
        for page in members(platform, course.members_url, title=course.title):
            with trial(dry_run):
                _take(page, platform, reading)
            leases.hold(LtiCourse, course.id)
    except BridgeError as error:
        db.session.rollback()
        _note(course.id, members_asked_at=None, members_error=kept(error))
        if isinstance(error, PlatformSilent):
            raise
        return
    if of_class is not None:
        _compare(reading, of_class)
    values = {} if dry_run else {"members_read_at": now()}
    _note(
        course.id, members_asked_at=None, members_error=None,
        members_found=reading.as_dict() | {"dry_run": dry_run}, **values,
    )  # fmt: skip


def _note(course_id: int, **values: Any) -> None:
    with transaction() as session:
        session.execute(sa.update(LtiCourse).where(LtiCourse.id == course_id).values(**values))


def _take(page: MembersPage, platform: LtiPlatform, reading: Reading) -> None:
    """Match the members of one page, as if each came in by a launch now."""
    reading.members += len(page.members)
    reading.nameless += page.nameless
    active = [member for member in page.members if member.active]
    reading.inactive += len(page.members) - len(active)
    nobodies = strangers.nobodies(platform, [member.subject for member in active])
    bound_here, known = set[int](), list[str]()
    for member, answer in zip(active, lms_identity.people_of(active, platform), strict=True):
        if isinstance(answer, Found) and answer.by is By.NUMBER and answer.person.id in bound_here:
            # Two of this page carry one number; it lets in the first only.
            (answer,) = lms_identity.people_of([member], platform)
        if isinstance(answer, Found):
            _bind(member, answer, platform, reading)
            bound_here.add(answer.person.id)
            known.append(member.subject)
        elif isinstance(answer, NotLetIn):
            reading.not_let_in += 1
            reading.there.add(answer.person.id)
        elif member.subject in nobodies:
            reading.set_aside += 1
        else:
            reading.unmatched += 1
            if isinstance(answer, AnotherPerson):
                strangers.note_another(answer, came=False)
            else:
                strangers.note_stranger(platform, member, came=False)
    strangers.forget_strangers(platform, known)


def _bind(member: Member, found: Found, platform: LtiPlatform, reading: Reading) -> None:
    lms_identity.remember(platform, member, found)
    reading.recognised += 1
    reading.bound += not found.bound
    reading.there.add(found.person.id)


def _compare(reading: Reading, course: CourseOfClass) -> None:
    """Who is in one of the lists only: of the class or its course. Teachers of other subjects are not expected in a
    course of one subject, and may be in it."""
    zone = db.session.scalars(
        sa.select(Organisation.zone)
        .join(ClassGroup, ClassGroup.campus_id == Organisation.id)
        .where(ClassGroup.id == course.class_id)
    ).one()
    rows = db.session.execute(
        sa.select(Enrolment.person_id, Enrolment.role, Enrolment.subject_id).where(
            Enrolment.class_id == course.class_id, valid(Enrolment, today(zone))
        )
    ).all()
    ours = {row[0] for row in rows}
    expected = {
        person_id
        for person_id, role, subject_id in rows
        if role is EnrolmentRole.STUDENT or course.subject_id is None or subject_id in (None, course.subject_id)
    }
    missing, others = sorted(expected - reading.there), sorted(reading.there - ours)
    reading.missing_there, reading.not_in_class = len(missing), len(others)
    reading.missing_people, reading.other_people = _uids(missing[:LISTED]), _uids(others[:LISTED])


def _uids(ids: Sequence[int]) -> list[str]:
    return list(db.session.scalars(sa.select(Person.uid).where(Person.id.in_(ids)).order_by(Person.id)))
