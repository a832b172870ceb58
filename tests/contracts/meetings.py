"""What the one suite over all meeting providers needs of each: a rig, which is a server that behaves as the original
does, and the plugin set up for it."""

from __future__ import annotations

import contextlib
import enum
import ipaddress
import socket
import ssl
import tempfile
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import ClassVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lms_bridge.core.clock import now
from lms_bridge.core.plugins import (
    Attendee,
    MeetingProvider,
    MeetingSpec,
    Network,
    PluginContext,
    PresenceReport,
    Room,
    RoomRole,
)
from tests.contracts.json_api import Twist

LOOPBACK: tuple[Network, ...] = (ipaddress.ip_network("127.0.0.0/8"),)
BASE = "https://bridge.test"
WEBHOOK_URL = f"{BASE}/hooks/providers/0123456789abcdef"
SECONDS = 0.03
"""The time limit of a provider's calls once its rig's server is to be slow. Before, rigs give them :data:`PATIENCE`: an
honest answer may take long where much else runs."""
PATIENCE = 10.0


class Fault(enum.StrEnum):
    """How a provider's server can misbehave: it says nothing until it is given up, nothing in an answer, a page instead
    of data, too many requests, a failure of its own, go elsewhere; or it does what was asked, and the answer is lost.
    The last two are not asked of it: they are a provider set up for a server whose certificate nobody knows, and one
    that may not speak to the internal network."""

    SLOW = "slow"
    EMPTY = "empty"
    HTML = "html"
    BUSY = "429"
    BROKEN = "500"
    REDIRECT = "redirect"
    LOST = "lost"
    CERTIFICATE = "certificate"
    INTERNAL = "internal"


SERVED = frozenset(Fault) - {Fault.CERTIFICATE, Fault.INTERNAL}


@dataclass(frozen=True)
class Entered:
    """A person in a room, as the provider's server sees them."""

    room: str
    name: str
    role: RoomRole
    handle: str = ""
    """By what the rig's :meth:`Rig.leave` finds them again."""


@dataclass(frozen=True)
class Webhook:
    """A request as it arrives at LMS Bridge. ``meeting``: it came to that meeting's ``callback_url``."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    meeting: MeetingSpec | None = None


class Rig(ABC):
    """One provider and its server on loopback, fresh for each test. A test closes it."""

    name: ClassVar[str]
    faults: ClassVar[frozenset[Fault]] = frozenset(Fault)
    """What can go wrong with its server; none for a provider that makes no calls."""
    asks: ClassVar[frozenset[str]] = frozenset()
    """The calls that speak with the server, by their names in :mod:`tests.contracts.provider_calls`; the others must
    not."""
    enters: ClassVar[bool] = True
    """Whether the rig's server judges who enters, by :meth:`enter`."""
    observers: ClassVar[bool] = True
    """Whether the server tells observers from participants."""
    polls: ClassVar[bool] = False
    """Whether asking tells who is inside while a lesson runs."""
    webhooks: ClassVar[bool] = True
    """Whether the provider sends any."""
    stale: ClassVar[timedelta | None] = None
    """From which age on a genuine webhook is refused; None where its signature carries no time."""
    covers_body: ClassVar[bool] = True
    """Whether a webhook's signature covers its body (a bearer token does not)."""

    @abstractmethod
    def provider(self, *, url: str | None = None, networks: Sequence[Network] = LOOPBACK) -> MeetingProvider:
        """The plugin, made anew as for each job; set up for the server, or for another one at ``url``
        (``https://127.0.0.1:PORT``, no path)."""

    def spec(self, **changes: object) -> MeetingSpec:
        """A lesson that runs now."""
        return replace(lesson(), **changes)  # type: ignore[arg-type]

    def rooms(self) -> set[str]:
        """Names of the rooms that exist at the server and are not over; always empty where there is no server."""
        return set()

    def enter(self, url: str) -> Entered | None:
        """What becomes of somebody who opens ``url`` in a browser; None: they are refused."""
        raise NotImplementedError

    def leave(self, entered: Entered) -> None:
        """They close the window."""
        raise NotImplementedError

    def tampered(self, url: str) -> Sequence[str]:
        """Addresses that somebody may make of theirs to be somebody else, or more than they are."""
        raise NotImplementedError

    def observe(self, provider: MeetingProvider, running: Sequence[tuple[MeetingSpec, Room]]) -> PresenceReport:
        """What the provider tells of who is there since the last call, by polls or by its observer or (those that tell
        by webhooks alone, or afterwards) by those: whatever its way is."""
        raise NotImplementedError

    def sent(self, meeting: MeetingSpec, room: Room, attendee: Attendee, at: datetime | None = None) -> list[Webhook]:
        """The genuine webhooks of ``attendee`` entering and leaving, in this order, sent at ``at``."""
        raise NotImplementedError

    def signed(self, body: bytes) -> Webhook:
        """``body`` with a genuine signature over it."""
        raise NotImplementedError

    def forged(self, webhook: Webhook) -> Sequence[Webhook]:
        """The same content with a signature that is none: of another secret, of another body, missing."""
        raise NotImplementedError

    def over(self, room: Room) -> None:  # noqa: B027
        """The meeting is over at the server; all who were inside have left."""

    def record(self, room: Room) -> None:  # noqa: B027
        """There is a recording of the room at the server."""

    def vanish(self, room: Room) -> None:
        """Somebody takes the room away at the server."""
        raise NotImplementedError

    def at(self, room: Room, url: str) -> Room:
        """``room``, as if it had been made at the server at ``url``."""
        return room

    def requests(self) -> int:
        """How often the server was asked for anything; 0 where there is none."""
        return 0

    def fault(self, kind: Fault, after: int = 0) -> None:
        """The server misbehaves so once, at the request that comes after so many others."""
        raise NotImplementedError

    def fault_of(self, room: Room, kind: Fault) -> None:
        """The server misbehaves so whenever it is asked of ``room``."""
        raise NotImplementedError

    def twist(self, twist: Twist, after: int = 0) -> None:
        """The answer to the request that comes after so many others is so."""
        raise NotImplementedError

    def struck(self) -> bool:
        """Whether the fault, or the twist, has happened."""
        raise NotImplementedError

    def well(self) -> None:
        """The server behaves from now on, and may take its time."""
        raise NotImplementedError

    def close(self) -> None:  # noqa: B027
        """End the server."""


def context(networks: Sequence[Network] = LOOPBACK, seconds: float = PATIENCE) -> PluginContext:
    """What plugins are told of the installation; a call may take ``seconds``."""
    return PluginContext(
        BASE,
        Path("/nowhere"),
        timeout=timedelta(seconds=seconds),
        installation="bridge-1",
        webhook_url=WEBHOOK_URL,
        networks=tuple(networks),
    )


def lesson() -> MeetingSpec:
    """A lesson that began a minute ago."""
    starts_at = now().replace(microsecond=0) - timedelta(minutes=1)
    return MeetingSpec(
        key="01k7lesson-1",
        lesson_uid="01k7lesson",
        attempt=1,
        title="Maths & 数学 5-1",
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=40),
        locale="zh-CN",
        zone="Asia/Shanghai",
        lesson_url=f"{BASE}/l/01k7lesson",
        callback_url=f"{BASE}/hooks/meetings/0123456789abcdef0123456789abcdef",
        expected=30,
    )


def attendee(role: RoomRole = RoomRole.PARTICIPANT, number: int = 7) -> Attendee:
    """Somebody at the door."""
    return Attendee(f"01k7person{number}", f"李华 #{number:02}", role, "zh-CN", f"p{number}@school.example")


@cache
def _unknown_certificate() -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nobody knows me")])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2100, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:
        file.write(made.public_bytes(serialization.Encoding.PEM))
        file.write(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        file.flush()
        context.load_cert_chain(file.name)
    return context


@contextlib.contextmanager
def unknown_certificate() -> Iterator[str]:
    """The address of a server whose certificate nobody knows."""
    context = _unknown_certificate()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    sock = listening.accept()[0]
                except OSError:
                    return
                with contextlib.suppress(OSError), sock:
                    context.wrap_socket(sock, server_side=True).close()

        threading.Thread(target=serve, daemon=True).start()
        yield f"https://127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
