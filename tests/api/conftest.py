"""A school whose teacher has physics without a plan, the benchmark of the researchers, and callers with keys."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from lms_bridge.core.database import transaction
from lms_bridge.roster import api_tokens
from lms_bridge.roster.models import EnrolmentRole, Person
from tests.builders import SchoolSystem, benchmark, enrol, small_system, subject

UNITS = [("机械运动", 4), ("声现象", 4), ("物态变化", 5)]


@dataclass
class Caller:
    """A program with a person's key."""

    client: FlaskClient
    key: str

    def call(self, method: str, path: str, **more: Any) -> TestResponse:
        """Call a route below ``/api/v1``."""
        headers = {"Authorization": f"Bearer {self.key}"} | more.pop("headers", {})
        return self.client.open(f"/api/v1{path}", method=method, headers=headers, **more)

    def get(self, path: str, **more: Any) -> TestResponse:
        """Read."""
        return self.call("GET", path, **more)

    def post(self, path: str, **more: Any) -> TestResponse:
        """Change something."""
        return self.call("POST", path, **more)


MakeCaller = Callable[..., Caller]


@pytest.fixture
def school(app: Flask) -> SchoolSystem:
    school = small_system()
    with transaction():
        school.subject = subject("physics", "物理", "Physics")
        for campus in (school.a, school.b):
            enrol(campus.teacher, campus.classes[0], EnrolmentRole.TEACHER, teaches=school.subject)
        benchmark(school.bureau, school.term, school.subject, school.researcher, units=UNITS)
    return school


@pytest.fixture
def caller_of(app: Flask) -> MakeCaller:
    def make(person: Person, *, write: bool = True, days: int = 5) -> Caller:
        with transaction():
            _, key = api_tokens.create(person, "test", days=days, may_write=write, actor=person)
        return Caller(app.test_client(), key)

    return make
