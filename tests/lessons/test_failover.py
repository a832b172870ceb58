"""When a video system falls over, its lessons go on at the next one; the link stays, nobody is told twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from lms_bridge.core import clock, jobs
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import Conflict
from lms_bridge.core.models import AuditEntry, OutboxFact
from lms_bridge.core.plugins import EvidenceKind, MeetingProvider
from lms_bridge.lessons import breaker, failover, gaps, meetings, operations, orphans, provisioning, telling, watching
from lms_bridge.lessons.models import CircuitState, Meeting, MeetingCause, MeetingState, ProviderAccount
from lms_bridge.lessons.presence import PAGE, record_evidence
from lms_bridge.lessons.providers import source_of
from lms_bridge.roster.models import Person
from lms_bridge.timetable.models import Lesson, LessonStatus
from tests import builders
from tests.builders import SchoolSystem
from tests.lessons.hall import Hall
from tests.lessons.support import START, browser, do, evidence, press, school_at


@dataclass
class World:
    """A campus with two Halls, the first of which is taken first."""

    app: Flask
    school: SchoolSystem
    hall: Hall
    other: Hall
    first: ProviderAccount
    second: ProviderAccount

    @property
    def lesson(self) -> Lesson:
        """The lesson of campus A."""
        return self.school.a.lesson

    @property
    def path(self) -> str:
        """Its permanent link."""
        return f"/l/{self.lesson.uid}"

    def come(self, person: Person) -> FlaskClient:
        """``person`` presses the button; their browser."""
        client = browser(self.app, person)
        assert press(client, self.path, self.path) == (303, f"{self.path}/room")
        return client

    def meeting(self) -> Meeting:
        """The room in force, as stored."""
        db.session.rollback()
        db.session.expire_all()
        found = meetings.meeting_of(self.lesson.id)
        assert found is not None
        return found

    def look(self, seconds: float, times: int = 1) -> None:
        """The watch of the first account comes round, each time so many seconds later."""
        for _ in range(times):
            self.after(seconds)
            with pytest.raises(jobs.RetryAt):
                watching.watch(self.first.id)

    def after(self, seconds: float) -> None:
        """Time goes on."""
        self.clock += timedelta(seconds=seconds)
        clock.set_now(self.clock)

    clock = START


def stands(account: ProviderAccount) -> CircuitState:
    """How the account stands, as stored."""
    db.session.refresh(account)
    return account.circuit(now())
