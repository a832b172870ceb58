"""Jitsi in the suite over all meeting providers."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

import jwt
from lms_bridge_jitsi import JitsiProvider, JitsiSettings

from lms_bridge.core.plugins import (
    Attendee,
    MeetingProvider,
    MeetingSpec,
    Network,
    PresenceReport,
    Room,
    RoomRole,
)
from tests.contracts.jitsi_server import DOMAIN, EVENTS_TOKEN, SECRET, Occupant, Refused, body, jitsi_server
from tests.contracts.json_api import Twist
from tests.contracts.meetings import LOOPBACK, PATIENCE, SECONDS, Entered, Fault, Rig, Webhook, context


class JitsiRig(Rig):
    """A server that looks at tokens as Prosody does. The plugin makes no calls for rooms; it only looks whether Prosody
    answers."""

    name = "jitsi"
    asks = frozenset({"probe"})
    observers = False
    covers_body = False

    def __init__(self) -> None:
        self._stack = ExitStack()
        self.server = self._stack.enter_context(jitsi_server())
        self._seconds = PATIENCE

    def provider(self, *, url: str | None = None, networks: Sequence[Network] = LOOPBACK) -> MeetingProvider:
        settings = JitsiSettings.model_validate(
            {
                "url": url or self.server.url,
                "app_id": self.server.app_id,
                "secret": SECRET,
                "xmpp_domain": DOMAIN,
                "events_token": EVENTS_TOKEN,
            }
        )
        return JitsiProvider(settings, context(networks, self._seconds))

    def enter(self, url: str) -> Entered | None:
        try:
            occupant = self.server.open(url)
        except Refused:
            return None
        role = RoomRole.LEADER if occupant.moderator else RoomRole.PARTICIPANT
        return Entered(occupant.room, occupant.user.get("name", ""), role, occupant.jid)

    def leave(self, entered: Entered) -> None:
        self.server.leave(self.server.inside[entered.handle])

    def tampered(self, url: str) -> Sequence[str]:
        page, token = url.split("?")[0], parse_qs(urlsplit(url).query)["jwt"][0]
        head, _, signature = token.split(".")
        claims = jwt.decode(token, options={"verify_signature": False})

        def text(content: dict[str, object]) -> str:
            return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()

        teacher = text(claims | {"context": {"user": claims["context"]["user"] | {"affiliation": "owner"}}})
        somebody = text(claims | {"context": {"user": claims["context"]["user"] | {"id": "01k7person8"}}})
        return [
            f"{page}?jwt={head}.{teacher}.{signature}",
            f"{page}?jwt={head}.{somebody}.{signature}",
            f"{page}?jwt={text({'alg': 'none', 'typ': 'JWT'})}.{teacher}.",
            f"{page}?jwt={jwt.encode(claims, 'another secret of the same length!', algorithm='HS256')}",
            f"{page}x?jwt={token}",
            f"{page}?jwt=",
            page,
        ]

    def observe(self, provider: MeetingProvider, running: Sequence[tuple[MeetingSpec, Room]]) -> PresenceReport:
        told, self.server.told = self.server.told, []
        answers = [provider.parse_webhook(w.headers, w.query, w.body) for w in map(self._webhook, told)]
        return PresenceReport(events=[event for answer in answers for event in answer.report.events])

    def sent(self, meeting: MeetingSpec, room: Room, attendee: Attendee, at: datetime | None = None) -> list[Webhook]:
        user = {"id": attendee.uid, "name": attendee.display_name}
        who = Occupant(f"7@{DOMAIN}/abc", room.external_ids[0], user, int(meeting.starts_at.timestamp()), False)
        joined, left = (self.server.tell(f"muc-occupant-{what}", who) for what in ("joined", "left"))
        return [self._webhook(joined), self._webhook(left)]

    def signed(self, body: bytes) -> Webhook:
        return Webhook(body, {"authorization": f"Bearer {EVENTS_TOKEN}", "content-type": "application/json"})

    def forged(self, webhook: Webhook) -> Sequence[Webhook]:
        return [
            Webhook(webhook.body, {"content-type": "application/json"} | headers)
            for headers in (
                {},
                {"authorization": ""},
                {"authorization": "Bearer "},
                {"authorization": EVENTS_TOKEN},
                {"authorization": f"Bearer {EVENTS_TOKEN[:-1]}"},
                {"authorization": "Bearer \udcff数学"},
            )
        ]

    def requests(self) -> int:
        return self.server.asked

    def fault(self, kind: Fault, after: int = 0) -> None:
        self._seconds = SECONDS if kind is Fault.SLOW else PATIENCE
        self.server.faults = [""] * after + [kind.value]

    def twist(self, twist: Twist, after: int = 0) -> None:
        self.server.faults = [""] * after + [twist]

    def struck(self) -> bool:
        return not self.server.faults

    def well(self) -> None:
        self._seconds = PATIENCE
        self.server.faults = []

    def _webhook(self, event: dict[str, object]) -> Webhook:
        return self.signed(body(event))

    def close(self) -> None:
        self._stack.close()
