"""Flask's own session cookie, whose signer is put together once instead of two or three times for every request."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from flask import Flask
from flask.sessions import SecureCookieSessionInterface


class SessionCookie(SecureCookieSessionInterface):
    """The session of one application, whose keys do not change while it runs."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    def get_signing_serializer(self, app: Flask) -> Any:
        """What signs and reads the cookie."""
        assert app is self._app
        return self._signer

    @cached_property
    def _signer(self) -> Any:
        return super().get_signing_serializer(self._app)
