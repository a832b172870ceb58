"""BigBlueButton as a meeting provider: one or several servers by their API, bbb-webhooks and callbacks."""

from lms_bridge_bigbluebutton.provider import BigBlueButtonProvider
from lms_bridge_bigbluebutton.settings import BigBlueButtonSettings

__all__ = ["BigBlueButtonProvider", "BigBlueButtonSettings"]
