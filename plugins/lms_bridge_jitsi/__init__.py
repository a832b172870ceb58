"""Jitsi Meet as a meeting provider: https://jitsi.org/jitsi-meet/"""

from lms_bridge_jitsi.provider import JitsiProvider
from lms_bridge_jitsi.settings import JitsiSettings

__all__ = ["JitsiProvider", "JitsiSettings"]
