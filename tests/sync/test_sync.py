"""Exchange with a Moodle: people in, lessons into calendars, catching up, and the comparison of both."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from lms_bridge.core import jobs
from lms_bridge.core.clock import at, now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import Conflict
from lms_bridge.core.kept_problems import said
from lms_bridge.roster.models import Enrolment, EnrolmentRole, Person, RoleAssignment
from lms_bridge.sync import accounts, event_answers, event_calls, events, leases, roster, wishes
from lms_bridge.sync.models import LmsAccount, MappingState, RunKind, SyncState
from lms_bridge.timetable.inputs.models import ClassPartMember
from lms_bridge.timetable.models import Lesson, LessonAudience, LessonMode, LessonStatus
from tests import builders
from tests.contracts.moodle_server import TOKEN, Fault, Moodle, member, sample
from tests.sync.conftest import World

CREATE, FORM = "core_calendar_create_calendar_events", "core_calendar_submit_create_update_form"
MEMBERS, DELETE = "core_enrol_get_enrolled_users", "core_calendar_delete_calendar_events"


# --- people in --------------------------------------------------------------------------------------------------


def test_people_are_matched_by_their_number_and_nothing_is_made_of_the_others(world: World) -> None:
    world.moodle.members[2] += [member(77), member(78, idnumber=""), member(79, idnumber="S11")]
    run = world.run(RunKind.ROSTER)
    assert (run.state, run.problems) == (SyncState.DONE, [])
    assert run.result["unmatched_courses"] == ["Chess & Go"]
    people = {row.remote_id: said(row.last_error) for row in world.mappings("person", MappingState.UNMATCHED)}
    assert people.keys() == {"11", "77", "78", "79"}  # two carry S11: neither is believed
    assert run.result["people_matched"] == 3
    assert run.result["enrolments_new"] == 0
    assert db.session.scalar(sa.select(sa.func.count(Person.id)).where(Person.number == "S77")) == 0


def test_where_people_come_from_there_they_are_made_once_and_follow_their_names(world: World) -> None:
    with transaction():
        world.account.makes_people = True
    world.moodle.members[3] += [member(77, lastname="Zoë &amp; co")]
    dry = world.run(RunKind.ROSTER, dry_run=True)
    assert (dry.result["people_made"], dry.result["enrolments_new"]) == (1, 1)
    assert db.session.scalar(sa.select(Person).filter_by(number="S77")) is None
    first, second = world.run(RunKind.ROSTER), world.run(RunKind.ROSTER)
    assert (first.result["people_made"], first.result["enrolments_new"]) == (1, 1)
    assert (second.result["people_made"], second.result["enrolments_new"], second.result["people_changed"]) == (0, 0, 0)
    world.moodle.members[3][-1]["lastname"] = "Zoë"
    assert world.run(RunKind.ROSTER).result["people_changed"] == 1
    person = db.session.scalars(sa.select(Person).filter_by(number="S77")).one()
    assert (person.family_name, person.language) == ("Zoë", "zh-CN")


def test_a_number_of_another_organisation_names_nobody(world: World) -> None:
    with transaction():
        world.account.organisation_id = world.system.a.campus.id
        world.system.b.students[0].number = "S77"
    world.moodle.members[2].append(member(77))
    run = world.run(RunKind.ROSTER)
    assert run.result["people_unmatched"] == 1
    assert not db.session.scalars(sa.select(Enrolment).filter_by(person_id=world.system.b.students[0].id)).all()[1:]


def test_an_account_that_was_made_anew_there_is_the_same_person(world: World) -> None:
    world.run(RunKind.ROSTER)
    world.moodle.members[2][0] = member(111, idnumber="S11")
    with transaction():
        world.account.makes_people = True
    run = world.run(RunKind.ROSTER)
    assert (run.result["people_made"], run.result["people_unmatched"], run.result["enrolments_ended"]) == (0, 0, 0)
    (row,) = (row for row in world.mappings("person") if row.entity_id == world.system.a.students[0].id)
    assert row.remote_id == "111"


def test_somebody_is_made_at_the_campus_of_the_course_where_they_have_a_role(world: World) -> None:
    with transaction():
        world.account.makes_people = True
    b = world.system.b
    key = f"{b.campus.code}/{b.classes[0].code}"
    world.moodle.courses.append({"id": 5, "shortname": "b", "fullname": "B", "idnumber": key})
    world.moodle.members[2].append(member(77, role="observer"))
    world.moodle.members[5] = [member(77, role="editingteacher")]
    world.run(RunKind.ROSTER)
    person = db.session.scalars(sa.select(Person).filter_by(number="S77")).one()
    roles = db.session.scalars(sa.select(RoleAssignment).filter_by(person_id=person.id)).all()
    assert [(row.organisation_id, row.role.value) for row in roles] == [(b.campus.id, "teacher")]


def test_who_leaves_one_course_of_a_class_and_not_the_other_stays_in_the_class(world: World) -> None:
    with transaction():
        world.account.makes_people = True
    key = f"{world.system.a.campus.code}/5-1:math"
    world.moodle.courses.append({"id": 5, "shortname": "m", "fullname": "M", "idnumber": key})
    world.moodle.members[2].append(member(77))
    world.moodle.members[5] = [member(77)]
    world.run(RunKind.ROSTER)
    del world.moodle.members[2][-1]
    assert world.run(RunKind.ROSTER).result["enrolments_ended"] == 0
    del world.moodle.members[5][-1]
    assert world.run(RunKind.ROSTER).result["enrolments_ended"] == 1


def test_a_dry_run_makes_nothing_follow(world: World) -> None:
    lessons = world.lessons(1)
    world.run(RunKind.ROSTER, dry_run=True)
    world.change(lessons, days=1)
    jobs.run_due()
    assert world.moodle.events == {}


def test_an_answer_that_nobody_expected_ends_the_run_with_a_word(world: World) -> None:
    del world.moodle.courses[0]["id"]
    run = world.run(RunKind.ROSTER)
    assert run.state is SyncState.REFUSED
    assert "unexpectedly" in said(run.problems[0]) or "意外" in said(run.problems[0])


def test_only_enrolments_that_came_from_there_end_when_they_are_gone_there(world: World) -> None:
    with transaction():
        world.account.makes_people = True
    world.moodle.members[2] += [member(77), member(78)]
    world.run(RunKind.ROSTER)
    world.moodle.members[2] = [member(77)]
    run = world.run(RunKind.ROSTER)
    assert run.result["enrolments_ended"] == 1
    ended = db.session.scalars(sa.select(Enrolment).where(Enrolment.valid_to.is_not(None))).all()
    assert [db.session.get_one(Person, row.person_id).number for row in ended] == ["S78"]


def test_a_list_that_is_suddenly_empty_ends_nobody_until_somebody_says_so(world: World) -> None:
    with transaction():
        world.account.makes_people = True
    world.moodle.members[2] = [member(n) for n in range(100, 120)]
    world.run(RunKind.ROSTER)
    world.moodle.members[2] = []
    run = world.run(RunKind.ROSTER)
    assert (run.result["enrolments_kept_back"], run.result["enrolments_ended"]) == (20, 0)
    assert world.run(RunKind.ROSTER, confirmed=True).result["enrolments_ended"] == 20


def test_a_course_that_cannot_be_read_is_named_and_the_others_go_on(world: World) -> None:
    world.moodle.faults[MEMBERS] = [Fault.saying(sample("cal_delete_again"))]
    run = world.run(RunKind.ROSTER)
    assert run.state is SyncState.DONE
    assert "get_enrolled_users" in said(run.problems[0])
    assert run.result["people_matched"] in (1, 3)  # those of the other course


def test_missing_courses_and_enrolments_are_made_where_that_is_wished(world: World) -> None:
    with transaction():
        world.account.makes_courses = True
        builders.enrol(world.system.b.students[0], world.system.a.classes[0])
        world.system.b.students[0].number = "S50"
    world.moodle.members[3].append(member(50))
    run = world.run(RunKind.ROSTER)
    assert run.result["courses_made"] == 2  # the classes of campus B
    sent = [one for call in world.moodle.calls("enrol_manual_enrol_users") for one in call["enrolments"]]
    assert [one["userid"] for one in sent] == ["50", "50"]  # into the course of campus A, and the new one of B


# --- lessons for a part of a class --------------------------------------------------------------------------------


def divided(world: World) -> Lesson:
    """A lesson to come for part "A" of class 5-1, to which the first student belongs; and one for the whole class."""
    group, student = world.system.a.classes[0], world.system.a.students[0]
    lesson, _ = world.lessons(2)
    with transaction():
        db.session.add(ClassPartMember(class_id=group.id, part="A", person_id=student.id))
        lesson.audience[0].part = "A"
    return lesson


def events_of_groups(world: World) -> list[str | None]:
    """For each of the two lessons the group of its event, in order of the times."""
    later = (now() + timedelta(hours=12)).timestamp()
    there = [e for e in world.moodle.events.values() if str(e["courseid"]) == "2" and int(e["timestart"]) > later]
    return [event.get("groupid") or None for event in sorted(there, key=lambda event: int(event["timestart"]))]


def test_a_lesson_for_a_part_of_a_class_is_shown_to_its_group_alone(world: World) -> None:
    lesson = divided(world)
    world.moodle.groups = [{"id": 17, "courseid": 2, "name": "First half", "idnumber": "A"}]
    world.moodle.members[2][0]["groups"] = [{"id": 17}]
    assert world.run(RunKind.ROSTER).problems == []
    world.run(RunKind.EVENTS)
    assert events_of_groups(world) == ["17", None]
    again = world.run(RunKind.RECONCILE).result
    assert (again["missing"], again["changed"], again["duplicate"], again["orphan"]) == (0, 0, 0, 0)
    number = next(number for number, event in world.moodle.events.items() if event.get("groupid"))
    world.moodle.events[number] |= {"groupid": None, "eventtype": "course"}
    assert world.run(RunKind.RECONCILE).result["changed"] == 1
    jobs.run_due()
    assert events_of_groups(world) == ["17", None], "changed by hand"
    del world.moodle.events[number]
    assert world.run(RunKind.RECONCILE).result["missing"] == 1
    jobs.run_due()
    assert events_of_groups(world) == ["17", None], "deleted by hand"
    number = next(number for number, event in world.moodle.events.items() if event.get("groupid"))
    world.change([lesson], days=2, classes=((lesson.audience[0].class_id, ""),))
    jobs.run_due()
    assert events_of_groups(world) == [None, None], "moved, and now for the whole class"
    assert number in world.moodle.events, "in place"


def test_without_its_group_the_course_sees_the_lesson_and_the_report_says_so(world: World) -> None:
    divided(world)
    run = world.run(RunKind.ROSTER)
    assert "A" in said(run.problems[0])
    assert "Class 5-1" in said(run.problems[0])
    world.run(RunKind.EVENTS)
    assert events_of_groups(world) == [None, None]
    world.moodle.groups = [{"id": 17, "courseid": 2, "name": "A", "idnumber": ""}]
    run = world.run(RunKind.ROSTER)
    assert len(run.problems) == 1, "its student is not in it, and would not see the lesson"
    assert world.run(RunKind.EVENTS).problems == run.problems
    world.moodle.members[2][0]["groups"] = [{"id": 17}]
    assert world.run(RunKind.ROSTER).problems == []
    jobs.run_due()
    assert events_of_groups(world) == ["17", None]
    world.moodle.groups = []
    assert len(world.run(RunKind.ROSTER).problems) == 1
    jobs.run_due()
    assert events_of_groups(world) == [None, None]


def test_groups_are_made_once_where_courses_may_be_made(world: World) -> None:
    divided(world)
    with transaction():
        world.account.makes_courses = True
    assert world.run(RunKind.ROSTER, dry_run=True).problems == []
    assert world.moodle.calls("core_group_create_groups") == []
    world.run(RunKind.ROSTER)
    world.run(RunKind.ROSTER)
    (made,) = world.moodle.calls("core_group_create_groups")
    assert [group["idnumber"] for group in made["groups"]] == ["A"]
    (put_in,) = world.moodle.calls("core_group_add_group_members")
    assert [one["userid"] for one in put_in["members"]] == ["11"]
    world.run(RunKind.EVENTS)
    assert [bool(one) for one in events_of_groups(world)] == [True, False]


@pytest.mark.parametrize("makes_people", [False, True])
def test_a_dry_run_counts_an_enrolment_once_that_many_courses_ask_for(
    world: World, monkeypatch: pytest.MonkeyPatch, makes_people: bool
) -> None:
    monkeypatch.setattr(roster, "AT_ONCE", 3)
    key = world.moodle.courses[0]["idnumber"]
    with transaction():
        for number in range(7):
            builders.subject(code=f"s{number}")
        db.session.get_one(LmsAccount, world.account.id).makes_people = makes_people
    who = [member(77 if makes_people else 13)]
    world.moodle.members = {2: who}
    for number in range(7):
        course = {"id": 10 + number, "shortname": f"s{number}", "fullname": "S", "idnumber": f"{key}:s{number}"}
        world.moodle.courses.append(course)
        world.moodle.members[10 + number] = who
    dry = world.run(RunKind.ROSTER, dry_run=True)
    real = world.run(RunKind.ROSTER)
    assert (dry.result["enrolments_new"], real.result["enrolments_new"]) == (1, 1)
    assert dry.progress == real.progress == {"done": 9, "of": 9}


# --- lessons into calendars -------------------------------------------------------------------------------------


def test_lessons_are_made_moved_and_cancelled_in_place(world: World) -> None:
    lessons = world.lessons(3)
    assert world.run(RunKind.ROSTER).state is SyncState.DONE
    jobs.run_due()
    numbers = list(world.moodle.events)
    assert len(numbers) == 4  # and the lesson that begins in five minutes
    world.change(lessons[:1], days=30)
    world.change(lessons[1:2], status=LessonStatus.CANCELLED)
    world.change(lessons[2:], mode=LessonMode.IN_PERSON)
    jobs.run_due()
    assert len(world.moodle.events) == 3
    assert set(world.moodle.events) < set(numbers)
    assert sorted(world.names()) == ["已取消：数学", "数学", "数学"]
    moved = [e["timestart"] for e in world.moodle.events.values()]
    assert int(lessons[0].starts_at.timestamp()) // 60 * 60 in moved
    world.change(lessons[2:], mode=LessonMode.ONLINE)
    jobs.run_due()
    assert len(world.moodle.events) == 4


def test_a_change_while_the_one_before_is_on_its_way_is_not_lost(world: World) -> None:
    (lesson,) = world.lessons(1)
    world.run(RunKind.ROSTER)
    jobs.run_due()
    world.change([lesson], days=7)
    with accounts.connected(world.account) as lms:
        under_way = events._UnderWay(world.account, 50, iter(()))
        (piece,) = events._all_pieces(under_way, events.places_of(world.account))
        world.change([lesson], days=7)
        with transaction():
            event_answers.settle([(piece, event_calls.carry_out(lms, piece))], event_answers.Pushed())
    jobs.run_due()
    starts = {event["timestart"] for event in world.moodle.events.values()}
    assert int(lesson.starts_at.timestamp()) // 60 * 60 in starts


def test_a_lesson_of_two_classes_has_an_event_of_its_own_in_each_course(world: World) -> None:
    (shared,) = world.lessons(1)
    with transaction():
        shared.audience.append(LessonAudience(class_id=world.system.a.classes[1].id))
    world.run(RunKind.ROSTER)
    jobs.run_due()
    events = {row.place: row.remote_id for row in world.mappings("event") if row.entity_id == shared.id}
    assert {place: str(world.moodle.events[int(number or 0)]["courseid"]) for place, number in events.items()} == {
        "2": "2", "3": "3",
    }  # fmt: skip


def test_changing_a_lesson_asks_the_lms_nothing_while_the_page_waits(world: World) -> None:
    lessons = world.lessons(1)
    world.run(RunKind.ROSTER)
    jobs.run_due()
    asked = len(world.moodle.asked)
    world.change(lessons, days=30)
    assert len(world.moodle.asked) == asked
    assert len(world.mappings("event", MappingState.WAITING)) == 1


def test_a_lost_answer_makes_no_second_event(world: World) -> None:
    world.lessons(3)
    world.run(RunKind.ROSTER)
    world.moodle.faults[CREATE] = [Fault(drop=True, after=True)]
    jobs.run_due()
    assert len(world.moodle.events) == 4
    assert len(world.mappings("event", MappingState.SENDING)) == 4
    with at(now() + timedelta(minutes=2)):
        jobs.run_due()
    assert len(world.moodle.events) == 4
    assert len(world.mappings("event")) == 4


def test_events_that_moodle_cut_off_are_made_later(world: World) -> None:
    world.lessons(3)
    world.run(RunKind.ROSTER)
    world.moodle.stored_at_most = 2
    jobs.run_due()
    assert len(world.moodle.events) == 2
    world.moodle.stored_at_most = None
    with at(now() + timedelta(minutes=20)):
        jobs.run_due()
    assert len(world.moodle.events) == 4
    assert len({event["description"] for event in world.moodle.events.values()}) == 4


def test_one_bad_event_does_not_hold_up_the_others(world: World) -> None:
    world.lessons(3)
    world.run(RunKind.ROSTER)
    bad = Fault.saying(sample("err_no_capability"))
    world.moodle.faults[CREATE] = [bad, bad]  # the batch, and the first one alone
    jobs.run_due()
    assert len(world.moodle.events) == 3
    (row,) = world.mappings("event", MappingState.FAILED)
    assert "Manage groups" in said(row.last_error)


def test_a_day_without_moodle_is_caught_up_in_order_and_without_doubles(world: World) -> None:
    lessons = world.lessons(3)
    world.run(RunKind.ROSTER)
    jobs.run_due()
    before = set(world.moodle.events)
    down = Fault("", 503)
    world.moodle.faults[FORM] = [down] * 20
    world.change(lessons[2:], days=30)
    jobs.run_due()
    world.change(lessons[:1], days=30)
    world.change(lessons[2:], status=LessonStatus.CANCELLED)
    jobs.run_due()
    account = db.session.get_one(LmsAccount, world.account.id, populate_existing=True)
    assert "503" in said(account.last_error)
    world.moodle.faults.clear()
    with at(now() + timedelta(days=1)):
        jobs.run_due()
    assert set(world.moodle.events) == before
    forms = [dict(call)["formdata"] for call in world.moodle.calls(FORM)]
    assert [sum(lesson.uid in form for form in forms[-2:]) for lesson in lessons] == [1, 0, 1]
    assert len(world.mappings("event")) == 4
    assert db.session.get_one(LmsAccount, world.account.id, populate_existing=True).last_error is None


def test_a_revoked_token_stops_everything_and_says_so(world: World) -> None:
    world.moodle.faults["core_course_get_courses"] = [Fault.saying(sample("err_invalid_token"))]
    run = world.run(RunKind.ROSTER)
    assert run.state is SyncState.WAITING
    assert "does not let LMS Bridge in" in said(run.problems[0])


# --- the comparison ---------------------------------------------------------------------------------------------


def test_what_was_changed_by_hand_is_found_and_mended(world: World) -> None:
    lessons = world.lessons(4)
    world.run(RunKind.ROSTER)
    jobs.run_due()
    by_lesson = {event["description"].split("/l/")[1][:20]: number for number, event in world.moodle.events.items()}
    deleted, renamed, doubled = (by_lesson[lesson.uid] for lesson in lessons[:3])
    del world.moodle.events[deleted]
    world.moodle.events[renamed]["name"] = "No lesson"
    world.moodle.events[9001] = world.moodle.events[doubled] | {"id": 9001}
    unknown = world.moodle.events[doubled]["description"].replace(lessons[2].uid, "a" * 20)
    world.moodle.events[9002] = world.moodle.events[doubled] | {"id": 9002, "description": unknown}
    elsewhere = unknown.replace("http://bridge.test", "https://other.test")
    world.moodle.events[9003] = world.moodle.events[doubled] | {"id": 9003, "description": elsewhere}
    dry = world.run(RunKind.RECONCILE, dry_run=True).result
    kinds = ("missing", "changed", "duplicate", "orphan", "foreign")
    assert [dry[kind] for kind in kinds] == [1, 1, 1, 1, 1]
    assert 9001 in world.moodle.events
    mended = world.run(RunKind.RECONCILE).result
    assert [mended[kind] for kind in kinds] == [1, 1, 1, 1, 1]
    jobs.run_due()
    assert len(world.moodle.events) == 6  # five lessons, and that of another installation
    assert world.names().count("No lesson") == 0
    again = world.run(RunKind.RECONCILE).result
    assert [again[kind] for kind in kinds] == [0, 0, 0, 0, 1]


def test_an_event_that_moodle_keeps_does_not_end_the_comparison(world: World) -> None:
    world.lessons(1)
    world.run(RunKind.ROSTER)
    jobs.run_due()
    number = max(world.moodle.events)
    world.moodle.events[9001] = world.moodle.events[number] | {"id": 9001}
    world.moodle.faults[DELETE] = [Fault.saying({"exception": "x", "errorcode": "nopermissions", "message": "no"})]
    run = world.run(RunKind.RECONCILE)
    assert run.state is SyncState.DONE
    assert len(run.problems) == 1


def hide_course_2(moodle: Moodle) -> None:
    """From now on the service user may not see the calendar of course 2."""
    seen = moodle._core_calendar_get_calendar_events

    def answer(asked: dict[str, Any]) -> Any:
        if "2" in asked["events"].get("courseids", ()):
            no = {"item": "course", "itemid": 2, "warningcode": "nopermissions", "message": "no"}
            return {"events": [], "warnings": [no]}
        return seen(asked)

    moodle._core_calendar_get_calendar_events = answer  # type: ignore[method-assign]


def test_a_course_that_is_hidden_holds_up_no_other(world: World) -> None:
    a = world.system.a
    world.lessons(1)
    world.run(RunKind.ROSTER)
    world.moodle.faults[CREATE] = [Fault(drop=True, after=True)]
    jobs.run_due()
    hide_course_2(world.moodle)
    with transaction():
        other = builders.lesson(a.classes[1], world.system.subject, a.other_teacher, now() + timedelta(days=3))
        wishes.follow([other.id])
    made = len(world.moodle.events)
    for hours in range(0, 40, 4):
        with at(now() + timedelta(hours=hours)):
            jobs.run_due()
    assert [event["courseid"] for event in world.moodle.events.values()].count("3") == 1
    assert len(world.moodle.events) == made + 1, "what may be there is not made again"
    lost = world.mappings("event", MappingState.SENDING)
    assert lost
    assert all(row.last_error for row in lost), "the administrator is told why"


def test_the_comparison_sees_the_other_courses_where_one_is_hidden(world: World) -> None:
    a = world.system.a
    with transaction():
        builders.lesson(a.classes[1], world.system.subject, a.other_teacher, now() + timedelta(days=3))
    world.run(RunKind.ROSTER)
    jobs.run_due()
    (gone,) = (number for number, event in world.moodle.events.items() if event["courseid"] == "3")
    del world.moodle.events[gone]
    hide_course_2(world.moodle)
    run = world.run(RunKind.RECONCILE)
    assert run.result["missing"] == 1
    assert "2" in said(run.problems[0])


def test_one_refused_enrolment_is_named_and_ends_nothing_else(world: World) -> None:
    with transaction():
        world.account.makes_courses = True
        world.system.b.students[0].number = "S50"
        builders.enrol(world.system.b.students[0], world.system.a.classes[0])
    world.moodle.members[3].append(member(50))
    world.moodle.faults["enrol_manual_enrol_users"] = [Fault.saying(sample("err_no_capability"))]
    run = world.run(RunKind.ROSTER)
    assert run.state is SyncState.DONE
    assert run.result["people_matched"] == 5
    assert len(run.problems) == 1


def test_a_second_account_for_the_same_lms_and_lessons_is_refused(world: World) -> None:
    settings = {"url": f"{world.moodle.url}/", "token": TOKEN}
    with pytest.raises(Conflict, match="exchanges with this LMS already"), transaction():
        accounts.connect(world.system.a.campus, "moodle", name="Second", settings=settings, actor_uid=None)


def test_a_lease_that_ran_out_is_not_freed_by_who_had_it(world: World) -> None:
    leases.take(LmsAccount, world.account.id)
    with transaction():
        account = db.session.get_one(LmsAccount, world.account.id, populate_existing=True)
        account.busy_by = "another:1:1"
    with pytest.raises(jobs.RetryAt):
        leases.hold(LmsAccount, world.account.id)
    leases.release(LmsAccount, world.account.id)
    assert db.session.get_one(LmsAccount, world.account.id, populate_existing=True).busy_until is not None


def test_the_activity_comes_into_each_course_once(world: World) -> None:
    world.moodle.courses.append({"id": 9, "shortname": "lms-bridge-template", "fullname": "Template"})
    world.moodle.modules[9].append({"id": 1, "modname": "lti", "name": "Online lessons", "instance": 1})
    world.run(RunKind.ROSTER)
    first = {"new": 2, "present": 0, "failed": 0, "names": {"new": ["5-1", "5-2"]}}
    assert world.run(RunKind.ACTIVITIES).result == first
    assert world.run(RunKind.ACTIVITIES).result == {"new": 0, "present": 2, "failed": 0}
    assert len(world.moodle.calls("core_course_import_course")) == 2


def test_a_teacher_of_one_subject_is_enrolled_for_that_subject(world: World) -> None:
    with transaction():
        world.account.makes_people = True
    world.moodle.members[3] += [member(90, role="teacher")]
    world.run(RunKind.ROSTER)
    person = db.session.scalars(sa.select(Person).filter_by(number="S90")).one()
    row = db.session.scalars(sa.select(Enrolment).filter_by(person_id=person.id)).one()
    assert (row.role, row.subject_id) == (EnrolmentRole.TEACHER, world.system.subject.id)
