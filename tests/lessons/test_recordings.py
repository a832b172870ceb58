"""Recordings of lessons: found at the video system, watched by the people of the lesson alone, forgotten in time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask

from lms_bridge.core import clock, jobs
from lms_bridge.core.access import Role
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BridgeError
from lms_bridge.core.models import AuditEntry
from lms_bridge.lessons import accounts, meetings, recordings
from lms_bridge.lessons.models import RecordedLesson
from lms_bridge.roster.models import Guardianship
from tests import builders
from tests.contracts.bigbluebutton_server import SECRET, BigBlueButton
from tests.contracts.json_api import running
from tests.lessons.support import START, browser, do, press, school_at

ADDRESS = "https://video.test/playback/r1"


@pytest.fixture
def server(app: Flask) -> Iterator[BigBlueButton]:
    """A BigBlueButton that may be reached."""
    with running(BigBlueButton()) as one:
        yield one


def kept() -> list[RecordedLesson]:
    """All that is stored."""
    db.session.expire_all()
    return db.session.query(RecordedLesson).order_by(RecordedLesson.recording_id).all()


def look(account_id: int) -> None:
    """One look at the account; it wants to look again."""
    with pytest.raises(jobs.RetryAt):
        recordings.list_recordings(account_id)


def test_recordings_are_found_after_the_lesson_and_forgotten_when_their_time_is_over(
    app: Flask, server: BigBlueButton
) -> None:
    with school_at(5) as school:
        with transaction():
            account = accounts.add(
                school.a.campus, "bigbluebutton", name="BBB",
                settings={"url": server.url, "secret": SECRET}, actor=None,
            )  # fmt: skip
            lesson, account_id = school.a.lesson, account.id
            meetings.want_now(meetings.wish(lesson))
        do(meetings.PROVISION)
        (name,) = server.meetings
        begin = int(START.timestamp()) * 1000
        row = {
            "recordID": "r1", "meetingID": name, "name": "Maths", "published": "true", "url": ADDRESS,
            "start": str(begin), "end": str(begin + 2_400_000),
        }  # fmt: skip
        with clock.at(START + timedelta(hours=2)):
            do(meetings.END)
        with clock.at(START + timedelta(hours=2, minutes=16)):
            server.recordings = [row, row | {"meetingID": "of-somebody-else", "recordID": "r2"}]
            do(recordings.LIST)
            (one,) = kept()
            assert (one.recording_id, one.url, one.starts_at) == ("r1", ADDRESS, START)
            with transaction():
                recordings.hide(lesson, one.uid, school.a.teacher)
            server.recordings = [row | {"url": f"{ADDRESS}?format=video"}]
            look(account_id)
            (one,) = kept()
            assert one.url.endswith("?format=video")
            assert one.hidden_at is not None
            server.recordings = []
            server.fault("500")
            with pytest.raises(BridgeError):
                recordings.list_recordings(account_id)
            assert len(kept()) == 1
        with clock.at(START + timedelta(days=180, hours=2)):
            recordings.forget_old()
            assert len(recordings.recordings_of(lesson, hidden=True)) == 1
        with clock.at(START + timedelta(days=182)), transaction():
            assert recordings.recordings_of(lesson, hidden=True) == []
            assert recordings.forget_old() == 1
        assert kept() == []


def test_only_the_people_of_the_lesson_watch_its_recording(app: Flask) -> None:
    with school_at(90) as school:
        a, lesson = school.a, school.a.lesson
        with transaction():
            one = builders.recording(lesson, url=ADDRESS)
            barred = builders.person_as(Role.GUARDIAN, a.campus)
            db.session.add(
                Guardianship(
                    guardian_id=barred.id, student_id=a.students[0].id, restricted=True, valid_from=START.date()
                )
            )
            other = builders.person_as(Role.STUDENT, a.campus)
        way = f"/l/{lesson.uid}/recordings/{one.uid}"
        for person in (a.students[0], a.guardians[0], a.teacher, a.administrator):
            answer = browser(app, person).get(way)
            assert (answer.status_code, answer.headers["Location"]) == (302, ADDRESS)
            assert answer.headers["Referrer-Policy"] == "no-referrer"
        looks = db.session.query(AuditEntry).filter_by(action="recording.watched", entity_uid=lesson.uid)
        assert [look.actor_uid for look in looks.order_by(AuditEntry.id)] == [
            person.uid for person in (a.students[0], a.guardians[0], a.teacher, a.administrator)
        ]
        for person in (barred, other, school.b.students[0], school.b.teacher, school.b.administrator):
            answer = browser(app, person).get(way)
            assert answer.status_code == 404
            assert ADDRESS not in answer.text
        assert looks.count() == 4
        assert "/sign-in" in browser(app).get(way).headers["Location"]
        door = browser(app, a.students[0]).get(f"/l/{lesson.uid}").text
        assert way in door
        assert "video.test" not in door


def test_a_teacher_hides_a_recording_from_the_class_and_shows_it_again(app: Flask) -> None:
    with school_at(90) as school:
        lesson, page = school.a.lesson, f"/lessons/{school.a.lesson.uid}"
        with transaction():
            one = builders.recording(lesson, url=ADDRESS)
        way, change = f"/l/{lesson.uid}/recordings/{one.uid}", f"{page}/recordings/{one.uid}"
        teacher, student = browser(app, school.a.teacher), browser(app, school.a.students[0])
        assert press(student, f"/l/{lesson.uid}", f"{change}/hide")[0] in (400, 403, 404)
        assert student.get(way).status_code == 302
        assert press(teacher, page, f"{change}/hide")[0] == 303
        assert student.get(way).status_code == 404
        assert way not in student.get(f"/l/{lesson.uid}").text
        shown = teacher.get(page).text
        assert way in shown
        assert "video.test" not in shown
        assert teacher.get(way).status_code == 302
        assert press(teacher, page, f"{change}/show")[0] == 303
        assert student.get(way).status_code == 302
