"""Fixtures shared by all tests: an application on a fresh database, and a client."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lms_bridge.core.database import Base, db
from lms_bridge.core.settings import Environment, Settings, load
from lms_bridge.web.app import create_app

FERNET_KEY = "bGlicmFyeS1icmlkZ2UtdGVzdC1rZXktMzItYnl0ZXM="


def make_settings(data_dir: Path, **more: object) -> Settings:
    """Settings of a test installation in ``data_dir``."""
    values: dict[str, object] = {
        "environment": Environment.TEST,
        "secret_key": "a secret for tests only, long enough",
        "data_dir": data_dir,
        "password_hashing": "fast",
        "base_url": "http://bridge.test",
        "log_level": "WARNING",
    }
    return load(**(values | more))


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables, made once and copied for each test."""
    folder = tmp_path_factory.mktemp("template")
    app = create_app(make_settings(folder))
    with app.app_context():
        Base.metadata.create_all(db.engine)
        db.session.remove()
        db.engine.dispose()
    return folder / "lms-bridge.sqlite"


@pytest.fixture()
def settings(tmp_path: Path, empty_database: Path) -> Settings:
    """Settings of an installation with an empty database of its own."""
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    shutil.copy(empty_database, data_dir / "lms-bridge.sqlite")
    return make_settings(data_dir)


@pytest.fixture()
def app(settings: Settings) -> Iterator[Flask]:
    """The application, with a context pushed so that operations can be called directly."""
    application = create_app(settings)
    with application.app_context():
        yield application
        db.session.remove()
        db.engine.dispose()


@pytest.fixture()
def client(app: Flask) -> FlaskClient:
    """A browser-like client without JavaScript."""
    return app.test_client()
