"""The Moodle connector against a server that answers like Moodle, with answers of a real one: every trap in turn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from lms_bridge_moodle import MoodleConnector
from lms_bridge_moodle.answers import NotAllowed
from lms_bridge_moodle.client import NoAnswer
from lms_bridge_moodle.settings import MoodleSettings

from lms_bridge.core.plugins import (
    AccessRefused,
    AttendanceMark,
    AttendanceSession,
    CalendarEvent,
    CheckState,
    CourseRecord,
    EnrolmentRecord,
    NotThere,
    PluginContext,
    PluginError,
    TemporaryFailure,
)
from tests.contracts.moodle_server import TOKEN, Fault, Moodle, member, moodle_server, sample
from tests.servers import free_port

START = datetime(2026, 12, 1, 0, 30, tzinfo=UTC)
CREATE, FORM = "core_calendar_create_calendar_events", "core_calendar_submit_create_update_form"
SITE = "core_webservice_get_site_info"


@pytest.fixture
def moodle() -> Iterator[Moodle]:
    """A Moodle with two courses and the template."""
    with moodle_server() as running:
        running.courses = [
            {"id": n, "shortname": f"5-{n}", "fullname": f"Class 5-{n} &amp; friends", "idnumber": f"A/5-{n}"}
            for n in (2, 3)
        ]
        running.courses.append({"id": 9, "shortname": "lms-bridge-template", "fullname": "Template"})
        running.modules[9].append({"id": 1, "modname": "lti", "name": "Online lessons", "instance": 1})
        yield running


@pytest.fixture
def connector(moodle: Moodle) -> Iterator[MoodleConnector]:
    """The connector to it."""
    made = connect(moodle.url)
    yield made
    made.close()


def connect(url: str, **more: object) -> MoodleConnector:
    """A connector to the server at ``url``."""
    values: dict[str, object] = {"url": url, "token": TOKEN, "timeout": 2.0} | more
    return MoodleConnector(MoodleSettings(**values), PluginContext("https://bridge.test", Path("unused")))


def event(number: int = 1, *, course: str = "2", **more: object) -> CalendarEvent:
    """A lesson as an event."""
    values = {
        "key": f"lesson{number:014}",
        "course_remote_id": course,
        "title": "数学",
        "description": "Teacher: 李 & 王",
        "url": f"https://bridge.test/l/lesson{number:014}",
        "starts_at": START + timedelta(hours=number),
        "ends_at": START + timedelta(hours=number, minutes=40),
        "sequence": 0,
    } | more
    return CalendarEvent(**values)  # type: ignore[arg-type]


# --- answers that are no answers --------------------------------------------------------------------------------

XML = "<EXCEPTION><ERRORCODE>invalidtoken</ERRORCODE><MESSAGE>Invalid</MESSAGE></EXCEPTION>"
ELSEWHERE = {"Location": "https://elsewhere.test/login?x=1"}


def error(code: str, message: str) -> Fault:
    """An exception as Moodle tells it: with status 200."""
    return Fault.saying({"exception": "e", "errorcode": code, "message": message})


REFUSALS: list[tuple[str, Fault, type[PluginError], str]] = [
    ("a revoked token", Fault.saying(sample("err_invalid_token")), AccessRefused, "Invalid token"),
    ("an XML error", Fault(XML, content_type="text/xml"), AccessRefused, "Invalid"),
    ("web services switched off", Fault("", 403, "text/html"), AccessRefused, "switched off"),
    ("maintenance", error("sitemaintenance", "maintenance"), TemporaryFailure, "maintenance"),
    ("an upgrade", error("upgraderunning", "upgrade"), TemporaryFailure, "upgrade"),
    ("a database error", error("dmlreadexception", "Error reading"), TemporaryFailure, "reading"),
    ("a page instead of data", Fault("<html>Sign in</html>", 200, "text/html"), TemporaryFailure, "web page"),
    ("half an answer", Fault('[{"id": 1, "fullna'), TemporaryFailure, "web page"),
    ("503", Fault("<html>busy</html>", 503, "text/html"), TemporaryFailure, "503"),
    ("a gateway's error", Fault("<html>bad gateway</html>", 502, "text/html"), TemporaryFailure, "502"),
    ("no such place", Fault("<html>not found</html>", 404, "text/html"), PluginError, "no Moodle"),
    ("moved elsewhere", Fault("", 302, headers=ELSEWHERE), PluginError, "elsewhere.test/login"),
    ("a missing capability", Fault.saying(sample("err_no_capability")), NotAllowed, "Manage groups"),
    ("an unknown function", Fault.saying(sample("err_unknown_function")), NotAllowed, "no function"),
    ("another form", Fault.saying({"courses": 1}), PluginError, "another form"),
    ("a closed connection", Fault(drop=True), NoAnswer, "cannot be reached"),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "kind", "words"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS])
def test_what_is_no_answer_is_told_apart_and_said_in_words(
    moodle: Moodle, connector: MoodleConnector, fault: Fault, kind: type[PluginError], words: str
) -> None:
    moodle.faults["core_course_get_courses"] = [fault, fault]
    with pytest.raises(PluginError, match=words) as refusal:
        list(connector.courses())
    assert type(refusal.value) is kind
    assert TOKEN not in str(refusal.value)


def test_null_is_an_empty_list_and_nothing_listens_is_said(moodle: Moodle, connector: MoodleConnector) -> None:
    moodle.faults["core_course_get_courses"] = [Fault("null")]
    assert list(connector.courses()) == []
    with pytest.raises(TemporaryFailure, match="cannot be reached"):
        list(connect(f"http://127.0.0.1:{free_port()}").courses())


def test_a_slow_moodle_is_given_up_and_a_busy_one_is_asked_later(moodle: Moodle) -> None:
    moodle.faults["core_course_get_courses"] = [
        Fault("[]", seconds=0.5),
        Fault("", 503, headers={"Retry-After": "120"}),
    ]
    hasty = connect(moodle.url, timeout=0.2)
    with pytest.raises(TemporaryFailure, match=r"within 0\.2 seconds"):
        list(hasty.courses())
    with pytest.raises(TemporaryFailure) as busy:
        list(hasty.courses())
    assert busy.value.retry_after == timedelta(seconds=120)
    hasty.close()


def test_a_read_is_repeated_when_the_kept_connection_broke_and_a_write_is_not(
    moodle: Moodle, connector: MoodleConnector
) -> None:
    moodle.faults["core_course_get_courses"] = [Fault(drop=True)]
    assert len(list(connector.courses())) == 2
    moodle.faults[CREATE] = [Fault(drop=True, after=True)]
    with pytest.raises(TemporaryFailure):
        connector.create_events([event()])
    assert len(moodle.events) == 1


def test_the_token_comes_first_and_no_call_has_more_variables_than_php_takes(
    moodle: Moodle, connector: MoodleConnector
) -> None:
    connector.create_events([event(n) for n in range(50)])
    assert moodle.order[0] == "wstoken"
    assert len(moodle.order) < 1000
    with pytest.raises(ValueError, match="51 events"):
        connector.create_events([event(n) for n in range(51)])


# --- calendar ---------------------------------------------------------------------------------------------------


def test_an_event_is_made_changed_in_place_found_and_removed(moodle: Moodle, connector: MoodleConnector) -> None:
    first = event(title="Maths <b>bold</b> & \n co <3")
    (number,) = connector.create_events([first])
    assert moodle.events[int(number)]["name"] == "Maths bold & co ‹3"
    later = replace(first, starts_at=START + timedelta(days=1), ends_at=START + timedelta(days=1, minutes=45))
    connector.update_event(number, replace(later, title="Cancelled: Maths & co", cancelled=True))
    (found,) = connector.find_events(["2", "3"], START - timedelta(days=1), START + timedelta(days=9))
    assert (found.remote_id, found.key, found.title) == (number, first.key, "Cancelled: Maths & co")
    assert (found.starts_at, found.ends_at, found.visible) == (later.starts_at, later.ends_at, True)
    assert found.url == first.url
    connector.delete_event(number)
    connector.delete_event(number)
    with pytest.raises(NotThere):
        connector.update_event(number, first)


def test_a_cancelled_lesson_can_be_hidden_instead(moodle: Moodle) -> None:
    hiding = connect(moodle.url, cancelled_events="hide")
    (number,) = hiding.create_events([event()])
    hiding.update_event(number, event(cancelled=True))
    assert moodle.events[int(number)]["visible"] == 0
    hiding.close()


def test_what_was_cut_off_is_not_taken_for_made(moodle: Moodle, connector: MoodleConnector) -> None:
    moodle.stored_at_most = 3
    made = connector.create_events([event(n) for n in range(5)])
    assert [number is not None for number in made] == [True, True, True, False, False]


def test_missing_permission_for_events_is_said_though_moodle_only_warns(
    moodle: Moodle, connector: MoodleConnector
) -> None:
    moodle.faults[CREATE] = [Fault.saying(sample("cal_create_no_permission"))]
    with pytest.raises(NotAllowed, match="manageentries"):
        connector.create_events([event()])
    moodle.faults["core_calendar_get_calendar_events"] = [Fault.saying(sample("cal_get_no_permission"))]
    with pytest.raises(PluginError):
        list(connector.find_events(["2"], START, START + timedelta(days=1)))


def test_a_refused_form_names_what_can_be_wrong(moodle: Moodle, connector: MoodleConnector) -> None:
    (number,) = connector.create_events([event()])
    moodle.faults[FORM] = [Fault.saying(sample("cal_form_invalid"))]
    with pytest.raises(PluginError, match="start date of the course"):
        connector.update_event(number, event())
    del moodle.events[int(number)]
    moodle.faults[FORM] = [Fault.saying(sample("cal_form_invalid"))]
    with pytest.raises(NotThere):
        connector.update_event(number, event())


def test_times_go_into_the_form_in_the_zone_of_the_service_user(moodle: Moodle, connector: MoodleConnector) -> None:
    (number,) = connector.create_events([event()])
    moodle.zone = "Asia/Shanghai"
    with pytest.raises(PluginError, match="another time"):  # the server reads the form as UTC, as Moodle would not
        connect(moodle.url).update_event(number, event())
    moodle.zone = "99"
    with pytest.raises(PluginError, match="time zone of the service user"):
        connect(moodle.url).update_event(number, event())


# --- people and courses -----------------------------------------------------------------------------------------


def test_courses_are_read_with_their_names_as_people_wrote_them(moodle: Moodle, connector: MoodleConnector) -> None:
    first, _ = connector.courses()
    assert (first.remote_id, first.key, first.title) == ("2", "A/5-2", "Class 5-2 & friends")
    assert connector.find_courses(["A/5-3", "nowhere"]).keys() == {"A/5-3"}


def test_members_come_page_by_page_to_the_last_though_moodle_leaves_some_out(
    moodle: Moodle, connector: MoodleConnector
) -> None:
    moodle.members[2] = [member(n, hidden=n % 7 == 0) for n in range(1, 1201)]
    moodle.members[2].append(member(5000, role="editingteacher"))
    found = list(connector.members("2"))
    assert len(found) == 1201 - 171
    assert found[-1].role == "teacher"
    assert [m.person.number for m in found[:2]] == ["S1", "S2"]


def test_members_without_the_right_to_see_suspensions_are_read_all_the_same(
    moodle: Moodle, connector: MoodleConnector
) -> None:
    moodle.members[2] = [member(1), member(2, firstname="Zoë <b>", lastname="O&#039;Neil &amp; co")]
    refused = {"exception": "e", "errorcode": "nopermissions", "message": "Review course enrolments"}
    moodle.faults["core_enrol_get_enrolled_users"] = [Fault.saying(refused)]
    people = [m.person for m in connector.members("2")]
    assert (people[1].given_name, people[1].family_name) == ("Zoë", "O'Neil & co")


def test_members_whose_names_are_hidden_are_refused_not_taken_for_nobody(
    moodle: Moodle, connector: MoodleConnector
) -> None:
    moodle.members[2] = [{"id": 5, "fullname": ""}]
    with pytest.raises(PluginError, match="viewparticipants"):
        list(connector.members("2"))


def test_a_number_that_two_people_carry_names_nobody(moodle: Moodle, connector: MoodleConnector) -> None:
    answer = sample("user_by_idnumber_after_showuseridentity")
    moodle.faults["core_user_get_users_by_field"] = [Fault.saying(answer)]
    assert connector.find_people(["sis-u1", "missing"]) == {}
    moodle.people = [member(7)]
    assert connector.find_people(["S7", ""])["S7"].remote_id == "7"


def test_cohorts_and_groups_are_read(moodle: Moodle, connector: MoodleConnector) -> None:
    moodle.people = [member(n) for n in range(10, 75)]
    (cohort,) = connector.cohorts()
    assert len(list(connector.cohort_members(cohort.remote_id))) == 65
    (group,) = connector.groups("2")
    assert (group.name, group.key) == ("Set A & B", None)


def test_courses_are_made_once_and_enrolments_in_batches(moodle: Moodle, connector: MoodleConnector) -> None:
    wanted = [CourseRecord("", "A/5-2", "Class 5-2", "5-2"), CourseRecord("", "A/6-1", "Class <6-1>", "6-1")]
    made = connector.ensure_courses(wanted)
    assert made["A/5-2"] == "2"
    assert moodle.courses[-1]["fullname"] == "Class"
    assert connector.ensure_courses(wanted) == made
    connector.ensure_enrolments([EnrolmentRecord("2", str(n), "student") for n in range(120)])
    assert [len(call["enrolments"]) for call in moodle.calls("enrol_manual_enrol_users")] == [50, 50, 20]


# --- the activity -----------------------------------------------------------------------------------------------


def test_the_activity_is_copied_once_whatever_it_is_called_later(moodle: Moodle, connector: MoodleConnector) -> None:
    number = connector.ensure_activity("2")
    assert connector.ensure_activity("2") == number
    moodle.modules[2][0]["name"] = "Our lessons"
    assert connector.ensure_activity("2", number) == number
    assert len(moodle.calls("core_course_import_course")) == 1


def test_the_activity_is_taken_out_and_nothing_else(moodle: Moodle, connector: MoodleConnector) -> None:
    number = connector.ensure_activity("2")
    connector.remove_activity("3", number)
    assert len(moodle.modules[2]) == 1, "it is not in that course"
    for _ in range(2):
        connector.remove_activity("2", number)
    assert moodle.modules[2] == []
    assert len(moodle.calls("core_course_delete_modules")) == 1
    moodle.faults["core_course_get_contents"] = [Fault.saying(sample("cal_delete_again"))]
    connector.remove_activity("77", number)


def test_a_template_that_the_token_cannot_see_is_never_copied(moodle: Moodle, connector: MoodleConnector) -> None:
    moodle.modules[9].clear()
    with pytest.raises(PluginError, match="mod/lti:view"):
        connector.ensure_activity("2")
    moodle.modules[9] += [{"id": 1, "modname": "lti", "name": "a"}, {"id": 2, "modname": "forum", "name": "b"}]
    with pytest.raises(PluginError, match="Announcements"):
        connector.ensure_activity("2")
    moodle.courses.pop()
    with pytest.raises(NotThere, match="template"):
        connector.ensure_activity("3")
    assert moodle.calls("core_course_import_course") == []


# --- messages, homework, attendance -----------------------------------------------------------------------------


def test_a_message_that_was_not_sent_is_said(moodle: Moodle, connector: MoodleConnector) -> None:
    assert connector.send_message("5", "Lesson <moved> & changed") == "1"
    (sent,) = moodle.calls("core_message_send_instant_messages")
    assert sent["messages"][0]["text"] == "<p>Lesson &lt;moved&gt; &amp; changed</p>"
    moodle.faults["core_message_send_instant_messages"] = [Fault.saying(sample("message_nocap"))]
    with pytest.raises(NotAllowed, match="messageanyuser"):
        connector.send_message("5", "hello")


def test_homework_that_may_not_be_seen_is_not_taken_for_none(moodle: Moodle, connector: MoodleConnector) -> None:
    with pytest.raises(NotAllowed, match="mod/assign:view"):
        list(connector.assignments(["2"]))
    moodle.submissions[1] = [
        {"userid": 5, "status": "submitted", "attemptnumber": 0, "timemodified": 1795557003},
        {"userid": 5, "status": "reopened", "attemptnumber": 1, "timemodified": 1795560000},
    ]
    (one,) = connector.submissions(["1"])
    assert (one.person_remote_id, one.state) == ("5", "returned")
    assert list(connector.submissions(["1"], one.at + timedelta(hours=1) if one.at else None)) == []


def test_marks_are_looked_at_before_moodle_believes_them(moodle: Moodle, connector: MoodleConnector) -> None:
    session = AttendanceSession("lesson1", "2", "Maths", START, START + timedelta(minutes=40))
    made = connector.ensure_attendance_session(session)
    assert connector.ensure_attendance_session(session) == made
    assert len(moodle.calls("mod_attendance_add_session")) == 1
    marks = [AttendanceMark("4", "present"), AttendanceMark("13", "late"), AttendanceMark("44", "present")]
    assert connector.write_marks(made, marks) == ["44"]
    first, second = moodle.calls("mod_attendance_update_user_status")
    assert (first["statusid"], second["statusid"], first["statusset"]) == ("5", "7", "5,7,8")
    assert connector.write_marks(made, marks[:2]) == []
    assert len(moodle.calls("mod_attendance_update_user_status")) == 2
    with pytest.raises(PluginError, match='"A"'):
        connector.write_marks(made, [AttendanceMark("4", "absent")])


def test_a_mark_that_moodle_dropped_is_among_the_refused(moodle: Moodle, connector: MoodleConnector) -> None:
    session = AttendanceSession("lesson1", "2", "Maths", START, START + timedelta(minutes=40))
    made = connector.ensure_attendance_session(session)
    moodle.faults["mod_attendance_update_user_status"] = [Fault("null")]
    assert connector.write_marks(made, [AttendanceMark("4", "present")]) == ["4"]


# --- the check --------------------------------------------------------------------------------------------------


def test_a_good_set_up_has_nothing_to_say_against_it(moodle: Moodle, connector: MoodleConnector) -> None:
    moodle.members[2] = [member(1)]
    checks = connector.check()
    assert [check for check in checks if check.state not in (CheckState.OK, CheckState.UNTRIED)] == []
    homework = next(check for check in checks if check.title == "Homework")
    assert homework.state is CheckState.UNTRIED, "what only writing would show is not called all right"
    assert "mod/assign:grade" in homework.remedy
    assert not any(name.split("_")[2] in ("create", "submit", "delete", "import") for name, _ in moodle.asked)


def test_every_missing_right_is_named_with_its_remedy(moodle: Moodle, connector: MoodleConnector) -> None:
    site = moodle.answer(SITE, {}) | {"functions": [{"name": SITE}], "version": "2022041900"}
    moodle.faults[SITE] = [Fault.saying(site)]
    moodle.modules[9].clear()
    moodle.zone = "Europe/London"
    found = {check.title: check for check in connector.check() if check.state is not CheckState.OK}
    assert found["Moodle"].state is CheckState.WARNING
    assert "core_calendar_create_calendar_events" in found["Calendar events"].detail
    assert "moodle/calendar:manageentries" in found["Calendar events"].remedy
    assert found["Homework"].state is CheckState.WARNING
    assert "mod/lti:view" in found["Template course"].remedy
    assert "UTC" in found["Time zone of the service user"].remedy


def test_a_check_of_a_dead_or_refusing_moodle_says_so_and_does_not_raise(moodle: Moodle) -> None:
    (dead,) = connect(f"http://127.0.0.1:{free_port()}").check()
    (refused,) = connect(moodle.url, token="not-the-right-one").check()
    assert (dead.state, refused.state) == (CheckState.FAILED, CheckState.FAILED)
    assert "token" in refused.detail
