"""Finds plugins by entry points and makes them with their settings.

Settings of an installation-wide plugin come from ``LMS_BRIDGE_<IDENTIFIER>_<FIELD>`` or the table
``[plugins.<identifier>]`` of the settings file; those of a provider account from its row. Core names no plugin.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar

from pydantic import BaseModel, SecretStr, ValidationError

from lms_bridge.core.errors import ConfigurationError
from lms_bridge.core.i18n import N_
from lms_bridge.core.plugins import LmsConnector, MeetingProvider, MessageChannel, Plugin, PluginContext
from lms_bridge.core.settings import config_file, without_password

GROUPS: dict[str, type[Plugin]] = {
    "lms_bridge.meeting_providers": MeetingProvider,
    "lms_bridge.lms_connectors": LmsConnector,
    "lms_bridge.message_channels": MessageChannel,
}

KINDS = {
    "lms_bridge.meeting_providers": N_("online rooms"),
    "lms_bridge.lms_connectors": N_("learning platform"),
    "lms_bridge.message_channels": N_("messages"),
}
"""What the plugins of each group are for: one name may stand in several."""

P = TypeVar("P", bound=Plugin)


@dataclass(frozen=True)
class Found:
    """One registered plugin: its kind's group, its class if it could be loaded, else what went wrong."""

    group: str
    identifier: str
    distribution: str
    cls: type[Plugin] | None
    problem: str = ""


def find() -> list[Found]:
    """Every registered plugin of the three kinds; a broken one is listed with its problem and stops nothing."""
    return [_load(group, entry) for group in GROUPS for entry in sorted(entry_points(group=group))]


def _load(group: str, entry: EntryPoint) -> Found:
    distribution = entry.dist.name if entry.dist is not None else ""
    try:
        cls = entry.load()
        if not (isinstance(cls, type) and issubclass(cls, GROUPS[group])):
            raise TypeError(f"{entry.value} is not a {GROUPS[group].__name__}")
        if cls.identifier != entry.name:
            raise TypeError(f"{entry.value} calls itself {cls.identifier!r}, its entry point {entry.name!r}")
    except Exception as error:  # a third party's code may fail in any way
        return Found(group, entry.name, distribution, None, f"{type(error).__name__}: {error}")
    return Found(group, entry.name, distribution, cls)


_classes: dict[tuple[type[Plugin], str], type[Plugin]] = {}
"""Classes found once: looking through the installed distributions takes tens of milliseconds."""


def identifiers(kind: type[Plugin]) -> list[str]:
    """Of all registered plugins of ``kind``, whether they load or not."""
    return sorted({entry.name for group, base in GROUPS.items() if base is kind for entry in entry_points(group=group)})


def plugin_class(kind: type[P], identifier: str) -> type[P]:
    """The class of the plugin ``identifier`` of ``kind``.

    :raises ConfigurationError: it is not installed or does not load.
    """
    known = _classes.get((kind, identifier))
    if known is not None:
        assert issubclass(known, kind)
        return known
    group = next(name for name, base in GROUPS.items() if base is kind)
    for entry in entry_points(group=group, name=identifier):
        found = _load(group, entry)
        if found.cls is None:
            raise ConfigurationError(
                N_('The plugin "%(name)s" does not load: %(problem)s'), name=identifier, problem=found.problem
            )
        assert issubclass(found.cls, kind)
        _classes[kind, identifier] = found.cls
        return found.cls
    raise ConfigurationError(
        N_('There is no plugin "%(name)s".'),
        remedy=N_('"lms-bridge plugins" lists those that are installed.'),
        name=identifier,
    )


def make(kind: type[P], identifier: str, values: dict[str, Any] | None, context: PluginContext) -> P:
    """The plugin with its settings: ``values`` of an account, or (None) those of the installation.

    :raises ConfigurationError: a setting is missing or wrong; names it.
    """
    cls = plugin_class(kind, identifier)
    try:
        settings = cls.Settings(**(installation_values(cls) if values is None else values))
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        raise ConfigurationError(
            N_("Setting %(name)s of %(plugin)s: %(problem)s."),
            remedy=N_("See docs/settings.md for what it takes."),
            name=".".join(str(part) for part in first["loc"]),
            plugin=cls.verbose_name,
            problem=first["msg"],
        ) from None
    return cls(settings, context)


def installation_values(cls: type[Plugin]) -> dict[str, Any]:
    """What the environment and the settings file say for a plugin; the environment wins."""
    values: dict[str, Any] = {}
    if config_file().exists():
        values |= tomllib.loads(config_file().read_text(encoding="utf-8")).get("plugins", {}).get(cls.identifier, {})
    prefix = f"LMS_BRIDGE_{cls.identifier.upper()}_"
    for name in cls.Settings.model_fields:
        if prefix + name.upper() in os.environ:
            values[name] = os.environ[prefix + name.upper()]
    return values


def masked(settings: BaseModel) -> dict[str, Any]:
    """Settings as they may be printed: secrets, and passwords within addresses, as stars."""
    return {name: _masked(getattr(settings, name)) for name in type(settings).model_fields}


def _masked(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return "********" if value.get_secret_value() else ""
    if isinstance(value, list):
        return [_masked(item) for item in value]
    return without_password(value) if isinstance(value, str) else value
