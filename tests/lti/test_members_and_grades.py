"""What goes to the LMS and comes from it: members, gradebook, registration, our keys; over real HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from lms_bridge.core import clock
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.lti import keys, members_and_grades, platforms
from lms_bridge.lti.errors import PlatformRefused, PlatformSilent
from lms_bridge.lti.library import PlatformConnector
from lms_bridge.lti.models import LtiPlatform
from tests.lti.conftest import World
from tests.lti.test_launching import as_administrator


@pytest.fixture
def served(world: World) -> World:
    """The LMS knows our keys, and no token is left of an earlier test."""
    PlatformConnector._tokens.clear()
    with transaction():
        keys.signing_key()
    world.lms.tool_keys = keys.published()
    return world


def member(number: int, **more: Any) -> dict[str, Any]:
    """A member as Moodle lists one."""
    return {
        "status": "Active", "roles": ["Learner"], "user_id": str(number), "lis_person_sourcedid": f"S{number}",
        "name": f"N {number}", "email": f"s{number}@example.test",
    } | more  # fmt: skip


def listed(served: World) -> list[members_and_grades.Member]:
    """The members of the course, of all pages."""
    pages = members_and_grades.members(served.platform, f"{served.lms.url}/members")
    return [one for page in pages for one in page.members]


def test_members_come_page_by_page(served: World) -> None:
    served.lms.members = [member(n) for n in range(5)] + [member(9, status="Inactive", lis_person_sourcedid=None)]
    found = listed(served)
    assert [m.subject for m in found] == ["0", "1", "2", "3", "4", "9"]
    assert (found[0].person_sourcedid, found[-1].active, found[-1].person_sourcedid) == ("S0", False, "")
    assert served.lms.asked.count("/members") == 3
    assert served.lms.asked.count("/token") == 1


def test_a_platform_that_answers_badly_is_a_clear_refusal(served: World) -> None:
    answers: tuple[tuple[str, tuple[int, str], type[Exception]], ...] = (
        ("/members", (200, "<html>"), PlatformSilent),
        ("/members", (200, "[]"), PlatformSilent),
        ("/members", (503, ""), PlatformSilent),
        ("/members", (403, "{}"), PlatformRefused),
        ("/token", (404, "<!DOCTYPE html>"), PlatformRefused),
        ("/token", (200, "<html>"), PlatformSilent),
        ("/token", (200, "{}"), PlatformRefused),
    )
    for path, broken, error in answers:
        PlatformConnector._tokens.clear()
        served.lms.broken = {path: broken}
        with pytest.raises(error):
            listed(served)


def test_a_list_that_never_ends_is_left(served: World, monkeypatch: pytest.MonkeyPatch) -> None:
    served.lms.members = [member(n) for n in range(3)]
    monkeypatch.setattr(
        type(served.lms), "_service",
        lambda lms, *a: (200, {"members": lms.members}, {"Link": f'<{lms.url}/members?from=2>; rel="next"'}),
    )  # fmt: skip
    with pytest.raises(PlatformSilent):
        listed(served)


def test_a_slow_platform_is_not_waited_for(served: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from lms_bridge.lti import requests_out

    served.lms.pause["/members"] = 1.0
    monkeypatch.setattr(requests_out.BoundedSession.__init__, "__defaults__", (0.2,))
    with pytest.raises(PlatformSilent):
        listed(served)


def test_a_withdrawn_token_is_asked_for_again_once(served: World) -> None:
    served.lms.members = [member(1)]
    connector = members_and_grades.connector(served.platform)
    connector._cache_access_token(connector._scope_key([members_and_grades.MEMBERS_SCOPE]), "old", 3600)
    assert [m.subject for m in listed(served)] == ["1"]


def column(world: World) -> Any:
    """Our column for attendance."""
    return members_and_grades.line_item(
        world.platform, f"{world.lms.url}/lineitems", resource_id="att-1", label="Attendance"
    )


def test_a_column_is_made_once_also_after_a_lost_answer(served: World) -> None:
    first = column(served)
    with transaction():
        db.session.delete(db.session.merge(first))
    assert column(served).url == first.url
    assert len(served.lms.line_items) == 1


def test_a_score_is_sent_once_and_its_moment_only_grows(served: World) -> None:
    to = column(served)
    with clock.at(now()):
        assert members_and_grades.send_score(served.platform, to, "4", given=80)
        assert not members_and_grades.send_score(served.platform, to, "4", given=80), "nothing new to say"
        assert members_and_grades.send_score(served.platform, to, "4", given=90), "the same second, another score"
    with clock.at(now() - timedelta(hours=1)):
        assert members_and_grades.send_score(served.platform, to, "4", given=95), "our clock was put back"
    assert served.lms.asked.count("/lineitems/1/scores") == 3


def test_a_score_whose_answer_was_lost_is_not_sent_twice_as_new(served: World) -> None:
    to = column(served)
    served.lms.broken["/lineitems/1/scores"] = (503, "")
    with pytest.raises(PlatformSilent):
        members_and_grades.send_score(served.platform, to, "4", given=80)
    del served.lms.broken["/lineitems/1/scores"]
    # It had arrived all the same.
    served.lms.scores["/lineitems/1/scores", "4"] = (now() + timedelta(seconds=1)).isoformat()[:19]
    assert members_and_grades.send_score(served.platform, to, "4", given=80)
    assert not members_and_grades.send_score(served.platform, to, "4", given=80)


def test_a_later_score_of_the_platform_is_stepped_past(served: World) -> None:
    to = column(served)
    served.lms.scores["/lineitems/1/scores", "4"] = (now() + timedelta(seconds=2)).isoformat()[:19]
    with pytest.raises(PlatformSilent):
        members_and_grades.send_score(served.platform, to, "4", given=80)
    with clock.at(now() + timedelta(seconds=10)):
        assert members_and_grades.send_score(served.platform, to, "4", given=80)


def test_the_next_key_is_published_before_it_signs(served: World) -> None:
    first = keys.signing_key().kid
    with transaction():
        keys.rotate(actor_uid=None)
    assert keys.signing_key().kid == first
    assert len(keys.published()["keys"]) == 2
    with clock.at(now() + keys.AHEAD + timedelta(minutes=1)):
        assert keys.signing_key().kid != first
        assert len(keys.published()["keys"]) == 2
    with clock.at(now() + keys.AHEAD + keys.AFTER + timedelta(minutes=1)):
        assert len(keys.published()["keys"]) == 1
    with transaction():
        keys.rotate(actor_uid=None, at_once=True)
    assert [key["kid"] for key in keys.published()["keys"]] == [keys.signing_key().kid]


def configuration(world: World) -> str:
    """Where the LMS describes itself."""
    return f"{world.lms.url}/.well-known/openid-configuration"


def test_an_lms_registers_by_an_invitation_once(world: World) -> None:
    admin = as_administrator(world, world.system.a.administrator)
    page = admin.post("/lms/invitation", data={"organisation": world.system.a.campus.uid}).text
    address = page.split("http://bridge.test/lti/register/")[1].split("<")[0]
    sent = {"openid_configuration": configuration(world), "registration_token": "once"}
    answer = world.client.get(f"/lti/register/{address}", query_string=sent)
    assert "data-lti-close" in answer.text
    assert world.lms.url in answer.headers["Content-Security-Policy"]
    found = db.session.query(LtiPlatform).filter_by(client_id="client-new").one()
    assert (found.product, found.key_set_url) == ("moodle", f"{world.lms.url}/certs")
    assert [d.deployment_id for d in found.deployments] == ["2"]
    assert found.organisation_id == world.system.a.campus.id
    tool = world.lms.registered[0]
    assert tool["redirect_uris"] == ["http://bridge.test/lti/launch"]
    assert world.client.get(f"/lti/register/{address}", query_string=sent).status_code in (403, 409)
    assert world.client.get("/lti/register/forged", query_string=sent).status_code == 403


def test_a_registration_that_fails_says_why_and_leaves_nothing(world: World) -> None:
    admin = as_administrator(world, world.system.a.administrator)
    sent = {"organisation": world.system.a.campus.uid, "configuration": configuration(world), "token": "once"}
    for path, broken in (
        ("/.well-known/openid-configuration", (200, "<html>")),
        ("/.well-known/openid-configuration", (200, "[]")),
        ("/.well-known/openid-configuration", (200, '{"issuer": "http://127.0.0.1"}')),
        ("/register", (401, '{"error": "invalid_token"}')),
        ("/register", (200, "{}")),
    ):
        world.lms.broken = {path: broken}
        answer = admin.post("/lms/registration", data=sent)
        assert 400 <= answer.status_code < 500, broken
        assert "notice-bad" in answer.text
    assert db.session.query(LtiPlatform).count() == 1


def test_the_administrator_adds_changes_and_switches_off_a_platform(world: World) -> None:
    admin = as_administrator(world, world.system.a.administrator)
    typed = world.lms.registration | {
        "client_id": "c9",
        "organisation": world.system.a.campus.uid,
        "deployments": "1 2",
    }
    refused = admin.post("/lms/new", data=typed | {"login_url": "javascript:1"})
    assert refused.status_code == 422
    assert "This is no web address." in refused.text
    assert 'value="c9"' in refused.text
    assert admin.post("/lms/new", data=typed).status_code == 302
    row = db.session.query(LtiPlatform).filter_by(client_id="c9").one()
    assert row.key_set, "its keys were fetched at once"
    assert admin.post("/lms/new", data=typed).status_code == 409
    assert (
        admin.post(f"/lms/{row.uid}", data=typed | {"name": "New", "web_origins": "https://s.test/x"}).status_code
        == 302
    )
    db.session.refresh(row)
    assert (row.name, row.web_origins) == ("New", ["https://s.test"])
    assert admin.post(f"/lms/{row.uid}/off").status_code == 302
    assert world.login(client_id="c9").status_code == 403
    assert "switched off" in admin.get("/lms").text
    assert admin.post("/lms/keys").status_code == 404, "our keys are everybody's: only the bureau renews them"
    stranger = as_administrator(world, world.system.b.administrator)
    assert stranger.get(f"/lms/{row.uid}").status_code == 404
    assert platforms.named(row.uid).disabled_at is not None
