"""A lesson at BigBlueButton from the click to the attendance, with the plugin and the core together."""

from __future__ import annotations

import html
import http.client
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pytest
from flask import Flask

from lms_bridge.core import clock, jobs
from lms_bridge.core.database import db, transaction
from lms_bridge.lessons import accounts, meetings, watching
from lms_bridge.lessons.models import Meeting, MeetingState
from lms_bridge.lessons.presence import intervals, observations_of
from tests.contracts.bigbluebutton_server import SECRET, BigBlueButton
from tests.contracts.json_api import running
from tests.lessons.support import START, browser, do, press, school_at


@pytest.fixture
def server() -> Iterator[BigBlueButton]:
    """A server."""
    with running(BigBlueButton()) as one:
        yield one


def visit(server: BigBlueButton, url: str) -> str:
    """Somebody opens their address; their window."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=5)
    connection.request("GET", f"{parts.path}?{parts.query}")
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.headers["Location"].partition("sessionToken=")[2]


def test_from_the_click_to_the_attendance(app: Flask, server: BigBlueButton) -> None:
    moments = [START + timedelta(minutes=5)]

    def later(seconds: float) -> datetime:
        moments.append(moments[-1] + timedelta(seconds=seconds))
        return moments[-1]

    with school_at(5) as school, clock.at(lambda: moments[-1]):
        lesson, student = school.a.lesson, school.a.students[0]
        with transaction():
            account = accounts.add(
                school.a.campus, "bigbluebutton", name="BBB",
                settings={"url": server.url, "secret": SECRET}, actor=None,
            )  # fmt: skip
        account_id, token = account.id, account.hook_token

        def look() -> None:
            later(10)
            with pytest.raises(jobs.RetryAt):
                watching.watch(account_id)

        def room() -> Meeting:
            db.session.rollback()
            db.session.expire_all()
            found = meetings.meeting_of(lesson.id)
            assert found is not None
            return found

        client = browser(app, student)
        press(client, f"/l/{lesson.uid}", f"/l/{lesson.uid}")
        assert server.meetings == {}  # the click waits for no server
        do(meetings.PROVISION)
        assert room().state is MeetingState.READY
        (name,) = server.meetings
        address = re.search(
            re.escape(server.url) + r"[^\"'<>\s]+", client.get(f"/l/{lesson.uid}/room").get_data(as_text=True)
        )
        assert address is not None
        window = visit(server, html.unescape(address[0]))
        assert server.meetings[name].inside[window].user_id == student.uid
        came = moments[-1]
        look()
        (hook,) = server.hooks
        assert hook.endswith(f"/hooks/providers/{token}")
        inside = server.meetings[name].inside[window]
        body = server.form([server.event("user-joined", server.meetings[name], inside, came.timestamp())])
        hooked = f"/hooks/providers/{token}"
        assert app.test_client().post(f"{hooked}?checksum={server.proof(hook, body)}", data=body).status_code == 200
        assert app.test_client().post(f"{hooked}?checksum={'0' * 40}", data=body).status_code == 503
        later(600)
        look()
        del server.meetings[name].inside[window]
        gone = moments[-1]
        look()
        stays = intervals(observations_of(lesson.id)[student.id], beat_timeout=timedelta(seconds=60), end=moments[-1])
        assert [(s.start, s.end) for s in stays] == [(came, gone)]
        # everybody left: BigBlueButton forgets the room, the next click makes it anew
        server.expire()
        look()
        assert room().state is MeetingState.WANTED
        press(client, f"/l/{lesson.uid}", f"/l/{lesson.uid}")
        do(meetings.PROVISION)
        assert list(server.meetings) == [name]
        hint = f"/hooks/meetings/{room().callback_token}?recordingmarks=false"
        assert app.test_client().get(hint).status_code == 200
        later(3600)
        do(meetings.END)
        assert server.meetings == {}
