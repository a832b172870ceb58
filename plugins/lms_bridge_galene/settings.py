"""What the Galene plugin must be told of one server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

Address = Annotated[str, StringConstraints(pattern=r"^https?://[^\s?#]+$", strip_whitespace=True)]


class GaleneSettings(BaseModel):
    """Settings of one Galene server."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    url: Address
    """Address of the Galene server, as people reach it: ``https://galene.example.org:8443``."""

    username: str = Field("", max_length=200)
    """Name of a user with the permission ``admin`` in Galene's ``data/config.json``; empty: the secret is a token."""

    secret: SecretStr = Field(min_length=8)
    """That user's password, or a token with the permission ``admin``."""

    folder: str = Field("lms-bridge", pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")
    """Groups are made in this folder of Galene. Each installation of LMS Bridge needs one of its own."""

    observer_name: str = Field("Attendance", min_length=1, max_length=60)
    """Name under which the observer stands in the list of people of each group; everybody inside sees it."""

    recording: bool = False
    """Teachers may record on the server."""

    invitations: bool = False
    """Teachers may make links that let others in, without LMS Bridge."""

    max_people: int | None = Field(None, ge=1)
    """How many people this server carries at the same time; empty: not known."""

    ca_file: Path | None = None
    """File with the certificate authority of the server, if it is not a public one."""
