"""One connection to one group by Galene's client protocol: enter, say who comes and goes, put people out.

It never asks for media and offers none. (galene-protocol.md)
"""

from __future__ import annotations

import contextlib
import json
import secrets
import socket
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import websocket

from lms_bridge.core.plugins import N_, NotThere, PluginError, TemporaryFailure
from lms_bridge_galene.tokens import OURS

VERSION = "2"
QUIET_SECONDS = 10.0
"""After so long without a word from the server it is asked whether it is there."""
DEAD_SECONDS = 25.0
"""After so long without a word the connection counts as broken."""
ENTER_SECONDS = 15.0
SWITCHED = 101
"""HTTP's status for a connection that is a WebSocket from now on."""


class NotLetIn(PluginError):
    """Galene does not let this token into the group now: locked, closed, full, or the token is not good."""

    code = "not_let_in"


@dataclass(frozen=True)
class Client:
    """Somebody in the group: the connection's id, the name that all see, and what the token allows."""

    id: str
    name: str
    permissions: tuple[str, ...]


class Connection:
    """A client in one group, over ``raw``, which is connected to the server. For one thread, but for :meth:`cut`."""

    def __init__(self, raw: socket.socket, url: str, group: str, token: str) -> None:
        self.id = secrets.token_hex(16)
        self._inside: dict[str, Client] = {}
        self._heard = time.monotonic()
        self._socket = websocket.WebSocket(enable_multithread=True)
        try:
            raw.settimeout(ENTER_SECONDS)
            # No Origin: the server would compare it with its own address, which a proxy may have changed.
            self._socket.connect(url, socket=raw, suppress_origin=True, redirect_limit=0)  # type: ignore[no-untyped-call]
            self._send(type="handshake", version=[VERSION], id=self.id)
            self._send(type="join", kind="join", group=group, token=token)
            self._enter()
        except (websocket.WebSocketException, OSError) as error:
            raw.close()
            raise self._not_entered(error) from None
        except BaseException:
            raw.close()
            raise

    def _not_entered(self, error: Exception) -> PluginError:
        answer = self._socket.handshake_response
        if answer is None or answer.status == SWITCHED:
            return TemporaryFailure(N_("Galene's group cannot be entered: %(reason)s"), reason=_words(error))
        aim = urlsplit(str(answer.headers.get("location", "")))
        return PluginError(
            N_("%(system)s sends LMS Bridge on to %(address)s."),
            remedy=N_("Enter the address that it calls itself by."),
            system="Galene",
            address=f"{aim.scheme}://{aim.netloc}"[:200],
        )

    def _enter(self) -> None:
        """Wait until the server has let us in and has named all who are there: what it says before it answers our
        question is that list."""
        end = time.monotonic() + ENTER_SECONDS
        asked = False
        while True:
            message = self._message(max(0.1, end - time.monotonic()))
            if message is None or time.monotonic() > end:
                raise TemporaryFailure(N_("Galene did not let LMS Bridge into the group in time."))
            kind = message.get("kind")
            if message.get("type") == "joined":
                if kind == "fail":
                    if "does not exist" in _said(message):
                        raise NotThere(N_("Galene does not let LMS Bridge in: %(text)s"), text=_said(message))
                    raise NotLetIn(N_("Galene does not let LMS Bridge in: %(text)s"), text=_said(message))
                if kind != "join":
                    raise NotLetIn(N_("Galene sends LMS Bridge to another group."))
                self._send(type="ping")
                asked = True
            elif message.get("type") == "user":
                self._take(message)
            elif message.get("type") == "pong" and asked:
                return

    @property
    def silence(self) -> float:
        """Seconds since the server last said anything."""
        return time.monotonic() - self._heard

    @property
    def inside(self) -> dict[str, Client]:
        """Who is in the group now, without connections of LMS Bridge, by id."""
        return dict(self._inside)

    def next(self, seconds: float) -> tuple[Client, bool] | None:
        """The next person who came (True) or went (False); None when nobody did within ``seconds``.

        :raises TemporaryFailure: the connection is broken.
        """
        end = time.monotonic() + seconds
        try:
            while (left := end - time.monotonic()) > 0:
                message = self._message(min(left, QUIET_SECONDS))
                if message is None:
                    if self.silence > DEAD_SECONDS:
                        raise TemporaryFailure(N_("Galene has said nothing for too long."))
                    if self.silence >= QUIET_SECONDS - 1:
                        self._send(type="ping")
                elif message.get("type") == "user" and (change := self._take(message)) is not None:
                    return change
                elif message.get("type") == "joined" and message.get("kind") in ("leave", "fail"):
                    raise TemporaryFailure(N_("Galene has put LMS Bridge out of the group."))
        except (websocket.WebSocketException, OSError) as error:
            raise _broken(error) from None
        return None

    def put_out(self, client: Client, words: str) -> None:
        """Put somebody out of the group, with a few words that they see. Needs a token of an operator.

        :raises TemporaryFailure: the connection is broken.
        """
        try:
            self._send(type="useraction", kind="kick", source=self.id, dest=client.id, value=words)
        except (websocket.WebSocketException, OSError) as error:
            raise _broken(error) from None

    def close(self) -> None:
        """Leave. No error when the connection is broken already."""
        try:
            self._socket.close(timeout=1)
        except (websocket.WebSocketException, OSError):
            self.cut()

    def cut(self) -> None:
        """Break the connection, so that a thread that waits on it goes on at once."""
        raw = self._socket.sock
        if raw is not None:
            with contextlib.suppress(OSError):  # broken already, which is what was wanted
                raw.shutdown(socket.SHUT_RDWR)

    def _take(self, message: dict[str, Any]) -> tuple[Client, bool] | None:
        who, kind = str(message.get("id", "")), message.get("kind")
        if not who or who == self.id:
            return None
        if kind == "delete":
            gone = self._inside.pop(who, None)
            return (gone, False) if gone is not None else None
        permissions = message.get("permissions")
        client = Client(
            who,
            str(message.get("username") or ""),
            tuple(str(p) for p in permissions) if isinstance(permissions, list) else (),
        )
        if "system" in client.permissions or OURS in client.permissions:  # the server's recorder, or no person either
            return None
        known = who in self._inside
        self._inside[who] = client
        return None if known else (client, True)

    def _message(self, seconds: float) -> dict[str, Any] | None:
        """The next message; None when there was none within ``seconds``. Answers the server's own questions."""
        self._socket.settimeout(seconds)
        try:
            text = self._socket.recv()
        except websocket.WebSocketTimeoutException:
            return None
        self._heard = time.monotonic()
        if not text:
            raise websocket.WebSocketConnectionClosedException
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict):
            raise TemporaryFailure(N_("Galene says what its protocol does not know."))
        if message.get("type") == "ping":
            self._send(type="pong")
        return message

    def _send(self, **message: Any) -> None:
        self._socket.send(json.dumps(message))


def _said(message: dict[str, Any]) -> str:
    return str(message.get("value") or message.get("error") or "-")[:200]


def _broken(error: Exception) -> TemporaryFailure:
    return TemporaryFailure(N_("The connection to Galene broke: %(reason)s"), reason=_words(error))


def _words(error: Exception) -> str:
    return type(error).__name__
