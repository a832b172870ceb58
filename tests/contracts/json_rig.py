"""What the rigs of providers have in common whose servers are a :class:`~tests.contracts.json_api.JsonApi`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Generic, TypeVar

from lms_bridge.core.plugins import Network, PluginContext, Room
from tests.contracts.json_api import Fault as ServerFault
from tests.contracts.json_api import JsonApi, Twist, running
from tests.contracts.meetings import PATIENCE, SECONDS, Fault, Rig, context

Api = TypeVar("Api", bound=JsonApi)


class JsonRig(Rig, Generic[Api]):
    """A rig with its server running."""

    def __init__(self, server: Api) -> None:
        self._stack = ExitStack()
        self.server = self._stack.enter_context(running(server, ends_within=0.001))
        self._seconds = PATIENCE

    def context(self, networks: Sequence[Network]) -> PluginContext:
        """What the plugin is told of the installation."""
        return context(networks, self._seconds)

    def requests(self) -> int:
        return len(self.server.asked)

    def fault(self, kind: Fault, after: int = 0) -> None:
        self._seconds = SECONDS if kind is Fault.SLOW else PATIENCE
        self.server.fault(kind.value, after=after, retry_after="0")

    def fault_of(self, room: Room, kind: Fault) -> None:
        self.server.fault(kind.value, about=room.external_ids[0], times=1000, retry_after="0")

    def twist(self, twist: Twist, after: int = 0) -> None:
        self.server.faults = [ServerFault("twist", after=after, twist=twist)]

    def struck(self) -> bool:
        return all(one.times == 0 for one in self.server.faults)

    def well(self) -> None:
        self._seconds = PATIENCE
        self.server.faults.clear()

    def close(self) -> None:
        self._stack.close()
