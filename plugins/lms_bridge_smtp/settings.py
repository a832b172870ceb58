"""What the SMTP channel must be told (``LMS_BRIDGE_SMTP_*`` or the table ``[plugins.smtp]``)."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class Security(StrEnum):
    """How the connection to the mail server is protected."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


class SmtpSettings(BaseModel):
    """Settings of the mail server."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    host: str = Field(min_length=1)
    """Name of the mail server."""

    port: int = Field(587, ge=1, le=65535)
    """Port of the mail server: 587 with ``starttls``, 465 with ``tls``, 25 inside one's own network."""

    security: Security = Security.STARTTLS
    """``starttls`` (refuses to go on without it), ``tls`` from the first byte, or ``none`` inside one's own network."""

    ca_file: Path | None = None
    """File with the certificate authority of the mail server, if it is not a public one."""

    user: str = ""
    """Name to sign in with. Empty: no sign-in."""

    password: SecretStr = SecretStr("")
    """Password to sign in with."""

    sender: str = ""
    """Address that messages come from; bounces go there too. Empty: ``noreply@`` and the host of the service."""

    sender_name: str = "LMS Bridge"
    """Name that people see as the sender, best that of the school."""

    timeout: float = Field(20.0, gt=0, le=300)
    """Seconds to wait for each answer of the mail server."""

    messages_per_connection: int = Field(200, ge=1)
    """After so many messages the connection is closed and opened anew; many servers allow only so many."""
