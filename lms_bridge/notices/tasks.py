"""Background jobs of messages."""

from __future__ import annotations

from lms_bridge.core import jobs, outbox
from lms_bridge.notices.outbox import SEND, expand
from lms_bridge.notices.sending import send_due


@jobs.job(outbox.EXPAND)
def expand_fact(subject: str) -> None:
    """Turn the fact with this id into notifications."""
    expand(int(subject))


@jobs.job(SEND)
def send_channel(subject: str) -> None:
    """Send what is due on the channel with this identifier."""
    send_due(subject)
