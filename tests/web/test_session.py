"""Being signed in, and the language: two answers that overlap must not undo each other."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lms_bridge.core.clock import at, now
from lms_bridge.core.database import transaction
from lms_bridge.roster.accounts import sign_in_token
from lms_bridge.roster.models import Person
from tests.builders import small_system
from tests.lessons.support import press


@pytest.fixture
def teacher(app: Flask) -> Person:
    """Somebody whose language is Chinese."""
    return small_system().a.teacher


def signed_in_by_link(app: Flask, person: Person) -> FlaskClient:
    """A browser that has just used a sign-in link, and has seen the home page."""
    client = app.test_client()
    with transaction():
        token = sign_in_token(person)
    press(client, f"/sign-in/link/{token}", f"/sign-in/link/{token}")
    client.get("/")
    return client


def test_an_ordinary_page_leaves_the_cookies_alone(app: Flask, teacher: Person) -> None:
    """Else a slow answer would bring back what was before a sign-out or a switch of language."""
    answer = signed_in_by_link(app, teacher).get("/")
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers


def test_a_language_stays_chosen_when_an_older_session_comes_back(app: Flask, teacher: Person) -> None:
    client = signed_in_by_link(app, teacher)
    before = client.get_cookie("lms_bridge")
    assert before is not None
    assert 'lang="zh-CN"' in client.get("/").get_data(as_text=True)
    client.get("/language/en")
    client.set_cookie("lms_bridge", before.value)
    assert 'lang="en"' in client.get("/").get_data(as_text=True)


def test_after_signing_in_pages_speak_the_persons_language_again(app: Flask, teacher: Person) -> None:
    client = app.test_client()
    client.get("/language/en")
    assert 'lang="en"' in client.get("/sign-in").get_data(as_text=True)
    with transaction():
        token = sign_in_token(teacher)
    press(client, f"/sign-in/link/{token}", f"/sign-in/link/{token}")
    assert 'lang="zh-CN"' in client.get("/").get_data(as_text=True)


def test_a_session_that_is_used_lives_on(app: Flask, teacher: Person) -> None:
    client = signed_in_by_link(app, teacher)
    with at(now() + timedelta(hours=6)):
        assert "lms_bridge=" in client.get("/").headers["Set-Cookie"]
        assert "Set-Cookie" not in client.get("/").headers
