"""A teacher reports an absence on a phone; the administrator looks at ranked proposals and puts one in force."""

from __future__ import annotations

import os
import time
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from lms_bridge.calendar.models import CalendarDay, DayKind
from lms_bridge.core.access import Role
from lms_bridge.core.clock import local, now
from lms_bridge.core.database import db, transaction
from lms_bridge.timetable.models import Lesson
from tests.builders import added, enrol, guardianship, person_as
from tests.journeys.conftest import (
    DESKTOP,
    PHONE,
    LiveServer,
    OpenContext,
    assert_accessible,
    assert_no_sideways_scroll,
    sign_in,
)
from tests.journeys.test_main_job import mails_to, main_button
from tests.timetable.upset import Upset, timetabled

UNTOUCHED = "guardian-untouched@example.org"


def school_for_a_journey() -> Upset:
    """Two weeks of lessons from next Monday on, all of them school days, and a family that no lesson concerns."""
    today = local(now(), "Asia/Shanghai").date()
    monday = today + timedelta(days=7 - today.weekday())
    upset = timetabled(monday)
    world = upset.school.a
    with transaction():
        for n in range(12):
            day = monday + timedelta(days=n)
            if day.weekday() < 5:
                added(
                    CalendarDay(
                        organisation_id=world.campus.id, day=day, kind=DayKind.MAKE_UP, as_weekday=day.weekday()
                    )
                )
        pupil = person_as(Role.STUDENT, world.campus, family_name="吕")
        enrol(pupil, upset.third)
        guardian = person_as(Role.GUARDIAN, world.campus, family_name="吕", email=UNTOUCHED)
        guardianship(guardian, pupil)
    return upset


def looked_at(page: Page, name: str) -> None:
    """What holds for every page that a person sees, in both sizes; with SCREENS set, pictures are left there."""
    was = page.viewport_size
    for form, size in (("phone", PHONE), ("desktop", DESKTOP)):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        assert_no_sideways_scroll(page)
        if folder := os.environ.get("SCREENS"):
            page.screenshot(path=Path(folder) / f"change-{name}-{form}.png", full_page=True)
    assert was is not None
    page.set_viewport_size(was)
    assert_accessible(page)


def in_force(upset: Upset) -> dict[str, tuple[str, object, tuple[int, ...]]]:
    """Each lesson that takes place by its link: class, time and teachers."""
    db.session.rollback()
    return {
        row.uid: (row.audience[0].class_group.title, row.starts_at, tuple(t.person_id for t in row.teachers))
        for row in upset.lessons()
    }


def report_on_the_phone(teacher: Page, server: LiveServer, first: date, last: date) -> None:
    """From the home page to the reported absence."""
    teacher.goto(server.url)
    teacher.get_by_role("link", name="我不能上课").click()
    expect(teacher.get_by_label("开始日期")).to_be_visible()
    looked_at(teacher, "absence")
    teacher.get_by_label("开始日期").fill(first.isoformat())
    teacher.get_by_label("结束日期").fill(last.isoformat())
    teacher.get_by_label("原因").fill("发烧")
    main_button(teacher, "看看影响哪些课")
    expect(teacher.get_by_role("main").locator("li")).to_have_count(4)
    looked_at(teacher, "absence-sure")
    main_button(teacher, "上报缺勤")
    expect(teacher.get_by_role("main")).to_contain_text("4 节课等待学校决定")
    looked_at(teacher, "absence-reported")


@pytest.mark.timeout(300)
def test_from_an_absence_to_one_message_for_each_family(live_server: LiveServer, browser_of: OpenContext) -> None:
    upset = school_for_a_journey()
    world = upset.school.a
    before = in_force(upset)
    monday = min(local(row.starts_at, row.zone).date() for row in upset.lessons())

    teacher = sign_in(browser_of(phone=True), live_server, upset.wang)
    report_on_the_phone(teacher, live_server, monday, monday + timedelta(days=1))

    administrator = sign_in(browser_of(locale="en"), live_server, world.administrator)
    administrator.goto(f"{live_server.url}/language/en?next=/")
    looked_at(administrator, "home")
    administrator.get_by_role("link", name=f"{upset.wang.display_name} is absent").click()
    cards = administrator.get_by_role("main").locator("section[id^=proposal-]")
    expect(cards.nth(2)).to_be_visible(timeout=90_000)
    expect(administrator.locator("#case")).not_to_have_attribute("data-refresh", "2")
    assert "发烧" not in administrator.content()
    looked_at(administrator, "case")
    people = [int(text.split()[0]) for text in cards.locator("strong").all_inner_texts()]
    assert people[:3] == sorted(people[:3])
    cards.first.get_by_role("link", name="See the difference").click()
    expect(administrator.get_by_role("main")).to_contain_text("Class 5-1")
    expect(administrator.get_by_role("main")).to_contain_text("Class 5-2")
    expect(administrator.get_by_role("main")).to_contain_text("Who will be told")
    looked_at(administrator, "case-preview")
    main_button(administrator, "Put in force")
    administrator.get_by_role("dialog").get_by_role("button").last.click()
    expect(administrator.get_by_role("main")).to_contain_text("In force")
    looked_at(administrator, "case-decided")

    after = in_force(upset)
    assert after.keys() == before.keys()
    changed = {after[uid][0] for uid in after if after[uid] != before[uid]}
    assert changed == {"5-1", "5-2"}

    mailbox = live_server.settings.data_dir / "plugins" / "mailbox"
    addresses = [f"guardian-a{n}@example.org" for n in range(3)]
    for _ in range(300):
        if all(mails_to(address, mailbox) for address in addresses):
            break
        time.sleep(0.2)
    touched = Counter({address: len(mails_to(address, mailbox)) for address in addresses})
    assert touched == dict.fromkeys(addresses, 1)
    assert mails_to(UNTOUCHED, mailbox) == []
    assert mails_to("guardian-b0@example.org", mailbox) == []

    moved = next(uid for uid in after if after[uid] != before[uid] and after[uid][0] == "5-1")
    student = sign_in(browser_of(phone=True), live_server, world.students[0])
    answer = student.goto(f"{live_server.url}/l/{moved}")
    assert answer is not None
    assert answer.status == 200
    start = db.session.query(Lesson).filter_by(uid=moved).one().starts_at
    there = local(start, world.campus.zone)
    expect(student.get_by_role("main")).to_contain_text(f"{there.month}月{there.day}日")

    teacher.reload()
    expect(teacher.get_by_role("main")).to_contain_text("学校已作决定")
    administrator.goto(f"{live_server.url}/timetable/board?day={monday.isoformat()}")
    expect(administrator.get_by_role("main")).to_contain_text("Every lesson has a teacher")
    looked_at(administrator, "board")
