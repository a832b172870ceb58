"""Zoom meetings by Zoom's REST API, with a server-to-server OAuth app."""

from lms_bridge_zoom.provider import ZoomProvider

__all__ = ["ZoomProvider"]
