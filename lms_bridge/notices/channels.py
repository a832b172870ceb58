"""The channels of this installation: which one is used where people name none, and how one is made."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from lms_bridge.core.application import current_settings, plugin_context
from lms_bridge.core.errors import ConfigurationError
from lms_bridge.core.plugins import MessageChannel
from lms_bridge.core.registry import installation_values, make, plugin_class
from lms_bridge.core.settings import Settings


def installation_channels(settings: Settings | None = None) -> list[str]:
    """Identifiers of the channels for people without preferences, in order (setting ``message_channel``): the first one
    counts that has an address for the person."""
    settings = settings or current_settings()
    named = [name.strip() for name in settings.message_channel.split(",") if name.strip()]
    return named or ["smtp" if _smtp_host() else "mailbox"]


@functools.cache
def _smtp_host() -> str:
    """Read once for a process: settings do not change while it runs."""
    try:
        return str(installation_values(plugin_class(MessageChannel, "smtp")).get("host") or "")
    except ConfigurationError:
        return ""  # the plugin is not installed


Source = Callable[[str], dict[str, Any] | None]

_sources: list[Source] = []


def settings_from(source: Source) -> Source:
    """Ask ``source`` for the settings of each channel that is made, before those of the installation hold; None: it
    knows of none. For channels that go through an account that is kept elsewhere."""
    if source not in _sources:
        _sources.append(source)
    return source


def make_channel(identifier: str) -> MessageChannel:
    """A channel with its account's settings, else those of the installation, for one job.

    :raises ConfigurationError: it is not installed or its settings are wrong.
    """
    values = next((found for source in _sources if (found := source(identifier)) is not None), None)
    return make(MessageChannel, identifier, values, plugin_context(identifier))


class Channels:
    """The channels that one job meets, each made once; one that cannot be made is left out."""

    def __init__(self) -> None:
        self._made: dict[str, MessageChannel | None] = {}

    def get(self, identifier: str) -> MessageChannel | None:
        """The channel, or None if it is not installed here any more or wrongly set up."""
        if identifier not in self._made:
            try:
                self._made[identifier] = make_channel(identifier)
            except ConfigurationError:
                self._made[identifier] = None
        return self._made[identifier]
