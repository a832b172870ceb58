"""Canvas by its REST API."""

from lms_bridge_canvas.connector import CanvasConnector

__all__ = ["CanvasConnector"]
