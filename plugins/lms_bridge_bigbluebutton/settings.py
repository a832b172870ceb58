"""What an account at one or several BigBlueButton servers must know."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, ValidationInfo, field_validator

from lms_bridge.core.plugins import N_

Address = Annotated[str, StringConstraints(pattern=r"^https?://[^\s?#]+$", strip_whitespace=True)]


class Algorithm(enum.StrEnum):
    """The hash of the checksum; the server's ``supportedChecksumAlgorithms`` says which it takes."""

    SHA1 = "sha1"
    SHA256 = "sha256"
    SHA384 = "sha384"
    SHA512 = "sha512"


@dataclass(frozen=True)
class Server:
    """One server: its address up to and with ``/bigbluebutton``, and its shared secret."""

    url: str
    secret: str = field(repr=False)


class BigBlueButtonSettings(BaseModel):
    """Settings of one account; its servers take the same algorithm and have the same size."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    url: Address
    """Address of the server as ``bbb-conf --secret`` shows it: ``https://bbb.example.org/bigbluebutton/``."""

    secret: SecretStr = Field(min_length=8)
    """Shared secret of the server, as ``bbb-conf --secret`` shows it."""

    algorithm: Algorithm = Algorithm.SHA256
    """Hash of the checksum: ``sha1``, ``sha256``, ``sha384`` or ``sha512``; one that the servers take."""

    more_urls: list[Address] = []
    """Addresses of further servers of the same sort, among which rooms are shared out."""

    more_secrets: SecretStr = SecretStr("")
    """Shared secrets of the further servers in their order, with spaces between them. Empty: as the first one's."""

    max_rooms: int | None = Field(None, ge=1)
    """How many rooms one server carries at the same time; a server that is full is chosen last."""

    max_people: int | None = Field(None, ge=1)
    """How many people one server carries at the same time; a server that is full is chosen last."""

    record: bool = False
    """Whether teachers may record: everybody inside is told, and nothing is recorded before a teacher starts it."""

    ca_file: Path | None = None
    """File with the certificate authority of the servers, if it is not a public one."""

    @field_validator("more_secrets")
    @classmethod
    def _one_each(cls, secrets: SecretStr, info: ValidationInfo) -> SecretStr:
        given, needed = len(secrets.get_secret_value().split()), len(info.data.get("more_urls", ()))
        if given not in (0, needed):
            raise ValueError(N_("Enter as many secrets as there are further servers, or none."))
        return secrets

    def servers(self) -> list[Server]:
        """All servers, the first one first; each once."""
        return list({server.url: server for server in self._servers()}.values())

    def _servers(self) -> Iterator[Server]:
        first = self.secret.get_secret_value()
        yield Server(base_of(self.url), first)
        secrets = self.more_secrets.get_secret_value().split() or [first] * len(self.more_urls)
        for url, secret in zip(self.more_urls, secrets, strict=True):
            yield Server(base_of(url), secret)


def base_of(url: str) -> str:
    """What people enter, up to and with ``/bigbluebutton``."""
    base = url.rstrip("/").removesuffix("/api")
    return base if urlsplit(base).path else f"{base}/bigbluebutton"
