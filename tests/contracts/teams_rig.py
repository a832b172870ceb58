"""Microsoft Teams for the suite over all providers. One address serves all, so whoever opens it is taken for the person
to whom it was given last, signed in to Microsoft with their address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from lms_bridge_teams import TeamsProvider
from lms_bridge_teams.settings import TeamsSettings

from lms_bridge.core.clock import now
from lms_bridge.core.plugins import Attendee, MeetingProvider, MeetingSpec, Network, PresenceReport, Room, RoomRole
from tests.contracts.json_rig import JsonRig
from tests.contracts.meetings import LOOPBACK, Entered
from tests.contracts.teams_server import CLIENT, ORGANISER, SECRET, TENANT, Teams


class TeamsRig(JsonRig[Teams]):
    """A tenant whose administrator has done all that the set-up page says."""

    name = "teams"
    asks = frozenset({"ensure", "update", "take back", "leader", "report", "probe"})
    observers = webhooks = False

    def __init__(self) -> None:
        super().__init__(Teams())
        self._given: dict[str, Attendee] = {}

    def provider(self, *, url: str | None = None, networks: Sequence[Network] = LOOPBACK) -> MeetingProvider:
        given = self._given

        class Noting(TeamsProvider):
            def join_url(self, meeting: MeetingSpec, room: Room, attendee: Attendee) -> str:
                address = super().join_url(meeting, room, attendee)
                given[address] = attendee
                return address

        settings: Mapping[str, str] = {
            "tenant_id": TENANT, "client_id": CLIENT, "client_secret": SECRET, "organiser": ORGANISER,
            "login_address": url or self.server.url, "graph_address": url or self.server.url,
        }  # fmt: skip
        return Noting(TeamsSettings.model_validate(settings), self.context(networks))

    def rooms(self) -> set[str]:
        return set(self.server.meetings)

    def enter(self, url: str) -> Entered | None:
        who = self._given.get(url)
        try:
            role, key = self.server.enter(url, who.email or "" if who else "")
        except PermissionError:
            return None
        assert who is not None
        self.server.stay(key, who.display_name, now(), now(), who.email)
        return Entered(key, who.display_name, RoomRole.LEADER if role == "presenter" else RoomRole.PARTICIPANT, key)

    def leave(self, entered: Entered) -> None:
        self.server.everybody_left(entered.handle)

    def vanish(self, room: Room) -> None:
        del self.server.meetings[room.external_ids[0]]

    def tampered(self, url: str) -> Sequence[str]:
        return [url + "9", url.replace("/l/", "/x/")]

    def observe(self, provider: MeetingProvider, running: Sequence[tuple[MeetingSpec, Room]]) -> PresenceReport:
        return provider.presence([(replace(meeting, ended_at=now()), room) for meeting, room in running], {})
