"""Identity providers on the administrator's page: added, checked live, on the sign-in page, changed, removed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from lms_bridge.core.database import db, transaction
from lms_bridge.core.models import AuditEntry
from lms_bridge.core.settings import IdentityProvider
from lms_bridge.oidc import discovery
from lms_bridge.oidc.models import StoredProvider
from tests.builders import SchoolSystem, small_system
from tests.contracts.oidc_server import CLIENT, SECRET, Provider, oidc_server
from tests.servers import free_port
from tests.web.test_plans import signed_in

HERE = "/system/sign-in/keycloak"


@dataclass
class World:
    """Campus A's administrator, and a Keycloak."""

    app: Flask
    system: SchoolSystem
    provider: Provider
    client: FlaskClient

    def form(self, **more: str) -> dict[str, str]:
        """What is typed for the Keycloak of campus A."""
        return {
            "organisation": self.system.a.campus.uid, "name": "School account", "identifier": "keycloak",
            "issuer": self.provider.url, "client_id": CLIENT, "client_secret": SECRET,
            "number_claim": "school_number", "scopes": "openid profile email",
        } | more  # fmt: skip

    def add(self, **more: str) -> str:
        """Add it; the page that follows."""
        answer = self.client.post("/system/sign-in/new", data=self.form(**more), follow_redirects=True)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return answer.get_data(as_text=True)

    def page(self, address: str = HERE) -> str:
        """A page as the administrator sees it."""
        return self.client.get(address).get_data(as_text=True)

    def sign_in_page(self) -> str:
        """What somebody sees who is not signed in."""
        return self.app.test_client().get("/sign-in", headers={"Accept-Language": "en"}).get_data(as_text=True)


@pytest.fixture
def world(app: Flask) -> Iterator[World]:
    """The first student of campus A has the number S1."""
    app.config["WTF_CSRF_ENABLED"] = False
    discovery.forget()
    with oidc_server() as provider:
        system = small_system()
        with transaction():
            system.a.administrator.language = "en"
            system.a.students[0].number = "S1"
            system.b.students[0].number = "S2"
        provider.user |= {"school_number": "S1"}
        yield World(app, system, provider, signed_in(app, system.a.administrator))


def test_it_is_added_checked_switched_on_and_signs_in_people_of_its_campus_alone(world: World) -> None:
    page = world.add()
    assert "http://bridge.test/sign-in/with/keycloak/back" in page
    assert page.count("all right") == 6
    assert "it knows us" in page
    assert SECRET not in page
    assert "School account" not in world.sign_in_page(), "it is off until somebody says so"
    assert world.app.test_client().get("/sign-in/with/keycloak").status_code == 404
    world.client.post(f"{HERE}/on")
    assert "Sign in with School account" in world.sign_in_page()
    for number, status in (("S1", 302), ("S2", 403)):
        world.provider.user |= {"school_number": number, "sub": number}
        visitor = world.app.test_client()
        there = visitor.get("/sign-in/with/keycloak").headers["Location"]
        back = world.provider.let_in(dict(re.findall(r"[?&](\w+)=([^&]*)", there)) | {
            "redirect_uri": "http://bridge.test/sign-in/with/keycloak/back"})  # fmt: skip
        assert visitor.get(back.removeprefix("http://bridge.test")).status_code == status, number
    world.client.post(f"{HERE}/off")
    assert "School account" not in world.sign_in_page()
    stored = db.session.connection().exec_driver_sql("select said from identity_provider").scalars().all()
    assert SECRET not in "".join(map(str, stored))


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("nobody answers", {"issuer": f"http://127.0.0.1:{free_port()}"}, "did not answer"),
    ("another issuer", {"described": {"issuer": "https://else.test"}}, "It calls itself https://else.test."),
    ("an address that is none", {"described": {"jwks_uri": "ftp://x"}}, "cannot be right"),
    ("a list", {"broken": {"/.well-known/openid-configuration": (200, "[1]")}}, "is no description"),
    ("no keys", {"broken": {"/certs": (200, json.dumps({"keys": [{"kty": "oct"}]}))}}, "none that we can use"),
    ("keys that fail", {"broken": {"/certs": (500, "")}}, "has a failure of its own"),
    ("no S256", {"described": {"code_challenge_methods_supported": ["plain"]}}, "does not say that it knows S256"),
    ("another secret", {"secret": "wrong"}, "it does not know us (invalid_client)"),
    ("a claim it does not name", {"described": {"claims_supported": ["sub"]}}, "does not name the claim school_number"),
    ("a token address that breaks", {"broken": {"/token": (500, "")}}, "It does not say: sign in once"),
]


@pytest.mark.parametrize(("what", "wrong", "said"), WRONG, ids=[one[0] for one in WRONG])
def test_what_is_wrong_is_said(world: World, what: str, wrong: dict[str, Any], said: str) -> None:
    world.provider.described |= wrong.get("described", {})
    world.provider.broken |= wrong.get("broken", {})
    typed = {"issuer": wrong.get("issuer", world.provider.url), "client_secret": wrong.get("secret", SECRET)}
    page = world.add(**typed)
    assert said in page
    assert "What to do:" in page


def test_what_is_mended_there_counts_at_once(world: World) -> None:
    world.provider.described["issuer"] = "https://else.test"
    world.add()
    world.client.post(f"{HERE}/on")
    del world.provider.described["issuer"]
    assert "It calls itself" not in world.page()
    assert world.app.test_client().get("/sign-in/with/keycloak").status_code == 302


def test_a_form_with_mistakes_stores_nothing_and_keeps_what_was_typed(world: World) -> None:
    wrong = world.form(identifier="Key Cloak", issuer="http://id.test", client_id="", name="", scopes="profile")
    answer = world.client.post("/system/sign-in/new", data=wrong)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    for field in ("identifier", "issuer", "client_id", "name", "scopes"):
        assert f'id="field-{field}-error"' in page, field
    assert "http://id.test" in page
    assert SECRET not in page
    assert db.session.scalar(sa.select(sa.func.count(StoredProvider.id))) == 0


@pytest.mark.parametrize(
    "issuer",
    ["https://bridge:geheim@id.test/realms/school", "https://bridge@id.test", "http://localhost:geheim@id.test/x"],
)
def test_an_address_with_a_name_or_a_password_is_refused_in_words(world: World, issuer: str) -> None:
    said = "Enter the address without a name or password before the @"
    answer = world.client.post("/system/sign-in/new", data=world.form(issuer=issuer))
    assert answer.status_code == 422
    assert said in answer.text
    assert db.session.scalar(sa.select(sa.func.count(StoredProvider.id))) == 0
    world.add()
    answer = world.client.post(f"{HERE}/settings", data=world.form(issuer=issuer))
    assert answer.status_code == 422
    assert said in answer.text
    assert db.session.scalars(sa.select(StoredProvider)).one().said["issuer"] == world.provider.url


def test_names_are_taken_once(world: World) -> None:
    world.add()
    for more in ({}, {"name": "Other"}, {"identifier": "other"}):
        assert world.client.post("/system/sign-in/new", data=world.form(**more)).status_code == 409, more


def test_the_secret_is_kept_unseen_until_the_issuer_changes(world: World) -> None:
    world.add()
    form = world.form(client_secret="", name="Renamed")
    assert SECRET not in world.page(f"{HERE}/settings")
    assert world.client.post(f"{HERE}/settings", data=form).status_code == 302
    assert "it knows us" in world.page()
    elsewhere = world.client.post(f"{HERE}/settings", data=form | {"issuer": "https://else.test"})
    assert elsewhere.status_code == 422
    assert "Enter it again" in elsewhere.get_data(as_text=True)
    assert "Renamed" in world.page("/system/sign-in/")


def test_removed_it_is_gone_and_everything_is_in_the_audit_log(world: World) -> None:
    world.add()
    for what in ("on", "off", "remove"):
        assert world.client.post(f"{HERE}/{what}").status_code == 302
    assert world.client.get(HERE).status_code == 404
    actions = db.session.scalars(
        sa.select(AuditEntry.action).where(AuditEntry.entity == "identity_provider").order_by(AuditEntry.id)
    ).all()
    assert [one.removeprefix("identity_provider.") for one in actions] == ["added", "on", "off", "removed"]


def test_one_of_the_settings_file_is_shown_and_checked_and_changed_there(world: World) -> None:
    said = IdentityProvider(
        name="From file", issuer=world.provider.url, client_id=CLIENT, client_secret=SECRET,  # type: ignore[arg-type]
        organisation=world.system.a.campus.code,
    )  # fmt: skip
    settings = world.app.extensions["lms_bridge"]
    world.app.extensions["lms_bridge"] = settings.model_copy(update={"identity_providers": {"keycloak": said}})
    assert "From file" in world.page("/system/sign-in/")
    assert "[identity_providers.keycloak]" in world.page()
    assert world.client.post(f"{HERE}/off").status_code == 404
    assert world.client.post("/system/sign-in/new", data=world.form()).status_code == 409, "its name is taken"
    other = signed_in(world.app, world.system.b.administrator)
    assert "From file" not in other.get("/system/sign-in/").get_data(as_text=True)
    assert other.get(HERE).status_code == 404
