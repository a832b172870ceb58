"""Moodle 4.5 by its web services."""

from lms_bridge_moodle.channel import MoodleChannel
from lms_bridge_moodle.connector import MoodleConnector

__all__ = ["MoodleChannel", "MoodleConnector"]
