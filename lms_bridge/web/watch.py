"""While this process answers requests, it says so: what our own pages could not see is then known to be unknown."""

from __future__ import annotations

import threading

from flask import Flask

from lms_bridge.core.application import current_settings
from lms_bridge.core.settings import Environment
from lms_bridge.lessons.gaps import keep_watch


def init_app(app: Flask) -> None:
    """Begin with the first request (a server that nobody asks sees everybody who asks). Tests say it themselves."""
    begun = threading.Lock()

    @app.before_request
    def begin() -> None:
        if current_settings().environment is not Environment.TEST and begun.acquire(blocking=False):
            keep_watch(app)
