"""What the Teams plugin must be told (settings of a provider account)."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

Address = Annotated[str, StringConstraints(pattern=r"^https?://[^\s?#/]+/?$", strip_whitespace=True)]
Guid = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", strip_whitespace=True, to_lower=True),
]


class TeamsSettings(BaseModel):
    """Settings of one Microsoft 365 tenant."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    tenant_id: Guid
    """Directory (tenant) ID of the organisation."""

    client_id: Guid
    """Application (client) ID of the app registration."""

    client_secret: SecretStr = Field(min_length=8)
    """The value (not the ID) of a client secret of the app registration."""

    organiser: Guid
    """Object ID of the Microsoft Entra user in whose name all lessons are held."""

    strangers_wait: bool = True
    """People without an account of the organisation wait in Teams' lobby until somebody lets them in. Switch it off
    only if students have no accounts: then whoever gets hold of a lesson's Teams address walks in."""

    everyone_presents: bool = False
    """Everybody in the room may share, mute others and admit people. Otherwise only teachers may, which needs their
    e-mail addresses here to be those of their Microsoft accounts."""

    login_address: Address = "https://login.microsoftonline.com"
    """Where tokens are made; another one only in Microsoft's national clouds."""

    graph_address: Address = "https://graph.microsoft.com"
    """Where Microsoft Graph is; another one only in Microsoft's national clouds."""
