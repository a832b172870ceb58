"""Fixtures shared by all tests: an application on a fresh database (SQLite, or with ``--database=postgresql`` a
private PostgreSQL cluster), a client, and the servers themselves."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib import resources
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask, g, has_app_context
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.engine import Engine
from werkzeug.test import TestResponse

from lms_bridge.core import clock, i18n
from lms_bridge.core.database import Base, db
from lms_bridge.core.settings import Environment, Settings, load
from lms_bridge.web.app import create_app
from tests import servers, thrift

TEMPLATE = "lms_bridge_template"

thrift.begin()


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """Each test begins in English, whatever language an earlier one spoke."""
    with i18n.use_locale("en"):
        yield


@pytest.fixture(autouse=True)
def _clock_put_back() -> Iterator[None]:
    """Each test leaves the clock as it found it: a token that another test signs would be refused for its time."""
    yield
    assert not clock.is_set()


class FreshClient(FlaskClient):
    """A client whose every request finds out anew who is looking: inside the pushed context of the ``app`` fixture,
    ``flask.g`` would otherwise outlive a request, as it never does on a server."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Forget what earlier requests kept in ``flask.g``."""
        if has_app_context():
            for name in list(g):
                g.pop(name)
        return super().open(*args, **kwargs)


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--database`` chooses what the application of each test stores its rows in, ``--soak`` the long forms."""
    parser.addoption("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.addoption("--soak", action="store_true", help="the long form of the tests marked slow")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The PostgreSQL run repeats only what touches the application's database in a way that could differ there."""
    if config.getoption("--database") == "sqlite":
        return
    chosen, others = [], []
    for item in items:
        repeated = "settings" in getattr(item, "fixturenames", ()) and not item.get_closest_marker("one_database")
        (chosen if repeated else others).append(item)
    config.hook.pytest_deselected(items=others)
    items[:] = chosen


def pytest_collection_finish() -> None:
    """What is there now stays."""
    thrift.leave_alone_what_stays()


def make_settings(data_dir: Path, **more: object) -> Settings:
    """Settings of a test installation in ``data_dir``."""
    values: dict[str, object] = {
        "environment": Environment.TEST,
        "secret_key": "a secret for tests only, long enough",
        "data_dir": data_dir,
        "password_hashing": "fast",
        "base_url": "http://bridge.test",
        "log_level": "WARNING",
        "internal_networks": (ip_network("127.0.0.0/8"), ip_network("::1/128")),
    }
    return load(**(values | more))


def make_tables(settings: Settings) -> None:
    """All tables on an empty database, marked as migrated, without running each migration."""
    app = create_app(settings)
    with app.app_context():
        Base.metadata.create_all(db.engine)
        config = Config()
        config.set_main_option("script_location", str(resources.files("lms_bridge") / "migrations"))
        with db.engine.begin() as connection:
            MigrationContext.configure(connection).stamp(ScriptDirectory.from_config(config), "head")
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables, made once and copied for each test; an empty job store lies beside it."""
    folder = tmp_path_factory.mktemp("template")
    make_tables(make_settings(folder))
    return folder / "lms-bridge.sqlite"


@pytest.fixture(scope="session")
def postgresql() -> Iterator[servers.PostgreSQL]:
    """A private PostgreSQL cluster for this test process."""
    with servers.postgresql() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def postgresql_template(postgresql: servers.PostgreSQL, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a PostgreSQL database with all tables, copied for each test."""
    postgresql.execute(f"CREATE DATABASE {TEMPLATE}")
    make_tables(make_settings(tmp_path_factory.mktemp("template"), database_url=postgresql.url(TEMPLATE)))
    return TEMPLATE


@pytest.fixture(scope="session")
def common_postgresql_database(postgresql: servers.PostgreSQL, postgresql_template: str) -> str:
    """The name of the PostgreSQL database that tests use one after the other."""
    return postgresql.create(postgresql_template)


@pytest.fixture
def postgresql_url(postgresql: servers.PostgreSQL, postgresql_template: str) -> Iterator[str]:
    """The address of a fresh PostgreSQL database with all tables."""
    name = postgresql.create(postgresql_template)
    yield postgresql.url(name)
    postgresql.drop(name)


@pytest.fixture
def bare_postgresql_url(postgresql: servers.PostgreSQL) -> Iterator[str]:
    """The address of a fresh PostgreSQL database without tables."""
    name = postgresql.create()
    yield postgresql.url(name)
    postgresql.drop(name)


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """The address of a private Redis for this test process."""
    with servers.redis() as url:
        yield url


@pytest.fixture
def durable() -> Iterator[None]:
    """Databases of this test wait for the disk, as on a server; to be asked for before ``app``."""
    event.remove(Engine, "connect", thrift.do_not_wait)
    yield
    event.listen(Engine, "connect", thrift.do_not_wait)


@pytest.fixture
def soak(request: pytest.FixtureRequest) -> bool:
    """Whether slow tests run in their long form."""
    return bool(request.config.getoption("--soak"))


@pytest.fixture
def on_postgresql(request: pytest.FixtureRequest) -> bool:
    """Whether this run is the one on PostgreSQL."""
    return bool(request.config.getoption("--database") == "postgresql")


@pytest.fixture
def settings(tmp_path: Path, request: pytest.FixtureRequest, on_postgresql: bool) -> Settings:
    """Settings of an installation with an empty database of its own."""
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    if on_postgresql:
        cluster, name = (request.getfixturevalue(f) for f in ("postgresql", "common_postgresql_database"))
        cluster.empty(name)
        return make_settings(data_dir, database_url=cluster.url(name))
    for file in request.getfixturevalue("empty_database").parent.glob("*.sqlite"):
        shutil.copy(file, data_dir)
    return make_settings(data_dir)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The application, with a context pushed so that operations can be called directly."""
    application = create_app(settings)
    application.test_client_class = FreshClient
    with application.app_context():
        yield application
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser-like client without JavaScript."""
    return app.test_client()
