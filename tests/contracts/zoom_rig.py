"""Zoom for the suite over all providers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from lms_bridge_zoom import ZoomProvider
from lms_bridge_zoom.settings import ZoomSettings
from lms_bridge_zoom.webhook import MAX_AGE

from lms_bridge.core.plugins import Attendee, MeetingProvider, MeetingSpec, Network, PresenceReport, Room, RoomRole
from tests.contracts.json_rig import JsonRig
from tests.contracts.meetings import LOOPBACK, Entered, Webhook
from tests.contracts.zoom_server import ACCOUNT, CLIENT, SECRET, WEBHOOK_SECRET, Zoom, signed

HOST = "lesson01@school.example"


class ZoomRig(JsonRig[Zoom]):
    """An account with one licensed user."""

    name = "zoom"
    asks = frozenset(
        {
            "ensure", "update", "end", "take back", "leader", "addresses", "presence", "report", "open rooms", "probe",
        }
    )  # fmt: skip
    observers = False
    stale = MAX_AGE

    def __init__(self) -> None:
        super().__init__(Zoom())
        self.server.user(HOST)
        self._told: list[Webhook] = []

    def provider(self, *, url: str | None = None, networks: Sequence[Network] = LOOPBACK) -> MeetingProvider:
        settings = {
            "account_id": ACCOUNT, "client_id": CLIENT, "client_secret": SECRET, "webhook_secret": WEBHOOK_SECRET,
            "hosts": [HOST], "address": url or self.server.url,
        }  # fmt: skip
        return ZoomProvider(ZoomSettings.model_validate(settings), self.context(networks))

    def rooms(self) -> set[str]:
        over = {key for key, sessions in self.server.sessions.items() if sessions and sessions[-1]["ended"]}
        return set(self.server.meetings) - over

    def enter(self, url: str) -> Entered | None:
        try:
            who, number = self.server.enter(url)
        except PermissionError:
            return None
        self._told.append(self._webhook(self.server.join(url)))
        role = RoomRole.LEADER if who == "host" else RoomRole.PARTICIPANT
        return Entered(number, who, role, url)

    def leave(self, entered: Entered) -> None:
        self._told.append(self._webhook(self.server.leave(entered.handle)))

    def over(self, room: Room) -> None:
        self.server.finish(room.external_ids[0])

    def vanish(self, room: Room) -> None:
        del self.server.meetings[room.external_ids[0]]

    def tampered(self, url: str) -> Sequence[str]:
        other = [("tk=reg0", "tk=reg1"), ("/w/", "/s/"), ("/w/9", "/w/8"), ("/w/", "/j/")]
        return [url.split("?")[0], *(url.replace(old, new) for old, new in other)]

    def observe(self, provider: MeetingProvider, running: Sequence[tuple[MeetingSpec, Room]]) -> PresenceReport:
        told, self._told = self._told, []
        events = [e for w in told for e in provider.parse_webhook(w.headers, w.query, w.body).report.events]
        return PresenceReport(events=events)

    def sent(self, meeting: MeetingSpec, room: Room, attendee: Attendee, at: datetime | None = None) -> list[Webhook]:
        url = self.provider().join_url(meeting, room, attendee)
        return [self._webhook(self.server.join(url), at), self._webhook(self.server.leave(url), at)]

    def signed(self, body: bytes) -> Webhook:
        headers, raw = signed(body)
        return Webhook(raw, headers)

    def forged(self, webhook: Webhook) -> Sequence[Webhook]:
        other = signed(webhook.body, secret="of somebody else")[0]
        stamp = int(webhook.headers["x-zm-request-timestamp"]) + 1
        return [
            replace(webhook, headers=other),
            replace(webhook, headers={}),
            replace(webhook, headers={**webhook.headers, "x-zm-request-timestamp": str(stamp)}),
            replace(webhook, headers={**webhook.headers, "x-zm-signature": ""}),
        ]

    def _webhook(self, body: dict[str, object], at: datetime | None = None) -> Webhook:
        headers, raw = signed(json.dumps(body).encode(), at=at)
        return Webhook(raw, headers)
