"""Courses of a platform: remembered from launches, since only a launch says where gradebook and members are."""

from __future__ import annotations

import time
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from lms_bridge.core.clock import now
from lms_bridge.core.database import after_commit, db, insert_into, transaction
from lms_bridge.core.errors import BridgeError
from lms_bridge.core.kept_problems import kept
from lms_bridge.lti.claims import Launch
from lms_bridge.lti.known import Known
from lms_bridge.lti.members_and_grades import LINE_ITEM_SCOPE, SCORE_SCOPE
from lms_bridge.lti.models import LtiCourse, LtiPlatform

IS_THAT = (
    LtiCourse.platform_id == sa.bindparam("platform"),
    LtiCourse.deployment_id == sa.bindparam("deployment"),
    LtiCourse.context_id == sa.bindparam("context"),
)
SAID = sa.select(LtiCourse.line_items_url, LtiCourse.members_url, LtiCourse.sourcedid, LtiCourse.title).where(*IS_THAT)

KEPT_SECONDS = 60.0
MOST_KEPT = 2000
_kept: WeakKeyDictionary[sa.Engine, dict[tuple[object, ...], tuple[dict[str, str], float]]] = WeakKeyDictionary()
"""What launches said of courses: in the minute before a lesson a whole class says the same."""


def remember(platform: Known, launch: Launch) -> None:
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
    which: dict[str, object] = {
        "platform": platform.id, "deployment": launch.deployment_id[:255], "context": launch.context_id[:255],
    }  # fmt: skip
    if not _just_said(tuple(which.values()), said):
        _write(which, said)


def _just_said(course: tuple[object, ...], said: dict[str, str]) -> bool:
    """Whether a launch of a moment ago said the same of the course; if not, it will have once this one is committed."""
    kept, moment = _kept.setdefault(db.engine, {}), time.monotonic()
    before, until = kept.get(course, (None, 0.0))
    if before == said and until > moment:
        return True

    def keep() -> None:
        if len(kept) >= MOST_KEPT:
            kept.clear()
        kept[course] = (said, moment + KEPT_SECONDS)

    after_commit(keep)
    return False


def _write(which: dict[str, object], said: dict[str, str]) -> None:
    columns = {f"{name}_id": value for name, value in which.items()}
    known = db.session.execute(SAID, which).mappings().first()
    if known is None:
        # Somebody else of the course may come in at the same moment.
        db.session.execute(insert_into(LtiCourse).values(**columns, **said).on_conflict_do_nothing())
        return
    changed = {name: value for name, value in said.items() if value and value != known[name]}
    if changed:
        db.session.execute(sa.update(LtiCourse).filter_by(**columns).values(**changed))


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


def note(course_id: int, problem: BridgeError | None) -> None:
    """Write down how sending scores ended; None: all arrived."""
    values = {"last_error": kept(problem)} if problem else {"last_error": None, "sent_at": now()}
    with transaction() as session:
        session.execute(sa.update(LtiCourse).where(LtiCourse.id == course_id).values(**values))


def of_platform(platform: LtiPlatform) -> list[LtiCourse]:
    """The courses of a platform, by title."""
    return list(
        db.session.scalars(
            sa.select(LtiCourse).filter_by(platform_id=platform.id).order_by(LtiCourse.title, LtiCourse.id).limit(500)
        )
    )
