"""The Jitsi plugin against a loopback server that looks at tokens as Prosody does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import jwt
import pytest
import time_machine
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from lms_bridge_jitsi import JitsiProvider, JitsiSettings, tokens
from pydantic import ValidationError

from lms_bridge.core.plugins import (
    CheckState,
    EvidenceKind,
    PluginError,
    PresenceEvent,
    RoomRole,
    WebhookRefused,
)
from tests.contracts.jitsi_server import DOMAIN, EVENTS_TOKEN, SECRET, Jitsi, Occupant, Refused, body, jitsi_server
from tests.contracts.meetings import attendee, context, lesson

BEGIN = "-----BEGIN PRIVATE KEY-----"
TEACHER, STUDENT, GUEST = (attendee(role) for role in RoomRole)


@pytest.fixture
def jitsi() -> Iterator[Jitsi]:
    with jitsi_server() as server:
        yield server


def settings_for(jitsi: Jitsi, **changes: Any) -> JitsiSettings:
    known = {"url": jitsi.url, "app_id": jitsi.app_id, "secret": SECRET, "xmpp_domain": DOMAIN}
    return JitsiSettings.model_validate(known | {"events_token": EVENTS_TOKEN} | changes)


def provider_for(jitsi: Jitsi, **changes: Any) -> JitsiProvider:
    return JitsiProvider(settings_for(jitsi, **changes), context())


@pytest.fixture
def provider(jitsi: Jitsi) -> JitsiProvider:
    return provider_for(jitsi)


@pytest.fixture(scope="module")
def key() -> tuple[str, bytes]:
    """Private and public half of a key."""
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return (
        made.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode(),
        made.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
    )  # fmt: skip


# --- rooms and tokens -------------------------------------------------------------------------------------------------


def test_a_room_s_name_is_not_to_be_guessed_from_the_lesson(jitsi: Jitsi) -> None:
    spec = lesson()
    (name,) = provider_for(jitsi).ensure(spec, None).external_ids
    (other,) = provider_for(jitsi, secret="another secret of the same length!").ensure(spec, None).external_ids
    assert name != other
    assert name == name.lower()
    assert len(name.removeprefix(spec.key)) > 20


def test_a_changed_secret_leaves_the_rooms_that_were_made(jitsi: Jitsi, provider: JitsiProvider) -> None:
    room = provider.ensure(lesson(), None)
    assert provider_for(jitsi, secret="another secret of the same length!").ensure(lesson(), room) == room


def test_nobody_but_a_teacher_s_token_so_much_as_names_the_moderator(jitsi: Jitsi, provider: JitsiProvider) -> None:
    room = provider.ensure(lesson(), None)

    def user(who: Any) -> dict[str, str]:
        token = parse_qs(urlsplit(provider.join_url(lesson(), room, who)).query)["jwt"][0]
        found: dict[str, str] = jwt.decode(token, options={"verify_signature": False})["context"]["user"]
        return found

    assert user(TEACHER)["affiliation"] == "owner"
    assert user(TEACHER)["moderator"] == "true"
    for who in (STUDENT, GUEST):
        assert user(who)["affiliation"] == "member"
        assert "moderator" not in user(who)
        assert "email" not in user(who)


def test_an_address_is_good_until_half_an_hour_after_the_lesson(jitsi: Jitsi, provider: JitsiProvider) -> None:
    spec = lesson()
    room = provider.ensure(spec, None)
    address = provider.join_url(spec, room, STUDENT)
    with time_machine.travel(spec.ends_at + timedelta(minutes=29), tick=False):
        jitsi.open(address)
    with time_machine.travel(spec.ends_at + timedelta(minutes=31), tick=False), pytest.raises(Refused, match="exp"):
        jitsi.open(address)


def test_a_room_in_a_tenant_is_opened_and_its_events_are_known(jitsi: Jitsi) -> None:
    jitsi.tenant = "school"
    provider = provider_for(jitsi, tenant="school")
    room = provider.ensure(lesson(), None)
    jitsi.open(provider.join_url(lesson(), room, STUDENT))
    assert [event.external_id for event in told(provider, jitsi.told[0])] == list(room.external_ids)


def test_a_key_of_two_halves_opens_the_room_also_when_a_form_took_its_line_breaks(
    jitsi: Jitsi, key: tuple[str, bytes]
) -> None:
    jitsi.algorithm, jitsi.keys = "RS256", {"bridge/1": key[1]}
    provider = provider_for(jitsi, algorithm="RS256", key_id="bridge/1", secret=key[0].replace("\n", " "))
    room = provider.ensure(lesson(), None)
    assert jitsi.open(provider.join_url(lesson(), room, TEACHER)).moderator


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "PEM"),
        ({"key_id": ""}, "needs the name of the key"),
        ({"secret": "-----BEGIN PRIVATE KEY-----AAAA-----END PRIVATE KEY-----"}, "PEM"),
    ],
)
def test_a_key_that_is_none_is_refused_when_it_is_entered(jitsi: Jitsi, changes: dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError, match=said) as caught:
        settings_for(jitsi, **({"algorithm": "RS256", "key_id": "bridge/1"} | changes))
    assert SECRET not in str(caught.value)


def test_jitsi_s_page_is_in_the_person_s_language_and_students_are_muted(jitsi: Jitsi, provider: JitsiProvider) -> None:
    room = provider.ensure(lesson(), None)

    def page(who: Any) -> tuple[str, dict[str, Any]]:
        parts = urlsplit(provider.join_url(lesson(), room, who))
        pairs = (pair.split("=", 1) for pair in parts.fragment.split("&"))
        return parse_qs(parts.query)["lang"][0], {name: json.loads(unquote(value)) for name, value in pairs}

    lang, student = page(STUDENT)
    assert lang == "zh-CN"
    assert student["config.startWithAudioMuted"] is True
    assert student["config.localSubject"] == lesson().title
    assert page(TEACHER)[1]["config.startWithAudioMuted"] is False


# --- the check --------------------------------------------------------------------------------------------------------


def failed(provider: JitsiProvider) -> str:
    return " ".join(f"{c.detail} {c.remedy}" for c in provider.check() if c.state is CheckState.FAILED)


def test_the_check_says_in_words_what_prosody_says(jitsi: Jitsi, key: tuple[str, bytes]) -> None:
    assert failed(provider_for(jitsi)) == ""
    assert "wrong secret or wrong algorithm" in failed(provider_for(jitsi, secret="another secret of the same length!"))
    assert "signature_algorithm" in failed(provider_for(jitsi, algorithm="HS384", secret=SECRET * 2))
    assert "app_id" in failed(provider_for(jitsi, app_id="somebody"))
    assert "asap_accepted_audiences" in failed(provider_for(jitsi, audience="somebody"))
    assert "nobody.test" in failed(provider_for(jitsi, xmpp_domain="nobody.test"))
    assert "does not answer as Prosody" in failed(provider_for(jitsi, url=f"{jitsi.url}/room"))
    jitsi.algorithm = "RS256"
    known = {"algorithm": "RS256", "key_id": "bridge/1", "secret": key[0]}
    assert tokens.key_file("bridge/1") in failed(provider_for(jitsi, **known))


def test_a_jitsi_that_lets_in_without_a_token_fails_the_check(jitsi: Jitsi) -> None:
    jitsi.allow_empty_token = True
    assert "Whoever knows the address" in failed(provider_for(jitsi))


def test_without_event_sync_the_check_warns_and_no_event_is_taken(jitsi: Jitsi) -> None:
    provider = provider_for(jitsi, events_token=None)
    assert [c for c in provider.check() if "does not see who" in c.detail and c.state is CheckState.WARNING]
    room = provider.ensure(lesson(), None)
    jitsi.open(provider.join_url(lesson(), room, STUDENT))
    for token in ("None", "", EVENTS_TOKEN):
        with pytest.raises(WebhookRefused):
            provider.parse_webhook({"authorization": f"Bearer {token}"}, {}, body(jitsi.told[0]))


# --- who is in a room -------------------------------------------------------------------------------------------------


def told(provider: JitsiProvider, event: dict[str, Any]) -> list[PresenceEvent]:
    answer = provider.parse_webhook({"authorization": f"Bearer {EVENTS_TOKEN}"}, {}, body(event))
    return list(answer.report.events)


def test_a_breakout_room_is_the_lesson_too(jitsi: Jitsi, provider: JitsiProvider) -> None:
    room = provider.ensure(lesson(), None)
    at = int(datetime(2030, 9, 2, tzinfo=UTC).timestamp())
    in_main = Occupant("7@meet.test/a", room.external_ids[0], {"id": STUDENT.uid, "name": "李华"}, at, False)
    in_breakout = replace(in_main, joined_at=at)  # whole seconds: moved within the second of coming
    events = [
        *told(provider, jitsi.tell("muc-occupant-joined", in_main)),
        *told(provider, jitsi.tell("muc-occupant-left", in_main)),
        *told(provider, jitsi.tell("muc-occupant-joined", in_breakout, breakout="b1")),
        *told(provider, jitsi.tell("muc-occupant-left", in_breakout, breakout="b1")),
    ]
    assert {event.external_id for event in events} == set(room.external_ids)
    assert {event.attendee_uid for event in events} == {STUDENT.uid}
    assert len({event.event_key for event in events}) == 4


def test_the_end_of_a_room_tells_what_was_lost_and_nothing_twice(jitsi: Jitsi, provider: JitsiProvider) -> None:
    room = provider.ensure(lesson(), None)
    seen = jitsi.open(provider.join_url(lesson(), room, STUDENT))
    lost = jitsi.open(provider.join_url(lesson(), room, TEACHER))
    first = told(provider, jitsi.told[0])
    jitsi.leave(seen)
    first += told(provider, jitsi.told[-1])
    # Prosody names who never left without a time, and a recorder without a name.
    occupants = [jitsi.occupant(seen, left=True), jitsi.occupant(lost, left=False)]
    occupants.append({"occupant_jid": "recorder@meet.test/r", "joined_at": seen.joined_at})
    times = {"created_at": seen.joined_at, "destroyed_at": seen.joined_at + 2400}
    event = jitsi.head("muc-room-destroyed", seen.room) | times | {"all_occupants": occupants}
    rest = told(provider, event)
    assert {e.event_key for e in first} < {e.event_key for e in rest}
    new = [e for e in rest if e.event_key not in {f.event_key for f in first}]
    assert [(e.attendee_uid, e.kind) for e in new] == [
        (TEACHER.uid, EvidenceKind.JOINED),
        (TEACHER.uid, EvidenceKind.LEFT),
    ]
    assert new[1].at == datetime.fromtimestamp(seen.joined_at + 2400, UTC)
    assert told(provider, event | {"all_occupants": {}}) == []  # what Lua makes of an empty list


@pytest.mark.parametrize(
    "broken",
    [
        {"room_name": None}, {"room_name": 7}, {"occupant": None}, {"occupant": []}, {"room_jid": ""},
        {"occupant": {"occupant_jid": "a@b/c", "id": "x", "joined_at": "yesterday"}},
        {"occupant": {"occupant_jid": "a@b/c", "id": "x", "joined_at": 1e30}},
        {"occupant": {"occupant_jid": "a@b/c", "id": "x", "joined_at": True}},
        {"event_name": "muc-room-destroyed", "destroyed_at": 1, "all_occupants": [7]},
    ],
)  # fmt: skip
def test_an_event_that_makes_no_sense_is_refused_as_unreadable(
    jitsi: Jitsi, provider: JitsiProvider, broken: dict[str, Any]
) -> None:
    room = provider.ensure(lesson(), None)
    jitsi.open(provider.join_url(lesson(), room, STUDENT))
    with pytest.raises(PluginError) as caught:
        told(provider, jitsi.told[0] | broken)
    assert getattr(caught.value, "answer_status", None) == 400
