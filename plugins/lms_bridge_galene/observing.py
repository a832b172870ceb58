"""The observer: a silent client in each running group, which notes who comes and goes.

Galene has no other way to learn names. Its messages carry no times, so the time is that of receipt. The observer is no
operator: with one inside, a locked group would look led and its rules for groups without a teacher would not hold.
"""

from __future__ import annotations

import logging
import queue
import secrets
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from lms_bridge.core.plugins import (
    EvidenceKind,
    Gap,
    MeetingSpec,
    NotThere,
    Observer,
    PluginError,
    PresenceEvent,
    PresenceReport,
    Room,
    now,
)
from lms_bridge_galene.connection import Client, Connection

log = logging.getLogger(__name__)

PIECE = timedelta(seconds=15)
"""A gap that lasts is told in pieces of this length."""
SHORT = timedelta(seconds=1)
"""What the first connection takes is no gap."""
LOOK = timedelta(seconds=2)
"""Galene's page goes in and out again as soon as it is opened, to see whether the token is good; its person goes in by
a click. So a visit is told only when it has lasted this long, with the time at which it began."""
PAUSES = (0.5, 1, 2, 3, 5)
"""Seconds between one try to enter and the next."""
REASON = "observer"

Enter = Callable[[MeetingSpec, Room], Connection]
Whom = Callable[[Room, Client], str | None]


@dataclass(frozen=True)
class _Person:
    """Somebody inside: the name that all see, and our id where the token was ours."""

    name: str
    uid: str | None


@dataclass(frozen=True)
class _Seen:
    """What a room's thread has to tell: somebody came, went or is still there; or nothing was seen for a while; or
    since when the group is there no more."""

    room: str
    client_id: str = ""
    person: _Person | None = None
    event: PresenceEvent | None = None
    gap: Gap | None = None
    ended: tuple[str, datetime] | None = None


class GaleneObserver(Observer):
    """One thread and one connection for each room. ``enter`` opens a connection, ``whom`` names the person behind a
    client."""

    def __init__(self, enter: Enter, whom: Whom, cursor: Mapping[str, Any]) -> None:
        self._enter, self._whom = enter, whom
        self._rooms: dict[str, _Watch] = {}
        self._told: queue.SimpleQueue[_Seen] = queue.SimpleQueue()
        self._inside: dict[str, dict[str, _Person]] = {
            key: {client_id: _Person(*who) for client_id, who in people.items()}
            for key, people in cursor.get("inside", {}).items()
        }
        """Who is inside, as far as it was told."""

    def watch(self, meetings: Sequence[tuple[MeetingSpec, Room]]) -> None:
        wanted = {spec.key: (spec, room) for spec, room in meetings}
        for key in [key for key in self._rooms if key not in wanted]:
            self._rooms.pop(key).stop()
        for key in [key for key in self._inside if key not in wanted]:
            del self._inside[key]
        for key, (spec, room) in wanted.items():
            if key in self._rooms:
                self._rooms[key].room = room  # made anew, it has another key
            else:
                known = dict(self._inside.get(key, {}))
                self._rooms[key] = _Watch(spec, room, self._enter, self._whom, self._told, known)

    def read(self, seconds: float) -> PresenceReport:
        events: list[PresenceEvent] = []
        ended: list[tuple[str, datetime]] = []
        gaps = [gap for room in self._rooms.values() if (gap := room.blind(PIECE)) is not None]
        try:
            # Whoever has a gap to tell is not kept waiting for an event.
            seen = self._told.get(timeout=seconds) if not gaps else self._told.get_nowait()
            while True:
                self._note(seen)
                events += [seen.event] if seen.event is not None else []
                gaps += [seen.gap] if seen.gap is not None else []
                ended += [seen.ended] if seen.ended is not None else []
                seen = self._told.get_nowait()
        except queue.Empty:
            pass
        gaps.sort(key=lambda gap: gap.starts_at)
        return PresenceReport(events=events, ended=ended, gaps=gaps, cursor=self._cursor())

    def _note(self, seen: _Seen) -> None:
        if seen.event is not None and seen.room in self._rooms:
            people = self._inside.setdefault(seen.room, {})
            if seen.event.kind is EvidenceKind.LEFT:
                people.pop(seen.client_id, None)
            elif seen.person is not None:
                people[seen.client_id] = seen.person

    def _cursor(self) -> dict[str, Any]:
        return {
            "inside": {
                key: {client_id: [who.name, who.uid] for client_id, who in people.items()}
                for key, people in self._inside.items()
                if people
            }
        }

    def close(self) -> PresenceReport:
        rooms = list(self._rooms.values())
        last = [gap for room in rooms if (gap := room.blind(SHORT)) is not None]
        for room in rooms:
            room.stop()
        rest = self.read(0)
        self.watch(())
        for room in rooms:
            room.thread.join(timeout=2)
        return replace(rest, gaps=[*rest.gaps, *last])


class _Watch:
    """One room: a thread that enters it, and enters it again whenever the connection breaks."""

    def __init__(
        self,
        spec: MeetingSpec,
        room: Room,
        enter: Enter,
        whom: Whom,
        told: queue.SimpleQueue[_Seen],
        known: dict[str, _Person],
    ) -> None:
        self._spec, self.room, self._enter, self._whom, self._told = spec, room, enter, whom, told
        self._known = known
        """Who was inside when the room was last seen."""
        self._visits: defaultdict[str, int] = defaultdict(int)
        self._external_id = room.external_ids[0]
        self._lock = threading.Lock()
        self._blind_since: datetime | None = now()
        self._connection: Connection | None = None
        self._stopped = threading.Event()
        self.thread = threading.Thread(target=self._run, name=f"galene-observer-{spec.key}", daemon=True)
        self.thread.start()

    def blind(self, least: timedelta) -> Gap | None:
        """The time since the last such answer in which the room was not seen, if it is longer than ``least``."""
        moment = now()
        with self._lock:
            since = self._blind_since
            if since is None or moment - since < least:
                return None
            self._blind_since = moment
        return Gap(since, moment, REASON, self._external_id)

    def stop(self) -> None:
        """Leave the room; the thread ends soon, and tells nothing more."""
        self._stopped.set()
        with self._lock:
            if self._connection is not None:
                self._connection.cut()

    def _run(self) -> None:
        failures, gone = 0, False
        while not self._stopped.is_set():
            try:
                connection = self._enter(self._spec, self.room)
            except PluginError as error:
                if isinstance(error, NotThere) and not gone:
                    gone = True
                    self._told.put(_Seen(self._spec.key, ended=(self._external_id, now())))
                if failures == 0:
                    log.warning("the observer cannot enter room %s; it tries again: %s", self._spec.key, error)
            except Exception:
                log.exception("the observer of room %s failed; it tries again", self._spec.key)
            else:
                failures, gone = 0, False
                self._look_until_broken(connection)
            self._stopped.wait(PAUSES[min(failures, len(PAUSES) - 1)])
            failures += 1

    def _look_until_broken(self, connection: Connection) -> None:
        try:
            self._look(connection)
        except PluginError as error:
            if not self._stopped.is_set():
                log.warning("the observer of room %s lost its connection: %s", self._spec.key, error)
        except Exception:  # whatever it was: the room is entered again
            log.exception("the observer of room %s failed; it goes in again", self._spec.key)

    def _look(self, connection: Connection) -> None:
        """Note who comes and goes until the connection breaks.

        :raises TemporaryFailure: it is broken.
        """
        moment = now()
        with self._lock:
            if self._stopped.is_set():
                connection.close()
                return
            self._connection = connection
            since, self._blind_since = self._blind_since, None
        if since is not None and moment - since >= SHORT:
            self._told.put(_Seen(self._spec.key, gap=Gap(since, moment, REASON, self._external_id)))
        inside = connection.inside
        for client_id in [client_id for client_id in self._known if client_id not in inside]:
            self._tell(client_id, EvidenceKind.LEFT, moment)
        fresh: dict[str, tuple[Client, datetime]] = {}
        """Those who came less than :data:`LOOK` ago, with the time."""
        for client in inside.values():
            if client.id in self._known:
                self._came(client, EvidenceKind.SEEN, moment)
            else:
                fresh[client.id] = (client, moment)
        try:
            while not self._stopped.is_set():
                change = connection.next(seconds=0.5 if fresh else 60)
                if self._stopped.is_set():
                    return
                if change is not None:
                    client, came = change
                    if came:
                        fresh[client.id] = (client, now())
                    elif fresh.pop(client.id, None) is None:
                        self._tell(client.id, EvidenceKind.LEFT, now())
                for client, at in [one for one in fresh.values() if now() - one[1] >= LOOK]:
                    del fresh[client.id]
                    self._came(client, EvidenceKind.JOINED, at)
        finally:
            with self._lock:
                self._connection = None
                self._blind_since = now() - timedelta(seconds=connection.silence)
            connection.close()

    def _came(self, client: Client, kind: EvidenceKind, at: datetime) -> None:
        self._known[client.id] = _Person(client.name, self._whom(self.room, client))
        self._tell(client.id, kind, at)

    def _tell(self, client_id: str, kind: EvidenceKind, at: datetime) -> None:
        """Two observers of one room give one coming and one going the same key: a client's id is used for one visit,
        and numbered should it ever come again."""
        person = self._known[client_id]
        visit = self._visits[client_id]
        key = f"{client_id[:64]}:{kind.value}" + (f":{visit}" if visit else "")
        if kind is EvidenceKind.LEFT:
            del self._known[client_id]
            self._visits[client_id] += 1
        elif kind is EvidenceKind.SEEN:
            key += f":{secrets.token_hex(8)}"
        event = PresenceEvent(
            event_key=key,
            external_id=self._external_id,
            kind=kind,
            at=at,
            attendee_uid=person.uid,
            identity=person.name,
        )
        self._told.put(_Seen(self._spec.key, client_id, person, event))
