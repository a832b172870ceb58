"""The share of online lessons that each student attended, as a score in the gradebook of an LTI platform's course: one
column, made once; only scores that changed are sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from lms_bridge.attendance.corrections import decided
from lms_bridge.attendance.models import Verdict
from lms_bridge.core import jobs
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BridgeError, InputError
from lms_bridge.core.i18n import N_, gettext, use_locale
from lms_bridge.core.models import ExternalId
from lms_bridge.core.plugins import CourseRecord
from lms_bridge.lti import courses as lti_courses
from lms_bridge.lti.errors import PlatformRefused, PlatformSilent
from lms_bridge.lti.members_and_grades import line_item, send_score
from lms_bridge.lti.models import LtiCourse, LtiLineItem, LtiPlatform
from lms_bridge.roster.lms_identity import PERSON
from lms_bridge.roster.models import Enrolment, EnrolmentRole, Organisation
from lms_bridge.roster.scope import today, valid
from lms_bridge.sync.courses import CourseOfClass, classes_below, match
from lms_bridge.timetable.models import Lesson, LessonAudience, LessonStatus

OF_COURSE: Final = "sync.scores_of_course"
COLUMN: Final = "lms-bridge-attendance"
CHUNK = 400

ATTENDED = frozenset({Verdict.PRESENT, Verdict.LATE, Verdict.LEFT_EARLY})
NOT_COUNTED = frozenset({Verdict.EXCUSED, Verdict.UNVERIFIED})
"""A lesson that somebody was excused from, or of which nothing is known, neither lowers nor raises the share."""


@dataclass(frozen=True)
class Share:
    """How many of the lessons that count somebody attended."""

    attended: int
    counted: int

    @property
    def percent(self) -> float:
        """0 to 100, to one decimal."""
        return round(100 * self.attended / self.counted, 1)


def start_all() -> None:
    """Have the scores of every course sent whose platform wants them."""
    with transaction():
        for course_id in lti_courses.to_be_graded():
            jobs.enqueue(OF_COURSE, str(course_id))


def send(course_id: int) -> int:
    """Send the scores of one course that changed; how many. What the platform refuses is noted with the course.

    :raises PlatformSilent: it does not answer; what was not sent goes out at the next try.
    """
    course = db.session.get(LtiCourse, course_id)
    if course is None or not course.platform.sends_scores or course.platform.disabled_at is not None:
        return 0
    try:
        count = _send(course, course.platform)
    except PlatformSilent as silent:
        lti_courses.note(course_id, silent)
        raise
    except BridgeError as refusal:
        lti_courses.note(course_id, refusal)
        return 0
    lti_courses.note(course_id, None)
    return count


def _send(course: LtiCourse, platform: LtiPlatform) -> int:
    path, locale = db.session.execute(
        sa.select(Organisation.path, Organisation.locale).where(Organisation.id == platform.organisation_id)
    ).one()
    of_class = match([CourseRecord("", course.sourcedid, course.title)], classes_below(path))[0][1]
    if of_class is None:
        raise InputError(N_('No class here has the ID number "%(number)s" of this course.'), number=course.sourcedid)
    shares = shares_of(of_class)
    subjects = _subjects(platform)
    db.session.rollback()  # no transaction is open while the platform is asked
    wanted = [(subjects[person], share) for person, share in shares.items() if person in subjects]
    if not wanted:
        return 0
    with use_locale(locale):
        column = line_item(
            platform, course.line_items_url, resource_id=COLUMN, label=gettext("Online lessons attended, in percent")
        )
        return _send_each(platform, column, sorted(wanted, key=lambda one: one[0]))


def _send_each(platform: LtiPlatform, column: LtiLineItem, wanted: Sequence[tuple[str, Share]]) -> int:
    """Send every score; a student whom the course does not know any more does not keep back the others.

    :raises PlatformRefused: the first refusal, after all others were sent.
    """
    sent, refused = 0, None
    for subject, share in wanted:
        comment = gettext("%(attended)s of %(counted)s lessons", attended=share.attended, counted=share.counted)
        try:
            sent += send_score(platform, column, subject, given=share.percent, comment=comment)
        except PlatformRefused as refusal:
            refused = refused or refusal
    if refused is not None:
        raise refused
    return sent


def shares_of(course: CourseOfClass) -> dict[int, Share]:
    """For each student of a class: the share of its lessons so far that are decided (a class is of one term); those of
    one subject where the course is for one."""
    query = (
        sa.select(Lesson.id)
        .join(LessonAudience, LessonAudience.lesson_id == Lesson.id)
        .where(
            LessonAudience.class_id == course.class_id,
            Lesson.status == LessonStatus.SCHEDULED,
            Lesson.ends_at < now(),
        )
        .distinct()
    )
    if course.subject_id is not None:
        query = query.where(Lesson.subject_id == course.subject_id)
    ids = db.session.scalars(query).all()
    students = set(
        db.session.scalars(
            sa.select(Enrolment.person_id).where(
                Enrolment.class_id == course.class_id,
                Enrolment.role == EnrolmentRole.STUDENT,
                valid(Enrolment, today()),
            )
        )
    )
    attended: Counter[int] = Counter()
    counted: Counter[int] = Counter()
    for start in range(0, len(ids), CHUNK):
        for verdicts in decided(ids[start : start + CHUNK]).values():
            for person_id, verdict in verdicts.items():
                if person_id not in students:
                    continue  # of another class in the same lesson, or gone by now
                counted[person_id] += verdict not in NOT_COUNTED
                attended[person_id] += verdict in ATTENDED
    return {person_id: Share(attended[person_id], count) for person_id, count in counted.items() if count}


def _subjects(platform: LtiPlatform) -> dict[int, str]:
    """The platform's users by person, as far as they came in once or were bound."""
    rows = db.session.execute(
        sa.select(ExternalId.entity_id, ExternalId.key).where(
            ExternalId.entity == PERSON, ExternalId.system == platform.system
        )
    )
    return dict(iter(rows))
