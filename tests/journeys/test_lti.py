"""From a course page of an LMS on another site, in a frame, into a running lesson: with third-party cookies refused,
with a browser that keeps nothing at all for frames but an LMS that does, and with neither."""

from __future__ import annotations

import html
import json
import shutil
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, Route, expect

from lms_bridge.core.database import db, transaction
from lms_bridge.lti import platforms
from lms_bridge.lti.claims import CLAIM
from lms_bridge.sync import accounts as sync_accounts
from lms_bridge.sync.models import MappedKind, MappingState, SyncMapping
from tests.builders import SchoolSystem, small_system
from tests.journeys.conftest import (
    CHROMIUM_ARGUMENTS,
    LiveServer,
    OpenContext,
    assert_accessible,
    assert_no_sideways_scroll,
    sign_in,
)
from tests.lti.conftest import known_as, lis
from tests.lti.lms import CLIENT, DEPLOYMENT, Lms, running

pytestmark = pytest.mark.one_database

STORAGE = """
const kept = {};
addEventListener("message", (event) => {
  const { subject, key, value, message_id } = event.data;
  if (subject === "lti.put_data") kept[key] = value;
  if (subject !== "lti.put_data" && subject !== "lti.get_data") return;
  event.source.postMessage({ subject: subject + ".response", message_id, key, value: kept[key] }, event.origin);
});
"""

NO_COOKIES = "Object.defineProperty(Document.prototype, 'cookie', { get: () => '', set: () => {} });"


@pytest.fixture
def lms() -> Iterator[Lms]:
    """The LMS, on another site than the bridge."""
    with running("localhost") as found:
        yield found


@pytest.fixture
def school(live_server: LiveServer, lms: Lms) -> SchoolSystem:
    """A school whose LMS is registered, and whose first student it knows by the roster's identifier."""
    system = small_system()
    with transaction():
        found = platforms.Registered(**lms.registration, deployments=(DEPLOYMENT,))
        platforms.add(found, system.a.campus.id, actor_uid=None)
        known_as(system.a.students[0], "S1")
    return system


def course_page(lms: Lms, server: LiveServer, *, storage: str = "") -> str:
    """The LMS's page with the activity in a frame; it keeps values itself where it names a frame as its ``storage``."""
    launch = f"{server.url}/lti/launch"
    shown = {f"{CLAIM}launch_presentation": {"document_target": "iframe"}, f"{CLAIM}target_link_uri": launch}
    sent = {
        "iss": lms.url, "client_id": CLIENT, "login_hint": lms.user, "target_link_uri": launch,
        "lti_message_hint": json.dumps(shown | lis("S1")),
    }  # fmt: skip
    sent |= {"lti_storage_target": storage} if storage else {}
    address = html.escape(f"{server.url}/lti/login?{urlencode(sent)}")
    script = f"<script>{STORAGE}</script>" if storage else ""
    return f'<!doctype html><title>Course</title>{script}<iframe width="600" height="600" src="{address}"></iframe>'


@pytest.fixture
def strict(chromium: Browser) -> Iterator[BrowserContext]:
    """A browser that refuses third-party cookies."""
    browser = chromium.browser_type.launch(
        executable_path=shutil.which("chromium"), args=[*CHROMIUM_ARGUMENTS, "--test-third-party-cookie-phaseout"]
    )
    context = browser.new_context(locale="zh-CN")
    context.set_default_timeout(20_000)
    yield context
    browser.close()


def into_the_lesson(context: BrowserContext, frame: FrameLocator, system: SchoolSystem) -> None:
    """From the landing page to the room."""
    expect(frame.get_by_role("heading", name="数学")).to_be_visible(timeout=20_000)
    with context.expect_page() as opened:
        frame.get_by_role("button", name="进入课堂").first.click()
    door = opened.value
    door.wait_for_url(f"**/l/{system.a.lesson.uid}")
    door.get_by_role("main").get_by_role("button").first.click()
    door.wait_for_url(f"**/room/{system.a.lesson.uid}")


def keeps_nothing(page: Page) -> None:
    """As a browser that refuses every cookie inside frames, partitioned or not."""
    page.add_init_script(f"if (window.top !== window) {{ {NO_COOKIES} }}")

    def without_cookie(route: Route) -> None:
        headers = route.request.all_headers()
        if headers.get("sec-fetch-dest") != "iframe":
            return route.continue_()
        answer = route.fetch(headers={n: v for n, v in headers.items() if n != "cookie"}, max_redirects=0)
        return route.fulfill(response=answer, headers={n: v for n, v in answer.headers.items() if n != "set-cookie"})

    page.route("**/lti/**", without_cookie)


def test_with_third_party_cookies_refused(
    live_server: LiveServer, lms: Lms, school: SchoolSystem, strict: BrowserContext
) -> None:
    lms.course_page = course_page(lms, live_server)
    page = strict.new_page()
    page.goto(lms.url)
    frame = page.frame_locator("iframe")
    into_the_lesson(strict, frame, school)


@pytest.mark.parametrize("named", ["_parent", "no_frame_of_that_name"])
def test_with_the_storage_of_the_lms(
    live_server: LiveServer, lms: Lms, school: SchoolSystem, strict: BrowserContext, named: str
) -> None:
    lms.course_page = course_page(lms, live_server, storage=named)
    page = strict.new_page()
    keeps_nothing(page)
    page.goto(lms.url)
    into_the_lesson(strict, page.frame_locator("iframe"), school)


def test_with_neither_a_window_of_its_own_opens(
    live_server: LiveServer, lms: Lms, school: SchoolSystem, strict: BrowserContext
) -> None:
    lms.course_page = course_page(lms, live_server)
    page = strict.new_page()
    keeps_nothing(page)
    page.goto(lms.url)
    frame = page.frame_locator("iframe")
    with strict.expect_page() as opened:
        frame.get_by_role("button", name="在新窗口中打开").click()
    expect(frame.get_by_role("button", name="再次打开")).to_be_visible()
    window = opened.value
    window.wait_for_url("**/lti/landing")
    window.reload()  # The page came as the answer to the LMS's form, which must not be sent twice.
    assert_accessible(window)
    expect(window.get_by_role("heading", name="数学")).to_be_visible(timeout=20_000)


def test_the_administrators_pages_of_the_lms_are_accessible(
    live_server: LiveServer, school: SchoolSystem, browser_of: OpenContext
) -> None:
    with transaction():
        settings = {"url": "http://127.0.0.1:9", "token": "x" * 32}
        account = sync_accounts.connect(school.a.campus, "moodle", name="Moodle", settings=settings, actor_uid=None)
        db.session.add(
            SyncMapping(account_id=account.id, kind=MappedKind.PERSON, remote_id="7", state=MappingState.UNMATCHED)
        )
    own = f"/system/lms/{account.uid}"
    page = sign_in(browser_of(phone=True), live_server, school.a.administrator)
    for path in ("/lms", "/lms/new", "/lms/people", "/system/lms/new", own, f"{own}/settings", f"{own}/check",
                 f"{own}/remove", "/system/sign-in/", "/system/sign-in/new"):  # fmt: skip
        page.goto(f"{live_server.url}{path}")
        assert_accessible(page)
        assert_no_sideways_scroll(page)
    page.goto(f"{live_server.url}/lms/people")
    page.get_by_role("link", name="是谁").click()
    expect(page.get_by_role("heading", name="是谁")).to_be_visible()
    assert_accessible(page)
