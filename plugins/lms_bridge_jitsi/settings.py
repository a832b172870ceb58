"""What the Jitsi plugin must be told of one deployment."""

from __future__ import annotations

import enum
import re
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator

from lms_bridge.core.plugins import N_

Address = Annotated[str, StringConstraints(pattern=r"^https?://[^\s?#]+$", strip_whitespace=True)]


class Algorithm(enum.StrEnum):
    """How tokens are signed: with a secret that Prosody has too, or (RS256) with a key whose public half it fetches."""

    HS256 = "HS256"
    HS384 = "HS384"
    HS512 = "HS512"
    RS256 = "RS256"

    @property
    def shared(self) -> bool:
        """Whether both sides have the same secret."""
        return self is not Algorithm.RS256


class JitsiSettings(BaseModel):
    """Settings of one Jitsi deployment."""

    model_config = ConfigDict(use_attribute_docstrings=True, hide_input_in_errors=True)

    url: Address
    """Address of Jitsi Meet, without a tenant or a room: ``https://meet.example.org``."""

    app_id: str = Field(min_length=1, max_length=200)
    """Name of the application, as ``app_id`` in Prosody's configuration; the issuer of the tokens."""

    algorithm: Algorithm = Algorithm.HS256
    """How tokens are signed, as ``signature_algorithm`` in Prosody's configuration (HS256 where it names none)."""

    secret: SecretStr = Field(min_length=8)
    """With HS256, HS384 and HS512 the ``app_secret`` of Prosody's configuration; with RS256 the private key (PEM)."""

    key_id: str = Field("", max_length=200)
    """Name of the key with RS256: Prosody fetches the public half as the SHA-256 of this name and ``.pem``."""

    audience: str = Field("jitsi", min_length=1, max_length=200)
    """One of ``asap_accepted_audiences`` of Prosody's configuration."""

    xmpp_domain: str = Field("", pattern=r"^[a-z0-9.-]*$")
    """Prosody's VirtualHost; empty: the host of the address. Docker deployments call it ``meet.jitsi``."""

    tenant: str = Field("", pattern=r"^[a-z0-9_-]*$")
    """Tenant, the part between the host and the room in addresses; empty: there is none."""

    events_token: SecretStr | None = Field(None, min_length=16)
    """What Prosody's component ``event_sync`` sends as ``Authorization: Bearer ...``; without it nobody is seen."""

    prejoin: bool = False
    """Jitsi's own page before the room, with a test of camera and microphone (LMS Bridge has one at its door)."""

    muted: bool = True
    """Students and guests come in with the microphone off."""

    ca_file: Path | None = None
    """File with the certificate authority of the server, if it is not a public one."""

    @property
    def domain(self) -> str:
        """Prosody's VirtualHost."""
        return self.xmpp_domain or (urlsplit(self.url).hostname or "")

    @property
    def signing_key(self) -> str:
        """The secret, or the private key with the line breaks that a form of one line has taken from it."""
        text = self.secret.get_secret_value()
        pem = re.fullmatch(r"\s*(-----BEGIN [A-Z ]+-----)(.*?)(-----END [A-Z ]+-----)\s*", text, re.DOTALL)
        if self.algorithm.shared or pem is None:
            return text
        content = "".join(pem[2].split())
        return "\n".join([pem[1], *(content[i : i + 64] for i in range(0, len(content), 64)), pem[3], ""])

    @model_validator(mode="after")
    def _key_fits(self) -> Self:
        if self.algorithm.shared:
            return self
        if not self.key_id:
            raise ValueError(N_("RS256 needs the name of the key, by which Prosody finds its public half."))
        try:
            key = load_pem_private_key(self.signing_key.encode(), None)
        except (ValueError, TypeError):
            raise ValueError(N_("RS256 needs a private key in PEM form without a passphrase as the secret.")) from None
        if not isinstance(key, RSAPrivateKey):
            raise ValueError(N_("RS256 needs an RSA key."))
        return self
