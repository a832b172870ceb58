"""The week in a real browser: a lesson is dragged by mouse, moved by keyboard and moved on a phone; people who cannot
see it hear the same."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from lms_bridge.calendar.days import iso_week
from lms_bridge.calendar.models import CalendarDay, DayKind
from lms_bridge.core.clock import local, now
from lms_bridge.core.database import db, transaction
from lms_bridge.timetable.models import Lesson
from tests.builders import ZONE, added
from tests.journeys.conftest import LiveServer, OpenContext, assert_accessible, assert_no_sideways_scroll, sign_in
from tests.timetable.placed import Placed, placed_week

# The answer comes when the pointer already rests on the slot; the browser waits, so that the mouse does not.
SLOW_ANSWERS = """() => {
  const quick = window.fetch;
  window.fetch = (...asked) => new Promise((answered) => setTimeout(() => answered(quick(...asked)), 800));
}"""


def next_week() -> tuple[Placed, date]:
    """The lessons of :func:`placed_week`, in the week to come, in which school is held on every day."""
    today = local(now(), ZONE).date()
    monday = today + timedelta(days=7 - today.weekday())
    placed = placed_week(monday)
    with transaction():
        for n in range(5):
            day = monday + timedelta(days=n)
            added(CalendarDay(organisation_id=placed.school.a.campus.id, day=day, kind=DayKind.MAKE_UP, as_weekday=n))
    return placed, monday


def looked_at(page: Page) -> None:
    """What holds for every page that a person sees."""
    assert_accessible(page)
    assert_no_sideways_scroll(page)


def place(lesson: Lesson, monday: date) -> tuple[int, int | None]:
    """Day (0 is Monday) and period, as they are stored now."""
    db.session.rollback()
    db.session.refresh(lesson)
    return (local(lesson.starts_at, lesson.zone).date() - monday).days, lesson.period_number


def cell(page: Page, monday: date, day: int, period: int) -> Locator:
    """A cell of the week."""
    return page.locator(f'td[data-slot="{(monday + timedelta(days=day)).isoformat()}/{period}"]')


def drag(page: Page, what: Locator, to: Locator) -> None:
    """Press on the middle of one thing, go to another, and stay there."""
    for step, place_ in enumerate((what, to)):
        box = place_.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] / 3, box["y"] + box["height"] / 2, steps=8)
        if step == 0:
            page.mouse.down()


@pytest.mark.timeout(240)
def test_a_lesson_is_moved_by_mouse_by_keyboard_and_on_a_phone(
    live_server: LiveServer, browser_of: OpenContext
) -> None:
    placed, monday = next_week()
    a = placed.school.a
    path = f"{live_server.url}/timetable?class={a.classes[0].uid}&week={iso_week(monday)}"

    page = sign_in(browser_of(locale="en"), live_server, a.administrator)
    page.goto(f"{live_server.url}/language/en?next=/")
    page.goto(path)
    looked_at(page)
    by_mouse(page, placed, monday)
    by_keyboard(page, placed, monday)
    for further in (
        f"/timetable?campus={a.campus.code}&week={iso_week(monday)}&view=week",
        f"/timetable/term?campus={a.campus.code}",
        f"/timetable/lessons/{placed.math.uid}/place",
    ):
        page.goto(f"{live_server.url}{further}")
        looked_at(page)

    phone = sign_in(browser_of(phone=True), live_server, a.administrator)
    phone.goto(path)
    looked_at(phone)
    on_a_phone(phone, placed, monday)
    phone.goto(f"{live_server.url}/timetable?campus={a.campus.code}&week={iso_week(monday)}&view=week")
    looked_at(phone)
    phone.goto(f"{live_server.url}/timetable/term?campus={a.campus.code}")
    looked_at(phone)


def by_mouse(page: Page, placed: Placed, monday: date) -> None:
    """Over a slot where it does not fit it says why; over a free one it can be dropped; afterwards it is undone."""
    page.evaluate(SLOW_ANSWERS)
    drag(page, cell(page, monday, 0, 1).locator(".lesson"), cell(page, monday, 1, 1))
    status = page.get_by_role("status").filter(has_text="Does not fit")
    expect(status).to_contain_text("5-1 already has a lesson on")
    target = cell(page, monday, 3, 4)
    box = target.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 20, box["y"] + 20, steps=8)
    expect(target.locator(".slot-over")).to_contain_text("Fits")
    page.mouse.up()
    dialog = page.get_by_role("dialog", name="Move 5-1 Mathematics")
    expect(dialog).to_contain_text("period 4, 10:40")
    expect(dialog).to_contain_text("2 students · 2 guardians · 1 teacher")
    assert_accessible(page)
    assert place(placed.math, monday) == (0, 1)
    dialog.get_by_label("Reason").fill("Health check")
    dialog.get_by_role("button", name="Move and tell them").click()
    expect(cell(page, monday, 3, 4)).to_contain_text("moved from Mon period 1")
    assert place(placed.math, monday) == (3, 4)
    page.get_by_role("button", name="Undo").click()
    expect(cell(page, monday, 0, 1)).to_contain_text("Mathematics")
    assert place(placed.math, monday) == (0, 1)


def by_keyboard(page: Page, placed: Placed, monday: date) -> None:
    """Escape leaves everything as it is; arrow keys go to a lesson that it can change places with."""
    move = page.get_by_role("button", name="Move: 5-1 Chinese")
    move.focus()
    page.keyboard.press("Enter")
    status = page.locator(".move-status")
    expect(cell(page, monday, 0, 4).get_by_role("button")).to_be_focused()
    assert_accessible(page)
    page.keyboard.press("Escape")
    expect(status).to_have_text("Nothing was moved.")
    expect(move).to_be_focused()
    page.keyboard.press("Enter")
    expect(cell(page, monday, 0, 4).get_by_role("button")).to_be_focused()
    for key in ("ArrowRight", "ArrowUp", "ArrowLeft", "ArrowUp", "ArrowUp"):
        page.keyboard.press(key)
    expect(status).to_contain_text("period 1, 8:00: Change places with 5-1 Mathematics")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="5-1 Chinese and 5-1 Mathematics change places")
    expect(dialog.get_by_role("button", name="Change places and tell them")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_contain_text("Done. Everybody concerned is being told.")
    assert (place(placed.chinese, monday), place(placed.math, monday)) == ((0, 1), (0, 3))


def on_a_phone(phone: Page, placed: Placed, monday: date) -> None:
    """One day at a time: the days say how many slots they offer, a tap chooses one."""
    phone.locator(".day-picker label").nth(1).tap()
    phone.get_by_role("button", name="调课：5-1 数学").locator("visible=true").tap()
    friday = phone.locator(".day-picker label").nth(4)
    expect(friday).to_contain_text("6")
    friday.tap()
    looked_at(phone)
    cell(phone, monday, 4, 2).get_by_role("button").tap()
    dialog = phone.get_by_role("dialog")
    expect(dialog).to_contain_text("第2节 8:50")
    assert_accessible(phone)
    dialog.get_by_role("button", name="调动并通知他们").tap()
    expect(phone.get_by_role("main")).to_contain_text("正在通知")
    assert place(placed.math_again, monday) == (4, 2)
