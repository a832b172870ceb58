"""Fixtures of lessons that take place at a provider: the Hall of ``docs/plugins.md``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lms_bridge.core import registry
from lms_bridge.core.plugins import MeetingProvider
from lms_bridge.lessons import providers
from tests.lessons import hall as halls
from tests.lessons.hall import Hall


@pytest.fixture
def hall_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[MeetingProvider]]:
    """The provider of the documentation, installed as a third party's package; its class."""
    folder = tmp_path / "site-packages"
    halls.install(folder)
    monkeypatch.syspath_prepend(str(folder))
    providers._class.cache_clear()
    yield registry.plugin_class(MeetingProvider, "hall")  # type: ignore[type-abstract]
    providers._class.cache_clear()
    registry._classes.pop((MeetingProvider, "hall"), None)
    sys.modules.pop("hall", None)


@pytest.fixture
def hall(hall_package: type[MeetingProvider]) -> Iterator[Hall]:
    """A Hall that listens, with its provider installed."""
    with halls.running() as one:
        yield one


@pytest.fixture
def other_hall(hall_package: type[MeetingProvider]) -> Iterator[Hall]:
    """Another one."""
    with halls.running() as one:
        yield one
