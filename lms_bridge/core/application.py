"""What any code that runs inside the application may ask of it."""

from __future__ import annotations

import gc

from flask import current_app

from lms_bridge.core import i18n
from lms_bridge.core.plugins import PluginContext
from lms_bridge.core.settings import Settings


def current_settings() -> Settings:
    """The settings of the application in force."""
    settings = current_app.extensions["lms_bridge"]
    assert isinstance(settings, Settings)
    return settings


def end_of_start() -> None:
    """A process that goes on to serve or to work calls this once all is loaded. Its first visitors need not wait for
    the words of all languages, and what the start has made is left out of the garbage collector's rounds, which took a
    quarter of a second each."""
    for locale in i18n.LOCALES:
        i18n.catalogue(locale)
    gc.collect()
    gc.freeze()


def plugin_context(identifier: str) -> PluginContext:
    """What the plugin ``identifier`` is told about this installation."""
    settings = current_settings()
    return PluginContext(
        base_url=settings.base_url.rstrip("/"), data_dir=settings.data_dir.absolute() / "plugins" / identifier
    )
