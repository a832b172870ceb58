"""What any code that runs inside the application may ask of it."""

from __future__ import annotations

from flask import current_app

from lms_bridge.core.plugins import PluginContext
from lms_bridge.core.settings import Settings


def current_settings() -> Settings:
    """The settings of the application in force."""
    settings = current_app.extensions["lms_bridge"]
    assert isinstance(settings, Settings)
    return settings


def plugin_context(identifier: str) -> PluginContext:
    """What the plugin ``identifier`` is told about this installation."""
    settings = current_settings()
    return PluginContext(
        base_url=settings.base_url.rstrip("/"),
        data_dir=settings.data_dir.absolute() / "plugins" / identifier,
        networks=settings.internal_networks,
    )
