"""The pages of the exchange with LMSs: connecting one, how it stands, "run now", what is in the way, who is whom."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from lms_bridge_moodle.probe import NEEDS

from lms_bridge.core import jobs
from lms_bridge.core.database import db, transaction
from lms_bridge.core.models import AuditEntry, ExternalId
from lms_bridge.roster.course_classes import classes_of
from lms_bridge.roster.models import Enrolment
from lms_bridge.sync import accounts
from lms_bridge.sync.courses import classes_by_key
from lms_bridge.sync.models import LmsAccount, MappedKind, MappingState, SyncMapping, SyncRun
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
    assert "1 person is not recognised" in page
    listed = world.client.get("/lms/people").get_data(as_text=True)
    assert "欧阳小32" in listed
    assert "nobody here has this number" in listed
    assert TOKEN not in page + listed


def unmatched_person(world: World) -> str:
    """The address of the page of the person whom nobody recognises."""
    listed = world.client.get("/lms/people").get_data(as_text=True)
    return re.findall(r'href="(/lms/people/sync/\d+)"', listed)[0]


def test_who_is_not_recognised_is_bound_once_and_the_next_run_enrols_them(world: World) -> None:
    world.press(kind="roster")
    here, child = unmatched_person(world), world.system.a.students[1]
    assert child.uid in world.client.get(here, query_string={"q": child.display_name}).get_data(as_text=True)
    assert child.uid not in world.client.get(here, query_string={"q": "Nobody"}).get_data(as_text=True)
    taken = world.client.post(here, data={"person": world.system.a.students[0].uid})
    assert taken.status_code == 409
    assert "somebody else in this LMS" in taken.get_data(as_text=True)
    assert world.client.post(here, data={"person": child.uid}).status_code == 302
    assert world.client.post(here, data={"person": child.uid}).status_code == 404, "bound once"
    assert "Nobody waits" in world.client.get("/lms/people").get_data(as_text=True)
    world.press(kind="roster")
    row = db.session.scalars(sa.select(SyncMapping).filter_by(kind=MappedKind.PERSON, remote_id="32")).one()
    assert (row.entity_id, row.state) == (child.id, MappingState.DONE)
    done = db.session.scalars(sa.select(SyncRun).order_by(SyncRun.id.desc())).first()
    assert done is not None
    assert done.result["people_unmatched"] == 0
    assert db.session.scalar(sa.select(sa.func.count()).where(AuditEntry.action == "lms_user.bound")) == 1


def test_who_is_nobody_of_ours_is_passed_over_until_put_back(world: World) -> None:
    world.press(kind="roster")
    here = unmatched_person(world)
    world.client.post(f"{here}/aside")
    world.press(kind="roster")
    assert "Nobody waits" in world.client.get("/lms/people").get_data(as_text=True)
    assert "欧阳小32" in world.client.get("/lms/people?aside=1").get_data(as_text=True)
    world.client.post(f"{here}/back")
    world.press(kind="roster")
    assert "people not recognised: 1" in world.page()


def test_a_dry_run_says_whom_it_would_take_in_and_stores_nothing(world: World) -> None:
    enrolled = sa.select(sa.func.count()).select_from(Enrolment)
    with transaction():
        world.system.a.students[0].given_name = "新新"
        db.session.execute(sa.delete(Enrolment).filter_by(person_id=world.system.a.students[0].id))
    before = db.session.scalar(enrolled)
    world.press(kind="roster", dry_run="1")
    page = world.page()
    assert "dry run" in page
    assert "people recognised: 1" in page
    assert re.search(r"enrolments begun</h3>\s*<ul[^>]*><li>\w*新新 · ", page)
    assert re.search(r"people not recognised</h3>\s*<ul[^>]*><li>欧阳小32</li></ul>", page)
    assert "欧阳" not in world.client.get("/lms/people").get_data(as_text=True)
    assert db.session.scalar(enrolled) == before


def test_names_are_bounded_and_gone_with_the_next_run(world: World) -> None:
    world.moodle.members[2] = [member(number) for number in range(100, 160)]
    world.press(kind="roster", dry_run="1")
    page = world.page()
    assert page.count("<li>") - page.count("<li><") == 50
    assert "and 10 more" in page
    world.moodle.members[2] = []
    world.press(kind="roster")
    assert "more" not in world.page().split('id="runs"')[1].split("</section>")[0]


def test_a_dry_run_of_the_calendars_names_the_lessons(world: World) -> None:
    world.press(kind="roster")
    with transaction():
        db.session.execute(sa.delete(SyncMapping).filter_by(kind=MappedKind.EVENT))
    world.press(kind="events", dry_run="1")
    title = world.system.a.lesson.subject.name_en
    assert re.search(rf"made</h3>\s*<ul[^>]*><li>{title} · \S+ · \w+", world.page())
    world.press(kind="events")
    with transaction():
        world.system.a.lesson.ends_at += timedelta(minutes=5)
    world.press(kind="events", dry_run="1")
    assert re.search(rf"changed</h3>\s*<ul[^>]*><li>{title} · ", world.page())


def test_a_moodle_that_does_not_answer_is_shown_with_its_reason(world: World) -> None:
    world.moodle.faults["core_course_get_courses"] = [Fault("<html>busy</html>", 503)]
    world.press(kind="roster")
    assert "Moodle answered with HTTP status 503." in world.page()
    assert "does not answer" in world.client.get("/system/lms/").get_data(as_text=True)
    with transaction() as session:
        session.merge(world.system.bureau_administrator).language = "zh-CN"
    page = world.page()
    assert page.count("Moodle 应答的 HTTP 状态是 503。") >= 2, (
        "the account's state and the run's problem, in the reader's language"
    )
    assert "Moodle answered" not in page


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


NO_COHORTS = {
    "sitename": "School", "release": "4.5.5+", "version": "2024100705.01",
    "functions": [{"name": name} for need in NEEDS for name in need.functions if "cohort" not in name],
}  # fmt: skip
FORM = {"plugin": "moodle", "name": "Second", "setting_token": TOKEN, "setting_timeout": "30"}


def test_an_account_is_connected_on_a_page_which_says_what_it_may_not_do(world: World) -> None:
    world.moodle.faults["core_webservice_get_site_info"] = [Fault.saying(NO_COHORTS)]
    # Another address of the same server: two accounts at one Moodle are refused.
    elsewhere = world.moodle.url.replace("127.0.0.1", "localhost")
    sent = FORM | {"organisation": world.system.bureau.uid, "setting_url": elsewhere}
    answer = world.client.post("/system/lms/new", data=sent, follow_redirects=True)
    page = answer.get_data(as_text=True)
    assert answer.request.path.endswith("/check")
    assert "the token may not call core_cohort_get_cohorts, core_cohort_get_cohort_members" in page
    assert "moodle/cohort:view" in page
    account = db.session.scalars(sa.select(LmsAccount).filter_by(name="Second")).one()
    assert (account.organisation_id, account.settings["timeout"]) == (world.system.bureau.id, 30.0)
    stored = db.session.connection().exec_driver_sql("select settings from lms_account").scalars().all()
    assert TOKEN not in "".join(map(str, stored))
    assert world.client.post("/system/lms/new", data=sent).status_code == 409


def test_what_is_wrong_in_the_form_stands_at_its_field_and_nothing_is_stored(world: World) -> None:
    wrong = {"organisation": world.system.bureau.uid, "setting_url": "moodle", "setting_timeout": "0", "name": " "}
    answer = world.client.post("/system/lms/new", data=FORM | wrong)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    for field, text in (("setting_url", "web address"), ("setting_timeout", "above 0"), ("name", "It is needed")):
        assert re.search(rf'id="field-{field}-error">.*{text}', page), field
    assert TOKEN not in page
    assert db.session.scalar(sa.select(sa.func.count(LmsAccount.id))) == 1


def test_a_secret_is_kept_unshown_until_the_address_changes(world: World) -> None:
    where = f"/system/lms/{world.account.uid}/settings"
    shown = world.client.get(where).get_data(as_text=True)
    assert world.moodle.url in shown
    assert TOKEN not in shown
    kept = {"name": "Renamed", "setting_url": world.moodle.url, "setting_cancelled_events": "hide"}
    assert world.client.post(where, data=kept).status_code == 302
    db.session.refresh(world.account)
    assert (world.account.name, world.account.settings["token"]) == ("Renamed", TOKEN)
    assert world.account.settings["cancelled_events"] == "hide"
    elsewhere = world.client.post(where, data=kept | {"setting_url": "https://elsewhere.test"})
    assert elsewhere.status_code == 422
    assert "Enter it again" in elsewhere.get_data(as_text=True)


def test_an_account_that_is_switched_off_exchanges_nothing(world: World) -> None:
    world.client.post(f"/system/lms/{world.account.uid}/runs", data={"kind": "roster"})
    world.client.post(f"/system/lms/{world.account.uid}/off")
    jobs.run_due()
    assert world.moodle.asked == []
    assert "switched off" in world.page()
    assert world.client.post(f"/system/lms/{world.account.uid}/runs", data={"kind": "roster"}).status_code == 409
    world.client.post(f"/system/lms/{world.account.uid}/on")
    world.press(kind="roster")
    assert "people recognised: 1" in world.page()


def test_only_who_administers_the_organisation_changes_an_account(app: Flask, world: World) -> None:
    campus, where = signed_in(app, world.system.a.administrator), f"/system/lms/{world.account.uid}"
    assert {campus.get(f"{where}/{page}").status_code for page in ("settings", "check")} == {404}
    assert {campus.post(f"{where}/{action}").status_code for action in ("settings", "off")} == {404}
    sent = FORM | {"organisation": world.system.bureau.uid, "setting_url": world.moodle.url}
    assert campus.post("/system/lms/new", data=sent).status_code == 404
    world.press(kind="roster")
    here = unmatched_person(world)
    assert {campus.get(here).status_code, campus.post(f"{here}/aside").status_code} == {404}
    assert "欧阳" not in campus.get("/lms/people").get_data(as_text=True)
    teacher = signed_in(app, world.system.a.teacher)
    assert {teacher.get(one).status_code for one in ("/system/lms/new", "/lms/people")} == {404}


def test_a_course_may_carry_the_code_the_identifier_of_the_roster_or_the_uid_of_its_class(world: World) -> None:
    group = world.system.a.classes[0]
    with transaction():
        db.session.add(ExternalId(entity="class_group", entity_id=group.id, system="oneroster:1", key="C-77"))
    for key in (f"campus-a/{group.code}", "C-77", group.uid):
        assert classes_by_key(world.account)[key] == group.id
        assert classes_of(key) == classes_of(f"{key}:math") == [group.id]


def test_a_token_that_is_too_short_is_told_its_length(world: World) -> None:
    short = {"organisation": world.system.bureau.uid, "setting_url": "https://moodle.test", "setting_token": "wrong"}
    page = world.client.post("/system/lms/new", data=FORM | short).get_data(as_text=True)
    assert re.search(r'id="field-setting_token-error">.*at least 8 characters', page)
    assert "32 letters and digits" in page
