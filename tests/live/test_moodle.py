"""The whole bridge against a real Moodle: people in, the activity, lessons into calendars, moved and cancelled, mended;
attendance into its register, homework and cohorts in, a message out.

Only with ``LMS_BRIDGE_LIVE_MOODLE_URL`` and ``LMS_BRIDGE_LIVE_MOODLE_TOKEN``, never in CI. The Moodle needs the
set-up of docs/moodle.md and courses whose ID numbers are ``CAMPUS/CLASS``; the events that are made are removed at the
end; the activity, the attendance sessions and the message stay.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from lms_bridge.attendance import corrections
from lms_bridge.attendance.models import AttendanceRecord, Verdict
from lms_bridge.attendance.recording import compute_lesson
from lms_bridge.core import jobs
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.plugins import (
    CheckState,
    EvidenceKind,
    LmsConnector,
    OutgoingMessage,
    RemoteEvent,
    SendState,
)
from lms_bridge.lessons.presence import NewEvidence, record_many
from lms_bridge.notices.channels import make_channel
from lms_bridge.roster.models import (
    ClassGroup,
    ContactKind,
    ContactPoint,
    Enrolment,
    Organisation,
    OrganisationKind,
    Person,
)
from lms_bridge.supervision.models import Homework, HomeworkAnswer
from lms_bridge.sync import accounts, cohorts, parts, runs
from lms_bridge.sync.courses import classes_by_key, known_courses
from lms_bridge.sync.facts import facts_of
from lms_bridge.sync.models import LmsAccount, MappingState, RunKind, SyncMapping, SyncRun, SyncState
from lms_bridge.sync.wishes import event_of
from lms_bridge.timetable.changing import changes
from lms_bridge.timetable.models import ChangeCause, Lesson, LessonStatus
from lms_bridge.timetable.queries import students_of
from lms_bridge.timetable.snapshots import state_of
from tests import builders

URL, TOKEN = (os.environ.get(f"LMS_BRIDGE_LIVE_MOODLE_{name}", "") for name in ("URL", "TOKEN"))
COURSES = int(os.environ.get("LMS_BRIDGE_LIVE_MOODLE_COURSES", "20"))

pytestmark = pytest.mark.skipif(not (URL and TOKEN), reason="LMS_BRIDGE_LIVE_MOODLE_URL and _TOKEN name no Moodle")


@dataclass
class Live:
    """A school like that of the Moodle, and the account there."""

    account: LmsAccount
    campus: Organisation
    classes: list[ClassGroup]
    lms: LmsConnector
    since: datetime

    def run(self, kind: RunKind) -> SyncRun:
        """Carry out one run."""
        with transaction():
            run = runs.start(self.account, kind, actor_uid=None)
        runs.carry_out_now(run.id)
        run = db.session.get_one(SyncRun, run.id, populate_existing=True)
        assert (run.state, run.problems) == (SyncState.DONE, [])
        return run

    def events(self) -> list[RemoteEvent]:
        """What Moodle's calendars hold of this installation."""
        courses = [course.remote_id for course in known_courses([self.account.id]).get(self.account.id, ())]
        found = self.lms.find_events(courses, self.since - timedelta(days=1), self.since + timedelta(days=30))
        return [event for event in found if event.url.startswith("http://bridge.test/")]


@pytest.fixture
def live(app: Flask) -> Iterator[Live]:
    """The bridge with as many classes as the Moodle has courses for."""
    with transaction():
        bureau = builders.organisation(OrganisationKind.BUREAU, code="bureau")
        settings = {"url": URL, "token": TOKEN}
        account = accounts.connect(
            bureau, "moodle", name="Moodle", settings=settings, actor_uid=None, makes_people=True
        )
        builders.provider_account(bureau)
        term = builders.term(bureau)
    lms = accounts.connector_for(account)
    keys = [course.key for course in lms.courses() if course.key and "/" in course.key][:COURSES]
    assert keys, "the Moodle has no course with an ID number CAMPUS/CLASS"
    with transaction():
        campus = builders.organisation(OrganisationKind.CAMPUS, bureau, code=keys[0].partition("/")[0])
        classes = [builders.class_group(campus, term, code=key.partition("/")[2]) for key in keys]
    monday = datetime.combine(now().date() + timedelta(days=7 - now().weekday()), time(0, 30), UTC)
    live = Live(account, campus, classes, lms, monday)
    yield live
    for event in live.events():
        lms.delete_event(event.remote_id)
    lms.close()


def teach(live: Live, per_class: int, since: datetime | None = None) -> list[Lesson]:
    """``per_class`` lessons of every class in the week from ``since`` on, by default that of ``live.since``."""
    since = since or live.since
    subject = builders.subject()
    lessons = []
    with transaction():
        for group in live.classes:
            teacher = builders.person()
            for number in range(per_class):
                start = since + timedelta(days=number % 5, hours=number // 5)
                lessons.append(builders.lesson(group, subject, teacher, start))
    return lessons


def change(live: Live, lessons: list[Lesson], **after: object) -> None:
    """Change lessons as pages do; with ``hours`` they begin so much later."""
    hours = timedelta(hours=int(str(after.pop("hours", 0))))
    wanted = []
    for lesson in lessons:
        state = state_of(lesson)
        moved = replace(state, starts_at=state.starts_at + hours, ends_at=state.ends_at + hours)
        wanted.append(changes.Wanted(lesson, replace(moved, **after)))  # type: ignore[arg-type]
    with transaction():
        changes.apply(changes.propose(live.campus, ChangeCause.REQUEST, wanted, actor=None), None)


def hold(lessons: list[Lesson]) -> None:
    """Let the first half of each class have been in the room, and decide the attendance of these lessons."""
    for lesson in lessons:
        students = students_of([lesson])[lesson.id]
        with transaction():
            record_many(
                NewEvidence(lesson.id, who, kind, moment, "classroom:1", f"{lesson.id}:{who}:{kind}")
                for who in students[: len(students) // 2]
                for kind, moment in ((EvidenceKind.JOINED, lesson.starts_at), (EvidenceKind.LEFT, lesson.ends_at))
            )
        with transaction():
            compute_lesson(lesson.id)


def test_attendance_in_moodles_register(live: Live) -> None:
    with transaction():
        parts.choose(live.account, {"writes_marks": True}, actor_uid=None)
    live.run(RunKind.ROSTER)
    with transaction():
        db.session.execute(sa.update(Enrolment).values(valid_from=now().date() - timedelta(days=30)))
    lessons = teach(live, 1, (now() - timedelta(days=1)).replace(minute=0, second=0, microsecond=0))
    hold(lessons)
    written = live.run(RunKind.MARKS).result
    students = db.session.scalar(sa.select(sa.func.count(AttendanceRecord.id)))
    assert (written["sessions"], written["marks"], written["failed"]) == (len(lessons), students, 0)
    sessions = mappings("attendance")
    assert live.run(RunKind.MARKS).result["sessions"] == 0

    # A mark is corrected, the mapping of another lesson is lost: neither makes a second session.
    lesson, lost = lessons[0], lessons[-1]
    student = db.session.get_one(Person, students_of([lesson])[lesson.id][-1])
    with transaction():
        corrections.correct(lesson, student, Verdict.LATE, "He was on the phone.", builders.person())
    with transaction():
        db.session.execute(sa.delete(SyncMapping).filter_by(kind="attendance", entity_id=lost.id))
    live.run(RunKind.MARKS)
    assert mappings("attendance") == sessions

    # Somebody deletes a session by hand: it is made again when its marks are written again.
    with transaction():
        row = db.session.scalars(sa.select(SyncMapping).filter_by(kind="attendance", entity_id=lesson.id)).one()
        row.state, row.remote_id, row.next_try = MappingState.WAITING, "99999999", now()
    live.run(RunKind.MARKS)
    assert mappings("attendance") == sessions


def test_homework_of_the_courses(live: Live) -> None:
    with transaction():
        parts.choose(live.account, {"reads_homework": True}, actor_uid=None)
    live.run(RunKind.ROSTER)
    first = live.run(RunKind.HOMEWORK).result
    assert first["homework_new"] == db.session.scalar(sa.select(sa.func.count(Homework.id)))
    assert first["answers"] == db.session.scalar(sa.select(sa.func.count(HomeworkAnswer.id)))
    again = live.run(RunKind.HOMEWORK).result
    assert (again["homework_new"], again["homework_changed"], again["answers"]) == (0, 0, 0)
    assert all(row.url.startswith(URL) for row in db.session.scalars(sa.select(Homework)))


def test_a_message_to_somebodys_account(live: Live) -> None:
    with transaction():
        parts.choose(live.account, {"sends_messages": True}, actor_uid=None)
    live.run(RunKind.ROSTER)
    address = db.session.scalars(
        sa.select(ContactPoint.address).filter_by(kind=ContactKind.ACCOUNT).order_by(ContactPoint.id).limit(1)
    ).one()
    message = OutgoingMessage("id@bridge.test", address, "-", "en", "A test of LMS Bridge", "See http://bridge.test/.")
    with make_channel("moodle").open() as session:
        result = session.send(message)
    assert (result.state, result.answer) == (SendState.SENT, "")


def test_cohorts_that_carry_the_key_of_a_class(live: Live) -> None:
    with transaction():
        parts.choose(live.account, {"reads_cohorts": True}, actor_uid=None)
        found = cohorts.sources(live.account, live.lms, classes_by_key(live.account), [])
    if not found:
        pytest.skip("the Moodle has no cohort with the ID number of a class")
    people = [member.person for _, of in found for member in cohorts.members(live.lms, of.remote_id)]
    assert people
    assert all(person.number and person.family_name for person in people)


def mappings(kind: str) -> dict[int | None, str | None]:
    """What is called what there, by our number; everything agrees."""
    db.session.expire_all()
    rows = db.session.scalars(sa.select(SyncMapping).filter_by(kind=kind)).all()
    assert {row.state for row in rows} == {MappingState.DONE}
    return {row.entity_id: row.remote_id for row in rows}


def test_a_term_in_moodle(live: Live) -> None:
    checks = live.lms.check()
    assert [check for check in checks if check.state is CheckState.FAILED] == []

    roster = live.run(RunKind.ROSTER).result
    assert roster["courses"] == len(live.classes)
    assert roster["enrolments_new"] == db.session.scalar(sa.select(sa.func.count(Enrolment.id))) > 0
    again = live.run(RunKind.ROSTER).result
    assert (again["people_made"], again["enrolments_new"], again["enrolments_ended"]) == (0, 0, 0)

    live.run(RunKind.ACTIVITIES)
    first = set(db.session.scalars(sa.select(SyncMapping.remote_id).filter_by(kind="activity")))
    assert live.run(RunKind.ACTIVITIES).result == {"new": 0, "present": len(live.classes), "failed": 0}
    assert set(db.session.scalars(sa.select(SyncMapping.remote_id).filter_by(kind="activity"))) == first

    lessons = teach(live, 10)
    assert live.run(RunKind.EVENTS).result["created"] == len(lessons)
    numbers = {event.key: event.remote_id for event in live.events()}
    assert numbers.keys() == {lesson.uid for lesson in lessons}

    moved, cancelled = lessons[: len(lessons) * 3 // 10], lessons[len(lessons) * 9 // 10 :]
    change(live, moved, hours=5)
    change(live, cancelled, status=LessonStatus.CANCELLED)
    jobs.run_due()
    events = {event.key: event for event in live.events()}
    assert {key: event.remote_id for key, event in events.items()} == numbers
    assert all(events[lesson.uid].starts_at == lesson.starts_at for lesson in lessons)
    assert {key for key, event in events.items() if event.title.startswith("已取消")} == {x.uid for x in cancelled}

    # Somebody deletes one event and moves another by hand; an answer is lost after a third was made.
    victim, other, lost = lessons[40 % len(lessons)], lessons[41 % len(lessons)], lessons[42 % len(lessons)]
    live.lms.delete_event(numbers[victim.uid])
    course = db.session.scalars(sa.select(SyncMapping).filter_by(kind="event", entity_id=other.id)).one().place
    (facts,) = facts_of([other.id])
    later = replace(event_of(facts, course), starts_at=other.starts_at + timedelta(minutes=7), title="by hand")
    live.lms.update_event(numbers[other.uid], later)
    with transaction():
        row = db.session.scalars(sa.select(SyncMapping).filter_by(kind="event", entity_id=lost.id)).one()
        row.state, row.remote_id = MappingState.SENDING, None
    found = live.run(RunKind.RECONCILE).result
    assert (found["missing"], found["changed"], found["duplicate"], found["orphan"]) == (1, 1, 0, 0)
    jobs.run_due()
    events = {event.key: event for event in live.events()}
    assert len(live.events()) == len(lessons)
    assert all(events[lesson.uid].starts_at == lesson.starts_at for lesson in lessons)
    assert events[lost.uid].remote_id == numbers[lost.uid]
    assert live.run(RunKind.RECONCILE).result["missing"] == 0
