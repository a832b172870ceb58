"""Galene's administrative interface: groups, made and changed under entity tags, and their keys. (galene-api.md)"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any, NoReturn
from urllib.parse import quote

from lms_bridge.core.plugins import (
    N_,
    AccessRefused,
    Outgoing,
    PluginError,
    Reply,
    TemporaryFailure,
    json_of,
    usable,
)
from lms_bridge_galene.settings import GaleneSettings

TRIES = 4
"""So often a change is tried again that crossed somebody else's."""

CHANGED = (201, 204)
"""What Galene answers to a change. A 200 comes of something else: of a proxy that shows a page of its own."""

Description = dict[str, Any]


class GaleneApi:
    """Calls as an administrator. Not for several threads."""

    def __init__(self, settings: GaleneSettings, outgoing: Outgoing) -> None:
        self._base = f"{settings.url.rstrip('/')}/galene-api/v0"
        self._outgoing = outgoing
        secret = settings.secret.get_secret_value()
        self._authorization = f"Bearer {secret}"
        if settings.username:
            pair = base64.b64encode(f"{settings.username}:{secret}".encode()).decode()
            self._authorization = f"Basic {pair}"

    def groups(self) -> list[str]:
        """Names of all groups of the server."""
        reply = self._call("GET", ".groups/")
        names = _data(reply) if reply.status == 200 else _refused(reply)
        if names is None:  # a server without groups
            return []
        if not isinstance(names, list):
            raise _strange()
        return [str(name) for name in names]

    def people(self) -> dict[str, int]:
        """How many are in each group that runs. The form of this answer is not documented and may change."""
        reply = self._call("GET", ".stats")
        rows = _data(reply) if reply.status == 200 else _refused(reply)
        if rows is None:
            return {}
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise _strange()
        clients = {str(row.get("name")): row.get("clients") or [] for row in rows}
        if not all(isinstance(found, list) for found in clients.values()):
            raise _strange()
        return {name: len(found) for name, found in clients.items()}

    def put_group(self, name: str, change: Callable[[Description], Description]) -> None:
        """Make the group, or change it to what ``change`` makes of its description. What somebody else sets at the
        same time is not overwritten: the change is made anew on top of it."""
        for _ in range(TRIES):
            reply = self._call("GET", f".groups/{quote(name)}")
            if reply.status == 404:
                condition, now = {"If-None-Match": "*"}, {}
            elif reply.status == 200:
                now = _data(reply)
                tag = reply.headers.get("etag")
                if not isinstance(now, dict) or not tag:
                    raise _strange()
                condition = {"If-Match": tag}
            else:
                _refused(reply)
            wanted = change(dict(now))
            if wanted == now and reply.status == 200:
                return
            reply = self._call("PUT", f".groups/{quote(name)}", condition, wanted)
            if reply.status in CHANGED:
                return
            if reply.status != 412:
                _refused(reply)
        raise TemporaryFailure(N_("Somebody else changes the group in Galene at the same time."))

    def put_keys(self, name: str, keys: Mapping[str, Any]) -> bool:
        """Give the group these keys; False if there is no such group."""
        reply = self._call("PUT", f".groups/{quote(name)}/.keys", {"Content-Type": "application/jwk-set+json"}, keys)
        if reply.status in CHANGED:
            return True
        return False if reply.status == 404 else _refused(reply)

    def delete_group(self, name: str) -> None:
        """Take the group away; no error if it is gone."""
        reply = self._call("DELETE", f".groups/{quote(name)}")
        if reply.status not in (*CHANGED, 404):
            _refused(reply)

    def _call(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, content: Mapping[str, Any] | None = None
    ) -> Reply:
        sent = {"Authorization": self._authorization}
        if content is not None:
            sent["Content-Type"] = "application/json"
        return self._outgoing.send(
            method,
            f"{self._base}/{path}",
            headers=sent | dict(headers or {}),
            data=json.dumps(content).encode() if content is not None else None,
        )


def _data(reply: Reply) -> Any:
    if not reply.content:
        raise TemporaryFailure(N_("Galene's answer is empty."))
    return json_of(reply)


def _strange() -> PluginError:
    return PluginError(N_("Galene's answer has another form than its documentation says."))


def _refused(reply: Reply) -> NoReturn:
    status = reply.status
    if status == 401 and "www-authenticate" in reply.headers:
        raise AccessRefused(
            N_("Galene does not take the administrator's name and secret."),
            remedy=N_("Compare them with data/config.json on the Galene server (docs/providers/galene.md)."),
        )
    if status == 401:
        # The administrator is known; it is the change that is not allowed to anybody.
        raise PluginError(
            N_("Galene does not let groups be made."),
            remedy=N_('Write "writableGroups": true into data/config.json on the Galene server.'),
        )
    if status == 404:
        raise PluginError(
            N_("There is no administrative interface of Galene at this address."),
            remedy=N_("Galene 0.9 or newer is needed; look at the address."),
        )
    usable(reply)
    if status == 200:
        _data(reply)
        raise _strange()
    said = " ".join(reply.content[:200].decode("utf-8", "replace").split())
    raise PluginError(N_("Galene refused: %(text)s (HTTP %(status)s)"), text=said or "-", status=status)
