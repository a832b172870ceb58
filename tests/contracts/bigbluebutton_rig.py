"""BigBlueButton's rig: one server."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from lms_bridge_bigbluebutton import BigBlueButtonProvider, BigBlueButtonSettings

from lms_bridge.core.plugins import (
    Attendee,
    MeetingProvider,
    MeetingSpec,
    Network,
    PresenceReport,
    Room,
    RoomRole,
)
from tests.contracts.bigbluebutton_server import SECRET, BigBlueButton, Inside
from tests.contracts.json_api import Fault as ServerFault
from tests.contracts.json_api import Twist, running
from tests.contracts.meetings import LOOPBACK, PATIENCE, SECONDS, WEBHOOK_URL, Entered, Fault, Rig, Webhook, context


class BigBlueButtonRig(Rig):
    """The plugin at one server."""

    name = "bigbluebutton"
    polls = True
    asks = frozenset({"ensure", "end", "take back", "presence", "recordings", "open rooms", "capacity", "probe"})

    def __init__(self) -> None:
        self._stack = ExitStack()
        self.server = self._stack.enter_context(running(BigBlueButton(), ends_within=0.001))
        self.cursor: Mapping[str, Any] = {}
        self.seconds = PATIENCE

    def provider(
        self, *, url: str | None = None, networks: Sequence[Network] = LOOPBACK, **settings: object
    ) -> MeetingProvider:
        values = {"url": f"{url or self.server.url}/bigbluebutton/", "secret": SECRET} | settings
        return BigBlueButtonProvider(BigBlueButtonSettings(**values), context(networks, self.seconds))  # type: ignore[arg-type]

    def rooms(self) -> set[str]:
        return set(self.server.meetings)

    def enter(self, url: str) -> Entered | None:
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=5)
        connection.request("GET", f"{parts.path}?{parts.query}")
        answer = connection.getresponse()
        answer.read()
        connection.close()
        _, _, session = answer.headers.get("Location", "").partition("sessionToken=")
        for meeting in self.server.meetings.values():
            person = meeting.inside.get(session)
            if person is not None:
                return Entered(meeting.meeting_id, person.name, _role(person), handle=session)
        return None

    def leave(self, entered: Entered) -> None:
        del self.server.meetings[entered.room].inside[entered.handle]

    def tampered(self, url: str) -> Sequence[str]:
        return [
            url.replace("role=VIEWER", "role=MODERATOR"),
            url.replace("person7", "person8"),
            url.replace("lesson-1", "lesson-2"),
            url.partition("&checksum=")[0],
            url.replace("createTime=1", "createTime=2"),
            url + "&role=MODERATOR",
        ]

    def observe(self, provider: MeetingProvider, running: Sequence[tuple[MeetingSpec, Room]]) -> PresenceReport:
        report = provider.presence(running, self.cursor)
        self.cursor = json.loads(json.dumps(report.cursor))
        return report

    def sent(self, meeting: MeetingSpec, room: Room, attendee: Attendee, at: datetime | None = None) -> list[Webhook]:
        held = self.server.meetings[room.external_ids[0]]
        person = Inside("w_000000000007", attendee.uid, attendee.display_name, "VIEWER", False)
        moment = at.timestamp() if at is not None else None
        return [
            self.signed(self.server.form([self.server.event(kind, held, person, moment)]))
            for kind in ("user-joined", "user-left")
        ]

    def signed(self, body: bytes) -> Webhook:
        return Webhook(
            body,
            headers={"content-type": "application/x-www-form-urlencoded;charset=UTF-8"},
            query={"checksum": self.server.proof(WEBHOOK_URL, body)},
        )

    def forged(self, webhook: Webhook) -> Sequence[Webhook]:
        stranger = BigBlueButton(secret="another secret altogether")
        return [
            replace(webhook, query={}),
            replace(webhook, query={"checksum": ""}),
            replace(webhook, query={"checksum": stranger.proof(WEBHOOK_URL, webhook.body)}),
            replace(webhook, query={"checksum": self.server.proof("https://bridge.test/hooks/other", webhook.body)}),
            replace(webhook, query={}, headers={"authorization": "Bearer "}),
            replace(webhook, query={}, headers={"authorization": "Bearer wrong"}),
        ]

    def at(self, room: Room, url: str) -> Room:
        return replace(room, state={**room.state, "server": f"{url}/bigbluebutton"})

    def record(self, room: Room) -> None:
        (name,) = room.external_ids
        url = f"https://bbb.school.example/{name}"
        self.server.recordings.append(
            {"recordID": f"r-{name}", "meetingID": name, "name": "Maths", "published": "true", "url": url}
        )

    def vanish(self, room: Room) -> None:
        del self.server.meetings[room.external_ids[0]]

    def requests(self) -> int:
        return len(self.server.asked)

    def fault(self, kind: Fault, after: int = 0) -> None:
        self.seconds = SECONDS if kind is Fault.SLOW else PATIENCE
        self.server.fault(kind.value, after=after)

    def twist(self, twist: Twist, after: int = 0) -> None:
        self.server.faults = [ServerFault("twist", after=after, twist=twist)]

    def struck(self) -> bool:
        return all(one.times == 0 for one in self.server.faults)

    def well(self) -> None:
        self.seconds = PATIENCE
        self.server.faults.clear()

    def close(self) -> None:
        self._stack.close()


def _role(person: Inside) -> RoomRole:
    if person.role == "MODERATOR":
        return RoomRole.LEADER
    return RoomRole.OBSERVER if person.hidden else RoomRole.PARTICIPANT
