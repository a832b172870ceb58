"""Galene's WebSocket in its bad hour: the end of a room and the observer hold, whatever is said or not said on it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from lms_bridge_galene import GaleneProvider, connection, observing

from lms_bridge.core.plugins import EvidenceKind, Observer, PluginError, PresenceReport, Room, TemporaryFailure
from tests.contracts.galene_rig import GaleneRig
from tests.contracts.galene_server import Galene, Peer
from tests.contracts.meetings import attendee, lesson

MEETING = lesson()
LI, WANG = attendee(number=7), attendee(number=8)

DEEP = "[" * 50_000
NO_MESSAGE = (
    "",
    "no JSON",
    "null",
    "7",
    "[]",
    '"ping"',
    DEEP,
    '{"type": "joined", "kind": "fail", "value": {"x": [7]}}',
)
"""Said by no Galene: the connection is given up."""
ODD = (
    '{"type": {}, "kind": []}',
    '{"type": "user", "kind": "add"}',
    '{"type": "user", "kind": ["add"], "id": {"x": 7}, "username": {"a": 1}, "permissions": {"op": 1}}',
    '{"type": "user", "kind": "delete", "id": null}',
    '{"type": "user", "kind": "add", "id": 7, "username": 8, "permissions": [7, null, {}]}',
)
"""Messages with something else than is looked for: whatever of them is wrong costs nobody else anything."""
FAULTS = ["silent", "mute", "lost", "empty", "html", "429", "500", "redirect", *NO_MESSAGE[1:]]


def short(fault: str) -> str:
    """A fault in the name of a test."""
    return fault[:12]


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> Iterator[GaleneRig]:
    """Galene, whose observer waits less than with people."""
    rig = GaleneRig()
    monkeypatch.setattr(observing, "LOOK", timedelta(seconds=0.05))
    monkeypatch.setattr(observing, "PAUSES", (0.02,))
    monkeypatch.setattr(observing, "SHORT", timedelta(0))
    yield rig
    rig.close()


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """A group that cannot be entered is given up soon."""
    with monkeypatch.context() as patched:
        patched.setattr(connection, "ENTER_SECONDS", 0.2)
        yield patched


@pytest.fixture
def galene(rig: GaleneRig) -> Galene:
    """Its server."""
    return rig.server


@pytest.fixture
def provider(rig: GaleneRig) -> GaleneProvider:
    """The plugin."""
    provider = rig.provider()
    assert isinstance(provider, GaleneProvider)
    return provider


@pytest.fixture
def room(provider: GaleneProvider) -> Room:
    """A group."""
    return provider.ensure(MEETING, None)


@pytest.fixture
def li(galene: Galene, provider: GaleneProvider, room: Room) -> Peer:
    """Somebody inside."""
    return galene.open(provider.join_url(MEETING, room, LI))


# --- the end of a room -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", FAULTS, ids=short)
def test_an_end_that_cannot_go_in_is_said_and_the_next_one_does_it(
    galene: Galene, provider: GaleneProvider, room: Room, li: Peer, soon: pytest.MonkeyPatch, fault: str
) -> None:
    galene.socket_faults = [fault]
    with pytest.raises(PluginError) as refusal:
        provider.end(MEETING, room)
    assert isinstance(refusal.value, TemporaryFailure) == (fault != "redirect" and "fail" not in fault)
    assert refusal.value.text()
    assert galene.groups, "who is inside would be left there for ever"
    soon.undo()
    provider.end(MEETING, room)
    assert li.kicked
    assert galene.groups == {}


def test_an_end_whose_connection_breaks_is_finished_by_the_next(
    galene: Galene, provider: GaleneProvider, room: Room
) -> None:
    inside = [galene.open(provider.join_url(MEETING, room, attendee(number=number))) for number in range(40)]
    galene.cut_at_kick = True
    with pytest.raises(TemporaryFailure):
        provider.end(MEETING, room)
    provider.end(MEETING, room)
    assert all(peer.kicked for peer in inside)
    assert galene.groups == {}


def test_the_end_of_a_group_that_is_taken_away_while_it_is_entered_is_done(
    galene: Galene, provider: GaleneProvider, room: Room
) -> None:
    galene.socket_faults = ["gone"]
    provider.end(MEETING, room)
    assert galene.groups == {}


# --- the observer -----------------------------------------------------------------------------------------------------


class Watch:
    """An observer, and all that it told."""

    def __init__(self, observer: Observer) -> None:
        self.observer = observer
        self.reports: list[PresenceReport] = []
        self.gaps = False
        """Whether a gap was told."""

    def until(self, *told: tuple[str, EvidenceKind]) -> None:
        """Read until these were told and nothing else, each once, since the last time."""
        end = time.monotonic() + 10
        while time.monotonic() < end:
            self.reports.append(self.observer.read(0.05))
            found = [(str(event.attendee_uid), event.kind) for report in self.reports for event in report.events]
            if sorted(found) == sorted(told):
                self.gaps = any(report.gaps for report in self.reports)
                self.reports = []
                return
        raise AssertionError(found)


@pytest.fixture
def watch(provider: GaleneProvider, room: Room) -> Iterator[Watch]:
    """An observer that is not yet told of any room."""
    observer = provider.observer({})
    yield Watch(observer)
    observer.close()


def test_an_observer_that_cannot_go_in_tells_a_gap_and_goes_in_when_it_can(
    galene: Galene, room: Room, li: Peer, soon: pytest.MonkeyPatch, watch: Watch
) -> None:
    galene.socket_faults = list(FAULTS)
    watch.observer.watch([(MEETING, room)])
    watch.until((LI.uid, EvidenceKind.JOINED))
    assert watch.gaps
    assert galene.socket_faults == []


def test_an_observer_that_hears_nonsense_or_is_cut_off_loses_nobody(
    galene: Galene, provider: GaleneProvider, room: Room, li: Peer, watch: Watch
) -> None:
    wang = galene.open(provider.join_url(MEETING, room, WANG))
    watch.observer.watch([(MEETING, room)])
    watch.until((LI.uid, EvidenceKind.JOINED), (WANG.uid, EvidenceKind.JOINED))
    for said in NO_MESSAGE:
        galene.socket_faults = ["lost"]  # the first way back is barred as well
        galene.babble(said)
        watch.until((LI.uid, EvidenceKind.SEEN), (WANG.uid, EvidenceKind.SEEN))
        assert watch.gaps
    galene.dismiss(wang)
    watch.until((WANG.uid, EvidenceKind.LEFT))


def test_an_observer_goes_on_where_a_message_is_odd(
    galene: Galene, provider: GaleneProvider, room: Room, li: Peer, watch: Watch
) -> None:
    watch.observer.watch([(MEETING, room)])
    watch.until((LI.uid, EvidenceKind.JOINED))
    for said in ODD:
        galene.babble(said)
    galene.dismiss(li)
    end = time.monotonic() + 10
    while (LI.uid, EvidenceKind.LEFT) not in [(e.attendee_uid, e.kind) for r in watch.reports for e in r.events]:
        assert time.monotonic() < end
        watch.reports.append(watch.observer.read(0.05))
