"""Logins and launches that are not what they seem: each is refused with 4xx, in words that an administrator
understands, and the log says which check failed, without token or state."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import jwt
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from flask import Flask
from werkzeug.test import TestResponse

from lms_bridge.core import clock, links
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.models import AuditEntry
from lms_bridge.lti import platforms, registration
from lms_bridge.lti.claims import CLAIM
from lms_bridge.lti.login import STATE
from lms_bridge.lti.models import LtiDeployment, LtiPlatform
from tests.lti.conftest import WINDOW, World, lis
from tests.lti.lms import CLIENT, private_key, public_jwk

Attack = Callable[[World], TestResponse]


def shifted(world: World, **times: timedelta) -> TestResponse:
    """A launch whose times are moved."""
    moment = now()
    values: dict[str, Any] = {name: int((moment + by).timestamp()) for name, by in times.items()}
    return world.launch(**values, **lis("S1"))


def forged(world: World, header: dict[str, Any], signature: bytes = b"", **claims: Any) -> TestResponse:
    """A token put together by hand."""

    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    body = world.lms.claims(world.asked["nonce"], **(lis("S1") | claims))
    tail = base64.urlsafe_b64encode(signature).rstrip(b"=").decode()
    return world.launch(f"{part({'typ': 'JWT'} | header)}.{part(body)}.{tail}")


def hs256_with_the_public_key(world: World) -> TestResponse:
    pem = (
        private_key()
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"k1","typ":"JWT"}').rstrip(b"=").decode()
    body = json.dumps(world.lms.claims(world.asked["nonce"], **lis("S1"))).encode()
    text = f"{head}.{base64.urlsafe_b64encode(body).rstrip(b'=').decode()}"
    tail = hmac.new(pem, text.encode(), hashlib.sha256).digest()
    return world.launch(f"{text}.{base64.urlsafe_b64encode(tail).rstrip(b'=').decode()}")


def brackets() -> str:
    """More of them inside one another than a reader of JSON follows."""
    return base64.urlsafe_b64encode(b"[" * 45_000).decode().rstrip("=")


def signed_brackets(world: World) -> TestResponse:
    head = base64.urlsafe_b64encode(b'{"alg":"RS256","kid":"k1","typ":"JWT"}').rstrip(b"=").decode()
    text = f"{head}.{brackets()}"
    tail = private_key().sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    return world.launch(f"{text}.{base64.urlsafe_b64encode(tail).rstrip(b'=').decode()}")


def key_in_the_header(world: World) -> TestResponse:
    claims = world.lms.claims(world.asked["nonce"], **lis("S1"))
    head = {"kid": "k1", "jwk": public_jwk("k1", "theirs")}
    return world.launch(jwt.encode(claims, private_key("theirs"), algorithm="RS256", headers=head))


def changed_after_signing(world: World) -> TestResponse:
    head, body, tail = world.lms.signed(world.lms.claims(world.asked["nonce"], **lis("S1"))).split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    claims |= lis("T1")
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return world.launch(f"{head}.{body}.{tail}")


def of_another_platform(world: World) -> TestResponse:
    with transaction():
        values = world.lms.registration | {"issuer": "https://other.test", "client_id": "c2"}
        platforms.add(platforms.Registered(**values, deployments=("1",)), world.system.b.campus.id, actor_uid=None)
    return world.launch(iss="https://other.test", aud="c2", **lis("S1"))


def replayed(world: World) -> TestResponse:
    token = world.lms.signed(world.lms.claims(world.asked["nonce"], **lis("S1")))
    assert world.launch(token).status_code == 200
    return world.launch(token)


def replayed_with_a_new_state(world: World) -> TestResponse:
    token = world.lms.signed(world.lms.claims(world.asked["nonce"], **lis("S1")))
    assert world.launch(token).status_code == 200
    world.login()
    return world.launch(token)


def from_another_browser(world: World) -> TestResponse:
    return world.launch(client=world.client.application.test_client(), **lis("S1"))


def secret_sent_by_another_site(world: World) -> TestResponse:
    other = world.client.application.test_client()
    cookie = world.client.get_cookie("lti_browser", path="/lti", domain="localhost")
    assert cookie is not None
    evil = WINDOW | {"Origin": "https://evil.test"}
    return world.launch(client=other, headers=evil, more={"browser": cookie.value}, **lis("S1"))


def state_of_somebody_else(world: World) -> TestResponse:
    other = world.client.application.test_client()
    mine = dict(world.asked)
    world.login(client=other)
    theirs, world.asked = dict(world.asked), mine
    return world.launch(state=theirs["state"], **lis("S1"))


def state_changed(world: World) -> TestResponse:
    return world.launch(state=world.asked["state"][:-2] + "xx", **lis("S1"))


def state_of_another_kind(world: World) -> TestResponse:
    return world.launch(state=links.sign("sign-in", {"p": 1, "o": "x", "b": "x", "h": "x", "s": ""}), **lis("S1"))


def state_too_old(world: World) -> TestResponse:
    # What signs states has its own clock: the state is made as if that had stood still.
    import itsdangerous

    before = itsdangerous.TimestampSigner.get_timestamp
    itsdangerous.TimestampSigner.get_timestamp = lambda self: before(self) - 700  # type: ignore[method-assign]
    try:
        world.login()
    finally:
        itsdangerous.TimestampSigner.get_timestamp = before  # type: ignore[method-assign]
    return world.launch(**lis("S1"))


def hint_swapped(world: World) -> TestResponse:
    """Somebody puts another user's hint into the login: Moodle refuses to identify, and posts the refusal."""
    world.login(login_hint="u2")
    sent = {"state": world.asked["state"], "error": "access_denied"}
    return world.client.post("/lti/launch", data=sent, headers=WINDOW)


def hint_of_another_moodle_user(world: World) -> TestResponse:
    with transaction():
        world.platform.product = "moodle"
    world.login(login_hint="u2")
    return world.launch(**lis("S1"))


def platform_switched_off_meanwhile(world: World) -> TestResponse:
    with transaction():
        platforms.switch(world.platform, on=False, actor_uid=None)
    return world.launch(**lis("S1"))


ATTACKS: dict[str, tuple[Attack, str]] = {
    "alg none": (lambda w: forged(w, {"alg": "none"}), "algorithm"),
    "alg none with a kid": (lambda w: forged(w, {"alg": "None", "kid": "k1"}, b"x"), "algorithm"),
    "HS256 with the public key": (hs256_with_the_public_key, "algorithm"),
    "ES256": (lambda w: forged(w, {"alg": "ES256", "kid": "k1"}, b"x"), "algorithm"),
    "no kid": (lambda w: forged(w, {"alg": "RS256"}, b"x"), "kid_missing"),
    "kid is no text": (lambda w: forged(w, {"alg": "RS256", "kid": ["k1"]}, b"x"), "kid_missing"),
    "unknown kid": (
        lambda w: w.launch(w.lms.signed(w.lms.claims(w.asked["nonce"]), kid="k9", name="theirs")), "unknown_kid",
    ),
    "signed by somebody else": (
        lambda w: w.launch(w.lms.signed(w.lms.claims(w.asked["nonce"], **lis("S1")), name="theirs")), "signature",
    ),
    "brings its own key": (key_in_the_header, "signature"),
    "changed after signing": (changed_after_signing, "signature"),
    "not signed": (lambda w: forged(w, {"alg": "RS256", "kid": "k1"}), "signature"),
    "no token": (lambda w: w.launch(""), "token_missing"),
    "no JWT": (lambda w: w.launch("abc"), "token_parts"),
    "header is no JSON": (lambda w: w.launch("%%%.x.y"), "token_header"),
    "header of brackets": (lambda w: w.launch(f"{brackets()}.e30.e30"), "token_header"),
    "claims of brackets, genuinely signed": (signed_brackets, "signature"),
    "header is a list": (lambda w: w.launch("W10.x.y"), "token_header"),
    "huge": (lambda w: w.launch("a.b." + "c" * 70_000), "token_too_long"),
    "wrong issuer": (lambda w: w.launch(iss="https://evil.test", **lis("S1")), "issuer"),
    "another platform's launch": (of_another_platform, "issuer"),
    "no issuer": (lambda w: w.launch(iss=..., **lis("S1")), "issuer"),
    "wrong audience": (lambda w: w.launch(aud="other", **lis("S1")), "audience"),
    "no audience": (lambda w: w.launch(aud=..., **lis("S1")), "audience"),
    "several audiences without azp": (lambda w: w.launch(aud=[CLIENT, "other"], **lis("S1")), "authorised_party"),
    "wrong azp": (lambda w: w.launch(azp="other", **lis("S1")), "authorised_party"),
    "several audiences, wrong azp": (
        lambda w: w.launch(aud=[CLIENT, "other"], azp="other", **lis("S1")), "authorised_party",
    ),
    "expired": (lambda w: shifted(w, iat=-timedelta(minutes=5), exp=-timedelta(minutes=4)), "expired"),
    "lives for years, signed long ago": (
        lambda w: shifted(w, iat=-timedelta(days=30), exp=timedelta(days=900)), "expired",
    ),
    "of the future": (lambda w: shifted(w, iat=timedelta(minutes=5), exp=timedelta(minutes=6)), "future"),
    "not before later": (lambda w: shifted(w, nbf=timedelta(minutes=5)), "future"),
    "no expiry": (lambda w: w.launch(exp=..., **lis("S1")), "times_missing"),
    "expiry is a text": (lambda w: w.launch(exp="never", **lis("S1")), "times_missing"),
    "no nonce": (lambda w: w.launch(nonce=..., **lis("S1")), "nonce"),
    "another nonce": (lambda w: w.launch(w.lms.signed(w.lms.claims("n", **lis("S1")))), "nonce"),
    "replayed": (replayed, "replayed"),
    "replayed with a new state": (replayed_with_a_new_state, "nonce"),
    "wrong deployment": (lambda w: w.launch(**{f"{CLAIM}deployment_id": "99"}), "deployment"),
    "deployment with a NUL": (lambda w: w.launch(**{f"{CLAIM}deployment_id": "9\0"}), "deployment_missing"),
    "no deployment": (lambda w: w.launch(**{f"{CLAIM}deployment_id": ...}), "deployment_missing"),
    "no version": (lambda w: w.launch(**{f"{CLAIM}version": ...}), "message"),
    "LTI 1.1": (lambda w: w.launch(**{f"{CLAIM}version": "LTI-1p0"}), "message"),
    "no roles": (lambda w: w.launch(**{f"{CLAIM}roles": ...}), "message"),
    "no resource link": (lambda w: w.launch(**{f"{CLAIM}resource_link": ...}), "message"),
    "resource link is a text": (lambda w: w.launch(**{f"{CLAIM}resource_link": "4"}), "message"),
    "no message type": (lambda w: w.launch(**{f"{CLAIM}message_type": ...}), "message_type"),
    "message type is a list": (lambda w: w.launch(**{f"{CLAIM}message_type": []}), "message_type"),
    "another message": (lambda w: w.launch(**{f"{CLAIM}message_type": "LtiSubmissionReviewRequest"}), "message_type"),
    "anonymous": (lambda w: w.launch(sub=..., **lis("S1")), "message"),
    "leads elsewhere": (
        lambda w: w.launch(**{f"{CLAIM}target_link_uri": "https://evil.test/lti/launch"}), "target_elsewhere",
    ),
    "leads to no address": (lambda w: w.launch(**{f"{CLAIM}target_link_uri": "http://[x"}), "target_elsewhere"),
    "leads to a name like ours": (
        lambda w: w.launch(**{f"{CLAIM}target_link_uri": "http://bridge.test.evil.test/"}), "target_elsewhere",
    ),
    "state missing": (lambda w: w.launch(state="", **lis("S1")), "state_missing"),
    "state changed": (state_changed, "state_bad"),
    "state of another kind": (state_of_another_kind, "state_bad"),
    "state too old": (state_too_old, "state_bad"),
    "from another browser": (from_another_browser, "other_browser"),
    "state of another browser": (state_of_somebody_else, "other_browser"),
    "another site sends the browser's secret": (secret_sent_by_another_site, "other_browser"),
    "login hint swapped": (hint_swapped, "platform_error"),
    "login hint of another Moodle user": (hint_of_another_moodle_user, "login_hint"),
    "platform switched off": (platform_switched_off_meanwhile, "platform_off"),
}  # fmt: skip


def test_a_launch_that_is_not_genuine_is_refused(world: World, app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    wrong = []
    for name, (attack, reason) in ATTACKS.items():
        with transaction():
            world.platform.product, world.platform.disabled_at = "", None
        world.client = app.test_client()
        world.login()
        caplog.clear()
        with caplog.at_level(logging.DEBUG):
            answer = attack(world)
        told = "What to do next" in answer.text or "接下来怎么做" in answer.text
        in_order = {
            f"answers {answer.status_code}": 400 <= answer.status_code < 500,
            f"logs {caplog.messages}": f"lti refused: {reason}, platform {world.platform.uid}" in caplog.text
            or reason.startswith("state_"),
            "says nobody what to do": told,
            "logs a token": "eyJ" not in caplog.text and world.asked["state"] not in caplog.text,
            "signs somebody in": world.client.get("/").status_code == 302 or name.startswith("replayed"),
        }
        wrong += [f"{name}: {problem}" for problem, fine in in_order.items() if not fine]
    assert not wrong, "\n".join(wrong)
    assert len(ATTACKS) >= 25


LOGINS: dict[str, tuple[dict[str, str], str]] = {
    "no issuer": ({"iss": ""}, "login_incomplete"),
    "no hint": ({"login_hint": ""}, "login_incomplete"),
    "no target": ({"target_link_uri": ""}, "login_incomplete"),
    "unknown issuer": ({"iss": "https://evil.test"}, "unregistered"),
    "unknown client": ({"client_id": "other"}, "unregistered"),
    "target elsewhere": ({"target_link_uri": "https://evil.test/"}, "target_elsewhere"),
    "target with our name as user": ({"target_link_uri": "http://bridge.test@evil.test/"}, "target_elsewhere"),
    "target with a backslash": ({"target_link_uri": "http://bridge.test\\@evil.test/"}, "target_elsewhere"),
    "target is no address": ({"target_link_uri": "http://[x"}, "target_elsewhere"),
    "issuer with a NUL": ({"iss": "\0"}, "unregistered"),
    "target is a script": ({"target_link_uri": "javascript:alert(1)"}, "target_elsewhere"),
    "far too long": ({"login_hint": "x" * 5000}, "login_too_long"),
}


def test_a_login_that_leads_astray_is_refused(world: World, caplog: pytest.LogCaptureFixture) -> None:
    wrong = []
    for name, (sent, reason) in LOGINS.items():
        caplog.clear()
        answer = world.login(**sent)
        refused = 400 <= answer.status_code < 500 and "Location" not in answer.headers
        if not refused or f"lti refused: {reason}," not in caplog.text:
            wrong.append(f"{name}: {answer.status_code} {caplog.messages}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("address", ["http://[x", "http://x:99999/", "http://[::1", "http://" + "x" * 70 + ".test"])
def test_a_registration_from_no_address_is_refused(world: World, address: str) -> None:
    token = registration.invitation(world.system.a.campus.uid, "x")
    answer = world.client.get(f"/lti/register/{token}", query_string={"openid_configuration": address})
    assert 400 <= answer.status_code < 500


def test_a_host_that_is_no_host_is_refused(world: World) -> None:
    answer = world.client.post("/lti/go", data={"ticket": "x"}, headers={"Host": "[x", "Origin": "http://evil.test"})
    assert 400 <= answer.status_code < 500


def test_a_token_that_cannot_be_read_is_told_apart(world: World) -> None:
    said = {"abc": "has 3 parts, this has 1", "%%%.x.y": "the first part of the token is no JSON object"}
    for token, words in said.items():
        world.login()
        world.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
        assert words in world.launch(token).text


def test_a_login_without_client_id_needs_an_issuer_with_one_registration(world: World) -> None:
    assert world.login(client_id="").status_code == 302
    with transaction():
        values = world.lms.registration | {"client_id": "c2"}
        platforms.add(platforms.Registered(**values), world.system.b.campus.id, actor_uid=None)
    assert world.login(client_id="").status_code == 400


def test_an_unknown_deployment_waits_for_the_administrator(world: World) -> None:
    world.login()
    world.launch(**{f"{CLAIM}deployment_id": "99"})
    waiting = db.session.query(LtiDeployment).filter_by(deployment_id="99").one()
    assert waiting.allowed_at is None
    with transaction():
        platforms.allow(world.platform, "99", actor_uid=None)
    world.login()
    assert world.launch(**{f"{CLAIM}deployment_id": "99"}, **lis("S1")).status_code == 200


def test_clocks_may_differ_by_a_minute(world: World) -> None:
    for by in (timedelta(seconds=100), timedelta(seconds=-50)):
        world.login()
        with clock.at(now() - by):
            claims = world.lms.claims(world.asked["nonce"], **lis("S1"))
        assert world.launch(world.lms.signed(claims)).status_code == 200


def test_a_launch_counts_once_for_two_processes(world: World, settings: Any) -> None:
    """Both have checked the token before either has used it up."""
    from lms_bridge.lti import known, launch, login

    world.login()
    sent = {"id_token": world.lms.signed(world.lms.claims(world.asked["nonce"], **lis("S1")))}
    state = login.read_state(world.asked["state"])
    begun = known.platform(state.platform_id)
    first, second = (launch.check(sent, state, begun, base_url="http://bridge.test") for _ in range(2))
    with transaction():
        launch.consume(first)
    with pytest.raises(launch.LtiRefused, match="used before"), transaction():
        launch.consume(second)


def test_invented_key_ids_make_us_knock_once(world: World) -> None:
    for number in range(5):
        world.login()
        world.launch(world.lms.signed(world.lms.claims(world.asked["nonce"]), kid=f"k{number + 20}"))
    assert world.lms.asked == ["/certs"]


def test_a_new_key_of_the_platform_is_fetched_when_it_is_first_seen(world: World) -> None:
    world.login()
    assert world.launch(**lis("S1")).status_code == 200
    world.lms.keys = {"k2": "second"}
    with clock.at(now() + timedelta(minutes=2)):
        world.login()
        token = world.lms.signed(world.lms.claims(world.asked["nonce"], **lis("S1")), kid="k2", name="second")
        assert world.launch(token).status_code == 200
        world.login()
        assert world.launch(**lis("S1")).status_code == 403, "the withdrawn key signs nothing any more"


def test_a_platform_whose_keys_cannot_be_had_is_refused_in_words(world: World) -> None:
    answers = (
        (500, ""), (200, "<html>maintenance"), (200, "null"), (200, '{"keys": 3}'), (302, ""),
        (200, '{"keys": [{"kty": "oct"}]}'),
    )  # fmt: skip
    for status, body in answers:
        world.lms.broken["/certs"] = (status, body)
        with transaction():
            db.session.execute(sa.update(LtiPlatform).values(key_set_tried_at=None))
        world.login()
        answer = world.launch(**lis("S1"))
        assert answer.status_code == 403, body
        assert "a key that it does not publish" in answer.text


def test_refusals_leave_no_sign_in_behind(world: World, app: Flask) -> None:
    world.login()
    world.launch(aud="other", **lis("S1"))
    assert db.session.query(AuditEntry).filter_by(action="sign_in").count() == 0
    assert STATE not in world.asked["state"]
