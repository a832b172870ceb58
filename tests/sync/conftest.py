"""A school system, its Moodle, and what the tests of their exchange do with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.sync import accounts, runs
from lms_bridge.sync.models import LmsAccount, MappingState, RunKind, SyncMapping, SyncRun
from lms_bridge.timetable.changing import changes
from lms_bridge.timetable.models import ChangeCause, Lesson
from lms_bridge.timetable.snapshots import state_of
from tests import builders
from tests.builders import SchoolSystem, small_system
from tests.contracts.moodle_server import TOKEN, Moodle, member, moodle_server


@dataclass
class World:
    """A school system, the Moodle of its bureau, and the account there."""

    system: SchoolSystem
    moodle: Moodle
    account: LmsAccount

    def run(self, kind: RunKind, **more: bool) -> SyncRun:
        """Carry out one run at once."""
        with transaction():
            run = runs.start(self.account, kind, actor_uid=None, **more)
        runs.carry_out_now(run.id)
        return db.session.get_one(SyncRun, run.id, populate_existing=True)

    def lessons(self, count: int) -> list[Lesson]:
        """Lessons to come of class 5-1, announced as when a week is published."""
        a = self.system.a
        with transaction():
            return [
                builders.lesson(a.classes[0], self.system.subject, a.teacher, now() + timedelta(days=1 + n))
                for n in range(count)
            ]

    def change(self, lessons: list[Lesson], *, days: int = 0, **after: object) -> None:
        """Change lessons as pages do."""
        shift, wanted = timedelta(days=days), []
        for lesson in lessons:
            state = state_of(lesson)
            moved = replace(state, starts_at=state.starts_at + shift, ends_at=state.ends_at + shift)
            wanted.append(changes.Wanted(lesson, replace(moved, **after)))  # type: ignore[arg-type]
        with transaction():
            changes.apply(changes.propose(self.system.a.campus, ChangeCause.REQUEST, wanted, actor=None), None)

    def names(self) -> list[str]:
        """The names of Moodle's events, in order of their numbers."""
        return [event["name"] for _, event in sorted(self.moodle.events.items())]

    def mappings(self, kind: str, state: MappingState = MappingState.DONE) -> list[SyncMapping]:
        """Mappings in a state."""
        db.session.expire_all()
        return list(db.session.scalars(sa.select(SyncMapping).filter_by(kind=kind, state=state)))


@pytest.fixture
def world(app: Flask) -> Iterator[World]:
    """Class 5-1 of campus A has course 2 in Moodle, class 5-2 has course 3; nobody is matched yet."""
    with moodle_server() as moodle:
        system = small_system()
        a = system.a
        moodle.courses = [
            {"id": 2, "shortname": "5-1", "fullname": "Class 5-1", "idnumber": f"{a.campus.code}/5-1"},
            {"id": 3, "shortname": "5-2", "fullname": "Class 5-2", "idnumber": f"{a.campus.code}/5-2:math"},
            {"id": 4, "shortname": "club", "fullname": "Chess &amp; Go", "idnumber": ""},
        ]
        with transaction():
            for number, person in enumerate([*a.students, a.teacher], start=11):
                person.number = f"S{number}"
            settings = {"url": moodle.url, "token": TOKEN, "connections": 2, "timeout": 5}
            account = accounts.connect(system.bureau, "moodle", name="Moodle", settings=settings, actor_uid=None)
        moodle.members = {2: [member(11), member(12), member(14, role="editingteacher")], 3: [member(13)]}
        yield World(system, moodle, account)
