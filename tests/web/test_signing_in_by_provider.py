"""Signing in by an identity provider: the way there and back, who is found, and every lie that is refused."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest
import requests
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from lms_bridge.core.clock import at, now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.settings import IdentityProvider
from lms_bridge.oidc import discovery
from lms_bridge.roster.accounts import account_for, set_password
from lms_bridge.roster.models import Account, ContactKind, ContactPoint, Person, Stranger
from tests.builders import SchoolSystem, added, small_system
from tests.contracts.oidc_server import CLIENT, SECRET, Provider, oidc_server
from tests.lessons.support import press


@dataclass
class World:
    """Campus A, whose people sign in at Keycloak, and one browser."""

    app: Flask
    system: SchoolSystem
    provider: Provider
    client: FlaskClient

    def set_up(self, **more: Any) -> None:
        """Write the provider into the settings."""
        said = {
            "name": "Keycloak", "issuer": self.provider.url, "client_id": CLIENT, "client_secret": SECRET,
            "organisation": self.system.a.campus.code, "number_claim": "school_number",
        } | more  # fmt: skip
        settings = self.app.extensions["lms_bridge"]
        found = {"keycloak": IdentityProvider(**said)}
        self.app.extensions["lms_bridge"] = settings.model_copy(update={"identity_providers": found})

    def to_provider(self, target: str = "") -> str:
        """Begin; the address at the provider."""
        answer = self.client.get("/sign-in/with/keycloak", query_string={"next": target})
        assert answer.status_code == 302, answer.get_data(as_text=True)
        return answer.headers["Location"]

    def back(self, address: str) -> str:
        """What the provider answers to the browser: the way back."""
        location = requests.get(address, allow_redirects=False, timeout=5).headers["Location"]
        assert location.startswith("http://bridge.test/sign-in/with/keycloak/back?")
        return location.removeprefix("http://bridge.test")

    def sign_in(self, target: str = "", client: FlaskClient | None = None) -> TestResponse:
        """The whole way; another ``client`` comes back than went."""
        return (client or self.client).get(self.back(self.to_provider(target)))

    def sign_out(self) -> None:
        """Press the button."""
        assert press(self.client, "/", "/sign-out")[0] == 302

    def who(self) -> str:
        """Whom the browser's home page greets; empty: nobody."""
        answer = self.client.get("/")
        return answer.get_data(as_text=True) if answer.status_code == 200 else ""


@pytest.fixture
def world(app: Flask, client: FlaskClient) -> Iterator[World]:
    """The first student of campus A has the number S1, as Keycloak says it of its user."""
    discovery.forget()
    with oidc_server() as provider:
        system = small_system()
        with transaction():
            system.a.students[0].number = "S1"
            system.b.students[0].number = "S2"
        provider.user |= {"school_number": "S1"}
        world = World(app, system, provider, client)
        world.set_up()
        client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
        yield world


def test_one_click_signs_in_and_goes_on_where_somebody_wanted_to(world: World) -> None:
    page = world.client.get("/sign-in?next=/week", headers={"Accept-Language": "en"}).get_data(as_text=True)
    assert "Sign in with Keycloak" in page
    assert "/sign-in/with/keycloak?next=/week" in page
    address = world.to_provider("/week")
    asked = dict(parse_qsl(urlsplit(address).query))
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert asked["scope"] == "openid profile email"
    answer = world.client.get(world.back(address))
    assert (answer.status_code, answer.headers["Location"]) == (302, "/week")
    assert world.system.a.students[0].display_name in world.who()


def test_somebody_once_known_is_known_without_the_number(world: World) -> None:
    world.sign_in()
    world.sign_out()
    del world.provider.user["school_number"]
    assert world.sign_in().status_code == 302
    assert world.system.a.students[0].display_name in world.who()


def test_only_a_verified_address_finds_somebody_and_only_where_that_is_allowed(world: World) -> None:
    added(
        ContactPoint(
            person_id=world.system.a.teacher.id, kind=ContactKind.EMAIL, address="Li@school.test", source="test"
        )
    )
    world.provider.user = {"sub": "u-2", "email": "li@school.test", "email_verified": True}
    assert world.sign_in().status_code == 403
    world.set_up(email_counts=True)
    for verified in (False, "true", ...):
        world.provider.lies = {"email_verified": verified}
        assert world.sign_in().status_code == 403
    world.provider.lies = {}
    assert world.sign_in().status_code == 302
    assert world.system.a.teacher.display_name in world.who()


def test_somebody_unknown_is_told_what_to_do_and_bound_once_by_the_administrator(world: World) -> None:
    world.provider.user = {"sub": "u-9", "name": "Wang Wu", "school_number": "S77", "roles": ["administrator"]}
    for _ in range(2):
        answer = world.sign_in()
        assert answer.status_code == 403
        assert "Wang Wu" in answer.get_data(as_text=True)
    (row,) = db.session.scalars(sa.select(Stranger)).all()
    assert (row.sent_by, row.tries, row.about["name"], row.about["sourcedid"]) == ("Keycloak", 2, "Wang Wu", "S77")
    administrator = signed_in(world.app, world.system.a.administrator)
    here, student = f"/lms/people/launch/{row.uid}", world.system.a.students[0]
    assert "Wang Wu" in administrator.get("/lms/people").get_data(as_text=True)
    assert student.uid in administrator.get(here, query_string={"q": "S1"}).get_data(as_text=True)
    assert press(administrator, here, here, person=student.uid)[0] == 302
    assert world.sign_in().status_code == 302
    assert world.system.a.students[0].display_name in world.who()


def test_a_provider_speaks_only_for_the_people_of_its_organisation(world: World) -> None:
    world.provider.user["school_number"] = "S2"  # of campus B
    assert world.sign_in().status_code == 403
    assert world.who() == ""
    world.set_up(organisation="")
    assert world.sign_in().status_code == 302


def test_an_account_that_is_switched_off_stays_off(world: World) -> None:
    with transaction():
        account_for(world.system.a.students[0]).disabled_at = now()
    answer = world.sign_in()
    assert answer.status_code == 403
    assert "switched off" in answer.get_data(as_text=True)
    assert world.who() == ""


def other(world: World, claims: dict[str, Any]) -> str:
    return world.provider.signed(claims, key="second")


def unsigned(world: World, claims: dict[str, Any]) -> str:
    return jwt.encode(claims, None, algorithm="none", headers={"kid": "k1"})  # type: ignore[arg-type]


def by_secret(world: World, claims: dict[str, Any]) -> str:
    return jwt.encode(claims, SECRET.ljust(32, "."), algorithm="HS256", headers={"kid": "k1"})


def changed(world: World, claims: dict[str, Any]) -> str:
    head, body, signature = world.provider.signed(claims).split(".")
    return f"{head}.{body[:-4]}AAAA.{signature}"


LIES: list[tuple[str, dict[str, Any], Any]] = [
    ("the nonce of another sign-in", {"nonce": "x"}, None),
    ("no nonce", {"nonce": ...}, None),
    ("another issuer", {"iss": "https://elsewhere.test"}, None),
    ("another audience", {"aud": "another client"}, None),
    ("several audiences without azp", {"aud": [CLIENT, "another"]}, None),
    ("another azp", {"aud": [CLIENT, "another"], "azp": "another"}, None),
    ("expired", {"exp": 1700000000}, None),
    ("no expiry", {"exp": ...}, None),
    ("not valid yet", {"nbf": 4000000000}, None),
    ("no subject", {"sub": ...}, None),
    ("a subject that is no text", {"sub": 7}, None),
    ("a long subject", {"sub": "x" * 300}, None),
    ("the hash of another token", {"at_hash": "AAAA"}, None),
    ("no signature", {}, unsigned),
    ("a signature by the secret", {}, by_secret),
    ("a signature by another key", {}, other),
    ("a key that is not published", {}, lambda world, claims: world.provider.signed(claims, "k9")),
    ("a changed token", {}, changed),
    ("no token at all", {}, lambda world, claims: "nonsense"),
]


def test_an_identity_that_is_not_genuine_or_not_for_us_is_refused(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    wrong, tokens = [], []
    for name, lies, sign in LIES:

        def token(claims: dict[str, Any], sign: Any = sign) -> str:
            tokens.append(sign(world, claims) if sign else world.provider.signed(claims))
            return str(tokens[-1])

        world.provider.lies, world.provider.sign = lies, token
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            answer = world.sign_in()
        page = answer.get_data(as_text=True)
        if (
            answer.status_code != 403
            or "not genuine" not in page
            or 'name="password"' not in page
            or "oidc refused: id_token" not in caplog.text
            or tokens[-1] in caplog.text + page
            or world.who()
        ):
            wrong.append(name)
    assert wrong == []
    assert len(tokens) == len(LIES)
    world.provider.lies, world.provider.sign = {}, world.provider.signed
    assert world.sign_in().status_code == 302


def test_the_answer_counts_only_in_the_browser_that_began_and_only_once(world: World) -> None:
    late = world.back(world.to_provider())
    with at(now() + timedelta(minutes=11)):
        assert "ten minutes" in world.client.get(late).get_data(as_text=True)
    assert world.sign_in(client=world.app.test_client()).status_code == 403
    address = world.back(world.to_provider())
    assert world.client.get(address.replace("state=", "state=x")).status_code == 403
    assert world.client.get(address).status_code == 302
    assert world.client.get(address).status_code == 403  # state and code were used


def test_a_code_that_was_used_by_somebody_else_is_no_good(world: World) -> None:
    address = world.back(world.to_provider())
    world.provider.codes.clear()
    answer = world.client.get(address)
    assert (answer.status_code, world.who()) == (403, "")
    assert "did not sign you in" in answer.get_data(as_text=True)


def test_an_answer_of_another_provider_is_not_mixed_in(world: World) -> None:
    address = world.back(world.to_provider())
    mixed = address.replace(f"iss={world.provider.url[:4]}", "iss=evil")
    assert "another provider" in world.client.get(mixed).get_data(as_text=True)


@pytest.mark.parametrize(
    ("error", "words"), [("access_denied", "was cancelled"), ("server_error", "did not sign you in")]
)
def test_what_the_provider_refuses_is_said(world: World, error: str, words: str) -> None:
    world.provider.refuses = error
    answer = world.sign_in("/week")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 403
    assert words in page
    assert 'value="/week"' in page  # the password form goes on to the same place


BROKEN = [
    ("/.well-known/openid-configuration", 500, "", "does not answer"),
    ("/.well-known/openid-configuration", 200, "<html>", "does not answer"),
    ("/.well-known/openid-configuration", 200, '{"issuer": "http://127.0.0.1/other"}', "cannot be right"),
    ("/.well-known/openid-configuration", 200, "[]", "cannot be right"),
    ("/certs", 200, "[]", "gives no keys"),
    ("/certs", 503, "", "does not answer"),
    ("/token", 503, "down", "does not answer"),
    ("/token", 200, "<html>", "does not answer"),
]


def test_a_provider_that_is_down_is_said_and_the_password_works_all_the_same(world: World) -> None:
    with transaction():
        set_password(world.system.a.students[0], "student", "correct horse")
    wrong = []
    for path, status, body, words in BROKEN:
        discovery.forget()
        world.provider.broken = {path: (status, body)}
        answer = world.client.get("/sign-in/with/keycloak")
        if answer.status_code == 302:
            answer = world.client.get(world.back(answer.headers["Location"]))
        if answer.status_code != 424 or words not in answer.get_data(as_text=True):
            wrong.append((path, status, body, answer.status_code))
    assert wrong == []
    assert press(world.client, "/sign-in", "/sign-in", login="student", password="correct horse")[0] == 302
    assert world.system.a.students[0].display_name in world.who()


def test_a_provider_that_did_not_answer_is_left_alone_for_a_moment(world: World) -> None:
    world.provider.broken["/.well-known/openid-configuration"] = (503, "")
    for _ in range(3):
        assert world.client.get("/sign-in/with/keycloak").status_code == 424
    assert len(world.provider.asked) == 1
    world.provider.broken.clear()
    with at(now() + timedelta(seconds=20)):
        assert world.sign_in().status_code == 302


def test_addresses_and_keys_are_kept_and_new_keys_are_fetched_when_one_is_named(world: World) -> None:
    for _ in range(2):
        world.sign_in()
        world.sign_out()
    assert world.provider.asked.count("/.well-known/openid-configuration") == 1
    assert world.provider.asked.count("/certs") == 1
    world.provider.keys = {"k2": "second"}
    world.provider.sign = lambda claims: world.provider.signed(claims, "k2", "second")
    assert world.sign_in().status_code == 403  # asked a moment ago: invented key ids cannot make us knock again
    with at(now() + timedelta(minutes=2)):
        assert world.sign_in().status_code == 302
    for hours, nonsense in ((3, (500, "")), (4, (200, "{}"))):
        world.provider.broken = {"/.well-known/openid-configuration": nonsense}
        with at(now() + timedelta(hours=hours)):
            assert world.sign_in().status_code == 302  # what it said earlier today still serves
    with at(now() + timedelta(days=2)):
        assert world.client.get("/sign-in/with/keycloak").status_code == 424


def test_a_sign_in_leads_nowhere_else(world: World) -> None:
    for target in ("https://evil.test/", "//evil.test", "/\\evil.test", "javascript:alert(1)"):
        assert world.sign_in(target).headers["Location"] == "/"
        world.sign_out()


def test_signing_out_offers_the_way_out_of_the_provider_once(world: World) -> None:
    world.sign_in()
    world.sign_out()
    assert world.who() == ""
    page = world.client.get("/sign-in").get_data(as_text=True)
    assert f"{world.provider.url}/logout?client_id={CLIENT}" in page
    assert "/logout" not in world.client.get("/sign-in").get_data(as_text=True)


def test_a_provider_that_nobody_set_up_is_not_there(world: World) -> None:
    assert world.client.get("/sign-in/with/other").status_code == 404
    assert world.client.get("/sign-in/with/other/back?state=x").status_code == 404


def signed_in(app: Flask, person: Person) -> FlaskClient:
    """Another browser, in which ``person`` is signed in."""
    client = app.test_client()
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    with transaction():
        set_password(person, f"p{person.id}", "correct horse")
    press(client, "/sign-in", "/sign-in", login=f"p{person.id}", password="correct horse")
    assert db.session.scalar(sa.select(Account).filter_by(person_id=person.id)) is not None
    return client
