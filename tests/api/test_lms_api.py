"""The exchange with an LMS by REST: how it stands, runs, who is not recognised; strangers find nothing."""

from __future__ import annotations

import pytest

from lms_bridge.core import jobs
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.lti.models import LtiPlatform
from lms_bridge.roster.models import Stranger
from lms_bridge.sync import accounts
from tests.api.conftest import Caller, MakeCaller
from tests.builders import added
from tests.contracts.moodle_server import TOKEN, Fault
from tests.web.test_sync import World, world

__all__ = ["world"]


@pytest.fixture
def boss(world: World, caller_of: MakeCaller) -> Caller:
    """A program with the key of the bureau's administrator."""
    return caller_of(world.system.bureau_administrator)


def ran(world: World, boss: Caller, **asked: object) -> dict[str, object]:
    """A run that was asked for and carried out."""
    begun = boss.post(f"/lms-accounts/{world.account.uid}/runs", json=asked)
    assert (begun.status_code, begun.json["state"]) == (202, "waiting")
    jobs.run_due()
    return boss.get(f"/lms-accounts/{world.account.uid}/runs/{begun.json['uid']}").json


def test_a_run_is_looked_at_first_and_then_done(world: World, boss: Caller) -> None:
    looked = ran(world, boss, kind="roster", dry_run=True)
    assert (looked["state"], looked["dry_run"], looked["counts"]["people_unmatched"]) == ("done", True, 1)
    assert looked["names"]["people_unmatched"] == ["欧阳小32"]
    assert boss.get("/lms-accounts").json["accounts"][0]["mappings"] == {}
    ran(world, boss, kind="roster")
    (account,) = boss.get("/lms-accounts").json["accounts"]
    assert account["mappings"]["person"] == {"done": 1, "unmatched": 1}
    assert (account["organisation"], account["failures"]) == (world.system.bureau.code, 0)
    listed = boss.get(f"/lms-accounts/{world.account.uid}/runs")
    assert [run["dry_run"] for run in listed.json["runs"]] == [False, True]
    assert listed.json["runs"][1]["names"] == {}, "kept until the next run"
    assert TOKEN not in listed.text + boss.get("/lms-accounts").text


def test_an_lms_that_is_down_and_an_account_that_is_off_are_told_apart(world: World, boss: Caller) -> None:
    world.moodle.faults["core_course_get_courses"] = [Fault("<html>busy</html>", 503)]
    run = ran(world, boss, kind="roster")
    assert run["state"] == "waiting"
    assert "HTTP status 503" in run["problems"][0]
    assert boss.get(f"/lms-accounts/{world.account.uid}").json["failures"] == 1
    with transaction():
        accounts.switch(db.session.merge(world.account), on=False, actor_uid=world.system.bureau_administrator.uid)
    refused = boss.post(f"/lms-accounts/{world.account.uid}/runs", json={"kind": "events"})
    assert (refused.status_code, refused.json["code"]) == (409, "conflict")
    assert boss.post(f"/lms-accounts/{world.account.uid}/runs", json={"kind": "everything"}).status_code == 422


def test_what_is_in_the_way_is_listed(world: World, boss: Caller) -> None:
    world.moodle.courses.append({"id": 3, "shortname": "c", "fullname": "Chess & Go", "idnumber": ""})
    ran(world, boss, kind="roster")
    (trouble,) = boss.get(f"/lms-accounts/{world.account.uid}/troubles").json["troubles"]
    assert (trouble["kind"], trouble["name"], trouble["state"]) == ("course", "Chess & Go", "unmatched")
    assert boss.post(f"/lms-accounts/{world.account.uid}/retry").status_code == 202


def test_who_is_not_recognised_is_bound_once(world: World, boss: Caller) -> None:
    ran(world, boss, kind="roster")
    platform = LtiPlatform(
        organisation_id=world.system.bureau.id, name="Other LMS", issuer="https://lms.test", client_id="1",
        login_url="https://lms.test", token_url="https://lms.test", key_set_url="https://lms.test",
    )  # fmt: skip
    about = {"name": "Deng", "email": "d@example.test", "course": "Physics", "sourcedid": "77", "teacher": False}
    with transaction():
        row = Stranger(
            system=added(platform).system, sent_by="Other LMS", organisation_id=world.system.bureau.id, subject="9",
            about=about, last_at=now(),
        )  # fmt: skip
        added(row)
    people = {one["source"]: one for one in boss.get("/unmatched-people").json["people"]}
    read = people["sync"]
    assert (read["name"], read["where"], read["number"]) == ("欧阳小32", "Our Moodle", "S32")
    assert (people["launch"]["name"], people["launch"]["course"]) == ("Deng", "Physics")
    child = world.system.a.students[1]
    here = f"/unmatched-people/sync/{people['sync']['key']}"
    found = boss.get(f"{here}/candidates", query_string={"q": child.display_name}).json["people"]
    assert child.uid in {one["uid"] for one in found}
    taken = boss.post(f"{here}/bind", json={"person": world.system.a.students[0].uid})
    assert taken.status_code == 409
    assert boss.post(f"{here}/bind", json={"person": child.uid}).json["person"] == child.uid
    assert boss.post(f"{here}/bind", json={"person": child.uid}).status_code == 404, "bound once"
    there = f"/unmatched-people/launch/{people['launch']['key']}"
    assert boss.post(f"{there}/aside").status_code == 200
    assert boss.get("/unmatched-people").json["people"] == []
    assert [one["name"] for one in boss.get("/unmatched-people?aside=true").json["people"]] == ["Deng"]
    assert boss.post(f"{there}/back").status_code == 200
    assert boss.post(f"{there}/bind", json={"person": child.uid}).status_code == 200
    assert boss.get("/unmatched-people").json["people"] == []


def test_other_organisations_and_keys_that_only_read_change_nothing(
    world: World, boss: Caller, caller_of: MakeCaller
) -> None:
    ran(world, boss, kind="roster")
    (person,) = boss.get("/unmatched-people").json["people"]
    stranger = caller_of(world.system.a.administrator)
    assert stranger.get("/lms-accounts").json == {"accounts": []}
    assert stranger.get("/unmatched-people").json == {"people": []}
    account, key = f"/lms-accounts/{world.account.uid}", f"/unmatched-people/sync/{person['key']}"
    for path in (account, f"{account}/runs", f"{account}/troubles", f"{key}/candidates?q=a"):
        assert stranger.get(path).status_code == 404, path
    posts = [(f"{account}/runs", {"kind": "roster"}), (f"{account}/retry", None), (f"{key}/aside", None),
             (f"{key}/bind", {"person": world.system.a.students[1].uid})]  # fmt: skip
    reader = caller_of(world.system.bureau_administrator, write=False)
    for path, body in posts:
        assert stranger.post(path, json=body).status_code == 404, path
        assert reader.post(path, json=body).status_code == 403, path
    assert caller_of(world.system.a.teacher).get("/lms-accounts").status_code == 404
    assert len(boss.get(f"{account}/runs").json["runs"]) == 1
