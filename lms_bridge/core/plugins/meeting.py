"""The kind of plugin that brings rooms for lessons: video-conferencing systems and the built-in classroom."""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar

from lms_bridge.core.plugins.base import Plugin


class RoomRole(enum.StrEnum):
    """What a person may do in a room: lead it, take part, or watch (support, researchers)."""

    LEADER = "leader"
    PARTICIPANT = "participant"
    OBSERVER = "observer"


@dataclass(frozen=True)
class ProviderCapabilities:
    """What a provider can do; code asks these flags, never the provider's name."""

    lazy_create: bool = False
    """Rooms must not be made long before they are used (they expire); make them at the first click."""
    keep_unused: timedelta | None = None
    """How long an unused room is kept; None means for ever."""
    local_join_url: bool = True
    """``join_url`` needs no network call; otherwise it is fetched beforehand and stored."""
    real_time_presence: bool = False
    """Joins and leaves are known while the lesson runs (webhooks, polls or an observer)."""
    report_afterwards: bool = False
    """A report of all joins and leaves can be fetched after the end."""
    per_person_link: bool = True
    """A join address proves who came; otherwise names must be matched."""
    host_licences: bool = False
    """A room occupies a licensed host for its time; hosts come from a pool and are never double-booked."""
    server_end: bool = False
    """A room can be ended from outside."""
    recordings: bool = False
    """The provider keeps recordings."""
    needs_observer: bool = False
    """Presence comes only from an observer connection that LMS Bridge holds open during the lesson."""
    leader_address_keep: timedelta | None = None
    """The leader's address opens a host's account and expires: it is fetched after the click only, kept for at most
    this long and forgotten once used. None: it is like everyone's."""
    heartbeat: bool = False
    """The room is our own page, which reports presence itself."""
    embeddable: bool = False
    """The room is served by us and opens in the lesson page itself instead of a new tab."""


@dataclass(frozen=True)
class MeetingSpec:
    """The room that is wanted. ``key`` is unique per lesson and attempt, fit for addresses (lower-case letters,
    digits, ``-``) and never used again; times are aware UTC. ``host`` is one of :meth:`MeetingProvider.hosts`, held
    for this room alone. ``ended_at`` is given once the room is over."""

    key: str
    lesson_uid: str
    attempt: int
    title: str
    starts_at: datetime
    ends_at: datetime
    locale: str
    zone: str
    lesson_url: str
    callback_url: str
    expected: int = 0
    host: str | None = None
    state: Mapping[str, Any] = field(default_factory=dict)
    ended_at: datetime | None = None


@dataclass(frozen=True)
class Room:
    """What the provider must remember of a room: plain JSON, stored by us, handed back in every later call.
    ``external_ids`` are the provider's names of it, by which webhooks find the meeting."""

    external_ids: tuple[str, ...]
    state: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class FoundRoom:
    """A room that exists at the provider and was made by this installation; ``key`` is the one of its meeting. By the
    ``external_ids`` of ``room``, the same as those of :meth:`MeetingProvider.ensure`, the meeting's own room is told
    from another one that was made for it by mistake."""

    key: str
    room: Room


@dataclass(frozen=True)
class Attendee:
    """A person at the door. ``uid`` is opaque and comes back in presence events; ``display_name`` is unique within
    the lesson."""

    uid: str
    display_name: str
    role: RoomRole
    locale: str
    email: str | None = None


class EvidenceKind(enum.StrEnum):
    """What was seen of a person: entered, left, or was there at that moment."""

    JOINED = "joined"
    LEFT = "left"
    SEEN = "seen"


@dataclass(frozen=True)
class PresenceEvent:
    """One observation of one person (or of an identity that nobody is matched to yet).

    ``event_key`` is unique per provider account and the same when the event is told twice. ``external_id`` finds the
    meeting. ``at`` is the provider's time. ``quality`` is ``measured``, ``reported`` (afterwards) or ``client``.
    """

    event_key: str
    external_id: str
    kind: EvidenceKind
    at: datetime
    attendee_uid: str | None = None
    identity: str | None = None
    quality: str = "measured"


@dataclass(frozen=True)
class Gap:
    """A time in which the provider could show nothing: unknown, never absence. ``external_id`` is the one room that
    was not seen; None means all rooms of the account. A long gap may be told in pieces that touch."""

    starts_at: datetime
    ends_at: datetime
    reason: str
    external_id: str | None = None


@dataclass(frozen=True)
class PresenceReport:
    """Events since the last look, the ends of meetings that were seen (a room that somebody removed has ended, too),
    and gaps in which nothing could be seen."""

    events: Sequence[PresenceEvent] = ()
    ended: Sequence[tuple[str, datetime]] = ()
    gaps: Sequence[Gap] = ()
    cursor: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class WebhookAnswer:
    """What a webhook said, and what its sender is answered. ``body`` is sent with ``media_type``. ``look``: something
    may have happened that the webhook does not prove; :meth:`MeetingProvider.presence` will show."""

    report: PresenceReport = PresenceReport()
    look: bool = False
    status: int = 200
    body: bytes = b""
    media_type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True)
class Capacity:
    """How many rooms and people fit at once (None: no known limit) and how many are in use now."""

    rooms: int | None = None
    people: int | None = None
    rooms_in_use: int = 0
    people_in_use: int = 0


@dataclass(frozen=True)
class Recording:
    """A recording that the provider keeps; ``url`` is where people watch it."""

    external_id: str
    recording_id: str
    title: str
    starts_at: datetime
    ends_at: datetime
    url: str


class Observer(ABC):
    """Sees who is in the running rooms of one account, by connections that it holds open.

    One process holds it and one thread calls it. Its account's other calls go on beside it, in other processes. The
    cursor of each report says who is inside; whoever stores it together with the report's events and gives it to the
    next observer loses nobody when a process dies. The time between two observers is a gap that only the holder knows.
    """

    @abstractmethod
    def watch(self, meetings: Sequence[tuple[MeetingSpec, Room]]) -> None:
        """These are the rooms that run now: go into those that are new, leave those that are no longer named.
        Returns at once; a room that cannot be entered is tried again until it is no longer named, and is a gap."""

    @abstractmethod
    def read(self, seconds: float) -> PresenceReport:
        """What was seen since the last call; waits at most ``seconds`` for something to happen. A room that cannot be
        reached raises nothing: it is a gap."""

    @abstractmethod
    def close(self) -> PresenceReport:
        """Leave all rooms; what was seen since the last call. Closing twice is no error."""


class MeetingProvider(Plugin):
    """Brings rooms. All calls but :meth:`join_url` (with ``local_join_url``) and :meth:`parse_webhook` run in jobs.

    Calls raise :class:`TemporaryFailure` where a repeat may help and :class:`PluginError` where it will not.
    """

    capabilities: ClassVar[ProviderCapabilities]

    @abstractmethod
    def ensure(self, meeting: MeetingSpec, room: Room | None) -> Room:
        """Make the room, or find it: called twice (also after a lost answer), there is still one room.
        ``room`` is what an earlier call returned, if any."""

    @abstractmethod
    def join_url(self, meeting: MeetingSpec, room: Room, attendee: Attendee) -> str:
        """The address by which ``attendee`` enters now. Personal: it is never mailed or logged."""

    def update(self, meeting: MeetingSpec, room: Room) -> Room:
        """The lesson moved or was renamed. Providers without a schedule have nothing to do."""
        return room

    def join_urls(self, meeting: MeetingSpec, room: Room, attendees: Sequence[Attendee]) -> Mapping[str, str]:
        """Addresses by attendee uid, for providers without ``local_join_url``: asked for beforehand, in batches as
        large as the provider takes. Who is not in the answer gets theirs at the click, by :meth:`join_url`."""
        return {one.uid: self.join_url(meeting, room, one) for one in attendees}

    def hosts(self) -> Sequence[str]:
        """With ``host_licences``: who can lead rooms, each one room at a time. From the settings, without a call."""
        return ()

    def host_realm(self) -> str:
        """Within what the names of :meth:`hosts` belong to one person: hosts of the same name in two accounts of one
        realm are never booked twice. Empty: everywhere, as is so of mail addresses."""
        return ""

    def end(self, meeting: MeetingSpec, room: Room) -> None:
        """End the room for all (or give it back). Ending twice is no error. For a room that :meth:`open_rooms` found,
        of ``meeting`` only ``key`` and ``state`` are sure."""

    def open_rooms(self) -> Iterable[FoundRoom]:
        """Rooms that exist at the provider now and carry this installation's mark, whether or not a lesson still needs
        them; other people's rooms are never named. Those that nobody needs are then ended."""
        return ()

    def probe(self) -> None:
        """One cheap call that shows whether the provider answers, and takes our account. Made every few seconds while
        lessons run, unless :meth:`presence` is.

        :raises PluginError: it does not.
        """
        self.capacity()

    def presence(self, meetings: Sequence[tuple[MeetingSpec, Room]], cursor: Mapping[str, Any]) -> PresenceReport:
        """Who is, or was, there. With ``real_time_presence`` one poll for all running ``meetings`` of the account (none
        has an ``ended_at``); with ``report_afterwards`` the reports of meetings that are over (all have one), asked for
        several times, since reports come late and grow: what was told before may be told again. ``cursor`` is the one
        of the last report of the same sort. Left as it is by providers that tell by webhooks or an observer alone."""
        return PresenceReport(cursor=cursor)

    def observer(self, cursor: Mapping[str, Any]) -> Observer:
        """A new observer of the account's rooms; asked for only where the capabilities say ``needs_observer``.
        ``cursor`` is the one of the last report that was stored."""
        raise NotImplementedError(f"{self.identifier} has no observer")

    def parse_webhook(
        self,
        headers: Mapping[str, str],
        query: Mapping[str, str],
        raw_body: bytes,
        *,
        meeting: MeetingSpec | None = None,
    ) -> WebhookAnswer:
        """Verify and read one webhook (POST, or GET with an empty body), without any network call. Header names come in
        lower case. ``meeting`` is the one whose ``callback_url`` was called; None: the account's ``webhook_url`` was.

        :raises WebhookRefused: it is not genuine, or not readable.
        """
        from lms_bridge.core.i18n import N_
        from lms_bridge.core.plugins.base import WebhookRefused

        raise WebhookRefused(N_("This provider sends no webhooks."))

    def capacity(self) -> Capacity:
        """How much room there is; may ask the provider."""
        return Capacity()

    def recordings(self, meetings: Sequence[tuple[MeetingSpec, Room]]) -> Iterable[Recording]:
        """Recordings of these meetings."""
        return ()
