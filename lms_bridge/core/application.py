"""What any code that runs inside the application may ask of it."""

from __future__ import annotations

import gc
import sys

from flask import current_app

from lms_bridge.core import i18n
from lms_bridge.core.plugins import PluginContext
from lms_bridge.core.settings import Settings

SWITCH_SECONDS = 0.001
"""Of Python's own 5 ms, a call to a provider beside a thread that computes lost several."""


def current_settings() -> Settings:
    """The settings of the application in force."""
    settings = current_app.extensions["lms_bridge"]
    assert isinstance(settings, Settings)
    return settings


def end_of_start() -> None:
    """A process that goes on to serve or to work calls this once all is loaded. Its first visitors need not wait for
    the words of all languages, what the start has made is left out of the garbage collector's rounds, which took a
    quarter of a second each, and a thread whose answer has come need not wait long for one that computes."""
    for locale in i18n.LOCALES:
        i18n.catalogue(locale)
    gc.collect()
    gc.freeze()
    sys.setswitchinterval(SWITCH_SECONDS)


def plugin_context(identifier: str) -> PluginContext:
    """What the plugin ``identifier`` is told about this installation."""
    settings = current_settings()
    return PluginContext(
        base_url=settings.base_url.rstrip("/"),
        data_dir=settings.data_dir.absolute() / "plugins" / identifier,
        networks=settings.internal_networks,
    )
