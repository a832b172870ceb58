"""What the Zoom app may not do, which hosts cannot hold lessons, and what else is missing, in words."""

from __future__ import annotations

import re
from urllib.parse import quote

from lms_bridge.core.plugins import N_, Check, CheckState, PluginError, gettext
from lms_bridge_zoom.client import ZoomClient
from lms_bridge_zoom.settings import ZoomSettings

SCOPES = (
    (N_("May make and change meetings"), CheckState.FAILED, {
        "meeting:write:meeting:admin": "meeting:write:admin",
        "meeting:update:meeting:admin": "meeting:write:admin",
        "meeting:read:meeting:admin": "meeting:read:admin",
        "meeting:read:list_meetings:admin": "meeting:read:admin",
    }),
    (N_("May end and delete meetings"), CheckState.FAILED, {
        "meeting:update:status:admin": "meeting:write:admin",
        "meeting:delete:meeting:admin": "meeting:write:admin",
    }),
    (N_("May register people"), CheckState.FAILED, {
        "meeting:write:batch_registrants:admin": "meeting:write:admin",
        "meeting:read:list_registrants:admin": "meeting:read:admin",
    }),
    (N_("May look at the hosts"), CheckState.FAILED, {"user:read:user:admin": "user:read:admin"}),
    (N_("May fetch reports of who was there"), CheckState.WARNING, {
        "report:read:list_meeting_participants:admin": "report:read:admin",
        "meeting:read:list_past_instances:admin": "meeting:read:admin",
    }),
)  # fmt: skip
"""What is needed, how bad it is without, and Zoom's scopes for it: today's, and the classic one that holds it."""

DOMAIN = re.compile(r"([a-z0-9-]+\.)+[a-z]{2,}")
REGISTERING = 2
LICENSED = 2


def probe(client: ZoomClient, settings: ZoomSettings, webhook_url: str, domain: str) -> list[Check]:
    """Look at everything; changes nothing at Zoom."""
    try:
        token = client.token(fresh=True)
    except PluginError as error:
        return [Check("Zoom", CheckState.FAILED, error.text(), error.remedy_text())]
    checks = [Check("Zoom", CheckState.OK, token.base)]
    for number, (title, state, scopes) in enumerate(SCOPES):
        if number == REGISTERING and not settings.registration:
            continue
        missing = [now for now, classic in scopes.items() if not token.scopes & {now, classic}]
        checks.append(
            Check(
                gettext(title),
                state if missing else CheckState.OK,
                gettext("The app lacks: %(names)s", names=", ".join(missing)) if missing else "",
                gettext("Add these scopes to the app in the Zoom App Marketplace.") if missing else "",
            )
        )
    checks += [_host(client, host) for host in dict.fromkeys(settings.hosts)]
    if settings.registration:
        checks.append(_registering(domain))
    checks.append(_webhooks(settings, webhook_url))
    return checks


def _registering(domain: str) -> Check:
    title = gettext("People are registered at")
    if DOMAIN.fullmatch(domain):
        return Check(title, CheckState.UNTRIED, f"@{domain}")
    return Check(
        title,
        CheckState.FAILED,
        gettext("%(domain)s can be no part of an e-mail address.", domain=domain),
        gettext("Enter a domain of yours under which people are registered."),
    )


def _host(client: ZoomClient, host: str) -> Check:
    title = gettext("Host %(name)s", name=host)
    try:
        user = client.read(f"users/{quote(host, safe='@')}")
    except PluginError as error:
        return Check(title, CheckState.FAILED, error.text(), error.remedy_text())
    if user.get("status") not in (None, "active"):
        return Check(
            title,
            CheckState.FAILED,
            gettext("This Zoom user is not active."),
            gettext("Activate the user in Zoom, or take it from the list of hosts."),
        )
    if user.get("type") != LICENSED:
        return Check(
            title,
            CheckState.WARNING,
            gettext("This Zoom user has no licence: meetings end after 40 minutes, and nobody can be registered."),
            gettext("Give the user a licence in Zoom, or take it from the list of hosts."),
        )
    return Check(title, CheckState.OK)


def _webhooks(settings: ZoomSettings, address: str) -> Check:
    title = gettext("Event subscription")
    if not settings.webhook_secret.get_secret_value():
        return Check(
            title,
            CheckState.WARNING,
            gettext("There is no secret token: who is there is seen only after the lesson."),
            gettext("Subscribe to the events for %(address)s and enter the secret token.", address=address or "..."),
        )
    return Check(title, CheckState.UNTRIED, gettext("Only the first event shows whether the secret token is right."))
