"""A lesson with a teacher and three students, whose video system falls over: all four are in the new room through the
same links, without typing and without a click."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.lessons import joinlinks, meetings
from lms_bridge.timetable.models import Lesson
from tests import builders
from tests.builders import SchoolSystem, small_system
from tests.journeys.conftest import LiveServer, OpenContext, assert_accessible, sign_in
from tests.lessons import hall as halls
from tests.lessons.hall import Hall

PATIENCE = 90_000


@pytest.fixture
def third_parties(tmp_path: Path) -> list[Path]:
    """The provider of ``docs/plugins.md``."""
    folder = tmp_path / "third-parties"
    halls.install(folder)
    return [folder]


@pytest.fixture
def systems() -> Iterator[tuple[Hall, Hall]]:
    """Two video systems, on another site than the bridge."""
    with halls.running("localhost") as east, halls.running("localhost") as west:
        yield east, west


@pytest.fixture
def school(live_server: LiveServer, systems: tuple[Hall, Hall]) -> SchoolSystem:
    """A school with a lesson that has begun, taught in the first of the two."""
    school = small_system(students=3)
    with transaction():
        for n, (name, one) in enumerate(zip(("East", "West"), systems, strict=True), start=1):
            builders.provider_account(school.a.campus, "hall", name=name, position=n, settings=one.settings())
        lesson = db.session.get_one(Lesson, school.a.lesson.id)
        lesson.starts_at, lesson.ends_at = now() - timedelta(minutes=5), now() + timedelta(minutes=35)
    return school


def is_press(route: Route) -> bool:
    """Whether the browser sends the press of the button."""
    return route.request.method == "POST"


def come_in(page: Page) -> Page:
    """Press the button; the tab in which the room opens."""
    with page.expect_popup() as opened:
        page.locator(".door-form button").click()
    return opened.value


@pytest.mark.timeout(400)
@pytest.mark.fresh
def test_a_lesson_goes_on_in_another_room_when_its_system_dies(
    live_server: LiveServer, school: SchoolSystem, systems: tuple[Hall, Hall], browser_of: OpenContext
) -> None:
    east, west = systems
    lesson, links = school.a.lesson, []
    with transaction():
        links = [joinlinks.personal_urls([lesson.id], one.id)[lesson.id] for one in school.a.students[:3]]
    pages = [sign_in(browser_of(), live_server, school.a.teacher)]
    pages[0].goto(f"{live_server.url}/l/{lesson.uid}")
    for number, link in enumerate(links):
        page = browser_of(phone=number == 2).new_page()
        page.goto(link)
        pages.append(page)
    held: list[Route] = []
    pages[3].context.route("**/j/*", lambda route: held.append(route) if is_press(route) else route.continue_())
    tabs = [come_in(page) for page in pages]
    # A full server answers late: the page has looked by then, and looks again.
    pages[3].wait_for_timeout(4000)
    expect(pages[3].locator(".door-form")).to_be_attached()
    (press,) = held
    press.continue_()
    for tab in tabs:
        tab.wait_for_url(f"{east.url}/enter/**", timeout=PATIENCE)
    assert len(east.made) == 1
    assert set(east.referers) == {""}
    for page in pages:
        expect(page.locator("#beside")).to_be_attached(timeout=PATIENCE)
    assert_accessible(pages[1])

    # The room cannot bring the lesson page elsewhere.
    tabs[1].evaluate("() => { try { opener.location = 'about:blank#away' } catch {} }")
    tabs[1].evaluate("() => { try { opener.parent.location = 'http://localhost:9/away' } catch {} }")
    tabs[1].evaluate("() => { try { opener.top.close() } catch {} }")

    began = time.monotonic()
    east.stop()
    for tab in tabs:
        tab.wait_for_url(f"{west.url}/enter/**", timeout=PATIENCE)
    sys.stdout.write(
        f"\nfrom the end of the old system to the last of {len(tabs)} inside: {time.monotonic() - began:.1f} s\n"
    )
    assert pages[1].url == links[0]
    assert sorted(who for _, who, _ in west.entered) == sorted(
        one.uid for one in [school.a.teacher, *school.a.students[:3]]
    )
    assert set(west.referers) == {""}
    assert len(west.made) == 1
    for page in pages:
        expect(page.locator("#beside")).to_have_attribute("data-attempt", "2", timeout=PATIENCE)
    assert_accessible(pages[1])
    db.session.rollback()
    found = meetings.meeting_of(lesson.id)
    assert found is not None
    assert found.attempt == 2
