"""A person signs in with a link in a real browser, changes the language, and signs in by an identity provider."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lms_bridge.core.database import transaction
from lms_bridge.core.settings import IdentityProvider, Settings
from tests.builders import small_system
from tests.contracts.oidc_server import CLIENT, SECRET, Provider, oidc_server
from tests.journeys.conftest import (
    LiveServer,
    OpenContext,
    assert_accessible,
    assert_no_sideways_scroll,
    sign_in,
)

pytestmark = pytest.mark.one_database


@pytest.fixture
def provider() -> Iterator[Provider]:
    """An identity provider on another site."""
    with oidc_server("localhost") as found:
        yield found


@pytest.fixture
def settings(settings: Settings, provider: Provider) -> Settings:
    """Settings with the provider."""
    said = IdentityProvider(
        name="Keycloak", issuer=provider.url, client_id=CLIENT, client_secret=SECRET, number_claim="number"
    )
    return settings.model_copy(update={"identity_providers": {"keycloak": said}})


@pytest.mark.parametrize("phone", [True, False], ids=["phone", "desktop"])
def test_a_student_signs_in_by_link_and_out_again(
    live_server: LiveServer, browser_of: OpenContext, provider: Provider, phone: bool
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
    with transaction():
        student.number = "S1"
    provider.user["number"] = "S1"
    page.goto(f"{live_server.url}/sign-in?next=/inbox")
    page.get_by_role("link", name="Keycloak").click()
    page.wait_for_url(f"{live_server.url}/inbox")
    assert "localhost" not in page.content()
