"""Attendance that was decided here, in the register of a Moodle: once, corrected in place, nobody lost."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from lms_bridge.attendance import corrections
from lms_bridge.attendance.models import Verdict
from lms_bridge.core import jobs
from lms_bridge.core.clock import at
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import Conflict
from lms_bridge.core.kept_problems import said
from lms_bridge.core.plugins import EvidenceKind
from lms_bridge.lessons.presence import NewEvidence, record_many
from lms_bridge.roster.models import Person
from lms_bridge.sync import overview, parts
from lms_bridge.sync.models import LmsAccount, MappingState, RunKind, SyncState
from lms_bridge.timetable.models import Lesson
from tests.contracts.moodle_server import Fault
from tests.sync.conftest import World

ADD, MARK = "mod_attendance_add_session", "mod_attendance_update_user_status"
ABSENT = {"id": 6, "attendanceid": 1, "acronym": "A", "description": "Absent", "visible": 1, "deleted": 0}
P, A, L = "5", "6", "7"


@pytest.fixture
def register(world: World) -> World:
    """People are recognised, Moodle's register knows the absent, and marks are wanted there."""
    world.moodle.statuses.append(ABSENT | {"setnumber": 0})
    with transaction():
        parts.choose(world.account, {"writes_marks": True}, actor_uid=None)
    assert world.run(RunKind.ROSTER).state is SyncState.DONE
    jobs.run_due()
    return world


def teach(world: World) -> Lesson:
    """A lesson of class 5-1 at which only the first student was, and which is decided by now."""
    (lesson,) = world.lessons(1)
    jobs.run_due()
    came(lesson, world.system.a.students[0])
    return lesson


def came(lesson: Lesson, student: Person) -> None:
    """The student was in the room from the first minute to the last."""
    with transaction():
        record_many(
            NewEvidence(lesson.id, student.id, kind, moment, "classroom:1", f"{lesson.id}:{student.id}:{kind}")
            for kind, moment in ((EvidenceKind.JOINED, lesson.starts_at), (EvidenceKind.LEFT, lesson.ends_at))
        )


def over(lesson: Lesson) -> datetime:
    """When its attendance is decided."""
    return lesson.ends_at + timedelta(minutes=16)


def marks(world: World) -> dict[str, str]:
    """The marks of the only session, by Moodle's number of the student."""
    (session,) = world.moodle.sessions.values()
    return {row["studentid"]: row["statusid"] for row in session["attendance_log"]}


def test_marks_are_in_the_register_once_it_is_decided_and_corrections_follow(register: World) -> None:
    lesson = teach(register)
    assert register.moodle.sessions == {}
    with at(over(lesson)):
        jobs.run_due()
        (session,) = register.moodle.sessions.values()
        assert session["sessdate"] == int(lesson.starts_at.timestamp())
        assert marks(register) == {"11": P, "12": A}
        written = len(register.moodle.calls(MARK))
        with transaction():
            student = register.system.a.students[1]
            corrections.correct(lesson, student, Verdict.LATE, "He was on the phone.", register.system.a.teacher)
        jobs.run_due()
        assert marks(register) == {"11": P, "12": L}
        assert len(register.moodle.calls(MARK)) == written + 1
        assert register.run(RunKind.MARKS).result["sessions"] == 0  # all is there
    assert len(register.moodle.calls(ADD)) == 1
    assert [row.state for row in register.mappings("attendance")] == [MappingState.DONE]


def test_a_lost_answer_makes_no_second_session_and_a_day_without_moodle_is_caught_up(register: World) -> None:
    lesson = teach(register)
    register.moodle.faults[ADD] = [Fault(drop=True, after=True)]
    with at(over(lesson)):
        jobs.run_due()
        assert len(register.mappings("attendance", MappingState.WAITING)) == 1
        register.moodle.faults[MARK] = [Fault("", 503)] * 4
    with at(over(lesson) + timedelta(minutes=2)):
        jobs.run_due()
        assert marks(register) == {}
        register.moodle.faults.clear()
    with at(over(lesson) + timedelta(days=1)):
        jobs.run_due()
        jobs.run_due()
        assert marks(register) == {"11": P, "12": A}
    assert len(register.moodle.sessions) == 1


def test_a_session_that_somebody_deleted_is_made_again(register: World) -> None:
    lesson = teach(register)
    with at(over(lesson)):
        jobs.run_due()
        register.moodle.sessions.clear()
        with transaction():
            student = register.system.a.students[0]
            corrections.correct(lesson, student, Verdict.ABSENT, "It was his brother.", register.system.a.teacher)
        jobs.run_due()
    assert marks(register) == {"11": A, "12": A}


def test_students_without_a_mark_are_named_and_found_later(register: World) -> None:
    first, second = register.system.a.students[:2]
    with transaction():
        register.mappings("person")[0].state = MappingState.UNMATCHED  # nobody knows student 11 there any more
    register.moodle.members[2] = [row for row in register.moodle.members[2] if row["id"] != 12]
    lesson = teach(register)
    with at(over(lesson)):
        jobs.run_due()
        (row,) = register.mappings("attendance", MappingState.UNMATCHED)
        assert overview.error_of(row) == (
            f"not recognised there: {first.display_name}; not in the course there: {second.display_name}"
        )
        assert marks(register) == {}
        with transaction():
            register.mappings("person", MappingState.UNMATCHED)[0].state = MappingState.DONE
        for session in register.moodle.sessions.values():
            session["users"] = [{"id": 11}, {"id": 12}]
        assert register.run(RunKind.MARKS).result["marks"] == 2
    assert marks(register) == {"11": P, "12": A}


def test_a_register_without_the_status_says_which_and_is_tried_again(register: World) -> None:
    register.moodle.statuses.pop()
    lesson = teach(register)
    with at(over(lesson)):
        jobs.run_due()
        (row,) = register.mappings("attendance", MappingState.FAILED)
        assert 'no status "A"' in overview.error_of(row)
        assert "数学" in overview.name_of(row)
        register.moodle.statuses.append(ABSENT | {"setnumber": 0})
        with transaction():
            overview.retry_failed(None)
        jobs.run_due()
    assert marks(register) == {"11": P, "12": A}


def test_nothing_is_written_where_nobody_asked_for_it(world: World) -> None:
    world.run(RunKind.ROSTER)
    lesson = teach(world)
    with at(over(lesson)):
        jobs.run_due()
        run = world.run(RunKind.MARKS)
    assert run.state is SyncState.REFUSED
    assert "switched off" in said(run.problems[0])
    assert world.moodle.sessions == {}


def test_what_a_connector_cannot_do_cannot_be_switched_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "offered", lambda account: ["writes_marks"])
    with transaction(), pytest.raises(Conflict, match="Homework"):
        parts.choose(world.account, {"writes_marks": True, "reads_homework": True}, actor_uid=None)
    assert not db.session.get_one(LmsAccount, world.account.id, populate_existing=True).writes_marks
