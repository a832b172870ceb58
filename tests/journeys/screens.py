"""Takes the pictures of ``docs/screens``: the home page of each role, the researchers' and the timetable's pages, in
both languages, on phone and desktop.

They show the demonstration that ``make demo`` left in the data folder (a copy of it), four minutes before its lesson;
what upsets the timetable, on the Monday before, when a teacher cannot come on Tuesday.

    python -m tests.journeys.screens docs/screens
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from datetime import date, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import sqlalchemy as sa
from flask import Flask
from playwright.sync_api import Browser, sync_playwright

from lms_bridge.calendar.days import iso_week, monday_of
from lms_bridge.core import clock
from lms_bridge.core.database import db, transaction
from lms_bridge.core.settings import load
from lms_bridge.demo import school
from lms_bridge.demo.cards import people
from lms_bridge.demo.lessons import lesson_near, teacher_of
from lms_bridge.demo.visitors import served
from lms_bridge.roster.accounts import sign_in_token
from lms_bridge.roster.models import Person
from lms_bridge.timetable.cases.absences import report_absence
from lms_bridge.timetable.cases.cases import case_by_uid
from lms_bridge.timetable.cases.models import ChangeCase
from lms_bridge.timetable.cases.runs import work_out_case
from lms_bridge.timetable.models import Lesson
from lms_bridge.timetable.weeks.slots import wall_clock
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

UPSET = {
    "administrator": {
        "timetable-import": "/timetable/import",
        "timetable-inputs": "/timetable/inputs",
        "timetable-rules": "/timetable/inputs/{campus}/rules",
        "timetable-grids": "/timetable/inputs/{campus}/grids",
        "timetable-cases": "/timetable/cases",
        "timetable-case": "/timetable/cases/{case}",
        "timetable-difference": "/timetable/cases/{case}/proposals/{proposal}",
        "timetable-new-case": "/timetable/cases/new?kind=rooms",
        "timetable-board": "/timetable/board?day={day}",
        "timetable-class-week": "/timetable?class={group}",
    },
    "teacher": {"timetable-absences": "/absences", "timetable-absence": "/absences/{absence}"},
}
"""Pages of the Monday on which a teacher reports an absence."""


def take(browser: Browser, address: str, person: Person, folder: Path, pages: Mapping[str, str]) -> None:
    """The pictures of pages as one person sees them, by their names."""
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
            for name, path in pages.items():
                page.goto(f"{address}{path}")
                page.screenshot(path=folder / f"{name}-{language}-{form}.png")
        context.close()


def main(folder: Path) -> None:
    """All pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as copy:
        shutil.copytree(load().data_dir / "demo", copy, dirs_exist_ok=True)
        picture(create_app(load(data_dir=Path(copy), message_channel="mailbox", log_level="ERROR")), folder)


def upset(lesson: Lesson, day: date) -> dict[str, str]:
    """What fills the addresses of :data:`UPSET` once the teacher of the lesson cannot come on a day."""
    teacher = teacher_of(lesson)
    with transaction():
        absence = report_absence(teacher, day, day, reason="发烧", actor=teacher)
    case = db.session.scalars(sa.select(ChangeCase).filter_by(absence_id=absence.id)).one()
    work_out_case(case.id)
    found = case_by_uid(case.uid)
    assert found is not None
    return {
        "absence": absence.uid, "campus": lesson.campus.code, "case": found.uid, "day": day.isoformat(),
        "group": lesson.audience[0].class_group.uid, "proposal": found.proposals[0].change_set.uid,
    }  # fmt: skip


def picture(app: Flask, folder: Path) -> None:
    """All pictures of an installation."""
    with app.app_context(), sync_playwright() as playwright:
        lesson = lesson_near(school.campuses()[0])
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=list(CHROMIUM_ARGUMENTS)
        )  # fmt: skip
        with clock.at(lesson.starts_at - timedelta(minutes=4)), served(app) as address:
            for role, person in people().items():
                take(browser, address, person, folder, {f"{role}-home": "/"} | PAGES.get(role, {}))
        monday = monday_of(iso_week(clock.local(lesson.starts_at, lesson.zone).date()))
        with clock.at(wall_clock(monday, time(7, 30), lesson.zone)), served(app) as address:
            known, teacher = upset(lesson, monday + timedelta(days=1)), teacher_of(lesson)
            for role, pages in UPSET.items():
                filled = {name: path.format(**known) for name, path in pages.items()}
                take(browser, address, teacher if role == "teacher" else people()[role], folder, filled)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
