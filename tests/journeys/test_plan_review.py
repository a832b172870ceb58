"""A teacher's own form in a real browser: columns named by hand, proposals accepted, returned, mended, approved."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from lms_bridge.core.database import transaction
from lms_bridge.roster.models import EnrolmentRole
from tests.builders import SchoolSystem, benchmark, enrol, small_system, subject
from tests.journeys.conftest import LiveServer, OpenContext, assert_accessible, assert_no_sideways_scroll, sign_in

FORM = [
    ("进程", "讲授什么", "几节", "谁来讲"),
    ("1", "声现象", "2", "王芳"),
    ("2", "机械运动", "4", "王芳"),
    ("3", "学生实验：测量密度", "2", "王芳"),
]
BENCHMARK = [("机械运动", 4), ("声现象", 4), ("物态变化", 5)]


def school_with_benchmark() -> SchoolSystem:
    """Campus A's teacher teaches physics; the researchers have its benchmark, the teacher no plan yet."""
    school = small_system()
    with transaction():
        school.subject = subject("physics", "物理", "Physics")
        enrol(school.a.teacher, school.a.classes[0], EnrolmentRole.TEACHER, teaches=school.subject)
        benchmark(school.bureau, school.term, school.subject, school.researcher, units=BENCHMARK)
    return school


def form_csv(path: Path) -> Path:
    """The school's own form, whose headings nobody could know."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(FORM)
    return path


def looked_at(page: Page, name: str) -> None:
    """What holds for every page that a person sees; with SCREENS set, a picture of it is left there."""
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    if folder := os.environ.get("SCREENS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def press(page: Page, name: str, *, nth: int = 0) -> None:
    """Press a button of the page's main part and wait for the page that follows."""
    with page.expect_navigation():
        page.get_by_role("main").get_by_role("button", name=name, exact=True).nth(nth).click()


@pytest.mark.timeout(240)
def test_from_an_unusual_form_to_an_approved_plan(
    live_server: LiveServer, browser_of: OpenContext, tmp_path: Path
) -> None:
    school = school_with_benchmark()
    teacher = sign_in(browser_of(phone=True), live_server, school.a.teacher)
    teacher.goto(f"{live_server.url}/plans/upload")
    teacher.get_by_role("checkbox").first.check()
    teacher.set_input_files("input[type=file]", form_csv(tmp_path / "物理进程表.csv"))
    press(teacher, "读取计划")
    for column, field in enumerate(("week", "content", "periods", "")):
        teacher.locator(f"#field-{column}").select_option(field)
    press(teacher, "显示单元")
    looked_at(teacher, "mapping")
    press(teacher, "导入")
    looked_at(teacher, "findings")
    plan = teacher.url.partition("?")[0].partition("#")[0]
    main = teacher.get_by_role("main")
    expect(main).to_contain_text("物态变化")
    wanted = teacher.locator(".finding", has_text="学生实验")
    wanted.locator("textarea").first.fill("在家用厨房秤和量杯测量")
    with teacher.expect_navigation():
        wanted.locator("button[value=accept]").last.click()
    for text in ("从基准补入", "按基准安排"):
        with teacher.expect_navigation():
            teacher.locator(".finding", has_text=text).first.locator("button[value=accept]").click()
    expect(main).to_contain_text("已采纳 3 条建议")
    press(teacher, "生成新版本")
    expect(main).to_contain_text("线上：在家用厨房秤和量杯测量")
    looked_at(teacher, "second-version")
    press(teacher, "提交审阅")

    researcher = sign_in(browser_of(), live_server, school.researcher)
    researcher.goto(plan)
    looked_at(researcher, "to-review")
    researcher.get_by_label("给作者的话").fill("请把声现象移到机械运动之后")
    press(researcher, "退回")
    teacher.goto(plan)
    expect(main).to_contain_text("请把声现象移到机械运动之后")
    with teacher.expect_navigation():
        teacher.locator(".finding", has_text="移到").first.locator("button[value=accept]").click()
    press(teacher, "生成新版本")
    press(teacher, "提交审阅")

    researcher.goto(plan)
    press(researcher, "通过")
    expect(researcher.get_by_role("main")).to_contain_text("已通过")
    looked_at(researcher, "approved")
    teacher.goto(f"{live_server.url}/language/en?next={plan.removeprefix(live_server.url)}")
    expect(main).to_contain_text("approved")
    looked_at(teacher, "approved-en")
