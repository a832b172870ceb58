"""One contract over all meeting providers: what a room is, who gets in as what, what is told of them, and that nothing
that a forger does is believed. What a server does in its bad hour: tests/contracts/test_provider_faults.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from lms_bridge.core.clock import now
from lms_bridge.core.plugins import (
    Attendee,
    CheckState,
    EvidenceKind,
    PresenceEvent,
    RoomRole,
    WebhookRefused,
)
from tests.contracts.meetings import Rig, Webhook, attendee
from tests.contracts.rigs import RIGS

LATER = timedelta(hours=1)


@pytest.fixture
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    """A provider and its server."""
    made = request.param()
    yield made
    made.close()


def over(fits: Callable[[type[Rig]], bool]) -> pytest.MarkDecorator:
    """Once for each rig that ``fits``."""
    return pytest.mark.parametrize("rig", [r for r in RIGS if fits(r)], indirect=True, ids=lambda r: r.name)


ALL = over(lambda rig: True)
ENTERED = over(lambda rig: rig.enters)
TELLING = over(lambda rig: rig.webhooks)


# --- rooms -----------------------------------------------------------------------------------------------------------


@ALL
def test_made_twice_a_room_is_one_and_the_same(rig: Rig) -> None:
    spec = rig.spec()
    first = rig.provider().ensure(spec, None)
    made = rig.rooms()
    assert first.external_ids
    assert rig.provider().ensure(spec, None).external_ids == first.external_ids
    assert rig.provider().ensure(spec, first) == first
    assert rig.rooms() == made


@ALL
def test_another_attempt_is_another_room(rig: Rig) -> None:
    first = rig.provider().ensure(rig.spec(), None)
    second = rig.provider().ensure(rig.spec(key="01k7lesson-2", attempt=2), None)
    assert not set(first.external_ids) & set(second.external_ids)


@ALL
def test_a_lesson_that_moved_or_was_renamed_keeps_its_room(rig: Rig) -> None:
    spec = rig.spec()
    room = rig.provider().ensure(spec, None)
    made = rig.rooms()
    moved = replace(spec, title="English 5-1", starts_at=spec.starts_at + LATER, ends_at=spec.ends_at + LATER)
    updated = rig.provider().update(moved, room)
    assert updated.external_ids == room.external_ids
    assert rig.rooms() == made


@ALL
def test_a_room_is_ended_once_however_often_it_is_said(rig: Rig) -> None:
    spec = rig.spec()
    room = rig.provider().ensure(spec, None)
    rig.provider().end(spec, room)
    rig.provider().end(spec, room)
    if rig.provider().capabilities.server_end:
        assert rig.rooms() == set()


@ALL
def test_the_check_says_that_all_is_well(rig: Rig) -> None:
    points = rig.provider().check()
    assert points
    assert [point for point in points if point.state is CheckState.FAILED] == []


# --- who gets in -----------------------------------------------------------------------------------------------------


@ENTERED
@pytest.mark.parametrize("role", list(RoomRole))
def test_everybody_enters_as_what_they_are(rig: Rig, role: RoomRole) -> None:
    spec = rig.spec()
    provider = rig.provider()
    room = provider.ensure(spec, None)
    entered = rig.enter(provider.join_url(spec, room, attendee(role)))
    assert entered is not None
    seen = RoomRole.PARTICIPANT if role is RoomRole.OBSERVER and not rig.observers else role
    assert entered.role is seen


@ENTERED
def test_an_address_that_somebody_changed_lets_nobody_in_as_another(rig: Rig) -> None:
    spec = rig.spec()
    provider = rig.provider()
    room = provider.ensure(spec, None)
    address = provider.join_url(spec, room, attendee())
    changed = rig.tampered(address)
    assert changed
    assert [url for url in changed if url == address] == []
    assert [entered for url in changed if (entered := rig.enter(url)) is not None] == []


# --- who was there ---------------------------------------------------------------------------------------------------


def tells_of(events: list[PresenceEvent], who: Attendee) -> list[EvidenceKind]:
    """What was told of a person, by uid or by the name or address that leads to it."""
    return [e.kind for e in events if e.attendee_uid == who.uid or e.identity in (who.display_name, who.email)]


@ENTERED
def test_who_came_is_seen_and_who_did_not_is_not(rig: Rig) -> None:
    spec, who = rig.spec(), attendee()
    provider = rig.provider()
    room = provider.ensure(spec, None)
    entered = rig.enter(provider.join_url(spec, room, who))
    assert entered is not None
    events = list(rig.observe(provider, [(spec, room)]).events)
    rig.leave(entered)
    events += rig.observe(provider, [(spec, room)]).events
    assert tells_of(events, who)
    assert tells_of(events, attendee(number=8)) == []
    assert {event.external_id for event in events} <= set(room.external_ids)
    assert all(event.at.tzinfo is not None for event in events)
    assert len({event.event_key for event in events}) == len(events)


# --- webhooks --------------------------------------------------------------------------------------------------------


def read(rig: Rig, webhook: Webhook) -> list[PresenceEvent]:
    """What a webhook tells."""
    answer = rig.provider().parse_webhook(webhook.headers, webhook.query, webhook.body, meeting=webhook.meeting)
    assert 200 <= answer.status < 300
    return list(answer.report.events)


@TELLING
def test_a_genuine_webhook_tells_who_came_and_a_doubled_one_the_same(rig: Rig) -> None:
    spec, who = rig.spec(), attendee()
    room = rig.provider().ensure(spec, None)
    webhooks = rig.sent(spec, room, who)
    events = [event for webhook in webhooks for event in read(rig, webhook)]
    assert tells_of(events, who)
    assert {event.external_id for event in events} <= set(room.external_ids)
    again = [
        event for webhook in reversed(webhooks) for event in read(rig, webhook)
    ]  # doubled, and the wrong way round
    assert sorted(e.event_key for e in again) == sorted(e.event_key for e in events)
    assert {e.event_key: e for e in again} == {e.event_key: e for e in events}


@TELLING
def test_a_forged_webhook_is_refused(rig: Rig) -> None:
    spec = rig.spec()
    room = rig.provider().ensure(spec, None)
    for webhook in rig.sent(spec, room, attendee()):
        forgeries = list(rig.forged(webhook))
        if rig.covers_body:
            forgeries.append(replace(webhook, body=webhook.body.replace(b"7", b"8")))
        assert forgeries
        for forgery in forgeries:
            with pytest.raises(WebhookRefused):
                read(rig, forgery)


@over(lambda rig: rig.webhooks and rig.stale is not None)
def test_a_webhook_that_somebody_kept_is_refused(rig: Rig) -> None:
    spec = rig.spec()
    room = rig.provider().ensure(spec, None)
    assert rig.stale is not None
    for webhook in rig.sent(spec, room, attendee(), at=now() - rig.stale - timedelta(seconds=5)):
        with pytest.raises(WebhookRefused):
            read(rig, webhook)


NONSENSE = [
    ("nothing", b""), ("a null", b"null"), ("a list", b"[]"), ("a number", b"7"), ("an empty object", b"{}"),
    ("no text", b"\xff\xfe\x00\x80"), ("another encoding", '{"event": "数学"}'.encode("gb18030")),
    ("too deep", b"[" * 100_000), ("ten megabytes", b"x" * 10 * 1024 * 1024),
    ("a form", b"event=%5B%7B%7D%5D&timestamp=1"), ("a surrogate", b'{"event": "\\ud800"}'),
]  # fmt: skip


@TELLING
@pytest.mark.parametrize("body", [row[1] for row in NONSENSE], ids=[row[0] for row in NONSENSE])
def test_a_signed_webhook_that_makes_no_sense_tells_nothing_and_breaks_nothing(rig: Rig, body: bytes) -> None:
    try:
        events = read(rig, rig.signed(body))
    except WebhookRefused:
        return
    assert events == []


@TELLING
def test_a_webhook_that_was_cut_off_is_refused(rig: Rig) -> None:
    spec = rig.spec()
    room = rig.provider().ensure(spec, None)
    for webhook in rig.sent(spec, room, attendee()):
        if rig.covers_body and webhook.body:
            with pytest.raises(WebhookRefused):
                read(rig, replace(webhook, body=webhook.body[: len(webhook.body) // 2]))
