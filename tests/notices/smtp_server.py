"""A real SMTP server (aiosmtpd, in a thread of the test) that keeps what it accepts and misbehaves on demand."""

from __future__ import annotations

import asyncio
import email
import email.policy
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

DROP = "drop"
"""Instead of an answer: the server closes the connection."""


@dataclass
class Received:
    """One accepted message: who it went to, its bytes, and when it was accepted (monotonic seconds)."""

    recipient: str
    data: bytes
    at: float

    @property
    def mail(self) -> EmailMessage:
        """The message, parsed."""
        parsed = email.message_from_bytes(self.data, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed

    @property
    def message_id(self) -> str:
        """Its Message-ID without the brackets, read without parsing the rest."""
        head = self.data.split(b"\r\n\r\n", 1)[0].replace(b"\r\n ", b" ")
        line = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"message-id:"))
        return line.split(b":", 1)[1].strip().decode().strip("<>")


@dataclass
class Faults:
    """What the server does instead of accepting: an answer for each step, used once for each entry. ``slow`` are
    seconds before the answer to a message; ``drop_after_data`` counts messages that are kept, but not confirmed."""

    mail: list[str] = field(default_factory=list)
    rcpt: list[str] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    slow: float = 0.0
    drop_after_data: int = 0


class Server:
    """The running server: ``port``, what was ``received``, and its ``faults``."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.received: list[Received] = []
        self.faults = Faults()
        self.connections = 0
        self.open: set[SMTP] = set()
        """The connections that clients have not ended, or not yet seen to be ended."""
        self.lock = threading.Lock()

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """Counts connections."""
        session.host_name = hostname  # type: ignore[assignment]
        self.connections += 1
        return responses

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Takes any sender."""
        if self.faults.mail:
            return await self._fault(server, self.faults.mail)
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Takes any recipient."""
        if self.faults.rcpt:
            return await self._fault(server, self.faults.rcpt)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keeps the message."""
        if self.faults.slow:
            await asyncio.sleep(self.faults.slow)
        if self.faults.data:
            return await self._fault(server, self.faults.data)
        content: Any = envelope.content
        with self.lock:
            self.received.append(Received(envelope.rcpt_tos[0], content, time.monotonic()))
        if self.faults.drop_after_data:
            self.faults.drop_after_data -= 1
            return await self._fault(server, [DROP])
        return "250 2.0.0 OK queued as 4F1A2B3C"

    async def _fault(self, server: SMTP, answers: list[str]) -> str:
        answer = answers.pop(0)
        if answer == DROP:
            assert server.transport is not None
            server.transport.abort()
            return ""
        return answer


class _Connection(SMTP):
    """One connection; the server knows which are open."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client came."""
        self.event_handler.open.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """The client went, or was killed."""
        super().connection_lost(error)
        self.event_handler.open.discard(self)


class _Controller(Controller):
    def factory(self) -> SMTP:
        return _Connection(self.handler, **self.SMTP_kwargs)


@contextmanager
def smtp_server(**options: Any) -> Iterator[Server]:
    """A server on a free port of loopback while the block runs."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = Server(port)
    controller = _Controller(server, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield server
    finally:
        controller.stop()
