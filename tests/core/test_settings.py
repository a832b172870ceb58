"""Settings: documented, typed, and never a production installation with a guessable secret."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, SecretStr

from lms_bridge.core import registry, settings_docs
from lms_bridge.core.errors import ConfigurationError
from lms_bridge.core.settings import Environment, Settings, load

SECRET = "k3Vw-a-long-random-value-of-more-than-32-characters"
KEY = "bGlicmFyeS1icmlkZ2UtdGVzdC1rZXktMzItYnl0ZXM="


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No settings from outside; the working folder is empty."""
    import os

    for name in [n for n in os.environ if n.startswith("LMS_BRIDGE_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("secret", ["", "change-me", "Secret", "x" * 31])
def test_production_does_not_start_with_a_missing_default_or_short_secret(secret: str) -> None:
    with pytest.raises(ConfigurationError, match="LMS_BRIDGE_SECRET_KEY") as refusal:
        load(environment="production", secret_key=secret, encryption_keys=[KEY])
    assert refusal.value.remedy_text()


def test_production_does_not_start_without_an_encryption_key() -> None:
    with pytest.raises(ConfigurationError, match="LMS_BRIDGE_ENCRYPTION_KEYS"):
        load(environment="production", secret_key=SECRET)


def test_production_starts_with_both(tmp_path: Path) -> None:
    settings = load(environment="production", secret_key=SECRET, encryption_keys=[KEY])
    assert settings.environment is Environment.PRODUCTION
    assert list(tmp_path.iterdir()) == [], "production writes no secrets of its own"


def test_development_makes_its_own_secrets_once_and_only_for_its_user(tmp_path: Path) -> None:
    first, second = load(data_dir=tmp_path / "data"), load(data_dir=tmp_path / "data")
    assert first.secret_key.get_secret_value() == second.secret_key.get_secret_value() != ""
    assert first.encryption_keys == second.encryption_keys != []
    assert (tmp_path / "data" / "secret-key").stat().st_mode & 0o077 == 0


def test_secrets_are_masked_wherever_settings_are_printed() -> None:
    settings = load(
        environment="production",
        secret_key=SECRET,
        previous_secret_keys=["an-earlier-" + SECRET],
        encryption_keys=[KEY],
        metrics_token="the-token-of-prometheus",
        database_url="postgresql+psycopg://bridge:hunter2@db/bridge",
        job_store_url="redis://:hunter2@redis/0",
        rate_limit_store="redis://:hunter2@redis/1",
    )
    for printed in (repr(settings), str(settings), f"{settings}", str(registry.masked(settings))):
        for secret in (SECRET, KEY, "the-token-of-prometheus", "hunter2"):
            assert secret not in printed


def test_a_wrong_value_names_its_setting_and_does_not_repeat_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LMS_BRIDGE_PORT", "hunter2")
    with pytest.raises(ConfigurationError, match="LMS_BRIDGE_PORT") as refusal:
        load()
    assert "hunter2" not in str(refusal.value)


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "lms-bridge.toml").write_text('port = 8100\nhost = "0.0.0.0"\n', encoding="utf-8")
    monkeypatch.setenv("LMS_BRIDGE_PORT", "8200")
    settings = load()
    assert (settings.port, settings.host) == (8200, "0.0.0.0")


def test_every_setting_is_documented() -> None:
    assert settings_docs.undocumented(Settings) == []


def test_a_setting_without_words_is_found() -> None:
    class Careless(BaseModel):
        told: str = ""
        """What it is for."""
        untold: SecretStr = SecretStr("")

        model_config = {"use_attribute_docstrings": True}

    assert settings_docs.undocumented(Careless) == ["untold"]


@pytest.mark.parametrize("found", registry.find(), ids=lambda f: f"{f.group.rpartition('.')[2]}-{f.identifier}")
def test_every_setting_of_every_bundled_plugin_is_documented(found: registry.Found) -> None:
    assert found.cls is not None, found.problem
    assert settings_docs.undocumented(found.cls.Settings) == []


def test_the_page_of_settings_is_that_of_the_code() -> None:
    page = Path(__file__).parents[2] / "docs" / "settings.md"
    assert page.read_text(encoding="utf-8") == settings_docs.page(), "run: make settings-docs"


def test_identity_providers_come_from_the_file_or_the_environment_and_never_without_https(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = "[identity_providers.keycloak]\n"
    table += 'issuer = "https://id.test/realms/school"\nclient_id = "1"\nclient_secret = "shh"\n'
    (tmp_path / "lms-bridge.toml").write_text(table, encoding="utf-8")
    settings = load(data_dir=tmp_path)
    assert settings.identity_providers["keycloak"].client_secret.get_secret_value() == "shh"
    assert "shh" not in repr(settings)
    monkeypatch.setenv("LMS_BRIDGE_IDENTITY_PROVIDERS", '{"id": {"issuer": "http://id.test/", "client_id": "1"}}')
    with pytest.raises(ConfigurationError, match="IDENTITY_PROVIDERS_ID_ISSUER"):
        load(data_dir=tmp_path)
