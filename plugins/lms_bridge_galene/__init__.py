"""Galene as a meeting provider: https://galene.org/"""

from lms_bridge_galene.provider import GaleneProvider
from lms_bridge_galene.settings import GaleneSettings

__all__ = ["GaleneProvider", "GaleneSettings"]
