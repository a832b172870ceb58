"""The share of lessons attended, in the gradebook of the LMS's course."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from lms_bridge.attendance import corrections
from lms_bridge.attendance.models import AttendanceRecord, Verdict
from lms_bridge.core import jobs, kept_problems
from lms_bridge.core.clock import at, now
from lms_bridge.core.database import db, transaction
from lms_bridge.lti import keys
from lms_bridge.lti.claims import AGS
from lms_bridge.lti.library import PlatformConnector
from lms_bridge.lti.members_and_grades import LINE_ITEM_SCOPE, SCORE_SCOPE
from lms_bridge.lti.models import LtiCourse
from lms_bridge.sync import scores
from lms_bridge.timetable.models import Lesson
from tests import builders
from tests.lti.conftest import World, lis


@pytest.fixture
def graded(world: World) -> World:
    """Two lessons of class 5-1 are decided: the first student was at one of them."""
    a = world.system.a
    PlatformConnector._tokens.clear()
    with transaction():
        keys.signing_key()
    world.lms.tool_keys = keys.published()
    with transaction():
        world.platform.sends_scores = True
        lessons = [
            builders.lesson(a.classes[0], world.system.subject, a.teacher, now() - timedelta(days=days))
            for days in (2, 1)
        ]
        for lesson, verdict in zip(lessons, (Verdict.PRESENT, Verdict.ABSENT), strict=True):
            db.session.add(
                AttendanceRecord(
                    lesson_id=lesson.id, person_id=a.students[0].id, verdict=verdict, minutes=40, final=True
                )
            )
    return world


def come_in(world: World, scopes: tuple[str, ...] = (LINE_ITEM_SCOPE, SCORE_SCOPE)) -> None:
    """The first student opens the activity of the course."""
    campus, group = world.system.a.campus, world.system.a.classes[0]
    service: dict[str, Any] = {AGS: {"lineitems": f"{world.lms.url}/lineitems", "scope": list(scopes)}}
    world.login()
    assert world.launch(**lis("S1", f"{campus.code}/{group.code}"), **service).status_code == 200


def send() -> None:
    """What the night does."""
    scores.start_all()
    jobs.run_due()


def test_the_share_of_lessons_attended_is_one_score_in_one_column(graded: World) -> None:
    come_in(graded)
    come_in(graded)
    send()
    send()
    (column,) = graded.lms.line_items
    assert column["resourceId"] == scores.COLUMN
    (said,) = graded.lms.said_scores
    assert (said["scoreGiven"], said["scoreMaximum"], said["comment"]) == (50.0, 100.0, "2节课中出席1节")
    lesson = db.session.scalars(sa.select(Lesson).order_by(Lesson.id.desc()).limit(1)).one()
    with transaction():
        student, teacher = graded.system.a.students[0], graded.system.a.teacher
        corrections.correct(lesson, student, Verdict.EXCUSED, "He was ill.", teacher)
    with at(now() + timedelta(hours=1)):
        send()
    assert [one["scoreGiven"] for one in graded.lms.said_scores] == [50.0, 100.0]
    assert graded.lms.said_scores[0]["timestamp"] < graded.lms.said_scores[1]["timestamp"]


@pytest.mark.parametrize("wanted", [True, False])
def test_nothing_is_sent_where_nobody_asked_or_the_lms_does_not_allow_it(graded: World, wanted: bool) -> None:
    with transaction():
        graded.platform.sends_scores = wanted
    come_in(graded, () if wanted else (LINE_ITEM_SCOPE, SCORE_SCOPE))
    send()
    assert graded.lms.line_items == []


def test_a_course_of_no_class_says_so_on_the_platforms_page(graded: World) -> None:
    come_in(graded)
    with transaction():
        db.session.scalars(sa.select(LtiCourse)).one().sourcedid = "elsewhere"
    send()
    course = db.session.scalars(sa.select(LtiCourse).execution_options(populate_existing=True)).one()
    assert "elsewhere" in kept_problems.said(course.last_error)
    assert graded.lms.line_items == []
