"""The channels of this installation: which one is used where people name none, and how one is made."""

from __future__ import annotations

import functools

from lms_bridge.core.application import current_settings, plugin_context
from lms_bridge.core.errors import ConfigurationError
from lms_bridge.core.plugins import MessageChannel
from lms_bridge.core.registry import installation_values, make, plugin_class
from lms_bridge.core.settings import Settings


def installation_channel(settings: Settings | None = None) -> str:
    """Identifier of the channel for people without preferences (setting ``message_channel``)."""
    settings = settings or current_settings()
    if settings.message_channel:
        return settings.message_channel
    return "smtp" if _smtp_host() else "mailbox"


@functools.cache
def _smtp_host() -> str:
    """Read once for a process: settings do not change while it runs."""
    try:
        return str(installation_values(plugin_class(MessageChannel, "smtp")).get("host") or "")
    except ConfigurationError:
        return ""  # the plugin is not installed


def make_channel(identifier: str) -> MessageChannel:
    """A channel with the installation's settings, for one job.

    :raises ConfigurationError: it is not installed or its settings are wrong.
    """
    return make(MessageChannel, identifier, None, plugin_context(identifier))


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
