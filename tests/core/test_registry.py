"""Plugins are found by entry points; a broken one of a third party is named and stops nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from lms_bridge.core import registry
from lms_bridge.core.application import plugin_context
from lms_bridge.core.errors import ConfigurationError
from lms_bridge.core.plugins import CheckState, MessageChannel

GROUP = "lms_bridge.message_channels"

GOOD = '''
"""A channel of a third party, as its author would write it."""

from pydantic import BaseModel, Field, SecretStr

from lms_bridge.core.plugins import ChannelCapabilities, ChannelSession, Check, CheckState, MessageChannel


class Settings(BaseModel):
    """What the pigeons need."""

    loft: str = Field(description="Where the pigeons live.")
    seed: SecretStr = Field(SecretStr(""), description="The secret seed.")
    birds: int = Field(3, description="How many there are.")


class PigeonChannel(MessageChannel):
    """Sends messages by pigeon."""

    identifier = "pigeon"
    verbose_name = "Pigeon"
    Settings = Settings
    capabilities = ChannelCapabilities()

    def check(self):
        return [Check("Loft", CheckState.OK, self.settings.loft)]

    def open(self) -> ChannelSession:
        raise NotImplementedError

    def accepts(self, address: str) -> bool:
        return True
'''


@pytest.fixture
def third_party(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed distribution with one good plugin and four broken ones, in the form that pip leaves behind."""
    folder = tmp_path / "site-packages"
    metadata = folder / "pigeon_post-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: pigeon-post\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(
        f"[{GROUP}]\n"
        "pigeon = pigeon_post:PigeonChannel\n"
        "crash = pigeon_crash:Channel\n"
        "absent = pigeon_post:NoSuchThing\n"
        "misnamed = pigeon_post:PigeonChannel\n"
        "alien = pigeon_post:Settings\n"
    )
    (folder / "pigeon_post.py").write_text(GOOD)
    (folder / "pigeon_crash.py").write_text("raise RuntimeError('the loft is on fire')\n")
    monkeypatch.syspath_prepend(str(folder))
    return folder


def test_a_broken_third_party_plugin_is_named_and_the_others_are_there(third_party: Path) -> None:
    found = {f.identifier: f for f in registry.find() if f.group == GROUP}
    assert {"smtp", "mailbox", "pigeon"} <= {name for name, f in found.items() if f.cls is not None}
    assert found["pigeon"].distribution == "pigeon-post"
    assert found["smtp"].distribution == "lms-bridge"
    assert "the loft is on fire" in found["crash"].problem
    assert "NoSuchThing" in found["absent"].problem
    assert "'pigeon'" in found["misnamed"].problem
    assert "MessageChannel" in found["alien"].problem


def test_asking_for_a_broken_plugin_says_what_is_wrong_with_it(third_party: Path) -> None:
    with pytest.raises(ConfigurationError, match="the loft is on fire"):
        registry.plugin_class(MessageChannel, "crash")


def test_asking_for_a_plugin_that_is_not_installed_names_the_command_that_lists_them() -> None:
    with pytest.raises(ConfigurationError) as refusal:
        registry.plugin_class(MessageChannel, "telepathy")
    assert "telepathy" in str(refusal.value)
    assert "lms-bridge plugins" in refusal.value.remedy_text()


def test_a_plugin_takes_its_settings_from_the_file_and_the_environment_wins(
    app: Flask, third_party: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = third_party / "settings.toml"
    file.write_text('[plugins.pigeon]\nloft = "on the roof"\nbirds = 4\n')
    monkeypatch.setenv("LMS_BRIDGE_CONFIG", str(file))
    monkeypatch.setenv("LMS_BRIDGE_PIGEON_BIRDS", "5")
    channel = registry.make(MessageChannel, "pigeon", None, plugin_context("pigeon"))
    assert registry.masked(channel.settings) == {"loft": "on the roof", "seed": "", "birds": 5}
    assert [check.state for check in channel.check()] == [CheckState.OK]


def test_a_missing_setting_is_named_and_a_secret_one_never_shown(app: Flask, third_party: Path) -> None:
    context = plugin_context("pigeon")
    with pytest.raises(ConfigurationError, match="loft"):
        registry.make(MessageChannel, "pigeon", {}, context)
    channel = registry.make(MessageChannel, "pigeon", {"loft": "here", "seed": "hunter2"}, context)
    assert "hunter2" not in repr(channel.settings)
    assert registry.masked(channel.settings)["seed"] == "********"
