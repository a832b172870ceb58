"""A person signs in with a link in a real browser, changes the language, and signs out."""

from __future__ import annotations

import pytest

from tests.builders import small_system
from tests.journeys.conftest import (
    LiveServer,
    OpenContext,
    assert_accessible,
    assert_no_sideways_scroll,
    sign_in,
)


@pytest.mark.parametrize("phone", [True, False], ids=["phone", "desktop"])
def test_a_student_signs_in_by_link_and_out_again(
    live_server: LiveServer, browser_of: OpenContext, phone: bool
) -> None:
    student = small_system().a.students[0]
    context = browser_of(phone=phone)
    page = sign_in(context, live_server, student)
    assert page.locator("html").get_attribute("lang") == "zh-CN"
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    page.goto(f"{live_server.url}/language/en?next=/")
    assert page.locator("html").get_attribute("lang") == "en"
    assert_accessible(page)
    used = live_server.sign_in_url(student)
    page.context.clear_cookies()
    page.goto(f"{live_server.url}/")
    assert "/sign-in" in page.url
    assert_accessible(page)
    page.goto(used)
    assert_accessible(page)
