"""The main job in a real browser: a plan becomes a lesson, a student joins it, the teacher and the family see it."""

from __future__ import annotations

import email
import email.policy
import time
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import icalendar
import pytest
import requests
from playwright.sync_api import Page, expect

from lms_bridge.calendar.models import CalendarDay, DayKind
from lms_bridge.core.clock import local, now
from lms_bridge.core.database import db, transaction
from lms_bridge.roster.models import EnrolmentRole
from lms_bridge.timetable.models import Lesson, LessonStatus
from tests.builders import SchoolSystem, added, enrol, online, small_system, subject
from tests.journeys.conftest import LiveServer, OpenContext, assert_accessible, assert_no_sideways_scroll, sign_in
from tests.plans.documents import plan_docx

UNITS = [(f"{title}（{part}）", 3) for title in ("机械运动", "声现象", "物态变化", "光现象") for part in range(1, 14)]
"""One unit a week, for every week of the year."""


def school_for_a_journey() -> SchoolSystem:
    """Campus A's teacher teaches physics, for which there is no plan yet; every day of these two weeks is online."""
    school = small_system()
    with transaction():
        school.subject = subject("physics", "物理", "Physics")
        enrol(school.a.teacher, school.a.classes[0], EnrolmentRole.TEACHER, teaches=school.subject)
        db.session.delete(school.a.lesson)
        today = local(now(), school.a.campus.zone).date()
        online(school.a.campus, today, today + timedelta(days=14))
        for day in (today, today + timedelta(days=1)):
            added(
                CalendarDay(
                    organisation_id=school.a.campus.id, day=day, kind=DayKind.MAKE_UP, as_weekday=min(day.weekday(), 4)
                )
            )
    return school


def looked_at(page: Page) -> None:
    """What holds for every page that a person sees."""
    assert_accessible(page)
    assert_no_sideways_scroll(page)


def main_button(page: Page, name: str) -> None:
    """Press a button of the page's main part; a question that it asks is answered with yes."""
    page.get_by_role("main").get_by_role("button", name=name, exact=True).first.click()


def mails_to(address: str, folder: Path) -> list[EmailMessage]:
    """The mails in the mailbox folder for ``address``."""
    found = []
    for path in sorted(folder.rglob("*.eml")):
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        if address in str(message["To"]):
            found.append(message)
    return found  # type: ignore[return-value]


@pytest.mark.timeout(420)
@pytest.mark.fresh
def test_from_a_word_plan_to_a_student_who_is_present(
    live_server: LiveServer, browser_of: OpenContext, tmp_path: Path
) -> None:
    school = school_for_a_journey()
    world, zone = school.a, school.a.campus.zone

    teacher = sign_in(browser_of(), live_server, world.teacher)
    teacher.goto(f"{live_server.url}/plans/upload")
    looked_at(teacher)
    teacher.get_by_role("checkbox").first.check()
    teacher.set_input_files("input[type=file]", plan_docx(tmp_path / "物理教学计划.docx", UNITS))
    main_button(teacher, "读取计划")
    expect(teacher.get_by_role("main")).to_contain_text("声现象")
    plan_url = teacher.url
    main_button(teacher, "提交审阅")
    expect(teacher.get_by_role("main")).not_to_contain_text("提交审阅")
    looked_at(teacher)

    researcher = sign_in(browser_of(), live_server, school.researcher)
    researcher.goto(plan_url)
    looked_at(researcher)
    main_button(researcher, "通过")
    expect(researcher.get_by_role("button", name="通过", exact=True)).to_have_count(0)

    administrator = sign_in(browser_of(locale="en"), live_server, world.administrator)
    administrator.goto(f"{live_server.url}/language/en?next=/timetable/solve")
    looked_at(administrator)
    main_button(administrator, "Solve")
    proposal = administrator.get_by_role("link", name="Look at the lessons and publish")
    expect(proposal).to_be_visible(timeout=90_000)
    proposal.click()
    looked_at(administrator)
    main_button(administrator, "Publish")
    administrator.get_by_role("dialog").get_by_role("button").last.click()
    expect(administrator.get_by_role("main")).to_contain_text("In force")
    db.session.rollback()
    lessons = db.session.query(Lesson).filter_by(subject_id=school.subject.id, status=LessonStatus.SCHEDULED).all()
    assert lessons
    lesson = min(lessons, key=lambda row: row.starts_at)

    start = local(now() + timedelta(seconds=75), zone)
    administrator.goto(f"{live_server.url}/timetable/lessons/{lesson.uid}")
    looked_at(administrator)
    move = administrator.locator("#move")
    move.get_by_label("Day", exact=True).fill(start.date().isoformat())
    move.get_by_label("Period").select_option("")
    move.get_by_label("Or begin at").fill(start.strftime("%H:%M"))
    move.get_by_role("button").click()
    administrator.get_by_role("dialog").get_by_role("button").last.click()
    expect(administrator.get_by_role("main")).to_contain_text("Moved")

    mailbox = live_server.settings.data_dir / "plugins" / "mailbox"
    address = "guardian-a0@example.org"
    for _ in range(300):
        if mails := mails_to(address, mailbox):
            break
        time.sleep(0.2)
    text = mails[-1].get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "物理" in text
    assert any(part.get_content_type() == "text/calendar" for part in mails[-1].walk())
    opened = browser_of(phone=True).new_page()
    opened.set_content(mails[-1].get_body(("html",)).get_content())  # type: ignore[union-attr]
    expect(opened.locator("body")).to_contain_text("物理")

    student = sign_in(browser_of(phone=True), live_server, world.students[0])
    student.goto(f"{live_server.url}/l/{lesson.uid}")
    looked_at(student)
    student.get_by_role("main").get_by_role("button").first.click()
    student.wait_for_url(f"**/room/{lesson.uid}")
    looked_at(student)

    teacher.goto(f"{live_server.url}/lessons/{lesson.uid}/attendance")
    name = world.students[0].display_name
    row = teacher.locator("li.one").filter(has_text=name).first
    expect(row).to_contain_text("到课", timeout=150_000)
    looked_at(teacher)

    guardian = sign_in(browser_of(phone=True), live_server, world.guardians[0])
    looked_at(guardian)
    guardian.goto(f"{live_server.url}/inbox")
    looked_at(guardian)
    expect(guardian.get_by_role("main")).to_contain_text("物理")
    main_button(guardian, "显示我的日历地址")
    answer = requests.get(guardian.locator("code.address").inner_text(), timeout=20)
    events = icalendar.Calendar.from_ical(answer.content).walk("VEVENT")
    assert lesson.uid in {str(event["UID"]).split("@")[0] for event in events}
