"""The plugin against a real Galene, with people in Chromium: in by their addresses, seen by the observer, put out.

Only with ``LMS_BRIDGE_LIVE_GALENE_URL``, ``..._USER`` and ``..._SECRET``, never in CI; docs/providers/galene.md says
how to start one on loopback. Groups are made in a folder of their own and taken away. Figures are printed (``-s``).
"""

from __future__ import annotations

import os
import secrets
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from lms_bridge_galene import GaleneProvider, GaleneSettings
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from lms_bridge.core.clock import now
from lms_bridge.core.plugins import (
    Attendee,
    CheckState,
    EvidenceKind,
    MeetingSpec,
    Observer,
    PluginContext,
    PresenceEvent,
    Room,
    RoomRole,
)

URL, USER, SECRET = (os.environ.get(f"LMS_BRIDGE_LIVE_GALENE_{name}", "") for name in ("URL", "USER", "SECRET"))
CHROMIUM = shutil.which("chromium")
MEDIA = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
RIGHT = timedelta(seconds=5)

pytestmark = [
    pytest.mark.skipif(
        not (URL and SECRET and CHROMIUM), reason="LMS_BRIDGE_LIVE_GALENE_URL and _SECRET name no Galene"
    ),
    pytest.mark.timeout(300),
]

TEACHER = Attendee("01HTEACHER", "王老师", RoomRole.LEADER, "zh_CN")
STUDENT = Attendee("01HSTUDENT", "Li Hua (2)", RoomRole.PARTICIPANT, "zh_CN")


class Watch:
    """The observer, and all that it told."""

    def __init__(self, observer: Observer) -> None:
        self.observer = observer
        self.events: list[PresenceEvent] = []

    def until(self, kind: EvidenceKind, who: Attendee, seconds: float = 20) -> PresenceEvent:
        """The next such event that was not asked for before."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for event in self.events:
                if event.kind is kind and event.attendee_uid == who.uid:
                    self.events.remove(event)
                    return event
            self.events += self.observer.read(0.2).events
        raise AssertionError(f"{who.display_name} was not told to have {kind}: {self.events}")


@pytest.fixture
def provider(tmp_path: Path) -> GaleneProvider:
    context = PluginContext("http://127.0.0.1:5000", tmp_path, networks=(ip_network("127.0.0.0/8"),))
    settings = GaleneSettings(url=URL, username=USER, secret=SECRET, folder=f"live-{secrets.token_hex(4)}")
    return GaleneProvider(settings, context)


@pytest.fixture
def meeting() -> MeetingSpec:
    starts = now()
    return MeetingSpec(
        key="lesson-1", lesson_uid="lesson", attempt=1, title="Mathematics 7A",
        starts_at=starts, ends_at=starts + timedelta(hours=1), locale="en", zone="Asia/Shanghai",
        lesson_url="http://127.0.0.1:5000/l/lesson", callback_url="http://127.0.0.1:5000/hooks/x",
    )  # fmt: skip


@pytest.fixture
def playwright_() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@contextmanager
def person(playwright: Playwright, url: str) -> Iterator[tuple[Browser, Page]]:
    """Somebody who opens the address in a browser of their own."""
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=MEDIA)
    page = browser.new_page()
    page.goto(url)
    try:
        yield browser, page
    finally:
        browser.close()


def go_in(page: Page) -> datetime:
    """Choose camera and microphone and press "Connect"; when the page said that it is in."""
    page.locator("#connectbutton").wait_for(state="visible")
    page.locator("#presentboth").check()
    page.locator("#connectbutton").click()
    page.locator("#users .user-p").first.wait_for()
    return datetime.now(UTC)


def report(line: str) -> None:
    """Print one line of figures."""
    sys.stdout.write(line + "\n")


def say(what: str, event: PresenceEvent, real: datetime) -> None:
    """Print how far the told time is from the real one; it must be right to five seconds."""
    difference = event.at - real
    report(f"{what}: told {event.at:%H:%M:%S.%f}, real {real:%H:%M:%S.%f}, {difference.total_seconds():+.3f} s")
    assert abs(difference) <= RIGHT


def test_a_lesson(provider: GaleneProvider, meeting: MeetingSpec, playwright_: Playwright) -> None:
    checks = provider.check()
    assert not [check for check in checks if check.state is CheckState.FAILED], checks
    room = provider.ensure(meeting, None)
    watch = Watch(provider.observer({}))
    watch.observer.watch([(meeting, room)])
    try:
        _lesson(provider, meeting, room, watch, playwright_)
    finally:
        watch.observer.close()
        provider.end(meeting, room)
    assert not list(provider.open_rooms())


def _lesson(provider: GaleneProvider, meeting: MeetingSpec, room: Room, watch: Watch, playwright_: Playwright) -> None:
    links = {who.uid: provider.join_url(meeting, room, who) for who in (TEACHER, STUDENT)}
    with (
        person(playwright_, links[TEACHER.uid]) as (_, teacher),
        person(playwright_, links[STUDENT.uid]) as (browser, student),
    ):
        time.sleep(4)
        watch.events += watch.observer.read(0.1).events
        assert watch.events == [], "opening the page is not coming in"

        real = go_in(teacher)
        say("teacher came", watch.until(EvidenceKind.JOINED, TEACHER), real)
        real = go_in(student)
        say("student came", watch.until(EvidenceKind.JOINED, STUDENT), real)

        names = [name for name in teacher.locator("#users .user-p").all_inner_texts() if name != "Attendance"]
        assert sorted(names) == sorted([TEACHER.display_name, STUDENT.display_name])
        # Both see and hear the other: their own camera, and one that comes from the server.
        for page in (teacher, student):
            page.wait_for_function(
                "document.querySelectorAll('#peers video').length == 2 && "
                "[...document.querySelectorAll('#peers video')].every(v => v.videoWidth > 0 && v.currentTime > 0)",
                timeout=30_000,
            )
        assert "op" in teacher.evaluate("serverConnection.permissions")
        assert "op" not in student.evaluate("serverConnection.permissions")

        # Loaded again, the page has no token any more, and sends its person to the lesson's page.
        student.route("**/l/lesson", lambda route: route.fulfill(body="the lesson's page"))
        real = datetime.now(UTC)
        student.reload()
        student.wait_for_url("**/l/lesson")
        say("student left by loading the page again", watch.until(EvidenceKind.LEFT, STUDENT), real)
        student.goto(links[STUDENT.uid])
        real = go_in(student)
        say("student came again", watch.until(EvidenceKind.JOINED, STUDENT), real)

        real = datetime.now(UTC)
        browser.close()
        say("student's browser was closed", watch.until(EvidenceKind.LEFT, STUDENT), real)

        with person(playwright_, links[STUDENT.uid][:-4] + "AAAA") as (_, page):
            page.get_by_text("not authorised").first.wait_for()
            report("tampered token: refused")
        with person(playwright_, links[STUDENT.uid].replace("lesson-1", "lesson-2")) as (_, page):
            page.get_by_text("Page not found").first.wait_for()

        with person(playwright_, links[STUDENT.uid]) as (_, page):
            page.locator("#connectbutton").wait_for(state="visible")
            page.evaluate("document.getElementById('username').value = 'The Headmaster'")
            real = go_in(page)
            event = watch.until(EvidenceKind.JOINED, STUDENT)
            assert event.identity == STUDENT.display_name
            report("another name typed: the name of the token is shown")

            real = datetime.now(UTC)
            provider.end(meeting, room)
            for one in (teacher, page):
                one.locator("#login-container").wait_for(state="visible")
            say("lesson ended, teacher out", watch.until(EvidenceKind.LEFT, TEACHER), real)
            say("lesson ended, student out", watch.until(EvidenceKind.LEFT, STUDENT), real)
