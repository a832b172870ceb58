"""Two accounts at one video system: whichever of them hears of a room, it is noted for the lesson that has it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from lms_bridge.core import clock
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.plugins import EvidenceKind, Gap, PresenceEvent, PresenceReport, Room
from lms_bridge.lessons import accounts, gaps, intake, meetings, providers
from lms_bridge.lessons.models import HeldEvent, MeetingState, PresenceEvidence, ProviderAccount
from tests.lessons.hall import sign
from tests.lessons.support import START
from tests.lessons.test_webhooks import World, world

__all__ = ["world"]


def second(world: World, **settings: Any) -> ProviderAccount:
    """The bureau's own account at the same Hall, but for what is said otherwise."""
    with transaction():
        return accounts.add(
            world.school.bureau, "hall", name="Hall of the bureau", settings=world.hall.settings(**settings), actor=None
        )


def tell(world: World, account: ProviderAccount, *events: dict[str, Any], **more: Any) -> None:
    """The Hall tells this account."""
    body = json.dumps({"events": events} | more).encode()
    secret = {"X-Hall-Signature": sign(body)}
    answer = world.client.post(f"/hooks/providers/{account.hook_token}", data=body, headers=secret)
    assert answer.status_code == 200


def test_what_the_other_account_of_the_same_server_hears_is_noted_once(world: World) -> None:
    meeting, other = world.make_room(), second(world, url=f"{world.hall.url}/")
    came, went = world.event("joined", 1), world.event("left", 6)
    tell(world, other, came)
    assert world.seen() == [(EvidenceKind.JOINED, 1)]
    world.tell(came, went)
    tell(world, other, came, went)
    assert world.seen() == [(EvidenceKind.JOINED, 1), (EvidenceKind.LEFT, 6)]
    own = providers.source_of(world.account)
    assert {one.source for one in db.session.query(PresenceEvidence)} - {"door"} == {own}
    with transaction():
        gap = Gap(START, START + timedelta(minutes=2), "odd", world.hall.rooms[world.key]["id"])
        intake.store(other, PresenceReport(gaps=[gap]))
    (found,) = gaps.gaps_between(START, now(), lesson_id=world.lesson.id)
    assert (found.source, found.reason) == (own, "odd")
    with clock.at(START + timedelta(minutes=20)):
        room = {"room": world.hall.rooms[world.key]["id"], "at": (START + timedelta(minutes=15)).isoformat()}
        tell(world, other, ended=[room])
    db.session.refresh(meeting)
    assert meeting.state is MeetingState.WANTED


@pytest.mark.parametrize("through", ["the call", "the tick"])
def test_what_the_other_account_hears_before_the_room_is_known_is_not_lost(world: World, through: str) -> None:
    other = second(world)
    world.hall.rooms[world.key] = {"key": world.key, "id": "early", "events": [], "mark": "http://bridge.test"}
    came, at = world.event("joined", 2), START + timedelta(minutes=2)
    if through == "the call":
        tell(world, other, came)
        world.make_room()
    else:
        # Two transactions that did not see each other.
        world.make_room()
        with transaction():
            early = PresenceEvent(came["id"], came["room"], EvidenceKind.JOINED, at, world.student.uid)
            intake._hold(other, [early], [])
            intake.adopt_all(db.session.get_one(ProviderAccount, world.account.id))
    assert world.seen() == [(EvidenceKind.JOINED, 2)]
    assert db.session.query(HeldEvent).count() == 0


@pytest.mark.parametrize("differs", ["url", "secret"])
def test_nothing_is_believed_of_rooms_at_another_server(world: World, differs: str) -> None:
    other = second(world)
    world.hall.rooms[world.key] = {"key": world.key, "id": "r1", "events": [], "mark": "http://bridge.test"}
    tell(world, other, world.event("joined", 1))
    with transaction():
        # It is another one: with a server of its own, or with a secret that somebody made up.
        db.session.get_one(ProviderAccount, world.account.id).settings = world.hall.settings() | (
            {"url": f"http://127.0.0.2:{world.hall.port}"} if differs == "url" else {"secret": "quite another secret"}
        )
        meetings.keep_room(meeting := meetings.wish(world.lesson), Room(("r1",)))
        meeting.state, meeting.ready_at = MeetingState.READY, now()
        intake.adopt(meeting)
    tell(world, other, world.event("left", 2), ended=[{"room": "r1", "at": now().isoformat()}])
    with transaction():
        intake.adopt_all(db.session.get_one(ProviderAccount, world.account.id))
    assert world.seen() == []
    db.session.refresh(meeting)
    assert meeting.state is MeetingState.READY
    assert db.session.query(HeldEvent).filter_by(account_id=other.id).count() == 3
