"""The Canvas connector against a server that answers as Canvas's documentation says, and the exchange with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from lms_bridge_canvas import CanvasConnector
from lms_bridge_canvas.client import CanvasClient, NotAllowed
from lms_bridge_canvas.settings import CanvasSettings

from lms_bridge.core import jobs
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.kept_problems import said
from lms_bridge.core.plugins import (
    AccessRefused,
    CalendarEvent,
    CheckState,
    CourseRecord,
    EnrolmentRecord,
    LmsConnector,
    NotThere,
    PluginContext,
    PluginError,
    TemporaryFailure,
)
from lms_bridge.sync import accounts, runs
from lms_bridge.sync.models import LmsAccount, RunKind, SyncRun, SyncState
from lms_bridge.timetable.changing import changes
from lms_bridge.timetable.models import ChangeCause, LessonStatus
from lms_bridge.timetable.snapshots import state_of
from tests import builders
from tests.builders import small_system
from tests.contracts.canvas_server import RATE_LIMIT, TOKEN, UNAUTHORIZED, Canvas, Fault, canvas_server, user
from tests.servers import free_port

START = datetime(2026, 12, 1, 0, 30, tzinfo=UTC)
CREATE = "POST calendar_events"
PAGE = Fault(200, "<html>Sign in</html>", "text/html")


@pytest.fixture
def canvas() -> Iterator[Canvas]:
    """A Canvas with a course for a class and a club."""
    with canvas_server() as server:
        server.course(2, "Class 5-1", "A/5-1")
        server.course(3, "Chess", None)
        yield server


def connect(canvas: Canvas, **more: object) -> CanvasConnector:
    """A connector with the server's settings."""
    values: dict[str, object] = {"url": canvas.url, "token": TOKEN, "timeout": 5}
    context = PluginContext("http://bridge.test", Path("/nowhere"))
    return CanvasConnector(CanvasSettings(**(values | more)), context)  # type: ignore[arg-type]


@pytest.fixture
def connector(canvas: Canvas) -> Iterator[CanvasConnector]:
    """The connector."""
    made = connect(canvas)
    yield made
    made.close()


def event(number: int = 0, **more: object) -> CalendarEvent:
    """A lesson."""
    values: dict[str, object] = {
        "key": f"lesson{number}", "course_remote_id": "2", "title": "Maths", "description": "Teacher: Li",
        "url": f"http://bridge.test/l/lesson{number}", "starts_at": START, "ends_at": START + timedelta(minutes=40),
        "sequence": 0,
    }  # fmt: skip
    return CalendarEvent(**(values | more))  # type: ignore[arg-type]


REFUSALS = [
    ("a token that was revoked", Fault(401, "{}", headers={"WWW-Authenticate": "Bearer"}), AccessRefused, "let"),
    ("one thing that is not allowed", Fault(401, json.dumps(UNAUTHORIZED)), NotAllowed, "not authorized"),
    ("a role without the right", Fault(403, json.dumps(UNAUTHORIZED)), NotAllowed, "not allow"),
    ("too many questions", RATE_LIMIT, TemporaryFailure, "too many"),
    ("a sign-in page", PAGE, TemporaryFailure, "web page"),
    ("a failure of its own", Fault(500, "<html>"), TemporaryFailure, "status 500"),
    ("maintenance", Fault(503, "down", headers={"Retry-After": "120"}), TemporaryFailure, "status 503"),
    ("another address", Fault(302, headers={"Location": "http://sso.test/x?t=1"}), PluginError, "http://sso.test"),
    ("nothing there", Fault(404, '{"errors":[{"message":"gone"}]}'), NotThere, "gone"),
    ("a wrong field", Fault(400, '{"errors":{"x":[{"message":"is bad"}]}}'), PluginError, "is bad"),
    ("another form", Fault(200, '{"courses": 1}'), PluginError, "another form"),
]


@pytest.mark.parametrize(("fault", "kind", "words"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS])
def test_what_is_no_answer_is_told_apart_and_said_in_words(
    canvas: Canvas, connector: CanvasConnector, fault: Fault, kind: type[PluginError], words: str
) -> None:
    canvas.faults["GET accounts"] = [fault]
    with pytest.raises(PluginError, match=words) as refusal:
        list(connector.courses())
    assert type(refusal.value) is kind
    assert TOKEN not in str(refusal.value)


def test_canvas_says_when_to_come_back_and_a_slow_one_is_given_up(canvas: Canvas) -> None:
    hasty = connect(canvas, timeout=0.2)
    canvas.faults["GET accounts"] = [
        RATE_LIMIT, Fault(503, "", headers={"Retry-After": "120"}), Fault(200, "[]", seconds=0.5),
    ]  # fmt: skip
    pauses = []
    for _ in range(3):
        with pytest.raises(TemporaryFailure) as busy:
            list(hasty.courses())
        pauses.append(busy.value.retry_after)
    assert pauses == [timedelta(seconds=30), timedelta(seconds=120), None]
    hasty.close()


def test_calls_slow_down_before_the_limit_is_used_up(canvas: Canvas) -> None:
    waited: list[float] = []
    settings = CanvasSettings(url=canvas.url, token=TOKEN)  # type: ignore[arg-type]
    client = CanvasClient(settings, pause=waited.append)
    client.read("users/self")
    canvas.remaining = 12.5
    client.read("users/self")
    assert waited == []
    client.read("users/self")
    assert waited == [1.0]
    client.close()


def test_a_read_is_repeated_when_the_connection_broke_and_a_write_is_not(
    canvas: Canvas, connector: CanvasConnector
) -> None:
    canvas.faults["GET accounts"] = [Fault(drop=True)]
    assert len(list(connector.courses())) == 2
    canvas.faults[CREATE] = [Fault(drop=True, after=True)]
    with pytest.raises(TemporaryFailure, match="cannot be reached"):
        connector.create_events([event()])
    assert len(canvas.events) == 1


def test_lists_are_read_to_their_last_page_and_never_from_another_server(
    canvas: Canvas, connector: CanvasConnector
) -> None:
    canvas.page = 40
    canvas.users["2"] = [user(n) for n in range(1, 101)]
    assert len(list(connector.members("2"))) == 100
    assert canvas.times("GET", "courses/2/users") == 3
    canvas.next_page_host = "http://elsewhere.test"
    with pytest.raises(PluginError, match=r"elsewhere\.test"):
        list(connector.members("2"))


# --- courses and people ------------------------------------------------------------------------------------------


def test_courses_and_people_are_found_by_their_sis_ids(canvas: Canvas, connector: CanvasConnector) -> None:
    first, club = connector.courses()
    assert (first.remote_id, first.key, first.title, club.key) == ("2", "A/5-1", "Class 5-1", None)
    assert connector.find_courses(["A/5-1", "no/where"]).keys() == {"A/5-1"}
    canvas.users["2"] = [
        user(1), user(2, role="TaEnrollment"), user(3, role="StudentViewEnrollment"), user(4, sis_user_id=None),
    ]  # fmt: skip
    members = list(connector.members("2"))
    assert [m.role for m in members] == ["student", "teacher", "", "student"]
    assert (members[0].person.family_name, members[0].person.given_name) == ("王", "小1")
    assert (members[0].person.number, members[3].person.number) == ("S1", None)
    assert connector.find_people(["S1", "S9"]).keys() == {"S1"}
    assert canvas.times("GET", "users/hex") == 1  # whoever was just read is not asked for again


def test_members_whose_enrolments_are_hidden_are_refused_not_taken_for_nobody(
    canvas: Canvas, connector: CanvasConnector
) -> None:
    canvas.users["2"] = [{"id": "1", "name": "x"}]
    with pytest.raises(PluginError, match="hides the enrolments"):
        list(connector.members("2"))


def test_courses_are_made_once_and_people_enrolled_without_a_mail(canvas: Canvas, connector: CanvasConnector) -> None:
    wanted = [CourseRecord("", "A/5-1", "Class 5-1"), CourseRecord("", "A/6-1", "Class 6-1", "6-1")]
    made = connector.ensure_courses(wanted)
    assert made["A/5-1"] == "2"
    assert connector.ensure_courses(wanted) == made
    assert canvas.times("POST", "accounts") == 1
    connector.ensure_enrolments([EnrolmentRecord("2", "7", "teacher")])
    ((course, sent),) = canvas.enrolled
    assert (course, sent["type"], sent["enrollment_state"], sent["notify"]) == (
        "2", "TeacherEnrollment", "active", False,
    )  # fmt: skip


# --- calendar ----------------------------------------------------------------------------------------------------


def test_an_event_is_made_changed_in_place_found_and_removed(canvas: Canvas, connector: CanvasConnector) -> None:
    first = event(title="Maths & <b>")
    (number,) = connector.create_events([first])
    later = replace(first, starts_at=START + timedelta(days=1), ends_at=START + timedelta(days=1, minutes=45))
    connector.update_event(number, later)
    canvas.events["1"] = canvas.events[number] | {"id": "1", "description": "<p>by hand</p>"}
    (found,) = connector.find_events([str(n) for n in range(2, 15)], START, START + timedelta(days=9))
    assert (found.remote_id, found.key, found.course_remote_id) == (number, first.key, "2")
    assert (found.starts_at, found.ends_at, found.title) == (later.starts_at, later.ends_at, first.title)
    assert (found.url, found.visible) == (first.url, True)
    connector.delete_event(number)
    connector.delete_event(number)
    with pytest.raises(NotThere):
        connector.update_event(number, first)


def test_an_event_that_may_not_be_made_is_refused_and_says_so(canvas: Canvas, connector: CanvasConnector) -> None:
    canvas.denied = {"manage_calendar"}
    with pytest.raises(NotAllowed):
        connector.create_events([event()])
    with pytest.raises(NotThere):
        connector.create_events([event(course_remote_id="99")])


# --- the check ---------------------------------------------------------------------------------------------------


def test_the_check_changes_nothing_and_names_what_the_role_lacks(canvas: Canvas, connector: CanvasConnector) -> None:
    assert [one for one in connector.check() if one.state is not CheckState.OK] == []
    canvas.denied = {"manage_calendar", "read_sis", "manage_students"}
    found = {check.title: check for check in connector.check() if check.state is not CheckState.OK}
    assert found["May edit calendars"].state is CheckState.FAILED
    assert "Course Calendar" in found["May edit calendars"].remedy
    assert found["May enrol students"].state is CheckState.WARNING
    assert found["Courses with SIS ids"].state is CheckState.WARNING
    assert {method for method, *_ in canvas.asked} == {"GET"}


def test_a_check_of_a_canvas_that_refuses_says_so_and_does_not_raise(canvas: Canvas) -> None:
    (refused,) = connect(canvas, token="not-the-right-one").check()
    assert refused.state is CheckState.FAILED
    assert "Invalid access token" in refused.detail
    assert "docs/canvas.md" in refused.remedy


# --- the exchange, as with any LMS -------------------------------------------------------------------------------


def test_people_come_in_and_lessons_go_out_as_with_any_lms(app: Flask, canvas: Canvas) -> None:
    system = small_system()
    a = system.a
    canvas.courses[0]["sis_course_id"] = f"{a.campus.code}/5-1"
    with transaction():
        for number, person in enumerate([*a.students, a.teacher], start=11):
            person.number = f"S{number}"
        settings = {"url": canvas.url, "token": TOKEN, "timeout": 5}
        account = accounts.connect(
            system.bureau, "canvas", name="Canvas", settings=settings, actor_uid=None, makes_people=True
        )
        lessons = [
            builders.lesson(a.classes[0], system.subject, a.teacher, now() + timedelta(days=1 + n)) for n in range(2)
        ]
    canvas.users["2"] = [user(11), user(77), user(14, role="TeacherEnrollment")]

    first = run(account, RunKind.ROSTER)
    assert (first.state, first.problems, first.result["unmatched_courses"]) == (SyncState.DONE, [], ["Chess"])
    assert (first.result["people_matched"], first.result["people_made"]) == (2, 1)
    assert run(account, RunKind.ROSTER).result["enrolments_new"] == 0

    canvas.faults[CREATE] = [Fault(drop=True, after=True)]  # made, but nobody heard of it
    assert run(account, RunKind.EVENTS).state is SyncState.WAITING
    done = run(account, RunKind.EVENTS)
    assert (done.state, done.problems) == (SyncState.DONE, [])
    assert len(canvas.events) == 3  # and the lesson that begins in five minutes; none of them twice

    numbers = set(canvas.events)
    moved = replace(state_of(lessons[0]), starts_at=now() + timedelta(days=20), ends_at=now() + timedelta(days=20.1))
    cancelled = replace(state_of(lessons[1]), status=LessonStatus.CANCELLED)
    wanted = [changes.Wanted(lessons[0], moved), changes.Wanted(lessons[1], cancelled)]
    with transaction():
        changes.apply(changes.propose(a.campus, ChangeCause.REQUEST, wanted, actor=None), None)
    jobs.run_due()
    assert set(canvas.events) == numbers
    assert sorted(one["title"] for one in canvas.events.values()) == ["已取消：数学", "数学", "数学"]

    canvas.events.pop(sorted(numbers)[0])
    assert run(account, RunKind.RECONCILE).result["missing"] == 1
    jobs.run_due()
    assert len(canvas.events) == 3


def test_what_a_connector_does_not_offer_is_never_asked_of_it(app: Flask, canvas: Canvas) -> None:
    system = small_system()
    with transaction():
        settings = {"url": canvas.url, "token": TOKEN, "timeout": 5}
        account = accounts.connect(system.bureau, "canvas", name="Canvas", settings=settings, actor_uid=None)
    refused = run(account, RunKind.ACTIVITIES)
    assert refused.state is SyncState.REFUSED
    assert "Canvas" in said(refused.problems[0])
    runs.start_night()
    kinds = {row.kind for row in db.session.query(SyncRun).filter_by(state=SyncState.WAITING)}
    assert kinds == {RunKind.ROSTER, RunKind.RECONCILE}


def run(account: LmsAccount, kind: RunKind) -> SyncRun:
    """Carry out one run at once."""
    with transaction():
        asked = runs.start(account, kind, actor_uid=None)
    runs.carry_out_now(asked.id)
    return db.session.get_one(SyncRun, asked.id, populate_existing=True)


def test_the_example_of_the_documentation_is_a_connector() -> None:
    page = (Path(__file__).parents[2] / "docs" / "lms-connectors.md").read_text(encoding="utf-8")
    names: dict[str, object] = {}
    example = page.split("```python\n")[1].split("```")[0]
    exec(compile(example, "example", "exec", dont_inherit=True), names)
    cls = names["ListConnector"]
    assert isinstance(cls, type)
    assert issubclass(cls, LmsConnector)
    settings = cls.Settings(url=f"http://127.0.0.1:{free_port()}", token="secret")
    (dead,) = cls(settings, PluginContext("http://bridge.test", Path("/nowhere"))).check()
    assert (dead.state, dead.detail) == (CheckState.FAILED, "The course list does not answer.")
