"""The channel: connections to the mail server, and what each of its answers means for a message."""

from __future__ import annotations

from collections.abc import Sequence
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
from lms_bridge_smtp.client import Connection, NotReady
from lms_bridge_smtp.settings import Security, SmtpSettings

CUT_OFF = N_("The mail server closed the connection before it had the message.")


class SmtpSession(ChannelSession):
    """Sends many messages over one connection, opened anew when it broke or has served its share."""

    def __init__(self, settings: SmtpSettings, sender: str, greeting: str) -> None:
        self._settings, self._sender, self._greeting = settings, sender, greeting
        self._connection: Connection | None = None

    def connect(self) -> Connection:
        """The connection in use, or a new one.

        :raises NotReady: the server cannot be used now.
        """
        if self._connection is not None and self._connection.used >= self._settings.messages_per_connection:
            self._connection.close()
        if self._connection is None or not self._connection.alive:
            self._connection = Connection(self._settings, self._greeting)
        return self._connection

    def send(self, message: OutgoingMessage) -> SendResult:
        try:
            mail = compose_mail(message, sender=self._sender, sender_name=self._settings.sender_name, date=now())
            data = mail.as_bytes()
            recipient = mail["To"].addresses[0].addr_spec
        except (ValueError, UnicodeError) as error:
            return unwritable(message, error)
        try:
            reused = self._connection is not None and self._connection.alive and self._connection.used > 0
            result = self.connect().transmit(self._sender, recipient, data)
            if result is None and reused:
                # The server closed the kept connection between two messages; nothing of this one was handed over.
                result = self.connect().transmit(self._sender, recipient, data)
        except NotReady as reason:
            return SendResult(SendState.RETRY, reason.failure, service_down=True)
        return result or SendResult(SendState.RETRY, TemporaryFailure(CUT_OFF))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._connection is not None:
            self._connection.close()


class SmtpChannel(MessageChannel):
    """E-mail over SMTP (RFC 5321)."""

    identifier = "smtp"
    verbose_name = "SMTP"
    Settings: ClassVar[type[BaseModel]] = SmtpSettings
    capabilities = ChannelCapabilities(address_kind="email", html=True, attachments=True, bulk=True)

    def __init__(self, settings: BaseModel, context: PluginContext) -> None:
        super().__init__(settings, context)
        assert isinstance(settings, SmtpSettings)
        self.smtp = settings
        host = urlsplit(context.base_url).hostname or "localhost"
        self.sender = settings.sender or f"noreply@{host}"
        # RFC 5321, 4.1.1.1: a name of this host, or an address literal where it has none.
        self.greeting = host if "." in host and not host.replace(".", "").isdigit() else "[127.0.0.1]"

    def open(self) -> SmtpSession:
        session = SmtpSession(self.smtp, self.sender, self.greeting)
        try:
            session.connect()
        except NotReady as reason:
            raise reason.failure from None
        return session

    def accepts(self, address: str) -> bool:
        return is_mail_address(address)

    def check(self) -> Sequence[Check]:
        """Connects, protects the connection and signs in; sends nothing."""
        server = f"{self.smtp.host}:{self.smtp.port}"
        checks = []
        if not is_mail_address(self.sender):
            checks.append(
                Check(
                    gettext("Sender"),
                    CheckState.FAILED,
                    self.sender,
                    gettext("Set LMS_BRIDGE_SMTP_SENDER to an address."),
                )
            )
        try:
            with self.open():
                checks.append(Check(gettext("Mail server"), CheckState.OK, server))
        except TemporaryFailure as error:
            remedy = gettext(
                "Compare LMS_BRIDGE_SMTP_HOST, _PORT, _SECURITY, _USER and _PASSWORD with your mail server."
            )
            checks.append(Check(gettext("Mail server"), CheckState.FAILED, f"{server}: {error.text()}", remedy))
        if self.smtp.security is Security.NONE and self.smtp.user:
            remedy = gettext("Set LMS_BRIDGE_SMTP_SECURITY to starttls or tls.")
            detail = gettext("the password is sent unprotected")
            checks.append(Check(gettext("Protection"), CheckState.WARNING, detail, remedy))
        return checks
