"""What plans register with the packages below them: their kind of message."""

from __future__ import annotations

from lms_bridge.notices import kinds
from lms_bridge.plans.messages import KIND

kinds.register(KIND)
