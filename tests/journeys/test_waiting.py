"""Waiting at the door of a lesson at a video system: camera, microphone and line are tried out in the browser alone,
and on the way into the room the system learns nothing of where its guest comes from."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from flask import Flask
from playwright.sync_api import BrowserContext, Page, expect

from lms_bridge.core.database import transaction
from lms_bridge.demo.visitors import served
from lms_bridge.lessons import joinlinks
from lms_bridge.lessons.meetings import PROVISION, wish
from tests import builders
from tests.builders import SchoolSystem
from tests.journeys.conftest import OpenContext, assert_accessible, assert_no_sideways_scroll
from tests.lessons.support import do, school_at

TAKEN = """() => {
  const media = navigator.mediaDevices;
  media.getUserMedia = async ({ video }) => {
    throw new DOMException("", video ? "NotReadableError" : "NotFoundError");
  };
}"""
"""A machine whose camera another program uses, and that has no microphone."""


class VideoSystem(ThreadingHTTPServer):
    """A web server that notes what it is told of where a visitor comes from."""

    def __init__(self) -> None:
        self.visits: list[tuple[str, str | None]] = []
        visits = self.visits

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                visits.append((self.path, self.headers.get("Referer")))
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(b"<!doctype html><title>Room</title><p>Room</p>")

            def log_message(self, *args: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        """Its address, on another site than the bridge."""
        return f"http://localhost:{self.server_port}"

    def rooms(self) -> list[str | None]:
        """The ``Referer`` of each visit to a room."""
        return [referer for path, referer in self.visits if "jwt=" in path]


@pytest.fixture
def video() -> Iterator[VideoSystem]:
    """A video system that listens."""
    server = VideoSystem()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def held_at(school: SchoolSystem, video: VideoSystem) -> list[str]:
    """The lesson of the school takes place at the video system; the paths of its students' links."""
    settings = {"url": video.url, "app_id": "school", "secret": "a-secret-of-the-school-0123456789"}
    with transaction():
        builders.provider_account(school.a.campus, "jitsi", settings=settings)
        wish(school.a.lesson)
        links = [joinlinks.personal_urls([school.a.lesson.id], one.id) for one in school.a.students[:2]]
    assert do(PROVISION) == 1
    return [link[school.a.lesson.id].removeprefix("http://bridge.test") for link in links]


def shown(page: Page, device: str, result: str) -> None:
    """Of one device just this result is shown."""
    lines = page.locator(f'[data-device="{device}"] [data-result]:visible')
    expect(page.locator(f'[data-device="{device}"] [data-result="{result}"]')).to_be_visible()
    expect(lines).to_have_count(1)


def live_tracks(page: Page) -> int:
    """How many cameras the page holds."""
    return int(
        page.evaluate(
            "(document.querySelector('.device-picture').srcObject?.getTracks() ?? [])"
            ".filter((track) => track.readyState === 'live').length"
        )
    )


def allowed(context: BrowserContext) -> BrowserContext:
    """A browser that was told to let the page use camera and microphone."""
    context.grant_permissions(["camera", "microphone"])
    return context


def test_devices_are_tried_out_while_waiting_and_once_a_day(
    app: Flask, video: VideoSystem, browser_of: OpenContext
) -> None:
    with school_at(-30) as school, served(app) as address:
        paths = held_at(school, video)
        mine = allowed(browser_of(phone=True))
        page, sent = mine.new_page(), []
        page.goto(address + paths[0])
        page.on("request", lambda request: sent.append((request.method, request.post_data, request.url)))
        page.locator('[data-step="ask"] [data-do="check"]').click()
        for device in ("camera", "microphone", "network"):
            shown(page, device, "good")
        assert page.evaluate("document.querySelector('.device-picture').videoWidth") > 0
        assert_accessible(page)
        assert_no_sideways_scroll(page)
        page.locator('[data-do="done"]').click()
        assert live_tracks(page) == 0
        assert {(method, body) for method, body, _ in sent} == {("GET", None)}
        assert {url for _, _, url in sent} == {f"{address}/static/icon.svg"}
        page.reload()
        expect(page.locator('[data-outcome="good"]')).to_be_visible()
        expect(page.locator('[data-step="ask"]')).to_be_hidden()

        refusing = browser_of(locale="en").new_page()
        refusing.goto(address + paths[1])
        refusing.locator('[data-step="ask"] [data-do="check"]').click()
        shown(refusing, "camera", "refused")
        shown(refusing, "microphone", "refused")
        allowed(refusing.context)
        refusing.add_init_script(f"({TAKEN})()")
        refusing.reload()
        refusing.locator('[data-step="ask"] [data-do="check"]').click()
        shown(refusing, "camera", "busy")
        shown(refusing, "microphone", "none")
        refusing.reload()
        refusing.locator('[data-do="skip"]').click()
        refusing.reload()
        expect(refusing.locator('[data-outcome="skipped"]')).to_be_visible()

        plain = browser_of(java_script_enabled=False).new_page()
        plain.goto(address + paths[1])
        expect(plain.locator(".door-count")).to_be_visible()
        expect(plain.locator("#devices")).to_be_hidden()


@pytest.mark.parametrize("script", [True, False])
def test_the_video_system_is_not_told_where_its_guests_come_from(
    app: Flask, video: VideoSystem, browser_of: OpenContext, *, script: bool
) -> None:
    with school_at(-5) as school, served(app) as address:
        paths = held_at(school, video)
        page = allowed(browser_of(java_script_enabled=script)).new_page()
        page.goto(address + paths[0])
        if script:
            page.locator('[data-step="ask"] [data-do="check"]').click()
            shown(page, "camera", "good")
        with page.expect_popup() as opened:
            page.locator(".door-form button").click()
        opened.value.wait_for_url(f"{video.url}/**")
        assert video.rooms() == [None]
        if script:
            assert live_tracks(page) == 0
            assert opened.value.evaluate("document.referrer") == ""
        page.close()
