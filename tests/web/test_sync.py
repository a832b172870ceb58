"""The page of the exchange with LMSs: how it stands, "run now", what is in the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from lms_bridge.core import jobs
from lms_bridge.core.database import db, transaction
from lms_bridge.sync import accounts
from lms_bridge.sync.models import LmsAccount, SyncRun
from tests.builders import SchoolSystem, small_system
from tests.contracts.moodle_server import TOKEN, Fault, Moodle, member, moodle_server
from tests.web.test_plans import signed_in


@dataclass
class World:
    """The bureau's administrator looks at the account of a Moodle with one course."""

    system: SchoolSystem
    moodle: Moodle
    account: LmsAccount
    client: FlaskClient

    def page(self) -> str:
        """The account's page."""
        return self.client.get(f"/system/lms/{self.account.uid}").get_data(as_text=True)

    def press(self, **form: str) -> None:
        """Start a run, and let the worker do it."""
        answer = self.client.post(f"/system/lms/{self.account.uid}/runs", data=form)
        assert answer.status_code == 302
        jobs.run_due()


@pytest.fixture
def world(app: Flask) -> Iterator[World]:
    """Nobody is matched yet."""
    app.config["WTF_CSRF_ENABLED"] = False
    with moodle_server() as moodle:
        system = small_system()
        moodle.courses = [{"id": 2, "shortname": "5-1", "fullname": "Class 5-1", "idnumber": "campus-a/5-1"}]
        moodle.members = {2: [member(31), member(32, lastname="欧阳")]}
        with transaction():
            system.bureau_administrator.language = "en"
            system.a.students[0].number = "S31"
            settings = {"url": moodle.url, "token": TOKEN}
            account = accounts.connect(system.bureau, "moodle", name="Our Moodle", settings=settings, actor_uid=None)
        yield World(system, moodle, account, signed_in(app, system.bureau_administrator))


def test_a_run_shows_what_it_did_and_who_was_not_recognised(world: World) -> None:
    assert "Nothing was run yet" in world.page()
    world.press(kind="roster")
    page = world.page()
    assert "people recognised: 1" in page
    assert "people not recognised: 1" in page
    assert "欧阳小32" in page
    assert "nobody here has this number" in page
    assert TOKEN not in page


def test_a_dry_run_stores_nothing(world: World) -> None:
    world.press(kind="roster", dry_run="1")
    assert "dry run" in world.page()
    assert "people recognised: 1" in world.page()
    assert "欧阳" not in world.page()


def test_a_moodle_that_does_not_answer_is_shown_with_its_reason(world: World) -> None:
    world.moodle.faults["core_course_get_courses"] = [Fault("<html>busy</html>", 503)]
    world.press(kind="roster")
    assert "Moodle answered with HTTP status 503." in world.page()
    assert "does not answer" in world.client.get("/system/lms/").get_data(as_text=True)


def test_only_who_administers_the_organisation_sees_the_account(app: Flask, world: World) -> None:
    campus = signed_in(app, world.system.a.administrator)
    assert campus.get(f"/system/lms/{world.account.uid}").status_code == 404
    assert campus.post(f"/system/lms/{world.account.uid}/runs", data={"kind": "roster"}).status_code == 404
    assert "Our Moodle" not in campus.get("/system/lms/").get_data(as_text=True)
    assert db.session.scalar(sa.select(sa.func.count(SyncRun.id))) == 0


def test_refused_events_are_sent_again_by_a_button_and_nonsense_is_not_found(world: World) -> None:
    assert world.client.post(f"/system/lms/{world.account.uid}/retry").status_code == 302
    assert world.client.post(f"/system/lms/{world.account.uid}/runs", data={"kind": "x"}).status_code == 404


def test_an_administrator_chooses_what_else_is_exchanged(app: Flask, world: World) -> None:
    address = f"/system/lms/{world.account.uid}/parts"
    assert "Attendance is written into its register" in world.page()
    assert world.client.post(address, data={"writes_marks": "1", "sends_messages": "1"}).status_code == 302
    account = db.session.get_one(LmsAccount, world.account.id, populate_existing=True)
    assert (account.writes_marks, account.reads_homework, account.sends_messages) == (True, False, True)
    world.client.post(address, data={"reads_homework": "1"})
    account = db.session.get_one(LmsAccount, world.account.id, populate_existing=True)
    assert (account.writes_marks, account.reads_homework, account.sends_messages) == (False, True, False)
    assert signed_in(app, world.system.a.administrator).post(address).status_code == 404
