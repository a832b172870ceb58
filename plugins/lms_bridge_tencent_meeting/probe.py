"""Whether the application is let in and knows its hosts, and whether events can come, in words."""

from __future__ import annotations

from collections.abc import Sequence

from lms_bridge.core.plugins import AccessRefused, Check, CheckState, PluginError, TemporaryFailure, gettext, now
from lms_bridge_tencent_meeting.client import MeetingClient
from lms_bridge_tencent_meeting.settings import TencentMeetingSettings


def look_at(client: MeetingClient, host: str) -> None:
    """Ask for the host's meetings: the cheapest call that shows all.

    :raises PluginError: Tencent Meeting does not answer, or refuses.
    """
    next(client.meetings(host, int(now().timestamp())), None)


def probe(client: MeetingClient, settings: TencentMeetingSettings, hosts: Sequence[str], address: str) -> list[Check]:
    """Look at everything; changes nothing at Tencent Meeting."""
    checks: list[Check] = []
    for number, host in enumerate(hosts):
        title = gettext("Host %(name)s", name=host)
        try:
            look_at(client, host)
        except (AccessRefused, TemporaryFailure) as error:
            return [*checks, Check("Tencent Meeting", CheckState.FAILED, error.text(), error.remedy_text())]
        except PluginError as error:
            checks.append(Check(title, CheckState.FAILED, error.text(), error.remedy_text()))
            continue
        if number == 0:
            checks.append(Check("Tencent Meeting", CheckState.OK))
        checks.append(Check(title, CheckState.OK))
    checks.append(_events(settings, address))
    if not settings.teachers_by_mail:
        checks.append(
            Check(
                gettext("Teachers lead the meeting"),
                CheckState.WARNING,
                gettext("Only whoever is signed in to Tencent Meeting as the host account can."),
                gettext("Where the userid of teachers is their e-mail address, switch that setting on."),
            )
        )
    return checks


def _events(settings: TencentMeetingSettings, address: str) -> Check:
    title = gettext("Event subscription")
    if not settings.event_token.get_secret_value():
        return Check(
            title,
            CheckState.WARNING,
            gettext("There is no token: who comes and goes is seen once a minute, and known by name only."),
            gettext("Subscribe to the events for %(address)s and enter token and key.", address=address or "..."),
        )
    if not settings.event_key.get_secret_value():
        return Check(
            title,
            CheckState.WARNING,
            gettext("Events are not encrypted."),
            gettext("Set an EncodingAESKey at the event subscription, and enter it."),
        )
    return Check(title, CheckState.UNTRIED, gettext("Only the first event shows whether token and key are right."))
