"""A whole installation for journeys: the real web server and worker as processes, and Debian's Chromium.

Each test has a data folder, a database (``--database`` holds here too), a port and a mailbox folder of its own.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from lms_bridge.core.database import db, transaction
from lms_bridge.core.settings import Settings
from lms_bridge.roster.accounts import sign_in_token
from lms_bridge.roster.models import Person
from lms_bridge.web.app import create_app
from tests import servers
from tests.processes import environment, run_command, started, wait_for_answer

CHROMIUM_ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--use-fake-device-for-media-stream",
)
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}

# WCAG 2.2 AA and the level below it.
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs a browser."""
    for item in items:
        if Path(item.path).is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Let fixtures know, when they end, whether their test failed."""
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


@dataclass(frozen=True)
class LiveServer:
    """A running installation."""

    url: str
    settings: Settings
    app: Flask
    """An application on the same database and data folder, its context pushed, to prepare rows and look at them."""

    def sign_in_url(self, person: Person) -> str:
        """The address of a sign-in link for ``person``."""
        return f"{self.url}/sign-in/link/{sign_in_token(person)}"

    def command(self, *arguments: str) -> str:
        """Run ``lms-bridge`` in this installation; what it printed."""
        return run_command(arguments, self.settings)


@pytest.fixture
def third_parties() -> list[Path]:
    """Folders with packages that are installed beside LMS Bridge; a test module may name some (and needs ``fresh``)."""
    return []


@pytest.fixture
def live_server(
    settings: Settings, tmp_path: Path, request: pytest.FixtureRequest, third_parties: list[Path]
) -> Iterator[LiveServer]:
    """Web server and worker of a new installation, ready; both end with the test. With the mark ``fresh`` they are
    started as an administrator starts them, see :func:`tests.processes.started`."""
    fresh = request.node.get_closest_marker("fresh") is not None
    port = servers.free_port()
    url = f"http://127.0.0.1:{port}"
    settings = settings.model_copy(
        update={"base_url": url, "port": port, "sweep_seconds": 0.5, "job_lease_seconds": 10}
    )
    run_command(["db", "upgrade"], settings, fresh=fresh)
    app = create_app(settings)
    variables = environment(settings)
    variables["PYTHONPATH"] = os.pathsep.join([variables["PYTHONPATH"], *map(str, third_parties)])
    log = tmp_path / "web.log"
    with ExitStack() as stack, app.app_context():
        web = stack.enter_context(started(["lms_bridge.cli", "web"], variables, log, fresh=fresh))
        stack.enter_context(started(["lms_bridge.cli", "worker"], variables, tmp_path / "worker.log", fresh=fresh))
        wait_for_answer(f"{url}/readyz", web, log)
        yield LiveServer(url, settings, app)
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, one for the session."""
    program = shutil.which("chromium")
    if program is None:
        servers.missing("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(CHROMIUM_ARGUMENTS))
        yield browser
        browser.close()


OpenContext = Callable[..., BrowserContext]


@pytest.fixture
def browser_of(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[OpenContext]:
    """Makes a browser of one person: own cookies, a language, a window size.

    A page that logs an error or refers to something outside this machine fails the test at its end. When the test
    fails, what each open page shows is printed.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_context(*, phone: bool = False, locale: str = "zh-CN", **more: object) -> BrowserContext:
        size = PHONE if phone else DESKTOP
        context = chromium.new_context(viewport=size, locale=locale, has_touch=phone, is_mobile=phone, **more)  # type: ignore[arg-type]
        context.set_default_timeout(20_000)
        context.on("weberror", lambda error: complaints.append(f"script: {error.error}"))
        context.on(
            "request",
            lambda request: (
                request.url.startswith(("http://127.0.0.1", "http://localhost", "data:", "blob:", "about:"))
                or complaints.append(f"outside: {request.url}")
            ),
        )
        contexts.append(context)
        return context

    yield open_context
    if request.node.stash.get(FAILED, False):
        for page in (page for context in contexts for page in context.pages):
            sys.stdout.write(f"--- {page.url}\n{page.locator('body').inner_text()}\n")
    for context in contexts:
        context.close()
    assert complaints == []


def sign_in(context: BrowserContext, server: LiveServer, person: Person) -> Page:
    """A page of ``person``, signed in by a link; the one tap that it asks for is done."""
    page = context.new_page()
    with transaction():
        url = server.sign_in_url(person)
    page.goto(url)
    page.get_by_role("main").get_by_role("button").first.click()
    page.wait_for_url(f"{server.url}/")
    return page


def assert_accessible(page: Page) -> None:
    """axe finds nothing on the page as it is now."""
    results = Axe().run(page, options={"runOnly": {"type": "tag", "values": AXE_TAGS}})
    assert results.violations_count == 0, f"{page.url}\n{results.generate_report()}"


def assert_no_sideways_scroll(page: Page) -> None:
    """Nothing of the page lies beside the window. Waits for the page: a click may have just begun it."""
    page.wait_for_load_state()
    beyond = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert beyond <= 0, f"{page.url} is {beyond} px wider than its window"
