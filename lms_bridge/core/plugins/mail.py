"""An outgoing message as an RFC 5322 mail, for every channel that sends or keeps mails."""

from __future__ import annotations

import re
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from lms_bridge.core.i18n import N_
from lms_bridge.core.plugins.base import PluginError
from lms_bridge.core.plugins.channel import Attachment, OutgoingMessage, SendResult, SendState

# Seven bits only: no relay on the way needs to recode the text, and a DKIM signature stays valid.
POLICY = SMTP.clone(cte_type="7bit", max_line_length=76)

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?")


def is_mail_address(address: str) -> bool:
    """Whether ``address`` has the form local@domain of RFC 5321 (4.1.2 and the lengths of 4.5.3.1) without quoting and
    with an ASCII local part; the domain may be international. Says nothing about whether it exists."""
    local, at, domain = address.rpartition("@")
    if not at or len(local) > 64 or not _LOCAL.fullmatch(local):
        return False
    try:
        ascii_domain = domain.encode("idna").decode("ascii")
    except UnicodeError:
        return False
    labels = ascii_domain.split(".")
    return len(ascii_domain) <= 255 and all(len(label) <= 63 and _LABEL.fullmatch(label) for label in labels)


def compose_mail(message: OutgoingMessage, *, sender: str, sender_name: str, date: datetime) -> EmailMessage:
    """The mail: text and HTML as alternatives, then the attachments; a calendar part names its iTIP method in its type.

    :raises ValueError: an address or header is malformed.
    """
    if not is_mail_address(message.address):
        raise ValueError("the address is malformed")
    mail = EmailMessage(policy=POLICY)
    mail["Subject"] = message.subject
    mail["From"] = _address(sender_name, sender)
    mail["To"] = _address(message.recipient_name, message.address)
    mail["Date"] = format_datetime(date)
    mail["Message-ID"] = f"<{message.message_id}>"
    if message.reply_to:
        mail["Reply-To"] = _address("", message.reply_to)
    if message.automatic:
        # RFC 3834: automatic answers (absence notes) must not come back.
        mail["Auto-Submitted"] = "auto-generated"
        mail["X-Auto-Response-Suppress"] = "All"
    if message.unsubscribe_url:
        mail["List-Unsubscribe"] = f"<{message.unsubscribe_url}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    if message.urgent:
        mail["Importance"] = "high"
    mail.set_content(message.text)
    if message.html is not None:
        mail.add_alternative(message.html, subtype="html")
    for attachment in message.attachments:
        _attach(mail, attachment)
    # Only now: what makes the mail multipart moves all Content- headers into its first part.
    mail["Content-Language"] = message.locale
    return mail


def unwritable(message: OutgoingMessage, error: Exception) -> SendResult:
    """What becomes of a message that :func:`compose_mail` refused with ``error``: it is never sent."""
    if not is_mail_address(message.address):
        return SendResult(SendState.REJECTED, PluginError(N_("The address is malformed.")), address_bad=True)
    problem = PluginError(
        N_("The message could not be written: %(problem)s"), problem=f"{type(error).__name__}: {error}"
    )
    return SendResult(SendState.REJECTED, problem)


def _address(name: str, address: str) -> Address:
    local, _, domain = address.rpartition("@")
    # Control characters in a name from a roster would break the header, or add another one.
    clean = re.sub(r"[\x00-\x1f\x7f]+", " ", name).strip()
    return Address(clean, local, domain.encode("idna").decode("ascii"))


def _attach(mail: EmailMessage, attachment: Attachment) -> None:
    main, _, sub = attachment.media_type.partition("/")
    if main == "text":
        text = attachment.content.decode("utf-8")
        mail.add_attachment(text, subtype=sub, filename=attachment.name, cte="base64")
    else:
        mail.add_attachment(attachment.content, maintype=main, subtype=sub, filename=attachment.name)
    if attachment.calendar_method:
        part = list(mail.iter_attachments())[-1]
        part.set_param("method", attachment.calendar_method)
