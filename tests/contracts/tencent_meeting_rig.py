"""Tencent Meeting for the suite over all providers. Whoever opens an address is taken for the person to whom it was
given, signed in to Tencent Meeting with their address."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from lms_bridge_tencent_meeting import TencentMeetingProvider
from lms_bridge_tencent_meeting.events import MAX_AGE
from lms_bridge_tencent_meeting.settings import TencentMeetingSettings

from lms_bridge.core.plugins import Attendee, MeetingProvider, MeetingSpec, Network, PresenceReport, Room, RoomRole
from tests.contracts.json_rig import JsonRig
from tests.contracts.meetings import LOOPBACK, Entered, Webhook
from tests.contracts.tencent_meeting_server import AES, APP, ID, KEY, SDK, TOKEN, TencentMeeting, sent

HOST = "lesson01"


class TencentMeetingRig(JsonRig[TencentMeeting]):
    """An enterprise with one user who holds lessons."""

    name = "tencent_meeting"
    asks = frozenset({"ensure", "update", "end", "take back", "leader", "addresses", "presence", "report", "probe"})
    observers = False
    polls = True
    stale = MAX_AGE

    def __init__(self) -> None:
        super().__init__(TencentMeeting())
        self.server.users.add(HOST)
        self._given: dict[str, Attendee] = {}
        self._told: list[Webhook] = []

    def provider(self, *, url: str | None = None, networks: Sequence[Network] = LOOPBACK) -> MeetingProvider:
        given = self._given

        class Noting(TencentMeetingProvider):
            def join_url(self, meeting: MeetingSpec, room: Room, attendee: Attendee) -> str:
                address = super().join_url(meeting, room, attendee)
                given[address] = attendee
                return address

            def join_urls(self, meeting: MeetingSpec, room: Room, attendees: Sequence[Attendee]) -> Mapping[str, str]:
                addresses = super().join_urls(meeting, room, attendees)
                given.update({addresses[one.uid]: one for one in attendees})
                return addresses

        settings: Mapping[str, Any] = {
            "app_id": APP, "sdk_id": SDK, "secret_id": ID, "secret_key": KEY, "event_token": TOKEN, "event_key": AES,
            "hosts": [HOST], "teachers_by_mail": True, "address": url or self.server.url,
        }  # fmt: skip
        return Noting(
            TencentMeetingSettings.model_validate(settings),
            self.context(networks),
        )

    def rooms(self) -> set[str]:
        going = ("MEETING_STATE_INIT", "MEETING_STATE_STARTED")
        return {key for key, meeting in self.server.meetings.items() if meeting["status"] in going}

    def enter(self, url: str) -> Entered | None:
        who = self._given.get(url)
        try:
            _, number, role = self.server.enter(url, who.email or "" if who else "")
        except PermissionError:
            return None
        assert who is not None
        self._told.append(self._webhook(self.server.join(url, who.display_name)))
        return Entered(number, who.display_name, RoomRole.LEADER if role == "host" else RoomRole.PARTICIPANT, url)

    def leave(self, entered: Entered) -> None:
        self._told.append(self._webhook(self.server.leave(entered.handle, entered.name)))

    def vanish(self, room: Room) -> None:
        del self.server.meetings[room.external_ids[0]]

    def tampered(self, url: str) -> Sequence[str]:
        return [url[:-1] + ("0" if url[-1] != "0" else "1"), url + "0"]

    def observe(self, provider: MeetingProvider, running: Sequence[tuple[MeetingSpec, Room]]) -> PresenceReport:
        told, self._told = self._told, []
        events = [e for w in told for e in provider.parse_webhook(w.headers, w.query, w.body).report.events]
        return PresenceReport(events=events)

    def sent(self, meeting: MeetingSpec, room: Room, attendee: Attendee, at: datetime | None = None) -> list[Webhook]:
        url, name = self.provider().join_url(meeting, room, attendee), attendee.display_name
        bodies = [self.server.join(url, name), self.server.leave(url, name)]
        return [self._webhook(body, at) for body in bodies]

    def signed(self, body: bytes) -> Webhook:
        headers, raw = sent(body)
        return Webhook(raw, headers)

    def forged(self, webhook: Webhook) -> Sequence[Webhook]:
        other = sent(b"{}")[0]
        return [
            replace(webhook, headers=other),
            replace(webhook, headers={}),
            replace(webhook, headers={**webhook.headers, "nonce": "1"}),
            replace(webhook, headers={**webhook.headers, "signature": ""}),
            Webhook(*reversed(sent(b"{}", token="of somebody else"))),  # type: ignore[arg-type]
        ]

    def _webhook(self, body: dict[str, Any], at: datetime | None = None) -> Webhook:
        headers, raw = sent(json.dumps(body).encode(), at=at)
        return Webhook(raw, headers)
