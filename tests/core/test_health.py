"""What machines ask: is the process alive, is it ready, what are its figures."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lms_bridge.core import health, jobs
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.plugins import CheckState
from lms_bridge.web.app import create_app
from tests.conftest import make_settings
from tests.servers import free_port


@pytest.fixture
def address_without_tables(request: pytest.FixtureRequest, on_postgresql: bool, tmp_path: Path) -> str:
    """The address of an empty database of the kind that this run is about."""
    if on_postgresql:
        return str(request.getfixturevalue("bare_postgresql_url"))
    return f"sqlite:///{tmp_path}/empty.sqlite"


def failed(client: FlaskClient) -> tuple[int, list[str]]:
    """The status of /readyz and the titles of what failed."""
    answer = client.get("/readyz", headers={"Accept-Language": "en"})
    checks = answer.get_json()["checks"]
    return answer.status_code, [check["title"] for check in checks if check["state"] == "failed"]


def test_a_whole_installation_is_alive_and_ready(client: FlaskClient) -> None:
    assert client.get("/healthz").data == b"ok\n"
    assert failed(client) == (200, [])


def test_without_its_database_it_lives_but_is_not_ready(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, database_url=f"sqlite:///{tmp_path}/no/such/folder/db.sqlite")
    client = create_app(settings).test_client()
    assert client.get("/healthz").status_code == 200
    assert failed(client) == (503, ["Database"])


def test_without_its_job_store_it_is_not_ready(app: Flask, tmp_path: Path) -> None:
    settings = make_settings(
        tmp_path / "other",
        database_url=app.config["SQLALCHEMY_DATABASE_URI"],
        job_store_url=f"redis://127.0.0.1:{free_port()}/0",
    )
    client = create_app(settings).test_client()
    assert failed(client) == (503, ["Job store"])


def test_on_the_tables_of_another_version_it_is_not_ready_and_says_how_to_mend_it(
    app: Flask, tmp_path: Path, address_without_tables: str
) -> None:
    settings = make_settings(tmp_path / "other", database_url=address_without_tables)
    other = create_app(settings)
    assert failed(other.test_client()) == (503, ["Tables"])
    with other.app_context():
        assert "lms-bridge db upgrade" in health.check_migrations().remedy
        db.engine.dispose()


def test_jobs_that_wait_for_no_worker_are_a_warning(app: Flask) -> None:
    assert health.check_jobs().state is CheckState.OK
    with transaction():
        jobs.enqueue("test.nobody", "1", not_before=now() - timedelta(minutes=10))
    check = health.check_jobs()
    assert (check.state, "lms-bridge worker" in check.remedy) == (CheckState.WARNING, True)
    db.session.rollback()


def test_the_figures_are_for_this_machine_alone_unless_a_token_is_set(app: Flask, client: FlaskClient) -> None:
    with transaction():
        jobs.enqueue("test.nobody", "1")
    figures = client.get("/metrics").get_data(as_text=True)
    assert 'lms_bridge_jobs{state="queued"} 1.0' in figures
    assert 'lms_bridge_ready{part="database"} 1.0' in figures
    assert client.get("/metrics", environ_base={"REMOTE_ADDR": "203.0.113.9"}).status_code == 404


@pytest.mark.parametrize(("given", "status"), [("right-token", 200), ("wrong-token", 404), ("", 404)])
def test_with_a_token_the_figures_are_for_whoever_shows_it(app: Flask, tmp_path: Path, given: str, status: int) -> None:
    settings = make_settings(
        tmp_path / "other", database_url=app.config["SQLALCHEMY_DATABASE_URI"], metrics_token="right-token"
    )
    client = create_app(settings).test_client()
    far = {"REMOTE_ADDR": "203.0.113.9"}
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {given}"}, environ_base=far)
    assert answer.status_code == status
