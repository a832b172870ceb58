"""All calls of a meeting provider that may speak with the outside, each with the scene on which it is made and what
must be true once it has succeeded: what the table of faults is run over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from lms_bridge.core.clock import now
from lms_bridge.core.plugins import (
    Attendee,
    EvidenceKind,
    FoundRoom,
    MeetingProvider,
    MeetingSpec,
    PresenceEvent,
    PresenceReport,
    Recording,
    Room,
    RoomRole,
)
from tests.contracts.meetings import Rig, attendee

PEOPLE = (attendee(number=7), attendee(number=8))


@dataclass
class Scene:
    """What there is before a call is made, and what was told of presence since."""

    rig: Rig
    spec: MeetingSpec
    room: Room | None = None
    more: Sequence[tuple[MeetingSpec, Room]] = ()
    """Further rooms, for calls that ask for several."""
    events: list[PresenceEvent] = field(default_factory=list)
    cursor: Any = field(default_factory=dict)

    @property
    def made(self) -> Room:
        """The room."""
        assert self.room is not None
        return self.room

    @property
    def pairs(self) -> list[tuple[MeetingSpec, Room]]:
        """All rooms."""
        return [(self.spec, self.made), *self.more]

    def at(self, url: str) -> Scene:
        """The same, as if its rooms had been made at the server at ``url``."""
        room = self.rig.at(self.room, url) if self.room is not None else None
        return replace(self, room=room, more=[(spec, self.rig.at(room, url)) for spec, room in self.more])

    def take(self, report: PresenceReport) -> None:
        """Store a report as LMS Bridge does, with its cursor."""
        self.events += report.events
        self.cursor = report.cursor

    def told(self) -> set[tuple[str, str, EvidenceKind]]:
        """What was told: room, person (by uid, or by the name or address that leads to it), and what they did."""
        known = {name: who.uid for who in PEOPLE for name in (who.uid, who.display_name, who.email)}
        return {(e.external_id, known[e.attendee_uid or e.identity], e.kind) for e in self.events}


@dataclass(frozen=True)
class Call:
    """One call. ``done`` asserts what a user would notice of its success, given what the call returned."""

    name: str
    scene: Callable[[Rig], Scene]
    ask: Callable[[MeetingProvider, Scene], Any]
    done: Callable[[Scene, Any], None]


# --- scenes ----------------------------------------------------------------------------------------------------------


def nothing(rig: Rig) -> Scene:
    """No room yet."""
    return Scene(rig, rig.spec())


def room(rig: Rig) -> Scene:
    """A room, and nobody in it."""
    spec = rig.spec()
    return Scene(rig, spec, rig.provider().ensure(spec, None))


def coming(rig: Rig) -> Scene:
    """A room for later, where nobody was."""
    starts_at = now().replace(microsecond=0) + timedelta(hours=2)
    spec = rig.spec(starts_at=starts_at, ends_at=starts_at + timedelta(minutes=40))
    return Scene(rig, spec, rig.provider().ensure(spec, None))


def going_on(rig: Rig) -> Scene:
    """Two rooms, with one person in each."""
    return _entered(rig)[0]


def recorded(rig: Rig) -> Scene:
    """The same, with a recording of each."""
    scene = going_on(rig)
    for _, room in scene.pairs:
        rig.record(room)
    return scene


def over(rig: Rig) -> Scene:
    """Two rooms that are over, in each of which one person was."""
    scene, entered = _entered(rig)
    for one in entered:
        rig.leave(one)
    for _, room in scene.pairs:
        rig.over(room)
    ended = [(replace(spec, ended_at=now()), room) for spec, room in scene.pairs]
    return replace(scene, spec=ended[0][0], more=ended[1:])


def _entered(rig: Rig) -> tuple[Scene, list[Any]]:
    provider = rig.provider()
    specs = [rig.spec(), rig.spec(key="01k7lesson-2", lesson_uid="01k7other")]
    pairs = [(spec, provider.ensure(spec, None)) for spec in specs]
    entered = []
    if rig.enters:
        entered = [
            rig.enter(provider.join_url(spec, room, who)) for (spec, room), who in zip(pairs, PEOPLE, strict=True)
        ]
        assert None not in entered
    return Scene(rig, specs[0], pairs[0][1], pairs[1:]), entered


# --- what must be true -----------------------------------------------------------------------------------------------


def made_once(scene: Scene, made: Room) -> None:
    """There is one room, and it is this."""
    assert made.external_ids
    assert len(scene.rig.rooms()) <= 1
    assert _lets_in(scene, attendee(), scene.rig.provider().join_url(scene.spec, made, attendee()))


def same_room(scene: Scene, updated: Room) -> None:
    """It is the room that was there."""
    assert updated.external_ids == scene.made.external_ids
    made_once(scene, updated)


def ended(scene: Scene, _: object) -> None:
    """The room is there no more; the other one is."""
    assert len(scene.rig.rooms()) == len(scene.more)


def enters(role: RoomRole) -> Callable[[Scene, str], None]:
    """The address lets in, and as ``role``."""

    def check(scene: Scene, url: str) -> None:
        assert _lets_in(scene, attendee(role), url)

    return check


def all_enter(scene: Scene, addresses: dict[str, str]) -> None:
    """Each has an address that lets in."""
    assert set(addresses) == {who.uid for who in PEOPLE}
    for who in PEOPLE:
        assert _lets_in(scene, who, addresses[who.uid])


def _lets_in(scene: Scene, who: Attendee, url: str) -> bool:
    if not scene.rig.enters:
        return True
    entered = scene.rig.enter(url)
    return entered is not None and entered.role is who.role


def seen(*kinds: EvidenceKind) -> Callable[[Scene, None], None]:
    """Everybody was seen, in their room and in no other, so and not otherwise, and each sight counts once."""

    def check(scene: Scene, _: None) -> None:
        here = zip(scene.pairs, PEOPLE, strict=True)
        assert scene.told() == {(room.external_ids[0], who.uid, kind) for (_, room), who in here for kind in kinds}
        assert len({event.event_key for event in scene.events}) == len(PEOPLE) * len(kinds)

    return check


def seen_inside(scene: Scene, _: None) -> None:
    """Everybody is seen where asking tells who is inside; elsewhere nobody is."""
    if scene.rig.polls:
        seen(EvidenceKind.JOINED)(scene, None)
    else:
        assert scene.events == []


def answered(scene: Scene, _: object) -> None:
    """Nothing but that it was answered."""


def found(scene: Scene, rooms: list[FoundRoom]) -> None:
    """Both rooms, and no other."""
    assert {one.key for one in rooms} == {spec.key for spec, _ in scene.pairs}


def listed(scene: Scene, recordings: list[Recording]) -> None:
    """The recording of each room."""
    assert {one.external_id for one in recordings} == {room.external_ids[0] for _, room in scene.pairs}


def _moved(spec: MeetingSpec) -> MeetingSpec:
    later = timedelta(minutes=20)
    return replace(spec, title="English 5-1", starts_at=spec.starts_at + later, ends_at=spec.ends_at + later)


def _presence(provider: MeetingProvider, scene: Scene) -> None:
    scene.take(provider.presence(scene.pairs, scene.cursor))


def _report(provider: MeetingProvider, scene: Scene) -> None:
    if provider.capabilities.report_afterwards:
        _presence(provider, scene)


CALLS = (
    Call("ensure", nothing, lambda p, s: p.ensure(s.spec, None), made_once),
    Call("update", room, lambda p, s: p.update(_moved(s.spec), s.made), same_room),
    Call("end", going_on, lambda p, s: p.end(s.spec, s.made), ended),
    Call("take back", coming, lambda p, s: p.end(s.spec, s.made), ended),
    Call(
        "leader",
        room,
        lambda p, s: p.join_url(s.spec, s.made, attendee(RoomRole.LEADER)),
        enters(RoomRole.LEADER),
    ),
    Call("addresses", room, lambda p, s: p.join_urls(s.spec, s.made, PEOPLE), all_enter),
    Call("presence", going_on, _presence, seen_inside),
    Call("report", over, _report, seen(EvidenceKind.JOINED, EvidenceKind.LEFT)),
    Call("recordings", recorded, lambda p, s: list(p.recordings(s.pairs)), listed),
    Call("open rooms", going_on, lambda p, s: list(p.open_rooms()), found),
    Call("capacity", going_on, lambda p, s: p.capacity(), answered),
    Call("probe", room, lambda p, s: p.probe(), answered),
)
