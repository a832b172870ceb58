"""What all plugins share: identity, settings, the context they are given, and the check of a set-up."""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel

from lms_bridge.core.errors import BridgeError


class PluginError(BridgeError):
    """The outside system refused for good: repeating the same call would not help."""

    code = "plugin_error"


class TemporaryFailure(PluginError):
    """The outside system is slow, down or over its limits; try again, not before ``retry_after`` where it is given. A
    video system with ``retry_after`` is busy, not down, and its lessons stay: set it where a limit is reached only."""

    code = "temporary_failure"
    status = 503
    retry_after: timedelta | None = None


class AccessRefused(PluginError):
    """The account is not let in at all (key revoked, interface switched off): no call works until a person acts."""

    code = "access_refused"
    status = 503


class NotThere(PluginError):
    """The thing that was to be changed is gone in the outside system; where it is still wanted, make it anew."""

    code = "not_there"


class WebhookRefused(PluginError):
    """A webhook is forged, stale or malformed. ``answer_status`` is the HTTP status that its sender gets."""

    code = "webhook_refused"
    answer_status: int = 401


class CheckState(enum.StrEnum):
    """Outcome of one point of a check. ``UNTRIED``: nothing speaks against it, and only using it will show."""

    OK = "ok"
    UNTRIED = "untried"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True)
class Check:
    """One point of a set-up check in words: what was looked at, how it stands, and what to do about it.

    ``title``, ``detail`` and ``remedy`` are in the language in force when the check ran.
    """

    title: str
    state: CheckState
    detail: str = ""
    remedy: str = ""


@dataclass(frozen=True)
class PluginContext:
    """What a plugin is told about the installation: the public address of LMS Bridge, a private folder for the
    plugin's own files, the time limit for one call to an outside system, and the installation's identity towards
    outside systems (used in idempotency keys and markers). ``webhook_url`` is the address at which the account's
    webhooks arrive, exactly as it is to be registered ("" before the account is stored): signatures may cover it.
    ``networks`` are the internal networks that may be spoken to (:class:`~lms_bridge.core.plugins.Outgoing`)."""

    base_url: str
    data_dir: Path
    timeout: timedelta = timedelta(seconds=10)
    installation: str = "lms-bridge"
    webhook_url: str = ""
    networks: tuple[IPv4Network | IPv6Network, ...] = ()


class Plugin(ABC):
    """Base of the three kinds. One object serves one account; it is made anew for each job and never shared
    between threads."""

    identifier: ClassVar[str]
    """Short stable name in lower case; the entry point's name, and the prefix of its settings."""

    verbose_name: ClassVar[str]
    """Name for people, a product name and so not translated."""

    Settings: ClassVar[type[BaseModel]]
    """The plugin's settings model. Secrets are ``SecretStr``: they are encrypted at rest and masked when shown.
    Every field has a description."""

    setting_labels: ClassVar[Mapping[str, tuple[str, str]]] = {}
    """What pages call a setting: its name for people and a hint ("" for none), as message ids. A setting that is not
    here is called by its field's name, with its description as the hint."""

    setting_choices: ClassVar[Mapping[str, str]] = {}
    """What pages call the values of settings that are enumerations, as message ids."""

    def __init__(self, settings: BaseModel, context: PluginContext) -> None:
        self.settings = settings
        self.context = context

    @abstractmethod
    def check(self) -> Sequence[Check]:
        """Look at everything that the plugin needs and say in words what is missing. Makes no lasting change
        outside. Must not raise for a wrong set-up: that is what it reports."""
