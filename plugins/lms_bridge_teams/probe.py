"""Whether the app is let in, has its permissions and may act for the organiser, in words."""

from __future__ import annotations

from lms_bridge.core.plugins import Check, CheckState, NotThere, PluginError, gettext
from lms_bridge_teams.client import BadRequest, GraphClient
from lms_bridge_teams.settings import TeamsSettings

NOWHERE = "https://teams.microsoft.com/l/meetup-join/lms-bridge-check"
"""Address of no meeting: asking for it changes nothing, and is refused where the app may not ask at all."""


def look_at_meetings(client: GraphClient, organiser: str) -> None:
    """Ask for a meeting that does not exist; that it does not is no error.

    :raises PluginError: Graph does not answer, or the app may not ask.
    """
    try:
        client.call("GET", f"users/{organiser}/onlineMeetings", params={"$filter": f"JoinWebUrl eq '{NOWHERE}'"})
    except (NotThere, BadRequest):
        return


def probe(client: GraphClient, settings: TeamsSettings) -> list[Check]:
    """Look at everything; changes nothing in Teams."""
    try:
        client.token(fresh=True)
    except PluginError as error:
        return [Check("Microsoft Teams", CheckState.FAILED, error.text(), error.remedy_text())]
    checks = [Check("Microsoft Teams", CheckState.OK)]
    title = gettext("May hold meetings for the organiser")
    try:
        look_at_meetings(client, settings.organiser)
        checks.append(Check(title, CheckState.OK))
    except PluginError as error:
        checks.append(Check(title, CheckState.FAILED, error.text(), error.remedy_text()))
    checks.append(
        Check(
            gettext("May read attendance reports"),
            CheckState.UNTRIED,
            gettext("Only a lesson that was held shows whether OnlineMeetingArtifact.Read.All was granted."),
        )
    )
    checks.append(
        Check(
            gettext("Who is there while a lesson runs"),
            CheckState.WARNING,
            gettext("Teams tells who was there only when everybody has left."),
            gettext("The lesson page that stays open shows who came through the door."),
        )
    )
    return checks
