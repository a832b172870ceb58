"""Messages as files in a folder, which administrators read on a page: for demonstrations and first steps."""

from lms_bridge_mailbox.channel import MailboxChannel

__all__ = ["MailboxChannel"]
