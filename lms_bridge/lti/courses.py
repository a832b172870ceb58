"""Courses of a platform: remembered from launches, since only a launch says where gradebook and members are."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.lti.claims import Launch
from lms_bridge.lti.members_and_grades import LINE_ITEM_SCOPE, SCORE_SCOPE
from lms_bridge.lti.models import LtiCourse, LtiPlatform

IS_THAT = (
    LtiCourse.platform_id == sa.bindparam("platform"),
    LtiCourse.deployment_id == sa.bindparam("deployment"),
    LtiCourse.context_id == sa.bindparam("context"),
)
SAID = sa.select(LtiCourse.line_items_url, LtiCourse.members_url, LtiCourse.sourcedid, LtiCourse.title).where(*IS_THAT)
"""The question of every launch, put together once."""


def remember(platform: LtiPlatform, launch: Launch) -> None:
    """Keep what the launch's course is called and what the platform serves of it; nothing is forgotten that only this
    launch leaves out. In a transaction of the caller's."""
    grades = launch.grades
    writable = grades is not None and {LINE_ITEM_SCOPE, SCORE_SCOPE} <= set(grades.scopes)
    said = {
        "line_items_url": grades.line_items if grades is not None and writable else "",
        "members_url": launch.members_url,
        "sourcedid": launch.course_sourcedid[:255],
        "title": launch.context_title[:255],
    }
    if not launch.context_id or not (said["line_items_url"] or said["members_url"]):
        return
    which = {
        "platform": platform.id, "deployment": launch.deployment_id[:255], "context": launch.context_id[:255],
    }  # fmt: skip
    known = db.session.execute(SAID, which).mappings().first()
    if known is None:
        insert = pg_insert if db.session.connection().dialect.name == "postgresql" else sqlite_insert
        db.session.execute(
            insert(LtiCourse)
            .values(platform_id=platform.id, deployment_id=which["deployment"], context_id=which["context"], **said)
            .on_conflict_do_nothing()  # somebody else of the course came in at the same moment
        )
        return
    changed = {name: value for name, value in said.items() if value and value != known[name]}
    if changed:
        row = sa.update(LtiCourse).filter_by(
            platform_id=platform.id, deployment_id=which["deployment"], context_id=which["context"]
        )
        db.session.execute(row.values(**changed))


def to_be_graded() -> list[int]:
    """The ids of all courses whose platform is in use and wants scores."""
    return _in_use(LtiPlatform.sends_scores.is_(True), LtiCourse.line_items_url != "", LtiCourse.sourcedid != "")


def to_be_read(platform: LtiPlatform | None = None) -> list[int]:
    """The ids of all courses (of a platform) whose members are to be read."""
    of = [] if platform is None else [LtiCourse.platform_id == platform.id]
    return _in_use(LtiPlatform.reads_members.is_(True), LtiCourse.members_url != "", *of)


def _in_use(*conditions: sa.ColumnElement[bool]) -> list[int]:
    return list(
        db.session.scalars(
            sa.select(LtiCourse.id)
            .join(LtiPlatform, LtiPlatform.id == LtiCourse.platform_id)
            .where(LtiPlatform.disabled_at.is_(None), *conditions)
            .order_by(LtiCourse.id)
        )
    )


def note(course_id: int, problem: str | None) -> None:
    """Write down how sending scores ended; None: all arrived."""
    values = {"last_error": problem[:1000]} if problem else {"last_error": None, "sent_at": now()}
    with transaction() as session:
        session.execute(sa.update(LtiCourse).where(LtiCourse.id == course_id).values(**values))


def of_platform(platform: LtiPlatform) -> list[LtiCourse]:
    """The courses of a platform, by title."""
    return list(
        db.session.scalars(
            sa.select(LtiCourse).filter_by(platform_id=platform.id).order_by(LtiCourse.title, LtiCourse.id).limit(500)
        )
    )
