"""Which pages may show ours in a frame, and where the forms of ours may lead: the headers of everything under ``/lti``.

A view says more by ``flask.g``: ``lti_platform`` (only this one's pages), ``frame_origins`` (these, too),
``form_targets`` (origins to which a form of the page goes), ``own_window`` (the page is in no frame).
"""

from __future__ import annotations

from apiflask import APIBlueprint
from flask import Response, g

from lms_bridge.lti import platforms
from lms_bridge.web.security import CONTENT_SECURITY_POLICY


def protect(blueprint: APIBlueprint) -> None:
    """Give every page of ``blueprint`` its headers, and spare it the menu, which none of them shows."""

    @blueprint.before_request
    def prepare() -> None:
        g.without_menu = True

    blueprint.after_request(set_policy)


def set_policy(response: Response) -> Response:
    """Only pages of registered platforms may show these pages in a frame."""
    if response.mimetype != "text/html" or 300 <= response.status_code < 400 or g.get("own_window"):
        return response
    platform = g.get("lti_platform")
    allowed = platforms.origins(platform) if platform is not None else platforms.all_origins()
    response.headers["Content-Security-Policy"] = _with(
        _with(CONTENT_SECURITY_POLICY, "frame-ancestors", [*allowed, *g.get("frame_origins", [])]),
        "form-action", g.get("form_targets", []),
    )  # fmt: skip
    return response


def _with(policy: str, directive: str, origins: list[str]) -> str:
    return policy.replace(f"{directive} 'self'", " ".join([f"{directive} 'self'", *origins]))
