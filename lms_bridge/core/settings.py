"""Settings of an installation, from the environment (``LMS_BRIDGE_*``) and a TOML file.

The docstring of each setting is its documentation (``docs/settings.md`` is made from it, and a test fails on a
setting without one). The environment wins over the file named by ``LMS_BRIDGE_CONFIG`` (default
``lms-bridge.toml`` in the working folder).
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, IPvAnyNetwork, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from lms_bridge.core.errors import ConfigurationError
from lms_bridge.core.i18n import N_


def _split(value: object) -> object:
    """``a, b`` as a list."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


class Environment(StrEnum):
    """What kind of installation this is."""

    DEVELOPMENT = "development"
    TEST = "test"
    DEMO = "demo"
    PRODUCTION = "production"


class IdentityProvider(BaseModel):
    """One identity provider (OpenID Connect) by which people may sign in."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid")

    name: str = Field("", max_length=60)
    """What people call it, as the button on the sign-in page says. Empty: its name in the table."""

    issuer: str = Field(pattern=r"^(https://|http://(127\.0\.0\.1|localhost)[:/])[^\s?#]+$")
    """Its issuer, exactly as its discovery document says it; with https, but on the same machine."""

    client_id: str = Field(min_length=1)
    """As what LMS Bridge is registered there."""

    client_secret: SecretStr = SecretStr("")
    """The secret that belongs to it. Empty: a public client, proved by PKCE alone."""

    organisation: str = ""
    """Code of the organisation for whose people it speaks, and for those below it. Empty: for everybody."""

    number_claim: str = ""
    """Claim that carries the person's number in the roster; one that people cannot edit themselves. Empty: none."""

    email_counts: bool = False
    """Whether somebody may be found by the e-mail address that the provider has verified."""

    scopes: str = Field("openid profile email", pattern=r"\bopenid\b")
    """What is asked for."""


PASSWORD_IN_ADDRESS = re.compile(r"(\w://[^/@\s:]*:)[^/\s]+@")
DEFAULT_SECRETS = frozenset({"", "change-me", "changeme", "secret", "development", "default"})


class Settings(BaseSettings):
    """All settings of the core; plugins bring their own settings models."""

    model_config = SettingsConfigDict(
        env_prefix="LMS_BRIDGE_", use_attribute_docstrings=True, extra="ignore", validate_default=True
    )

    environment: Environment = Environment.DEVELOPMENT
    """What kind of installation this is: ``development``, ``test``, ``demo`` or ``production``. Production refuses
    to start with a missing or default secret; demo and development make their own in the data folder."""

    secret_key: SecretStr = SecretStr("")
    """Signs sessions and sign-in links. At least 32 random characters; in production it must be set."""

    previous_secret_keys: list[SecretStr] = Field(default_factory=list)
    """Earlier values of ``secret_key`` that still verify what they signed, while a change of key is under way."""

    encryption_keys: list[SecretStr] = Field(default_factory=list)
    """Fernet keys that encrypt the secrets of plugins and health data at rest; the first encrypts, all decrypt.
    In production at least one must be set (make one with ``lms-bridge doctor --new-key``)."""

    data_dir: Path = Path("lms-bridge-data")
    """Folder for the embedded database, uploaded files, the mailbox folder and the embedded job store."""

    database_url: str = ""
    """Database address, ``sqlite:///FILE`` or ``postgresql+psycopg://USER:PASSWORD@HOST/NAME``. Empty: SQLite in
    the data folder."""

    job_store_url: str = ""
    """Where the job engine keeps its wake-up calls: ``sqlite:///FILE``, ``postgresql://...`` or ``redis://...``.
    Empty: SQLite in the data folder. Jobs themselves are rows of the database, so nothing is lost with it."""

    base_url: str = "http://127.0.0.1:8000"
    """The address at which people reach this service, without a slash at the end; written into every link."""

    host: str = "127.0.0.1"
    """Address on which the web server listens."""

    port: int = Field(8000, ge=0, le=65535)
    """Port on which the web server listens."""

    web_processes: int = Field(1, ge=1, le=64)
    """Web server processes on this machine."""

    web_threads: int = Field(8, ge=1, le=256)
    """Threads of each web server process, each answering one request at a time."""

    worker_threads: int = Field(2, ge=1, le=64)
    """Threads of the worker that runs background jobs."""

    job_lease_seconds: float = Field(60.0, gt=0)
    """How long a job may be silent before another worker takes it over."""

    sweep_seconds: float = Field(2.0, gt=0)
    """How often each worker looks for due jobs whose wake-up call was lost."""

    rate_limit_store: str = "memory://"
    """Where sign-in attempts are counted; with several web processes ``redis://...``."""

    trusted_proxies: int = Field(0, ge=0, le=5)
    """How many reverse proxies stand in front of the web server and set ``X-Forwarded-*``."""

    internal_networks: Annotated[tuple[IPvAnyNetwork, ...], NoDecode, BeforeValidator(_split)] = ()
    """Internal networks in which video-conferencing systems stand, with commas between them, as in
    ``10.20.0.0/16, fd00:20::/64``. Whoever may enter a system's address could otherwise make LMS Bridge speak to any
    machine inside: all networks that are not public are refused unless they are named here."""

    max_upload_bytes: int = Field(20 * 1024 * 1024, gt=0)
    """Largest request body that the web server reads (plans, rosters by the page; videos have their own limit)."""

    max_video_bytes: int = Field(500 * 1024 * 1024, gt=0)
    """Largest video file that a teacher may upload to a lesson."""

    parser_memory_bytes: int = Field(512 * 1024 * 1024, gt=0)
    """Memory that the child process which parses an uploaded document may use."""

    parser_seconds: float = Field(20.0, gt=0)
    """Time that the child process which parses an uploaded document may take."""

    roster_max_bytes: int = Field(2 * 1024 * 1024 * 1024, gt=0)
    """Largest unpacked size of a roster zip."""

    roster_removal_limit: float = Field(0.05, ge=0, le=1)
    """A bulk roster that would end more than this share of what is there is refused unless confirmed."""

    default_locale: str = "zh-CN"
    """Language of people and campuses that name none: ``zh-CN`` or ``en``."""

    message_channel: str = ""
    """Plugin that sends messages to families, or several with commas between them, as in ``moodle,smtp``: each person
    gets them by the first that has an address of theirs. Empty: ``smtp`` when ``LMS_BRIDGE_SMTP_HOST`` is set, else
    ``mailbox`` (a folder that administrators read on a page)."""

    door_opens_minutes: int = Field(10, ge=0, le=240)
    """How long before its start a lesson's door opens."""

    door_closes_minutes: int = Field(15, ge=0, le=240)
    """How long after its end a lesson's door stays open."""

    recording_days: int = Field(180, ge=1, le=3650)
    """How many days after its lesson a recording can be watched through LMS Bridge, which forgets it then; the video
    system keeps it for as long as it is set to."""

    feed_cancelled_days: int = Field(30, ge=0, le=365)
    """How long a cancelled lesson stays in calendar feeds as cancelled."""

    sign_in_link_minutes: int = Field(30, ge=1, le=1440)
    """How long a sign-in link can be used."""

    identity_providers: dict[Annotated[str, Field(pattern="^[a-z0-9-]{1,40}$")], IdentityProvider] = Field(
        default_factory=dict
    )
    """Identity providers (OpenID Connect) by which people may sign in, each with a name of its own; see below."""

    session_hours: int = Field(12, ge=1, le=720)
    """How long a person stays signed in without activity."""

    password_hashing: str = Field("strong", pattern="^(strong|fast)$")
    """``strong`` (argon2id as of RFC 9106, second recommendation) or ``fast``, for tests only."""

    evidence_retention_days: int = Field(180, ge=1)
    """After this many days presence evidence is deleted; verdicts stay."""

    log_level: str = "INFO"
    """Least severe level that is logged."""

    log_json: bool = False
    """Log one JSON object a line instead of text for people."""

    metrics_token: SecretStr = SecretStr("")
    """Bearer token that ``/metrics`` asks for. Empty: only loopback may read it."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=config_file())

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        for name, value in super().__repr_args__():
            yield name, without_password(value) if isinstance(value, str) else value

    def effective_database_url(self) -> str:
        """The database address with the default filled in."""
        return self.database_url or f"sqlite:///{(self.data_dir / 'lms-bridge.sqlite').absolute()}"

    def effective_job_store_url(self) -> str:
        """The job store's address with the default filled in."""
        return self.job_store_url or f"sqlite:///{(self.data_dir / 'jobs.sqlite').absolute()}"


def without_password(address: str) -> str:
    """``address`` as it may be printed: the password between ``:`` and ``@`` of a URL as stars."""
    return PASSWORD_IN_ADDRESS.sub(r"\1********@", address)


def config_file() -> Path:
    """The TOML file of settings, which need not exist."""
    return Path(os.environ.get("LMS_BRIDGE_CONFIG", "lms-bridge.toml"))


def load(**overrides: Any) -> Settings:
    """Read the settings; ``overrides`` win over environment and file.

    :raises ConfigurationError: a value is wrong, or production lacks a secret; names the setting and the remedy.
    """
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        name = "LMS_BRIDGE_" + "_".join(str(part) for part in first["loc"]).upper()
        raise ConfigurationError(
            N_("Setting %(name)s: %(problem)s."),
            remedy=N_("See docs/settings.md for what it takes."),
            name=name,
            problem=first["msg"],
        ) from None
    return _with_secrets(settings)


def _with_secrets(settings: Settings) -> Settings:
    secret = settings.secret_key.get_secret_value()
    if settings.environment is Environment.PRODUCTION:
        if secret.lower() in DEFAULT_SECRETS or len(secret) < 32:
            raise ConfigurationError(
                N_("LMS_BRIDGE_SECRET_KEY is missing, too short or a default: production does not start with it."),
                remedy=N_("Set it to at least 32 random characters."),
            )
        if not settings.encryption_keys:
            raise ConfigurationError(
                N_("LMS_BRIDGE_ENCRYPTION_KEYS is missing: production does not start without it."),
                remedy=N_('Set it to ["KEY"] with a key from "lms-bridge doctor --new-key".'),
            )
        return settings
    update: dict[str, Any] = {}
    if not secret:
        update["secret_key"] = SecretStr(_own_secret(settings.data_dir / "secret-key", secrets.token_urlsafe(48)))
    if not settings.encryption_keys:
        from cryptography.fernet import Fernet

        key = _own_secret(settings.data_dir / "encryption-key", Fernet.generate_key().decode("ascii"))
        update["encryption_keys"] = [SecretStr(key)]
    return settings.model_copy(update=update)


def _own_secret(path: Path, fresh: str) -> str:
    """The secret kept in ``path``, made on first use; two processes starting together get the same one."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip() or _broken_secret(path)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(fresh)
    return fresh


def _broken_secret(path: Path) -> str:
    raise ConfigurationError(N_("The file %(path)s is empty."), remedy=N_("Delete it and start again."), path=str(path))


__all__ = ["Environment", "Settings", "config_file", "load", "without_password"]
