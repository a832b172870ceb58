"""A lesson at Zoom from the registration of its people to the attendance, with the plugin and the core together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lms_bridge.core import clock
from lms_bridge.core.database import db, transaction
from lms_bridge.lessons import accounts, entering, meetings, provisioning
from lms_bridge.lessons.models import RoomAddress
from lms_bridge.lessons.presence import intervals, observations_of
from lms_bridge.timetable.queries import students_of
from tests.contracts.json_api import running
from tests.contracts.zoom_server import ACCOUNT, CLIENT, SECRET, WEBHOOK_SECRET, Zoom, challenge, proof, signed
from tests.lessons.support import START, browser, do, press, school_at


@pytest.fixture
def zoom() -> Iterator[Zoom]:
    """An account with one licensed user."""
    with running(Zoom()) as server:
        server.user("lesson01@school.example")
        yield server


def shown(client: FlaskClient, lesson_uid: str, zoom: Zoom) -> str | None:
    """The room's address as the page in the room's tab has it."""
    page = client.get(f"/l/{lesson_uid}/room", follow_redirects=False)
    text = page.headers.get("Location") or page.get_data(as_text=True)
    found = re.search(re.escape(zoom.url) + r"[^\"'<>\s]+", text)
    return found[0].replace("&amp;", "&") if found else None


def test_from_the_registration_to_the_attendance(app: Flask, zoom: Zoom) -> None:
    moments = [START + timedelta(minutes=1)]

    def later(seconds: float) -> datetime:
        moments.append(moments[-1] + timedelta(seconds=seconds))
        return moments[-1]

    with school_at(1) as school, clock.at(lambda: moments[-1]):
        lesson, student = school.a.lesson, school.a.students[0]
        teacher = lesson.teachers[0].person
        with transaction():
            account = accounts.add(
                school.a.campus, "zoom", name="Zoom", actor=None,
                settings={
                    "account_id": ACCOUNT, "client_id": CLIENT, "client_secret": SECRET, "address": zoom.url,
                    "webhook_secret": WEBHOOK_SECRET, "hosts": ["lesson01@school.example"],
                },
            )  # fmt: skip
            meetings.follow([lesson.id])
        hook = f"/hooks/providers/{account.hook_token}"

        # Zoom looks whether the address is ours; somebody else is refused.
        headers, raw = signed(challenge("abc"))
        answer = app.test_client().post(hook, data=raw, headers=headers)
        assert (answer.status_code, answer.get_json()["encryptedToken"]) == (200, proof("abc"))
        forged = app.test_client().post(hook, data=raw, headers=signed(challenge("abc"), secret="another")[0])
        assert forged.status_code == 401

        # The room is made, and all students are registered before they come.
        do(meetings.PROVISION)
        (number,) = zoom.meetings
        do(provisioning.ADDRESSES)
        expected = students_of([lesson])[lesson.id]
        assert len(zoom.registrants[number]) == len(expected) > 1
        kept = db.session.query(RoomAddress).count()
        client = browser(app, student)
        press(client, f"/l/{lesson.uid}", f"/l/{lesson.uid}")
        url = shown(client, lesson.uid, zoom)
        assert url is not None
        assert zoom.enter(url)[0].startswith(student.uid)

        # The teacher's opens the host's account: made at the click, and forgotten when it was told.
        leading = browser(app, teacher)
        press(leading, f"/l/{lesson.uid}", f"/l/{lesson.uid}")
        do(entering.ADDRESS)
        assert db.session.query(RoomAddress).count() == kept + 1
        own = shown(leading, lesson.uid, zoom)
        assert own is not None
        assert zoom.enter(own) == ("host", number)
        db.session.expire_all()
        assert db.session.query(RoomAddress).count() == kept

        came = moments[-1]
        for body in (zoom.join(url, at=came), zoom.leave(url, at=came + timedelta(minutes=20))):
            later(1200 if body["event"].endswith("left") else 0)
            for _ in range(2):  # Zoom tells some things twice
                headers, raw = signed(body)
                assert app.test_client().post(hook, data=raw, headers=headers).status_code == 204
        stays = intervals(observations_of(lesson.id)[student.id], beat_timeout=timedelta(seconds=60), end=moments[-1])
        assert [(s.start, s.end) for s in stays] == [(came, came + timedelta(minutes=20))]

        later(3600)
        do(meetings.END)
        assert number not in {key for key, one in zoom.meetings.items() if one["status"] == "started"}
