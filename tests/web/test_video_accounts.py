"""Video systems on the administrator's pages: added, checked live, put in order, changed, switched on and off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from lms_bridge.core import clock
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.i18n import N_
from lms_bridge.core.models import AuditEntry
from lms_bridge.core.plugins import TemporaryFailure
from lms_bridge.lessons import breaker, meetings
from lms_bridge.lessons.models import ProviderAccount
from lms_bridge.roster.models import Person
from tests import builders
from tests.builders import SchoolSystem, small_system
from tests.contracts.bigbluebutton_server import SECRET, BigBlueButton
from tests.contracts.json_api import running
from tests.web.test_plans import signed_in


@dataclass
class World:
    """The bureau's administrator, and a BigBlueButton."""

    app: Flask
    system: SchoolSystem
    server: BigBlueButton
    client: FlaskClient

    @property
    def address(self) -> str:
        """Of the BigBlueButton."""
        return f"{self.server.url}/bigbluebutton/"

    def form(self, **more: str) -> dict[str, str]:
        """What is typed for the BigBlueButton."""
        return {
            "plugin": "bigbluebutton", "organisation": self.system.a.campus.uid, "name": "Our rooms", "rooms": "12",
            "setting_url": self.address, "setting_secret": SECRET, "setting_algorithm": "sha256",
        } | more  # fmt: skip

    def add(self, **more: str) -> str:
        """Add an account; the page that follows, what it allows."""
        answer = self.client.post("/system/video/new", data=self.form(**more), follow_redirects=True)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return answer.get_data(as_text=True)

    def account(self, name: str = "Our rooms") -> ProviderAccount:
        """It, as stored."""
        db.session.expire_all()
        return db.session.scalars(sa.select(ProviderAccount).filter_by(name=name)).one()

    def page(self, what: str = "", person: Person | None = None) -> str:
        """A page below the list, as the administrator (or another person) sees it, in plain words."""
        client = self.client if person is None else signed_in(self.app, person)
        return client.get(f"/system/video/{what}").get_data(as_text=True)

    def order(self, campus: str) -> str:
        """What serves a campus, in its order, as the list says it."""
        table = self.page().split("What serves each campus")[-1]
        found = re.search(rf"{campus}</span></th>\s*<td[^>]*><div><div>([^<]*)</div>", table)
        assert found is not None, table
        return found[1].strip()


@pytest.fixture
def world(app: Flask) -> Iterator[World]:
    """Nothing is set up yet."""
    app.config["WTF_CSRF_ENABLED"] = False
    with running(BigBlueButton()) as server:
        system = small_system()
        with transaction():
            for person in (system.bureau_administrator, system.a.administrator, system.b.administrator):
                person.language = "en"
        yield World(app, system, server, signed_in(app, system.bureau_administrator))


def test_an_account_is_added_and_what_it_allows_is_said_without_its_secret(world: World) -> None:
    empty = world.page(person=world.system.a.administrator)
    assert "No video system of your own is set up" in empty
    assert "classroom" in empty, "what the bureau has serves the campus"
    page = world.add()
    account = world.account()
    assert "all right" in page
    assert account.hook_token in world.page(account.uid), "the address of its messages is there to be copied"
    pages = [page, world.page(), world.page(account.uid), world.page(f"{account.uid}/settings")]
    assert not any(SECRET in one for one in pages)
    assert (account.concurrent_rooms, account.organisation_id) == (12, world.system.a.campus.id)


def test_a_wrong_secret_is_said_in_words_and_mended(world: World) -> None:
    page = world.add(setting_secret="not the right one")
    assert "Something that is needed is not possible" in page
    assert "What to do:" in page
    campus = world.system.a.campus.label("en")
    assert world.order(campus) == "classroom", "what does not work is not taken before what does"
    uid = world.account().uid
    for shown in (page, world.page(uid)):
        assert "This account is switched off" in shown
        assert "Use it all the same" in shown
    assert "The check failed at" in world.page()
    answer = world.client.post(f"/system/video/{uid}/settings", data=world.form(), follow_redirects=True)
    assert "Something that is needed is not possible" not in answer.get_data(as_text=True)
    assert world.order(campus) == "Our rooms → classroom"
    assert "The check failed at" not in world.page()
    world.client.post(f"/system/video/{uid}/off")
    world.page(f"{uid}/check")
    assert world.order(campus) == "classroom", "what a person switched off is not switched on by looking"


def test_what_failed_its_check_can_be_used_all_the_same(world: World) -> None:
    world.add(setting_secret="not the right one")
    world.client.post(f"/system/video/{world.account().uid}/on")
    assert world.order(world.system.a.campus.label("en")) == "Our rooms → classroom"
    assert "The check failed at" in world.page()


def test_what_was_added_by_mistake_is_removed_and_what_was_used_is_not(world: World) -> None:
    world.add()
    uid = world.account().uid
    assert f"{uid}/remove" in world.page(uid)
    world.client.post(f"/system/video/{uid}/remove")
    assert "Our rooms" not in world.page().split("is removed")[-1]
    assert world.client.get(f"/system/video/{uid}").status_code == 404
    world.add()
    uid = world.account().uid
    with transaction():
        meetings.wish(world.system.a.lesson)
    assert f"{uid}/remove" not in world.page(uid)
    answer = world.client.post(f"/system/video/{uid}/remove", follow_redirects=True)
    assert "Switch it off instead" in answer.get_data(as_text=True)
    assert world.account().uid == uid


def test_an_address_with_a_password_in_it_is_refused(world: World) -> None:
    for address in ("https://me:hunter2@meet.test/bigbluebutton", "HTTPS://me@meet.test"):
        for field in ("setting_url", "setting_more_urls"):
            answer = world.client.post("/system/video/new", data=world.form() | {field: address})
            assert answer.status_code == 422, (field, address)
            assert "without a name or password" in answer.get_data(as_text=True)


def test_mistakes_stand_beside_their_fields_and_nothing_is_stored(world: World) -> None:
    wrong = world.form(name="", rooms="many", setting_url="rooms", setting_secret="")
    answer = world.client.post("/system/video/new", data=wrong)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    for field in ("name", "rooms", "setting_url", "setting_secret"):
        assert f'id="field-{field}-error"' in page, field
    assert 'value="many"' in page
    assert db.session.scalar(sa.select(sa.func.count(ProviderAccount.id)).filter_by(plugin="bigbluebutton")) == 0
    world.add()
    taken = world.client.post("/system/video/new", data=world.form())
    assert taken.status_code == 409
    assert "named “Our rooms” already" in taken.get_data(as_text=True)


def test_settings_that_do_not_fit_together_are_said_and_stored_nowhere(world: World) -> None:
    jitsi = {
        "plugin": "jitsi", "organisation": world.system.a.campus.uid, "name": "Meet", "setting_url": "https://meet.test",
        "setting_app_id": "bridge", "setting_secret": "no key at all", "setting_algorithm": "RS256",
        "setting_audience": "jitsi",
    }  # fmt: skip
    answer = world.client.post("/system/video/new", data=jitsi)
    assert answer.status_code == 422
    assert "RS256 needs the name of the key" in answer.get_data(as_text=True)


def test_a_secret_is_kept_unseen_until_an_address_changes(world: World) -> None:
    world.add()
    uid = world.account().uid
    kept = world.form(name="Renamed", setting_secret="")
    assert world.client.post(f"/system/video/{uid}/settings", data=kept).status_code == 302
    assert world.account("Renamed").settings["secret"] == SECRET
    for change in ({"setting_url": "https://else.test/bigbluebutton"}, {"setting_more_urls": "https://else.test"}):
        answer = world.client.post(f"/system/video/{uid}/settings", data=kept | change)
        assert answer.status_code == 422, change
        assert "Enter it again" in answer.get_data(as_text=True)
    assert world.account("Renamed").settings["url"] == world.address


def test_the_order_is_changed_by_buttons_and_says_what_serves_each_campus(world: World) -> None:
    bureau = {"organisation": world.system.bureau.uid}
    for name, more in (("East", {}), ("West", {}), ("Bureau's", bureau)):
        world.add(name=name, **more)
    campus = world.system.a.campus.label("en")
    assert world.order(campus) == "East → West → classroom → Bureau&#39;s"
    world.client.post(f"/system/video/{world.account('West').uid}/up")
    assert world.order(campus) == "West → East → classroom → Bureau&#39;s"
    world.client.post(f"/system/video/{world.account('West').uid}/up")  # pressed in a page that is out of date
    world.client.post(f"/system/video/{world.account('East').uid}/off")
    assert world.order(campus) == "West → classroom → Bureau&#39;s"
    assert "switched off" in world.page()
    assert world.order(world.system.b.campus.label("en")) == "classroom → Bureau&#39;s"
    world.client.post(f"/system/video/{world.account('East').uid}/on")
    assert world.order(campus) == "West → East → classroom → Bureau&#39;s"
    actions = db.session.scalars(
        sa.select(AuditEntry.action).where(AuditEntry.actor_uid == world.system.bureau_administrator.uid)
    ).all()
    assert [actions.count(f"provider.{what}") for what in ("added", "ordered", "off", "on")] == [3, 1, 1, 4]


def test_how_an_account_stands_is_said_in_words(world: World) -> None:
    with transaction():
        account = builders.provider_account(world.system.a.campus, "bigbluebutton", name="Our rooms")
    assert "not used yet" in world.page()
    changes: list[tuple[dict[str, object], str]] = [
        ({"state_at": now()}, "answers"),
        ({"hook_refused_at": now()}, "Its messages to us are refused"),
        ({"failures": 2}, "2 calls in a row failed"),
        ({"healthy": False, "retry_at": now() + timedelta(minutes=1)}, "It is asked again at"),
        ({"enabled": False}, "switched off"),
    ]
    for change, words in changes:
        with transaction():
            for name, value in change.items():
                setattr(account, name, value)
        assert words in world.page(), words
        assert words in world.page(account.uid), words


def test_why_it_failed_is_said_in_the_language_of_whoever_reads(world: World) -> None:
    world.add()
    account = world.account()
    for number in range(breaker.FAILURES_UNTIL_OPEN):
        with clock.at(clock.now() + number * breaker.HICCUP), transaction():
            breaker.failed(
                account.id,
                TemporaryFailure(
                    N_("%(system)s did not answer within %(seconds)g seconds."), system="Rooms", seconds=5
                ),
            )
    assert "Rooms did not answer within 5 seconds." in world.page(account.uid)
    with transaction() as session:
        session.merge(world.system.a.administrator).language = "zh-CN"
    page = world.page(account.uid, world.system.a.administrator)
    assert "Rooms 在 5 秒内没有回应。" in page
    assert "did not answer" not in page


def test_administrators_of_a_campus_see_and_change_their_own_only(world: World) -> None:
    world.add()
    uid = world.account().uid
    assert "Our rooms" in world.page(person=world.system.a.administrator)
    other = signed_in(world.app, world.system.b.administrator)
    assert "Our rooms" not in other.get("/system/video/").get_data(as_text=True)
    assert other.post(f"/system/video/{uid}/off").status_code == 404
    assert other.post("/system/video/new", data=world.form(name="Mine")).status_code == 404
    assert signed_in(world.app, world.system.a.teacher).get("/system/video/").status_code == 404
