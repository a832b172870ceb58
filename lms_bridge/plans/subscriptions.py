"""What plans register with the packages below them: their kinds of messages."""

from __future__ import annotations

from lms_bridge.notices import kinds
from lms_bridge.plans import deadline_messages, messages

kinds.register(messages.KIND)
kinds.register(messages.COMMENT)
kinds.register(deadline_messages.KIND)
