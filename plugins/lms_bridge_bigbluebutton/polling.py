"""Who is in the running rooms, by asking each server once: the state that webhooks only make more exact.

BigBlueButton tells of a room who is inside, not since when. Whoever appears has joined by now; whoever is gone was
there until the last look that saw them. What was seen last is kept in the cursor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from lms_bridge.core.plugins import (
    EvidenceKind,
    Gap,
    MeetingSpec,
    PluginError,
    PresenceEvent,
    PresenceReport,
    Room,
)
from lms_bridge_bigbluebutton.client import Client, Cluster
from lms_bridge_bigbluebutton.rooms import FoundMeeting
from lms_bridge_bigbluebutton.settings import Server

UNSEEN = timedelta(seconds=60)
"""Two looks that are further apart than this leave a gap between them."""
GIVEN_UP = 3
"""After so many looks in a row that one server did not answer while another did, its rooms count as lost."""
HOOK_EVERY = timedelta(minutes=5)
"""bbb-webhooks forgets an address that did not answer for about five minutes: it is registered again and again."""


def poll(
    cluster: Cluster,
    meetings: Sequence[tuple[MeetingSpec, Room]],
    cursor: Mapping[str, Any],
    now: datetime,
    register: Callable[[Client], None],
) -> PresenceReport:
    """Ask the servers of ``meetings``. ``register`` is called for a server whose webhooks are to be asked for again.

    :raises PluginError: no server of the account answers.
    """
    hooks = {url: at for url, at in cursor.get("hooks", {}).items() if cluster.server(url)}
    looks = _Looks(cursor, now)
    rooms = _by_server(meetings)
    for server, answer in _answers(cluster, list(rooms), hooks, now, register).items():
        looks.at(server.url, rooms.pop(server.url), answer)
    for homeless in rooms.values():  # their server was taken out of the settings: they are made anew at another
        looks.lost(homeless)
    return looks.report(hooks)


def _by_server(meetings: Sequence[tuple[MeetingSpec, Room]]) -> dict[str, list[str]]:
    rooms: dict[str, list[str]] = {}
    for _, room in meetings:
        rooms.setdefault(str(room.state.get("server")), []).append(room.external_ids[0])
    return rooms


def _answers(
    cluster: Cluster, urls: Sequence[str], hooks: dict[str, str], now: datetime, register: Callable[[Client], None]
) -> Mapping[Server, list[FoundMeeting] | PluginError]:
    def look(client: Client) -> list[FoundMeeting]:
        found = client.meetings()
        last = hooks.get(client.server.url)
        if last is None or now - datetime.fromisoformat(last) >= HOOK_EVERY:
            hooks[client.server.url] = now.isoformat()
            register(client)
        return found

    answers = cluster.ask([server for server in cluster.servers if server.url in urls], look)
    problems = [answer for answer in answers.values() if isinstance(answer, PluginError)]
    if problems and len(problems) == len(answers):
        others = cluster.ask([server for server in cluster.servers if server not in answers], Client.meetings)
        if all(isinstance(answer, PluginError) for answer in others.values()):
            raise problems[0]
    return answers


class _Looks:
    """What the looks at all servers tell, and what the next ones need."""

    def __init__(self, cursor: Mapping[str, Any], now: datetime) -> None:
        self._before, self._silences, self._now = cursor.get("rooms", {}), cursor.get("silent", {}), now
        self._rooms: dict[str, Any] = {}
        self._silent: dict[str, int] = {}
        self._events: list[PresenceEvent] = []
        self._ended: list[tuple[str, datetime]] = []
        self._gaps: list[Gap] = []

    def at(self, url: str, names: Sequence[str], answer: list[FoundMeeting] | PluginError) -> None:
        """One server with our rooms ``names`` said what it has, or nothing."""
        if isinstance(answer, PluginError):
            self._silent[url] = self._silences.get(url, 0) + 1
            if self._silent[url] >= GIVEN_UP:
                self.lost(names)
            else:
                self._rooms |= {name: self._before[name] for name in names if name in self._before}
            return
        inside = {one.meeting_id: one for one in answer if not one.over}
        for name in names:
            seen = _Seen(name, self._before.get(name), self._now)
            kept = seen.compare(inside.get(name))
            self._events += seen.events
            self._gaps += seen.gaps
            if kept is None:
                self.lost([name])
            else:
                self._rooms[name] = kept

    def lost(self, names: Sequence[str]) -> None:
        """These rooms are there no more."""
        self._ended += [(name, self._now) for name in names]

    def report(self, hooks: Mapping[str, str]) -> PresenceReport:
        """All of it."""
        cursor = {"rooms": self._rooms, "hooks": dict(hooks), "silent": self._silent}
        return PresenceReport(self._events, self._ended, self._gaps, cursor)


class _Seen:
    """What two looks at one room tell together. ``before`` is what the last one kept, if there was one: its time, the
    room's making, who was inside, and how often each had come."""

    def __init__(self, name: str, before: Mapping[str, Any] | None, now: datetime) -> None:
        self._name, self._now = name, now
        self._made = before["made"] if before else None
        self._at = datetime.fromisoformat(before["at"]) if before else now
        self._inside: list[str] = before["inside"] if before else []
        self._visits: dict[str, int] = dict(before["visits"]) if before else {}
        self.events: list[PresenceEvent] = []
        self.gaps: list[Gap] = []
        if before and now - self._at > UNSEEN:
            self.gaps.append(Gap(self._at, now, "bigbluebutton did not answer", name))

    def compare(self, room: FoundMeeting | None) -> dict[str, Any] | None:
        """Note who came and who went; what the next look needs, None when the room is gone."""
        if room is None or room.create_time != self._made:
            self._gone(self._inside)
            self._inside, self._visits = [], {}
        if room is None:
            return None
        self._made = room.create_time
        self._gone([user for user in self._inside if user not in room.people])
        for user in sorted(room.people - set(self._inside)):
            self._visits[user] = self._visits.get(user, 0) + 1
            self._tell(user, EvidenceKind.JOINED, self._now)
        return {
            "made": self._made,
            "at": self._now.isoformat(),
            "inside": sorted(room.people),
            "visits": self._visits,
        }

    def _gone(self, users: Sequence[str]) -> None:
        for user in users:
            self._tell(user, EvidenceKind.LEFT, self._at)

    def _tell(self, user: str, kind: EvidenceKind, at: datetime) -> None:
        # The number of the visit and no time: a look that is repeated because its answer was not stored tells the same.
        key = f"{self._name}:{self._made}:{user}:{self._visits[user]}:{kind}"
        self.events.append(PresenceEvent(key, self._name, kind, at, attendee_uid=user))
