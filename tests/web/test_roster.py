"""The roster page: a file is looked through, shown, and imported once somebody confirms."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from lms_bridge.core import jobs
from lms_bridge.core.access import Role
from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.roster import generate
from lms_bridge.roster.models import OrganisationKind, Person, RosterImport, RosterUpload
from tests.builders import organisation, person_as, small_system
from tests.web.test_plans import signed_in

SHAPE = generate.city_shape(300, students_per_class=20, campus_students=60)


def reading_english(app: Flask, person: Person) -> FlaskClient:
    """A browser of ``person`` that chose English."""
    client = signed_in(app, person)
    client.get("/language/en")
    return client


@pytest.fixture
def administrator(app: Flask) -> FlaskClient:
    """The browser of the administrator of a bureau that has no campus yet."""
    app.config["WTF_CSRF_ENABLED"] = False
    with transaction():
        bureau = organisation(OrganisationKind.BUREAU)
        person = person_as(Role.ADMINISTRATOR, bureau)
    return reading_english(app, person)


@pytest.fixture
def roster(tmp_path: Path) -> Path:
    """A roster of three hundred people."""
    path = tmp_path / "名册.zip"
    generate.write_roster(path, SHAPE, 7, generate.term_of(now().date()))
    return path


def upload(client: FlaskClient, path: Path, name: str = "名册.zip") -> str:
    """Upload ``path`` and let the check run; the address of its page."""
    with path.open("rb") as stream:
        answer = client.post("/roster/uploads", data={"file": (stream, name)})
    assert answer.status_code == 302, answer.get_data(as_text=True)
    address = answer.headers["Location"]
    assert "Looking through the file" in client.get(address).get_data(as_text=True)
    jobs.run_due()
    return str(address)


def page(client: FlaskClient, address: str) -> str:
    """What the page says."""
    return client.get(address).get_data(as_text=True)


def people() -> int:
    """How many people there are."""
    db.session.rollback()
    return db.session.scalar(sa.select(sa.func.count(Person.id))) or 0


def rewritten(path: Path, change: Callable[[str, list[str]], list[str]]) -> Path:
    """The zip at ``path`` with the lines of each file changed by ``change``."""
    out = path.with_name(f"changed-{path.name}")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            lines = old.read(name).decode().splitlines()
            new.writestr(name, "\n".join(change(name, lines)) + "\n")
    return out


def test_nothing_is_stored_before_somebody_confirms(administrator: FlaskClient, roster: Path) -> None:
    before = people()
    address = upload(administrator, roster)
    shown = page(administrator, address)
    assert "The file can be imported" in shown
    assert people() == before
    administrator.post(f"{address}/import")
    administrator.post(f"{address}/import")
    jobs.run_due()
    assert "The roster was imported" in page(administrator, address)
    assert people() >= before + 300
    assert db.session.scalar(sa.select(sa.func.count(RosterImport.id))) == 1
    assert "名册.zip" in page(administrator, "/roster/")


def test_the_same_file_again_has_nothing_to_import(administrator: FlaskClient, roster: Path) -> None:
    address = upload(administrator, roster)
    administrator.post(f"{address}/import")
    jobs.run_due()
    assert "Everything in this file is known already" in page(administrator, upload(administrator, roster))


def test_an_incomplete_export_must_be_confirmed(administrator: FlaskClient, roster: Path) -> None:
    address = upload(administrator, roster)
    administrator.post(f"{address}/import")
    jobs.run_due()
    before = people()

    def halved(name: str, lines: list[str]) -> list[str]:
        return lines[: len(lines) // 2] if name == "enrollments.csv" else lines

    address = upload(administrator, rewritten(roster, halved))
    assert "This file ends much of what is there" in page(administrator, address)
    refused = administrator.post(f"{address}/import")
    assert refused.status_code == 422
    assert "The removals were not confirmed." in refused.get_data(as_text=True)
    jobs.run_due()
    assert "The roster was imported" not in page(administrator, address)
    administrator.post(f"{address}/import", data={"confirm_removals": "1"})
    jobs.run_due()
    assert "The roster was imported" in page(administrator, address)
    assert people() == before


def test_every_bad_row_is_named_in_the_readers_language(administrator: FlaskClient, roster: Path) -> None:
    def spoiled(name: str, lines: list[str]) -> list[str]:
        if name == "enrollments.csv":
            lines[3] = lines[3].replace("student", "pupil").replace("teacher", "pupil")
            lines[7] = lines[7].replace("student", "pupil").replace("teacher", "pupil")
        return lines

    address = upload(administrator, rewritten(roster, spoiled))
    shown = page(administrator, address)
    assert "2 problems" in shown
    assert "enrollments.csv, row 4, column role" in shown
    assert "enrollments.csv, row 8" in shown
    administrator.get("/language/zh-CN")
    assert "第 4 行" in page(administrator, address)
    assert administrator.post(f"{address}/import").status_code == 409
    administrator.post(f"{address}/discard")
    assert db.session.scalar(sa.select(sa.func.count(RosterUpload.id))) == 0


@pytest.mark.parametrize("content", [b"", b"no zip at all"])
def test_what_is_no_roster_is_refused(administrator: FlaskClient, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "roster.zip"
    path.write_bytes(content)
    with path.open("rb") as stream:
        answer = administrator.post("/roster/uploads", data={"file": (stream, "roster.zip")}, follow_redirects=True)
    jobs.run_due()
    if content:
        address = answer.request.path
        assert "The file was refused. Nothing was stored." in page(administrator, address)
    else:
        assert answer.status_code == 422
        assert "The file is empty." in answer.get_data(as_text=True)


def test_a_campus_sees_its_figures_and_cannot_import(app: Flask, roster: Path) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    school = small_system()
    client = reading_english(app, school.a.administrator)
    shown = page(client, "/roster/")
    assert school.a.campus.label("en") in shown
    assert school.b.campus.label("en") not in shown
    assert "The bureau imports the roster" in shown
    with roster.open("rb") as stream:
        assert client.post("/roster/uploads", data={"file": (stream, "名册.zip")}).status_code == 404
