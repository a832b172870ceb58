"""Galene in the suite over all meeting providers."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta

import jwt
from lms_bridge_galene import GaleneProvider, GaleneSettings, observing

from lms_bridge.core.plugins import MeetingProvider, MeetingSpec, Network, Observer, PresenceReport, Room, RoomRole
from tests.contracts.galene_server import ADMIN, SECRET, Refused, galene_server
from tests.contracts.json_api import Twist
from tests.contracts.meetings import LOOPBACK, PATIENCE, SECONDS, Entered, Fault, Rig, context

WAIT = 5.0


class GaleneRig(Rig):
    """A server that speaks as Galene does; its observer need not wait as long as with people."""

    name = "galene"
    webhooks = False
    asks = frozenset({"ensure", "update", "end", "take back", "open rooms", "capacity", "probe"})

    def __init__(self) -> None:
        self._stack = ExitStack()
        self.server = self._stack.enter_context(galene_server())
        self._stack.callback(setattr, observing, "LOOK", observing.LOOK)
        observing.LOOK = timedelta(seconds=0.1)
        self._observer: Observer | None = None
        self._slow = False

    def provider(self, *, url: str | None = None, networks: Sequence[Network] = LOOPBACK) -> MeetingProvider:
        settings = GaleneSettings(url=url or self.server.url, username=ADMIN, secret=SECRET)
        # An honest answer may take its time on a busy machine; only a slow server is given up soon.
        soon = timedelta(seconds=SECONDS if self._slow else PATIENCE)
        return GaleneProvider(settings, replace(context(networks), timeout=soon))

    def rooms(self) -> set[str]:
        return set(self.server.groups)

    def enter(self, url: str) -> Entered | None:
        try:
            peer = self.server.open(url)
        except Refused:
            return None
        role = RoomRole.OBSERVER
        if "present" in peer.permissions:
            role = RoomRole.LEADER if "op" in peer.permissions else RoomRole.PARTICIPANT
        return Entered(peer.group, peer.name, role, peer.id)

    def leave(self, entered: Entered) -> None:
        self.server.dismiss(self.server.peers[entered.room][entered.handle])

    def tampered(self, url: str) -> Sequence[str]:
        page, token = url.split("?token=")
        head, _, signature = token.split(".")
        claims = jwt.decode(token, options={"verify_signature": False})

        def text(content: dict[str, object]) -> str:
            return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()

        of_another_key = jwt.encode(
            claims, b"0" * 32, algorithm="HS256", headers={"kid": jwt.get_unverified_header(token)["kid"]}
        )
        teacher = text(claims | {"permissions": ["op", "present", "message"]})
        return [
            f"{page}?token={head}.{teacher}.{signature}",
            f"{page}?token={head}.{text(claims | {'sub': 'The Headmaster'})}.{signature}",
            f"{page}?token={text({'alg': 'none', 'typ': 'JWT'})}.{teacher}.",
            f"{page}?token={of_another_key}",
            f"{page.replace('lesson-1', 'lesson-2')}?token={token}",
            page,
        ]

    def observe(self, provider: MeetingProvider, running: Sequence[tuple[MeetingSpec, Room]]) -> PresenceReport:
        if self._observer is None:
            self._observer = provider.observer({})
            self._stack.callback(self._observer.close)
        self._observer.watch(running)
        end = time.monotonic() + WAIT
        while time.monotonic() < end:
            report = self._observer.read(0.2)
            if report.events:
                return report
        return PresenceReport()

    def vanish(self, room: Room) -> None:
        (group,) = room.external_ids
        with self.server.lock:
            del self.server.groups[group], self.server.tags[group]
            self.server.keys.pop(group, None)

    def requests(self) -> int:
        return len(self.server.asked)

    def fault(self, kind: Fault, after: int = 0) -> None:
        self._slow = kind is Fault.SLOW
        self.server.faults = [""] * after + [kind.value]

    def twist(self, twist: Twist, after: int = 0) -> None:
        self.server.faults = [""] * after + [twist]

    def struck(self) -> bool:
        return not self.server.faults

    def well(self) -> None:
        self._slow = False
        self.server.faults = []

    def close(self) -> None:
        self._stack.close()
