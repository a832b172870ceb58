"""What arrived in the mailbox folder of a test installation, read as a mail program would."""

from __future__ import annotations

import email
import email.policy
from datetime import datetime
from email.message import EmailMessage
from typing import Any

import icalendar

from lms_bridge.core.settings import Settings


def mails(settings: Settings) -> dict[str, list[EmailMessage]]:
    """The mails in the folder by their recipient, in the order in which they were written."""
    found: dict[str, list[EmailMessage]] = {}
    files = (settings.data_dir / "plugins" / "mailbox").glob("*.eml")
    for file in sorted(files, key=lambda file: file.stat().st_mtime_ns):
        mail = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        found.setdefault(mail["To"].addresses[0].addr_spec, []).append(mail)
    return found


def said(mail: EmailMessage, kind: str = "plain") -> str:
    """The text of a mail, or its HTML (kind ``html``)."""
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content())


def calendar(mail: EmailMessage) -> icalendar.Calendar:
    """The one attached calendar."""
    (part,) = mail.iter_attachments()
    assert part.get_content_type() == "text/calendar"
    parsed = icalendar.Calendar.from_ical(part.get_content())
    assert isinstance(parsed, icalendar.Calendar)
    return parsed


def events(parsed: icalendar.Calendar) -> dict[str, Any]:
    """The entries of a calendar by their UID."""
    return {str(event["UID"]): event for event in parsed.walk("VEVENT")}


def begins(event: Any) -> datetime:
    """The aware start of an entry."""
    start = event["DTSTART"].dt
    assert isinstance(start, datetime)
    return start
