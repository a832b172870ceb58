"""Removing an account: what is forgotten, what stays, what is taken away in the LMS first, and what is in the way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from lms_bridge.core import jobs
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.models import AuditEntry
from lms_bridge.roster.models import ContactPoint, Enrolment, Person
from lms_bridge.supervision.models import Homework
from lms_bridge.sync.models import LmsAccount, MappedKind, MappingState, SyncMapping, SyncRun
from tests.contracts.moodle_server import Fault
from tests.web.test_plans import signed_in
from tests.web.test_sync import World, world

__all__ = ["world"]

DENIED = {"exception": "required_capability_exception", "errorcode": "nopermissions", "message": "not you"}


@pytest.fixture
def used(world: World) -> World:
    """The account was used: a course, people, a calendar event and an activity of ours, messages, homework."""
    world.moodle.modules[9] = [{"id": 1, "modname": "lti", "name": "Online lessons"}]
    world.moodle.courses.append({"id": 9, "shortname": "lms-bridge-template", "fullname": "T", "idnumber": ""})
    for kind in ("roster", "activities", "events"):
        world.press(kind=kind)
    world.client.post(f"/system/lms/{world.account.uid}/parts", data={"sends_messages": "1"})
    with transaction() as session:
        homework = Homework(class_id=world.system.a.classes[0].id, title="Page 5")
        session.add(homework)
        session.flush()
        session.add(
            SyncMapping(
                account_id=world.account.id, kind=MappedKind.ASSIGNMENT, place="2", entity_id=homework.id,
                remote_id="7", state=MappingState.DONE,
            )
        )  # fmt: skip
    assert len(world.moodle.events) == 1
    assert len(world.moodle.modules[2]) == 1
    return world


def remove(world: World, **form: str) -> None:
    """Press "Remove", and let the worker do it."""
    assert world.client.post(f"/system/lms/{world.account.uid}/remove", data=form).status_code == 302
    jobs.run_due()


def rows_of(*tables: Any) -> list[int]:
    """How many rows there are of each."""
    return [db.session.scalar(sa.select(sa.func.count()).select_from(table)) or 0 for table in tables]


def test_the_page_says_what_is_forgotten_and_what_stays(used: World) -> None:
    page = used.client.get(f"/system/lms/{used.account.uid}/remove").get_data(as_text=True)
    for text in ("1 unmatched person", "1 calendar event", "the activity in 1 course", "1 piece of homework"):
        assert text in page
    assert used.account.name in used.client.get("/system/lms/").get_data(as_text=True)


def test_removed_it_is_forgotten_and_the_lms_keeps_everything(used: World) -> None:
    people = rows_of(Person, Enrolment)
    remove(used)
    assert rows_of(LmsAccount, SyncMapping, SyncRun) == [0, 0, 0]
    assert rows_of(Person, Enrolment) == people
    assert (len(used.moodle.events), len(used.moodle.modules[2])) == (1, 1)
    assert "No LMS is connected" in used.client.get("/system/lms/").get_data(as_text=True)
    assert "Nobody waits" in used.client.get("/lms/people").get_data(as_text=True)
    address = db.session.scalars(sa.select(ContactPoint).filter_by(service="moodle")).one()
    assert address.valid_to is not None
    assert db.session.scalars(sa.select(Homework)).one().withdrawn_at is not None
    actions = db.session.execute(
        sa.select(AuditEntry.action, AuditEntry.actor_uid)
        .where(AuditEntry.action.like("lms.remov%"))
        .order_by(AuditEntry.id)
    ).all()
    assert [tuple(row) for row in actions] == [
        ("lms.removal", used.system.bureau_administrator.uid), ("lms.removed", None),
    ]  # fmt: skip


def test_ticked_what_was_made_there_goes_too_also_what_was_never_answered(used: World) -> None:
    event = db.session.scalars(sa.select(SyncMapping).filter_by(kind=MappedKind.EVENT)).one()
    with transaction():  # as after a worker that was killed before the answer came
        event.state, event.remote_id = MappingState.SENDING, None
    used.moodle.events[5] = {
        "id": 5,
        "name": "Their own",
        "courseid": "2",
        "timestart": 1,
        "timeduration": 1,
        "visible": 1,
    }
    used.moodle.modules[2].append({"id": 6, "modname": "forum", "name": "Their own"})
    remove(used, clear="1")
    assert list(used.moodle.events) == [5]
    assert [row["name"] for row in used.moodle.modules[2]] == ["Their own"]
    assert rows_of(LmsAccount, SyncMapping) == [0, 0]


def test_an_lms_that_is_down_is_waited_for(used: World, monkeypatch: pytest.MonkeyPatch) -> None:
    used.moodle.faults["core_calendar_delete_calendar_events"] = [Fault("<html>busy</html>", 503)]
    remove(used, clear="1")
    page = used.page()
    assert "This account is being removed" in page
    assert "HTTP status 503" in page
    with transaction() as session:
        session.execute(sa.text("update job set not_before = :m"), {"m": now() - timedelta(minutes=1)})
    jobs.run_due()
    assert (rows_of(LmsAccount), used.moodle.events) == ([0], {})


def test_what_the_lms_refuses_is_shown_and_a_person_decides(used: World) -> None:
    used.moodle.faults["core_course_delete_modules"] = [Fault.saying(DENIED)] * 2
    remove(used, clear="1")
    page = used.page()
    assert "did not let go of everything (left: 1)" in page
    assert "the activity in 1 course" in page
    assert "1 calendar event" not in page, "that is gone"
    for path, form in (("on", {}), ("settings", {"name": "x", "setting_url": used.moodle.url})):
        assert used.client.post(f"/system/lms/{used.account.uid}/{path}", data=form).status_code == 409, path
    remove(used, clear="1")
    assert rows_of(LmsAccount) == [1]
    remove(used)
    assert rows_of(LmsAccount) == [0]
    assert len(used.moodle.modules[2]) == 1


def test_kept_after_all_it_makes_again_what_was_taken_away(used: World) -> None:
    used.moodle.faults["core_course_delete_modules"] = [Fault.saying(DENIED)]
    remove(used, clear="1")
    assert used.moodle.events == {}
    assert used.client.post(f"/system/lms/{used.account.uid}/keep").status_code == 302
    assert used.client.post(f"/system/lms/{used.account.uid}/keep").status_code == 409
    assert used.client.post(f"/system/lms/{used.account.uid}/on").status_code == 302
    used.press(kind="events")
    assert len(used.moodle.events) == 1


def test_only_who_administers_the_organisation_may_remove_it(app: Flask, used: World) -> None:
    campus = signed_in(app, used.system.a.administrator)
    for path in ("remove", "keep"):
        assert campus.post(f"/system/lms/{used.account.uid}/{path}").status_code == 404
    jobs.run_due()
    assert rows_of(LmsAccount) == [1]
