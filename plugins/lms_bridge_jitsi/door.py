"""Knocks at Jitsi's door as a browser does: does Prosody let the bearer of a token in?

By BOSH (XEP-0124, XEP-0206), which every Jitsi deployment serves at ``/http-bind``. Nobody enters a room by it.
"""

from __future__ import annotations

import contextlib
import secrets
from xml.etree.ElementTree import Element
from xml.sax.saxutils import quoteattr

from lms_bridge.core.plugins import N_, Outgoing, PluginError, Reply, TemporaryFailure, usable, xml_of
from lms_bridge_jitsi.settings import JitsiSettings

BIND = "{http://jabber.org/protocol/httpbind}"
SASL = "{urn:ietf:params:xml:ns:xmpp-sasl}"


class Door:
    """The entrance of one deployment."""

    def __init__(self, settings: JitsiSettings, outgoing: Outgoing) -> None:
        self._address = f"{settings.url.rstrip('/')}/http-bind"
        self._domain = settings.domain
        self._outgoing = outgoing

    def look(self) -> None:
        """Nothing, if Prosody answers at all: a session that it never opened it does not know, and says so. A page that
        anybody may show in its place does not.

        :raises PluginError: it does not.
        """
        self._say({}, secrets.randbelow(2**40), ' sid="lms-bridge"')

    def knock(self, room: str, token: str | None) -> str | None:
        """Why the bearer of ``token`` is not let in, in Prosody's words; None: they are.

        :raises PluginError: Prosody cannot be asked.
        """
        asked = {"room": room} | ({"token": token} if token is not None else {})
        rid = secrets.randbelow(2**40)
        opened = self._say(asked, rid, ' wait="5" hold="1" ver="1.6" xmpp:version="1.0"', to=self._domain)
        sid = opened.get("sid")
        if opened.get("type") == "terminate" or not sid:
            raise PluginError(
                N_("Prosody has no domain %(domain)s (%(reason)s)."),
                remedy=N_("Enter its VirtualHost as Prosody's domain."),
                domain=self._domain,
                reason=opened.get("condition", "-")[:100],
            )
        try:
            auth = '<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="ANONYMOUS"/>'
            answer = self._say({}, rid + 1, f" sid={quoteattr(sid)}", auth)
            for _ in range(3):
                if answer.find(f"{SASL}success") is not None:
                    return None
                failure = answer.find(f"{SASL}failure")
                if failure is not None:
                    return _reason(failure)
                rid += 1
                answer = self._say({}, rid + 1, f" sid={quoteattr(sid)}")
            raise TemporaryFailure(N_("Prosody says neither yes nor no to a token."))
        finally:
            self._leave(rid + 2, sid)

    def _leave(self, rid: int, sid: str) -> None:
        with contextlib.suppress(PluginError):  # a session that is left alone ends by itself within a minute
            self._say({}, rid, f' sid={quoteattr(sid)} type="terminate"')

    def _say(self, asked: dict[str, str], rid: int, attributes: str, content: str = "", *, to: str = "") -> Element:
        more = f" to={quoteattr(to)}" if to else ""
        body = (
            f'<body rid="{rid}" xmlns="http://jabber.org/protocol/httpbind" xmlns:xmpp="urn:xmpp:xbosh"'
            f' content="text/xml; charset=utf-8"{more}{attributes}>{content}</body>'
        )
        headers = {"Content-Type": "text/xml; charset=utf-8"}
        reply = self._outgoing.send("POST", self._address, headers=headers, params=asked, data=body.encode())
        root = xml_of(_answered(reply))
        if root.tag != f"{BIND}body":
            raise _no_prosody()
        return root


def _answered(reply: Reply) -> Reply:
    if usable(reply).status != 200:
        raise _no_prosody()
    return reply


def _no_prosody() -> PluginError:
    return PluginError(
        N_("There is no Jitsi at this address: /http-bind does not answer as Prosody does."),
        remedy=N_("Enter the address of Jitsi Meet without a room."),
    )


def _reason(failure: Element) -> str:
    text = failure.findtext(f"{SASL}text")
    condition = next((child.tag.partition("}")[2] for child in failure), "")
    return (text or condition or "not-allowed")[:200]
