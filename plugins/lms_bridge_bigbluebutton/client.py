"""Speaks BigBlueButton's API: signed calls, answers in XML, refusals in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar
from xml.etree.ElementTree import Element

from lms_bridge.core.plugins import (
    N_,
    AccessRefused,
    NotThere,
    Outgoing,
    PluginContext,
    PluginError,
    TemporaryFailure,
    usable,
    xml_of,
)
from lms_bridge_bigbluebutton.rooms import FoundMeeting, all_found, text
from lms_bridge_bigbluebutton.settings import BigBlueButtonSettings, Server
from lms_bridge_bigbluebutton.signing import signed

MAX_ANSWER = 32 * 1024 * 1024
"""An answer to getMeetings names everybody in every room of a server."""

T = TypeVar("T")


class Refused(PluginError):
    """BigBlueButton said FAILED; ``key`` is why, in its own stable word."""

    code = "bigbluebutton_refused"

    def __init__(self, key: str, said: str) -> None:
        super().__init__(N_("BigBlueButton refused: %(text)s (%(key)s)"), text=said[:200] or "-", key=key[:60] or "-")
        self.key = key


class Client:
    """One connection to one server. Not for several threads; close it."""

    def __init__(self, server: Server, settings: BigBlueButtonSettings, context: PluginContext) -> None:
        self.server = server
        self._algorithm = settings.algorithm.value
        self._outgoing = Outgoing(
            "BigBlueButton",
            seconds=context.timeout.total_seconds(),
            networks=context.networks,
            ca_file=settings.ca_file,
            max_bytes=MAX_ANSWER,
        )

    def close(self) -> None:
        """Give the connection back."""
        self._outgoing.close()

    def call(self, name: str, parameters: Mapping[str, str] | None = None, *, algorithm: str | None = None) -> Element:
        """The answer to the call ``name``, which succeeded.

        :raises TemporaryFailure: no answer that is one.
        :raises AccessRefused: the checksum is not taken.
        :raises NotThere: there is no such room.
        :raises Refused, PluginError: refused for good.
        """
        address = signed(self.server.url, name, parameters or {}, self.server.secret, algorithm or self._algorithm)
        return self._understood(address)

    def version(self) -> str:
        """The version that the server says without a checksum; "" where it says none.

        :raises PluginError: as :meth:`call`.
        """
        root = self._understood(f"{self.server.url}/api")
        return text(root, "bbbVersion") or text(root, "version")

    def meetings(self) -> list[FoundMeeting]:
        """All rooms of the server.

        :raises PluginError: as :meth:`call`.
        """
        return list(all_found(self.call("getMeetings")))

    def _understood(self, address: str) -> Element:
        reply = usable(self._outgoing.send("GET", address))
        if reply.status == 404:
            raise PluginError(
                N_("There is no BigBlueButton at %(address)s."),
                remedy=N_('Enter the address that "bbb-conf --secret" shows.'),
                address=self.server.url,
            )
        root = xml_of(reply)
        code = text(root, "returncode").upper()
        if root.tag != "response" or code not in ("SUCCESS", "FAILED"):
            raise TemporaryFailure(
                N_("BigBlueButton answers with something else than its API (HTTP status %(status)s)."),
                remedy=N_("Look at its address, and at what stands between (proxy, firewall, sign-in page)."),
                status=reply.status,
            )
        if code == "FAILED":
            raise _refusal(text(root, "messageKey"), text(root, "message"))
        return root


def _refusal(key: str, said: str) -> PluginError:
    if key == "checksumError":
        return AccessRefused(
            N_("BigBlueButton refuses the signature: wrong secret or wrong algorithm."),
            remedy=N_("The check of the account tells which of the two it is."),
        )
    if key in ("notFound", "invalidMeetingIdentifier"):
        return NotThere(N_("BigBlueButton has no such room (any more)."))
    return Refused(key, said)


class Cluster:
    """The servers of one account."""

    def __init__(self, settings: BigBlueButtonSettings, context: PluginContext) -> None:
        self._settings, self._context = settings, context
        self.servers = settings.servers()

    def server(self, url: object) -> Server | None:
        """The server at ``url``; None when it is no longer in the settings."""
        return next((server for server in self.servers if server.url == url), None)

    @contextmanager
    def client(self, server: Server) -> Iterator[Client]:
        """A connection to one server."""
        client = Client(server, self._settings, self._context)
        try:
            yield client
        finally:
            client.close()

    def ask(self, servers: Sequence[Server], question: Callable[[Client], T]) -> dict[Server, T | PluginError]:
        """What each of ``servers`` answers to ``question``, asked at the same time, or why it does not."""

        def asked(server: Server) -> T | PluginError:
            with self.client(server) as client:
                try:
                    return question(client)
                except PluginError as error:
                    return error

        if len(servers) < 2:
            return {server: asked(server) for server in servers}
        with ThreadPoolExecutor(len(servers)) as threads:
            return dict(zip(servers, threads.map(asked, servers), strict=True))

    def meetings(self) -> dict[Server, list[FoundMeeting]]:
        """All rooms of the servers that answer.

        :raises PluginError: none does.
        """
        answers = self.ask(self.servers, Client.meetings)
        known = {server: answer for server, answer in answers.items() if not isinstance(answer, PluginError)}
        if not known:
            raise next(answer for answer in answers.values() if isinstance(answer, PluginError))
        return known
