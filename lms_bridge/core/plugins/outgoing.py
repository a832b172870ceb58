"""Requests to outside systems whose address somebody entered: bounded in time and size, never sent on by a redirect,
and never to a machine of an internal network that the installation has not named.

The guard looks at the address that the connection is made to, after the name was resolved, so that a name which
is answered differently the second time gains nothing.
"""

from __future__ import annotations

import contextlib
import functools
import ipaddress
import json
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import certifi
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse
from urllib3.util import Url, parse_url
from urllib3.util.connection import create_connection

from lms_bridge.core.i18n import N_
from lms_bridge.core.plugins.base import PluginError, TemporaryFailure
from lms_bridge.core.plugins.replies import Reply
from lms_bridge.core.plugins.unreachable import unreachable

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

CONNECT_SECONDS = 5.0
CHUNK = 64 * 1024
MAX_BYTES = 8 * 1024 * 1024
AGENT = "LMS-Bridge"
REDIRECTS = (301, 302, 303, 307, 308)
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
LEADS_INSIDE = tuple(map(ipaddress.IPv6Network, ("fec0::/10", "64:ff9b:1::/48", "::/96", "::ffff:0:0:0/96")))
"""Of no public network, though the standard library calls them global: site-local (RFC 3879), translators of one's own
network (RFC 8215), and IPv4 addresses written as IPv6 in ways of old (RFC 4291, RFC 2765)."""


class InternalAddress(PluginError):
    """The name leads into an internal network that the installation has not named."""

    code = "internal_address"


class Outgoing:
    """Connections to one outside system, called ``system`` in errors; they are kept until closed. Not for several
    threads.

    ``seconds`` is the time for one whole exchange; ``networks`` are the internal networks that may be spoken to
    (``PluginContext.networks``); ``ca_file`` names the certificate authority if it is not a public one; an answer of
    more than ``max_bytes`` is not read. The proxies of the environment are not used: they would see every secret.
    """

    def __init__(
        self,
        system: str,
        *,
        seconds: float,
        networks: Iterable[Network] = (),
        ca_file: Path | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self.system = system
        self._seconds, self._max_bytes, self._ca_file = seconds, max_bytes, ca_file
        self._networks = tuple(networks)
        self._kept: dict[tuple[str, str, int | None], _Plain | _Secure] = {}

    def close(self) -> None:
        """Give the connections back."""
        for connection in self._kept.values():
            connection.close()
        self._kept.clear()

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
        data: bytes | Mapping[str, str] | Sequence[tuple[str, str]] | None = None,
        json: Any = None,
    ) -> Reply:
        """The answer to one request; its status is for the caller to judge. ``params`` go into the address; ``data``
        is sent as it is or (a mapping, or pairs) as a form, ``json`` as JSON.

        :raises TemporaryFailure: nothing usable came: no connection, too slow, too much, a certificate that is not
            trusted. Whether the other side did what was asked is not known.
        :raises PluginError: a redirect, an address that is none, or one in an internal network that is not allowed.
        """
        sent = {"User-Agent": AGENT, **(headers or {})}
        body = _body(data, json, sent)
        if params:
            url += ("&" if urlsplit(url).query else "?") + urlencode(params)
        try:
            target = parse_url(url)
        except HTTPError:
            target = Url()
        if target.scheme not in ("http", "https") or not target.host:
            raise PluginError(
                N_("The address of %(system)s is none."),
                remedy=N_("Enter one that begins with https://."),
                system=self.system,
            )
        reply = self._exchange(method, target, body, sent)
        if reply.status in REDIRECTS:
            # Followed, it could take our secrets to somebody else, or us into the internal network.
            aim = urlsplit(reply.headers.get("location", ""))
            raise PluginError(
                N_("%(system)s sends LMS Bridge on to %(address)s."),
                remedy=N_("Enter the address that it calls itself by."),
                system=self.system,
                address=f"{aim.scheme}://{aim.netloc}"[:200] if aim.netloc else target.netloc,
            )
        return reply

    def connect(self, host: str, port: int) -> socket.socket:
        """A connection for another protocol (WebSocket), with the same guard; the caller closes it. It has a time
        limit of :data:`CONNECT_SECONDS` on each operation.

        :raises TemporaryFailure: no connection.
        :raises PluginError: an address in an internal network that is not allowed.
        """
        try:
            return _dial(self.system, host, port, self._networks, min(CONNECT_SECONDS, self._seconds))
        except OSError as error:
            raise unreachable(self.system, error, seconds=self._seconds) from None

    def tls(self) -> ssl.SSLContext:
        """The certificate authorities that are trusted.

        :raises PluginError: their file cannot be read.
        """
        try:
            if self._ca_file is None:
                return _trust(certifi.where(), 0.0)
            return _trust(str(self._ca_file), self._ca_file.stat().st_mtime)
        except OSError as error:
            raise PluginError(
                N_("The certificate authority's file cannot be read: %(reason)s"),
                remedy=N_("Name another file, or none if the certificate is a public one."),
                reason=error.strerror or type(error).__name__,
            ) from None

    def _exchange(self, method: str, target: Url, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        connection = self._connection(target)
        guard = _Deadline(self._seconds)
        try:
            with guard:
                if not connection.is_connected:
                    connection.close()
                    connection.timeout = min(CONNECT_SECONDS, self._seconds)
                    connection.connect()
                connection.timeout, guard.sock = self._seconds, connection.sock
                if guard.passed:  # while it connected, when there was nothing to cut off
                    raise TimeoutError
                connection.request(method, target.request_uri, body=body, headers=headers, preload_content=False)
                answer = connection.getresponse()
                content = self._content(answer)
            if guard.passed:  # where the end of the connection is the end of the answer, this one was cut off
                raise TimeoutError
            kept = {name.lower(): value for name, value in answer.headers.items()}
            return Reply(self.system, answer.status, kept, content, target.url)
        except BaseException as error:
            connection.close()
            if isinstance(error, HTTPError | HTTPException | OSError | ValueError):
                raise unreachable(self.system, error, seconds=self._seconds, late=guard.passed) from None
            raise

    def _connection(self, target: Url) -> _Plain | _Secure:
        host, key = target.host or "", (target.scheme or "", target.host or "", target.port)
        connection = self._kept.get(key)
        if connection is None:
            if target.scheme == "https":
                connection = _Secure(host.strip("[]"), target.port or 443, ssl_context=self.tls())
            else:
                connection = _Plain(host.strip("[]"), target.port or 80)
            connection.networks, connection.system = self._networks, self.system
            self._kept[key] = connection
        return connection

    def _content(self, answer: BaseHTTPResponse) -> bytes:
        content = bytearray()
        # read1 and not read: a body that drips in is seen as it comes.
        while part := answer.read1(CHUNK, decode_content=True):
            content += part
            if len(content) > self._max_bytes:
                raise TemporaryFailure(
                    N_("The answer of %(system)s is larger than %(size)s MB."),
                    system=self.system,
                    size=round(self._max_bytes / 1024**2, 1),
                )
        return bytes(content)


class _Guarded(HTTPConnection):
    """Connects to nothing but public addresses and those of ``networks``."""

    networks: tuple[Network, ...] = ()
    system = ""

    def _new_conn(self) -> socket.socket:
        seconds = self.timeout if isinstance(self.timeout, int | float) else CONNECT_SECONDS
        return _dial(self.system, self.host, self.port, self.networks, seconds)


class _Plain(_Guarded):
    pass


class _Secure(_Guarded, HTTPSConnection):
    pass


class _Deadline:
    """Ends an exchange that lasts longer than it may, whatever it is waiting for: the socket's own time limit counts
    anew with every byte."""

    def __init__(self, seconds: float) -> None:
        self.sock: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self.passed = False

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *exc: object) -> None:
        self._timer.cancel()

    def _end(self) -> None:
        self.passed = True
        if self.sock is not None:
            with contextlib.suppress(OSError):  # gone meanwhile, which is what was wanted
                # Not SSLSocket's own, which would change it under the hands of the thread that reads.
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)


def _dial(system: str, host: str, port: int, networks: Sequence[Network], seconds: float) -> socket.socket:
    """A connection to one of the addresses of ``host`` that may be spoken to.

    :raises InternalAddress: there is no such address.
    :raises OSError: no connection.
    """
    end = time.monotonic() + seconds
    addresses = _resolved(host, port, seconds)
    allowed = [address for address in addresses if not is_internal(address, networks)]
    if not allowed:
        raise InternalAddress(
            # Not its address: whoever may enter one would learn what names mean inside.
            N_("%(host)s is in an internal network that LMS Bridge may not speak to."),
            remedy=N_("If %(system)s stands there, add its network to LMS_BRIDGE_INTERNAL_NETWORKS."),
            host=host,
            system=system,
        )
    problem = OSError()
    for address in allowed:
        try:
            return create_connection(
                (address, port), max(0.1, end - time.monotonic()), socket_options=HTTPConnection.default_socket_options
            )
        except OSError as error:
            problem = error
    raise problem


def _resolved(host: str, port: int, seconds: float) -> list[str]:
    """The addresses of ``host``, in the system's order.

    :raises OSError: there are none, or the name servers do not answer in time.
    """
    found: list[str] = []
    problem: list[OSError] = []

    def look() -> None:
        try:
            found.extend(str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except OSError as error:
            problem.append(error)
        except UnicodeError:
            problem.append(socket.gaierror(socket.EAI_NONAME, "no such name"))

    # The system's resolver knows no time limit; a thread of its own can be left alone.
    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    thread.join(seconds)
    if problem:
        raise problem[0]
    if not found:
        raise TimeoutError
    return found


def is_internal(address: str, allowed: Iterable[Network] = ()) -> bool:
    """Whether ``address`` is of no public network (private, loopback, link-local, of the carrier, ...), nor of one
    that is ``allowed``. IPv4 addresses that are wrapped in IPv6 count as what they are."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        if ip in NAT64:
            ip = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        else:
            ip = ip.ipv4_mapped or ip.sixtofour or ip
    if any(ip in network for network in allowed if network.version == ip.version):
        return False
    return not ip.is_global or ip.is_multicast or any(ip in network for network in LEADS_INSIDE)


@functools.lru_cache(maxsize=16)
def _trust(file: str, changed: float) -> ssl.SSLContext:
    """Reading the public authorities takes tens of milliseconds; a file that was ``changed`` is read again."""
    return ssl.create_default_context(cafile=file)


def _body(data: Any, content: Any, headers: dict[str, str]) -> bytes | None:
    if content is not None:
        headers.setdefault("Content-Type", "application/json")
        return json.dumps(content, ensure_ascii=False).encode()
    if data is None or isinstance(data, bytes):
        return data
    headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
    return urlencode(data).encode("ascii")
