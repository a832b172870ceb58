"""What Moodle's answers mean. Nearly every failure comes as HTTP 200 with ``{exception, errorcode, message}``."""

from __future__ import annotations

import re
from typing import Any

from lms_bridge.core.plugins import N_, AccessRefused, NotThere, PluginError, TemporaryFailure

NO_ACCESS = frozenset(
    {
        "invalidtoken", "wsaccessuserdeleted", "wsaccessuserunconfirmed", "wsaccessusersuspended",
        "wsaccessuserexpired", "wsaccessusernologin", "servicenotavailable", "restricteduser", "usernotallowed",
        "invalidiptoken", "invalidtimedtoken", "passwordisexpired", "sitepolicynotagreed", "forcepasswordchangenotice",
        "usernotfullysetup", "enablewsdescription", "missingrequiredcapability",
    }
)  # fmt: skip
"""The token, its user or the service is not let in; nothing else will work either."""

FOR_NOW = frozenset(
    {
        "sitemaintenance", "upgraderunning", "dbconnectionfailed", "dmlreadexception", "dmlwriteexception",
        "ddlexecuteerror", "locktimeout", "cannotobtainlock", "ratelimitexceeded", "generalexceptionmessage",
    }
)  # fmt: skip
"""Moodle cannot do it now: maintenance, upgrade, database."""

NOT_ALLOWED = frozenset(
    {
        "nopermissions", "nopermission", "nopermissiontoupdatecalendar", "errorcoursecontextnotvalid",
        "requireloginerror", "accessexception", "wsusercannotassign", "wscannotenrol", "cannotviewprofile",
    }
)  # fmt: skip

GONE = frozenset({"invalidrecord", "invalidrecordunknown", "invalidcourseid", "invaliduser"})

_XML_CODE = re.compile(r"<ERRORCODE>([\w/]+)</ERRORCODE>", re.IGNORECASE)
_XML_TEXT = re.compile(r"<MESSAGE>(.*?)</MESSAGE>", re.IGNORECASE | re.DOTALL)


class NotAllowed(PluginError):
    """The token may not do this; it is the administrator of Moodle who can allow it."""

    code = "not_allowed"


def error_of(function: str, answer: dict[str, Any]) -> PluginError:
    """The error that an answer with an exception in it stands for."""
    code, text = str(answer.get("errorcode") or "unknown"), str(answer.get("message") or "")[:300]
    more: dict[str, Any] = {"function": function, "errorcode": code, "text": text}
    if code in NO_ACCESS:
        return AccessRefused(
            N_("Moodle does not let LMS Bridge in: %(text)s"),
            remedy=N_("Make a new token for the service user, and see whether web services are on (docs/moodle.md)."),
            **more,
        )
    if code in FOR_NOW:
        return TemporaryFailure(N_("Moodle cannot answer now: %(text)s"), **more)
    if code in NOT_ALLOWED:
        return NotAllowed(
            N_("Moodle does not allow %(function)s: %(text)s"),
            remedy=N_('"lms-bridge sync check" lists what the service user may not do and how to allow it.'),
            **more,
        )
    if code in GONE and "external_functions" in text:
        return NotAllowed(
            N_("This Moodle has no function %(function)s."),
            remedy=N_("Install the plugin that brings it, or switch off what needs it."),
            **more,
        )
    if code in GONE:
        return NotThere(N_("Moodle knows it no more (%(function)s): %(text)s"), **more)
    return PluginError(N_("Moodle refused %(function)s: %(text)s (%(errorcode)s)"), **more)


def of_text(function: str, status: int, text: str) -> PluginError:
    """The error that an answer stands for which is no JSON: an XML error, or a page for people."""
    code = _XML_CODE.search(text)
    if code is not None:
        message = _XML_TEXT.search(text)
        return error_of(function, {"errorcode": code[1].rpartition("/")[2], "message": message[1] if message else ""})
    if status == 200:
        return TemporaryFailure(
            N_("Moodle answered %(function)s with a web page instead of data."),
            remedy=N_("Look at the address of Moodle, and at what stands between (proxy, firewall, sign-in page)."),
            function=function,
        )
    return TemporaryFailure(N_("Moodle answered with HTTP status %(status)s."), status=status, function=function)
