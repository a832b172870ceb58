"""Importing OneRoster files: what a school gets, again and changed, and what is refused."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from lms_bridge.core.clock import now
from lms_bridge.core.database import db, transaction
from lms_bridge.core.errors import BadInputs, BridgeError
from lms_bridge.roster import generate
from lms_bridge.roster.models import ClassGroup, Enrolment, Guardianship, Organisation, Person, RosterImport
from lms_bridge.roster.oneroster.importer import RemovalsRefused, RosterResult, import_roster

SHAPE = generate.city_shape(300, students_per_class=20, campus_students=60)

Rows = list[dict[str, str]]
Change = Callable[[str, Rows], None]


@pytest.fixture
def roster(tmp_path: Path) -> Path:
    """A roster of three hundred people in version 1.2."""
    return made(tmp_path / "roster.zip", "1.2")


def made(path: Path, version: str) -> Path:
    """A generated roster of ``version`` at ``path``."""
    generate.write_roster(path, SHAPE, 7, generate.term_of(now().date()), version)
    return path


def changed(path: Path, change: Change) -> Path:
    """A copy of the zip at ``path`` whose rows went through ``change``, file by file."""
    out = path.with_name(f"changed-{path.name}")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            reader = csv.DictReader(io.StringIO(old.read(name).decode()))
            rows = list(reader)
            change(name, rows)
            text = io.StringIO()
            writer = csv.DictWriter(text, reader.fieldnames or [])
            writer.writeheader()
            writer.writerows(rows)
            new.writestr(name, text.getvalue())
    return out


def take(path: Path, *, dry_run: bool = False, confirm_removals: bool = False) -> RosterResult:
    """Import ``path``."""
    with transaction():
        return import_roster(
            path, name=path.name, actor_uid=None, dry_run=dry_run, confirm_removals=confirm_removals
        )  # fmt: skip


def census() -> dict[str, int]:
    """How many rows there are of what a roster brings."""
    db.session.rollback()
    tables = (Organisation, ClassGroup, Person, Enrolment, Guardianship, RosterImport)
    return {table.__name__: db.session.scalar(sa.select(sa.func.count(table.id))) or 0 for table in tables}


def problems_with(path: Path) -> list[BridgeError]:
    """What is wrong with ``path``, which must leave nothing behind."""
    before = census()
    with pytest.raises(BadInputs) as refusal:
        take(path)
    assert census() == before
    return refusal.value.problems


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_a_roster_of_either_version_brings_the_same_people(app: Flask, tmp_path: Path, version: str) -> None:
    take(made(tmp_path / "roster.zip", version))
    there = census()
    assert there["Person"] == SHAPE.users()
    assert there["Guardianship"] > 0
    assert there["Organisation"] == 2 + len(SHAPE.campuses)


def test_a_dry_run_counts_what_the_import_then_does_and_stores_nothing(app: Flask, roster: Path) -> None:
    before = census()
    foretold = take(roster, dry_run=True)
    assert census() == before
    assert foretold.counts == take(roster).counts


def test_the_same_file_again_changes_nothing(app: Flask, roster: Path) -> None:
    take(roster)
    before = census()
    again = take(roster)
    assert again.changes == 0
    assert census() | {"RosterImport": 0} == before | {"RosterImport": 0}


def test_a_new_name_changes_one_person_and_keeps_the_rest(app: Flask, roster: Path) -> None:
    take(roster)
    uid = db.session.scalar(sa.select(Person.uid).where(Person.number.is_not(None)).limit(1))
    number = db.session.scalar(sa.select(Person.number).where(Person.uid == uid))

    def rename(name: str, rows: Rows) -> None:
        for row in rows:
            if name == "users.csv" and row["identifier"] == number:
                row["familyName"] = "欧阳"

    result = take(changed(roster, rename))
    assert (result.counts["users"].changed, result.counts["users"].new, result.changes) == (1, 0, 1)
    db.session.rollback()
    assert db.session.scalar(sa.select(Person.family_name).where(Person.uid == uid)) == "欧阳"


def test_every_bad_row_is_named_at_once_with_its_place_and_remedy(app: Flask, roster: Path) -> None:
    def spoil(name: str, rows: Rows) -> None:
        if name == "users.csv":
            rows[2]["givenName"] = rows[2]["familyName"] = ""
            rows[5]["sourcedId"] = rows[4]["sourcedId"]
        if name == "enrollments.csv":
            rows[0]["classSourcedId"] = "no-such-class"
            rows[3]["role"] = "pupil"

    found = problems_with(changed(roster, spoil))
    places = {(p.place.file, p.place.row, p.place.column) for p in found if p.place}
    assert any(place[:2] == ("users.csv", 4) for place in places)
    assert ("users.csv", 7, "sourcedId") in places
    assert ("enrollments.csv", 2, "classSourcedId") in places
    assert ("enrollments.csv", 5, "role") in places
    assert all(p.remedy_text() for p in found)


def test_a_bulk_file_that_ends_too_much_needs_a_word(app: Flask, roster: Path) -> None:
    take(roster)
    before = census()

    def halve(name: str, rows: Rows) -> None:
        if name == "enrollments.csv":
            del rows[len(rows) // 2 :]

    half = changed(roster, halve)
    with pytest.raises(RemovalsRefused, match="enrolments"):
        take(half)
    assert census() == before
    ended = take(half, confirm_removals=True).counts["enrollments"].removed
    assert ended > 0
    db.session.rollback()
    assert db.session.scalar(sa.select(sa.func.count()).where(Enrolment.valid_to.is_not(None))) == ended


def test_a_delta_file_ends_only_what_it_says(app: Flask, roster: Path) -> None:
    take(roster)
    gone = ""

    def one_leaves(name: str, rows: Rows) -> None:
        nonlocal gone
        if name == "manifest.csv":
            for row in rows:
                if row["value"] == "bulk":
                    row["value"] = "delta" if row["propertyName"] == "file.enrollments" else "absent"
        elif name == "enrollments.csv":
            del rows[1:]
            rows[0]["status"], rows[0]["dateLastModified"] = "tobedeleted", "2026-11-20T08:00:00.000Z"
            gone = rows[0]["sourcedId"]
        else:
            rows.clear()

    result = take(changed(roster, one_leaves))
    assert gone
    assert (result.counts["enrollments"].removed, result.changes) == (1, 1)


def test_a_file_in_gbk_says_how_to_save_it(app: Flask, roster: Path, tmp_path: Path) -> None:
    path = tmp_path / "gbk.zip"
    with zipfile.ZipFile(roster) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            new.writestr(name, old.read(name).decode().encode("gb18030"))
    found = problems_with(path)
    assert any("UTF-8" in problem.remedy_text() for problem in found)


@pytest.mark.parametrize("size", [0, 10, 2000])
def test_a_broken_zip_is_refused(app: Flask, roster: Path, size: int) -> None:
    roster.write_bytes(roster.read_bytes()[:size])
    with pytest.raises(BridgeError) as refusal:
        take(roster)
    assert refusal.value.remedy_text()
