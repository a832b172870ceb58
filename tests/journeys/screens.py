"""Takes the pictures of ``docs/screens``: the home page of each role, the researchers' and the timetable's pages, in
both languages, on phone and desktop.

They show the demonstration that ``make demo`` left in the data folder, four minutes before its lesson.

    python -m tests.journeys.screens docs/screens
"""

from __future__ import annotations

import shutil
import sys
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from lms_bridge.core import clock
from lms_bridge.core.database import transaction
from lms_bridge.core.settings import load
from lms_bridge.demo import school
from lms_bridge.demo.cards import people
from lms_bridge.demo.lessons import lesson_near
from lms_bridge.demo.visitors import served
from lms_bridge.roster.accounts import sign_in_token
from lms_bridge.roster.models import Person
from lms_bridge.web.app import create_app
from tests.journeys.conftest import CHROMIUM_ARGUMENTS, DESKTOP, PHONE

PAGES = {
    "administrator": {
        "timetable-day": "/timetable",
        "timetable-sheet": "/timetable?view=week",
        "timetable-term": "/timetable/term",
    },
    "researcher": {"plan-overview": "/plans/overview", "plans": "/plans/"},
    "teacher": {"plan-batch": "/plans/batches", "api-keys": "/api-keys"},
}
"""Further pages by the role of whom they are for."""


def take(browser: Browser, address: str, role: str, person: Person, folder: Path) -> None:
    """The pictures of one person's home page, and of the pages of their role."""
    for form, size in (("phone", PHONE), ("desktop", DESKTOP)):
        with transaction():
            token = sign_in_token(person)
        context = browser.new_context(viewport=size)  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(f"{address}/sign-in/link/{token}")
        page.get_by_role("main").get_by_role("button").first.click()
        page.wait_for_url(f"{address}/")
        for language in ("zh-CN", "en"):
            page.goto(f"{address}/language/{language}?next=/")
            page.screenshot(path=folder / f"{role}-home-{language}-{form}.png")
            for name, path in PAGES.get(role, {}).items():
                page.goto(f"{address}{path}")
                page.screenshot(path=folder / f"{name}-{language}-{form}.png")
        context.close()


def main(folder: Path) -> None:
    """All pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    app = create_app(load(data_dir=load().data_dir / "demo", message_channel="mailbox", log_level="ERROR"))
    with app.app_context(), sync_playwright() as playwright:
        lesson = lesson_near(school.campuses()[0])
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=list(CHROMIUM_ARGUMENTS)
        )  # fmt: skip
        with clock.at(lesson.starts_at - timedelta(minutes=4)), served(app) as address:
            for role, person in people().items():
                take(browser, address, role, person, folder)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
