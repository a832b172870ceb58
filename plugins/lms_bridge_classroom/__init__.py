"""The built-in classroom as a meeting provider: a room served by LMS Bridge itself, with no outside service."""

from lms_bridge_classroom.provider import ClassroomProvider
from lms_bridge_classroom.settings import ClassroomSettings

__all__ = ["ClassroomProvider", "ClassroomSettings"]
