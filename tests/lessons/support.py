"""What tests of lessons share: a school with a lesson that is open now, and browsers of its people."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from lms_bridge.core import clock, jobs
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.models import Job, JobState
from lms_bridge.lessons.models import PresenceEvidence
from lms_bridge.roster.accounts import account_for
from lms_bridge.roster.models import Person
from lms_bridge.timetable.models import Lesson
from tests.builders import SchoolSystem, small_system

START = datetime(2026, 11, 25, 2, 10, tzinfo=UTC)
"""Wednesday 10:10 in Shanghai: when the lesson of campus A begins. It ends at 10:50."""


@contextmanager
def school_at(minutes: float) -> Iterator[SchoolSystem]:
    """A school whose lesson at campus A begins at START; the clock stands ``minutes`` after that."""
    with clock.at(START):
        school = small_system()
        with transaction():
            school.a.lesson.starts_at, school.a.lesson.ends_at = START, START + timedelta(minutes=40)
    with clock.at(START + timedelta(minutes=minutes)):
        yield school


def browser(app: Flask, person: Person | None = None) -> FlaskClient:
    """A browser, signed in as ``person`` if there is one."""
    client = app.test_client()
    if person is not None:
        with transaction():
            version = account_for(person).session_version
        with client.session_transaction() as session:
            session["_user_id"], session["_fresh"] = f"{person.uid}:{version}", True
    return client


def press(client: FlaskClient, page: str, action: str, **fields: str) -> tuple[int, str]:
    """Post to ``action`` with the token of ``page`` as a browser would; status and where it leads."""
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(page).get_data(as_text=True))
    answer = client.post(action, data=fields | ({"csrf_token": token[1]} if token else {}))
    return answer.status_code, answer.headers.get("Location", "")


def entered(app: Flask, person: Person, lesson: Lesson) -> FlaskClient:
    """A browser of ``person`` that has come through the door of ``lesson``."""
    client = browser(app, person)
    status, location = press(client, f"/l/{lesson.uid}", f"/l/{lesson.uid}")
    assert (status, location) == (303, f"http://bridge.test/room/{lesson.uid}")
    return client


def evidence(lesson: Lesson, person: Person | None = None) -> list[PresenceEvidence]:
    """What was seen in ``lesson`` (of ``person``), oldest first."""
    query = db.session.query(PresenceEvidence).filter_by(lesson_id=lesson.id)
    if person is not None:
        query = query.filter_by(person_id=person.id)
    return query.order_by(PresenceEvidence.at, PresenceEvidence.id).all()


def do(kind: str) -> int:
    """Run the waiting jobs of one kind that are due, as a worker would; how many were done."""
    due = db.session.scalars(
        sa.select(Job.id).where(Job.kind == kind, Job.state == JobState.QUEUED, Job.not_before <= now())
    ).all()
    return sum(jobs.run(job_id) for job_id in due)
