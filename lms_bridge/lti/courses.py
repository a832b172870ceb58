"""Courses of a platform whose gradebook we write: remembered from launches, since only a launch says where it is."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.lti.claims import Launch
from lms_bridge.lti.known import Known
from lms_bridge.lti.members_and_grades import LINE_ITEM_SCOPE, SCORE_SCOPE
from lms_bridge.lti.models import LtiCourse, LtiPlatform


def remember(platform: Known, launch: Launch) -> None:
    """Keep where the gradebook of the launch's course is, if its platform wants scores and lets us write them. In a
    transaction of the caller's."""
    grades = launch.grades
    if not platform.sends_scores or grades is None or not grades.line_items or not launch.course_sourcedid:
        return
    if not {LINE_ITEM_SCOPE, SCORE_SCOPE} <= set(grades.scopes):
        return
    row = db.session.scalar(
        sa.select(LtiCourse).filter_by(platform_id=platform.id, line_items_url=grades.line_items[:500])
    )
    if row is not None:
        row.sourcedid, row.title = launch.course_sourcedid[:255], launch.context_title[:255]
        return
    try:
        with db.session.begin_nested():
            db.session.add(
                LtiCourse(
                    platform_id=platform.id,
                    line_items_url=grades.line_items[:500],
                    sourcedid=launch.course_sourcedid[:255],
                    title=launch.context_title[:255],
                )
            )
    except IntegrityError:
        pass  # somebody else of the course came in at the same moment


def to_be_graded() -> list[int]:
    """The ids of all courses whose platform is in use and wants scores."""
    return list(
        db.session.scalars(
            sa.select(LtiCourse.id)
            .join(LtiPlatform, LtiPlatform.id == LtiCourse.platform_id)
            .where(LtiPlatform.sends_scores.is_(True), LtiPlatform.disabled_at.is_(None))
            .order_by(LtiCourse.id)
        )
    )


def note(course_id: int, problem: str | None) -> None:
    """Write down how sending ended; None: all arrived."""
    values = {"last_error": problem[:1000]} if problem else {"last_error": None, "sent_at": now()}
    with transaction() as session:
        session.execute(sa.update(LtiCourse).where(LtiCourse.id == course_id).values(**values))


def of_platform(platform: LtiPlatform) -> list[LtiCourse]:
    """The courses of a platform into whose gradebook we may write, by title."""
    return list(
        db.session.scalars(
            sa.select(LtiCourse).filter_by(platform_id=platform.id).order_by(LtiCourse.title, LtiCourse.id).limit(500)
        )
    )
