"""What the Zoom plugin must be told (settings of a provider account)."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

Address = Annotated[str, StringConstraints(pattern=r"^https?://[^\s?#/]+/?$", strip_whitespace=True)]
Domain = Annotated[
    str, StringConstraints(pattern=r"^$|^[a-z0-9-]+(\.[a-z0-9-]+)+$", strip_whitespace=True, to_lower=True)
]
Host = Annotated[str, StringConstraints(pattern=r"^[^\s/?#%]+$", strip_whitespace=True, max_length=254)]


class ZoomSettings(BaseModel):
    """Settings of one Zoom account."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    account_id: str = Field(min_length=4, max_length=64)
    """Account ID of the server-to-server OAuth app."""

    client_id: str = Field(min_length=4, max_length=128)
    """Client ID of the app."""

    client_secret: SecretStr = Field(min_length=4)
    """Client secret of the app."""

    webhook_secret: SecretStr = SecretStr("")
    """Secret token of the app's event subscriptions. Empty: webhooks are refused, and who came is known only from
    the report afterwards."""

    hosts: list[Host] = Field(min_length=1)
    """E-mail addresses (or ids) of the licensed Zoom users in whose name lessons are held. Each holds one lesson at a
    time, so this is how many lessons go on at once."""

    registration: bool = True
    """Register every person with Zoom, so that each has an address of their own that proves who came. Without it all
    of a lesson share one address, and people are told apart by the names they show."""

    registrant_domain: Domain = ""
    """Domain of the e-mail addresses under which people are registered with Zoom (an opaque name before it); nobody
    gets mail there, but it should belong to you. Empty: the host name of LMS Bridge's own address."""

    address: Address = "https://zoom.us"
    """Where tokens are made; another one only for Zoom for Government (``https://zoomgov.com``)."""
