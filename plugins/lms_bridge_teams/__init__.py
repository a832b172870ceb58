"""Microsoft Teams meetings by Microsoft Graph, as an application."""

from lms_bridge_teams.provider import TeamsProvider

__all__ = ["TeamsProvider"]
