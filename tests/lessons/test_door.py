"""The door as people meet it: by sign-in, by their own link, and by somebody else's."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from lms_bridge.attendance.recording import COMPUTE
from lms_bridge.core import clock
from lms_bridge.core.database import db, transaction
from lms_bridge.core.models import Job
from lms_bridge.core.plugins import EvidenceKind
from lms_bridge.lessons import entering, joinlinks, meetings
from lms_bridge.lessons.models import JoinLink, Meeting, PresenceEvidence
from lms_bridge.roster.accounts import account_for
from lms_bridge.roster.models import Enrolment, Guardianship, Person
from lms_bridge.timetable.models import LessonMode, LessonStatus
from tests import builders
from tests.lessons.support import START, browser, entered, evidence, press, school_at


def path(url: str) -> str:
    """An address without its host."""
    return url.removeprefix("http://bridge.test")


def test_a_student_enters_with_one_press_and_was_noted_before(app: Flask) -> None:
    with school_at(-5) as school:
        lesson, student = school.a.lesson, school.a.students[0]
        page = browser(app, student).get(f"/l/{lesson.uid}")
        assert page.status_code == 200
        assert evidence(lesson) == []
        entered(app, student, lesson)
        (seen,) = evidence(lesson, student)
        assert (seen.source, seen.kind, seen.at) == ("door", EvidenceKind.JOINED, START - timedelta(minutes=5))


def test_the_entry_is_committed_before_the_person_is_told_the_way(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    seen_by_others: list[int] = []
    way = entering.room_address

    def look_from_outside(door: entering.Door) -> str | None:
        if door.entered_at is None and door.meeting is not None:
            with db.engine.connect() as other:
                seen_by_others.append(other.scalar(sa.select(sa.func.count()).select_from(PresenceEvidence)) or 0)
        return way(door)

    monkeypatch.setattr(entering, "room_address", look_from_outside)
    with school_at(0) as school:
        entered(app, school.a.students[0], school.a.lesson)
    assert seen_by_others == [1]


def test_nobody_is_let_in_when_the_entry_cannot_be_stored(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    app.config["PROPAGATE_EXCEPTIONS"] = False

    def full(*args: object, **more: object) -> bool:
        raise OSError("disk full")

    monkeypatch.setattr(entering, "record_evidence", full)
    with school_at(0) as school:
        lesson, client = school.a.lesson, browser(app, school.a.students[0])
        status, location = press(client, f"/l/{lesson.uid}", f"/l/{lesson.uid}")
        assert (status, location) == (500, "")
        assert evidence(lesson) == []


def test_the_door_asks_who_is_there(app: Flask) -> None:
    with school_at(0) as school:
        answer = browser(app).get(f"/l/{school.a.lesson.uid}")
        assert answer.status_code == 302
        assert "/sign-in?next=" in answer.headers["Location"]


@pytest.mark.parametrize(("minutes", "opens_in"), [(-10.5, "31"), (-60, "300")])
def test_before_the_opening_the_page_waits_and_comes_back_by_itself(app: Flask, minutes: float, opens_in: str) -> None:
    with school_at(minutes) as school:
        lesson, client = school.a.lesson, browser(app, school.a.students[0])
        page = client.get(f"/l/{lesson.uid}")
        assert page.headers["Refresh"] == opens_in
        assert "10:00" in page.text
        assert "<form" not in page.text.partition("<main")[2]
        press(client, f"/l/{lesson.uid}", f"/l/{lesson.uid}")
        assert evidence(lesson) == []


@pytest.mark.parametrize(("minutes", "plugin", "offered"), [
    (-60, "jitsi", True), (-5, "jitsi", True), (0, "jitsi", False), (-60, "classroom", False),
])  # fmt: skip
def test_camera_and_microphone_are_offered_to_be_tried_out_before_the_lesson_alone(
    app: Flask, minutes: float, plugin: str, *, offered: bool
) -> None:
    with school_at(minutes) as school:
        with transaction():
            builders.provider_account(school.a.campus, plugin)
        page = browser(app, school.a.students[0]).get(f"/l/{school.a.lesson.uid}")
        assert ('id="devices"' in page.text) is offered
        assert page.headers["Permissions-Policy"].startswith(
            "camera=(self), microphone=(self)," if offered else "camera=(), microphone=(),"
        )
        watching = browser(app, school.a.guardians[0]).get(f"/l/{school.a.lesson.uid}")
        assert 'id="devices"' not in watching.text


@pytest.mark.parametrize(("minutes", "words"), [(54.9, "进入课堂"), (55, "这节课已经结束")])
def test_the_door_closes_a_while_after_the_end(app: Flask, minutes: float, words: str) -> None:
    with school_at(minutes) as school:
        assert words in browser(app, school.a.students[0]).get(f"/l/{school.a.lesson.uid}").text


def test_a_cancelled_lesson_says_so_and_names_the_one_instead(app: Flask) -> None:
    with school_at(0) as school:
        with transaction():
            school.a.lesson.status = LessonStatus.CANCELLED
            builders.lesson(
                school.a.classes[0], school.subject, school.a.teacher, START + timedelta(days=2),
                replaces_id=school.a.lesson.id, period_number=2,
            )  # fmt: skip
        page = browser(app, school.a.students[0]).get(f"/l/{school.a.lesson.uid}").text
        assert "这节课已取消" in page
        assert "周五 11月27日 第2节" in page


def test_a_lesson_at_school_has_nothing_to_enter(app: Flask) -> None:
    with school_at(0) as school:
        with transaction():
            school.a.lesson.mode = LessonMode.IN_PERSON
        page = browser(app, school.a.students[0]).get(f"/l/{school.a.lesson.uid}").text
        assert "在学校上" in page
        assert "door-form" not in page


def test_a_student_of_another_class_finds_nothing(app: Flask) -> None:
    with school_at(0) as school:
        for stranger in (school.a.students[2], school.b.students[0], school.b.teacher, school.b.administrator):
            client = browser(app, stranger)
            for address in ("/l/{}", "/room/{}", "/room/{}/state", "/lessons/{}"):
                assert client.get(address.format(school.a.lesson.uid)).status_code == 404
        assert evidence(school.a.lesson) == []


def test_who_belongs_to_the_class_is_decided_as_of_the_day_of_the_lesson(app: Flask) -> None:
    with school_at(0) as school:
        newcomer, leaver = school.a.students[2], school.a.students[0]
        with transaction():
            builders.enrol(newcomer, school.a.classes[0], valid_from=date(2026, 11, 26))
            row = db.session.query(Enrolment).filter_by(person_id=leaver.id).one()
            row.valid_to = date(2026, 11, 26)
    with clock.at(START + timedelta(days=1)):
        assert browser(app, newcomer).get(f"/l/{school.a.lesson.uid}").status_code == 404
        assert browser(app, leaver).get(f"/l/{school.a.lesson.uid}").status_code == 200


def test_a_teacher_leads_and_an_administrator_observes(app: Flask) -> None:
    with school_at(0) as school:
        entered(app, school.a.teacher, school.a.lesson)
        entered(app, school.a.administrator, school.a.lesson)
        entered(app, school.researcher, school.a.lesson)
        assert len(evidence(school.a.lesson)) == 3


# --- personal links -------------------------------------------------------------------------------------------------


def test_a_personal_link_lets_its_owner_in_without_a_sign_in_and_only_into_this_lesson(app: Flask) -> None:
    with school_at(0) as school:
        lesson, student = school.a.lesson, school.a.students[0]
        with transaction():
            other = builders.lesson(school.a.classes[0], school.subject, school.a.teacher, START + timedelta(minutes=2))
        link = path(joinlinks.personal_urls([lesson.id], student.id)[lesson.id])
        client = browser(app)
        page = client.get(link)
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert student.display_name in page.text
        assert press(client, link, link)[0] == 303
        assert client.get(f"/room/{lesson.uid}").status_code == 200
        assert [e.person_id for e in evidence(lesson) if e.source == "door"] == [student.id]
        for closed in (f"/l/{other.uid}", f"/room/{other.uid}", f"/lessons/{lesson.uid}", "/inbox"):
            assert "/sign-in" in client.get(closed).headers.get("Location", "")


def test_looking_at_a_link_is_not_presence_however_often_a_scanner_looks(app: Flask) -> None:
    with school_at(0) as school:
        lesson = school.a.lesson
        link = path(joinlinks.personal_urls([lesson.id], school.a.students[0].id)[lesson.id])
        for client in (browser(app), browser(app)):
            client.get(link)
            client.head(link)
            client.post(link)  # without the page's token
        assert evidence(lesson) == []


def test_the_same_address_is_given_every_time(app: Flask) -> None:
    with school_at(-600) as school:
        ids, who = [school.a.lesson.id], school.a.students[0].id
        assert joinlinks.personal_urls(ids, who) == joinlinks.personal_urls(ids, who)
        assert db.session.query(JoinLink).count() == 1
        assert joinlinks.personal_urls(ids, school.a.teacher.id) == {}


def test_a_revoked_link_opens_nothing_any_more_also_where_it_was_opened_before(app: Flask) -> None:
    with school_at(0) as school:
        lesson, student = school.a.lesson, school.a.students[0]
        link = path(joinlinks.personal_urls([lesson.id], student.id)[lesson.id])
        client = browser(app)
        press(client, link, link)
        with transaction():
            joinlinks.revoke(lesson, student, actor_uid=school.a.teacher.uid)
        assert client.get(link).status_code == 404
        assert "/sign-in" in client.get(f"/room/{lesson.uid}").headers["Location"]
        assert client.get(f"/room/{lesson.uid}/state").status_code == 404
        assert joinlinks.personal_urls([lesson.id], student.id) == {}


def test_a_new_link_ends_the_old_one(app: Flask) -> None:
    with school_at(0) as school:
        lesson, student = school.a.lesson, school.a.students[0]
        old = path(joinlinks.personal_urls([lesson.id], student.id)[lesson.id])
        with transaction():
            new = path(joinlinks.address_of(joinlinks.renew(lesson, student, actor_uid=None)))
        assert browser(app).get(old).status_code == 404
        assert browser(app).get(new).status_code == 200


def test_another_persons_link_shows_nothing_and_proves_nothing(app: Flask) -> None:
    with school_at(0) as school:
        lesson, owner, other = school.a.lesson, school.a.students[0], school.a.students[1]
        link = path(joinlinks.personal_urls([lesson.id], owner.id)[lesson.id])
        client = browser(app, other)
        page = client.get(link)
        assert page.status_code == 403
        for private in (owner.display_name, "数学", "10:10", school.a.classes[0].title):
            assert private not in page.text.partition("<main")[2]
        press(client, link, link)
        assert evidence(lesson) == []
        # A shared device: whoever holds it signs out first, then the owner comes in as the owner.
        assert press(client, link, f"{link}/switch")[1].endswith(link)
        press(client, link, link)
        assert [e.person_id for e in evidence(lesson)] == [owner.id]


def test_ones_own_link_while_signed_in_leads_to_the_door(app: Flask) -> None:
    with school_at(0) as school:
        lesson, student = school.a.lesson, school.a.students[0]
        link = path(joinlinks.personal_urls([lesson.id], student.id)[lesson.id])
        assert browser(app, student).get(link).headers["Location"] == f"/l/{lesson.uid}"


def test_a_teachers_tools_are_never_opened_by_a_link_alone(app: Flask) -> None:
    with school_at(0) as school:
        with transaction():
            link = builders.join_link(school.a.lesson, school.a.teacher)
        client = browser(app)
        assert "/sign-in" in client.get(f"/j/{link.token}").headers["Location"]
        press(client, f"/j/{link.token}", f"/j/{link.token}")
        assert evidence(school.a.lesson) == []


# --- guardians ------------------------------------------------------------------------------------------------------


def test_a_guardian_sees_how_the_lesson_stands_but_is_never_present(app: Flask) -> None:
    with school_at(0) as school:
        lesson, guardian, child = school.a.lesson, school.a.guardians[0], school.a.students[0]
        link = path(joinlinks.personal_urls([lesson.id], guardian.id)[lesson.id])
        for client, address in ((browser(app, guardian), f"/l/{lesson.uid}"), (browser(app), link)):
            page = client.get(address)
            assert child.display_name in page.text
            press(client, address, address)
            press(client, address, f"/l/{lesson.uid}")
            client.get(f"/room/{lesson.uid}")
            client.post(f"/room/{lesson.uid}/beat", json={"session": "abcdefgh", "beats": [{"n": 1}]})
        assert evidence(lesson) == []


def test_a_guardian_without_a_sign_in_hands_the_device_to_the_child(app: Flask) -> None:
    with school_at(0) as school:
        lesson, guardian, child = school.a.lesson, school.a.guardians[0], school.a.students[0]
        own = path(joinlinks.personal_urls([lesson.id], guardian.id)[lesson.id])
        childs = path(joinlinks.personal_urls([lesson.id], child.id)[lesson.id])
        client = browser(app)
        assert childs in client.get(own).text
        press(client, childs, childs)
        assert [e.person_id for e in evidence(lesson)] == [child.id]


def test_a_restricted_guardian_finds_nothing(app: Flask) -> None:
    with school_at(0) as school:
        with transaction():
            row = db.session.query(Guardianship).filter_by(guardian_id=school.a.guardians[0].id).one()
            row.restricted = True
        assert browser(app, school.a.guardians[0]).get(f"/l/{school.a.lesson.uid}").status_code == 404


# --- many at once ---------------------------------------------------------------------------------------------------


def test_twenty_who_press_at_once_are_all_noted_and_get_one_room(app: Flask) -> None:
    with school_at(0) as school:
        lesson = school.a.lesson
        with transaction():
            students = [builders.person() for _ in range(20)]
            for student in students:
                builders.enrol(student, school.a.classes[0])
        clients = [browser(app, student) for student in students]
        barrier, answers = threading.Barrier(20), []
        tokens = [
            client.get(f"/l/{lesson.uid}").text.partition('csrf_token" value="')[2].partition('"')[0]
            for client in clients
        ]

        def click(number: int) -> None:
            barrier.wait()
            answer = clients[number].post(f"/l/{lesson.uid}", data={"csrf_token": tokens[number]})
            answers.append((answer.status_code, answer.headers["Location"]))

        threads = [threading.Thread(target=click, args=(n,)) for n in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(answers) == {(303, f"http://bridge.test/room/{lesson.uid}")}
        db.session.rollback()
        assert sorted(e.person_id or 0 for e in evidence(lesson)) == sorted(s.id for s in students)
        assert db.session.query(Meeting).filter_by(lesson_id=lesson.id).count() == 1


# --- the plain click at a provider whose addresses are computed here ------------------------------------------------


def test_a_click_by_link_at_a_provider_is_stored_and_leads_to_the_tab_of_the_room(app: Flask) -> None:
    with school_at(0) as school:
        lesson, student, client = school.a.lesson, school.a.students[0], browser(app)
        link = _link_at_a_provider(school, student)
        page = client.get(link).text
        form = {"csrf_token": page.partition('csrf_token" value="')[2].partition('"')[0]}
        assert client.post(link).status_code == 400  # without the page's token
        assert evidence(lesson) == []
        row = db.session.query(Enrolment).filter_by(person_id=student.id).one()
        with transaction():
            row.valid_from = START.date()
        # of the class since today, and the first to come
        assert client.post(link, data=form).headers["Location"] == f"/l/{lesson.uid}/room"
        (seen,) = evidence(lesson)
        assert (seen.person_id, seen.source, seen.attempt) == (student.id, "door", 1)
        with transaction():
            row.valid_from = date(2026, 9, 1)
        asked: list[str] = []
        sa.event.listen(db.engine, "before_cursor_execute", lambda *a: asked.append(a[2]))
        assert client.post(link, data=form).headers["Location"] == f"/l/{lesson.uid}/room"
        assert [statement.split()[0] for statement in asked] == ["INSERT"], "hundreds come in the same second"
        again = evidence(lesson)[1]
        assert (again.person_id, again.kind, again.at) == (student.id, EvidenceKind.JOINED, START)
        # what the door refuses it refuses at once, also to a browser that holds the page
        with clock.at(START + timedelta(minutes=56)):
            client.post(link, data=form)
        with transaction():
            row.valid_to = date(2026, 11, 25)
        client.post(link, data=form)
        with transaction():
            row.valid_to = None
            joinlinks.revoke(lesson, student, actor_uid=None)
        client.post(link, data=form)
        assert len(evidence(lesson)) == 2


def test_a_click_by_session_at_a_provider_is_for_a_session_in_force_and_a_person_of_the_lesson(app: Flask) -> None:
    with school_at(0) as school:
        lesson, student, client = school.a.lesson, school.a.students[0], browser(app, school.a.students[0])
        _link_at_a_provider(school, student)
        with transaction():
            other, gone = builders.person(), account_for(student)
        door = f"/l/{lesson.uid}"
        form = {"csrf_token": client.get(door).text.partition('csrf_token" value="')[2].partition('"')[0]}

        def click(who: FlaskClient = client) -> str:
            return who.post(door, data=form).headers.get("Location", "")

        assert client.post(door).status_code == 400  # without the page's token
        assert evidence(lesson) == []
        assert click() == click() == f"{door}/room"
        assert [row.person_id for row in evidence(lesson)] == [student.id, student.id]
        assert db.session.query(Job).filter_by(kind=COMPUTE, subject=str(lesson.id)).count() == 1

        def refused(change: Callable[[], None], back: Callable[[], None], *, leads: str) -> None:
            with transaction():
                change()
            assert leads in click()
            with transaction():
                back()
            assert len(evidence(lesson)) == 2

        def put(row: object, name: str, value: object) -> Callable[[], None]:
            return lambda: setattr(row, name, value)

        refused(put(gone, "session_version", 9), put(gone, "session_version", 1), leads="/sign-in")  # a new password
        refused(put(gone, "disabled_at", START), put(gone, "disabled_at", None), leads="/sign-in")
        refused(put(student, "erased_at", START), put(student, "erased_at", None), leads="/sign-in")
        cancelled, held = LessonStatus.CANCELLED, LessonStatus.SCHEDULED
        refused(put(lesson, "status", cancelled), put(lesson, "status", held), leads=door)
        at_school, online = LessonMode.IN_PERSON, LessonMode.ONLINE
        refused(put(lesson, "mode", at_school), put(lesson, "mode", online), leads=door)
        with clock.at(START + timedelta(minutes=56)):
            assert click() == door
        stranger = browser(app, other)
        with client.session_transaction() as mine, stranger.session_transaction() as theirs:
            theirs["csrf_token"] = mine["csrf_token"]
        assert stranger.post(door, data=form).status_code == 404
        assert len(evidence(lesson)) == 2
        assert click() == f"{door}/room"


def _link_at_a_provider(school: builders.SchoolSystem, student: Person) -> str:
    with transaction():
        builders.provider_account(
            school.a.campus, "bigbluebutton", settings={"url": "https://bbb.test/", "secret": "a long secret"}
        )
        meetings.follow([school.a.lesson.id])
    return path(joinlinks.personal_urls([school.a.lesson.id], student.id)[school.a.lesson.id])
