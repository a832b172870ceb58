"""The channel: each message becomes one ``.eml`` file, named for its Message-ID, so that a repeat replaces it."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import ClassVar
from urllib.parse import urlsplit

from pydantic import BaseModel

from lms_bridge.core.plugins import (
    N_,
    ChannelCapabilities,
    ChannelSession,
    Check,
    CheckState,
    MessageChannel,
    OutgoingMessage,
    PluginContext,
    SendResult,
    SendState,
    TemporaryFailure,
    compose_mail,
    gettext,
    is_mail_address,
    now,
    unwritable,
)
from lms_bridge_mailbox.settings import MailboxSettings


def file_name(message_id: str) -> str:
    """The name of a message's file; unusual ids are replaced by their hash, so that no id leads out of the folder."""
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,150}", message_id):
        return f"{message_id}.eml"
    return f"{hashlib.sha256(message_id.encode()).hexdigest()}.eml"


def _cannot(error: OSError) -> TemporaryFailure:
    """Why the folder cannot be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return TemporaryFailure(N_("The mailbox folder cannot be written: the disk is full."))
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return TemporaryFailure(N_("The mailbox folder cannot be written: the service's user may not write there."))
    return TemporaryFailure(N_("The mailbox folder cannot be written: %(reason)s"), reason=str(error.strerror))


class MailboxSession(ChannelSession):
    """Writes messages into the folder."""

    def __init__(self, folder: Path, sender: str, sender_name: str) -> None:
        self._folder, self._sender, self._sender_name = folder, sender, sender_name

    def send(self, message: OutgoingMessage) -> SendResult:
        try:
            date = now()
            mail = compose_mail(message, sender=self._sender, sender_name=self._sender_name, date=date)
            data = mail.as_bytes()
        except (ValueError, UnicodeError) as error:
            return unwritable(message, error)
        target = self._folder / file_name(message.message_id)
        try:
            with tempfile.NamedTemporaryFile(dir=self._folder, suffix=".tmp", delete=False) as temporary:
                temporary.write(data)
                temporary.flush()
                os.fsync(temporary.fileno())
            os.replace(temporary.name, target)
        except OSError as error:
            return SendResult(SendState.RETRY, _cannot(error), service_down=True)
        return SendResult(SendState.SENT, provider_id=target.name)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing is kept open."""


class MailboxChannel(MessageChannel):
    """A folder of mails, for installations that send nothing yet."""

    identifier = "mailbox"
    verbose_name = "Mailbox folder"
    Settings: ClassVar[type[BaseModel]] = MailboxSettings
    capabilities = ChannelCapabilities(address_kind="email", html=True, attachments=True, bulk=True, readable_here=True)

    def __init__(self, settings: BaseModel, context: PluginContext) -> None:
        super().__init__(settings, context)
        assert isinstance(settings, MailboxSettings)
        self.mailbox = settings
        self.sender = settings.sender or f"noreply@{urlsplit(context.base_url).hostname or 'localhost'}"

    def open(self) -> MailboxSession:
        try:
            self.context.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise _cannot(error) from None
        return MailboxSession(self.context.data_dir, self.sender, self.mailbox.sender_name)

    def accepts(self, address: str) -> bool:
        return is_mail_address(address)

    def read(self, message_id: str) -> bytes | None:
        path = self.context.data_dir / file_name(message_id)
        return path.read_bytes() if path.exists() else None

    def check(self) -> Sequence[Check]:
        """The folder can be written."""
        folder = self.context.data_dir
        try:
            self.open()
            with tempfile.NamedTemporaryFile(dir=folder, suffix=".tmp"):
                pass
        except (OSError, TemporaryFailure):
            detail = gettext("%(folder)s cannot be written", folder=str(folder))
            remedy = gettext("Give the service's user the right to write there, or choose another LMS_BRIDGE_DATA_DIR.")
            return [Check(gettext("Mailbox folder"), CheckState.FAILED, detail, remedy)]
        detail = gettext("%(folder)s: messages are written there and reach nobody by mail", folder=str(folder))
        remedy = gettext("Set LMS_BRIDGE_SMTP_HOST to send real mails.")
        return [Check(gettext("Mailbox folder"), CheckState.WARNING, detail, remedy)]
