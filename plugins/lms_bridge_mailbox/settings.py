"""What the mailbox channel may be told (``LMS_BRIDGE_MAILBOX_*`` or the table ``[plugins.mailbox]``)."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class MailboxSettings(BaseModel):
    """Settings of the folder."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    sender: str = ""
    """Address that messages come from. Empty: ``noreply@`` and the host of the service."""

    sender_name: str = "LMS Bridge"
    """Name that people see as the sender, best that of the school."""
