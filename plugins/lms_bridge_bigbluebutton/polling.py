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
    asked = [s for s in cluster.servers if any(room.state.get("server") == s.url for _, room in meetings)]
    hooks = {url: at for url, at in cursor.get("hooks", {}).items() if cluster.server(url)}

    def look(client: Client) -> list[FoundMeeting]:
        found = client.meetings()
        last = hooks.get(client.server.url)
        if last is None or now - datetime.fromisoformat(last) >= HOOK_EVERY:
            hooks[client.server.url] = now.isoformat()
            register(client)
        return found

    answers = cluster.ask(asked, look)
    problems = [answer for answer in answers.values() if isinstance(answer, PluginError)]
    if problems and len(problems) == len(answers):
        others = cluster.ask([s for s in cluster.servers if s not in answers], Client.meetings)
        if all(isinstance(answer, PluginError) for answer in others.values()):
            raise problems[0]
    before = cursor.get("rooms", {})
    silent: dict[str, int] = {}
    rooms: dict[str, Any] = {}
    events: list[PresenceEvent] = []
    # A server that was taken out of the settings: its rooms are made anew at another.
    homeless = [room.external_ids[0] for _, room in meetings if cluster.server(room.state.get("server")) is None]
    ended: list[tuple[str, datetime]] = [(name, now) for name in homeless]
    gaps: list[Gap] = []
    for server, answer in answers.items():
        of_server = [room.external_ids[0] for _, room in meetings if room.state.get("server") == server.url]
        if isinstance(answer, PluginError):
            silent[server.url] = cursor.get("silent", {}).get(server.url, 0) + 1
            lost = silent[server.url] >= GIVEN_UP
            for name in of_server:
                if lost:
                    ended.append((name, now))
                elif name in before:
                    rooms[name] = before[name]
            continue
        inside = {one.meeting_id: one for one in answer if not one.over}
        for name in of_server:
            seen = _Seen(name, before.get(name), now)
            kept = seen.compare(inside.get(name))
            events += seen.events
            gaps += seen.gaps
            if kept is None:
                ended.append((name, now))
            else:
                rooms[name] = kept
    return PresenceReport(events, ended, gaps, {"rooms": rooms, "hooks": hooks, "silent": silent})


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
