"""What the rigs of providers have in common whose servers are a :class:`~tests.contracts.json_api.JsonApi`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from typing import ClassVar, Generic, TypeVar

from lms_bridge.core.plugins import Network, PluginContext
from tests.contracts.json_api import JsonApi, running
from tests.contracts.meetings import SECONDS, Fault, Rig, context

Api = TypeVar("Api", bound=JsonApi)

PATIENT = timedelta(seconds=10)
"""For a call where nothing is slow on purpose; a loaded machine takes its time."""


class JsonRig(Rig, Generic[Api]):
    """A rig with its server running."""

    making: ClassVar[str]
    """Path to which a room is posted, by which the answer of that call is lost."""

    def __init__(self, server: Api) -> None:
        self._stack = ExitStack()
        self.server = self._stack.enter_context(running(server))
        self._timeout = PATIENT

    def context(self, networks: Sequence[Network]) -> PluginContext:
        """What the plugin is told of the installation."""
        return replace(context(networks), timeout=self._timeout)

    def fault(self, kind: Fault) -> None:
        self._timeout = timedelta(seconds=SECONDS) if kind is Fault.SLOW else PATIENT
        if kind is Fault.LOST:
            self.server.fault("lost", self.making, method="POST")
        else:
            self.server.fault(kind.value, seconds=2 * SECONDS, retry_after="0")

    def close(self) -> None:
        self._stack.close()
