"""A teacher's own form in a real browser: columns named by hand, proposals accepted, returned, mended, approved.

With the variable SCREENS set to a folder, pictures of the pages are left there, on phone and desktop.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import docx
import pytest
from playwright.sync_api import Page, expect

from lms_bridge.core.database import transaction
from lms_bridge.core.i18n import gettext, ngettext, use_locale
from lms_bridge.roster.models import EnrolmentRole
from tests.builders import SchoolSystem, benchmark, enrol, small_system, subject
from tests.journeys.conftest import (
    DESKTOP,
    PHONE,
    LiveServer,
    OpenContext,
    assert_accessible,
    assert_no_sideways_scroll,
    sign_in,
)


@dataclass(frozen=True)
class Story:
    """What one school teaches, in its language: a form whose headings nobody could know, and the benchmark."""

    language: str
    form: tuple[tuple[str, ...], ...]
    benchmark: tuple[tuple[str, int], ...]
    missing: str
    practical: str
    at_home: str
    words: str


CHINESE = Story(
    language="zh-CN",
    form=(
        ("进程", "讲授什么", "几节", "谁来讲"),
        ("1", "声现象", "2", "王芳"),
        ("2", "机械运动", "4", "王芳"),
        ("3", "学生实验：测量密度", "2", "王芳"),
    ),
    benchmark=(("机械运动", 4), ("声现象", 4), ("物态变化", 5)),
    missing="物态变化",
    practical="学生实验",
    at_home="在家用厨房秤和量杯测量",
    words="请把声现象移到机械运动之后",
)
ENGLISH = Story(
    language="en",
    form=(
        ("Stage", "What we do", "How many", "Who"),
        ("1", "Sound waves", "2", "Ms Wang"),
        ("2", "Motion and speed", "4", "Ms Wang"),
        ("3", "Practical work: measuring density", "2", "Ms Wang"),
    ),
    benchmark=(("Motion and speed", 4), ("Sound waves", 4), ("Changes of state", 5)),
    missing="Changes of state",
    practical="measuring density",
    at_home="Measure at home with kitchen scales and a jug",
    words="Please put sound behind motion",
)


def school_with_benchmark(story: Story) -> SchoolSystem:
    """Campus A's teacher teaches physics; the researchers have its benchmark, the teacher no plan yet."""
    school = small_system()
    with transaction():
        school.subject = subject("physics", "物理", "Physics")
        enrol(school.a.teacher, school.a.classes[0], EnrolmentRole.TEACHER, teaches=school.subject)
        benchmark(school.bureau, school.term, school.subject, school.researcher, units=list(story.benchmark))
    return school


def form_docx(path: Path, story: Story) -> Path:
    """The school's own form in Word."""
    document = docx.Document()
    table = document.add_table(len(story.form), len(story.form[0]), style="Table Grid")
    for row, texts in zip(table.rows, story.form, strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    document.save(str(path))
    return path


PICTURES = {"mapping", "proposals", "to-review", "approved"}
"""The pages of which ``docs/screens`` keeps pictures."""


def looked_at(page: Page, name: str, story: Story) -> None:
    """What holds for every page that a person sees, in both sizes; with SCREENS set, pictures are left there."""
    was = page.viewport_size
    for form, size in (("phone", PHONE), ("desktop", DESKTOP)):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        assert_no_sideways_scroll(page)
        if (folder := os.environ.get("SCREENS")) and name in PICTURES:
            page.screenshot(path=Path(folder) / f"plan-{name}-{story.language}-{form}.png", full_page=True)
    assert was is not None
    page.set_viewport_size(was)
    assert_accessible(page)


def press(page: Page, name: str, *, nth: int = 0) -> None:
    """Press a button of the page's main part and wait for the page that follows."""
    with page.expect_navigation():
        page.get_by_role("main").get_by_role("button", name=gettext(name), exact=True).nth(nth).click()


def accept(page: Page, finding: str) -> None:
    """Accept what is proposed for a finding."""
    with page.expect_navigation():
        page.locator(".finding", has_text=finding).first.locator("button[value=accept]").last.click()


@pytest.mark.timeout(240)
@pytest.mark.parametrize("story", [CHINESE, ENGLISH], ids=["zh-CN on a phone", "en on a desktop"])
def test_from_an_unusual_form_to_an_approved_plan(
    live_server: LiveServer, browser_of: OpenContext, tmp_path: Path, story: Story
) -> None:
    school = school_with_benchmark(story)
    teacher = sign_in(browser_of(phone=story is CHINESE, locale=story.language), live_server, school.a.teacher)
    researcher = sign_in(browser_of(locale=story.language), live_server, school.researcher)
    for page in (teacher, researcher):
        page.goto(f"{live_server.url}/language/{story.language}?next=/plans/")
    with use_locale(story.language):
        plan = _from_form_to_new_version(teacher, live_server, form_docx(tmp_path / "physics 物理.docx", story), story)
        _returned_and_approved(teacher, researcher, plan, story)


def _from_form_to_new_version(teacher: Page, server: LiveServer, form: Path, story: Story) -> str:
    """The teacher's side before the first review; the plan's address."""
    main = teacher.get_by_role("main")
    teacher.goto(f"{server.url}/plans/upload")
    looked_at(teacher, "upload", story)
    teacher.get_by_role("checkbox").first.check()
    teacher.set_input_files("input[type=file]", form)
    press(teacher, "Read the plan")
    for column, field in enumerate(("week", "content", "periods", "")):
        teacher.locator(f"#field-{column}").select_option(field)
    press(teacher, "Show the units")
    looked_at(teacher, "mapping", story)
    press(teacher, "Import")
    looked_at(teacher, "findings", story)
    plan = teacher.url.partition("?")[0].partition("#")[0]
    expect(main).to_contain_text(story.missing)
    wanted = teacher.locator(".finding", has_text=story.practical)
    wanted.locator("textarea").first.fill(story.at_home)
    with teacher.expect_navigation():
        wanted.locator("button[value=accept]").last.click()
    accept(
        teacher,
        ngettext(
            "Insert it from the benchmark, with %(n)s period.", "Insert it from the benchmark, with %(n)s periods.", 5
        ),
    )
    accept(
        teacher,
        ngettext("Give it %(n)s period, as in the benchmark.", "Give it %(n)s periods, as in the benchmark.", 4),
    )
    expect(main).to_contain_text("已采纳 3 条建议" if story is CHINESE else "3 proposals are accepted")
    looked_at(teacher, "proposals", story)
    press(teacher, "Make the new version")
    expect(main).to_contain_text(gettext("Online: %(alternative)s", alternative=story.at_home))
    looked_at(teacher, "second-version", story)
    press(teacher, "Submit for review")
    return plan


def _returned_and_approved(teacher: Page, researcher: Page, plan: str, story: Story) -> None:
    """The review: returned with a comment, mended, submitted again, approved."""
    main = teacher.get_by_role("main")
    researcher.goto(plan)
    looked_at(researcher, "to-review", story)
    researcher.get_by_label(gettext("Words for the author")).fill(story.words)
    press(researcher, "Return")
    teacher.goto(plan)
    expect(main).to_contain_text(story.words)
    looked_at(teacher, "returned", story)
    accept(teacher, gettext("Move it to the beginning."))
    press(teacher, "Make the new version")
    press(teacher, "Submit for review")

    researcher.goto(plan)
    press(researcher, "Approve")
    expect(researcher.get_by_role("main")).to_contain_text(gettext("approved"))
    looked_at(researcher, "approved", story)
