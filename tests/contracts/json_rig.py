"""What the rigs of providers have in common whose servers are a :class:`~tests.contracts.json_api.JsonApi`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import ClassVar, Generic, TypeVar

from lms_bridge.core.plugins import Network, PluginContext
from tests.contracts.json_api import JsonApi, running
from tests.contracts.meetings import PATIENCE, SECONDS, Fault, Rig, context

Api = TypeVar("Api", bound=JsonApi)


class JsonRig(Rig, Generic[Api]):
    """A rig with its server running."""

    making: ClassVar[str]
    """Path to which a room is posted, by which the answer of that call is lost."""

    def __init__(self, server: Api) -> None:
        self._stack = ExitStack()
        self.server = self._stack.enter_context(running(server))
        self._seconds = PATIENCE

    def context(self, networks: Sequence[Network]) -> PluginContext:
        """What the plugin is told of the installation."""
        return context(networks, self._seconds)

    def fault(self, kind: Fault) -> None:
        self._seconds = SECONDS if kind is Fault.SLOW else PATIENCE
        if kind is Fault.LOST:
            self.server.fault("lost", self.making, method="POST")
        else:
            self.server.fault(kind.value, seconds=2 * SECONDS, retry_after="0")

    def close(self) -> None:
        self._stack.close()
