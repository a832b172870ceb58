"""Security headers, CSRF protection and limits of all pages."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf.csrf import CSRFProtect

csrf = CSRFProtect()
limiter = Limiter(get_remote_address, default_limits=[])

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' https: blob:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
)

DEVICE_FEATURES = ("camera", "microphone", "display-capture", "geolocation", "payment", "usb")
"""Features of devices that no page has, unless it is given them by name."""


def permissions_policy(*allowed: str) -> str:
    """What of the device a page may ask for: of :data:`DEVICE_FEATURES` only those that are ``allowed``, for itself."""
    return ", ".join(f"{name}=({'self' if name in allowed else ''})" for name in DEVICE_FEATURES)


HEADERS = (
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Permissions-Policy", permissions_policy()),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)
"""What every answer has that does not say otherwise."""


def init_app(app: Flask) -> None:
    """Protect every form, count sign-in attempts, and set the headers of every answer."""
    csrf.init_app(app)
    limiter.init_app(app)
    # There are no limits for all pages: those of single views count by themselves, and the others need no look. Nor are
    # limits told in headers.
    every: Any = (*app.before_request_funcs.values(), *app.after_request_funcs.values())
    for hooks in every:
        hooks[:] = [hook for hook in hooks if not _is_limiters(hook)]
    app.after_request(set_headers)


def _is_limiters(hook: Any) -> bool:
    return getattr(hook, "__self__", None) is limiter or limiter in getattr(hook, "args", ())


def set_headers(response: Response) -> Response:
    """OWASP's recommended headers (https://owasp.org/www-project-secure-headers/); a view may have set stricter
    ones. Pages hold personal data and are never kept by caches."""
    headers = response.headers
    # Looked through once: werkzeug does it anew for each header that it is asked for.
    present = {name.lower() for name in headers.keys()}  # noqa: SIM118 - a header may be there twice
    for name, value in HEADERS:
        if name.lower() not in present:
            headers.add(name, value)
    if request.is_secure:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if request.endpoint != "static" and "cache-control" not in present:
        headers.add("Cache-Control", "no-store")
    return response


def safe_next(target: str | None) -> str:
    """``target`` if it is a path of our own, else nothing: a sign-in must not lead elsewhere."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return ""
    parts = urlsplit(target)
    return "" if parts.scheme or parts.netloc or "\\" in target else target
